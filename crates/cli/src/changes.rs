//! What changed between two cards, for people.

use crate::{
    failure::Failure,
    output::{amount, counted},
    table::{self, Side},
};
use aispace_pricing::{CardDiff, FieldChange, ModelChange, RateChange, RateTerms, Replay, ReplayRow};
use std::io::Write;

/// Writes what changed.
pub fn write(out: &mut impl Write, diff: &CardDiff) -> Result<(), Failure> {
    writeln!(out, "{} ({}, {}) → {} ({}, {})", diff.old.name, diff.old.id, diff.old.date, diff.new.name, diff.new.id, diff.new.date)?;
    if diff.is_empty() {
        writeln!(out, "Nothing changed in {}.", counted(diff.unchanged, "model"))?;
        return Ok(());
    }
    writeln!(out, "{}", summary(diff))?;
    section(out, "Terms", field_rows("the card", &diff.terms))?;
    section(out, "New", diff.added.iter().map(|m| vec![m.model_id.clone(), m.name.clone()]).collect())?;
    section(out, "Gone", diff.removed.iter().map(|m| vec![m.model_id.clone(), m.name.clone()]).collect())?;
    let renamed = diff.renamed.iter().map(|r| vec![r.old_id.clone(), format!("→ {}", r.new_id), about(r.by_alias).to_owned()]);
    section(out, "Renamed", renamed.collect())?;
    section(out, "Retired", diff.retired.iter().map(|r| vec![r.model_id.clone(), format!("on {}", r.on)]).collect())?;
    let rates = diff.changed.iter().flat_map(|model| model.rates.iter().map(|rate| rate_row(model, rate, &diff.currency)));
    section(out, "Prices", rates.collect())?;
    let fields = diff.changed.iter().flat_map(|model| field_rows(&model.model_id, &model.fields));
    section(out, "Other changes", fields.collect())
}

fn about(by_alias: bool) -> &'static str {
    if by_alias { "by its alias" } else { "the same kind and name" }
}

fn summary(diff: &CardDiff) -> String {
    let counts = [
        (diff.added.len(), "new"),
        (diff.removed.len(), "gone"),
        (diff.renamed.len(), "renamed"),
        (diff.retired.len(), "retired"),
        (diff.changed.len(), "changed"),
        (diff.unchanged, "unchanged"),
    ];
    let counts: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    format!("Models: {counts}. Amounts are in {}.", diff.currency)
}

fn section(out: &mut impl Write, title: &str, rows: Vec<Vec<String>>) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{title}")?;
    Ok(table::write(out, "  ", &[Side::Left; 6], &rows)?)
}

fn rate_row(model: &ModelChange, rate: &RateChange, currency: &str) -> Vec<String> {
    let words = |terms: &Option<RateTerms>| terms.as_ref().map_or_else(|| "none".to_owned(), |terms| rate_words(terms, currency));
    let percent = rate.percent.map(|percent| format!("{percent} %")).unwrap_or_default();
    vec![
        model.model_id.clone(),
        rate.meter.to_string(),
        words(&rate.old),
        format!("→ {}", words(&rate.new)),
        percent,
        if rate.when.is_none() { String::new() } else { rate.conditions.clone() },
    ]
}

fn rate_words(terms: &RateTerms, currency: &str) -> String {
    let RateTerms { amount: price, per, included, written } = terms;
    let words = price.map_or_else(|| written.clone(), |price| format!("{} {currency} / {per}", amount(price)));
    if *included > 0 { format!("{words}, {included} included") } else { words }
}

fn field_rows(of: &str, fields: &[FieldChange]) -> Vec<Vec<String>> {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let row = |f: &FieldChange| vec![of.to_owned(), f.field.clone(), word(&f.old), format!("→ {}", word(&f.new))];
    fields.iter().map(row).collect()
}

/// Writes what some runs would have cost.
pub fn write_replay(out: &mut impl Write, replay: &Replay) -> Result<(), Failure> {
    let time = replay.period.map(|p| {
        let minute = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
        format!(", from {} to {}", minute(p.from), minute(p.until))
    });
    writeln!(out)?;
    writeln!(out, "What the logged runs cost by both cards, in {}{}", replay.currency, time.unwrap_or_default())?;
    let head = ["", "runs", "before", "after", "difference", ""].map(ToOwned::to_owned).to_vec();
    let models = replay.models.iter().map(|model| replay_row(&model.model_id, &model.row));
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(models).chain([replay_row("Total", &replay.total)]).collect();
    table::write(out, "  ", &[Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right], &rows)?;
    if let Some(charged) = &replay.total.charged {
        let lines = counted(usize::try_from(charged.lines).unwrap_or(usize::MAX), "line");
        writeln!(out, "Charged for {lines}: {}; the card before says {}.", amount(charged.amount), amount(charged.old))?;
    }
    if replay.outside > 0 {
        writeln!(out, "Not counted: {} of another time.", counted(usize::try_from(replay.outside).unwrap_or(usize::MAX), "line"))?;
    }
    if replay.unpriced.lines > 0 {
        writeln!(out, "Without a price: {}.", counted(usize::try_from(replay.unpriced.lines).unwrap_or(usize::MAX), "line"))?;
    }
    let first = replay.unpriced.first.iter().map(|u| vec![format!("line {}", u.line), u.model_id.clone(), u.reason.clone()]);
    Ok(table::write(out, "  ", &[Side::Right, Side::Left, Side::Left], &first.collect::<Vec<_>>())?)
}

fn replay_row(name: &str, row: &ReplayRow) -> Vec<String> {
    let percent = row.percent.map(|percent| format!("{percent} %")).unwrap_or_default();
    vec![name.to_owned(), row.runs.to_string(), amount(row.old), amount(row.new), row.difference.to_string(), percent]
}
