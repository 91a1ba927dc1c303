//! What is counted, in what it is priced, and per how many.

use crate::words::words;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

words! {
    /// A thing that is counted. Meters are disjoint: nothing is counted under two of them.
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
        /// Invocations of tools and functions that are charged apart.
        ToolCalls = "tool_calls",
        /// Web searches.
        WebSearches = "web_searches",
        /// Scraping calls.
        WebScrapes = "web_scrapes",
        /// Pictures made.
        Images = "images",
        /// Pictures sent.
        InputImages = "input_images",
        /// Millions of pixels, counted in pixels.
        Megapixels = "megapixels",
        /// Characters spoken.
        Characters = "characters",
        /// Seconds of sound, counted in milliseconds.
        AudioSeconds = "audio_seconds",
        /// Seconds of a clip, counted in milliseconds.
        VideoSeconds = "video_seconds",
        /// Results of one price, whatever is in them.
        Generations = "generations",
    }
}

/// How many meters there are.
pub(crate) const METERS: usize = Meter::ALL.len();

impl Meter {
    /// Its place in [`Meter::ALL`].
    #[must_use]
    #[allow(clippy::as_conversions, reason = "an enum without fields has no other way to its place")]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its bit in a set of meters.
    #[must_use]
    #[allow(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "fewer than 32 meters, which a test holds")]
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// How many decimals its count has: 3 for seconds, 6 for megapixels, else none.
    #[must_use]
    pub const fn places(self) -> u32 {
        match self {
            Self::AudioSeconds | Self::VideoSeconds => 3,
            Self::Megapixels => 6,
            Self::InputTokens
            | Self::OutputTokens
            | Self::CacheReadTokens
            | Self::CacheWrite5mTokens
            | Self::CacheWrite1hTokens
            | Self::InputAudioTokens
            | Self::OutputAudioTokens
            | Self::InputImageTokens
            | Self::OutputImageTokens
            | Self::ReasoningTokens
            | Self::Requests
            | Self::Calls
            | Self::ToolCalls
            | Self::WebSearches
            | Self::WebScrapes
            | Self::Images
            | Self::InputImages
            | Self::Characters
            | Self::Generations => 0,
        }
    }

    /// What it is a part of: a part without a rate of its own is billed as this.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::CacheReadTokens
            | Self::CacheWrite5mTokens
            | Self::CacheWrite1hTokens
            | Self::InputAudioTokens
            | Self::InputImageTokens => Some(Self::InputTokens),
            Self::OutputAudioTokens | Self::OutputImageTokens | Self::ReasoningTokens => Some(Self::OutputTokens),
            Self::InputTokens
            | Self::OutputTokens
            | Self::Requests
            | Self::Calls
            | Self::ToolCalls
            | Self::WebSearches
            | Self::WebScrapes
            | Self::Images
            | Self::InputImages
            | Self::Megapixels
            | Self::Characters
            | Self::AudioSeconds
            | Self::VideoSeconds
            | Self::Generations => None,
        }
    }

    /// Whether it counts tokens that are sent: the prompt.
    #[must_use]
    pub fn is_prompt(self) -> bool {
        self == Self::InputTokens || self.parent() == Some(Self::InputTokens)
    }
}

/// What a price is counted per: a power of ten, 1 to a billion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Denominator {
    places: u32,
}

const DENOMINATORS: [&str; 10] = ["1", "10", "100", "1k", "10k", "100k", "1M", "10M", "100M", "1B"];

impl Denominator {
    /// One.
    pub const ONE: Self = Self { places: 0 };
    /// A thousand.
    pub const THOUSAND: Self = Self { places: 3 };
    /// A million.
    pub const MILLION: Self = Self { places: 6 };

    /// Per how many.
    #[must_use]
    pub fn count(self) -> u64 {
        10u64.saturating_pow(self.places)
    }

    /// How many places the decimal point moves.
    #[must_use]
    pub fn places(self) -> u32 {
        self.places
    }

    /// The word that files use: `1`, `1k`, `1M`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        usize::try_from(self.places).ok().and_then(|at| DENOMINATORS.get(at)).copied().unwrap_or("1")
    }
}

impl fmt::Display for Denominator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Denominator {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let places = DENOMINATORS.iter().zip(0u32..).find(|(known, _)| **known == word).map(|(_, places)| places);
        places.map(|places| Self { places }).ok_or_else(|| format!("{word:?} is not one of {}", DENOMINATORS.join(", ")))
    }
}

impl Serialize for Denominator {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

struct DenominatorWord;

impl serde::de::Visitor<'_> for DenominatorWord {
    type Value = Denominator;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", DENOMINATORS.join(", "))
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Denominator, E> {
        word.parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Denominator {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(DenominatorWord).map_err(D::Error::custom)
    }
}

words! {
    /// What a card prices a rate in.
    RateUnit {
        /// The card's unit of account.
        Credits = "credits",
        /// US dollars.
        Usd = "usd",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meter_has_a_place_and_a_bit() {
        const { assert!(METERS < 32) };
        for (at, meter) in Meter::ALL.iter().enumerate() {
            assert_eq!(meter.index(), at);
            assert_eq!(meter.bit().trailing_zeros() as usize, at);
            assert_eq!(meter.as_str().parse(), Ok(*meter));
        }
    }

    #[test]
    fn denominators_are_powers_of_ten() {
        assert_eq!("1M".parse::<Denominator>().map(Denominator::count), Ok(1_000_000));
        assert_eq!("1B".parse::<Denominator>().map(Denominator::count), Ok(1_000_000_000));
        for word in DENOMINATORS {
            assert_eq!(word.parse::<Denominator>().expect("known").as_str(), word);
        }
        assert!("7".parse::<Denominator>().is_err());
    }
}
