//! One request and its answer: everything that can go wrong with either is named here.

use crate::{ClientError, Cut, Deadlines, ServiceUrl};
use aispace_api::{ErrorAnswer, ErrorCode, IDEMPOTENCY_KEY};
use reqwest::{
    Client, Method, Response, Url,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    error::Error as StdError,
    io,
    sync::{Arc, OnceLock},
};

/// The longest answer that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
const MESSAGE_CHARS_MAX: usize = 500;

/// Sends requests of one service within its deadlines.
#[derive(Clone)]
pub(crate) struct Exchange {
    is_encrypted: bool,
    is_this_machine: bool,
    deadlines: Deadlines,
    /// Made with the first request: it reads the system's certificate authorities, and an app that starts asks nobody yet.
    client: Arc<OnceLock<Result<Client, ClientError>>>,
}

/// A request to be sent.
pub(crate) struct Call<'a> {
    /// For the log: the path as documented, without ids.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) bearer: Bearer<'a>,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) body: Option<Vec<u8>>,
}

/// Whose credential goes along.
#[derive(Clone, Copy)]
pub(crate) enum Bearer<'a> {
    None,
    SecureKey(&'a str),
    Operator(&'a str),
    ApiKey(&'a str),
}

/// An answer as it arrived, whatever its status.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) retry_after_seconds: Option<u64>,
    /// What it is instead of JSON, if it says so.
    pub(crate) kind: Result<(), ClientError>,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    pub(crate) fn new(base: &ServiceUrl, deadlines: Deadlines) -> Self {
        Self { is_encrypted: base.is_encrypted(), is_this_machine: base.is_this_machine(), deadlines, client: Arc::default() }
    }

    fn client(&self) -> Result<&Client, ClientError> {
        self.client.get_or_init(|| self.new_client()).as_ref().map_err(Clone::clone)
    }

    fn new_client(&self) -> Result<Client, ClientError> {
        install_crypto_provider();
        let mut builder = Client::builder()
            .user_agent(concat!("aispace-wallet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.deadlines.connect)
            .timeout(self.deadlines.whole)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .https_only(self.is_encrypted)
            // An answer is capped as it arrives, so it arrives as it is.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd();
        if self.is_this_machine {
            builder = builder.no_proxy();
        }
        if !self.is_encrypted {
            // The system's certificate authorities are not needed, so that a machine without any can play.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(|error| ClientError::Unusable { detail: causes(&error.without_url()) })
    }

    /// Sends a call and reads its answer as JSON of the documented shape.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ClientError> {
        let name = call.name;
        let outcome = self.run(call).await;
        match &outcome {
            Ok(_) => tracing::debug!(call = name, "answered"),
            Err(error) => tracing::debug!(call = name, %error, "no answer"),
        }
        outcome
    }

    /// Sends a call and gives the answer of a service that is not ours, whole and of at most so many bytes.
    pub(crate) async fn fetch(&self, call: Call<'_>, limit_bytes: usize) -> Result<Answered, ClientError> {
        let name = call.name;
        let response = self.send(call).await?;
        let (status, retry_after_seconds) = (response.status().as_u16(), retry_after(&response));
        let kind = check_is_json(&response);
        let body = self.read_body(response, limit_bytes).await?;
        tracing::debug!(call = name, status, "answered");
        Ok(Answered { status, retry_after_seconds, kind, body })
    }

    async fn run<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ClientError> {
        let bearer = call.bearer;
        let response = self.send(call).await?;
        if !response.status().is_success() {
            return Err(self.name_refusal(response, bearer).await);
        }
        check_is_json(&response)?;
        let body = self.read_body(response, BODY_BYTES_MAX).await?;
        parse(&body)
    }

    async fn send(&self, call: Call<'_>) -> Result<Response, ClientError> {
        let mut request = self.client()?.request(call.method, call.url);
        if let Bearer::SecureKey(secret) | Bearer::Operator(secret) | Bearer::ApiKey(secret) = call.bearer {
            request = request.header(AUTHORIZATION, sensitive(secret)?);
        }
        if let Some(key) = call.idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| self.name_failure(error))?;
        let status = response.status();
        tracing::trace!(call = call.name, status = status.as_u16(), "status");
        if status.is_redirection() {
            return Err(ClientError::Redirected { status: status.as_u16() });
        }
        Ok(response)
    }

    async fn name_refusal(&self, response: Response, bearer: Bearer<'_>) -> ClientError {
        let status = response.status().as_u16();
        let retry_after_seconds = retry_after(&response);
        // A page in between (a proxy, a captive portal) answers with the same statuses but not with our JSON.
        let answer = match check_is_json(&response) {
            Ok(()) => self.read_body(response, BODY_BYTES_MAX).await.and_then(|body| parse::<ErrorAnswer>(&body)).ok(),
            Err(_) => None,
        };
        match answer {
            _ if status == 429 => ClientError::Busy { retry_after_seconds },
            None => ClientError::Failed { status },
            Some(answer) if status == 401 && answer.code == ErrorCode::Unauthorized && matches!(bearer, Bearer::SecureKey(_)) => {
                ClientError::KeyRefused
            }
            Some(answer) if status >= 500 && matches!(answer.code, ErrorCode::Internal | ErrorCode::Unknown) => {
                ClientError::Failed { status }
            }
            Some(answer) => ClientError::Refused { answer: shortened(answer), status },
        }
    }

    async fn read_body(&self, mut response: Response, limit_bytes: usize) -> Result<Vec<u8>, ClientError> {
        let too_large = ClientError::TooLarge { limit_bytes };
        if announced_bytes(&response).is_some_and(|bytes| bytes > limit_bytes) {
            return Err(too_large);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.name_failure(error))? {
            if body.len().saturating_add(chunk.len()) > limit_bytes {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn name_failure(&self, error: reqwest::Error) -> ClientError {
        // The address may hold an order's id, and is known anyway.
        let error = error.without_url();
        let cut = match () {
            () if error.is_timeout() && error.is_connect() => Cut::Connecting,
            () if error.is_timeout() => return ClientError::Slow { seconds: self.deadlines.whole.as_secs().max(1) },
            () if error.is_dns() => Cut::Name,
            () if has_cause(&error, is_tls) => Cut::Encryption,
            () if error.is_connect() && !has_cause(&error, is_hang_up) => Cut::Refused,
            () => Cut::Broken,
        };
        ClientError::Unreachable { cut, detail: causes(&error) }
    }
}

/// The body of a call.
pub(crate) fn json<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(body).expect("the wire types have string keys and no failing serializer")
}

/// reqwest needs to be told which cryptography to use, once a process.
fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race to another crate is as good as winning it.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn sensitive(secret: &str) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::try_from(format!("Bearer {secret}"))
        .map_err(|_| ClientError::Unusable { detail: "the credential does not fit a header".into() })?;
    value.set_sensitive(true);
    Ok(value)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    // serde's own words repeat the value they stumbled over, which may be a secret.
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "not of the documented shape",
            serde_json::error::Category::Eof => "JSON that ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
        };
        ClientError::Garbled { detail: format!("{what} at line {}, column {}", error.line(), error.column()) }
    })
}

fn check_is_json(response: &Response) -> Result<(), ClientError> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let shown: String = essence.chars().filter(char::is_ascii_graphic).take(40).collect();
    Err(ClientError::Garbled { detail: format!("content type {shown:?} instead of JSON") })
}

fn announced_bytes(response: &Response) -> Option<usize> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn retry_after(response: &Response) -> Option<u64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

fn shortened(mut answer: ErrorAnswer) -> ErrorAnswer {
    if let Some((end, _)) = answer.message.char_indices().nth(MESSAGE_CHARS_MAX) {
        answer.message.truncate(end);
    }
    answer
}

/// The whole chain of causes in one line.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut words: Vec<String> = chain(error).map(ToString::to_string).collect();
    // A wrapper often says what the wrapped one says.
    words.dedup();
    words.join(": ")
}

fn has_cause(error: &(dyn StdError + 'static), is: fn(&(dyn StdError + 'static)) -> bool) -> bool {
    chain(error).any(is)
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        // An I/O error leaves what it wraps out of its sources.
        next = match this.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => this.source(),
        };
        Some(this)
    })
}

fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    error.is::<rustls::Error>()
}

fn is_hang_up(error: &(dyn StdError + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))
}
