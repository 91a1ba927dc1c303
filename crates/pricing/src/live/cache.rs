//! Live quotes that are kept, each with the instant at which it was asked.

use super::{ClipQuery, ObservedQuote, QuoteOrigin, is_believable};
use aispace_units::Exact;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The one format of a cache file that is read.
pub const QUOTE_CACHE_FORMAT: &str = "aispace-quote-cache/1";
/// Most quotes that are kept; the oldest go first.
pub const QUOTES_MAX: usize = 10_000;
/// Largest cache file that is read, in bytes.
pub const QUOTE_CACHE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest text of an entry, in bytes.
const TEXT_BYTES_MAX: usize = 300;

/// Why a cache file was refused. It is taken whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteCacheError {
    /// Not the JSON of a cache.
    #[error("not a cache of quotes: {reason}")]
    Syntax {
        /// What the reader says, with the line.
        reason: String,
    },
    /// Another format, or another version of it.
    #[error("the cache's format is {given:?}, not {QUOTE_CACHE_FORMAT:?}")]
    Format {
        /// As the file says.
        given: String,
    },
    /// An entry that no answer can have led to.
    #[error("the cached quote of {model} is no price of a clip: {usd} USD")]
    Amount {
        /// The model.
        model: String,
        /// As the file says.
        usd: Exact,
    },
}

/// The newest quote of each clip that was asked for. Only quotes are kept: no refusal and no failure is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuoteCache {
    quotes: BTreeMap<ClipQuery, Kept>,
    // The same by age, so that the oldest is found.
    ages: BTreeSet<(DateTime<Utc>, ClipQuery)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    usd: Exact,
    asked_at: DateTime<Utc>,
    source: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheFile {
    format: String,
    quotes: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    clip: ClipQuery,
    usd: Exact,
    asked_at: DateTime<Utc>,
    source: String,
}

#[derive(Deserialize)]
struct Header {
    format: String,
}

fn texts_fit(clip: &ClipQuery, source: &String) -> bool {
    let texts = [Some(&clip.model), Some(&clip.duration), clip.resolution.as_ref(), clip.aspect_ratio.as_ref(), Some(source)];
    texts.into_iter().flatten().all(|text| text.len() <= TEXT_BYTES_MAX)
}

impl QuoteCache {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many clips it has a quote of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.quotes.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.quotes.is_empty()
    }

    /// Keeps a quote, unless a newer one of the same clip is kept. Above [`QUOTES_MAX`] the oldest goes.
    pub fn keep(&mut self, quote: &ObservedQuote) {
        let fits = is_believable(quote.usd) && texts_fit(&quote.query, &quote.source);
        if !fits || self.quotes.get(&quote.query).is_some_and(|kept| kept.asked_at > quote.asked_at) {
            return;
        }
        let kept = Kept { usd: quote.usd, asked_at: quote.asked_at, source: quote.source.clone() };
        if let Some(before) = self.quotes.insert(quote.query.clone(), kept) {
            self.ages.remove(&(before.asked_at, quote.query.clone()));
        }
        self.ages.insert((quote.asked_at, quote.query.clone()));
        if self.quotes.len() > QUOTES_MAX
            && let Some((_, oldest)) = self.ages.pop_first()
        {
            self.quotes.remove(&oldest);
        }
    }

    /// The quote of a clip, with the instant at which it was asked.
    #[must_use]
    pub fn find(&self, query: &ClipQuery) -> Option<ObservedQuote> {
        let Kept { usd, asked_at, source } = self.quotes.get(query)?.clone();
        Some(ObservedQuote { query: query.clone(), usd, asked_at, source, origin: QuoteOrigin::Cached })
    }

    /// Reads a cache file.
    ///
    /// # Errors
    /// Any [`QuoteCacheError`].
    pub fn from_json(text: &str) -> Result<Self, QuoteCacheError> {
        let syntax = |reason: String| QuoteCacheError::Syntax { reason };
        if text.len() > QUOTE_CACHE_BYTES_MAX {
            return Err(syntax(format!("larger than {QUOTE_CACHE_BYTES_MAX} bytes")));
        }
        let header: Header = serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?;
        if header.format != QUOTE_CACHE_FORMAT {
            return Err(QuoteCacheError::Format { given: header.format.chars().take(60).collect() });
        }
        let file: CacheFile = serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?;
        let mut cache = Self::new();
        for Entry { clip, usd, asked_at, source } in file.quotes {
            if !texts_fit(&clip, &source) {
                return Err(syntax(format!("a text of more than {TEXT_BYTES_MAX} bytes")));
            }
            if !is_believable(usd) {
                return Err(QuoteCacheError::Amount { model: clip.model, usd });
            }
            cache.keep(&ObservedQuote { query: clip, usd, asked_at, source, origin: QuoteOrigin::Cached });
        }
        Ok(cache)
    }

    /// The cache as its file writes it: one entry a clip, in order.
    #[must_use]
    pub fn to_json(&self) -> String {
        let entry = |(clip, kept): (&ClipQuery, &Kept)| Entry {
            clip: clip.clone(),
            usd: kept.usd,
            asked_at: kept.asked_at,
            source: kept.source.clone(),
        };
        let file = CacheFile { format: QUOTE_CACHE_FORMAT.to_owned(), quotes: self.quotes.iter().map(entry).collect() };
        // Text, numbers and instants in text keys: none of them can fail to be written.
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }
}
