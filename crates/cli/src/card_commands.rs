//! Rate cards themselves: checked, printed, compared, imported.

use crate::{
    arguments::{Arguments, CardCommand, ImportArguments, PeriodWord, UsageArguments},
    changes,
    failure::Failure,
    files, lines, output,
    table::{self, Side},
    venice,
};
use aispace_pricing::{
    CardDiff, CardName, FEED_BYTES_MAX, Feed, Import, ImportTerms, MergeError, Merged, RateCard, Replay, Tally, Terms, Undated,
    calendar_month, diff, import, last_month, merge,
    request::{Code, REQUEST_BYTES_MAX, Refusal},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Runs a command about cards.
pub fn run(out: &mut impl Write, command: &CardCommand, arguments: &Arguments, now: DateTime<Utc>) -> Result<(), Failure> {
    match command {
        CardCommand::Check { files } => check(out, files, arguments.json),
        CardCommand::Show { card } => show(out, card, arguments),
        CardCommand::Diff { old, new, usage } => {
            let changes = Changes::between(&files::card(old)?, &files::card(new)?, usage, now)?;
            if arguments.json { output::document(out, &changes) } else { changes.write(out) }
        }
        CardCommand::Merge { old, new, from, out: file } => join(out, &files::card(old)?, &files::card(new)?, *from, file.as_deref()),
        CardCommand::Import(asked) => import_list(out, asked, arguments.json, now),
    }
}

/// What changed, and what that would have meant.
#[derive(Serialize)]
struct Changes {
    diff: CardDiff,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<Replay>,
}

impl Changes {
    fn between(old: &RateCard, new: &RateCard, usage: &UsageArguments, now: DateTime<Utc>) -> Result<Self, Failure> {
        let replay = usage.log.as_deref().map(|log| replayed(log, old, new, usage.period, now)).transpose()?;
        Ok(Self { diff: diff(old, new), replay })
    }

    fn write(&self, out: &mut impl Write) -> Result<(), Failure> {
        changes::write(out, &self.diff)?;
        self.replay.as_ref().map_or(Ok(()), |replay| changes::write_replay(out, replay))
    }
}

fn replayed(name: &str, old: &RateCard, new: &RateCard, period: PeriodWord, now: DateTime<Utc>) -> Result<Replay, Failure> {
    let period = match period {
        PeriodWord::Month => Some(last_month(now)),
        PeriodWord::CalendarMonth => Some(calendar_month(now)),
        PeriodWord::All => None,
    };
    let mut tally = Tally::new(old, new, Terms::default(), period);
    let broken = |error: io::Error| Failure::file(Path::new(name), &error);
    let source: Box<dyn io::Read> = if name == "-" { Box::new(io::stdin()) } else { Box::new(fs::File::open(name).map_err(broken)?) };
    let (mut input, mut line) = (io::BufReader::new(source), Vec::new());
    loop {
        match lines::next(&mut input, &mut line).map_err(broken)? {
            lines::Next::End => return Ok(tally.finish()),
            // Its length is what is refused.
            lines::Next::TooLong => tally.add_line(&" ".repeat(REQUEST_BYTES_MAX + 1)),
            lines::Next::Line if line.trim_ascii().is_empty() => {}
            lines::Next::Line => tally.add_line(&String::from_utf8_lossy(&line)),
        }
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
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
                warnings: card.warnings().iter().map(ToString::to_string).collect(),
                error: None,
            },
            Err(error) => {
                Checked { file: name, holds: false, card: None, date: None, models: None, warnings: Vec::new(), error: Some(error.clone()) }
            }
        });
        output::document(out, &Checks { checked: checked.collect() })?;
    } else {
        for (name, read) in &checked {
            match read {
                Ok(card) => {
                    let models = output::counted(card.models().len(), "model");
                    writeln!(out, "{name}: holds together: {}, {}, {models}", card.name(), card.date())?;
                    for warning in card.warnings() {
                        writeln!(out, "{name}: warning: {warning}")?;
                    }
                }
                Err(error) => writeln!(out, "{error}")?,
            }
        }
    }
    match refused {
        0 => Ok(()),
        refused => Err(Refusal::new(Code::BadCard, format!("{refused} of {} refused", output::counted(names.len(), "file"))).into()),
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

fn join(out: &mut impl Write, old: &RateCard, new: &RateCard, from: DateTime<Utc>, file: Option<&Path>) -> Result<(), Failure> {
    let refused = |error: MergeError| match error {
        MergeError::Undated { ref what } => Refusal::new(Code::BadCard, error.to_string()).with("undated", what.clone()),
        error => Refusal::new(Code::BadCard, error.to_string()),
    };
    let Merged { card, undated } = merge(old, new, from).map_err(refused)?;
    for Undated { model_id, what } in undated {
        // The card is written all the same; nobody may read this.
        let _ = writeln!(io::stderr(), "aispace: {model_id}: {what} is the newer card's at all times");
    }
    match file {
        Some(path) => Ok(fs::write(path, card.to_json() + "\n").map_err(|error| Failure::file(path, &error))?),
        None => Ok(writeln!(out, "{}", card.to_json())?),
    }
}

#[derive(Serialize)]
struct Imported<'a> {
    import: ImportWords<'a>,
}

