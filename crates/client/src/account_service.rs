use crate::{
    ClientError, Deadlines, IdempotencyKey, OperatorToken, OrderId, SecureKey, ServiceUrl, UsagePage,
    exchange::{Bearer, Call, Exchange, json},
};
use aispace_api::{
    AccountAnswer, AccountOpened, AnyOrderAnswer, CardOrderAnswer, ClaimAnswer, ClaimRequest, DebitRequest, GrantRequest, HashClaimRequest,
    HealthAnswer, OpenAccountRequest, OrderAnswer, OrderRequest, PostedAnswer, SealedSecret, UsageAnswer,
};
use aispace_units::NanoCredits;
use reqwest::{Method, Url};

/// The AiSpace account service at one address.
#[derive(Clone)]
pub struct AccountService {
    base: ServiceUrl,
    exchange: Exchange,
}

/// What a claim is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimStep {
    /// Hand out what the order bought; the same again however often it is asked.
    Collect,
    /// What was handed out is kept: the service forgets the plain key.
    Acknowledge,
}

/// What a claim handed out.
pub struct Claimed {
    /// The account the credits are in.
    pub account_id: String,
    /// The Secure Key, for an order that opened an account, until acknowledged.
    pub secure_key: Option<SecureKey>,
    /// Credits posted for the order so far.
    pub credited_credits: NanoCredits,
}

impl AccountService {
    /// Speaks to the service at `base`. Nothing is sent yet.
    #[must_use]
    pub fn new(base: ServiceUrl, deadlines: Deadlines) -> Self {
        let exchange = Exchange::new(&base, deadlines);
        Self { base, exchange }
    }

    /// The address it speaks to.
    #[must_use]
    pub fn base(&self) -> &ServiceUrl {
        &self.base
    }

