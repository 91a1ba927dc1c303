//! Rates and base runs, as every feed makes them.

use super::refusal::Refusal;
use crate::{Condition, Denominator, Kind, Meter, Model, Price, Rate, RateUnit, Usage};
use aispace_units::Exact;
use chrono::{DateTime, NaiveDate, Utc};

/// So many dollars per so many.
pub(super) fn usd(meter: Meter, amount: Exact, per: Denominator) -> Rate {
    Rate::new(meter, Price::Amount { amount, unit: RateUnit::Usd, per })
}

/// Dollars per token or character, said per million: the point moves, no digit changes.
pub(super) fn usd_each(meter: Meter, each: Exact, field: &str) -> Result<Rate, Refusal> {
    let million =
        each.mul(Exact::from(1_000_000u64)).map_err(|_| Refusal::TooManyDigits { field: field.to_owned(), given: each.to_string() })?;
    Ok(usd(meter, million, Denominator::MILLION))
}

/// So many times another meter's rate.
pub(super) fn times(meter: Meter, times: Exact, of: Meter) -> Rate {
    Rate::new(meter, Price::Times { times, of })
}

/// A rate with a remark.
pub(super) fn noted(mut rate: Rate, note: impl Into<String>) -> Rate {
    rate.note = Some(note.into());
    rate
}

/// The day of a count of seconds since 1970.
pub(super) fn day_of(unix_seconds: u64) -> Option<NaiveDate> {
    let seconds = i64::try_from(unix_seconds).ok()?;
    DateTime::from_timestamp(seconds, 0).map(|instant| instant.date_naive()).filter(|day| day.format("%Y").to_string().len() == 4)
}

/// The day at the beginning of a text: `2026-09-24T00:00:00.000Z`.
pub(super) fn day_in(text: &str) -> Option<NaiveDate> {
    let day = text.get(..10)?;
    day.parse().ok().filter(|_| day.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

/// Makes every rate of a model hold from an instant on.
pub(super) fn hold_from(model: &mut Model, from: DateTime<Utc>) {
    for rate in &mut model.rates {
        rate.when.get_or_insert_default().from = Some(from);
    }
}

/// The run that lists show a price for: what this kind of model is used for most, of what the model has rates for.
pub(super) fn base(kind: Kind, rates: &[Rate]) -> Usage {
    let priced = |meter: Meter| rates.iter().any(|r| r.meter == meter);
    let mut usage = Usage::new();
    let answers = kind != Kind::Embedding || !priced(Meter::InputTokens);
    for (meter, count, wanted) in [(Meter::InputTokens, 500, true), (Meter::OutputTokens, 200, answers)] {
        if wanted && priced(meter) {
            usage.set(meter, count);
        }
    }
    // A picture or a clip is what its model is for, whatever the words cost that ask for it.
    let product = [Meter::Images, Meter::Generations, Meter::Megapixels, Meter::VideoSeconds, Meter::AudioSeconds, Meter::Characters];
    let product = product.into_iter().find(|meter| priced(*meter)).filter(|_| kind != Kind::Chat || usage.is_empty());
    match product.or_else(|| rates.first().map(|rate| rate.meter).filter(|_| usage.is_empty())) {
        Some(meter) => Usage::new().with(meter, typical(meter)),
        None => usage,
    }
}

/// How many of a meter a typical run uses, in its smallest parts.
fn typical(meter: Meter) -> u64 {
    match meter {
        Meter::AudioSeconds => 60_000,
        Meter::VideoSeconds => 5_000,
        Meter::Megapixels => 1_048_576,
        Meter::Characters | Meter::InputTokens | Meter::OutputTokens | Meter::CacheReadTokens | Meter::CacheWrite5mTokens => 1_000,
        Meter::CacheWrite1hTokens | Meter::InputAudioTokens | Meter::OutputAudioTokens | Meter::InputImageTokens => 1_000,
        Meter::OutputImageTokens | Meter::ReasoningTokens => 1_000,
        Meter::Requests | Meter::Calls | Meter::ToolCalls | Meter::WebSearches | Meter::WebScrapes => 1,
        Meter::Images | Meter::InputImages | Meter::Generations => 1,
    }
}

/// Where the options are as given.
pub(super) fn with_options<const N: usize>(options: [(&str, &str); N]) -> Condition {
    Condition { options: options.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), ..Condition::default() }
}
