//! The log as the window gets it.

use super::{
    account::meters,
    charge::charge,
    figures::{basis_points, instant, usd},
    usage_chart::chart,
};
use crate::{
    usage_log::{Digest, EntryFilter, KeptEntry, Sums, is_charge, kind_word, net_change},
    view::{
        EntryEstimateView, UsageDetailView, UsageEntryView, UsageFilter, UsageLineView, UsageModelView, UsagePeriod, UsageSplit,
        UsageTotalsView, UsageView, UsageWork,
    },
};
use aispace_api::{UsageEntry, UsageKind};
use aispace_pricing::RateCard;
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Days, NaiveDate};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

const DAY_SECONDS: i64 = 86_400;
/// Hundredths of a credit, in nanos.
const HUNDREDTH: i128 = 10_000_000;

/// What is asked of the log today.
pub(crate) struct UsageQuestion {
    pub(crate) entries: EntryFilter,
    pub(crate) today: i64,
}

impl UsageQuestion {
    pub(crate) fn new(filter: &UsageFilter, today: NaiveDate) -> Self {
        let today = day_of(today);
        let days = match filter.period {
            UsagePeriod::Days7 => Some(7),
            UsagePeriod::Days30 => Some(30),
            UsagePeriod::Days90 => Some(90),
            UsagePeriod::All => None,
        };
        let entries = EntryFilter {
            from_day: days.map(|days| today.saturating_sub(days).saturating_add(1)),
            terms: filter.text.split_whitespace().map(str::to_lowercase).collect(),
            work: filter.work,
            model_id: filter.model_id.clone(),
        };
        Self { entries, today }
    }

    /// Whether no entry is left out.
    pub(crate) fn is_everything(&self) -> bool {
        self.entries == EntryFilter::default()
    }
}

/// A day of the list.
pub(crate) struct UsageDay {
    /// Counted from 1970.
    pub(crate) day: i64,
    entries: u32,
    taken: NanoCreditSum,
    /// The line that it begins with.
    pub(crate) line: u32,
}

/// A part of the list.
pub(crate) struct UsageWindow {
    from: u32,
    count: u32,
    /// The first day that it shows an entry of, counted from 1970.
    pub(crate) day: i64,
    /// Entries of that day above it.
    pub(crate) skipped: u32,
    /// Entries in it.
    pub(crate) entries: u32,
}

/// The UTC day, counted from 1970.
pub(crate) fn day_of(date: NaiveDate) -> i64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp().div_euclid(DAY_SECONDS)
}

/// The date of a day that is counted from 1970.
pub(super) fn date_of(day: i64) -> NaiveDate {
    DateTime::from_timestamp(day.saturating_mul(DAY_SECONDS), 0).unwrap_or_default().date_naive()
}

/// Days of the list, the newest first.
pub(crate) fn usage_days(digest: &Digest, filter: &EntryFilter) -> Vec<UsageDay> {
    let mut days: BTreeMap<i64, (u32, NanoCreditSum)> = BTreeMap::new();
    for sums in digest.of(filter) {
        let (entries, taken) = days.entry(sums.day).or_default();
        *entries = entries.saturating_add(sums.entries);
        *taken = taken.plus(taken_by(sums));
    }
    let mut line = 0u32;
    let day = |(day, (entries, taken)): (i64, (u32, NanoCreditSum))| {
        let begins = line;
        line = line.saturating_add(entries).saturating_add(1);
        UsageDay { day, entries, taken, line: begins }
    };
    days.into_iter().rev().map(day).collect()
}

/// What a run took; nothing for what is no run.
pub(super) fn taken(entry: &UsageEntry) -> NanoCreditSum {
    if is_charge(entry.kind) { NanoCreditSum::ZERO.minus(net_change(entry)) } else { NanoCreditSum::ZERO }
}

/// What the runs among them took.
pub(super) fn taken_by(sums: &Sums) -> NanoCreditSum {
    if is_charge(sums.kind) { NanoCreditSum::ZERO.minus(sums.net) } else { NanoCreditSum::ZERO }
}

