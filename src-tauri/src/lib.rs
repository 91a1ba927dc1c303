//! The desktop shell: commands, window, capabilities. Every body is in `aispace-app`.

mod arguments;
mod bindings;
mod clipboard;
mod commands;
mod entries;
mod events;
mod known;
mod opener;
mod outside;
mod place;
mod saying;
mod start;
mod tray_facts;
mod window;
mod words;

#[cfg_attr(not(target_os = "linux"), path = "no_painting.rs")]
mod painting;

// What speaks over D-Bus. Elsewhere there is no tray and no notification yet, and the settings say so.
#[cfg_attr(not(target_os = "linux"), path = "no_notifications.rs")]
mod notifications;
#[cfg_attr(not(target_os = "linux"), path = "no_tray.rs")]
mod tray;

pub use bindings::bindings;
pub use start::run;
