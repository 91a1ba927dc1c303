//! What was used: disjoint counts, and the way there from what a provider reports.

use crate::meter::{METERS, Meter};
use aispace_units::Exact;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap};
use std::fmt;

/// Most of any count in one run, in its smallest part: tokens, milliseconds, pixels.
pub const COUNT_MAX: u64 = 1_000_000_000_000_000;

/// What of a run was sent.
const PROMPT: [Meter; 6] = [
    Meter::InputTokens,
    Meter::CacheReadTokens,
    Meter::CacheWrite5mTokens,
    Meter::CacheWrite1hTokens,
    Meter::InputAudioTokens,
    Meter::InputImageTokens,
];

/// Why counts were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The parts of a total are more than the total.
    #[error("{parts} tokens of {total_name} are counted as parts, but only {total} in all")]
    PartAboveTotal {
        /// `input_tokens` or `output_tokens`.
        total_name: Meter,
        /// The total as reported.
        total: u64,
        /// The sum of its parts.
        parts: u64,
    },
    /// Not a count: negative, finer than the meter counts, or too large.
    #[error("{meter} cannot be {given:?}: a count from 0, with at most {} decimals", meter.places())]
    Count {
        /// The meter.
        meter: Meter,
        /// As given.
        given: String,
    },
}

/// Disjoint counts, one a meter, each in its smallest part: whole tokens, milliseconds, pixels.
#[derive(Debug, Clone)]
pub struct Usage {
    counts: [u64; METERS],
    // A bit for every count above 0.
    present: u32,
    // Every bit that is in some count, or was.
    any: u64,
}

impl Usage {
    /// Nothing used.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [0; METERS], present: 0, any: 0 }
    }

    /// The same with `count` smallest parts of a meter.
    #[must_use]
    pub fn with(mut self, meter: Meter, count: u64) -> Self {
        self.set(meter, count);
        self
    }

    /// Sets a meter's count, in its smallest parts.
    #[inline]
    pub fn set(&mut self, meter: Meter, count: u64) {
        if let Some(at) = self.counts.get_mut(meter.index()) {
            *at = count;
        }
        self.any |= count;
        self.present = if count > 0 { self.present | meter.bit() } else { self.present & !meter.bit() };
    }

    /// Sets a meter's count from a number in its own unit: `1.5` seconds.
    ///
    /// # Errors
    /// [`UsageError::Count`] where it is finer than the meter counts or above [`COUNT_MAX`].
    pub fn set_number(&mut self, meter: Meter, number: Exact) -> Result<(), UsageError> {
        let refused = || UsageError::Count { meter, given: number.to_string() };
        let parts = number.mul(Exact::from(10u64.saturating_pow(meter.places()))).map_err(|_| refused())?;
        let count = parts.to_whole().and_then(|whole| u64::try_from(whole).ok()).filter(|c| *c <= COUNT_MAX).ok_or_else(refused)?;
        self.set(meter, count);
        Ok(())
    }

    /// A meter's count, in its smallest parts.
    #[inline]
    #[must_use]
    pub fn get(&self, meter: Meter) -> u64 {
        self.counts.get(meter.index()).copied().unwrap_or(0)
    }

    /// All counts, in the order of [`Meter::ALL`].
    #[inline]
    pub(crate) fn counts(&self) -> &[u64; METERS] {
        &self.counts
    }

    /// Whether no sum of counts times 64-bit prices can need more than 128 bits: with at most 32 meters, counts below 2⁵⁹.
    #[inline]
    pub(crate) fn is_small(&self) -> bool {
        self.any >> 59 == 0
    }

    /// A meter's count in its own unit: seconds, megapixels.
    #[must_use]
    pub fn number(&self, meter: Meter) -> Exact {
        Exact::new(self.get(meter).into(), meter.places())
    }

    /// The counts above 0, in the order of [`Meter::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Meter, u64)> + '_ {
        Meter::ALL.iter().map(|m| (*m, self.get(*m))).filter(|(_, count)| *count > 0)
    }

    /// Whether nothing was used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }

    #[inline]
    pub(crate) fn present(&self) -> u32 {
        self.present
    }

    /// Whether every count is at most [`COUNT_MAX`].
    #[must_use]
    pub fn in_range(&self) -> bool {
        self.counts.iter().all(|c| *c <= COUNT_MAX)
    }

    /// All tokens sent, cached or not.
    #[inline]
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        PROMPT.iter().fold(0, |sum, meter| sum.saturating_add(self.get(*meter)))
    }

    /// Both usages together, saturating.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for (meter, count) in other.iter() {
            sum.set(meter, sum.get(meter).saturating_add(count));
        }
        sum
    }
}

