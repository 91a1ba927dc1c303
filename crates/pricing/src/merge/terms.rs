//! What stands above the models of two cards. It has no dates, so it may only grow.

use super::MergeError;
use crate::{CardFile, ChannelFactor, Channels, FieldFactor, RateCard, UserFactor, Users};
use aispace_units::Exact;

/// The head of the joined card: the old card's id and name, the new one's day and notes, the factors of both; no models.
pub(super) fn joined(old: &RateCard, new: &RateCard) -> Result<CardFile, MergeError> {
    let (before, after) = (old.file(), new.file());
    let mut what = Vec::new();
    let mut same = |name: &str, same: bool| {
        if !same {
            what.push(name.to_owned());
        }
    };
    same("unit", before.unit.code == after.unit.code && before.unit.per_usd == after.unit.per_usd);
    same("posting", before.posting == after.posting);
    same("rounding", before.rounding == after.rounding);
    same("add_ons", before.add_ons == after.add_ons);
    let mut file = after.clone();
    (file.id, file.name) = (before.id.clone(), before.name.clone());
    file.models = Vec::new();
    file.channels = channels(before.channels.as_ref(), after.channels.as_ref(), &mut what);
    file.users = users(before.users.as_ref(), after.users.as_ref(), &mut what);
    file.fields = fields(&before.fields, &after.fields, &mut what);
    if what.is_empty() { Ok(file) } else { Err(MergeError::Undated { what }) }
}

fn channels(old: Option<&Channels>, new: Option<&Channels>, what: &mut Vec<String>) -> Option<Channels> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        // A default of 1 changes no price of the era without channels.
        (Some(only), None) | (None, Some(only)) => {
            if only.get(&only.default).is_none_or(|c| c.factor != Exact::ONE) {
                what.push("channels".to_owned());
            }
            return Some(only.clone());
        }
        (None, None) => return None,
    };
    if old.default != new.default {
        what.push("channels.default".to_owned());
    }
    let mut joined = new.clone();
    for before in &old.values {
        match joined.get(&before.id) {
            Some(ChannelFactor { factor, .. }) if *factor == before.factor => {}
            Some(_) => what.push(format!("channels[{}]", before.id)),
            None => joined.values.push(before.clone()),
        }
    }
    Some(joined)
}

fn users(old: Option<&Users>, new: Option<&Users>, what: &mut Vec<String>) -> Option<Users> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(only), None) | (None, Some(only)) => {
            if only.get(&only.default).is_none_or(|u| u.factor != Exact::ONE || !u.channels.is_empty()) {
                what.push("users".to_owned());
            }
            return Some(only.clone());
        }
        (None, None) => return None,
    };
    if old.default != new.default {
        what.push("users.default".to_owned());
    }
    let mut joined = new.clone();
    for before in &old.values {
        match joined.get(&before.id) {
            Some(after) if *after == (UserFactor { name: after.name.clone(), ..before.clone() }) => {}
            Some(_) => what.push(format!("users[{}]", before.id)),
            // A threshold of one era would lift users of the other to it.
            None if before.recharged_usd_at_least.is_some() => what.push(format!("users[{}]", before.id)),
            None => joined.values.push(before.clone()),
        }
    }
    let came = new.values.iter().filter(|after| old.get(&after.id).is_none() && after.recharged_usd_at_least.is_some());
    what.extend(came.map(|after| format!("users[{}]", after.id)));
    Some(joined)
}

fn fields(old: &[FieldFactor], new: &[FieldFactor], what: &mut Vec<String>) -> Vec<FieldFactor> {
    let same = |a: &FieldFactor, b: &FieldFactor| a.field == b.field && a.models == b.models;
    let is_harmless = |f: &FieldFactor| f.values.get(&f.default) == Some(&Exact::ONE);
    let mut joined = new.to_vec();
    for before in old {
        match joined.iter_mut().find(|after| same(before, after)) {
            Some(after) => {
                let differs = |(value, factor): (&String, &Exact)| after.values.get(value).is_some_and(|own| own != factor);
                if after.default != before.default || before.values.iter().any(differs) {
                    what.push(format!("fields[{}]", before.field));
                }
                for (value, factor) in &before.values {
                    after.values.entry(value.clone()).or_insert(*factor);
                }
            }
            None if is_harmless(before) => joined.push(before.clone()),
            None => what.push(format!("fields[{}]", before.field)),
        }
    }
    let came = new.iter().filter(|after| !old.iter().any(|before| same(before, after)) && !is_harmless(after));
    what.extend(came.map(|after| format!("fields[{}]", after.field)));
    joined
}
