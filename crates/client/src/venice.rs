//! Venice's public prices: the quote of one clip, and the list of models.

mod pace;

use crate::{
    ClientError, Deadlines, ServiceUrl, credential,
    credential::CredentialError,
    exchange::{Answered, BODY_BYTES_MAX, Bearer, Call, Exchange},
};
use aispace_pricing::{ClipQuery, ClipRefusal, LiveError, ObservedQuote};
use chrono::{DateTime, Utc};
use pace::Pace;
use reqwest::{Method, Url};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where Venice answers.
pub const VENICE_URL: &str = "https://api.venice.ai/api/v1";
/// The longest answer to a quote that is read, in bytes; a real one has less than a thousand.
const QUOTE_BYTES_MAX: usize = 64 * 1024;

/// An API key of Venice. It is not needed for prices. Opaque, never printed, wiped when dropped.
#[derive(Clone)]
pub struct VeniceKey(Zeroizing<String>);

impl VeniceKey {
    /// Takes a key as configured; white space around it is dropped.
    ///
    /// # Errors
    /// When it cannot be a key. Whether it is one, only Venice knows.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        credential::check(text).map(Self)
    }
}

/// Why there is no price from Venice.
///
/// No variant holds the key or the text of an answer that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VeniceError {
    /// No answer, or none to be believed.
    #[error(transparent)]
    Call(#[from] ClientError),
    /// It does not offer what was asked for: 400, 403, 404 or 422 with a reason.
    #[error("refused with status {status}: {refusal}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says, with the values that it allows.
        refusal: ClipRefusal,
    },
    /// It wants a key, or another one than was sent.
    #[error("{}", if *sent { "the API key is not known there" } else { "an API key is needed there" })]
    Key {
        /// Whether one was sent.
        sent: bool,
    },
    /// The answer is no quote.
    #[error(transparent)]
    Quote(#[from] LiveError),
    /// Nothing was asked: too much failed before, and whoever goes on is shut out there.
    #[error("not asked again for {seconds} s, because {failures} requests failed or are not answered yet")]
    Paused {
        /// How many failed of late, and how many are under way.
        failures: usize,
        /// How long until the next request may be sent.
        seconds: u64,
    },
}

/// A part of Venice's list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VeniceModels {
    /// Every model.
    All,
    /// Chat.
    Text,
    /// Pictures.
    Image,
    /// Changes of pictures.
    Inpaint,
    /// Larger pictures.
    Upscale,
    /// Clips; the list has no prices for them.
    Video,
    /// Speech.
    Speech,
    /// Transcription.
    Transcription,
    /// Music.
    Music,
    /// Embeddings.
    Embedding,
}

impl VeniceModels {
    /// Every part.
    pub const ALL: [Self; 10] = [
        Self::All,
        Self::Text,
        Self::Image,
        Self::Inpaint,
        Self::Upscale,
        Self::Video,
        Self::Speech,
        Self::Transcription,
        Self::Music,
        Self::Embedding,
    ];

    /// Venice's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Text => "text",
            Self::Image => "image",
            Self::Inpaint => "inpaint",
            Self::Upscale => "upscale",
            Self::Video => "video",
            Self::Speech => "tts",
            Self::Transcription => "asr",
            Self::Music => "music",
            Self::Embedding => "embedding",
        }
    }
}

/// Venice's prices at one address. Clones share what failed.
///
/// Venice shuts a caller out for half a minute after more than 20 failed requests in 30 s. So at most ten fail here in that time, and after
/// three in a row that got no answer at all nothing is sent for a minute; both are said as [`VeniceError::Paused`].
#[derive(Clone)]
pub struct VenicePrices {
    base: ServiceUrl,
    key: Option<VeniceKey>,
    exchange: Exchange,
    pace: Arc<Pace>,
}

impl VenicePrices {
    /// Speaks to Venice at `base`, which is [`VENICE_URL`] but in tests. Nothing is sent yet.
    #[must_use]
    pub fn new(base: ServiceUrl, key: Option<VeniceKey>, deadlines: Deadlines) -> Self {
        let exchange = Exchange::new(&base, deadlines);
        Self { base, key, exchange, pace: Arc::default() }
    }

    /// Asks what a clip costs. `now` is when it is asked.
    ///
    /// # Errors
    /// Each [`VeniceError`].
    pub async fn video_quote(&self, query: &ClipQuery, now: DateTime<Utc>) -> Result<ObservedQuote, VeniceError> {
        let body = Some(query.body().into_bytes());
        let call = self.call("POST /video/quote", Method::POST, self.base.join(&["video", "quote"]), body);
        let source = self.base.host();
        self.paced(now, call, QUOTE_BYTES_MAX, |body| Ok(ObservedQuote::read(query.clone(), &body, source, now)?)).await
    }

    /// Asks for the list of models, as it is, for an import to read.
    ///
    /// # Errors
    /// Each [`VeniceError`] but [`VeniceError::Quote`].
    pub async fn models(&self, part: VeniceModels, now: DateTime<Utc>) -> Result<Vec<u8>, VeniceError> {
        let mut url = self.base.join(&["models"]);
        url.query_pairs_mut().append_pair("type", part.as_str());
        self.paced(now, self.call("GET /models", Method::GET, url, None), BODY_BYTES_MAX, Ok).await
    }

    fn call(&self, name: &'static str, method: Method, url: Url, body: Option<Vec<u8>>) -> Call<'_> {
        let bearer = self.key.as_ref().map_or(Bearer::None, |key| Bearer::ApiKey(&key.0));
        Call { name, method, url, bearer, idempotency_key: None, body }
    }

    /// Sends a call unless too much failed, and remembers how it went.
    async fn paced<T>(
        &self,
        now: DateTime<Utc>,
        call: Call<'_>,
        limit_bytes: usize,
        read: impl FnOnce(Vec<u8>) -> Result<T, VeniceError>,
    ) -> Result<T, VeniceError> {
        let turn = self.pace.turn(now).map_err(|wait| VeniceError::Paused { failures: wait.failures, seconds: wait.seconds })?;
        let answered = self.exchange.fetch(call, limit_bytes).await;
        let outcome = answered.map_err(VeniceError::Call).and_then(|answer| self.accept(answer)).and_then(read);
        match &outcome {
            Ok(_) => turn.worked(),
            Err(VeniceError::Call(ClientError::Busy { retry_after_seconds })) => turn.wait(retry_after_seconds.unwrap_or(0)),
            Err(VeniceError::Call(error)) if error.is_temporary() => turn.went_unanswered(),
            Err(_) => turn.failed(),
        }
        outcome
    }

    /// The body of a good answer.
    fn accept(&self, answer: Answered) -> Result<Vec<u8>, VeniceError> {
        let Answered { status, retry_after_seconds, kind, body } = answer;
        match status {
            200..=299 => {
                kind?;
                Ok(body)
            }
            401 => Err(VeniceError::Key { sent: self.key.is_some() }),
            429 => Err(ClientError::Busy { retry_after_seconds }.into()),
            // A page in between answers with the same statuses but not with JSON.
            400 | 403 | 404 | 422 if kind.is_ok() => match ClipRefusal::read(&body) {
                Ok(refusal) => Err(VeniceError::Refused { status, refusal }),
                Err(_) => Err(ClientError::Failed { status }.into()),
            },
            _ => Err(ClientError::Failed { status }.into()),
        }
    }
}
