//! One way out to the network: https unless the host is this machine, no redirects, a deadline, a bounded answer.

use alloy::{
    rpc::json_rpc::{RequestPacket, ResponsePacket},
    transports::{TransportError, TransportErrorKind, TransportFut},
};
use reqwest::Url;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use std::{
    sync::{Arc, LazyLock, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

/// Chooses *ring* for TLS in this process. The first HTTP client of a process panics without it.
/// Harmless to call again, and when something else has chosen before.
pub fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Why an address of a server was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not a URL.
    #[error("{input} is not a URL")]
    NotAUrl {
        /// What was given.
        input: String,
    },
    /// Plain http to another machine, or another scheme.
    #[error("{host} must be reached over https")]
    NotHttps {
        /// Its host.
        host: String,
    },
}

/// A server that may be asked: its URL was checked.
#[derive(Clone)]
pub(crate) struct Endpoint {
    url: Url,
    deadline: Duration,
    /// Made when it is asked for the first time: an app that starts has a dozen endpoints and asks none.
    client: Arc<OnceLock<Result<reqwest::Client, HttpError>>>,
}

/// Why a server gave no usable answer. Never holds the URL: paths of nodes carry access keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("{0}")]
    Unreachable(String),
    #[error("answered HTTP {0}")]
    Status(u16),
    #[error("answers no more for now (HTTP 429)")]
    Limited { retry_after_seconds: Option<u64> },
    #[error("answered more than {0} bytes")]
    TooLarge(usize),
}

/// TLS by the certificate authorities of the system. They are read once for all endpoints: over a hundred files.
fn tls_of_this_system() -> Result<ClientConfig, HttpError> {
    static TLS: LazyLock<Result<ClientConfig, HttpError>> =
        LazyLock::new(|| ClientConfig::with_platform_verifier().map_err(|error| HttpError::Unreachable(format!("no TLS: {error}"))));
    TLS.clone()
}

fn client(is_encrypted: bool, deadline: Duration) -> Result<reqwest::Client, HttpError> {
    let builder = reqwest::Client::builder()
        .timeout(deadline)
        .connect_timeout(deadline)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("aispace-wallet");
    let builder = if is_encrypted {
        builder.https_only(true).tls_backend_preconfigured(tls_of_this_system()?)
    } else {
        // No certificate authority is needed where nothing is encrypted.
        builder.tls_certs_only([])
    };
    builder.build().map_err(|error| HttpError::Unreachable(format!("no HTTP client: {error}")))
}

impl Endpoint {
    /// Checks a base URL; `deadline` is for a whole exchange.
    pub(crate) fn new(url: &str, deadline: Duration) -> Result<Self, EndpointError> {
        install_crypto_provider();
        let parsed = Url::parse(url).map_err(|_| EndpointError::NotAUrl { input: url.to_string() })?;
        if !(parsed.scheme() == "https" || (parsed.scheme() == "http" && is_loopback(&parsed))) {
            return Err(EndpointError::NotHttps { host: parsed.host_str().unwrap_or(url).to_string() });
        }
        Ok(Self { url: parsed, deadline, client: Arc::default() })
    }

    fn client(&self) -> Result<&reqwest::Client, HttpError> {
        self.client.get_or_init(|| client(self.url.scheme() == "https", self.deadline)).as_ref().map_err(Clone::clone)
    }

    /// Host and, where it is not the scheme's own, port: how people know a server.
    pub(crate) fn name(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"))
    }

    /// Whether it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Gets a path below the base URL.
    pub(crate) async fn get(&self, path_and_query: &str, bytes_max: usize) -> Result<Vec<u8>, HttpError> {
        let base = self.url.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path_and_query}")).map_err(|_| HttpError::Unreachable("a wrong path".into()))?;
        let answer = exchange(self.client()?, |client| client.get(url.clone()), bytes_max).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(HttpError::Status(answer.status.as_u16())) }
    }

    /// Posts JSON to the URL itself, with a deadline of its own if need be, and answers whatever status comes with what was said.
    pub(crate) async fn post_json(&self, body: String, bytes_max: usize, deadline: Option<Duration>) -> Result<(u16, Vec<u8>), HttpError> {
        let request = |client: &reqwest::Client| {
            let request = client.post(self.url.clone()).header(reqwest::header::CONTENT_TYPE, "application/json").body(body.clone());
            match deadline {
                Some(deadline) => request.timeout(deadline),
                None => request,
            }
        };
        let Answer { status, retry_after_seconds, body } = exchange(self.client()?, request, bytes_max).await?;
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(HttpError::Limited { retry_after_seconds });
        }
        Ok((status.as_u16(), body))
    }

    /// Posts a body to a path below the base URL, or gets it without one, and answers whatever status comes with what was said.
    pub(crate) async fn ask(
        &self,
        path_and_query: &str,
        headers: reqwest::header::HeaderMap,
        body: Option<String>,
        bytes_max: usize,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let base = self.url.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path_and_query}")).map_err(|_| HttpError::Unreachable("a wrong path".into()))?;
        let request = |client: &reqwest::Client| match &body {
            Some(body) => client.post(url.clone()).headers(headers.clone()).body(body.clone()),
            None => client.get(url.clone()).headers(headers.clone()),
        };
        let answer = exchange(self.client()?, request, bytes_max).await?;
        Ok((answer.status.as_u16(), answer.body))
    }
}

