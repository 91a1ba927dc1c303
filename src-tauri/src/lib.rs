//! The desktop shell: commands, window, capabilities. Every body is in `aispace-app`.

mod bindings;
mod commands;
mod events;

pub use bindings::bindings;
