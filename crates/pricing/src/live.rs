//! Live quotes of clips: what is asked, what was answered, what is kept of it, and pricing by it.
//!
//! Venice lists no price for video: `POST /video/quote` prices one clip. Nothing here asks; the client does.

mod cache;
mod refusal;

pub use cache::{QUOTE_CACHE_BYTES_MAX, QUOTE_CACHE_FORMAT, QUOTES_MAX, QuoteCache, QuoteCacheError};
pub use refusal::{ClipIssue, ClipRefusal};

use crate::{
    Denominator, Evidence, Meter, Model, Quote, QuoteError, RateCard, RateUnit, Run, Switch, Terms, VideoRules,
    card::Circumstances,
    charge::Charge,
    import::number,
    quote::quote_by,
    video::{self, Clip},
    words::{grouped, words},
};
use aispace_units::{Exact, Rounding};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Decimals of a dollar that a live quote keeps; the rest is what a binary float left there.
const USD_DECIMALS: u32 = 9;
/// The dearest clip that is believed, in US dollars.
const USD_MAX: u64 = 10_000;
/// An asking clock may be this much ahead of ours before its quote is one of the future.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);
/// The option that names a shape, such as `16:9`.
const ASPECT_RATIO: &str = "aspect_ratio";

/// Why there is no live quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// Only clips have live quotes, and the card must say what the model's clips may be.
    #[error("{model_id} makes no clips that the card knows: only those are quoted live")]
    NotAClip {
        /// The model.
        model_id: String,
    },
    /// The card does not offer the clip, so it is not asked for.
    #[error(transparent)]
    Run(#[from] QuoteError),
    /// The answer is not what is documented.
    #[error("the live quote is not of the documented shape at line {line}, column {column}")]
    Shape {
        /// Where.
        line: usize,
        /// Where.
        column: usize,
    },
    /// The quote is not a price that anybody would pay: not above zero, or far above every clip.
    #[error("the live quote is {given}, which is no price of a clip")]
    Amount {
        /// As answered.
        given: String,
    },
}

/// One clip, as `POST /video/quote` asks for it. Ordered, so that it can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipQuery {
    /// Id of the model.
    pub model: String,
    /// Its length: `5s`.
    pub duration: String,
    /// How fine it is; left out where it cannot be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Its shape: `16:9`; left out where it cannot be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// With sound or without; left out where it cannot be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<bool>,
}

impl ClipQuery {
    /// The clip that one run makes, with the model's own values for what was left out.
    ///
    /// # Errors
    /// [`LiveError::NotAClip`] for any other kind of work, [`LiveError::Run`] for a clip that the card does not offer.
    pub fn of(card: &RateCard, run: &Run) -> Result<Self, LiveError> {
        let found = card.resolve(&run.model_id)?;
        let model = card.model(&run.model_id)?;
        let rules = model.video.as_ref().ok_or_else(|| LiveError::NotAClip { model_id: model.id.clone() })?;
        card.check_run(found, run)?;
        let circumstances = card.circumstances_of(found, run, &Terms::default());
        let clip = Clip::new(model, rules, &run.usage, &circumstances)?;
        Ok(Self::of_clip(model, rules, &clip, &circumstances))
    }

    fn of_clip(model: &Model, rules: &VideoRules, clip: &Clip<'_>, run: &Circumstances<'_>) -> Self {
        Self {
            model: model.id.clone(),
            duration: format!("{}s", clip.seconds),
            resolution: clip.resolution.filter(|r| rules.resolutions.iter().any(|known| known == r)).map(str::to_owned),
            aspect_ratio: run.option(ASPECT_RATIO).map(str::to_owned),
            audio: (video::audio_values(rules.audio).len() > 1).then_some(clip.audio == Switch::On),
        }
    }