struct Answer {
    status: reqwest::StatusCode,
    retry_after_seconds: Option<u64>,
    body: Vec<u8>,
}

/// Asks, and asks once more when the connection broke: a kept one may have been closed by the server at that moment. Nothing
/// that is asked here does anything twice, the same signed bytes included.
async fn exchange(
    client: &reqwest::Client,
    ask: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
    bytes_max: usize,
) -> Result<Answer, HttpError> {
    match exchange_once(ask(client), bytes_max).await {
        Err(Broken::Connection(_)) => exchange_once(ask(client), bytes_max).await.map_err(HttpError::from),
        other => other.map_err(HttpError::from),
    }
}

async fn exchange_once(request: reqwest::RequestBuilder, bytes_max: usize) -> Result<Answer, Broken> {
    let mut response = request.send().await.map_err(Broken::of)?;
    // What a server announces is believed as far as it may send that much.
    let announced = response.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
    let mut body = Vec::with_capacity(announced.min(bytes_max));
    while let Some(chunk) = response.chunk().await.map_err(Broken::of)? {
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Err(Broken::Off(HttpError::TooLarge(bytes_max)));
        }
        body.extend_from_slice(&chunk);
    }
    let retry_after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Ok(Answer { status: response.status(), retry_after_seconds: retry_after.and_then(|value| value.trim().parse().ok()), body })
}

/// Why one exchange failed: by a connection that broke, or for good.
enum Broken {
    Connection(HttpError),
    Off(HttpError),
}

impl Broken {
    fn of(error: reqwest::Error) -> Self {
        let final_one = error.is_timeout() || error.is_connect() || error.is_redirect() || error.is_builder();
        let refusal = refusal(error);
        if final_one { Self::Off(refusal) } else { Self::Connection(refusal) }
    }
}

impl From<Broken> for HttpError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Connection(error) | Broken::Off(error) => error,
        }
    }
}

fn refusal(error: reqwest::Error) -> HttpError {
    if error.is_timeout() {
        return HttpError::Unreachable("no answer before the deadline".into());
    }
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    HttpError::Unreachable(reason)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// JSON-RPC over an [`Endpoint`], as alloy wants it. alloy's own transport neither bounds the answer nor keeps the URL out of
/// its errors.
#[derive(Clone)]
pub(crate) struct RpcTransport {
    pub(crate) endpoint: Endpoint,
    pub(crate) bytes_max: usize,
}

impl RpcTransport {
    async fn ask(self, request: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let post = |client: &reqwest::Client| client.post(self.endpoint.url.clone()).json(&request);
        let client = self.endpoint.client().map_err(TransportErrorKind::custom)?;
        let Answer { status, retry_after_seconds, body } =
            exchange(client, post, self.bytes_max).await.map_err(TransportErrorKind::custom)?;
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(TransportErrorKind::custom(HttpError::Limited { retry_after_seconds }));
        }
        // A JSON-RPC error may come with any status, so the body is read first.
        match serde_json::from_slice::<ResponsePacket>(&body) {
            Ok(packet) => Ok(packet),
            Err(_) if !status.is_success() => Err(TransportErrorKind::custom(HttpError::Status(status.as_u16()))),
            Err(_) => Err(TransportErrorKind::custom_str("answered something that is not JSON-RPC")),
        }
    }
}

impl tower::Service<RequestPacket> for RpcTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        Box::pin(self.clone().ask(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::new(url, Duration::from_secs(1))
    }

    #[test]
    fn only_this_machine_may_be_reached_without_tls() {
        for good in ["https://api.kraken.com", "http://127.0.0.1:8545", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9"] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["http://api.kraken.com", "http://127.0.0.1.example.org", "http://0.0.0.0", "ftp://127.0.0.1", "ws://localhost"] {
            assert!(matches!(checked(bad), Err(EndpointError::NotHttps { .. })), "{bad}");
        }
        assert!(matches!(checked("kraken"), Err(EndpointError::NotAUrl { .. })));
    }

    #[test]
    fn a_name_never_shows_the_path() {
        assert_eq!(checked("https://base.example.org/v2/an-access-key").unwrap().name(), "base.example.org");
        assert_eq!(checked("http://127.0.0.1:8545/").unwrap().name(), "127.0.0.1:8545");
    }
}
