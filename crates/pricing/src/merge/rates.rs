//! The rates of one model in two eras.

use crate::{Bounds, Condition, Meter, Model, Price, Rate, RateCard};
use chrono::{DateTime, Utc};

/// The rates of both cards: the old ones decide before `from`, the new ones from then on.
pub(super) fn joined(old: (&RateCard, &Model), new: (&RateCard, &Model), from: DateTime<Utc>) -> Vec<Rate> {
    let clips = old.1.video.is_some() || new.1.video.is_some();
    // A clip's seconds and its flat price answer the same question, so their order counts.
    let group = |meter: Meter| if clips && meter == Meter::Generations { Meter::VideoSeconds } else { meter };
    let mut groups: Vec<Meter> = Vec::new();
    for rate in new.1.rates.iter().chain(&old.1.rates) {
        if !groups.contains(&group(rate.meter)) {
            groups.push(group(rate.meter));
        }
    }
    let of = |model: &Model, wanted: Meter| model.rates.iter().filter(|r| group(r.meter) == wanted).cloned().collect::<Vec<Rate>>();
    let join = |wanted: &Meter| {
        let (before, after) = (of(old.1, *wanted), of(new.1, *wanted));
        if before == after { before } else { join_group(old.0, before, new.0, after, from) }
    };
    groups.iter().flat_map(join).collect()
}

/// The rates of one question. Of those that hold the last wins, in both eras.
fn join_group(old_card: &RateCard, old: Vec<Rate>, new_card: &RateCard, new: Vec<Rate>, from: DateTime<Utc>) -> Vec<Rate> {
    // Before `from` a price that begins later says nothing, and from then on only the new card speaks.
    let old: Vec<Rate> = old.into_iter().filter(|rate| begins(rate).is_none_or(|begin| begin < from)).collect();
    let new = effective(new, from);
    match side_by_side(old_card, &old, new_card, &new, from) {
        Some(joined) => joined,
        None => {
            let ended = old.into_iter().map(|rate| if holds_after(&rate, from) { until(rate, from) } else { rate });
            ended.chain(new.into_iter().map(|rate| since(rate, from))).collect()
        }
    }
}

/// Old rates as they are and only the changed ones anew, where no order is upset by it.
fn side_by_side(old_card: &RateCard, old: &[Rate], new_card: &RateCard, new: &[Rate], from: DateTime<Utc>) -> Option<Vec<Rate>> {
    let later: Vec<(usize, Option<Box<Condition>>)> =
        old.iter().enumerate().filter(|(_, rate)| holds_after(rate, from)).map(|(at, rate)| (at, seen_from(rate, from))).collect();
    // The last old rate of a condition is the one that counts; those before it never hold without it.
    let last_of = |when: &Option<Box<Condition>>, meter: Meter| {
        later.iter().rev().find(|(at, own)| own == when && old.get(*at).is_some_and(|r| r.meter == meter)).map(|(at, _)| *at)
    };
    let mut kept: Vec<Option<usize>> = Vec::new();
    for rate in new {
        let place = last_of(&rate.when, rate.meter);
        let same = place.and_then(|at| old.get(at)).is_some_and(|before| same_price(old_card, before, new_card, rate));
        kept.push(place.filter(|_| same));
    }
    let places: Vec<usize> = kept.iter().flatten().copied().collect();
    let in_order = places.is_sorted_by(|a, b| a < b);
    let upset = kept.iter().zip(new).enumerate().any(|(at, (own, rate))| {
        let mut kept_later = kept.iter().zip(new).skip(at.saturating_add(1)).filter(|(k, _)| k.is_some());
        own.is_none() && kept_later.any(|(_, k)| !are_disjoint(rate, k))
    });
    if !in_order || upset {
        return None;
    }
    let mut joined: Vec<Rate> = Vec::new();
    for (at, rate) in old.iter().enumerate() {
        let own = kept.iter().zip(new).find(|(place, _)| **place == Some(at));
        let is_replaced = new.iter().any(|n| n.meter == rate.meter && n.when == seen_from(rate, from));
        joined.push(match own {
            // What is known about the price is the new card's.
            Some((_, newer)) => Rate { when: rate.when.clone(), ..newer.clone() },
            None if is_replaced || !holds_after(rate, from) => rate.clone(),
            None => until(rate.clone(), from),
        });
    }
    let anew = kept.iter().zip(new).filter(|(place, _)| place.is_none());
    joined.extend(anew.map(|(_, rate)| since(rate.clone(), from)));
    Some(joined)
}

fn begins(rate: &Rate) -> Option<DateTime<Utc>> {
    rate.when.as_ref().and_then(|when| when.from)
}

