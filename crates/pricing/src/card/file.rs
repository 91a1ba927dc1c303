//! What stands in a card's file, field by field; see `docs/rate-card.md`.

use super::{
    factor::{Channels, FieldFactor, Users},
    rate::Rate,
};
use crate::{Kind, Meter, Usage, words::words};
use aispace_units::{Exact, Rounding};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A card as its file writes it. [`crate::RateCard::new`] proves that it holds together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardFile {
    /// [`crate::FORMAT`].
    pub format: String,
    /// For programs: `aispace`.
    pub id: String,
    /// For people.
    pub name: String,
    /// The day as of which its prices hold.
    pub date: NaiveDate,
    /// How that day is known, where the source does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_note: Option<String>,
    /// What a person should know about the whole card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The unit of account, in which totals are.
    pub unit: Currency,
    /// Further currencies that totals are shown in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Currency>,
    /// How a cost is rounded, once, when it is posted.
    pub posting: Posting,
    /// What is held before a run.
    #[serde(default, skip_serializing_if = "HoldRule::is_default")]
    pub hold: HoldRule,
    /// Meters whose charge is rounded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounding: Vec<MeterRounding>,
    /// The channel (group) factors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// The user factors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
    /// Factors that follow from a field of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFactor>,
    /// Meters that every model may be charged for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_ons: Vec<AddOn>,
    /// In the order of the price list.
    pub models: Vec<Model>,
}

/// A unit that amounts are in, and how many of it one US dollar is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// For programs: `aispace`, `usd`, `cny`.
    pub code: String,
    /// For people: `AiSpace credits`.
    pub name: String,
    /// How many of it one US dollar is; above 0.
    pub per_usd: Exact,
}

impl Currency {
    /// US dollars.
    #[must_use]
    pub fn usd() -> Self {
        Self { code: "usd".to_owned(), name: "US dollars".to_owned(), per_usd: Exact::ONE }
    }

    /// Whether it is the US dollar itself.
    #[must_use]
    pub fn is_usd(&self) -> bool {
        self.code == "usd"
    }
}

/// How a cost is rounded when it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// The named rule.
    pub rule: Rounding,
    /// Decimals of the unit of account that stay; it or `step` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u32>,
    /// The smallest amount that is posted, of which a posted cost is a multiple.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Exact>,
    /// The least that a cost above zero is posted as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Exact>,
}

/// What is held before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case", try_from = "HoldFile")]
pub enum HoldRule {
    /// The dearest the run can get.
    #[default]
    High,
    /// The likely cost.
    Likely,
    /// So much, whatever the run; the settlement may be above it.
    Fixed {
        /// In the unit of account.
        amount: Exact,
    },
}

impl HoldRule {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A hold as a file writes it. The derived reader of a tagged enum takes any field beside a tag that has none of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldFile {
    basis: HoldBasis,
    #[serde(default)]
    amount: Option<Exact>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum HoldBasis {
    High,
    Likely,
    Fixed,
}

impl TryFrom<HoldFile> for HoldRule {
    type Error = &'static str;

    fn try_from(file: HoldFile) -> Result<Self, Self::Error> {
        match (file.basis, file.amount) {
            (HoldBasis::High, None) => Ok(Self::High),
            (HoldBasis::Likely, None) => Ok(Self::Likely),
            (HoldBasis::Fixed, Some(amount)) => Ok(Self::Fixed { amount }),
            (HoldBasis::High | HoldBasis::Likely, Some(_)) => Err("only a fixed hold has an amount"),
            (HoldBasis::Fixed, None) => Err("a fixed hold has an amount"),
        }
    }
}

/// A meter whose charge is rounded in its rate's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterRounding {
    /// Which one.
    pub meter: Meter,
    /// The named rule.
    pub rule: Rounding,
    /// Decimals that stay.
    pub decimals: u32,
}

/// A meter that a model without a rate for it is charged for at another model's rate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddOn {
    /// Which one.
    pub meter: Meter,
    /// Only for models of this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whose rate it is.
    pub rates_of: String,
}

