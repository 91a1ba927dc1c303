//! Runs of unknown lengths: what they cost at least, likely and at most, and what is held for them.
//!
//! Under one choice of rates a cost never falls with a count. Which rates hold follows from two sizes only, that of the prompt and that of
//! the clip or the sound, and at the sizes where they change a cost may jump either way. So the lowest and the highest cost of a range lie
//! at its corners or beside such a jump, and only those points are looked at.

use crate::{
    Bill, HoldRule, Meter, Model, ModelRef, Quote, QuoteError, Rate, RateCard, Run, Stack, Terms, Usage, UsageError, charge::choose, quote,
    quote::total_of, run::describe, words::grouped,
};
use aispace_units::{Exact, Rounding, UnitError};
use std::collections::BTreeSet;

/// Most points of a range that are looked at; each is priced at the fewest and at the most of everything else.
pub const POINTS_MAX: usize = 10_000;

/// Most rates that are looked at in a range: its points times the rates of its model.
pub const RATES_LOOKED_AT_MAX: usize = 4_000_000;

/// Most addresses in one message that are scraped.
pub const URLS_MAX: u64 = 3;

/// Why a range was not priced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// Not a range.
    #[error("a range must not fall: low {low}, likely {likely}, high {high}")]
    Falls {
        /// The fewest, as given.
        low: String,
        /// The likely count.
        likely: String,
        /// The most.
        high: String,
    },
    /// More addresses than are scraped in a message.
    #[error("{given} addresses cannot be scraped in one message; allowed: 0 to {URLS_MAX}")]
    Urls {
        /// As asked for.
        given: u64,
    },
    /// A count that cannot be.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The likely run has no price.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// A run within the range has no price, so neither has the range.
    #[error("at {run}: {error}")]
    Point {
        /// For people: what that run uses.
        run: String,
        /// Why it has none.
        error: QuoteError,
    },
    /// The price turns at too many places.
    #[error("the price of {model_id} turns at more than {} points of the range", grouped(&most.to_string()))]
    TooManyPoints {
        /// The model.
        model_id: String,
        /// How many are looked at; fewer for a model of many rates.
        most: usize,
    },
    /// A part of the prompt is rounded by itself while the price follows from the size of all parts, so the lowest cost may lie anywhere.
    #[error(
        "the price of {model_id} follows from the size of the prompt and {meter} are rounded, so only one part of the prompt may be a range"
    )]
    RoundedPrompt {
        /// The model.
        model_id: String,
        /// What is rounded.
        meter: Meter,
    },
    /// What is held cannot be posted exactly.
    #[error("the hold cannot be posted exactly: {0}")]
    NotExact(#[from] UnitError),
}

/// A count that is known only roughly, in the meter's smallest part: `low ≤ likely ≤ high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spread {
    low: u64,
    likely: u64,
    high: u64,
}

impl Spread {
    /// From the fewest to the most.
    ///
    /// # Errors
    /// [`RangeError::Falls`].
    pub fn new(low: u64, likely: u64, high: u64) -> Result<Self, RangeError> {
        if low <= likely && likely <= high {
            return Ok(Self { low, likely, high });
        }
        Err(RangeError::Falls { low: low.to_string(), likely: likely.to_string(), high: high.to_string() })
    }

    /// The same from numbers in the meter's own unit: `1.5` seconds.
    ///
    /// # Errors
    /// [`RangeError::Usage`] for what the meter cannot count, [`RangeError::Falls`].
    pub fn of_numbers(meter: Meter, low: Exact, likely: Exact, high: Exact) -> Result<Self, RangeError> {
        let count = |number: Exact| {
            let mut usage = Usage::new();
            usage.set_number(meter, number).map(|()| usage.get(meter))
        };
        Self::new(count(low)?, count(likely)?, count(high)?).map_err(|_| RangeError::Falls {
            low: low.to_string(),
            likely: likely.to_string(),
            high: high.to_string(),
        })
    }

