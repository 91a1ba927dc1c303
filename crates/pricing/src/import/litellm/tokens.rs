//! LiteLLM's prices of tokens: standard, above a threshold, in a service tier, or in tiers by the size of the prompt.

use super::super::{
    json::{self, Object, Raw},
    rates::usd_each,
    refusal::Refusal,
};
use super::{Row, key::Priced};
use crate::{Bounds, Condition, Meter, Rate};
use aispace_units::Exact;
use std::collections::{BTreeMap, BTreeSet};

/// What a price of tokens is of. One name of a cache write stands for any time it lives, unless an hour has its own.
const TOKENS: [(&str, Meter); 11] = [
    ("input_cost_per_token", Meter::InputTokens),
    ("output_cost_per_token", Meter::OutputTokens),
    ("cache_read_input_token_cost", Meter::CacheReadTokens),
    ("input_cost_per_token_cache_hit", Meter::CacheReadTokens),
    ("cache_creation_input_token_cost", Meter::CacheWrite5mTokens),
    ("cache_creation_input_token_cost_above_1hr", Meter::CacheWrite1hTokens),
    ("input_cost_per_audio_token", Meter::InputAudioTokens),
    ("output_cost_per_audio_token", Meter::OutputAudioTokens),
    ("input_cost_per_image_token", Meter::InputImageTokens),
    ("output_cost_per_image_token", Meter::OutputImageTokens),
    ("output_cost_per_reasoning_token", Meter::ReasoningTokens),
];

/// What a price is of, if it is of tokens.
pub(super) fn meter(base: &str) -> Option<Meter> {
    TOKENS.iter().find(|(name, _)| *name == base).map(|(_, meter)| *meter)
}

/// Adds the rates of tokens.
pub(super) fn read(row: &mut Row<'_>, prices: &[Priced]) -> Result<(), Refusal> {
    if let Some(tiers) = row.fields.list("tiered_pricing")? {
        return by_tier(row, prices, &tiers);
    }
    let mut own: Vec<(Meter, &Priced)> = prices.iter().filter_map(|p| meter(&p.base).map(|m| (m, p))).collect();
    once(&mut own)?;
    // The general first: the last that holds wins. A tier's price above a threshold is the most special.
    own.sort_by_key(|(_, p)| (p.above.is_some(), p.above, p.tier.is_some()));
    even_thresholds(&own)?;
    for (meter, priced) in &own {
        row.rates.push(conditional(*meter, priced, row.inclusive)?);
    }
    hours(&own, row)?;
    thinking(&own, row)?;
    video_tokens(row, prices)
}

/// A price that two names give is one price.
fn once(own: &mut Vec<(Meter, &Priced)>) -> Result<(), Refusal> {
    let mut seen: BTreeMap<(Meter, Option<u64>, Option<&str>), Exact> = BTreeMap::new();
    let mut differ = None;
    own.retain(|(meter, priced)| match seen.insert((*meter, priced.above, priced.tier), priced.price) {
        None => true,
        Some(before) => {
            differ = differ.or((before != priced.price).then_some(*meter));
            false
        }
    });
    match differ {
        None => Ok(()),
        Some(meter) => Err(Refusal::unsupported(meter.as_str(), "two names give two prices of it")),
    }
}

/// Above the higher of two thresholds a price that only the lower names goes back to the standard one, which no rate here says.
fn even_thresholds(own: &[(Meter, &Priced)]) -> Result<(), Refusal> {
    let thresholds: BTreeSet<u64> = own.iter().filter_map(|(_, p)| p.above).collect();
    let Some(highest) = thresholds.last() else { return Ok(()) };
    let has = |meter: Meter, above: u64| own.iter().any(|(m, p)| *m == meter && p.above == Some(above));
    match own.iter().find(|(meter, p)| p.above.is_some() && !has(*meter, *highest)) {
        Some((_, priced)) => Err(Refusal::unsupported(&priced.field, "the highest threshold does not name it")),
        None => Ok(()),
    }
}

/// One rate, where its threshold and its tier hold.
pub(super) fn conditional(meter: Meter, priced: &Priced, inclusive: bool) -> Result<Rate, Refusal> {
    let rate = usd_each(meter, priced.price, &priced.field)?;
    let prompt_tokens = priced.above.map(|above| match inclusive {
        true => Bounds { at_least: Some(above), ..Bounds::default() },
        false => Bounds { over: Some(above), ..Bounds::default() },
    });
    let when = Condition { prompt_tokens, tier: priced.tier.map(str::to_owned), ..Condition::default() };
    Ok(if when.is_empty() { rate } else { rate.when(when) })
}

/// Without a price of its own, what is written for an hour costs as what is written at all.
fn hours(own: &[(Meter, &Priced)], row: &mut Row<'_>) -> Result<(), Refusal> {
    if own.iter().any(|(meter, _)| *meter == Meter::CacheWrite1hTokens) {
        return Ok(());
    }
    for (_, priced) in own.iter().filter(|(meter, _)| *meter == Meter::CacheWrite5mTokens) {
        row.rates.push(conditional(Meter::CacheWrite1hTokens, priced, row.inclusive)?);
    }
    Ok(())
}

/// In a tier that prices the answer and not the thinking, thinking costs as the answer does, above a threshold too.
fn thinking(own: &[(Meter, &Priced)], row: &mut Row<'_>) -> Result<(), Refusal> {
    let priced = |meter: Meter| own.iter().filter(move |(m, _)| *m == meter).map(|(_, p)| *p);
    let thinks: BTreeSet<Option<&str>> = priced(Meter::ReasoningTokens).map(|p| p.tier).collect();
    if !thinks.contains(&None) {
        return Ok(());
    }
    let answers: BTreeSet<&'static str> =
        priced(Meter::OutputTokens).filter_map(|p| p.tier).filter(|tier| !thinks.contains(&Some(*tier))).collect();
    for tier in answers {
        for answer in priced(Meter::OutputTokens).filter(|p| p.tier == Some(tier) || (p.tier.is_none() && p.above.is_some())) {
            let priced = Priced { tier: Some(tier), ..answer.clone() };
            row.rates.push(conditional(Meter::ReasoningTokens, &priced, row.inclusive)?);
        }
    }
    Ok(())
}