    /// The body of the request.
    #[must_use]
    pub fn body(&self) -> String {
        // Text, options and truth values in text keys: none of them can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

words! {
    /// How a live quote came here.
    QuoteOrigin {
        /// It was asked for this very run.
        Live = "live",
        /// It was asked before and kept.
        Cached = "cached",
    }
}

/// What a clip was quoted at, when and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedQuote {
    /// The clip.
    pub query: ClipQuery,
    /// What one such clip costs.
    pub usd: Exact,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// Who was asked: a host's name.
    pub source: String,
    /// Whether it was asked for this very run.
    pub origin: QuoteOrigin,
}

impl ObservedQuote {
    /// Reads the answer that was just given.
    ///
    /// ```
    /// use aispace_pricing::{ClipQuery, ObservedQuote, RateCard, Run};
    /// let card = RateCard::aispace()?;
    /// let query = ClipQuery::of(&card, &Run::clip("sora-2-text-to-video", 8, None, None))?;
    /// assert_eq!(query.body(), r#"{"model":"sora-2-text-to-video","duration":"8s","resolution":"720p"}"#);
    /// let answer = ObservedQuote::read(query, br#"{"quote": 0.8800000000000001}"#, "api.venice.ai", "2026-03-01T12:00:00Z".parse()?)?;
    /// assert_eq!(answer.usd.to_string(), "0.88");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LiveError::Shape`] or [`LiveError::Amount`].
    pub fn read(query: ClipQuery, answer: &[u8], source: impl Into<String>, asked_at: DateTime<Utc>) -> Result<Self, LiveError> {
        Ok(Self { query, usd: usd(answer)?, asked_at, source: source.into(), origin: QuoteOrigin::Live })
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    quote: &'a RawValue,
}

/// The dollars of an answer. The number is read digit by digit: no binary float is between the answer and the price.
fn usd(answer: &[u8]) -> Result<Exact, LiveError> {
    let answer: Answer<'_> = object(answer)?;
    let given = answer.quote.get();
    let number = number::exact(given).map(|number| number.round(USD_DECIMALS, Rounding::HalfEven));
    number.ok().filter(|usd| is_believable(*usd)).ok_or_else(|| LiveError::Amount { given: given.chars().take(60).collect() })
}

/// Reads a JSON object. Serde alone would take a list of the same fields too.
fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, LiveError> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(LiveError::Shape { line: 1, column: 1 });
    }
    serde_json::from_slice(body).map_err(|error| LiveError::Shape { line: error.line(), column: error.column() })
}

/// Whether a clip may cost so much.
fn is_believable(usd: Exact) -> bool {
    !usd.is_zero() && usd <= Exact::from(USD_MAX) && usd.scale() <= USD_DECIMALS
}

/// Prices a run by a card, with what its clip was quoted at in the place of the card's own price where there is such a quote.
///
/// The order of trust: a quote asked just now, one that was kept, the rate of the card's grid, the printed price of exactly the clip. A
/// quote is not used, and the note says why, when it is of another clip or from after `now`, when it was asked after the instant that is
/// priced, or before the card's own rate of the clip began.
///
/// # Errors
/// Any [`QuoteError`]. A clip without a price in the card has one here.
pub fn quote_with(
    card: &RateCard,
    run: &Run,
    terms: &Terms,
    observed: Option<&ObservedQuote>,
    now: DateTime<Utc>,
) -> Result<Quote, QuoteError> {
    let Some(observed) = observed else { return quote_by(card, run, terms, None) };
    match LiveClip::new(card, run, terms, observed, now)? {
        Ok(clip) => quote_by(card, run, terms, Some(&clip)),
        Err(reason) => {
            let mut quote = quote_by(card, run, terms, None)?;
            quote.evidence_note.push_str(&format!(" The quote of {} is not used: {reason}.", observed.source));
            Ok(quote)
        }
    }
}

/// A clip that a quote is the price of.
pub(crate) struct LiveClip {
    pub(crate) evidence: Evidence,
    pub(crate) note: String,
    pub(crate) rule: String,
    usd: Exact,
    account: Exact,
}

impl LiveClip {
    /// The clip, or the reason why the quote is not of it.
    fn new(
        card: &RateCard,
        run: &Run,
        terms: &Terms,
        observed: &ObservedQuote,
        now: DateTime<Utc>,
    ) -> Result<Result<Self, String>, QuoteError> {
        let found = card.resolve(&run.model_id)?;
        let model = card.model(&run.model_id)?;
        let Some(rules) = &model.video else { return Ok(Err(format!("{} makes no clips that the card knows", model.id))) };
        card.check_run(found, run)?;
        let circumstances = card.circumstances_of(found, run, terms);
        let clip = Clip::new(model, rules, &run.usage, &circumstances)?;
        if ClipQuery::of_clip(model, rules, &clip, &circumstances) != observed.query {
            return Ok(Err("it is of another clip".to_owned()));
        }
        if !is_believable(observed.usd) {
            return Ok(Err(format!("{} USD is no price of a clip", observed.usd)));
        }
        let own = video::charge(card, model, rules, &run.usage, &circumstances);
        if let Err(reason) = is_of_its_time(terms, observed, now, own.as_ref().ok()) {
            return Ok(Err(reason));
        }
        let account = card.account_amount(observed.usd, RateUnit::Usd)?;
        let evidence = match observed.origin {
            QuoteOrigin::Live => Evidence::LiveQuote,
            QuoteOrigin::Cached => Evidence::CachedQuote,
        };
        let note = format!("{}{}", where_from(observed, now), beside_the_card(card, own.as_ref(), account));
        let rule = format!("quoted by {} on {}: {} s, {}", observed.source, minute(observed.asked_at), clip.seconds, clip.words());
        Ok(Ok(Self { evidence, note, rule, usd: observed.usd, account }))
    }

    /// What the clip comes to: one, at the price it was quoted at.
    pub(crate) fn charge<'a>(&self, counted: Exact) -> Charge<'a> {
        Charge {
            meter: Meter::Generations,
            chosen: None,
            quantity: Exact::ONE,
            counted,
            price: self.usd,
            unit: RateUnit::Usd,
            per: Denominator::ONE,
            amount: self.usd,
            rounded: None,
            account: self.account,
        }
    }
}