    /// The scraping calls of a message with so many addresses: one at best, one each at worst, which is also what is likely.
    ///
    /// ```
    /// use aispace_pricing::Spread;
    /// assert_eq!(Spread::of_urls(3)?, Spread::new(1, 3, 3)?);
    /// assert!(Spread::of_urls(4).is_err());
    /// # Ok::<(), aispace_pricing::RangeError>(())
    /// ```
    ///
    /// # Errors
    /// [`RangeError::Urls`] above [`URLS_MAX`].
    pub fn of_urls(urls: u64) -> Result<Self, RangeError> {
        if urls > URLS_MAX {
            return Err(RangeError::Urls { given: urls });
        }
        Self::new(urls.min(1), urls, urls)
    }

    /// The fewest.
    #[must_use]
    pub fn low(self) -> u64 {
        self.low
    }

    /// The likely count.
    #[must_use]
    pub fn likely(self) -> u64 {
        self.likely
    }

    /// The most.
    #[must_use]
    pub fn high(self) -> u64 {
        self.high
    }
}

/// A run of which some counts are known only roughly, each apart from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    run: Run,
    low: Usage,
    high: Usage,
}

impl Estimate {
    /// A run that is known, until [`Estimate::spread`] says otherwise.
    #[must_use]
    pub fn new(run: Run) -> Self {
        let (low, high) = (run.usage.clone(), run.usage.clone());
        Self { run, low, high }
    }

    /// The same with a count of which only a range is known.
    #[must_use]
    pub fn spread(mut self, meter: Meter, spread: Spread) -> Self {
        self.low.set(meter, spread.low);
        self.run.usage.set(meter, spread.likely);
        self.high.set(meter, spread.high);
        self
    }

    /// The likely run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The fewest of every meter.
    #[must_use]
    pub fn low(&self) -> &Usage {
        &self.low
    }

    /// The most of every meter.
    #[must_use]
    pub fn high(&self) -> &Usage {
        &self.high
    }

    /// The run with other counts.
    fn with(&self, usage: Usage) -> Run {
        let Run { model_id, usage: _, options, tier, fields, extras, runs } = self.run.clone();
        Run { model_id, usage, options, tier, fields, extras, runs }
    }

    /// The parts of the prompt of which only a range is known.
    fn spread_prompt(&self) -> impl Iterator<Item = Meter> + '_ {
        Meter::ALL.iter().copied().filter(|m| m.is_prompt() && self.low.get(*m) < self.high.get(*m))
    }
}

/// What a run of unknown lengths costs, in the unit of account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeQuote {
    /// The least that any run of the range costs, exactly.
    pub low: Exact,
    /// The likely run, with the reasons.
    pub likely: Quote,
    /// The most that any run of the range costs, exactly.
    pub high: Exact,
    /// A run that costs the least: [`crate::quote`] says why.
    pub cheapest: Run,
    /// A run that costs the most. It need not be the longest: some tariffs are cheaper from a size on.
    pub dearest: Run,
    /// What is held before the run, as it is posted, rounded up.
    pub hold: Exact,
    /// What the hold follows from.
    pub hold_rule: HoldRule,
    /// How many points of the range were looked at.
    pub points: usize,
}

impl RateCard {
    /// What is held for a run that likely costs `likely` and at most `high`: by the card's rule, posted, and rounded up, so that a hold by the
    /// highest cost is never below what is debited.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 38 digits.
    pub fn hold(&self, likely: Exact, high: Exact) -> Result<Exact, UnitError> {
        let basis = match self.file().hold {
            HoldRule::High => high,
            HoldRule::Likely => likely,
            HoldRule::Fixed { amount } => amount,
        };
        self.posting().by(Rounding::Up).round(basis)
    }
}

