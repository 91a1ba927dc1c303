//! The desktop shell: commands, window, capabilities. Every body is in `aispace-app`.

mod bindings;
mod commands;
mod events;
mod opener;
mod start;
mod window;

pub use bindings::bindings;
pub use start::run;
