//! What is to be priced, and on whose terms.

use crate::{
    AUDIO, Meter, RESOLUTION, Switch, Usage,
    card::{BaseRun, Model},
    words::{grouped, words},
};
use aispace_units::Exact;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Most runs that one quote may be asked for.
pub const RUNS_MAX: u32 = 1_000_000;

words! {
    /// Kinds of work.
    Kind {
        /// Tokens in, tokens out.
        Chat = "chat",
        /// Pictures.
        Image = "image",
        /// Clips, by seconds, resolution and sound.
        Video = "video",
        /// Speech, transcription and music.
        Audio = "audio",
        /// Tokens in.
        Embedding = "embedding",
        /// Web search and scraping per call.
        Search = "search",
        /// Any other call of an API.
        Call = "call",
    }
}

words! {
    /// Parameters of a clip that can be chosen.
    ParameterName {
        /// How long it is.
        Seconds = "seconds",
        /// How fine it is.
        Resolution = "resolution",
        /// Whether it has sound: `on` or `off`.
        Audio = "audio",
    }
}

/// A model, what each run uses and chooses, and how many runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Id, alias or name in the card.
    pub model_id: String,
    /// What one run uses.
    pub usage: Usage,
    /// What it chooses: `resolution`, `audio` (`on`, `off`), `quality` …
    pub options: BTreeMap<String, String>,
    /// The service tier it asks for.
    pub tier: Option<String>,
    /// Fields of the request that a factor may follow from.
    pub fields: BTreeMap<String, String>,
    /// Charges beside the meters, already in the unit of account.
    pub extras: Vec<Extra>,
    /// How many such runs; 1 to [`RUNS_MAX`].
    pub runs: u32,
}

/// A charge beside the meters, as a run's report states it: a tool fee, an agent's step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Extra {
    /// What it is for.
    pub name: String,
    /// In the unit of account.
    pub amount: Exact,
}

/// When a run is made, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The instant whose prices hold; needed only where a card's rates depend on it.
    pub at: Option<DateTime<Utc>>,
    /// Through which channel (group).
    pub channel: Discount,
    /// By which level of user.
    pub user: Discount,
}

impl Terms {
    /// The card's own defaults at an instant.
    #[must_use]
    pub fn at(at: DateTime<Utc>) -> Self {
        Self { at: Some(at), ..Self::default() }
    }
}

/// Which factor of a card's list applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Discount {
    /// The card's default; 1 where it has none.
    #[default]
    Default,
    /// The one of this id.
    Named(String),
    /// The level that this much recharged in all, in US dollars, has reached. Only users have it.
    Recharged(Exact),
    /// This factor, whatever the card says.
    Given(Exact),
}

impl Run {
    /// One run of a model, with nothing chosen.
    #[must_use]
    pub fn new(model_id: impl Into<String>, usage: Usage) -> Self {
        let (options, fields) = (BTreeMap::new(), BTreeMap::new());
        Self { model_id: model_id.into(), usage, options, tier: None, fields, extras: Vec::new(), runs: 1 }
    }

    /// One conversation turn.
    #[must_use]
    pub fn chat(model_id: impl Into<String>, input_tokens: u64, output_tokens: u64) -> Self {
        Self::new(model_id, Usage::new().with(Meter::InputTokens, input_tokens).with(Meter::OutputTokens, output_tokens))
    }

    /// One clip; what is left out is the model's own.
    #[must_use]
    pub fn clip(model_id: impl Into<String>, seconds: u32, resolution: Option<&str>, audio: Option<bool>) -> Self {
        let mut run = Self::new(model_id, Usage::new().with(Meter::VideoSeconds, u64::from(seconds).saturating_mul(1_000)));
        run.options.extend(resolution.map(|r| (RESOLUTION.to_owned(), r.to_owned())));
        run.options.extend(audio.map(|on| (AUDIO.to_owned(), Switch::from_bool(on).as_str().to_owned())));
        run
    }

    /// A model's base run.
    #[must_use]
    pub fn base(model: &Model) -> Self {
        let BaseRun { usage, options, tier } = model.base.clone();
        Self { options, tier, ..Self::new(model.id.clone(), usage) }
    }

    /// The same, so many times.
    #[must_use]
    pub fn times(mut self, runs: u32) -> Self {
        self.runs = runs;
        self
    }