#[derive(Serialize)]
struct ImportWords<'a> {
    card: CardName,
    models: usize,
    skipped: Vec<SkippedWords<'a>>,
    ignored: Vec<IgnoredWords<'a>>,
    #[serde(flatten)]
    changes: Option<Changes>,
}

#[derive(Serialize)]
struct SkippedWords<'a> {
    model_id: &'a str,
    reason: String,
}

#[derive(Serialize)]
struct IgnoredWords<'a> {
    field: &'a str,
    reason: &'static str,
    models: usize,
}

fn import_list(out: &mut impl Write, asked: &ImportArguments, json: bool, now: DateTime<Utc>) -> Result<(), Failure> {
    let id = asked.id.clone().unwrap_or_else(|| asked.from.to_string());
    let name = asked.name.clone().unwrap_or_else(|| id.clone());
    let terms = ImportTerms { group: asked.group.clone(), ..ImportTerms::new(id, name, asked.date.unwrap_or_else(|| now.date_naive())) };
    let (source, bytes) = match &asked.file {
        Some(file) => (file.as_str(), files::read(file, FEED_BYTES_MAX)?),
        None if asked.from == Feed::VeniceModels => ("Venice", venice::models(&asked.venice, now)?),
        None => return Err(Refusal::bad_request(format!("only Venice's price list can be fetched, not that of {}", asked.from)).into()),
    };
    let refused = |error: aispace_pricing::ImportError| Refusal::new(Code::BadCard, format!("{source}: {error}")).with("file", source);
    let imported = import(asked.from, &bytes, &terms).map_err(refused)?;
    if asked.usage.log.is_some() && asked.against.is_none() {
        return Err(Refusal::bad_request("--usage says what a change would have meant: --against which card").into());
    }
    let between = |old: &String| Changes::between(&files::card(old)?, &imported.card, &asked.usage, now);
    let changed = asked.against.as_ref().map(between).transpose()?;
    if imported.card.models().is_empty() {
        report(out, &imported, None, json)?;
        let message = format!("{source}: no model of it could be imported");
        return Err(Refusal::new(Code::BadCard, message).with("file", source).into());
    }
    match asked.out.as_deref() {
        None => report(out, &imported, changed, json),
        // The card has standard output to itself.
        Some(path) if path == Path::new("-") => {
            writeln!(out, "{}", imported.card.to_json())?;
            report(&mut io::stderr(), &imported, changed, json)
        }
        Some(path) => {
            fs::write(path, imported.card.to_json() + "\n").map_err(|error| Failure::file(path, &error))?;
            report(out, &imported, changed, json)?;
            if json { Ok(()) } else { Ok(writeln!(out, "Written to {}.", path.display())?) }
        }
    }
}

/// Most skipped models that are listed for people; JSON has all.
const SKIPPED_SHOWN: usize = 40;

fn report(out: &mut impl Write, imported: &Import, changed: Option<Changes>, json: bool) -> Result<(), Failure> {
    let Import { card, skipped, ignored } = imported;
    if json {
        let words = ImportWords {
            card: CardName { id: card.id().to_owned(), name: card.name().to_owned(), date: card.date() },
            models: card.models().len(),
            skipped: skipped.iter().map(|s| SkippedWords { model_id: &s.model_id, reason: s.reason.to_string() }).collect(),
            ignored: ignored.iter().map(|i| IgnoredWords { field: &i.field, reason: i.reason, models: i.models }).collect(),
            changes: changed,
        };
        return output::document(out, &Imported { import: words });
    }
    let models = output::counted(card.models().len(), "model");
    writeln!(out, "{} ({}), {}: {models} imported, {} not", card.name(), card.id(), card.date(), skipped.len())?;
    if !skipped.is_empty() {
        writeln!(out)?;
        writeln!(out, "Not imported")?;
        let rows: Vec<Vec<String>> = skipped.iter().take(SKIPPED_SHOWN).map(|s| vec![s.model_id.clone(), s.reason.to_string()]).collect();
        table::write(out, "  ", &[Side::Left, Side::Left], &rows)?;
        if let Some(more) = skipped.len().checked_sub(SKIPPED_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "  and {more} more, which --json lists")?;
        }
    }
    if !ignored.is_empty() {
        writeln!(out)?;
        writeln!(out, "Prices that no run asks for")?;
        let rows: Vec<Vec<String>> =
            ignored.iter().map(|i| vec![i.field.clone(), output::counted(i.models, "model"), i.reason.to_owned()]).collect();
        table::write(out, "  ", &[Side::Left, Side::Right, Side::Left], &rows)?;
    }
    match changed {
        Some(changed) => {
            writeln!(out)?;
            changed.write(out)
        }
        None => Ok(()),
    }
}
