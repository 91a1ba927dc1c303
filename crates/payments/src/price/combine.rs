//! The one rule that makes a price of several figures.

use super::{
    Figure, PriceError, PriceReport, Reading, SourceReading, Verdict,
    venues::{self, PLACES},
};
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

/// The sources beside the reserve.
const FOUR: usize = 4;

/// Makes one price of what the sources said.
///
/// Stale figures are dropped; three must be left. Those more than 1 % from the median are dropped; two must be left, no more
/// than 2 % apart. The price is the median of these. The median of an even count is the mean of the two middle figures,
/// rounded down to eight decimals: figures have no more, so it never falls below the lower of the two.
///
/// The reserve is not counted while the four are all used; where one of them is not, the reserve is a voice like the others.
///
/// # Errors
/// [`PriceError::TooFewSources`] and [`PriceError::SpreadTooWide`], with every reading.
pub fn combine(readings: &[Reading], now: DateTime<Utc>) -> Result<PriceReport, PriceError> {
    let rule = CombineRule::CURRENT;
    let mut readings: Vec<&Reading> = readings.iter().collect();
    readings.sort_by_key(|reading| reading.source);
    // One operator has one voice.
    readings.dedup_by_key(|reading| reading.source);
    let judged: Vec<SourceReading> = readings.into_iter().map(|reading| judge_age(reading, now, rule)).collect();
    let (reserve, four): (Vec<_>, Vec<_>) = judged.iter().cloned().partition(|source| source.source.is_reserve());
    match weigh(four, now, rule) {
        Ok(mut report) if is_whole(&report.sources) => {
            report.sources.extend(reserve.into_iter().map(|source| SourceReading { verdict: Verdict::Reserve, ..source }));
            Ok(report)
        }
        without if reserve.is_empty() => without,
        _ => weigh(judged, now, rule),
    }
}

/// Whether all of the four are there and used.
pub(super) fn is_whole(sources: &[SourceReading]) -> bool {
    sources.iter().filter(|source| !source.source.is_reserve() && source.verdict == Verdict::Used).count() == FOUR
}

/// Whether two prices are more than this many per cent of the lower one apart.
pub(super) fn differ(one: EthUsdPrice, other: EthUsdPrice, percent: u32) -> bool {
    match (as_ticks(one.min(other)), as_ticks(one.max(other))) {
        (Some(low), Some(high)) => high.saturating_sub(low).saturating_mul(100) > low.saturating_mul(percent.into()),
        _ => true,
    }
}

fn weigh(mut sources: Vec<SourceReading>, now: DateTime<Utc>, rule: CombineRule) -> Result<PriceReport, PriceError> {
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
        Ok(figure) if as_ticks(figure.usd_per_eth).is_none() => {
            (None, None, Verdict::Silent, Some(format!("gave the price {}, which cannot be one", figure.usd_per_eth)))
        }
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
    let usd = venues::believable(price.get()).ok()?.get();
    let missing = PLACES.checked_sub(usd.scale())?;
    10i128.checked_pow(missing)?.checked_mul(usd.mantissa())
}