/// Prices a run of unknown lengths: the true lowest and highest cost of all runs in the range, and the hold that it needs.
///
/// Every run of the range must have a price; only one whose exact cost needs more than 38 digits may go unseen. The lengths of a clip are those
/// that its model allows within the range.
///
/// ```
/// use aispace_pricing::{Estimate, Meter, RateCard, Run, Spread, Terms, quote_range};
/// let card = RateCard::aispace()?;
/// let run = Estimate::new(Run::chat("qwen3-4b", 500, 0)).spread(Meter::OutputTokens, Spread::new(100, 200, 4_000)?);
/// let range = quote_range(&card, &run, &Terms::default())?;
/// assert_eq!([range.low, range.likely.total, range.high, range.hold].map(|a| a.to_string()), ["0.4", "0.55", "6.25", "6.25"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Any [`RangeError`]. At most [`POINTS_MAX`] points and [`RATES_LOOKED_AT_MAX`] rates are looked at; a range that has more is refused.
pub fn quote_range(card: &RateCard, estimate: &Estimate, terms: &Terms) -> Result<RangeQuote, RangeError> {
    let likely = quote(card, &estimate.run, terms)?;
    let found = card.resolve(&estimate.run.model_id)?;
    let model = card.model(&estimate.run.model_id)?;
    for end in [&estimate.low, &estimate.high] {
        let run = estimate.with(end.clone());
        card.check_run(found, &run).map_err(|error| RangeError::Point { run: run.describe(), error })?;
    }
    let place = Place::new(card, found, model, estimate, terms);
    let most = POINTS_MAX.min(RATES_LOOKED_AT_MAX.checked_div(place.rates.len()).unwrap_or(POINTS_MAX));
    let too_many = || RangeError::TooManyPoints { model_id: model.id.clone(), most };
    let lengths = lengths(&place, most);
    let prompts = prompts(&place, &lengths, most)?.ok_or_else(too_many)?;
    let points = prompts.len().saturating_mul(lengths.len());
    if points > most {
        return Err(too_many());
    }
    let stack = card.stack(model, &estimate.run, terms)?;
    let mut search = Search { card, found, terms, stack, bill: Bill::new(), run: estimate.run.clone(), cheapest: None, dearest: None };
    let [fewest, most] = [&estimate.low, &estimate.high].map(|end| only(end, |m| !m.is_prompt() && !is_length(m)));
    for prompt in &prompts {
        for length in &lengths {
            let sizes = prompt.plus(length);
            search.look(sizes.plus(&fewest))?;
            search.look(sizes.plus(&most))?;
        }
    }
    let (low, cheapest) = search.cheapest.unwrap_or((likely.total, estimate.run.usage.clone()));
    let (high, dearest) = search.dearest.unwrap_or((likely.total, estimate.run.usage.clone()));
    let hold = card.hold(likely.total, high)?;
    let (cheapest, dearest) = (estimate.with(cheapest), estimate.with(dearest));
    Ok(RangeQuote { low, likely, high, cheapest, dearest, hold, hold_rule: card.file().hold, points })
}

struct Search<'a> {
    card: &'a RateCard,
    found: ModelRef,
    terms: &'a Terms,
    stack: Stack,
    bill: Bill,
    run: Run,
    cheapest: Option<(Exact, Usage)>,
    dearest: Option<(Exact, Usage)>,
}

impl Search<'_> {
    fn look(&mut self, usage: Usage) -> Result<(), RangeError> {
        self.run.usage = usage;
        let total = total_of(self.card, self.found, &self.run, self.terms, &self.stack, &mut self.bill)
            .map_err(|error| RangeError::Point { run: describe(&self.run.usage, &self.run.options), error })?;
        if self.cheapest.as_ref().is_none_or(|(least, _)| total < *least) {
            self.cheapest = Some((total, self.run.usage.clone()));
        }
        if self.dearest.as_ref().is_none_or(|(most, _)| total > *most) {
            self.dearest = Some((total, self.run.usage.clone()));
        }
        Ok(())
    }
}

fn is_length(meter: Meter) -> bool {
    matches!(meter, Meter::AudioSeconds | Meter::VideoSeconds)
}

fn only(usage: &Usage, wanted: impl Fn(Meter) -> bool) -> Usage {
    usage.iter().filter(|(meter, _)| wanted(*meter)).collect()
}

/// A range of a model, and what its price may turn at.
struct Place<'a> {
    card: &'a RateCard,
    found: ModelRef,
    model: &'a Model,
    estimate: &'a Estimate,
    terms: &'a Terms,
    /// Every rate that a run of the range may be charged by; some more do no harm.
    rates: Vec<&'a Rate>,
}

