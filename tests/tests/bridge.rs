//! The browser bridge in a real Chromium, with wallets in it whose transactions a real node mines.
//!
//! `AISPACE_BRIDGE_SHOTS=folder` keeps pictures of the page's states, light and dark.

mod bridge {
    mod attacks;
    mod browser;
    mod paying;
    mod states;
    mod world;
}