fn holds_after(rate: &Rate, from: DateTime<Utc>) -> bool {
    rate.when.as_ref().and_then(|when| when.until).is_none_or(|end| end > from)
}

/// Its conditions as they are asked from an instant on, at which it has begun.
fn seen_from(rate: &Rate, from: DateTime<Utc>) -> Option<Box<Condition>> {
    let mut when = rate.when.clone()?;
    when.from = when.from.filter(|begin| *begin > from);
    (!when.is_empty()).then_some(when)
}

/// The rates that hold from an instant on, each condition's last one.
fn effective(rates: Vec<Rate>, from: DateTime<Utc>) -> Vec<Rate> {
    let mut left: Vec<Rate> = Vec::new();
    for rate in rates.into_iter().rev().filter(|rate| holds_after(rate, from)) {
        let rate = Rate { when: seen_from(&rate, from), ..rate };
        if !left.iter().any(|later| later.when == rate.when) {
            left.push(rate);
        }
    }
    left.reverse();
    left
}

fn since(rate: Rate, from: DateTime<Utc>) -> Rate {
    let mut when = rate.when.clone().unwrap_or_default();
    when.from = Some(when.from.map_or(from, |own| own.max(from)));
    Rate { when: Some(when), ..rate }
}

fn until(rate: Rate, end: DateTime<Utc>) -> Rate {
    let mut when = rate.when.clone().unwrap_or_default();
    when.until = Some(when.until.map_or(end, |own| own.min(end)));
    Rate { when: Some(when), ..rate }
}

/// Whether a run pays the same by both; the cards have one unit of account and one rounding.
fn same_price(old_card: &RateCard, old: &Rate, new_card: &RateCard, new: &Rate) -> bool {
    let of_one = |card: &RateCard, price: Price| match price {
        Price::Amount { amount, unit, per } => card.account_amount(amount, unit).and_then(|a| a.shift_right(per.places())).ok(),
        Price::Times { .. } => None,
    };
    let worth = |card: &RateCard, rate: &Rate| of_one(card, rate.price).filter(|_| card.rounding_of(rate.meter).is_none());
    let same_worth = worth(old_card, old).is_some_and(|own| Some(own) == worth(new_card, new));
    old.included == new.included && (old.price == new.price || same_worth)
}

/// Whether two rates never hold for one run; in doubt they may.
fn are_disjoint(a: &Rate, b: &Rate) -> bool {
    let (Some(a), Some(b)) = (&a.when, &b.when) else { return false };
    let differ = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
    differ(&a.tier, &b.tier)
        || differ(&a.resolution, &b.resolution)
        || a.audio.zip(b.audio).is_some_and(|(a, b)| a != b)
        || a.options.iter().any(|(name, value)| b.options.get(name).is_some_and(|other| other != value))
        || a.prompt_tokens.zip(b.prompt_tokens).is_some_and(|(a, b)| are_apart(a, b))
        || a.seconds.zip(b.seconds).is_some_and(|(a, b)| are_apart(a, b))
}

/// Whether no count lies within both, parts of one included.
fn are_apart(a: Bounds, b: Bounds) -> bool {
    // Twice the bound, and one more or less where the bound itself is outside.
    let twice = |bound: u64| u128::from(bound).saturating_mul(2).saturating_add(1);
    let low = |x: Bounds| x.at_least.map(twice).max(x.over.map(|b| twice(b).saturating_add(1))).unwrap_or(0);
    let high = |x: Bounds| {
        let ends = [x.at_most.map(twice), x.under.map(|b| twice(b).saturating_sub(1))];
        ends.into_iter().flatten().min().unwrap_or(u128::MAX)
    };
    high(a) < low(b) || high(b) < low(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_touch_are_not_apart() {
        let bounds = |text: &str| serde_json::from_str::<Bounds>(text).expect("bounds");
        for (a, b, expected) in [
            (r#"{"over": 10}"#, r#"{"at_most": 10}"#, true),
            (r#"{"over": 10}"#, r#"{"under": 10}"#, true),
            (r#"{"at_least": 10}"#, r#"{"at_most": 10}"#, false),
            (r#"{"at_least": 10}"#, r#"{"under": 10}"#, true),
            // Ten and a half seconds are within both.
            (r#"{"over": 10}"#, r#"{"under": 11}"#, false),
            (r#"{"at_least": 1, "at_most": 5}"#, r#"{"at_least": 6}"#, true),
            (r#"{"at_least": 0}"#, r#"{"under": 0}"#, true),
            ("{}", r#"{"under": 5}"#, false),
        ] {
            assert_eq!(are_apart(bounds(a), bounds(b)), expected, "{a} {b}");
            assert_eq!(are_apart(bounds(b), bounds(a)), expected, "{b} {a}");
        }
    }
}
