//! The models of the cards, each with its base run and price.

use crate::{
    arguments::ModelsArguments,
    failure::Failure,
    output::{amount, document},
    table::{self, Side},
};
use aispace_pricing::{BaseRun, Capability, Kind, Limits, Model, RateCard, Run, Terms, Variant, request::Cards, total};
use aispace_units::Exact;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::io::Write;

/// Writes the models that are asked for.
pub fn list(out: &mut impl Write, cards: &Cards, asked: &ModelsArguments, now: DateTime<Utc>, json: bool) -> Result<(), Failure> {
    let wanted = |card| Listed { card, models: RateCard::models(card).iter().filter(|m| is_wanted(m, asked)).collect() };
    let listed: Vec<Listed<'_>> = cards.iter().map(wanted).collect();
    let terms = Terms::at(now);
    if json {
        let rows = listed.iter().flat_map(|l| l.models.iter().map(|model| row(l.card, model, &terms)));
        return document(out, &Catalog { models: rows.collect() });
    }
    let mut first = true;
    for Listed { card, models } in listed.iter().filter(|l| !l.models.is_empty()) {
        if !std::mem::take(&mut first) {
            writeln!(out)?;
        }
        writeln!(out, "{} ({}), rate card of {}", card.name(), card.id(), card.date())?;
        let rows: Vec<Vec<String>> = models.iter().map(|model| words(card, model, &terms)).collect();
        table::write(out, "  ", &[Side::Left, Side::Left, Side::Right, Side::Left, Side::Left, Side::Left], &rows)?;
    }
    if first {
        writeln!(out, "No model is like that. aispace models lists all of them.")?;
    }
    Ok(())
}

struct Listed<'a> {
    card: &'a RateCard,
    models: Vec<&'a Model>,
}

fn is_wanted(model: &Model, asked: &ModelsArguments) -> bool {
    let has = model.capabilities();
    let named = |text: &String| {
        let text = text.to_lowercase();
        let names = [&model.id, &model.name].into_iter().chain(&model.printed_name).chain(&model.aliases);
        names.into_iter().any(|name| name.to_lowercase().contains(&text))
    };
    asked.kind.is_none_or(|kind| kind == model.kind)
        && asked.capabilities.iter().all(|wanted| has.contains(wanted))
        && asked.text.as_ref().is_none_or(named)
}

fn words(card: &RateCard, model: &Model, terms: &Terms) -> Vec<String> {
    let base = Run::base(model);
    let (price, unit) = match total(card, &base, terms) {
        Ok(total) => (amount(total), card.unit().code.clone()),
        Err(error) => (error.to_string(), String::new()),
    };
    let retired = model.retired.map(|day| format!(", retired {day}")).unwrap_or_default();
    vec![model.kind.to_string(), model.id.clone(), price, unit, base.describe(), format!("{}{retired}", model.printed_name())]
}

fn row<'a>(card: &'a RateCard, model: &'a Model, terms: &Terms) -> ModelRow<'a> {
    ModelRow {
        card: card.id(),
        id: &model.id,
        name: &model.name,
        aliases: &model.aliases,
        kind: model.kind,
        variant: model.variant(),
        capabilities: model.capabilities(),
        limits: model.limits,
        base: &model.base,
        base_total: total(card, &Run::base(model), terms).ok(),
        unit: &card.unit().code,
        retired: model.retired,
    }
}

#[derive(Serialize)]
struct Catalog<'a> {
    models: Vec<ModelRow<'a>>,
}

#[derive(Serialize)]
struct ModelRow<'a> {
    card: &'a str,
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    aliases: &'a [String],
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<Variant>,
    capabilities: Vec<Capability>,
    limits: Limits,
    base: &'a BaseRun,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_total: Option<Exact>,
    unit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retired: Option<NaiveDate>,
}
