//! A run as a request writes it, and the run, the terms and the card that it means.

use super::{
    AnthropicUsage, Cards, Code, Count, Counts, OpenAiUsage, Refusal, Tokens,
    cards::model_of,
    count::{End, unique, unique_option},
    inline,
};
use crate::{
    AUDIO, COUNT_MAX, Discount, Estimate, Extra, Kind, Meter, Model, RESOLUTION, Rate, RateCard, Run, Spread, Switch, Terms, Usage,
};
use aispace_units::Exact;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// What one run uses and chooses, how many of them, and on whose terms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Id, alias or name of the model, or `card:model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Id of the card that it is in; every card is searched when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Disjoint counts by meter.
    #[serde(default, deserialize_with = "unique_option", skip_serializing_if = "Option::is_none")]
    pub usage: Option<Counts>,
    /// Token counts of a convention that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// The usage object of an OpenAI-compatible answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openai_usage: Option<OpenAiUsage>,
    /// The usage object of an Anthropic-compatible answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anthropic_usage: Option<AnthropicUsage>,
    /// Length of a clip; of sound for a model of kind `audio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Count>,
    /// Resolution of a clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Whether a clip has sound.
    #[serde(default, deserialize_with = "switch", skip_serializing_if = "Option::is_none")]
    pub audio: Option<Switch>,
    /// Width of a picture in pixels; with `height` it gives `megapixels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// Height of a picture in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Addresses in a message, each of which may be scraped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_urls: Option<u64>,
    /// What the run chooses, by the model's options.
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// The service tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Fields of the request that a factor follows from.
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Charges beside the meters, in the card's unit of account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<ExtraRequest>,
    /// How many such runs; one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
    /// The instant whose prices hold; now when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// Id of the channel (group).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// A channel factor, whatever the card says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_factor: Option<Exact>,
    /// Id of the user's level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A user factor, whatever the card says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_factor: Option<Exact>,
    /// What the user recharged in all, in US dollars, which gives the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recharged_usd: Option<Exact>,
    /// Rates of a model that the card does not list, as cards write them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<Vec<Rate>>,
    /// The kind of that model; what its first rate says when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

/// A charge beside the meters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraRequest {
    /// What it is for.
    pub name: String,
    /// In the card's unit of account.
    pub amount: Exact,
}

/// The card and the model that a request means.
#[derive(Debug, Clone)]
pub struct Placed<'a> {
    /// The card; one of its own where the request brings rates.
    pub card: Cow<'a, RateCard>,
    /// Id of the model in it.
    pub model_id: String,
}

impl Placed<'_> {
    /// The model.
    ///
    /// # Errors
    /// None where the place is that of a request.
    pub fn model(&self) -> Result<&Model, Refusal> {
        Ok(self.card.model(&self.model_id)?)
    }
}