impl PartialEq for Usage {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts
    }
}

impl Eq for Usage {}

impl std::hash::Hash for Usage {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.counts.hash(state);
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<(Meter, u64)> for Usage {
    fn from_iter<I: IntoIterator<Item = (Meter, u64)>>(counts: I) -> Self {
        counts.into_iter().fold(Self::new(), |usage, (meter, count)| usage.with(meter, count))
    }
}

crate::words::words! {
    /// What a provider's totals contain.
    Convention {
        /// The totals contain their parts: `prompt_tokens` the cached, audio and image tokens, `completion_tokens` the reasoning ones (OpenAI).
        Inclusive = "inclusive",
        /// Every count stands for itself: `input_tokens` without what was read from or written to a cache (Anthropic).
        Exclusive = "exclusive",
    }
}

/// Token counts as a provider reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TokenReport {
    /// Tokens sent.
    pub input: u64,
    /// Tokens answered.
    pub output: u64,
    /// Of the prompt: read from a cache.
    pub cache_read: u64,
    /// Of the prompt: written to a cache of five minutes.
    pub cache_write_5m: u64,
    /// Of the prompt: written to a cache of an hour.
    pub cache_write_1h: u64,
    /// Of the prompt: sound.
    pub input_audio: u64,
    /// Of the prompt: pictures.
    pub input_image: u64,
    /// Of the answer: sound.
    pub output_audio: u64,
    /// Of the answer: pictures.
    pub output_image: u64,
    /// Of the answer: thinking.
    pub reasoning: u64,
}

impl TokenReport {
    /// The disjoint counts.
    ///
    /// ```
    /// use aispace_pricing::{Convention, Meter, TokenReport};
    /// let report = TokenReport { input: 1_000, output: 200, cache_read: 400, ..TokenReport::default() };
    /// assert_eq!(report.usage(Convention::Inclusive)?.get(Meter::InputTokens), 600);
    /// assert_eq!(report.usage(Convention::Exclusive)?.get(Meter::InputTokens), 1_000);
    /// # Ok::<(), aispace_pricing::UsageError>(())
    /// ```
    ///
    /// # Errors
    /// [`UsageError::PartAboveTotal`] for inclusive totals that are smaller than their parts.
    pub fn usage(&self, convention: Convention) -> Result<Usage, UsageError> {
        let mut usage = Usage::new();
        self.write(convention, &mut usage)?;
        Ok(usage)
    }

    /// Sets the token meters of a usage that is used again; the others stay.
    ///
    /// # Errors
    /// As [`TokenReport::usage`]; the usage is then as it was.
    #[inline]
    pub fn write(&self, convention: Convention, usage: &mut Usage) -> Result<(), UsageError> {
        let (mut input, mut output) = (self.input, self.output);
        if convention == Convention::Inclusive {
            let parts = [self.cache_read, self.cache_write_5m, self.cache_write_1h, self.input_audio, self.input_image];
            input = without(Meter::InputTokens, input, &parts)?;
            output = without(Meter::OutputTokens, output, &[self.output_audio, self.output_image, self.reasoning])?;
        }
        usage.set(Meter::InputTokens, input);
        usage.set(Meter::OutputTokens, output);
        usage.set(Meter::CacheReadTokens, self.cache_read);
        usage.set(Meter::CacheWrite5mTokens, self.cache_write_5m);
        usage.set(Meter::CacheWrite1hTokens, self.cache_write_1h);
        usage.set(Meter::InputAudioTokens, self.input_audio);
        usage.set(Meter::InputImageTokens, self.input_image);
        usage.set(Meter::OutputAudioTokens, self.output_audio);
        usage.set(Meter::OutputImageTokens, self.output_image);
        usage.set(Meter::ReasoningTokens, self.reasoning);
        Ok(())
    }
}