    /// What all runs use, as a usage log writes it: only what is above 0 or chosen, counts as decimal text.
    #[must_use]
    pub fn meters(&self) -> BTreeMap<String, String> {
        let mut meters = BTreeMap::new();
        for (meter, count) in self.usage.iter() {
            let name = if meter == Meter::VideoSeconds { "seconds" } else { meter.as_str() };
            let all = Exact::new(u128::from(count).saturating_mul(self.runs.into()), meter.places());
            meters.insert(name.to_owned(), all.to_string());
        }
        meters.extend(self.options.iter().filter(|(name, value)| *name != AUDIO || *value == "on").map(|(n, v)| (n.clone(), v.clone())));
        meters
    }

    /// For people: `500 in, 200 out`, `4 s, 720p, sound`, `1 image`.
    #[must_use]
    pub fn describe(&self) -> String {
        describe(&self.usage, &self.options)
    }
}

/// What one run is, for people.
pub(crate) fn describe(usage: &Usage, options: &BTreeMap<String, String>) -> String {
    let mut parts: Vec<String> = usage.iter().map(|(meter, _)| counted(meter, usage.number(meter))).collect();
    for (name, value) in options {
        match (name.as_str(), value.as_str()) {
            (AUDIO, "on") => parts.push("sound".to_owned()),
            (AUDIO, _) => {}
            (RESOLUTION, resolution) => parts.push(resolution.to_owned()),
            (name, value) => parts.push(format!("{name} {value}")),
        }
    }
    // Resolution before sound, as people say it.
    if let Some(sound) = parts.iter().position(|p| p == "sound") {
        let word = parts.remove(sound);
        parts.push(word);
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

fn counted(meter: Meter, number: Exact) -> String {
    let n = grouped(&number.to_string());
    let plural = |one: &str, many: &str| format!("{n} {}", if number == Exact::ONE { one } else { many });
    match meter {
        Meter::InputTokens => format!("{n} in"),
        Meter::OutputTokens => format!("{n} out"),
        Meter::CacheReadTokens => format!("{n} from cache"),
        Meter::CacheWrite5mTokens => format!("{n} to cache (5 min)"),
        Meter::CacheWrite1hTokens => format!("{n} to cache (1 h)"),
        Meter::InputAudioTokens => format!("{n} audio in"),
        Meter::OutputAudioTokens => format!("{n} audio out"),
        Meter::InputImageTokens => format!("{n} image in"),
        Meter::OutputImageTokens => format!("{n} image out"),
        Meter::ReasoningTokens => format!("{n} reasoning"),
        Meter::Requests => plural("request", "requests"),
        Meter::Calls => plural("call", "calls"),
        Meter::ToolCalls => plural("tool call", "tool calls"),
        Meter::WebSearches => plural("search", "searches"),
        Meter::WebScrapes => plural("scrape", "scrapes"),
        Meter::Images => plural("image", "images"),
        Meter::InputImages => plural("image sent", "images sent"),
        Meter::Megapixels => format!("{n} MP"),
        Meter::Characters => plural("character", "characters"),
        Meter::AudioSeconds | Meter::VideoSeconds => format!("{n} s"),
        Meter::Generations => plural("generation", "generations"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_as_people_say_it() {
        let mut chat = Run::chat("m", 1_240, 200);
        chat.usage.set(Meter::WebSearches, 1);
        chat.usage.set(Meter::WebScrapes, 3);
        assert_eq!(chat.describe(), "1,240 in, 200 out, 1 search, 3 scrapes");
        assert_eq!(Run::clip("m", 4, Some("720p"), Some(true)).describe(), "4 s, 720p, sound");
        assert_eq!(Run::clip("m", 4, None, Some(false)).describe(), "4 s");
        assert_eq!(Run::new("m", Usage::new().with(Meter::Characters, 1_000_000)).describe(), "1,000,000 characters");
        assert_eq!(Run::new("m", Usage::new().with(Meter::Calls, 1)).describe(), "1 call");
        assert_eq!(Run::new("m", Usage::new().with(Meter::Megapixels, 1_500_000)).describe(), "1.5 MP");
        assert_eq!(Run::new("m", Usage::new()).describe(), "nothing");
    }

    #[test]
    fn a_log_keeps_what_all_runs_used() {
        let meters = Run::clip("m", 4, Some("720p"), Some(true)).times(3).meters();
        let pairs: Vec<(&str, &str)> = meters.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("audio", "on"), ("resolution", "720p"), ("seconds", "12")]);
        assert!(!Run::clip("m", 4, None, Some(false)).meters().contains_key("audio"));
    }
}
