//! What runs took, in columns: by day, week or month, stacked by model or kind of work.

use super::{
    terrace::{scale_top, y_marks},
    usage::{UsageDay, date_of, next_day, share, taken_by},
};
use crate::{
    usage_log::{Digest, EntryFilter, Sums, is_charge},
    view::{UsageChartView, UsageColumnView, UsagePartView, UsageSeriesView, UsageSplit, UsageStep, UsageTotalsView, UsageWork},
};
use aispace_units::NanoCreditSum;
use chrono::{Datelike, Days, Months, NaiveDate};
use std::collections::BTreeMap;

/// Colours that can be told apart.
const SERIES_MAX: usize = 6;
/// Columns that can be told apart.
const COLUMNS_MAX: i64 = 92;

/// What a colour stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Model(String),
    Work(UsageWork),
}

/// A series with what runs of it took.
struct Series {
    key: Option<Key>,
    name: String,
    runs: u32,
    taken: NanoCreditSum,
}

/// The chart of the days from `first` to `today`, or to the newest there is.
pub(super) fn chart(
    digest: &Digest,
    filter: &EntryFilter,
    split: UsageSplit,
    (first, today): (i64, i64),
    days: &[UsageDay],
    totals: &UsageTotalsView,
) -> UsageChartView {
    let newest = digest.sums.last().map_or(today, |sums| sums.day.max(today));
    let step = step(newest.saturating_sub(first).saturating_add(1));
    let series = series(digest, filter, split);
    let total = series.iter().fold(NanoCreditSum::ZERO, |sum, one| sum.plus(one.taken));
    let spans = spans(step, date_of(first), date_of(newest));
    let mut stacks: Vec<Vec<NanoCreditSum>> = spans.iter().map(|_| vec![NanoCreditSum::ZERO; series.len()]).collect();
    for sums in digest.of(filter).filter(|sums| is_charge(sums.kind)) {
        let date = date_of(sums.day);
        let column = spans.partition_point(|(_, until)| *until < date);
        let key = key(digest, sums, split);
        let at = series.iter().position(|one| one.key.is_none() || one.key == key);
        if let Some(part) = at.and_then(|at| stacks.get_mut(column)?.get_mut(at)) {
            *part = part.plus(taken_by(sums));
        }
    }
    let height = |stack: &Vec<NanoCreditSum>| stack.iter().fold(NanoCreditSum::ZERO, |sum, part| sum.plus(*part));
    let mean: NanoCreditSum = totals.per_day_credits.parse().unwrap_or_default();
    let top = scale_top(stacks.iter().map(|stack| height(stack).nanos()).max().unwrap_or_default());
    UsageChartView {
        step,
        columns: spans.iter().zip(&stacks).map(|(span, stack)| column(*span, stack, top, days)).collect(),
        series: series.into_iter().map(|one| series_view(one, total)).collect(),
        y_marks: y_marks(top),
        mean_bp: (step == UsageStep::Day && mean.nanos() > 0).then(|| share(mean, NanoCreditSum::from_nanos(top))),
    }
}

fn step(days: i64) -> UsageStep {
    match days {
        ..=COLUMNS_MAX => UsageStep::Day,
        days if days <= COLUMNS_MAX.saturating_mul(7) => UsageStep::Week,
        _ => UsageStep::Month,
    }
}

fn key(digest: &Digest, sums: &Sums, split: UsageSplit) -> Option<Key> {
    match split {
        UsageSplit::Work => Some(Key::Work(sums.work)),
        UsageSplit::Model => sums.model.and_then(|at| digest.models.get(at)).map(|model| Key::Model(model.model_id.clone())),
    }
}

/// The dearest first; past the sixth colour, and of runs without a model, all in one.
fn series(digest: &Digest, filter: &EntryFilter, split: UsageSplit) -> Vec<Series> {
    let mut found: BTreeMap<Option<Key>, Series> = BTreeMap::new();
    for sums in digest.of(filter).filter(|sums| is_charge(sums.kind)) {
        let key = key(digest, sums, split);
        let name = || match &key {
            Some(Key::Model(_)) => sums.model.and_then(|at| digest.models.get(at)).map(|model| model.name.clone()).unwrap_or_default(),
            Some(Key::Work(_)) | None => String::new(),
        };
        let one =
            found.entry(key.clone()).or_insert_with(|| Series { key: key.clone(), name: name(), runs: 0, taken: NanoCreditSum::ZERO });
        one.runs = one.runs.saturating_add(sums.entries);
        one.taken = one.taken.plus(taken_by(sums));
    }
    let (mut named, mut others): (Vec<Series>, Vec<Series>) = found.into_values().partition(|one| one.key.is_some());
    named.sort_by_key(|one| std::cmp::Reverse(one.taken));
    let room = if others.is_empty() && named.len() <= SERIES_MAX { SERIES_MAX } else { SERIES_MAX.saturating_sub(1) };
    others.extend(named.split_off(room.min(named.len())));
    let rest = others.into_iter().reduce(|sum, one| Series {
        key: None,
        name: String::new(),
        runs: sum.runs.saturating_add(one.runs),
        taken: sum.taken.plus(one.taken),
    });
    named.extend(rest.map(|rest| Series { key: None, name: String::new(), ..rest }));
    named
}

fn series_view(series: Series, total: NanoCreditSum) -> UsageSeriesView {
    let (work, model_id) = match series.key {
        Some(Key::Work(work)) => (Some(work), None),
        Some(Key::Model(model)) => (None, Some(model)),
        None => (None, None),
    };
    let share_bp = share(series.taken, total);
    UsageSeriesView { work, model_id, name: series.name, runs: series.runs, credits: series.taken.to_string(), share_bp }
}

/// First and last date of each column, oldest first.
fn spans(step: UsageStep, first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
    let mut spans = Vec::new();
    let mut from = first;
    while from <= last {
        let until = match step {
            UsageStep::Day => from,
            UsageStep::Week => {
                let left = 6u32.saturating_sub(from.weekday().num_days_from_monday());
                from.checked_add_days(Days::new(left.into())).unwrap_or(last)
            }
            UsageStep::Month => {
                let next = from.with_day(1).and_then(|day| day.checked_add_months(Months::new(1)));
                next.and_then(|day| day.pred_opt()).unwrap_or(last)
            }
        };
        let until = until.min(last);
        spans.push((from, until));
        from = next_day(until);
    }
    spans
}

fn column((from, until): (NaiveDate, NaiveDate), stack: &[NanoCreditSum], top: i128, days: &[UsageDay]) -> UsageColumnView {
    let top = NanoCreditSum::from_nanos(top);
    let (mut below, mut parts) = (NanoCreditSum::ZERO, Vec::new());
    for (series, taken) in (0u32..).zip(stack) {
        let bottom_bp = share(below, top);
        below = below.plus(*taken);
        if taken.nanos() > 0 {
            // Edges are rounded, not heights, so that neighbours meet.
            parts.push(UsagePartView {
                series,
                credits: taken.to_string(),
                bottom_bp,
                height_bp: share(below, top).saturating_sub(bottom_bp),
            });
        }
    }
    let line = days.iter().find(|day| date_of(day.day) <= until).filter(|day| date_of(day.day) >= from).map(|day| day.line);
    UsageColumnView { from: from.to_string(), until: until.to_string(), credits: below.to_string(), parts, line }
}