/// Tokens of clips are counted with the others: another price than theirs cannot be said.
fn video_tokens(row: &mut Row<'_>, prices: &[Priced]) -> Result<(), Refusal> {
    for (name, parent) in [("input_cost_per_video_token", "input_cost_per_token"), ("output_cost_per_video_token", "output_cost_per_token")]
    {
        for priced in prices.iter().filter(|p| p.base == name) {
            let same = |p: &&Priced| p.base == parent && p.above == priced.above && p.tier == priced.tier;
            if prices.iter().find(same).map(|p| p.price) != Some(priced.price) {
                return Err(Refusal::unsupported(&priced.field, "tokens of clips are counted with the others"));
            }
            row.ignored.push((priced.field.clone(), "the same as for other tokens"));
        }
    }
    Ok(())
}

/// Prices that a tier has, and the one that stands in where it has none. A price of nothing is none there.
const TIER_PRICES: [(&str, Meter, Option<&str>); 6] = [
    ("input_cost_per_token", Meter::InputTokens, None),
    ("output_cost_per_token", Meter::OutputTokens, None),
    ("output_cost_per_reasoning_token", Meter::ReasoningTokens, Some("output_cost_per_token")),
    ("cache_read_input_token_cost", Meter::CacheReadTokens, Some("input_cost_per_token")),
    (WRITE, Meter::CacheWrite5mTokens, Some("input_cost_per_token")),
    ("cache_creation_input_token_cost_above_1hr", Meter::CacheWrite1hTokens, Some(WRITE)),
];
const WRITE: &str = "cache_creation_input_token_cost";

/// Tiers by the size of the prompt, one for the whole request: above a tier's start, up to its end.
fn by_tier(row: &mut Row<'_>, prices: &[Priced], tiers: &[Raw<'_>]) -> Result<(), Refusal> {
    if let Some(other) =
        prices.iter().find(|p| !TIER_PRICES.iter().any(|(name, ..)| *name == p.base) || p.above.is_some() || p.tier.is_some())
    {
        return Err(Refusal::unsupported(&other.field, "not beside tiered_pricing"));
    }
    let mut read = Vec::new();
    for raw in tiers {
        let tier = Object::read(raw, "tiered_pricing")?;
        if let Some((field, _)) = tier.fields().find(|(field, _)| *field != "range" && !TIER_PRICES.iter().any(|(name, ..)| name == field))
        {
            return Err(Refusal::unknown_price(&format!("tiered_pricing.{field}")));
        }
        read.push((range(&tier)?, tier));
    }
    read.sort_by_key(|((from, _), _)| *from);
    let starts = read.first().is_some_and(|((from, _), _)| *from == 0);
    let joined = read.windows(2).all(|pair| matches!(pair, [((_, to), _), ((from, _), _)] if to == from));
    if !starts || !joined {
        return Err(Refusal::unsupported("tiered_pricing", "tiers that leave sizes out or have two prices for them"));
    }
    // An answer may be priced beside the tiers, and an hour in the cache as a write is.
    let named = |name: &str| read.iter().any(|(_, tier)| tier.get(name).is_some());
    let used =
        |name: &str, fallback: Option<&str>| named(name) || name == "output_cost_per_token" || fallback == Some(WRITE) && named(WRITE);
    let used: Vec<_> = TIER_PRICES.iter().filter(|(name, _, fallback)| used(name, *fallback)).collect();
    for ((from, _), tier) in &read {
        for (name, meter, fallback) in &used {
            let rate = usd_each(*meter, tier_price(tier, name, *fallback, prices)?, name)?;
            let over = Condition { prompt_tokens: Some(Bounds { over: Some(*from), ..Bounds::default() }), ..Condition::default() };
            row.rates.push(if *from == 0 { rate } else { rate.when(over) });
        }
    }
    Ok(())
}

/// The sizes of a tier: over the first, up to the second.
fn range(tier: &Object<'_>) -> Result<(u64, u64), Refusal> {
    let shape = || Refusal::shape("tiered_pricing.range", "two counts of tokens");
    let ends = tier.list("range")?.ok_or_else(|| Refusal::missing("tiered_pricing.range"))?;
    let whole = |raw: Raw<'_>| json::price(raw, "range")?.to_whole().and_then(|w| u64::try_from(w).ok()).ok_or_else(shape);
    match ends.as_slice() {
        [from, to] => {
            let (from, to) = (whole(*from)?, whole(*to)?);
            if from < to { Ok((from, to)) } else { Err(shape()) }
        }
        _ => Err(shape()),
    }
}

fn tier_price(tier: &Object<'_>, name: &str, fallback: Option<&str>, prices: &[Priced]) -> Result<Exact, Refusal> {
    if let Some(price) = tier.price(name)?.filter(|price| fallback.is_none() || !price.is_zero()) {
        return Ok(price);
    }
    let next = TIER_PRICES.iter().find(|(other, ..)| Some(*other) == fallback);
    match next {
        Some((other, _, further)) => tier_price(tier, other, *further, prices),
        None if name == "output_cost_per_token" => {
            prices.iter().find(|p| p.base == name).map(|p| p.price).ok_or_else(|| Refusal::missing(name))
        }
        None => Err(Refusal::missing(&format!("tiered_pricing.{name}"))),
    }
}