impl<'a> Place<'a> {
    fn new(card: &'a RateCard, found: ModelRef, model: &'a Model, estimate: &'a Estimate, terms: &'a Terms) -> Self {
        let add_ons = estimate.high.iter().filter_map(|(meter, _)| card.add_on(model, meter)).flat_map(|of| &of.rates);
        let rates = model.rates.iter().chain(add_ons).collect();
        Self { card, found, model, estimate, terms, rates }
    }
}

/// The prompts among which are the cheapest and the dearest, whatever else a run uses. None if they are more than `points_max`.
///
/// Between two sizes at which rates change, a cost is a sum of straight lines, bent where included tokens end. It is lowest and highest where
/// all parts are at an end; or where all but one are at an end or at a bend, and that one makes up the size; or where two parts are neither,
/// of which one makes up what several parts have included together, and the other one the size.
fn prompts(at: &Place<'_>, lengths: &[Usage], points_max: usize) -> Result<Option<Vec<Usage>>, RangeError> {
    let estimate = at.estimate;
    let [fewest, most] = [&estimate.low, &estimate.high].map(|end| only(end, Meter::is_prompt));
    let spread: Vec<Meter> = estimate.spread_prompt().collect();
    let bounds = at.rates.iter().filter_map(|rate| rate.when.as_ref()?.prompt_tokens);
    let (least, largest) = (fewest.prompt_tokens(), most.prompt_tokens());
    let turns: BTreeSet<u64> = bounds.flat_map(|bounds| bounds.starts(1)).filter(|size| least < *size && *size <= largest).collect();
    let rounded = |m: &&Meter| at.card.rounding_of(**m).or_else(|| at.card.rounding_of(m.parent()?)).is_some();
    if let Some(meter) = spread.iter().find(rounded).filter(|_| spread.len() > 1 && !turns.is_empty()) {
        return Err(RangeError::RoundedPrompt { model_id: at.model.id.clone(), meter: *meter });
    }
    let sizes: BTreeSet<u64> = turns.iter().flat_map(|size| [size.saturating_sub(1), *size]).collect();
    let mut points = if spread.is_empty() { vec![fewest] } else { vec![fewest, most] };
    if sizes.is_empty() {
        return Ok(Some(points));
    }
    if sizes.len().saturating_mul(lengths.len()) > points_max {
        return Ok(None);
    }
    let shares = shares(at, &sizes, lengths);
    for free in &spread {
        let Some(mut others) = at.corners(&spread, &[*free], points_max) else { return Ok(None) };
        for (share, second) in shares.iter().flat_map(|share| spread.iter().map(move |second| (share, second))) {
            if share.parts.contains(second) && !share.parts.contains(free) {
                let Some(corners) = at.corners(&spread, &[*free, *second], points_max) else { return Ok(None) };
                others.extend(corners.into_iter().filter_map(|corner| at.filled_up(&corner, *second, share)));
            }
        }
        for other in &others {
            let rest = other.prompt_tokens();
            let [least, largest] = [&estimate.low, &estimate.high].map(|end| rest.saturating_add(end.get(*free)));
            for size in sizes.range(least..=largest) {
                points.push(other.clone().with(*free, size.saturating_sub(rest)));
                if points.len() > points_max {
                    return Ok(None);
                }
            }
        }
    }
    Ok(Some(points))
}

/// What some parts of the prompt have included together, because they are billed by one rate.
#[derive(PartialEq)]
struct Share {
    parts: Vec<Meter>,
    included: u64,
}

