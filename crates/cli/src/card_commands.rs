//! Rate cards themselves: checked, printed, compared, imported.

use crate::{
    arguments::{Arguments, CardCommand},
    failure::Failure,
    files, output,
};
use aispace_pricing::{
    RateCard,
    request::{Code, Refusal},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::io::Write;

/// Runs a command about cards.
pub fn run(out: &mut impl Write, command: &CardCommand, arguments: &Arguments, _now: DateTime<Utc>) -> Result<(), Failure> {
    match command {
        CardCommand::Check { files } => check(out, files, arguments.json),
        CardCommand::Show { card } => show(out, card, arguments),
        CardCommand::Diff { .. } | CardCommand::Import(_) => Err(Failure::Broken("not there yet".to_owned())),
    }
}

#[derive(Serialize)]
struct Checks<'a> {
    checked: Vec<Checked<'a>>,
}

#[derive(Serialize)]
struct Checked<'a> {
    file: &'a str,
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
}

fn check(out: &mut impl Write, names: &[String], json: bool) -> Result<(), Failure> {
    let mut checked = Vec::with_capacity(names.len());
    for name in names {
        checked.push((name, read_card(name)?));
    }
    let refused = checked.iter().filter(|(_, read)| read.is_err()).count();
    if json {
        let checked = checked.iter().map(|(name, read)| match read {
            Ok(card) => Checked {
                file: name,
                holds: true,
                card: Some(card.id().to_owned()),
                date: Some(card.date()),
                models: Some(card.models().len()),
                error: None,
            },
            Err(error) => Checked { file: name, holds: false, card: None, date: None, models: None, error: Some(error.clone()) },
        });
        output::document(out, &Checks { checked: checked.collect() })?;
    } else {
        for (name, read) in &checked {
            match read {
                Ok(card) => writeln!(out, "{name}: holds together: {}, {}, {} models", card.name(), card.date(), card.models().len())?,
                Err(error) => writeln!(out, "{error}")?,
            }
        }
    }
    match refused {
        0 => Ok(()),
        refused => Err(Refusal::new(Code::BadCard, format!("{refused} of {} files refused", names.len())).into()),
    }
}

/// A card, or why its file is none; a file that cannot be read is a failure.
fn read_card(name: &str) -> Result<Result<RateCard, Refusal>, Failure> {
    match files::card_in(name) {
        Ok(card) => Ok(Ok(card)),
        Err(Failure::Refused(refusal)) => Ok(Err(*refusal)),
        Err(failure) => Err(failure),
    }
}

fn show(out: &mut impl Write, name: &str, arguments: &Arguments) -> Result<(), Failure> {
    let named = if arguments.cards.is_empty() { None } else { files::cards(&arguments.cards, false)?.get(name).ok().cloned() };
    let card = named.map_or_else(|| files::card(name), Ok)?;
    Ok(writeln!(out, "{}", card.to_json())?)
}
