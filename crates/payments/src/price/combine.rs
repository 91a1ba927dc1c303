//! The one rule that makes a price of several figures.

use super::{Figure, PriceError, PriceReport, Reading, SourceReading, Verdict, venues::PLACES};
use aispace_units::{Decimal, EthUsdPrice};
use chrono::{DateTime, Utc};

/// The limits of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CombineRule {
    /// Fresh figures needed.
    pub fresh_min: usize,
    /// Figures needed after outliers are dropped.
    pub used_min: usize,
    /// How far a figure may be from the median, in per cent.
    pub outlier_percent: u32,
    /// How far the highest used figure may be above the lowest, in per cent.
    pub spread_percent_max: u32,
    /// How far in seconds a figure or a block may be dated from the clock: clocks differ.
    pub clock_skew_seconds_max: i64,
}

impl CombineRule {
    /// The rule in force.
    pub const CURRENT: Self = Self { fresh_min: 3, used_min: 2, outlier_percent: 1, spread_percent_max: 2, clock_skew_seconds_max: 60 };
}

/// A figure in steps of 10⁻⁸ dollar: below 10¹⁷, so that no sum or product here leaves an i128.
type Ticks = i128;

/// Makes one price of what the sources said.
///
/// Stale figures are dropped; three must be left. Those more than 1 % from the median are dropped; two must be left, no more
/// than 2 % apart. The price is the median of these. The median of an even count is the mean of the two middle figures,
/// rounded down to eight decimals: figures have no more, so it never falls below the lower of the two.
///
/// # Errors
/// [`PriceError::TooFewSources`] and [`PriceError::SpreadTooWide`], with every reading.
pub fn combine(readings: &[Reading], now: DateTime<Utc>) -> Result<PriceReport, PriceError> {
    let rule = CombineRule::CURRENT;
    let mut readings: Vec<&Reading> = readings.iter().collect();
    readings.sort_by_key(|reading| reading.source);
    // One operator has one voice.
    readings.dedup_by_key(|reading| reading.source);
    let mut sources: Vec<SourceReading> = readings.into_iter().map(|reading| judge_age(reading, now, rule)).collect();

    let fresh = used_ticks(&sources);
    if fresh.len() < rule.fresh_min {
        return Err(PriceError::TooFewSources {
            answered: fresh.len(),
            asked: sources.len(),
            needed: rule.fresh_min,
            missing: sources.iter().filter(|source| source.verdict != Verdict::Used).map(|source| source.source).collect(),
            readings: sources,
        });
    }
    drop_outliers(&mut sources, median(&fresh), rule);
    let used = used_ticks(&sources);
    match (used.len() >= rule.used_min && spread_is_narrow(&used, rule)).then(|| as_price(median(&used))).flatten() {
        Some(usd_per_eth) => Ok(PriceReport { usd_per_eth, at: now, sources }),
        None => Err(too_wide(&fresh, sources)),
    }
}

fn judge_age(reading: &Reading, now: DateTime<Utc>, rule: CombineRule) -> SourceReading {
    let (price, age_seconds, verdict, reason) = match &reading.outcome {
        Err(reason) => (None, None, Verdict::Silent, Some(reason.clone())),
        Ok(figure) => {
            let reason = staleness(reading, figure, now, rule);
            let age = figure.as_of.map(|as_of| age(as_of, figure.block_time.unwrap_or(now)));
            let seconds = age.map(|age| u32::try_from(age.max(0)).unwrap_or(u32::MAX));
            (Some(figure.usd_per_eth), seconds, if reason.is_some() { Verdict::Stale } else { Verdict::Used }, reason)
        }
    };
    SourceReading { source: reading.source, name: reading.source.name(), price, age_seconds, verdict, reason }
}

fn staleness(reading: &Reading, figure: &Figure, now: DateTime<Utc>, rule: CombineRule) -> Option<String> {
    let skew = rule.clock_skew_seconds_max;
    if let Some(block) = figure.block_time.map(|block| age(block, now))
        && (block > skew || block < skew.saturating_neg())
    {
        return Some(format!("the node's newest block is {block} s old"));
    }
    let age = age(figure.as_of?, figure.block_time.unwrap_or(now));
    // A feed cannot be younger than the block it was read at; venues' clocks may be ahead of ours.
    let ahead_max = if figure.block_time.is_some() { 0 } else { skew };
    if age > reading.source.age_seconds_max() {
        return Some(format!("its figure is {age} s old, at most {} s are allowed", reading.source.age_seconds_max()));
    }
    (age < ahead_max.saturating_neg()).then(|| format!("its figure is dated {} s in the future", age.saturating_neg()))
}

fn age(instant: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    now.timestamp().saturating_sub(instant.timestamp())
}

fn used_ticks(sources: &[SourceReading]) -> Vec<Ticks> {
    let mut ticks: Vec<Ticks> =
        sources.iter().filter(|source| source.verdict == Verdict::Used).filter_map(|source| as_ticks(source.price?)).collect();
    ticks.sort_unstable();
    ticks
}

fn drop_outliers(sources: &mut [SourceReading], median: Ticks, rule: CombineRule) {
    for source in sources.iter_mut().filter(|source| source.verdict == Verdict::Used) {
        let Some(ticks) = source.price.and_then(as_ticks) else { continue };
        let distance = ticks.abs_diff(median).saturating_mul(100);
        if distance > median.unsigned_abs().saturating_mul(rule.outlier_percent.into()) {
            source.verdict = Verdict::Outlier;
            source.reason = Some(format!("more than {} % away from the median of the others", rule.outlier_percent));
        }
    }
}

fn spread_is_narrow(sorted: &[Ticks], rule: CombineRule) -> bool {
    let (Some(lowest), Some(highest)) = (sorted.first(), sorted.last()) else { return false };
    highest.saturating_sub(*lowest).saturating_mul(100) <= lowest.saturating_mul(rule.spread_percent_max.into())
}

/// Of a sorted, non-empty slice; an even count gives the mean of the middle two, rounded down.
fn median(sorted: &[Ticks]) -> Ticks {
    let upper = sorted.len().checked_div(2).unwrap_or_default();
    let lower = sorted.len().saturating_sub(1).checked_div(2).unwrap_or_default();
    let sum = [lower, upper].iter().filter_map(|at| sorted.get(*at)).fold(0, |sum: Ticks, ticks| sum.saturating_add(*ticks));
    sum.div_euclid(2)
}

fn too_wide(fresh: &[Ticks], readings: Vec<SourceReading>) -> PriceError {
    let bounds = fresh.first().zip(fresh.last()).and_then(|(low, high)| as_price(*low).zip(as_price(*high)));
    let (lowest, highest) = bounds.expect("every fresh figure came from a price");
    PriceError::SpreadTooWide { lowest, highest, readings }
}

fn as_ticks(price: EthUsdPrice) -> Option<Ticks> {
    let usd = price.get();
    let missing = PLACES.checked_sub(usd.scale())?;
    10i128.checked_pow(missing)?.checked_mul(usd.mantissa())
}

fn as_price(ticks: Ticks) -> Option<EthUsdPrice> {
    EthUsdPrice::new(Decimal::try_from_i128_with_scale(ticks, PLACES).ok()?).ok()
}
