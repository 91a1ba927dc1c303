//! Use cases, view models, error codes and the local store; no Tauri.
pub mod view;
mod wallet;
pub use wallet::Wallet;