impl RunRequest {
    /// A run of a model, with nothing said about it.
    #[must_use]
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: Some(model.into()), ..Self::default() }
    }

    /// The request that means a run and its terms.
    #[must_use]
    pub fn of(run: &Run, terms: &Terms) -> Self {
        let (channel, channel_factor, _) = discount_fields(&terms.channel);
        let (user, user_factor, recharged_usd) = discount_fields(&terms.user);
        Self {
            model: Some(run.model_id.clone()),
            usage: Some(run.usage.iter().map(|(meter, _)| (meter, Count::from(run.usage.number(meter)))).collect()),
            options: run.options.clone(),
            tier: run.tier.clone(),
            fields: run.fields.clone(),
            extras: run.extras.iter().map(|e| ExtraRequest { name: e.name.clone(), amount: e.amount }).collect(),
            runs: (run.runs != 1).then_some(run.runs),
            at: terms.at,
            channel,
            channel_factor,
            user,
            user_factor,
            recharged_usd,
            ..Self::default()
        }
    }

    /// The card and the model that are meant.
    ///
    /// # Errors
    /// As [`Cards::find`]; [`Code::BadCard`] for rates that do not make a model.
    pub fn place<'a>(&self, cards: &'a Cards) -> Result<Placed<'a>, Refusal> {
        let Some(typed) = &self.model else { return Err(Refusal::bad_request("model is missing")) };
        match &self.rates {
            Some(rates) => inline::place(self, typed, rates, cards),
            None if self.kind.is_some() => Err(Refusal::bad_request("kind is that of a model whose rates are given, and none are")),
            None => {
                let (card, found) = cards.find(typed, self.card.as_deref())?;
                Ok(Placed { model_id: model_of(card, found)?.id.clone(), card: Cow::Borrowed(card) })
            }
        }
    }

    /// When the run is made, and by whom.
    ///
    /// # Errors
    /// [`Code::BadRequest`] where two fields say who it is.
    pub fn terms(&self, now: DateTime<Utc>) -> Result<Terms, Refusal> {
        let channel = discount("channel, channel_factor", &[named(self.channel.as_ref()), self.channel_factor.map(Discount::Given)])?;
        let levels = [named(self.user.as_ref()), self.user_factor.map(Discount::Given), self.recharged_usd.map(Discount::Recharged)];
        Ok(Terms { at: Some(self.at.unwrap_or(now)), channel, user: discount("user, user_factor, recharged_usd", &levels)? })
    }

    /// Whether anything is said about when the run is made, and by whom.
    #[must_use]
    pub fn has_terms(&self) -> bool {
        self.at.is_some()
            || self.channel.is_some()
            || self.channel_factor.is_some()
            || self.user.is_some()
            || self.user_factor.is_some()
            || self.recharged_usd.is_some()
    }

    /// The run, where all its counts are known.
    ///
    /// # Errors
    /// [`Code::RangeNeeded`] where they are not; [`Code::BadRequest`], [`Code::Count`] or [`Code::Usage`] for fields that contradict each
    /// other.
    pub fn run(&self, model: &Model) -> Result<Run, Refusal> {
        if !self.is_exact() {
            let message = "the counts are known only within bounds: ask for a range, or say one count of each";
            return Err(Refusal::new(Code::RangeNeeded, message));
        }
        self.run_at(model, End::Likely)
    }

    /// The run, as far as its counts are known.
    ///
    /// # Errors
    /// As [`RunRequest::run`], but for ranges.
    pub fn estimate(&self, model: &Model) -> Result<Estimate, Refusal> {
        let [low, likely, high] = [End::Low, End::Likely, End::High].map(|end| self.run_at(model, end));
        let (low, likely, high) = (low?.usage, likely?, high?.usage);
        let mut estimate = Estimate::new(likely.clone());
        for meter in Meter::ALL.iter().copied().filter(|m| low.get(*m) != high.get(*m) || low.get(*m) != likely.usage.get(*m)) {
            estimate = estimate.spread(meter, Spread::new(low.get(meter), likely.usage.get(meter), high.get(meter))?);
        }
        Ok(estimate)
    }

    /// Whether every count is known.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.usage.iter().flatten().all(|(_, count)| count.is_exact())
            && self.tokens.as_ref().is_none_or(Tokens::is_exact)
            && self.seconds.is_none_or(Count::is_exact)
            && self.scrape_urls.is_none_or(|urls| urls <= 1)
    }

    fn run_at(&self, model: &Model, end: End) -> Result<Run, Refusal> {
        if !self.has_counts() && self.rates.is_some() {
            return Err(Refusal::bad_request("say what is used: a model whose rates are given has no base run"));
        }
        let mut run = if self.has_counts() { Run::new(model.id.clone(), self.usage_at(model.kind, end)?) } else { Run::base(model) };
        run.options.extend(self.chosen()?);
        if self.tier.is_some() {
            run.tier.clone_from(&self.tier);
        }
        run.fields.clone_from(&self.fields);
        run.extras = self.extras.iter().map(|e| Extra { name: e.name.clone(), amount: e.amount }).collect();
        run.runs = self.runs.unwrap_or(1);
        Ok(run)
    }

    /// What the run chooses, by name.
    pub(super) fn chosen(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut chosen = self.options.clone();
        for (name, value) in [(RESOLUTION, self.resolution.clone()), (AUDIO, self.audio.map(|a| a.as_str().to_owned()))] {
            let Some(value) = value else { continue };
            if chosen.insert(name.to_owned(), value).is_some() {
                return Err(Refusal::bad_request(format!("{name} is said twice: by itself and in options")));
            }
        }
        Ok(chosen)
    }

    /// Whether anything is counted. A run that counts nothing is the model's base run.
    pub(crate) fn has_counts(&self) -> bool {
        self.usage.is_some()
            || self.tokens.is_some()
            || self.openai_usage.is_some()
            || self.anthropic_usage.is_some()
            || self.seconds.is_some()
            || self.width.is_some()
            || self.height.is_some()
            || self.scrape_urls.is_some()
    }

    pub(super) fn usage_at(&self, kind: Kind, end: End) -> Result<Usage, Refusal> {
        let mut usage = self.reported(end)?;
        for (meter, count) in self.usage.iter().flatten() {
            if usage.get(*meter) > 0 {
                return Err(twice(*meter));
            }
            usage.set_number(*meter, count.at(end))?;
        }
        if let Some(seconds) = self.seconds {
            let meter = if kind == Kind::Audio { Meter::AudioSeconds } else { Meter::VideoSeconds };
            if self.usage.as_ref().is_some_and(|counts| counts.contains_key(&meter)) {
                return Err(twice(meter));
            }
            usage.set_number(meter, seconds.at(end))?;
        }
        self.add_megapixels(&mut usage)?;
        if let Some(urls) = self.scrape_urls {
            if self.usage.as_ref().is_some_and(|counts| counts.contains_key(&Meter::WebScrapes)) {
                return Err(twice(Meter::WebScrapes));
            }
            let scrapes = Spread::of_urls(urls)?;
            let scrapes = match end {
                End::Low => scrapes.low(),
                End::Likely => scrapes.likely(),
                End::High => scrapes.high(),
            };
            usage.set(Meter::WebScrapes, scrapes);
        }
        Ok(usage)
    }

    /// What a report of tokens counts; nothing without one.
    fn reported(&self, end: End) -> Result<Usage, Refusal> {
        let reports = [
            self.tokens.as_ref().map(|tokens| tokens.usage(end)),
            self.openai_usage.map(|usage| usage.usage()),
            self.anthropic_usage.map(|usage| usage.usage()),
        ];
        let mut reports = reports.into_iter().flatten();
        let (first, second) = (reports.next(), reports.next());
        match (first, second) {
            (None, _) => Ok(Usage::new()),
            (Some(_), Some(_)) => Err(Refusal::bad_request("only one of tokens, openai_usage and anthropic_usage says what was used")),
            (Some(report), None) => {
                let is_token = |meter: &&Meter| meter.is_prompt() || **meter == Meter::OutputTokens || meter.parent().is_some();
                let also = self.usage.iter().flat_map(BTreeMap::keys).find(is_token);
                also.map_or(report, |meter| Err(twice(*meter)))
            }
        }
    }

    /// Width × height × pictures, counted in pixels.
    fn add_megapixels(&self, usage: &mut Usage) -> Result<(), Refusal> {
        let (width, height) = match (self.width, self.height) {
            (None, None) => return Ok(()),
            (Some(width), Some(height)) => (width, height),
            _ => return Err(Refusal::bad_request("width and height are given together")),
        };
        let counted = |meter: Meter| self.usage.as_ref().is_some_and(|counts| counts.contains_key(&meter));
        if counted(Meter::Megapixels) {
            return Err(twice(Meter::Megapixels));
        }
        // The pictures of a price by area are how often the area is counted, and nothing beside it.
        let images = if counted(Meter::Images) { usage.get(Meter::Images) } else { 1 };
        let pixels = width.checked_mul(height).and_then(|area| area.checked_mul(images)).filter(|pixels| *pixels <= COUNT_MAX);
        let too_large = || Refusal::new(Code::Count, format!("{width} × {height} × {images} is more than can be counted"));
        usage.set(Meter::Images, 0);
        usage.set(Meter::Megapixels, pixels.ok_or_else(too_large)?);
        Ok(())
    }
}

