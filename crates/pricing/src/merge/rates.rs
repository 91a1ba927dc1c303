//! The rates of one model in two eras.

use crate::{Bounds, Condition, Meter, Model, Price, Rate, RateCard};
use chrono::{DateTime, Utc};

/// A rate with its place among its model's.
type Placed = (usize, Rate);

/// The rates of one question in both eras: the old ones, then those that come.
struct Joined {
    old: Vec<Placed>,
    anew: Vec<Rate>,
}

/// The rates of both cards: the old ones decide before `from`, the new ones from then on.
pub(super) fn joined(old: (&RateCard, &Model), new: (&RateCard, &Model), from: DateTime<Utc>) -> Vec<Rate> {
    let clips = old.1.video.is_some() || new.1.video.is_some();
    // A clip's seconds and its flat price answer the same question, so their order counts.
    let question = |meter: Meter| if clips && meter == Meter::Generations { Meter::VideoSeconds } else { meter };
    let of = |model: &Model, wanted: Meter| -> Vec<Placed> {
        model.rates.iter().cloned().enumerate().filter(|(_, rate)| question(rate.meter) == wanted).collect()
    };
    let (mut kept, mut anew) = (Vec::new(), Vec::new());
    for wanted in Meter::ALL.iter().filter(|m| question(**m) == **m) {
        let (before, after) = (of(old.1, *wanted), of(new.1, *wanted));
        if before.iter().map(|(_, rate)| rate).eq(after.iter().map(|(_, rate)| rate)) {
            kept.extend(before);
            continue;
        }
        let joined = join((old.0, before), (new.0, after), from);
        kept.extend(joined.old);
        anew.extend(joined.anew);
    }
    kept.sort_by_key(|(at, _)| *at);
    kept.into_iter().map(|(_, rate)| rate).chain(anew).collect()
}

/// The rates of one question. Of those that hold the last wins, in both eras.
fn join(old: (&RateCard, Vec<Placed>), new: (&RateCard, Vec<Placed>), from: DateTime<Utc>) -> Joined {
    // Before `from` a price that begins later says nothing, and from then on only the new card speaks.
    let before: Vec<Placed> = old.1.into_iter().filter(|(_, rate)| begins(rate).is_none_or(|begin| begin < from)).collect();
    let after = effective(new.1.into_iter().map(|(_, rate)| rate).collect(), from);
    side_by_side((old.0, &before), (new.0, &after), from).unwrap_or_else(|| {
        let ended = before.into_iter().map(|(at, rate)| (at, if holds_after(&rate, from) { until(rate, from) } else { rate }));
        Joined { old: ended.collect(), anew: after.into_iter().map(|rate| since(rate, from)).collect() }
    })
}

/// Old rates as they are and only the changed ones anew, where no order is upset by it.
fn side_by_side(old: (&RateCard, &[Placed]), new: (&RateCard, &[Rate]), from: DateTime<Utc>) -> Option<Joined> {
    let is_same_question = |rate: &Rate, newer: &Rate| newer.meter == rate.meter && newer.when == seen_from(rate, from);
    // The last old rate of a condition is the one that counts; those before it never hold without it.
    let counterpart = |newer: &Rate| {
        let last = old.1.iter().rev().find(|(_, rate)| holds_after(rate, from) && is_same_question(rate, newer));
        last.filter(|(_, rate)| same_price((old.0, rate), (new.0, newer))).map(|(at, _)| *at)
    };
    let places: Vec<(Option<usize>, &Rate)> = new.1.iter().map(|newer| (counterpart(newer), newer)).collect();
    let kept = |from: usize| places.iter().skip(from).filter_map(|(place, rate)| Some(((*place)?, *rate)));
    let in_order = kept(0).map(|(place, _)| place).is_sorted_by(|a, b| a < b);
    // What comes anew stands behind all that is kept, also behind what the new card has after it.
    let upset =
        places.iter().enumerate().any(|(at, (place, rate))| place.is_none() && kept(at).any(|(_, later)| !are_disjoint(rate, later)));
    if !in_order || upset {
        return None;
    }
    let stays = |(at, rate): &Placed| {
        let own = kept(0).find(|(place, _)| place == at);
        let is_replaced = new.1.iter().any(|newer| is_same_question(rate, newer));
        let rate = match own {
            // What is known about the price is the new card's.
            Some((_, newer)) => Rate { when: rate.when.clone(), ..newer.clone() },
            None if is_replaced || !holds_after(rate, from) => rate.clone(),
            None => until(rate.clone(), from),
        };
        (*at, rate)
    };
    let anew = places.iter().filter(|(place, _)| place.is_none()).map(|(_, rate)| since((*rate).clone(), from));
    Some(Joined { old: old.1.iter().map(stays).collect(), anew: anew.collect() })
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
        if !left.iter().any(|later| later.meter == rate.meter && later.when == rate.when) {
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

/// The same up to an instant after which it would have held.
fn until(rate: Rate, end: DateTime<Utc>) -> Rate {
    let mut when = rate.when.clone().unwrap_or_default();
    when.until = Some(end);
    Rate { when: Some(when), ..rate }
}

/// Whether a run pays the same by both; the cards have one unit of account and one rounding.
fn same_price((old_card, old): (&RateCard, &Rate), (new_card, new): (&RateCard, &Rate)) -> bool {
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