    /// Asks whether the service is well.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn health(&self) -> Result<HealthAnswer, ClientError> {
        self.exchange.ask(get("GET /v1/health", self.base.join(&["v1", "health"]), Bearer::None)).await
    }

    /// Asks what the account holds.
    ///
    /// # Errors
    /// Each [`ClientError`].
    pub async fn account(&self, key: &SecureKey) -> Result<AccountAnswer, ClientError> {
        self.exchange.ask(get("GET /v1/account", self.base.join(&["v1", "account"]), Bearer::SecureKey(key.expose()))).await
    }

    /// Asks for a page of the posted entries, newest first.
    ///
    /// # Errors
    /// Each [`ClientError`].
    pub async fn usage(&self, key: &SecureKey, page: &UsagePage) -> Result<UsageAnswer, ClientError> {
        let mut url = self.base.join(&["v1", "account", "usage"]);
        url.query_pairs_mut().append_pair("limit", &page.limit.to_string());
        if let Some(cursor) = &page.cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.exchange.ask(get("GET /v1/account/usage", url, Bearer::SecureKey(key.expose()))).await
    }

    /// Asks for a new Secure Key. The old one stays valid until the new one is first used, so an answer that is lost locks nobody out.
    ///
    /// # Errors
    /// Each [`ClientError`].
    pub async fn rotate_key(&self, key: &SecureKey) -> Result<SecureKey, ClientError> {
        let url = self.base.join(&["v1", "account", "key", "rotate"]);
        let call = post("POST /v1/account/key/rotate", url, Bearer::SecureKey(key.expose()), None, b"{}".to_vec());
        let AccountOpened { secure_key, .. } = self.exchange.ask(call).await?;
        usable_key(&secure_key)
    }

    /// Orders credits: a top-up of the key's account, or without a key an account that opens when paid.
    ///
    /// # Errors
    /// Each [`ClientError`].
    pub async fn create_order(
        &self,
        key: Option<&SecureKey>,
        request: &OrderRequest,
        idempotency_key: &IdempotencyKey,
    ) -> Result<OrderAnswer, ClientError> {
        let bearer = key.map_or(Bearer::None, |key| Bearer::SecureKey(key.expose()));
        let url = self.base.join(&["v1", "orders"]);
        let answer = self.exchange.ask(post("POST /v1/orders", url, bearer, Some(idempotency_key), json(request))).await?;
        with_usable_id(answer)
    }

    /// Orders credits that a card pays; else as [`AccountService::create_order`].
    ///
    /// # Errors
    /// Each [`ClientError`].
    pub async fn create_card_order(
        &self,
        key: Option<&SecureKey>,
        request: &OrderRequest,
        idempotency_key: &IdempotencyKey,
    ) -> Result<CardOrderAnswer, ClientError> {
        let bearer = key.map_or(Bearer::None, |key| Bearer::SecureKey(key.expose()));
        let url = self.base.join(&["v1", "orders"]);
        let answer: CardOrderAnswer = self.exchange.ask(post("POST /v1/orders", url, bearer, Some(idempotency_key), json(request))).await?;
        usable_id(&answer.order_id).map(|()| answer)
    }

    /// Asks how far an order is, however it is paid. No credential is sent.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn any_order(&self, order: &OrderId) -> Result<AnyOrderAnswer, ClientError> {
        let url = self.base.join(&["v1", "orders", order.as_str()]);
        let answer = self.exchange.ask(get("GET /v1/orders/{id}", url, Bearer::None)).await?;
        match &answer {
            AnyOrderAnswer::Eth(eth) => usable_id(&eth.order_id)?,
            AnyOrderAnswer::Card(card) => usable_id(&card.order_id)?,
        }
        Ok(answer)
    }

    /// Asks how far an order is. No credential is sent.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn order(&self, order: &OrderId) -> Result<OrderAnswer, ClientError> {
        let url = self.base.join(&["v1", "orders", order.as_str()]);
        let answer = self.exchange.ask(get("GET /v1/orders/{id}", url, Bearer::None)).await?;
        with_usable_id(answer)
    }

    /// Presents the claim secret (64 hex digits) of an order. It is the only credential sent.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn claim(&self, order: &OrderId, secret: SealedSecret, step: ClaimStep) -> Result<Claimed, ClientError> {
        let url = self.base.join(&["v1", "orders", order.as_str(), "claim"]);
        let request = ClaimRequest { secret, acknowledge: step == ClaimStep::Acknowledge };
        let call = post("POST /v1/orders/{id}/claim", url, Bearer::None, None, json(&request));
        let ClaimAnswer { account_id, secure_key, credited_credits } = self.exchange.ask(call).await?;
        let secure_key = secure_key.as_ref().map(usable_key).transpose()?;
        Ok(Claimed { account_id, secure_key, credited_credits })
    }

    /// Presents what the payer of a payment signed: which order it is for. No credential is sent; the signature is one.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn claim_by_hash(&self, claim: &HashClaimRequest) -> Result<OrderAnswer, ClientError> {
        let url = self.base.join(&["v1", "claims"]);
        let answer = self.exchange.ask(post("POST /v1/claims", url, Bearer::None, None, json(claim))).await?;
        with_usable_id(answer)
    }

    /// Charges a run, as a gateway does.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn debit(
        &self,
        operator: &OperatorToken,
        request: &DebitRequest,
        idempotency_key: &IdempotencyKey,
    ) -> Result<PostedAnswer, ClientError> {
        self.as_operator("POST /v1/debits", "debits", operator, Some(idempotency_key), json(request)).await
    }

    /// Posts a batch, as an operator does.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn grant(
        &self,
        operator: &OperatorToken,
        request: &GrantRequest,
        idempotency_key: &IdempotencyKey,
    ) -> Result<PostedAnswer, ClientError> {
        self.as_operator("POST /v1/grants", "grants", operator, Some(idempotency_key), json(request)).await
    }

    /// Opens an account, as an operator does. The answer is the only time its Secure Key is shown.
    ///
    /// # Errors
    /// Each [`ClientError`] but [`ClientError::KeyRefused`].
    pub async fn open_account(
        &self,
        operator: &OperatorToken,
        request: &OpenAccountRequest,
        idempotency_key: &IdempotencyKey,
    ) -> Result<AccountOpened, ClientError> {
        self.as_operator("POST /v1/accounts", "accounts", operator, Some(idempotency_key), json(request)).await
    }

    async fn as_operator<T: serde::de::DeserializeOwned>(
        &self,
        name: &'static str,
        path: &str,
        operator: &OperatorToken,
        idempotency_key: Option<&IdempotencyKey>,
        body: Vec<u8>,
    ) -> Result<T, ClientError> {
        let url = self.base.join(&["v1", path]);
        self.exchange.ask(post(name, url, Bearer::Operator(operator.expose()), idempotency_key, body)).await
    }
}

fn get<'a>(name: &'static str, url: Url, bearer: Bearer<'a>) -> Call<'a> {
    Call { name, method: Method::GET, url, bearer, idempotency_key: None, body: None }
}

fn post<'a>(name: &'static str, url: Url, bearer: Bearer<'a>, key: Option<&'a IdempotencyKey>, body: Vec<u8>) -> Call<'a> {
    Call { name, method: Method::POST, url, bearer, idempotency_key: key.map(IdempotencyKey::as_str), body: Some(body) }
}

/// A key that could not be sent is no answer; it is not repeated.
fn usable_key(key: &SealedSecret) -> Result<SecureKey, ClientError> {
    SecureKey::parse(key.expose()).map_err(|error| ClientError::Garbled { detail: format!("not a secure key: {error}") })
}

/// An id that cannot be asked for again is no answer.
fn with_usable_id(answer: OrderAnswer) -> Result<OrderAnswer, ClientError> {
    usable_id(&answer.order_id).map(|()| answer)
}

fn usable_id(id: &str) -> Result<(), ClientError> {
    OrderId::parse(id).map(drop).map_err(|error| ClientError::Garbled { detail: format!("order id: {error}") })
}