fn as_price(ticks: Ticks) -> Option<EthUsdPrice> {
    EthUsdPrice::new(Decimal::try_from_i128_with_scale(ticks, PLACES).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Source;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    const ALL: [Source; 4] = [Source::Coinbase, Source::Kraken, Source::Bitstamp, Source::Chainlink];

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_788_782_400, 0).unwrap()
    }

    fn figure(price: &str) -> Figure {
        Figure { usd_per_eth: price.parse().unwrap(), as_of: None, block_time: None }
    }

    fn said(source: Source, price: &str) -> Reading {
        Reading { source, outcome: Ok(figure(price)) }
    }

    fn silent(source: Source) -> Reading {
        Reading { source, outcome: Err("no answer before the deadline".into()) }
    }

    fn aged(source: Source, seconds: i64) -> Reading {
        Reading { source, outcome: Ok(Figure { as_of: Some(now() - TimeDelta::seconds(seconds)), ..figure("3000") }) }
    }

    fn feed(updated_ago: i64, block_ago: i64) -> Reading {
        let ago = |seconds| Some(now() - TimeDelta::seconds(seconds));
        Reading { source: Source::Chainlink, outcome: Ok(Figure { as_of: ago(updated_ago), block_time: ago(block_ago), ..figure("3000") }) }
    }

    fn priced(prices: [&str; 4]) -> Vec<Reading> {
        ALL.into_iter().zip(prices).map(|(source, price)| said(source, price)).collect()
    }

    fn verdicts(sources: &[SourceReading]) -> Vec<Verdict> {
        sources.iter().map(|source| source.verdict).collect()
    }

    #[test]
    fn an_odd_count_gives_the_middle_figure() {
        let report =
            combine(&[said(Source::Coinbase, "3000"), said(Source::Kraken, "3002.5"), said(Source::Bitstamp, "2999.1")], now()).unwrap();
        assert_eq!(report.usd_per_eth.to_string(), "3000");
        assert_eq!(report.at, now());
    }

    #[test]
    fn an_even_count_gives_the_mean_of_the_middle_two_rounded_down_to_eight_decimals() {
        let report = combine(&priced(["3000.00000001", "3000.00000002", "2999", "3001"]), now()).unwrap();
        assert_eq!(report.usd_per_eth.to_string(), "3000.00000001");
        let report = combine(&priced(["3000", "3001", "2999", "3002"]), now()).unwrap();
        assert_eq!(report.usd_per_eth.to_string(), "3000.5");
    }

    #[test]
    fn two_sources_are_too_few_and_the_silent_ones_are_named() {
        let readings = [said(Source::Coinbase, "3000"), silent(Source::Kraken), said(Source::Bitstamp, "3000"), silent(Source::Chainlink)];
        let error = combine(&readings, now()).unwrap_err();
        assert_eq!(error.to_string(), "2 of 4 price sources gave a fresh price, 3 are needed; without one: Kraken, Chainlink on Base");
        assert_eq!(verdicts(error.readings()), [Verdict::Used, Verdict::Silent, Verdict::Used, Verdict::Silent]);
    }

    #[test]
    fn an_unbelievable_figure_is_no_figure() {
        for price in ["3000.000000001", "1000000001"] {
            let readings = [said(Source::Coinbase, "3000"), said(Source::Kraken, price), said(Source::Bitstamp, "3000")];
            let error = combine(&readings, now()).unwrap_err();
            assert_eq!(verdicts(error.readings()), [Verdict::Used, Verdict::Silent, Verdict::Used]);
        }
    }

    #[test]
    fn an_operator_has_one_voice() {
        let thrice = [said(Source::Coinbase, "3000"), said(Source::Coinbase, "3000"), said(Source::Coinbase, "3000")];
        assert!(matches!(combine(&thrice, now()), Err(PriceError::TooFewSources { answered: 1, asked: 1, .. })));
    }

    #[test]
    fn a_figure_may_be_sixty_seconds_old_and_no_older() {
        let others = [said(Source::Kraken, "3000"), said(Source::Bitstamp, "3000")];
        for (age, verdict) in [(0, Verdict::Used), (60, Verdict::Used), (61, Verdict::Stale), (-60, Verdict::Used), (-61, Verdict::Stale)] {
            let readings = [others.to_vec(), vec![aged(Source::Coinbase, age), feed(0, 0)]].concat();
            assert_eq!(combine(&readings, now()).unwrap().sources[0].verdict, verdict, "{age}");
        }
    }

    #[test]
    fn the_feed_is_as_old_as_its_block_says() {
        let venues = priced(["3000", "3000", "3000", "3000"])[..3].to_vec();
        let cases = [
            ((10, 10), Verdict::Used),
            ((1_800, 0), Verdict::Used),
            ((1_801, 0), Verdict::Stale),
            ((1_850, 50), Verdict::Used),
            ((0, 61), Verdict::Stale),
            ((-61, -61), Verdict::Stale),
            ((5, 10), Verdict::Stale),
        ];
        for ((updated, block), verdict) in cases {
            let report = combine(&[venues.clone(), vec![feed(updated, block)]].concat(), now()).unwrap();
            assert_eq!(report.sources[3].verdict, verdict, "updated {updated} s ago, block {block} s ago");
        }
    }

    #[test]
    fn one_figure_far_away_is_an_outlier() {
        let report = combine(&priced(["3000", "3001", "2999", "3040"]), now()).unwrap();
        assert_eq!(verdicts(&report.sources), [Verdict::Used, Verdict::Used, Verdict::Used, Verdict::Outlier]);
        assert_eq!(report.usd_per_eth.to_string(), "3000");
    }

    #[test]
    fn sources_that_disagree_give_no_price() {
        let error = combine(&priced(["3000", "3200", "3400", "3600"]), now()).unwrap_err();
        assert_eq!(error.to_string(), "price sources disagree: from 3000 to 3600 USD for one ether");
        assert_eq!(error.readings().len(), 4);
        let error = combine(&priced(["1000", "1009.9", "990.1", "1000"])[..3], now());
        assert!(error.is_ok(), "within 1 % of the median and 2 % of each other: {error:?}");
        // 99 and 101 are each within 1 % of 100 and yet more than 2 % apart.
        let error = combine(&priced(["100", "101", "99", "100"])[..3], now());
        assert!(matches!(error, Err(PriceError::SpreadTooWide { .. })), "{error:?}");
    }

    fn cents(figure: u64) -> String {
        Decimal::new(i64::try_from(figure).unwrap(), 2).to_string()
    }

    proptest! {
        #[test]
        fn the_price_lies_between_the_figures_used(prices in prop::collection::vec(100_000u64..103_000, 3..=4)) {
            let readings: Vec<_> = ALL.into_iter().zip(&prices).map(|(source, price)| said(source, &cents(*price))).collect();
            if let Ok(report) = combine(&readings, now()) {
                let used: Vec<_> = report.sources.iter().filter(|s| s.verdict == Verdict::Used).filter_map(|s| s.price).collect();
                prop_assert!(used.len() >= 2);
                prop_assert!(report.usd_per_eth >= *used.iter().min().unwrap() && report.usd_per_eth <= *used.iter().max().unwrap());
                prop_assert!(report.usd_per_eth.get().scale() <= 8);
            }
        }

        #[test]
        fn one_lying_venue_never_moves_it_beyond_the_honest(
            base in 10_000u64..100_000_000, offsets in prop::collection::vec(0u64..=50, 2..=3), lie in 1u64..10_000_000_000, liar in 0usize..4,
        ) {
            // The honest are within half a per cent of each other, as venues are.
            let honest: Vec<u64> = offsets.iter().map(|offset| base + base * offset / 10_000).collect();
            let mut prices = honest.clone();
            prices.insert(liar.min(honest.len()), lie);
            let readings: Vec<_> = ALL.into_iter().zip(&prices).map(|(source, price)| said(source, &cents(*price))).collect();
            let report = combine(&readings, now()).expect("the honest agree");
            let bound = |figure: u64| cents(figure).parse::<EthUsdPrice>().unwrap();
            prop_assert!(report.usd_per_eth >= bound(*honest.iter().min().unwrap()));
            prop_assert!(report.usd_per_eth <= bound(*honest.iter().max().unwrap()));
        }

        #[test]
        fn the_order_of_the_answers_does_not_matter(
            prices in prop::collection::vec(prop::option::of(100_000u64..103_000), 4), order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
        ) {
            let readings: Vec<_> =
                ALL.into_iter().zip(&prices).map(|(source, price)| price.map_or_else(|| silent(source), |p| said(source, &cents(p)))).collect();
            let shuffled: Vec<_> = order.iter().map(|at| readings[*at].clone()).collect();
            prop_assert_eq!(combine(&readings, now()), combine(&shuffled, now()));
        }

        #[test]
        fn any_figures_at_all_give_a_price_or_a_refusal(prices in prop::collection::vec(1u64..u64::MAX, 0..=4)) {
            let readings: Vec<_> = ALL
                .into_iter()
                .zip(&prices)
                .filter_map(|(source, ticks)| Some(Reading { source, outcome: Ok(Figure { usd_per_eth: as_price(i128::from(*ticks))?, as_of: None, block_time: None }) }))
                .collect();
            let _ = combine(&readings, now());
        }
    }
}
