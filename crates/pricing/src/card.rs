//! The rate card: one format for every tariff, kept as data.

use crate::{Amount, Denominator, Kind, Meter, Parameters, QuoteError, RateUnit, Run, meter::words, nearest, quote};
use aispace_units::{CreditOwner, Rounding};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize, Serializer};
use std::{collections::BTreeMap, fmt};

/// The one format that is read.
pub const FORMAT: &str = "aispace-rate-card/1";

const AISPACE: &str = include_str!("../cards/aispace.json");

/// Why a card was refused. A card is taken whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// Not the JSON of a card: a wrong shape, an unknown field, an amount that is not a plain decimal string.
    #[error("not a rate card: {reason}")]
    Syntax {
        /// What the reader says, with the line.
        reason: String,
    },
    /// Another format, or another version of it.
    #[error("the card's format is {given:?}, not {FORMAT:?}")]
    Format {
        /// As the card says.
        given: String,
    },
    /// Two models of one id.
    #[error("two models have the id {model_id:?}")]
    Duplicate {
        /// The id.
        model_id: String,
    },
    /// The card contradicts itself, or a model of it cannot be quoted.
    #[error("{model_id}: {reason}")]
    Contradiction {
        /// The model, or the card's own id.
        model_id: String,
        /// What does not agree.
        reason: String,
    },
}

/// Every price of one system, as of one date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateCard {
    file: CardFile,
    by_id: BTreeMap<String, usize>,
}

impl RateCard {
    /// Reads the AiSpace card that is built in.
    ///
    /// # Errors
    /// A [`CardError`] would be a mistake of the build; a test reads it.
    pub fn aispace() -> Result<Self, CardError> {
        Self::from_json(AISPACE)
    }

    /// Reads a card and proves that it holds together: every model quotes at its base run, every printed clip at its printed price.
    ///
    /// # Errors
    /// Any [`CardError`].
    pub fn from_json(text: &str) -> Result<Self, CardError> {
        let syntax = |e: serde_json::Error| CardError::Syntax { reason: e.to_string() };
        let header: Header = serde_json::from_str(text).map_err(syntax)?;
        if header.format != FORMAT {
            return Err(CardError::Format { given: header.format });
        }
        let file: CardFile = serde_json::from_str(text).map_err(syntax)?;
        let mut by_id = BTreeMap::new();
        for (at, model) in file.models.iter().enumerate() {
            if by_id.insert(model.id.clone(), at).is_some() {
                return Err(CardError::Duplicate { model_id: model.id.clone() });
            }
        }
        let card = Self { file, by_id };
        card.check()?;
        Ok(card)
    }

    /// Short id of the card: `aispace`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.file.id
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The day as of which its prices hold.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        self.file.date
    }

    /// How that day is known, where the source does not say it.
    #[must_use]
    pub fn date_note(&self) -> Option<&str> {
        self.file.date_note.as_deref()
    }

    /// Whose credits it prices in.
    #[must_use]
    pub fn owner(&self) -> CreditOwner {
        self.file.owner
    }

    /// How a cost is rounded, once, when it is posted.
    #[must_use]
    pub fn posting(&self) -> Posting {
        self.file.posting
    }

    /// Its models, in its order.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.file.models
    }

    /// The model of an id.
    ///
    /// # Errors
    /// [`QuoteError::UnknownModel`] with the nearest ids.
    pub fn model(&self, model_id: &str) -> Result<&Model, QuoteError> {
        self.by_id
            .get(model_id)
            .and_then(|at| self.file.models.get(*at))
            .ok_or_else(|| QuoteError::UnknownModel { model_id: model_id.to_owned(), nearest: nearest::nearest(model_id, self.models()) })
    }

    pub(crate) fn rounding_of(&self, meter: Meter) -> Option<Rounding> {
        self.file.meter_rounding.iter().find(|r| r.meter == meter).map(|r| r.rule)
    }

    /// The rate of a search or scrape made by a chat model: the last entry whose condition holds.
    pub(crate) fn add_on(&self, model: &Model, meter: Meter) -> Option<(&Model, &Rate)> {
        let fits = |a: &&AddOn| a.meter == meter && (a.group.is_none() || a.group == model.group);
        let add_on = self.file.add_ons.iter().rev().find(fits)?;
        let rates_of = self.by_id.get(&add_on.rates_of).and_then(|at| self.file.models.get(*at))?;
        rates_of.rates.iter().find(|r| r.meter == meter).map(|rate| (rates_of, rate))
    }

    fn check(&self) -> Result<(), CardError> {
        let wrong = |model_id: &str, reason: String| Err(CardError::Contradiction { model_id: model_id.to_owned(), reason });
        for rounding in &self.file.meter_rounding {
            if rounding.decimals != 2 {
                return wrong(
                    self.id(),
                    format!("{} is rounded to {} decimals; only whole cents are known", rounding.meter, rounding.decimals),
                );
            }
        }
        if self.file.posting.decimals > 9 {
            return wrong(self.id(), "a posted amount has at most 9 decimals".to_owned());
        }
        for add_on in &self.file.add_ons {
            let known = self.by_id.get(&add_on.rates_of).and_then(|at| self.file.models.get(*at));
            if !known.is_some_and(|m| m.rates.iter().any(|r| r.meter == add_on.meter)) {
                return wrong(self.id(), format!("no model {:?} has a rate for {}", add_on.rates_of, add_on.meter));
            }
        }
        self.models().iter().try_for_each(|model| self.check_model(model))
    }

    fn check_model(&self, model: &Model) -> Result<(), CardError> {
        let wrong = |reason: String| CardError::Contradiction { model_id: model.id.clone(), reason };
        if (model.kind() == Kind::Video) != model.video.is_some() {
            return Err(wrong("a video model, and no other, states what its clips may be".to_owned()));
        }
        let rounded_credits = |r: &&Rate| r.unit == RateUnit::Credits && self.rounding_of(r.meter).is_some();
        if let Some(rate) = model.rates.iter().find(rounded_credits) {
            return Err(wrong(format!("{} is priced in credits but rounded to cents", rate.meter)));
        }
        let quoted = |parameters: &Parameters| {
            let run = Run { model_id: model.id.clone(), parameters: parameters.clone(), runs: 1 };
            quote(self, &run).map_err(|e| wrong(format!("does not quote at {parameters}: {e}")))
        };
        quoted(&model.base)?;
        for (parameters, printed) in model.video.iter().flat_map(VideoRules::printed_runs) {
            let total = quoted(&parameters)?.total.credits();
            if total != printed.get() {
                return Err(wrong(format!("{parameters} is printed at {} but its rate gives {total}", printed.get())));
            }
        }
        Ok(())
    }
}

