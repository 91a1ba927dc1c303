//! Who may ask for what: every request passes here before anything else looks at it.

use hyper::{Method, StatusCode, Version, header, header::HeaderMap, http::request::Parts};

/// Bytes of a call's body. The largest one names a wallet and an account.
pub(super) const BODY_BYTES_MAX: u64 = 4_096;
/// The header that carries the token, and later what it was exchanged for.
pub(super) const TOKEN_HEADER: &str = "x-bridge-token";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The page, which holds nothing of the payment.
    Page,
    /// A call that the page makes.
    Call(Call),
}

/// What the page may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Exchanges the token for the payment's description.
    Open,
    /// The same page after it was loaded again.
    Resume,
    /// A wallet is connected.
    Wallet,
    /// Its chain is another one.
    WrongChain,
    /// The wallet is about to be asked.
    Ask,
    /// The wallet was refused, or not asked after all.
    Unasked,
    /// The wallet says it sent the payment.
    Answer,
    /// Waits for the end.
    Watch,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not HTTP/1.1.
    Version,
    /// Another name than 127.0.0.1 and this port.
    Misdirected,
    /// From another page, a frame or no page at all.
    Foreign,
    /// No such place, or one with a query.
    Unknown,
    /// A place that is asked in another way.
    Method,
    /// A body that is no JSON by its own word.
    Media,
    /// A body without a length.
    Length,
    /// A body that is too long.
    TooLong,
    /// A body that does not come.
    Slow,
    /// A body that says nothing.
    Unreadable,
    /// No token, or a wrong one.
    Token,
    /// The token was used before.
    Used,
    /// The page is open in another tab.
    AnotherTab,
    /// A wallet was asked and has not answered.
    AlreadyAsked,
    /// No such ask is open.
    NotAsked,
    /// A wallet has answered.
    Answered,
    /// Time is up.
    Expired,
    /// The app closed the page.
    Closed,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Foreign | Self::Token => StatusCode::FORBIDDEN,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Media => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Length => StatusCode::LENGTH_REQUIRED,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Used | Self::AnotherTab | Self::AlreadyAsked | Self::NotAsked => StatusCode::CONFLICT,
            Self::Answered | Self::Expired | Self::Closed => StatusCode::GONE,
        }
    }

    /// The word that the page branches on.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Misdirected => "misdirected",
            Self::Foreign => "foreign",
            Self::Unknown => "unknown",
            Self::Method => "method",
            Self::Media => "media",
            Self::Length => "length",
            Self::TooLong => "too_long",
            Self::Slow => "slow",
            Self::Unreadable => "unreadable",
            Self::Token => "token",
            Self::Used => "used",
            Self::AnotherTab => "another_tab",
            Self::AlreadyAsked => "already_asked",
            Self::NotAsked => "not_asked",
            Self::Answered => "answered",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

/// Checks everything that a request's head can tell.
pub(super) fn admit(parts: &Parts, port: u16) -> Result<Route, Refusal> {
    let own = format!("127.0.0.1:{port}");
    if parts.version != Version::HTTP_11 {
        return Err(Refusal::Version);
    }
    // A request line with a name of its own would overrule the Host header.
    if parts.uri.authority().is_some() || only(&parts.headers, header::HOST.as_str()) != Some(&own) {
        return Err(Refusal::Misdirected);
    }
    if parts.uri.query().is_some() {
        return Err(Refusal::Unknown);
    }
    let route = route(parts.uri.path()).ok_or(Refusal::Unknown)?;
    match (route, &parts.method) {
        (Route::Page, &Method::GET) => opened_by_a_person(&parts.headers, &own)?,
        (Route::Call(_), &Method::POST) => {
            called_by_the_page(&parts.headers, &own)?;
            bounded_json(&parts.headers)?;
        }
        _ => return Err(Refusal::Method),
    }
    Ok(route)
}

fn route(path: &str) -> Option<Route> {
    Some(match path {
        "/" => Route::Page,
        "/open" => Route::Call(Call::Open),
        "/resume" => Route::Call(Call::Resume),
        "/wallet" => Route::Call(Call::Wallet),
        "/wrong-chain" => Route::Call(Call::WrongChain),
        "/ask" => Route::Call(Call::Ask),
        "/unasked" => Route::Call(Call::Unasked),
        "/answer" => Route::Call(Call::Answer),
        "/watch" => Route::Call(Call::Watch),
        _ => return None,
    })
}

/// The page is opened by the app or loaded again, as a document of its own: not by another page, not in a frame, not as an image.
/// Browsers that do not say (they are old) get the page; it holds nothing.
fn opened_by_a_person(headers: &HeaderMap, own: &str) -> Result<(), Refusal> {
    let may_say = |name, allowed: &[&str]| !headers.contains_key(name) || only(headers, name).is_some_and(|said| allowed.contains(&said));
    let origin = format!("http://{own}");
    let known = may_say("sec-fetch-site", &["none", "same-origin"])
        && may_say("sec-fetch-dest", &["document"])
        && may_say("sec-fetch-mode", &["navigate"])
        && may_say("origin", &[origin.as_str()]);
    known.then_some(()).ok_or(Refusal::Foreign)
}

/// Browsers set both headers themselves; no page can.
fn called_by_the_page(headers: &HeaderMap, own: &str) -> Result<(), Refusal> {
    let origin = only(headers, "origin").and_then(|origin| origin.strip_prefix("http://"));
    let known = origin == Some(own) && only(headers, "sec-fetch-site") == Some("same-origin");
    known.then_some(()).ok_or(Refusal::Foreign)
}

/// A length said beforehand leaves nothing to be framed in two ways.
fn bounded_json(headers: &HeaderMap) -> Result<(), Refusal> {
    if only(headers, "content-type") != Some("application/json") {
        return Err(Refusal::Media);
    }
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::Length);
    }
    let length = only(headers, "content-length").and_then(|length| length.parse::<u64>().ok()).ok_or(Refusal::Length)?;
    if length > BODY_BYTES_MAX { Err(Refusal::TooLong) } else { Ok(()) }
}

/// The value of a header that is there once.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