/// Everything that is asked for at once.
pub(crate) fn usage(
    digest: &Digest,
    question: &UsageQuestion,
    split: UsageSplit,
    days: &[UsageDay],
    lines: Vec<UsageLineView>,
    holds: Option<NanoCreditSum>,
) -> UsageView {
    let first = question.entries.from_day.unwrap_or_else(|| digest.sums.first().map_or(question.today, |sums| sums.day));
    let totals = totals(digest, question, holds);
    UsageView {
        revision: digest.revision,
        chart: chart(digest, &question.entries, split, (first, question.today), days, &totals),
        totals,
        models: models(digest, &question.entries),
        works: digest.sums.iter().map(|sums| sums.work).collect::<BTreeSet<UsageWork>>().into_iter().collect(),
        line_count: days.last().map_or(0, |day| day.line.saturating_add(day.entries).saturating_add(1)),
        lines,
    }
}

fn totals(digest: &Digest, question: &UsageQuestion, holds: Option<NanoCreditSum>) -> UsageTotalsView {
    let (mut entries, mut runs) = (0u32, 0u32);
    let mut of_kind: BTreeMap<&str, NanoCreditSum> = BTreeMap::new();
    let (mut used, mut net) = (NanoCreditSum::ZERO, NanoCreditSum::ZERO);
    for sums in digest.of(&question.entries) {
        entries = entries.saturating_add(sums.entries);
        runs = runs.saturating_add(if is_charge(sums.kind) { sums.entries } else { 0 });
        used = used.plus(taken_by(sums));
        net = net.plus(sums.net);
        let sum = of_kind.entry(kind_word(sums.kind)).or_default();
        *sum = sum.plus(sums.net);
    }
    let gained = |kind| of_kind.get(kind_word(kind)).copied().unwrap_or_default();
    let lost = |kind| NanoCreditSum::ZERO.minus(gained(kind)).to_string();
    // A young account is not told that it uses less a day than it does.
    let oldest = digest.sums.first().map_or(question.today, |sums| sums.day);
    let days = question.today.saturating_sub(oldest.min(question.today)).saturating_add(1);
    UsageTotalsView {
        entries,
        runs,
        used_credits: used.to_string(),
        used_usd: used.to_decimal().map(usd).unwrap_or_default(),
        per_day_credits: mean(used, days).to_string(),
        days: u32::try_from(days).unwrap_or(u32::MAX),
        refunded_credits: gained(UsageKind::Refunded).to_string(),
        added_credits: gained(UsageKind::BatchAdded).to_string(),
        lapsed_credits: lost(UsageKind::Expired),
        voided_credits: lost(UsageKind::Voided),
        net_credits: net.to_string(),
        adds_up: holds.map(|holds| holds == net),
    }
}

/// To two decimals, half up.
fn mean(used: NanoCreditSum, days: i64) -> NanoCreditSum {
    let divisor = i128::from(days.max(1)).saturating_mul(HUNDREDTH);
    let hundredths = used.nanos().saturating_add(divisor / 2).div_euclid(divisor);
    NanoCreditSum::from_nanos(hundredths.saturating_mul(HUNDREDTH))
}

/// Models that runs were of, whichever is chosen, the dearest first.
fn models(digest: &Digest, filter: &EntryFilter) -> Vec<UsageModelView> {
    let any = EntryFilter { model_id: None, ..filter.clone() };
    let mut models: BTreeMap<&str, (&str, u32, NanoCreditSum)> = BTreeMap::new();
    for sums in digest.of(&any).filter(|sums| is_charge(sums.kind)) {
        let Some(model) = sums.model.and_then(|at| digest.models.get(at)) else { continue };
        let (_, runs, taken) = models.entry(&model.model_id).or_insert((&model.name, 0, NanoCreditSum::ZERO));
        *runs = runs.saturating_add(sums.entries);
        *taken = taken.plus(taken_by(sums));
    }
    let mut dearest: Vec<_> = models.into_iter().collect();
    dearest.sort_by_key(|(_, (_, _, taken))| std::cmp::Reverse(*taken));
    let view = |(model_id, (name, runs, taken)): (&str, (&str, u32, NanoCreditSum))| UsageModelView {
        model_id: model_id.into(),
        name: name.into(),
        runs,
        credits: taken.to_string(),
    };
    dearest.into_iter().map(view).collect()
}

