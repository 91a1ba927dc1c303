//! What is answered: text for people, JSON for scripts.

use crate::{
    failure::Failure,
    table::{self, Side},
};
use aispace_pricing::{
    Choice, Currency, Denominator, Evidence, LeftOutKind, LineRole, Model, Run, Usage, grouped,
    request::{AffordAnswer, Body, Cards, CompareAnswer, ConvertAnswer, LineAnswer, MixAnswer, QuoteAnswer, RangeAnswer, SettleAnswer},
};
use aispace_units::Exact;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Writes one JSON document.
pub fn document(out: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}

/// Writes an answer for people.
pub fn body(out: &mut impl Write, cards: &Cards, body: &Body) -> Result<(), Failure> {
    let units = Units { cards };
    let written = match body {
        Body::Quote(answer) => quote(out, &units, answer),
        Body::Range(answer) => range(out, &units, answer),
        Body::Settle(answer) => settle(out, &units, answer),
        Body::Afford(answer) => afford(out, &units, answer),
        Body::Mix(answer) => mix(out, &units, answer),
        Body::Compare(answer) => compare(out, &units, answer),
        Body::Convert(answer) => convert(out, &units, answer),
    };
    Ok(written?)
}

/// What the units are called.
struct Units<'a> {
    cards: &'a Cards,
}

impl Units<'_> {
    /// The name of a code; the code itself where two cards mean different things by it.
    fn name(&self, code: &str) -> String {
        Currency::find(code, self.cards.iter()).map_or_else(|_| code.to_owned(), |currency| currency.name)
    }
}

fn quote(out: &mut impl Write, units: &Units<'_>, quote: &QuoteAnswer) -> io::Result<()> {
    let runs = if quote.runs > 1 { format!(", {}", runs(quote.runs)) } else { String::new() };
    let tier = quote.tier.as_ref().map(|tier| format!(", tier {tier}")).unwrap_or_default();
    writeln!(out, "{}: {}{tier}{runs}", quote.model, describe(&quote.model, &quote.usage, &quote.options))?;
    writeln!(out, "{}, rate card of {}", quote.card.name, quote.card.date)?;
    writeln!(out)?;
    let rows: Vec<Vec<String>> = quote.lines.iter().filter(|line| line.role != LineRole::Display).map(line_row).collect();
    table::write(out, "  ", &[Side::Left, Side::Left, Side::Left, Side::Right, Side::Left, Side::Left], &rows)?;
    if !rows.is_empty() {
        writeln!(out)?;
    }
    let mut totals = vec![vec!["Total".to_owned(), amount(quote.total), units.name(&quote.unit)]];
    totals.extend((quote.posted != quote.total).then(|| vec!["Posted".to_owned(), amount(quote.posted), units.name(&quote.unit)]));
    let is_usd = quote.unit == "usd";
    totals.extend(quote.usd.filter(|_| !is_usd).map(|usd| vec![String::new(), amount(usd), units.name("usd")]));
    totals.extend(quote.display.iter().map(|(code, other)| vec![String::new(), amount(*other), units.name(code)]));
    table::write(out, "  ", &[Side::Left, Side::Right, Side::Left], &totals)?;
    writeln!(out)?;
    writeln!(out, "{}: {}", evidence_words(quote.evidence), quote.note)
}

fn line_row(line: &LineAnswer) -> Vec<String> {
    let LineAnswer { meter, quantity, rate, unit, per, amount: comes_to, rule, role } = line;
    let per_words = if *per == Denominator::ONE { String::new() } else { format!(" / {per}") };
    let worked = match (role, meter.as_str()) {
        (LineRole::Factor, _) => format!("× {}", amount(*rate)),
        (LineRole::Charge | LineRole::Step, "to_cents" | "rounded" | "extra") => amount(if meter == "extra" { *rate } else { *quantity }),
        (LineRole::Charge | LineRole::Step, "to_credits") | (LineRole::Runs | LineRole::Display, _) => {
            format!("{} × {}", amount(*quantity), amount(*rate))
        }
        (LineRole::Charge | LineRole::Step, _) => format!("{} × {} {unit}{per_words}", amount(*quantity), amount(*rate)),
    };
    vec![meter.clone(), worked, "=".to_owned(), amount(*comes_to), unit.clone(), rule.clone()]
}