/// One thing that can be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    printed_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    capabilities: Vec<Capability>,
    base: Parameters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    video: Option<VideoRules>,
    pub(crate) rates: Vec<Rate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Model {
    /// Id in the card.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name, without the `(Text to Video)` and `(beta)` that [`Model::variant`] and [`Model::capabilities`] say.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name as the price list prints it.
    #[must_use]
    pub fn printed_name(&self) -> &str {
        self.printed_name.as_deref().unwrap_or(&self.name)
    }

    /// The group whose add-on rates it has: `venice`, or none.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// Which kind of work it does.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.base.kind()
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

    /// The run that a price list shows its price for.
    #[must_use]
    pub fn base(&self) -> &Parameters {
        &self.base
    }

    /// [`Model::base`], once.
    #[must_use]
    pub fn base_run(&self) -> Run {
        Run { model_id: self.id.clone(), parameters: self.base.clone(), runs: 1 }
    }

    /// What its clips may be; a video model has it.
    #[must_use]
    pub fn video(&self) -> Option<&VideoRules> {
        self.video.as_ref()
    }

    /// From what a video model makes its clip.
    #[must_use]
    pub fn variant(&self) -> Option<Variant> {
        self.video.as_ref().map(|v| v.variant)
    }

    /// Its rates, in the card's order.
    #[must_use]
    pub fn rates(&self) -> &[Rate] {
        &self.rates
    }

    /// The day its provider took it away.
    #[must_use]
    pub fn retired(&self) -> Option<NaiveDate> {
        self.retired
    }

    /// What a person should know about it.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
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

/// A price per so many of a meter, where its conditions hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// What is counted.
    pub meter: Meter,
    /// The price.
    pub amount: Amount,
    /// What it is in.
    pub unit: RateUnit,
    /// Per how many.
    pub per: Denominator,
    /// For which clips; for all when absent. The last rate whose conditions hold wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Lengths whose price was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_seconds: Vec<u32>,
    /// Lengths whose price follows from a published figure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived_seconds: Vec<u32>,
    /// Where the rate comes from, when not from the card's own price list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Conditions on a clip; all that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// It has this resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// It has sound, or has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Switch>,
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
    pub printed: PrintedClip,
}

impl VideoRules {
    fn printed_runs(&self) -> Vec<(Parameters, Amount)> {
        let clip = &self.printed;
        let run =
            |resolution: Option<String>| (Parameters::Video { seconds: clip.seconds, resolution, audio: Some(clip.audio) }, clip.credits);
        if clip.resolutions.is_empty() { vec![run(None)] } else { clip.resolutions.iter().cloned().map(Some).map(run).collect() }
    }
}

/// A clip whose price the price list prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrintedClip {
    /// Its price in the owner's credits.
    pub credits: Amount,
    /// Its length.
    pub seconds: u32,
    /// Its resolutions; none where the list names none.
    pub resolutions: Vec<String>,
    /// Whether it has sound.
    pub audio: bool,
}

/// How a cost is rounded when it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// The named rule.
    pub rule: Rounding,
    /// Decimals of a credit that stay; at most 9.
    pub decimals: u32,
}

#[derive(Deserialize)]
struct Header {
    format: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardFile {
    format: String,
    id: String,
    name: String,
    date: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date_note: Option<String>,
    owner: CreditOwner,
    posting: Posting,
    #[serde(default)]
    meter_rounding: Vec<MeterRounding>,
    #[serde(default)]
    add_ons: Vec<AddOn>,
    models: Vec<Model>,
}

/// A charge of a meter is rounded before it is turned into credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeterRounding {
    meter: Meter,
    rule: Rounding,
    decimals: u32,
}

/// A meter of a chat run that is charged at another model's rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddOn {
    meter: Meter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    rates_of: String,
}