/// Which entries some lines are made of; none for no line.
pub(crate) fn usage_window(days: &[UsageDay], from: u32, count: u32) -> Option<UsageWindow> {
    let until = from.saturating_add(count);
    let mut window: Option<UsageWindow> = None;
    for day in days {
        let (first, last) = (day.line.saturating_add(1), day.line.saturating_add(day.entries));
        let (begin, end) = (first.max(from), last.saturating_add(1).min(until));
        if begin >= end {
            continue;
        }
        let shown = end.saturating_sub(begin);
        match &mut window {
            Some(window) => window.entries = window.entries.saturating_add(shown),
            None => window = Some(UsageWindow { from, count, day: day.day, skipped: begin.saturating_sub(first), entries: shown }),
        }
    }
    // The last of the lines asked for may be the first of a day, and nothing else.
    let ends_with_day = || days.iter().find(|day| day.line >= from && day.line < until);
    window.or_else(|| ends_with_day().map(|day| UsageWindow { from, count, day: day.day, skipped: 0, entries: 0 }))
}

/// The lines of a window, from its entries.
pub(crate) fn usage_lines(card: &RateCard, days: &[UsageDay], window: &UsageWindow, entries: &[KeptEntry]) -> Vec<UsageLineView> {
    let until = window.from.saturating_add(window.count);
    let mut entries = entries.iter();
    let mut lines = Vec::new();
    let from = days.partition_point(|day| day.line.saturating_add(day.entries) < window.from);
    for day in days.iter().skip(from).take_while(|day| day.line < until) {
        if day.line >= window.from {
            lines.push(UsageLineView::Day { date: date_of(day.day).to_string(), entries: day.entries, credits: day.taken.to_string() });
        }
        let (first, last) =
            (day.line.saturating_add(1).max(window.from), day.line.saturating_add(day.entries).saturating_add(1).min(until));
        let shown = usize::try_from(last.saturating_sub(first)).unwrap_or_default();
        lines.extend(entries.by_ref().take(shown).map(|kept| UsageLineView::Entry { entry: usage_entry(card, kept) }));
    }
    lines
}

/// An entry as the list shows it.
fn usage_entry(card: &RateCard, kept: &KeptEntry) -> UsageEntryView {
    let entry = &kept.entry;
    let run = entry.run.as_ref();
    let charge = charge(card, entry);
    let estimated = charge.as_ref().and_then(|charge| charge.estimated_credits.clone());
    let charged = charge.as_ref().and_then(|charge| charge.charged_credits.parse::<NanoCredits>().ok());
    UsageEntryView {
        sequence: entry.sequence.to_string(),
        at: instant(entry.at),
        kind: kind_word(entry.kind).into(),
        work: kept.work,
        model_name: kept.model.as_ref().map(|(name, _)| name.clone()).unwrap_or_default(),
        meters: run.map(meters).unwrap_or_default(),
        rule: run.and_then(|run| run.rule.clone()).unwrap_or_default(),
        change_credits: net_change(entry).to_string(),
        held_change_credits: if_any(entry.held_change_credits),
        above_estimate_percent: charged
            .zip(estimated.as_deref().and_then(|text| text.parse().ok()))
            .and_then(|(charged, estimated)| above_percent(charged, estimated)),
        estimated_credits: estimated,
    }
}

fn if_any(sum: NanoCreditSum) -> Option<String> {
    (sum != NanoCreditSum::ZERO).then(|| sum.to_string())
}

/// Signed, with one decimal; nothing when they are the same.
fn above_percent(charged: NanoCredits, estimated: NanoCredits) -> Option<String> {
    if charged == estimated {
        return None;
    }
    let difference = charged.to_decimal().checked_sub(estimated.to_decimal())?;
    let percent = difference.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(estimated.to_decimal())?;
    Some(format!("{:.1}", percent.round_dp(1)))
}

