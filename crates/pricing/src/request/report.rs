//! Token counts as providers report them, and the disjoint counts they mean.

use super::{Code, Count, Refusal, count::End};
use crate::{Convention, Meter, TokenReport, Usage};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Token counts with their convention said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What the totals contain.
    pub convention: Convention,
    /// Tokens sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Count>,
    /// Tokens answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Count>,
    /// Of the prompt: read from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Count>,
    /// Of the prompt: written to a cache of five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<Count>,
    /// Of the prompt: written to a cache of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<Count>,
    /// Of the prompt: sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<Count>,
    /// Of the prompt: pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_image: Option<Count>,
    /// Of the answer: sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<Count>,
    /// Of the answer: pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_image: Option<Count>,
    /// Of the answer: thinking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Count>,
}

impl Tokens {
    /// Counts of a convention, none of them said yet.
    #[must_use]
    pub fn new(convention: Convention) -> Self {
        Self {
            convention,
            input: None,
            output: None,
            cache_read: None,
            cache_write_5m: None,
            cache_write_1h: None,
            input_audio: None,
            input_image: None,
            output_audio: None,
            output_image: None,
            reasoning: None,
        }
    }

    fn fields(&self) -> [(&'static str, Option<Count>); 10] {
        [
            ("input", self.input),
            ("output", self.output),
            ("cache_read", self.cache_read),
            ("cache_write_5m", self.cache_write_5m),
            ("cache_write_1h", self.cache_write_1h),
            ("input_audio", self.input_audio),
            ("input_image", self.input_image),
            ("output_audio", self.output_audio),
            ("output_image", self.output_image),
            ("reasoning", self.reasoning),
        ]
    }

    pub(super) fn is_exact(&self) -> bool {
        self.fields().iter().all(|(_, count)| count.is_none_or(Count::is_exact))
    }

    /// The disjoint counts at one end of what is known.
    pub(super) fn usage(&self, end: End) -> Result<Usage, Refusal> {
        let whole = |(name, count): (&str, Option<Count>)| count.map_or(Ok(0), |count| count.whole(name, end));
        let [input, output, cache_read, cache_write_5m, cache_write_1h, input_audio, input_image, output_audio, output_image, reasoning] =
            self.fields().map(whole);
        let report = TokenReport {
            input: input?,
            output: output?,
            cache_read: cache_read?,
            cache_write_5m: cache_write_5m?,
            cache_write_1h: cache_write_1h?,
            input_audio: input_audio?,
            input_image: input_image?,
            output_audio: output_audio?,
            output_image: output_image?,
            reasoning: reasoning?,
        };
        Ok(report.usage(self.convention)?)
    }
}

/// A whole count of a provider's usage object; what is missing or null is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Reported(Option<u64>);

impl Reported {
    /// A count that was reported.
    #[must_use]
    pub fn new(count: u64) -> Self {
        Self(Some(count))
    }

    /// The count, 0 where none was reported.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.unwrap_or(0)
    }

    fn is_none(&self) -> bool {
        self.0.is_none()
    }

    fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

impl<'de> Deserialize<'de> for Reported {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(ReportedVisitor)
    }
}

struct ReportedVisitor;

impl serde::de::Visitor<'_> for ReportedVisitor {
    type Value = Reported;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0")
    }

    fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<Reported, E> {
        if count <= crate::COUNT_MAX { Ok(Reported::new(count)) } else { Err(E::custom(format!("{count} is more than can be counted"))) }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Reported, E> {
        Ok(Reported(None))
    }
}

/// The `usage` object of an OpenAI-compatible answer. Its totals contain their parts. Fields that are not listed are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OpenAiUsage {
    /// Tokens sent.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub prompt_tokens: Reported,
    /// The same, as newer answers call it; read where `prompt_tokens` is missing.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub input_tokens: Reported,
    /// Tokens answered.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub completion_tokens: Reported,
    /// The same, as newer answers call it; read where `completion_tokens` is missing.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub output_tokens: Reported,
    /// Parts of what was sent.
    #[serde(default, alias = "input_tokens_details", skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<PromptDetails>,
    /// Parts of what was answered.
    #[serde(default, alias = "output_tokens_details", skip_serializing_if = "Option::is_none")]
    pub completion_tokens_details: Option<CompletionDetails>,
}

