//! The real account service as a process of its own.

use crate::{
    KitError, http,
    process::{Environment, OwnedProcess, workspace_binary},
    venues::{Venue, Venues},
};
use aispace_api::{
    AccountOpened, AllowanceRequest, DebitRequest, GrantRequest, IDEMPOTENCY_KEY, OpenAccountRequest, PostedAnswer, RefundRequest,
    TestClockRequest,
};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{path::PathBuf, time::Duration};

const READY: Duration = Duration::from_secs(30);

/// A running account service; it ends when dropped. Its database stays as long as its folder.
pub struct AccountService {
    folder: PathBuf,
    arguments: Vec<String>,
    operator_token: String,
    /// Secrets among it.
    environment: Environment,
    port: u16,
    process: Option<OwnedProcess>,
}

impl AccountService {
    /// Starts the service with its database in `folder`.
    ///
    /// # Errors
    /// When it is not built or does not come up.
    pub async fn start(folder: PathBuf, node_url: &str, venues: &Venues) -> Result<Self, KitError> {
        std::fs::create_dir_all(&folder).map_err(KitError::io("making the service's folder"))?;
        let database = folder.join("service.sqlite").to_string_lossy().into_owned();
        let (coinbase, kraken, bitstamp) = (venues.url(Venue::Coinbase), venues.url(Venue::Kraken), venues.url(Venue::Bitstamp));
        let pairs = [
            ("--database", database.as_str()),
            ("--node", node_url),
            ("--price-coinbase", &coinbase),
            ("--price-kraken", &kraken),
            ("--price-bitstamp", &bitstamp),
        ];
        let mut arguments = ["serve", "--profile", "sandbox", "--test-clock"].map(String::from).to_vec();
        arguments.extend(pairs.iter().flat_map(|(flag, value)| [flag.to_string(), value.to_string()]));
        let operator_token = format!("operator-{}", uuid::Uuid::new_v4().simple());
        let environment = Environment::from([("AISPACE_OPERATOR_TOKEN".to_string(), Some(operator_token.clone()))]);
        let mut service = Self { folder, arguments, operator_token, environment, port: 0, process: None };
        service.start_again().await?;
        Ok(service)
    }

    /// Where it listens; the same after [`AccountService::start_again`].
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The operator's credential.
    #[must_use]
    pub fn operator_token(&self) -> &str {
        &self.operator_token
    }

    /// What it has logged so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder.join("service.log")).unwrap_or_default()
    }

    /// Asks it to end and waits.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(Duration::from_secs(10)).await;
        }
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Freezes it: connections are accepted and nothing answers.
    pub fn pause(&self) {
        if let Some(process) = &self.process {
            process.pause();
        }
    }

    /// Wakes a frozen service.
    pub fn resume(&self) {
        if let Some(process) = &self.process {
            process.resume();
        }
    }

    /// Starts it on the same port and database.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&mut self) -> Result<(), KitError> {
        let binary = workspace_binary("aispace-account-service")?;
        let listen = format!("127.0.0.1:{}", self.port);
        let mut arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        arguments.extend(["--listen", &listen]);
        // An earlier run's ready line must not count for this one.
        let log = self.folder.join("service.log");
        let _ = std::fs::rename(&log, self.folder.join("service.log.1"));
        let mut process = OwnedProcess::start(&binary, &arguments, &self.environment, &log)?;
        let url = process.wait_for_output("listening on ", READY).await?;
        let port = url.trim_end_matches('/').rsplit(':').next().and_then(|p| p.parse().ok());
        self.port = port.ok_or_else(|| KitError::unexpected(format!("the service says it listens on {url:?}")))?;
        self.process = Some(process);
        Ok(())
    }

    /// Starts it anew as one that takes cards, at a stand-in of Stripe's API that knows this key.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn take_cards(&mut self, stripe_url: &str, stripe_key: &str) -> Result<(), KitError> {
        self.stop().await;
        let variables = [
            ("AISPACE_STRIPE_SECRET_KEY", stripe_key),
            ("AISPACE_STRIPE_WEBHOOK_SECRET", "whsec_of_the_stand_in"),
            ("AISPACE_SERVICE__CARD__STRIPE_URL", stripe_url),
            ("AISPACE_SERVICE__CARD__RETURN_URL", "https://wallet.example/paid"),
            ("AISPACE_SERVICE__CARD__POLL_MS", "1000"),
        ];
        self.environment.extend(variables.map(|(name, value)| (name.to_string(), Some(value.to_string()))));
        self.start_again().await
    }

    /// Opens an account as the operator.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn open_account(&self, label: &str) -> Result<AccountOpened, KitError> {
        self.operate("/v1/accounts", &OpenAccountRequest { label: Some(label.to_string()) }).await
    }

    /// Posts a batch as the operator.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn grant(&self, request: &GrantRequest) -> Result<PostedAnswer, KitError> {
        self.operate("/v1/grants", request).await
    }

    /// Charges a run as a gateway would.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn debit(&self, request: &DebitRequest) -> Result<PostedAnswer, KitError> {
        self.operate("/v1/debits", request).await
    }

    /// Gives a charge back, or a part of it, as a gateway would.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn refund(&self, request: &RefundRequest) -> Result<PostedAnswer, KitError> {
        self.operate("/v1/refunds", request).await
    }

    /// Gives an account daily credits, as the operator.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn set_allowance(&self, account_id: &str, request: &AllowanceRequest) -> Result<(), KitError> {
        let authorization = format!("Bearer {}", self.operator_token);
        let key = uuid::Uuid::new_v4().to_string();
        let headers = [("authorization", authorization.as_str()), (IDEMPOTENCY_KEY, key.as_str())];
        let url = format!("{}/v1/accounts/{account_id}/allowance", self.url());
        http::call_ok("PUT", &url, &headers, Some(&to_json(request)?)).await.map(drop)
    }

    /// Sets the service's clock; `None` gives it back to the system.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn set_clock(&self, at: Option<DateTime<Utc>>) -> Result<(), KitError> {
        let authorization = format!("Bearer {}", self.operator_token);
        let body = to_json(&TestClockRequest { at })?;
        let url = format!("{}/test/clock", self.url());
        http::call_ok("PUT", &url, &[("authorization", &authorization)], Some(&body)).await.map(drop)
    }

    async fn operate<A: DeserializeOwned>(&self, path: &str, request: &impl Serialize) -> Result<A, KitError> {
        let authorization = format!("Bearer {}", self.operator_token);
        let key = uuid::Uuid::new_v4().to_string();
        let headers = [("authorization", authorization.as_str()), (IDEMPOTENCY_KEY, key.as_str())];
        let answer = http::call_ok("POST", &format!("{}{path}", self.url()), &headers, Some(&to_json(request)?)).await?;
        serde_json::from_value(answer).map_err(|e| KitError::unexpected(format!("{path}: {e}")))
    }
}

fn to_json(value: &impl Serialize) -> Result<Value, KitError> {
    serde_json::to_value(value).map_err(|e| KitError::unexpected(e.to_string()))
}
