//! Account connectors and price sources over HTTP.
//!
//! [`AccountService`] speaks to the AiSpace account service; [`AccountConnector`] is the one view of an account that
//! every system behind a connector gives. Whatever an answer is not, is named by [`ClientError`]: nothing is
//! believed that did not arrive whole, in time, from the address asked, as JSON of the documented shape.
//!
//! [`VenicePrices`] asks the provider of the models what a clip costs and which models it lists.

mod account_service;
mod connector;
mod credential;
mod error;
mod exchange;
mod id;
mod metered;
mod sandbox;
mod timing;
mod url;
mod venice;

pub use account_service::{AccountService, ClaimStep, Claimed};
pub use connector::{AccountConnector, AiSpaceAccount, UsagePage};
pub use credential::{CredentialError, OperatorToken, SecureKey};
pub use error::{ClientError, Cut};
pub use exchange::BODY_BYTES_MAX;
pub use id::{IdError, IdempotencyKey, OrderId};
pub use metered::{metered_run, run_request};
pub use sandbox::SandboxDoors;
pub use timing::{Deadlines, backoff, clock_offset};
pub use url::{ServiceUrl, ServiceUrlError};
pub use venice::{VENICE_URL, VeniceError, VeniceKey, VeniceModels, VenicePrices};