/// Parts of `prompt_tokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PromptDetails {
    /// Read from a cache.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub cached_tokens: Reported,
    /// Written to a cache; taken as one of five minutes.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub cache_creation_input_tokens: Reported,
    /// Sound.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub audio_tokens: Reported,
    /// Pictures.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub image_tokens: Reported,
}

/// Parts of `completion_tokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CompletionDetails {
    /// Thinking.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub reasoning_tokens: Reported,
    /// Sound.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub audio_tokens: Reported,
    /// Pictures.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub image_tokens: Reported,
}

impl OpenAiUsage {
    pub(super) fn usage(&self) -> Result<Usage, Refusal> {
        let input = self.prompt_tokens.or(self.input_tokens);
        if input.is_none() {
            return Err(Refusal::bad_request("openai_usage has no prompt_tokens"));
        }
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let completion = self.completion_tokens_details.unwrap_or_default();
        let report = TokenReport {
            input: input.get(),
            output: self.completion_tokens.or(self.output_tokens).get(),
            cache_read: prompt.cached_tokens.get(),
            cache_write_5m: prompt.cache_creation_input_tokens.get(),
            cache_write_1h: 0,
            input_audio: prompt.audio_tokens.get(),
            input_image: prompt.image_tokens.get(),
            output_audio: completion.audio_tokens.get(),
            output_image: completion.image_tokens.get(),
            reasoning: completion.reasoning_tokens.get(),
        };
        Ok(report.usage(Convention::Inclusive)?)
    }
}

/// The `usage` object of an Anthropic-compatible answer. Every count stands for itself. Fields that are not listed are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnthropicUsage {
    /// Tokens sent, without those of the cache.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub input_tokens: Reported,
    /// Tokens answered.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub output_tokens: Reported,
    /// Read from the cache.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub cache_read_input_tokens: Reported,
    /// Written to the cache, whatever its lifetime.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub cache_creation_input_tokens: Reported,
    /// The same by lifetime. What the total has beside them is taken as five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_creation: Option<CacheCreation>,
    /// Tools that ran at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_tool_use: Option<ServerToolUse>,
}

/// Tokens written to the cache, by its lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CacheCreation {
    /// Five minutes.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub ephemeral_5m_input_tokens: Reported,
    /// An hour.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub ephemeral_1h_input_tokens: Reported,
}

/// Tools that ran at the provider, billed beside the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerToolUse {
    /// Web searches.
    #[serde(default, skip_serializing_if = "Reported::is_none")]
    pub web_search_requests: Reported,
}

impl AnthropicUsage {
    pub(super) fn usage(&self) -> Result<Usage, Refusal> {
        if self.input_tokens.is_none() {
            return Err(Refusal::bad_request("anthropic_usage has no input_tokens"));
        }
        let by_lifetime = self.cache_creation.unwrap_or_default();
        let (five_minutes, hour) = (by_lifetime.ephemeral_5m_input_tokens.get(), by_lifetime.ephemeral_1h_input_tokens.get());
        let parts = five_minutes.saturating_add(hour);
        let written = self.cache_creation_input_tokens.or(Reported::new(parts)).get();
        let unnamed = written.checked_sub(parts).ok_or_else(|| {
            let words = format!("{parts} tokens are counted as parts of cache_creation_input_tokens, but only {written} in all");
            Refusal::new(Code::Usage, words).with("total", written).with("parts", parts)
        })?;
        let report = TokenReport {
            input: self.input_tokens.get(),
            output: self.output_tokens.get(),
            cache_read: self.cache_read_input_tokens.get(),
            cache_write_5m: five_minutes.saturating_add(unnamed),
            cache_write_1h: hour,
            ..TokenReport::default()
        };
        let searches = self.server_tool_use.map_or(0, |tools| tools.web_search_requests.get());
        Ok(report.usage(Convention::Exclusive)?.with(Meter::WebSearches, searches))
    }
}
