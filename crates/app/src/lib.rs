//! Use cases, view models, error codes and the local store; no Tauri.
//!
//! [`Wallet`] is the whole app without a window: it owns the state, publishes an [`view::AppView`] at every change and has one
//! method for each thing a person can do. Clock, keychain and profile are passed in.

mod cases;
mod clipboard;
mod clock;
mod error;
mod kept_estimate;
mod opener;
mod preferences;
mod profile;
mod project;
mod recipe;
mod record;
mod reminding;
mod roster;
mod service_time;
mod shelf;
mod state;
mod store;
mod usage_log;
pub mod view;
mod wallet;
mod words;

pub use cases::{NotGiven, Notifier};
pub use clipboard::{Clipboard, ClipboardError};
pub use clock::{Clock, SystemClock};
pub use error::OpenError;
pub use opener::{Opener, OpenerError};
pub use profile::{PriceUrls, Profile, ProfileError};
pub use wallet::{Setup, Wallet};
pub use words::Words;
