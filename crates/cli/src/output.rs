//! What is answered: text for people, JSON for scripts.

use aispace_pricing::{Choice, Evidence, Line, LineMeter, Model, Quote, QuoteError, RateCard, Run, Terms, Usage, choices, quote as price};
use serde::Serialize;
use std::io::{self, Write};

/// Prints the models, each with its base run.
pub fn models<'a>(out: &mut impl Write, card: &RateCard, shown: impl Iterator<Item = &'a Model>) -> io::Result<()> {
    writeln!(out, "{}, {}", card.name(), card.date())?;
    for model in shown {
        let credits = base_credits(card, model).unwrap_or_else(|e| e.to_string());
        let retired = model.retired.map(|day| format!("  retired {day}")).unwrap_or_default();
        let (kind, id, base) = (model.kind.as_str(), &model.id, Run::base(model).describe());
        writeln!(out, "{kind:<9}  {id:<40}  {credits:>9} credits  {base:<20}  {}{retired}", model.printed_name())?;
    }
    Ok(())
}

/// Prints the models as one JSON document.
pub fn models_json<'a>(out: &mut impl Write, card: &RateCard, shown: impl Iterator<Item = &'a Model>) -> io::Result<()> {
    let models = shown
        .map(|model| ModelRow {
            model_id: &model.id,
            name: &model.name,
            kind: model.kind.as_str(),
            variant: model.variant().map(aispace_pricing::Variant::as_str),
            capabilities: model.capabilities().into_iter().map(aispace_pricing::Capability::as_str).collect(),
            base: &model.base.usage,
            base_credits: base_credits(card, model).ok(),
            retired: model.retired.map(|day| day.to_string()),
        })
        .collect();
    document(out, &Catalog { card_name: card.name(), card_date: card.date().to_string(), models })
}

/// Prints a quote with its reasons and, for a clip, what else it may be.
pub fn quote(out: &mut impl Write, card: &RateCard, run: &Run, quoted: &Quote) -> io::Result<()> {
    let runs = if run.runs > 1 { format!(", {} runs", run.runs) } else { String::new() };
    writeln!(out, "{}: {}{runs}", run.model_id, run.describe())?;
    for line in &quoted.lines {
        writeln!(out, "  {}", line_text(line))?;
    }
    let usd = quoted.usd.map_or_else(String::new, |usd| format!("  {usd} USD"));
    writeln!(out, "Total  {} credits{usd}", quoted.total)?;
    writeln!(out, "{}: {}", evidence_words(quoted.evidence), quoted.evidence_note)?;
    for choice in choices(card, run, &Terms::default()) {
        writeln!(out, "{}", choice_text(&choice))?;
    }
    if let Some(day) = card.model(&run.model_id).ok().and_then(|m| m.retired) {
        writeln!(out, "The provider retired this model on {day}.")?;
    }
    Ok(())
}

/// Prints a quote as one JSON document.
pub fn quote_json(out: &mut impl Write, run: &Run, quoted: &Quote) -> io::Result<()> {
    let answer = Answer {
        model_id: &run.model_id,
        runs: run.runs,
        parameters: &run.usage,
        total_credits: quoted.total.to_string(),
        total_usd: quoted.usd.map(|usd| usd.to_string()),
        lines: &quoted.lines,
        evidence: quoted.evidence,
        evidence_note: &quoted.evidence_note,
        card_name: &quoted.card_name,
        card_date: quoted.card_date.to_string(),
    };
    document(out, &answer)
}

fn document(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn base_credits(card: &RateCard, model: &Model) -> Result<String, QuoteError> {
    price(card, &Run::base(model), &Terms::default()).map(|q| q.total.to_string())
}

fn line_text(line: &Line) -> String {
    let (quantity, rate, amount, unit) = (line.quantity, line.rate, line.amount, &line.unit);
    let worked = match line.meter {
        LineMeter::ToCents | LineMeter::Rounded => quantity.to_string(),
        LineMeter::ToCredits | LineMeter::Runs | LineMeter::Display => format!("{quantity} x {rate}"),
        LineMeter::Factor(_) => format!("x {rate}"),
        LineMeter::Metered(_) | LineMeter::Extra(_) => format!("{quantity} x {rate} {unit} / {}", line.denominator),
    };
    format!("{:<16}  {worked} = {amount} {unit}  ({})", line.meter.as_str(), line.rule)
}

fn choice_text(choice: &Choice) -> String {
    let options = choice.options.iter().map(|option| {
        let price = option.price.map_or_else(|| "no price known".to_owned(), |p| p.to_string());
        let mark = if option.chosen { "*" } else { "" };
        format!("{}{mark} {price}", option.value)
    });
    format!("{}: {}", choice.parameter, options.collect::<Vec<_>>().join(" | "))
}

fn evidence_words(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::LiveQuote => "Live quote",
        Evidence::CachedQuote => "Cached quote",
        Evidence::RateCard => "Rate card",
        Evidence::Interpolated => "Interpolated",
        Evidence::AssumedLinear => "Assumed linear",
    }
}

#[derive(Serialize)]
struct Catalog<'a> {
    card_name: &'a str,
    card_date: String,
    models: Vec<ModelRow<'a>>,
}

#[derive(Serialize)]
struct ModelRow<'a> {
    model_id: &'a str,
    name: &'a str,
    kind: &'static str,
    variant: Option<&'static str>,
    capabilities: Vec<&'static str>,
    base: &'a Usage,
    base_credits: Option<String>,
    retired: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    model_id: &'a str,
    runs: u32,
    parameters: &'a Usage,
    total_credits: String,
    total_usd: Option<String>,
    lines: &'a [Line],
    evidence: Evidence,
    evidence_note: &'a str,
    card_name: &'a str,
    card_date: String,
}