/// All that is known of an entry.
pub(crate) fn usage_detail(
    card: &RateCard,
    kept: &KeptEntry,
    related: &[KeptEntry],
    estimate: Option<EntryEstimateView>,
) -> UsageDetailView {
    let entry: &UsageEntry = &kept.entry;
    UsageDetailView {
        entry: usage_entry(card, kept),
        entry_id: entry.entry_id.clone(),
        model_id: kept.model.as_ref().map(|(_, id)| id.clone()).unwrap_or_default(),
        change_usd: net_change(entry).to_decimal().map(usd).unwrap_or_default(),
        debt_change_credits: if_any(entry.debt_change_credits),
        hold_id: entry.hold_id.clone(),
        charge_sequence: entry.charge_sequence.map(|sequence| sequence.to_string()),
        note: entry.note.clone(),
        charge: charge(card, entry),
        estimate,
        related: related.iter().map(|other| usage_entry(card, other)).collect(),
    }
}

/// The share of a part, in basis points.
pub(super) fn share(part: NanoCreditSum, whole: NanoCreditSum) -> u32 {
    basis_points(part.nanos(), whole.nanos())
}

/// The day after, or that day where there is none.
pub(super) fn next_day(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_log::history::{History, happenings, kept_log, ran};
    use crate::view::UsageStep;
    use proptest::prelude::*;

    fn asked(period: UsagePeriod, today: NaiveDate) -> UsageQuestion {
        UsageQuestion::new(&UsageFilter { period, ..UsageFilter::default() }, today)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// Any part of the list is that part of the whole list, and its days add up.
        #[test]
        fn a_part_of_the_list_is_that_part_of_the_whole(history in happenings(50), from in 0u32..70, count in 0u32..40) {
            let history = History::of(&history);
            let entries = history.entries();
            ran(async {
                let folder = tempfile::tempdir().expect("a folder");
                let log = kept_log(folder.path(), &entries).await;
                let filter = EntryFilter::default();
                let digest = log.digest(&filter).await.expect("sums");
                let days = usage_days(&digest, &filter);
                let card = RateCard::aispace().expect("built in");
                let lines = async |from, count| {
                    let Some(window) = usage_window(&days, from, count) else { return Vec::new() };
                    let kept = log.entries(&filter, window.day, window.skipped, window.entries).await.expect("entries");
                    usage_lines(&card, &days, &window, &kept)
                };
                let whole = lines(0, u32::MAX).await;
                let view = usage(&digest, &asked(UsagePeriod::All, history.now.date_naive()), UsageSplit::Model, &days, Vec::new(), None);
                assert_eq!(view.line_count as usize, whole.len());
                let numbers: Vec<String> = whole
                    .iter()
                    .filter_map(|line| match line {
                        UsageLineView::Entry { entry } => Some(entry.sequence.clone()),
                        UsageLineView::Day { .. } => None,
                    })
                    .collect();
                assert!(numbers.iter().eq(entries.iter().rev().map(|entry| entry.sequence.to_string()).collect::<Vec<_>>().iter()));
                let part: Vec<_> = whole.iter().skip(from as usize).take(count as usize).cloned().collect();
                assert_eq!(lines(from, count).await, part);
            });
        }

        /// Columns, series and models each come to what all runs took, and no column is left out.
        #[test]
        fn the_chart_adds_up(history in happenings(60), by_work in any::<bool>()) {
            let history = History::of(&history);
            let entries = history.entries();
            let (digest, filter) = ran(async {
                let folder = tempfile::tempdir().expect("a folder");
                let log = kept_log(folder.path(), &entries).await;
                (log.digest(&EntryFilter::default()).await.expect("sums"), EntryFilter::default())
            });
            let days = usage_days(&digest, &filter);
            let split = if by_work { UsageSplit::Work } else { UsageSplit::Model };
            let view = usage(&digest, &asked(UsagePeriod::All, history.now.date_naive()), split, &days, Vec::new(), Some(history.holds()));
            let sum = |texts: Vec<&String>| texts.into_iter().map(|text| text.parse().expect("an amount")).fold(NanoCreditSum::ZERO, NanoCreditSum::plus).to_string();
            prop_assert_eq!(view.totals.adds_up, Some(true));
            prop_assert_eq!(&sum(view.chart.columns.iter().map(|column| &column.credits).collect()), &view.totals.used_credits);
            prop_assert_eq!(&sum(view.chart.series.iter().map(|series| &series.credits).collect()), &view.totals.used_credits);
            prop_assert_eq!(&sum(view.models.iter().map(|model| &model.credits).collect()), &view.totals.used_credits);
            for (column, next) in view.chart.columns.iter().zip(view.chart.columns.iter().skip(1)) {
                let until: NaiveDate = column.until.parse().expect("a date");
                prop_assert_eq!(super::next_day(until).to_string(), next.from.clone());
            }
            for column in &view.chart.columns {
                prop_assert_eq!(&sum(column.parts.iter().map(|part| &part.credits).collect()), &column.credits);
                prop_assert!(column.parts.iter().all(|part| part.bottom_bp + part.height_bp <= 10_000));
            }
        }
    }

    fn digest_of(days: i64, models: u8) -> (std::sync::Arc<Digest>, NaiveDate) {
        let first = DateTime::from_timestamp(1_700_000_000, 0).expect("an instant");
        let entry = |nth: i64| -> UsageEntry {
            let run = crate::usage_log::history::run(u8::try_from(nth % i64::from(models)).expect("small"));
            serde_json::from_value(serde_json::json!({"entry_id": format!("en_{nth}"), "sequence": nth + 1, "kind": "debit", "run": run,
                "at": first + chrono::TimeDelta::days(nth), "change_credits": format!("-{}", nth % i64::from(models) + 1)}))
            .expect("an entry")
        };
        let entries: Vec<UsageEntry> = (0..days).map(entry).collect();
        let digest = ran(async {
            let folder = tempfile::tempdir().expect("a folder");
            kept_log(folder.path(), &entries).await.digest(&EntryFilter::default()).await.expect("sums")
        });
        (digest, (first + chrono::TimeDelta::days(days - 1)).date_naive())
    }

    #[test]
    fn a_longer_time_has_longer_columns() {
        for (days, step, most) in
            [(92, UsageStep::Day, 92), (93, UsageStep::Week, 15), (644, UsageStep::Week, 93), (645, UsageStep::Month, 23)]
        {
            let (digest, today) = digest_of(days, 3);
            let question = asked(UsagePeriod::All, today);
            let chart = usage(&digest, &question, UsageSplit::Model, &usage_days(&digest, &question.entries), Vec::new(), None).chart;
            assert_eq!(chart.step, step, "{days}");
            assert!(chart.columns.len() <= most && chart.columns.len() + 2 >= most, "{days}: {}", chart.columns.len());
            assert_eq!(chart.columns.last().map(|column| column.until.clone()), Some(today.to_string()));
            assert_eq!(chart.mean_bp.is_some(), step == UsageStep::Day);
        }
    }

    #[test]
    fn past_six_colours_the_rest_is_one() {
        for (models, named, has_rest) in [(6, 6, false), (7, 5, true), (40, 5, true)] {
            let (digest, today) = digest_of(80, models);
            let question = asked(UsagePeriod::All, today);
            let view = usage(&digest, &question, UsageSplit::Model, &usage_days(&digest, &question.entries), Vec::new(), None);
            assert_eq!(view.chart.series.iter().filter(|series| series.model_id.is_some()).count(), named);
            assert_eq!(view.chart.series.last().is_some_and(|series| series.model_id.is_none()), has_rest);
            assert_eq!(view.models.len(), usize::from(models), "every model can be chosen");
        }
    }

    #[test]
    fn a_mean_is_of_the_days_since_the_first_entry() {
        assert_eq!(mean("100".parse().expect("an amount"), 3).to_string(), "33.33");
        assert_eq!(mean("0.05".parse().expect("an amount"), 10).to_string(), "0.01", "half up");
        let (digest, today) = digest_of(3, 1);
        let totals = usage(&digest, &asked(UsagePeriod::Days30, today), UsageSplit::Model, &[], Vec::new(), None).totals;
        assert_eq!((totals.days, totals.per_day_credits.as_str()), (3, "1"));
    }
}