/// What the parameters of a clip may be, each with what the run would cost.
pub fn choices(out: &mut impl Write, choices: &[Choice]) -> Result<(), Failure> {
    if choices.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "A clip of this model may have, each with what the run then costs by the card (* is this run):")?;
    let rows: Vec<Vec<String>> = choices.iter().map(|choice| vec![choice.parameter.to_string(), choice_words(choice)]).collect();
    Ok(table::write(out, "  ", &[Side::Left, Side::Left], &rows)?)
}

fn choice_words(choice: &Choice) -> String {
    let options = choice.options.iter().map(|option| {
        let price = option.price.map_or_else(|| "no price known".to_owned(), amount);
        let mark = if option.chosen { "*" } else { "" };
        format!("{}{mark} {price}", option.value)
    });
    options.collect::<Vec<_>>().join(" | ")
}

/// What there is to know about a model beside its price.
pub fn model_notes(out: &mut impl Write, model: &Model) -> Result<(), Failure> {
    if let Some(note) = &model.note {
        writeln!(out, "Note: {note}.")?;
    }
    if let Some(day) = model.retired {
        writeln!(out, "The provider retired this model on {day}.")?;
    }
    Ok(())
}

fn range(out: &mut impl Write, units: &Units<'_>, range: &RangeAnswer) -> io::Result<()> {
    let RangeAnswer { low, likely, high, hold, hold_basis, unit, usd, cheapest, dearest, quote } = range;
    writeln!(out, "{}, {}, rate card of {}", quote.model, quote.card.name, quote.card.date)?;
    writeln!(out)?;
    let row = |name: &str, total: Exact, in_usd: Option<Exact>, what: String| {
        let in_usd = in_usd.filter(|_| unit != "usd").map(|usd| format!("{} {}", amount(usd), units.name("usd"))).unwrap_or_default();
        vec![name.to_owned(), amount(total), units.name(unit), in_usd, what]
    };
    let run = |usage: &Usage| describe(&quote.model, usage, &quote.options);
    let held = match hold_basis.as_str() {
        "likely" => "the likely cost, posted and rounded up",
        "fixed" => "as the card says, whatever the run",
        _ => "the dearest the run can get, posted and rounded up",
    };
    let rows = [
        row("Low", *low, usd.map(|usd| usd.low), run(cheapest)),
        row("Likely", *likely, usd.map(|usd| usd.likely), run(&quote.usage)),
        row("High", *high, usd.map(|usd| usd.high), run(dearest)),
        row("Hold", *hold, usd.map(|usd| usd.hold), held.to_owned()),
    ];
    table::write(out, "  ", &[Side::Left, Side::Right, Side::Left, Side::Right, Side::Left], &rows)?;
    writeln!(out)?;
    writeln!(out, "{}: {}", evidence_words(quote.evidence), quote.note)
}

fn settle(out: &mut impl Write, units: &Units<'_>, settled: &SettleAnswer) -> io::Result<()> {
    quote(out, units, &settled.quote)?;
    writeln!(out)?;
    let row = |name: &str, what: Exact| vec![name.to_owned(), amount(what), units.name(&settled.unit)];
    let rows = [
        row("Held", settled.held),
        row("Debited", settled.posted),
        row("Released", settled.released),
        row("Above the hold", settled.above_hold),
    ];
    table::write(out, "  ", &[Side::Left, Side::Right, Side::Left], &rows)
}

fn afford(out: &mut impl Write, units: &Units<'_>, afford: &AffordAnswer) -> io::Result<()> {
    writeln!(out, "{}, {}, rate card of {}", afford.model, afford.card.name, afford.card.date)?;
    writeln!(out)?;
    table::write(out, "  ", &[Side::Left, Side::Right, Side::Left, Side::Left], &afford_rows(units, afford))
}

fn afford_rows(units: &Units<'_>, afford: &AffordAnswer) -> Vec<Vec<String>> {
    let row = |name: &str, what: Exact, unit: &str, about: String| vec![name.to_owned(), amount(what), unit.to_owned(), about];
    let unit = units.name(&afford.unit);
    let one = describe(&afford.model, &afford.usage, &afford.options);
    let one = if afford.runs > 1 { format!("{one}, {} together", runs(afford.runs)) } else { one };
    vec![
        row("Budget", afford.budget, &unit, String::new()),
        row("One costs", afford.per_run, &unit, one),
        row("So many fit", afford.count, "", String::new()),
        row("They cost", afford.spent, &unit, String::new()),
        row("Left", afford.remainder, &unit, String::new()),
    ]
}