#[inline]
fn without(total_name: Meter, total: u64, parts: &[u64]) -> Result<u64, UsageError> {
    let parts = parts.iter().fold(0u64, |sum, part| sum.saturating_add(*part));
    total.checked_sub(parts).ok_or(UsageError::PartAboveTotal { total_name, total, parts })
}

/// `{"input_tokens": 500, "video_seconds": "1.5"}`: whole counts as numbers, others as text.
impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        for (meter, _) in self.iter() {
            let number = self.number(meter);
            match number.to_whole().and_then(|whole| u64::try_from(whole).ok()) {
                Some(whole) => map.serialize_entry(meter.as_str(), &whole)?,
                None => map.serialize_entry(meter.as_str(), &number)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(UsageMap)
    }
}

struct UsageMap;

impl<'de> serde::de::Visitor<'de> for UsageMap {
    type Value = Usage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counts by meter, such as {\"input_tokens\": 500}")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Usage, A::Error> {
        let mut usage = Usage::new();
        let mut seen = 0u32;
        while let Some(meter) = map.next_key::<Meter>()? {
            if seen & meter.bit() != 0 {
                return Err(A::Error::custom(format!("{meter} is counted twice")));
            }
            seen |= meter.bit();
            let CountNumber(number) = map.next_value()?;
            usage.set_number(meter, number).map_err(A::Error::custom)?;
        }
        Ok(usage)
    }
}

/// A count as JSON writes it: a whole number, or a decimal in a string.
pub struct CountNumber(pub Exact);

impl<'de> Deserialize<'de> for CountNumber {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(CountVisitor).map(Self)
    }
}

struct CountVisitor;

impl serde::de::Visitor<'_> for CountVisitor {
    type Value = Exact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0, or a decimal in a string, such as \"1.5\"")
    }

    fn visit_u64<E: serde::de::Error>(self, whole: u64) -> Result<Exact, E> {
        Ok(Exact::from(whole))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Exact, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_above_their_total_are_refused() {
        let report = TokenReport { input: 100, cache_read: 60, input_audio: 41, ..TokenReport::default() };
        let error = report.usage(Convention::Inclusive).expect_err("101 of 100");
        assert_eq!(error, UsageError::PartAboveTotal { total_name: Meter::InputTokens, total: 100, parts: 101 });
        let report = TokenReport { output: 10, reasoning: u64::MAX, output_image: 5, ..TokenReport::default() };
        assert!(report.usage(Convention::Inclusive).is_err());
        assert!(report.usage(Convention::Exclusive).is_ok());
    }

    #[test]
    fn counts_are_read_in_their_own_unit() {
        let usage: Usage = serde_json::from_str(r#"{"video_seconds": "1.5", "megapixels": "1.048576", "images": 2}"#).expect("fits");
        assert_eq!((usage.get(Meter::VideoSeconds), usage.get(Meter::Megapixels), usage.get(Meter::Images)), (1_500, 1_048_576, 2));
        assert_eq!(serde_json::to_string(&usage).expect("writes"), r#"{"images":2,"megapixels":"1.048576","video_seconds":"1.5"}"#);
        for bad in [
            r#"{"images": 1.5}"#,
            r#"{"images": "1.5"}"#,
            r#"{"images": -1}"#,
            r#"{"video_seconds": "0.0001"}"#,
            r#"{"images": 1, "images": 1}"#,
            r#"{"pictures": 1}"#,
            r#"{"images": 1000000000000001}"#,
        ] {
            assert!(serde_json::from_str::<Usage>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_prompt_is_everything_sent() {
        let usage: Usage =
            [(Meter::InputTokens, 1), (Meter::CacheReadTokens, 10), (Meter::InputImageTokens, 100), (Meter::OutputTokens, 1_000)]
                .into_iter()
                .collect();
        assert_eq!(usage.prompt_tokens(), 111);
        assert_eq!(usage.plus(&usage).prompt_tokens(), 222);
        assert_eq!(PROMPT.to_vec(), Meter::ALL.iter().copied().filter(|meter| meter.is_prompt()).collect::<Vec<_>>());
    }
}