fn twice(meter: Meter) -> Refusal {
    Refusal::bad_request(format!("{meter} is said twice")).with("meter", meter.as_str())
}

fn named(id: Option<&String>) -> Option<Discount> {
    id.cloned().map(Discount::Named)
}

fn discount(fields: &str, said: &[Option<Discount>]) -> Result<Discount, Refusal> {
    let mut said = said.iter().flatten();
    match (said.next(), said.next()) {
        (None, _) => Ok(Discount::Default),
        (Some(one), None) => Ok(one.clone()),
        (Some(_), Some(_)) => Err(Refusal::bad_request(format!("only one of {fields} is given"))),
    }
}

fn discount_fields(discount: &Discount) -> (Option<String>, Option<Exact>, Option<Exact>) {
    match discount {
        Discount::Default => (None, None, None),
        Discount::Named(id) => (Some(id.clone()), None, None),
        Discount::Given(factor) => (None, Some(*factor), None),
        Discount::Recharged(usd) => (None, None, Some(*usd)),
    }
}

/// `"on"`, `"off"`, `true` or `false`.
fn switch<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Switch>, D::Error> {
    struct SwitchVisitor;

    impl serde::de::Visitor<'_> for SwitchVisitor {
        type Value = Switch;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("\"on\", \"off\", true or false")
        }

        fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<Switch, E> {
            Ok(Switch::from_bool(on))
        }

        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Switch, E> {
            word.parse().map_err(E::custom)
        }
    }

    d.deserialize_any(SwitchVisitor).map(Some)
}
