//! What is counted, in what it is priced, and per how many.

use aispace_units::CreditOwner;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// The word that files and views use.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// A thing that is counted. Token meters are disjoint: nothing is counted under two of them.
    Meter {
        /// Tokens sent, those counted below left out.
        InputTokens = "input_tokens",
        /// Tokens answered, those counted below left out.
        OutputTokens = "output_tokens",
        /// Tokens sent and found in the cache.
        CacheReadTokens = "cache_read_tokens",
        /// Tokens written to a cache that lives five minutes.
        CacheWrite5mTokens = "cache_write_5m_tokens",
        /// Tokens written to a cache that lives an hour.
        CacheWrite1hTokens = "cache_write_1h_tokens",
        /// Tokens of sound sent.
        InputAudioTokens = "input_audio_tokens",
        /// Tokens of sound answered.
        OutputAudioTokens = "output_audio_tokens",
        /// Tokens of pictures sent.
        InputImageTokens = "input_image_tokens",
        /// Tokens of pictures answered.
        OutputImageTokens = "output_image_tokens",
        /// Tokens of thinking.
        ReasoningTokens = "reasoning_tokens",
        /// Requests, whatever is in them.
        Requests = "requests",
        /// Successful calls of an API.
        Calls = "calls",
        /// Web searches.
        WebSearches = "web_searches",
        /// Scraping calls.
        WebScrapes = "web_scrapes",
        /// Pictures.
        Images = "images",
        /// Millions of pixels.
        Megapixels = "megapixels",
        /// Characters spoken.
        Characters = "characters",
        /// Seconds of a clip.
        VideoSeconds = "video_seconds",
        /// Clips of one price, whatever is in them.
        VideoGeneration = "video_generation",
    }
}

words! {
    /// What a price is counted per.
    Denominator {
        /// One.
        One = "1",
        /// A thousand.
        Thousand = "1k",
        /// Ten thousand.
        TenThousand = "10k",
        /// A million.
        Million = "1M",
    }
}

impl Denominator {
    /// Per how many.
    #[must_use]
    pub fn count(self) -> u64 {
        match self {
            Self::One => 1,
            Self::Thousand => 1_000,
            Self::TenThousand => 10_000,
            Self::Million => 1_000_000,
        }
    }

    /// How many places the decimal point moves.
    #[must_use]
    pub fn places(self) -> u32 {
        match self {
            Self::One => 0,
            Self::Thousand => 3,
            Self::TenThousand => 4,
            Self::Million => 6,
        }
    }
}

words! {
    /// What a card prices a rate in.
    RateUnit {
        /// Credits of the card's owner.
        Credits = "credits",
        /// US dollars.
        Usd = "usd",
    }
}

/// What an amount of a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Credits, and whose.
    Credits(CreditOwner),
    /// US dollars.
    Usd,
}

impl Unit {
    /// `credits` or `usd`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credits(_) => RateUnit::Credits.as_str(),
            Self::Usd => RateUnit::Usd.as_str(),
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

/// What a line of an explanation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineMeter {
    /// A count times a rate.
    Metered(Meter),
    /// Dollars rounded to whole cents.
    ToCents,
    /// Dollars turned into the owner's credits.
    ToCredits,
    /// One run's cost times the runs.
    Runs,
}

impl LineMeter {
    /// The word that views use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metered(meter) => meter.as_str(),
            Self::ToCents => "to_cents",
            Self::ToCredits => "to_credits",
            Self::Runs => "runs",
        }
    }
}

impl Serialize for LineMeter {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
