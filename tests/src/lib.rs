//! Chain, service, stand-ins and desktop for the flows that need the real thing. `make run` and the tests share it.

pub mod chain;
pub mod desktop;
mod error;
pub mod fault;
pub mod http;
pub mod phone;
pub mod process;
pub mod relay;
pub mod sample;
pub mod sandbox;
pub mod screen;
pub mod service;
pub mod stripe;
pub mod tray;
pub mod venues;
pub mod window;

pub use aispace_test_postgres as postgres;
pub use error::KitError;