fn mix(out: &mut impl Write, units: &Units<'_>, mix: &MixAnswer) -> io::Result<()> {
    let then = &mix.then;
    writeln!(out, "{}, rate card of {}", then.card.name, then.card.date)?;
    writeln!(out)?;
    let row = |name: &str, what: Exact, about: String| vec![name.to_owned(), amount(what), units.name(&mix.unit), about];
    let mut rows = vec![row("Budget", mix.budget, String::new())];
    rows.extend(mix.first.iter().map(|part| row("First", part.total, format!("{}, {}", part.model, runs(part.runs)))));
    rows.extend(afford_rows(units, then).into_iter().map(|mut row| {
        if row.first().is_some_and(|name| name == "Budget") {
            row[0] = "Then there are".to_owned();
            row[3] = format!("for {}", then.model);
        }
        row
    }));
    table::write(out, "  ", &[Side::Left, Side::Right, Side::Left, Side::Left], &rows)
}

fn compare(out: &mut impl Write, units: &Units<'_>, compared: &CompareAnswer) -> io::Result<()> {
    let able = counted(usize::try_from(compared.able).unwrap_or(usize::MAX), "model");
    writeln!(out, "{}: {able} can do it", describe("", &compared.usage, &BTreeMap::new()))?;
    writeln!(out)?;
    let rows: Vec<Vec<String>> = compared
        .ranked
        .iter()
        .map(|m| {
            let in_usd = m.usd.filter(|_| m.unit != "usd").map(|usd| format!("{} {}", amount(usd), units.name("usd"))).unwrap_or_default();
            vec![
                amount(m.total),
                units.name(&m.unit),
                in_usd,
                format!("{}:{}", m.card, m.model),
                m.name.clone(),
                evidence_words(m.evidence).to_owned(),
            ]
        })
        .collect();
    table::write(out, "  ", &[Side::Right, Side::Left, Side::Right, Side::Left, Side::Left, Side::Left], &rows)?;
    if !compared.unable.is_empty() {
        let reasons: Vec<String> = compared.unable.iter().map(|(reason, count)| format!("{count} {}", reason_words(reason))).collect();
        writeln!(out)?;
        writeln!(out, "Left out: {}.", reasons.join(", "))?;
    }
    let rows: Vec<Vec<String>> = compared.left_out.iter().map(|m| vec![format!("{}:{}", m.card, m.model), m.message.clone()]).collect();
    table::write(out, "  ", &[Side::Left, Side::Left], &rows)
}

fn reason_words(reason: &str) -> String {
    let words = reason.parse().map(|reason: LeftOutKind| match reason {
        LeftOutKind::Retired => "retired",
        LeftOutKind::NotYet => "not there yet",
        LeftOutKind::Cannot => "not known to do it",
        LeftOutKind::TooLong => "too small for it",
        LeftOutKind::NoRate => "without a rate for all of it",
        LeftOutKind::Impossible => "that cannot do it like this",
        LeftOutKind::NoPrice => "at no known price",
    });
    words.map_or_else(|_| reason.to_owned(), ToOwned::to_owned)
}

fn convert(out: &mut impl Write, units: &Units<'_>, answer: &ConvertAnswer) -> io::Result<()> {
    let ConvertAnswer { amount: given, from, to, converted, exact } = answer;
    let about = if *exact { "" } else { " (rounded)" };
    writeln!(out, "{} {} = {} {}{about}", amount(*given), units.name(from), amount(*converted), units.name(to))
}

fn runs(count: u32) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "run")
}

/// So many of something.
pub fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {one}s", grouped(&count.to_string())) }
}

fn describe(model: &str, usage: &Usage, options: &BTreeMap<String, String>) -> String {
    Run { options: options.clone(), ..Run::new(model, usage.clone()) }.describe()
}

/// An amount as people read it, with its thousands apart.
pub fn amount(number: Exact) -> String {
    grouped(&number.to_string())
}

/// How sure a price is.
pub fn evidence_words(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::LiveQuote => "Live quote",
        Evidence::CachedQuote => "Cached quote",
        Evidence::RateCard => "Rate card",
        Evidence::Interpolated => "Interpolated",
        Evidence::AssumedLinear => "Assumed linear",
    }
}