/// One thing that can be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Unique in its card.
    pub id: String,
    /// For people.
    pub name: String,
    /// As the price list prints it, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed_name: Option<String>,
    /// Other ids it answers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Which kind of work it does.
    pub kind: Kind,
    /// The family that add-ons ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// How much it can take.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// The run that lists show a price for.
    pub base: BaseRun,
    /// What a run may choose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, OptionValues>,
    /// The only channels that serve it; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// What its clips may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoRules>,
    /// Its prices.
    pub rates: Vec<Rate>,
    /// The day its provider brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<NaiveDate>,
    /// The day its provider took it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<NaiveDate>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How much a model can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Tokens of prompt and answer together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// Tokens of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
}

impl Limits {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The run that lists show a price for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseRun {
    /// Its counts.
    pub usage: Usage,
    /// Its options.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Its service tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
}

/// What an option may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionValues {
    /// In the order they are shown.
    pub allowed: Vec<String>,
    /// What it is when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

words! {
    /// A word about a model.
    Capability {
        /// Calls functions.
        FunctionCalling = "function_calling",
        /// Sees pictures.
        Vision = "vision",
        /// Thinks before it answers.
        Reasoning = "reasoning",
        /// Is not filtered.
        Uncensored = "uncensored",
        /// May change or go without notice.
        Beta = "beta",
        /// One price whatever the parameters.
        FixedPrice = "fixed_price",
        /// Its clips can have sound.
        Sound = "sound",
        /// Hears sound.
        AudioInput = "audio_input",
        /// Sees clips.
        VideoInput = "video_input",
        /// Answers in a given schema.
        StructuredOutput = "structured_output",
        /// Searches the web.
        WebSearch = "web_search",
        /// Made for code.
        Code = "code",
    }
}

words! {
    /// From what a clip is made.
    Variant {
        /// From words.
        TextToVideo = "text_to_video",
        /// From a picture.
        ImageToVideo = "image_to_video",
    }
}

words! {
    /// Whether parameters change the price.
    Pricing {
        /// They do not.
        Fixed = "fixed",
        /// They do.
        Dynamic = "dynamic",
    }
}

words! {
    /// Whether a clip has sound.
    AudioRule {
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
        /// As asked.
        Choice = "choice",
    }
}

words! {
    /// A condition on sound.
    Switch {
        /// With.
        On = "on",
        /// Without.
        Off = "off",
    }
}

impl Switch {
    /// On for true.
    #[must_use]
    pub fn from_bool(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// What the clips of a model may be, and the clip whose price is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoRules {
    /// From what it makes them.
    pub variant: Variant,
    /// Whether their parameters change the price.
    pub pricing: Pricing,
    /// Allowed lengths, shortest first.
    pub seconds: Vec<u32>,
    /// Allowed resolutions, coarsest first; none where it cannot be chosen.
    pub resolutions: Vec<String>,
    /// Whether they have sound.
    pub audio: AudioRule,
    /// The clip of the price list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed: Option<PrintedClip>,
}

/// A clip whose price the price list prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrintedClip {
    /// Its price in the unit of account.
    pub credits: Exact,
    /// Its length.
    pub seconds: u32,
    /// Its resolutions; none where the list names none.
    pub resolutions: Vec<String>,
    /// Whether it has sound.
    pub audio: bool,
}

impl Model {
    /// The least that a model is: an id, a kind, what lists show, and prices.
    #[must_use]
    pub fn new(id: impl Into<String>, kind: Kind, base: Usage, rates: Vec<Rate>) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            printed_name: None,
            aliases: Vec::new(),
            kind,
            group: None,
            capabilities: Vec::new(),
            limits: Limits::default(),
            base: BaseRun { usage: base, ..BaseRun::default() },
            options: BTreeMap::new(),
            channels: Vec::new(),
            video: None,
            rates,
            added: None,
            retired: None,
            note: None,
        }
    }

    /// Its name as the price list prints it.
    #[must_use]
    pub fn printed_name(&self) -> &str {
        self.printed_name.as_deref().unwrap_or(&self.name)
    }

    /// What it can do, with `fixed_price` and `sound` where a clip has them.
    #[must_use]
    pub fn capabilities(&self) -> Vec<Capability> {
        let mut all = self.capabilities.clone();
        if let Some(video) = &self.video {
            all.extend((video.pricing == Pricing::Fixed).then_some(Capability::FixedPrice));
            all.extend((video.audio != AudioRule::Never).then_some(Capability::Sound));
        }
        all
    }

    /// From what a video model makes its clip.
    #[must_use]
    pub fn variant(&self) -> Option<Variant> {
        self.video.as_ref().map(|v| v.variant)
    }
}
