//! The two extra doors of a sandbox: a faucet and a sample account.

use crate::{
    ClientError, Deadlines, SecureKey, ServiceUrl,
    exchange::{Bearer, Call, Exchange, json},
};
use aispace_api::SealedSecret;
use reqwest::Method;
use serde::{Deserialize, Serialize};

/// A sandbox's faucet and sample account. No live profile has one.
#[derive(Clone)]
pub struct SandboxDoors {
    faucet: ServiceUrl,
    sample: ServiceUrl,
    faucet_exchange: Exchange,
    sample_exchange: Exchange,
}

#[derive(Serialize)]
struct FaucetRequest<'a> {
    address: &'a str,
}

#[derive(Deserialize)]
struct FaucetAnswer {}

#[derive(Deserialize)]
struct SampleAnswer {
    secure_key: SealedSecret,
}

impl SandboxDoors {
    /// Speaks to a faucet and to the keeper of a sample account. Nothing is sent yet.
    #[must_use]
    pub fn new(faucet: ServiceUrl, sample: ServiceUrl, deadlines: Deadlines) -> Self {
        let (faucet_exchange, sample_exchange) = (Exchange::new(&faucet, deadlines), Exchange::new(&sample, deadlines));
        Self { faucet, sample, faucet_exchange, sample_exchange }
    }

    /// Asks for test ether to an EIP-55 address.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn ask_for_ether(&self, address: &str) -> Result<(), ClientError> {
        let _: FaucetAnswer = post(&self.faucet_exchange, "POST faucet", &self.faucet, json(&FaucetRequest { address })).await?;
        Ok(())
    }

    /// Asks for the Secure Key of the sample account.
    ///
    /// # Errors
    /// Each [`ClientError`]; [`ClientError::Garbled`] when the answer holds no key.
    pub async fn sample_key(&self) -> Result<SecureKey, ClientError> {
        let answer: SampleAnswer = post(&self.sample_exchange, "POST sample", &self.sample, json(&serde_json::json!({}))).await?;
        SecureKey::parse(answer.secure_key.expose()).map_err(|error| ClientError::Garbled { detail: format!("not a secure key: {error}") })
    }
}

async fn post<T: serde::de::DeserializeOwned>(
    exchange: &Exchange,
    name: &'static str,
    at: &ServiceUrl,
    body: Vec<u8>,
) -> Result<T, ClientError> {
    exchange
        .ask(Call { name, method: Method::POST, url: at.join(&[]), bearer: Bearer::None, idempotency_key: None, body: Some(body) })
        .await
}
