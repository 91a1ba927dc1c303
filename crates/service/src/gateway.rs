//! The gateway's calls inside one process, without HTTP: for a program that embeds the service, and for measuring it.

use crate::clock::ServiceClock;
use crate::http::{Act, Call, Rates, costed};
use crate::metering;
use crate::secret::fresh_id;
use crate::store::{Store, StoreError};
use aispace_api::{DebitRequest, ErrorAnswer, ErrorCode, GrantRequest, PostedAnswer};
use aispace_ledger::{AccountId, BatchId, BatchSource, NewBatch};
use aispace_pricing::CardError;
use axum::http::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Posts to accounts as the operator's calls do, with the same idempotency keys and answers.
#[derive(Clone)]
pub struct Gateway {
    store: Store,
    clock: Arc<ServiceClock>,
    rates: Arc<Rates>,
}

impl Gateway {
    /// Posts to this store by this clock, priced by the built-in rate cards.
    ///
    /// # Errors
    /// A [`CardError`] would be a mistake of the build.
    pub fn new(store: Store, clock: Arc<ServiceClock>) -> Result<Self, CardError> {
        Ok(Self { store, clock, rates: Arc::new(Rates::built_in()?) })
    }

    /// Opens an account without a key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_account(&self) -> Result<AccountId, StoreError> {
        let id = AccountId::new(fresh_id("ac")?);
        let work = (id.clone(), self.clock.now());
        self.store.write(work, |(id, now), tx| Box::pin(async move { Store::open_account(tx, id, None, *now).await.map(drop) })).await?;
        Ok(id)
    }

    /// `POST /v1/grants`.
    ///
    /// # Errors
    /// The refusal as the HTTP call words it.
    pub async fn grant(&self, request: &GrantRequest, key: &str) -> Result<PostedAnswer, ErrorAnswer> {
        let id = fresh_id("ba").map_err(|error| failed(&error))?;
        let batch = NewBatch {
            id: BatchId::new(id),
            source: BatchSource::Grant,
            note: request.note.clone(),
            amount: request.credits,
            expires: request.expires,
        };
        self.post("POST /v1/grants", &request.account_id, request, key, Act::Grant(batch)).await
    }

    /// `POST /v1/debits`.
    ///
    /// # Errors
    /// The refusal as the HTTP call words it.
    pub async fn debit(&self, request: &DebitRequest, key: &str) -> Result<PostedAnswer, ErrorAnswer> {
        let cost = costed(&self.rates, &self.clock, request.credits, request.run.as_ref(), request.metered.as_deref(), metering::charge);
        self.post("POST /v1/debits", &request.account_id, request, key, Act::Debit(cost)).await
    }

    async fn post(
        &self,
        operation: &'static str,
        account: &str,
        request: &(impl Serialize + Sync),
        key: &str,
        act: Act,
    ) -> Result<PostedAnswer, ErrorAnswer> {
        let call = Call { operation, key: key.to_owned(), status: StatusCode::CREATED };
        let kept = call.post_to(&self.store, &self.clock, account, request, act).await.map_err(|failure| failure.into_answer())?;
        serde_json::from_str(&kept.body).map_err(|error| failed(&error))
    }
}

fn failed(error: &dyn std::error::Error) -> ErrorAnswer {
    ErrorAnswer { code: ErrorCode::Internal, message: error.to_string(), details: BTreeMap::new() }
}
