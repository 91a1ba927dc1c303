//! Use cases, view models, error codes and the local store; no Tauri.
pub mod view;