/// Whether a quote says what the clip costs at the instant that is priced.
fn is_of_its_time(terms: &Terms, observed: &ObservedQuote, now: DateTime<Utc>, own: Option<&Charge<'_>>) -> Result<(), String> {
    let latest = |instant: DateTime<Utc>| instant.checked_add_signed(CLOCK_SLACK).unwrap_or(instant);
    if observed.asked_at > latest(now) {
        return Err(format!("it is dated {}, after now", minute(observed.asked_at)));
    }
    if let Some(at) = terms.at.filter(|at| observed.asked_at > latest(*at)) {
        return Err(format!("it was asked on {}, after the instant that is priced, {}", minute(observed.asked_at), minute(at)));
    }
    let began = own.and_then(|charge| charge.chosen.as_ref()?.rate.when.as_ref()?.from);
    match began.filter(|began| observed.asked_at < *began) {
        Some(began) => Err(format!("it was asked on {}, before the card's price of {}", minute(observed.asked_at), minute(began))),
        None => Ok(()),
    }
}

fn where_from(observed: &ObservedQuote, now: DateTime<Utc>) -> String {
    let age = age_words(now.signed_duration_since(observed.asked_at));
    match observed.origin {
        QuoteOrigin::Live => format!("Quoted live by {}, {age} ago.", observed.source),
        QuoteOrigin::Cached => {
            format!("Quoted by {} {age} ago, on {}; it was not asked again.", observed.source, minute(observed.asked_at))
        }
    }
}

/// What the card says to the same clip.
fn beside_the_card(card: &RateCard, own: Result<&Charge<'_>, &QuoteError>, account: Exact) -> String {
    let amount = |amount: Exact| format!("{} {}", grouped(&amount.to_string()), card.unit().name);
    match own {
        Ok(own) if own.account == account => " The rate card says the same.".to_owned(),
        Ok(own) => format!(" The rate card differs: it has {} for this clip.", amount(own.account)),
        Err(QuoteError::NoPrice { .. }) => " The rate card has no price for this clip.".to_owned(),
        Err(error) => format!(" The rate card's own price is not known: {error}."),
    }
}

fn minute(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// An age as people say it, in whole parts of the largest unit.
fn age_words(age: TimeDelta) -> String {
    let plural = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match (age.num_days(), age.num_hours(), age.num_minutes()) {
        (days @ 1.., _, _) => plural(days, "day"),
        (_, hours @ 1.., _) => plural(hours, "hour"),
        (_, _, minutes @ 1..) => plural(minutes, "minute"),
        _ => "less than a minute".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_whole_units() {
        for (seconds, words) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 minute"),
            (3_599, "59 minutes"),
            (3_600, "1 hour"),
            (86_399, "23 hours"),
            (86_400, "1 day"),
            (8_640_000, "100 days"),
        ] {
            assert_eq!(age_words(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn a_quote_is_read_digit_by_digit() {
        for (answer, expected) in [
            (r#"{"quote": 0.83}"#, "0.83"),
            (r#"{"quote":0.11500000000000002,"currency":"usd"}"#, "0.115"),
            (r#"{"quote": 1.6500000005}"#, "1.65"),
            (r#"{"quote": 1.6500000015}"#, "1.650000002"),
            (r#"{"quote": 8.8e-1}"#, "0.88"),
            (r#"{"quote": 2}"#, "2"),
            (r#"{"quote": 10000}"#, "10000"),
        ] {
            assert_eq!(usd(answer.as_bytes()).map(|usd| usd.to_string()).as_deref(), Ok(expected), "{answer}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for (answer, given) in [
            (r#"{"quote": 0}"#, "0"),
            (r#"{"quote": 0.0000000004}"#, "0.0000000004"),
            (r#"{"quote": -0.83}"#, "-0.83"),
            (r#"{"quote": 10000.01}"#, "10000.01"),
            (r#"{"quote": 1e400}"#, "1e400"),
            (r#"{"quote": "0.83"}"#, "\"0.83\""),
            (r#"{"quote": null}"#, "null"),
            (r#"{"quote": {"usd": 1}}"#, r#"{"usd": 1}"#),
        ] {
            assert_eq!(usd(answer.as_bytes()), Err(LiveError::Amount { given: given.to_owned() }), "{answer}");
        }
        for garbage in ["", "{}", "NaN", r#"{"quote": NaN}"#, r#"{"quote": 1, "quote": 2}"#, "[0.83]", "<html>", "{\"quote\": 0.8"] {
            assert!(matches!(usd(garbage.as_bytes()), Err(LiveError::Shape { .. })), "{garbage}");
        }
        assert!(matches!(usd(b"{\"quote\": \xff}"), Err(LiveError::Shape { .. })));
    }
}