/// What is shared at any of some sizes and lengths.
fn shares(at: &Place<'_>, sizes: &BTreeSet<u64>, lengths: &[Usage]) -> Vec<Share> {
    let mut shares = Vec::new();
    if !at.rates.iter().any(|rate| rate.included > 0 && rate.meter == Meter::InputTokens) {
        return shares;
    }
    for (size, length) in sizes.iter().flat_map(|size| lengths.iter().map(move |length| (size, length))) {
        let run = at.estimate.with(length.clone().with(Meter::InputTokens, *size));
        let circumstances = at.card.circumstances_of(at.found, &run, at.terms);
        let rate = |meter| choose(at.card, at.model, meter, &circumstances).ok().flatten().map(|chosen| chosen.rate);
        let Some(whole) = rate(Meter::InputTokens).filter(|rate| rate.included > 0) else { continue };
        let parts = Meter::ALL.iter().copied().filter(|m| m.is_prompt() && rate(*m).is_some_and(|own| std::ptr::eq(own, whole)));
        let share = Share { parts: parts.collect(), included: whole.included };
        if !shares.contains(&share) {
            shares.push(share);
        }
    }
    shares
}

impl Place<'_> {
    /// Every prompt whose parts are at an end or at a bend, without those that are `free`. None if they are more than `points_max`.
    fn corners(&self, spread: &[Meter], free: &[Meter], points_max: usize) -> Option<Vec<Usage>> {
        let known = |meter: Meter| meter.is_prompt() && !free.contains(&meter);
        let mut corners = vec![only(&self.estimate.low, known)];
        for meter in spread.iter().filter(|m| !free.contains(m)) {
            let ends = self.ends(*meter);
            if corners.len().saturating_mul(ends.len()) > points_max {
                return None;
            }
            corners = corners.iter().flat_map(|usage| ends.iter().map(|end| usage.clone().with(*meter, *end))).collect();
        }
        Some(corners)
    }

    /// The ends of a part of the prompt, and where its own included tokens end.
    fn ends(&self, meter: Meter) -> BTreeSet<u64> {
        let (low, high) = (self.estimate.low.get(meter), self.estimate.high.get(meter));
        let bends = self.rates.iter().filter(|rate| rate.meter == meter).map(|rate| rate.included);
        bends.filter(|bend| low < *bend && *bend < high).chain([low, high]).collect()
    }

    /// The prompt with as many of a part as make up what it shares, if that lies in its range.
    fn filled_up(&self, corner: &Usage, part: Meter, share: &Share) -> Option<Usage> {
        let others = share.parts.iter().fold(0u64, |sum, meter| sum.saturating_add(corner.get(*meter)));
        let count = share.included.checked_sub(others)?;
        let range = self.estimate.low.get(part)..=self.estimate.high.get(part);
        range.contains(&count).then(|| corner.clone().with(part, count))
    }
}

/// The lengths of clip and sound among which are the cheapest and the dearest, whatever else a run uses.
///
/// Between two lengths at which rates change, a cost never falls with a length; the lengths of a clip are counted out.
fn lengths(at: &Place<'_>, points_max: usize) -> Vec<Usage> {
    let bounds = at.rates.iter().filter_map(|rate| rate.when.as_ref()?.seconds);
    let starts: BTreeSet<u64> = bounds.flat_map(|bounds| bounds.starts(1_000)).collect();
    let values = |meter: Meter| -> BTreeSet<u64> {
        let (low, high) = (at.estimate.low.get(meter), at.estimate.high.get(meter));
        let ends = [low, high];
        match at.model.video.as_ref().filter(|_| meter == Meter::VideoSeconds) {
            Some(rules) => {
                let allowed = rules.seconds.iter().map(|s| u64::from(*s).saturating_mul(1_000));
                allowed.filter(|length| (low..=high).contains(length)).chain(ends).collect()
            }
            None => {
                let turns = starts.iter().filter(|start| low < **start && **start <= high);
                turns.flat_map(|start| [start.saturating_sub(1), *start]).chain(ends).collect()
            }
        }
    };
    let (clips, sounds) = (values(Meter::VideoSeconds), values(Meter::AudioSeconds));
    // Longer lists than can be looked at are cut one above the limit, which the caller refuses.
    let pairs = clips.iter().flat_map(|clip| sounds.iter().map(move |sound| (*clip, *sound)));
    let usage = |(clip, sound)| Usage::new().with(Meter::VideoSeconds, clip).with(Meter::AudioSeconds, sound);
    pairs.take(points_max.saturating_add(1)).map(usage).collect()
}
