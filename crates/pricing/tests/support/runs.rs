//! Made-up runs of a made-up card, most of them possible.

use super::{
    draw::Draw,
    made_up::{TIERS, factor, instant},
};
use aispace_pricing::{AUDIO, AudioRule, CardFile, Discount, Extra, Meter, Model, RESOLUTION, Run, Terms, Usage};
use aispace_units::Exact;
use chrono::Duration;

/// A run of one of the card's models.
pub fn run(d: &mut Draw, card: &CardFile) -> Run {
    let model = d.of(&card.models);
    let mut run = Run::new(model.id.clone(), usage(d, card, &model));
    for (name, values) in &model.options {
        if d.once_in(2) {
            run.options.insert(name.clone(), d.of(&values.allowed));
        }
    }
    if let Some(rules) = &model.video {
        if d.once_in(2) && !rules.resolutions.is_empty() {
            run.options.insert(RESOLUTION.to_owned(), d.of(&rules.resolutions));
        }
        match rules.audio {
            AudioRule::Choice if d.once_in(2) => _ = run.options.insert(AUDIO.to_owned(), d.of(&["on", "off"]).to_owned()),
            AudioRule::Choice | AudioRule::Always | AudioRule::Never => {}
        }
    }
    let tiers: Vec<&str> =
        TIERS.into_iter().filter(|t| model.rates.iter().any(|r| r.when.as_ref().is_some_and(|w| w.tier.as_deref() == Some(t)))).collect();
    run.tier = match d.below(3) {
        0 => None,
        1 => Some("default".to_owned()),
        _ => tiers.get(d.index(tiers.len())).map(ToString::to_string),
    };
    for field in card.fields.iter().filter(|f| f.covers(&model.id)) {
        if d.once_in(2) {
            run.fields.insert(field.field.clone(), d.of(&field.values.keys().cloned().collect::<Vec<_>>()));
        }
    }
    for _ in 0..d.index(3) / 2 {
        run.extras.push(Extra { name: "tool".to_owned(), amount: Exact::new(d.digits(5), d.of(&[2, 0, 6])) });
    }
    run.times(d.of(&[1, 1, 2, 7, 1_000, 1_000_000]))
}

/// An instant, mostly, and discounts that the card has.
pub fn terms(d: &mut Draw, card: &CardFile) -> Terms {
    let at = instant(d) + Duration::milliseconds(d.of(&[0, -1, 1]));
    let channels: Vec<String> = card.channels.iter().flat_map(|c| &c.values).map(|c| c.id.clone()).collect();
    let users: Vec<String> = card.users.iter().flat_map(|u| &u.values).map(|u| u.id.clone()).collect();
    let channel = match d.below(6) {
        4 if !channels.is_empty() => Discount::Named(d.of(&channels)),
        5 => Discount::Given(factor(d)),
        _ => Discount::Default,
    };
    let user = match d.below(6) {
        3 if !users.is_empty() => Discount::Named(d.of(&users)),
        4 if !users.is_empty() => Discount::Recharged(Exact::new(d.digits(3), 1)),
        5 => Discount::Given(factor(d)),
        _ => Discount::Default,
    };
    Terms { at: (!d.once_in(6)).then_some(at), channel, user }
}

/// Counts of what the model and the add-ons have prices for, of parts of it, and seldom of anything else.
fn usage(d: &mut Draw, card: &CardFile, model: &Model) -> Usage {
    let priced = |m: &&Meter| {
        let own = |m: Meter| model.rates.iter().any(|r| r.meter == m);
        let added = |m: Meter| card.add_ons.iter().any(|a| a.meter == m && (a.group.is_none() || a.group == model.group));
        own(**m) || m.parent().is_some_and(own) || added(**m)
    };
    let clip_only = |m: &Meter| model.video.is_some() && matches!(m, Meter::VideoSeconds | Meter::Generations);
    let priced: Vec<Meter> = Meter::ALL.iter().filter(priced).filter(|m| !clip_only(m)).copied().collect();
    let mut usage: Usage = d.some(&priced, 2).into_iter().map(|meter| (meter, count(d))).collect();
    if let Some(rules) = &model.video {
        usage.set(Meter::VideoSeconds, u64::from(d.of(&rules.seconds)) * 1_000);
    }
    if d.once_in(40) {
        // A count of nothing would be a clip without a length, which is no run of a clip.
        usage.set(d.of(Meter::ALL), count(d).max(1));
    }
    let edges = edges(model);
    if let Some(meter) = priced.iter().find(|m| m.is_prompt()).filter(|_| !edges.is_empty() && d.once_in(2)) {
        let others = usage.prompt_tokens() - usage.get(*meter);
        usage.set(*meter, (d.of(&edges) + d.below(2)).saturating_sub(others));
    }
    if priced.contains(&Meter::AudioSeconds) && d.once_in(2) {
        usage.set(Meter::AudioSeconds, d.of(&[0, 1_000, 2_000, 400_000]) + d.below(2_500));
    }
    usage
}

/// The sizes of a prompt beside which a rate begins or ceases to hold.
fn edges(model: &Model) -> Vec<u64> {
    let bounds = model.rates.iter().filter_map(|rate| rate.when.as_ref()?.prompt_tokens);
    bounds.flat_map(|b| [b.over, b.at_least, b.under, b.at_most]).flatten().flat_map(|edge| [edge, edge.saturating_sub(1)]).collect()
}

fn count(d: &mut Draw) -> u64 {
    match d.below(12) {
        0..=4 => d.below(10),
        5 => d.of(&[99, 100, 101, 999, 1_000, 1_001, 199_999, 200_000, 200_001]),
        6..=9 => d.below(10_000),
        10 => d.below(2_000_000),
        _ => d.below(1_000_000_000_000),
    }
}
