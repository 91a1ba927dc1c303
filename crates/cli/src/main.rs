//! `aispace` for a terminal and for scripts.

mod arguments;
mod card_commands;
mod changes;
mod failure;
mod files;
mod lines;
mod models;
mod output;
mod run_arguments;
mod table;
mod venice;

use aispace_pricing::request::{
    AffordRequest, Answer, Body, Cards, CompareRequest, ConvertRequest, MixRequest, Refusal, Refused, RoundingRequest, RunRequest,
    SettleRequest, Verb,
};
use arguments::{AffordArguments, Arguments, Command, CompareArguments, ModelRun, QuoteArguments};
use chrono::{DateTime, SubsecRound, Utc};
use clap::Parser;
use failure::Failure;
use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
    time::SystemTime,
};

/// What was asked for has no answer.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (message, code) = match run(&arguments) {
        Ok(()) | Err(Failure::Pipe) => return ExitCode::SUCCESS,
        Err(Failure::Refused(error)) if arguments.json => {
            let refused = Refused { id: None, error: *error };
            (serde_json::to_string(&refused).unwrap_or_default(), ExitCode::from(REFUSED))
        }
        Err(Failure::Refused(error)) => (format!("aispace: {error}"), ExitCode::from(REFUSED)),
        Err(Failure::Broken(message)) => (format!("aispace: {message}"), ExitCode::FAILURE),
    };
    // Nothing can be said where standard error is gone too.
    let _ = writeln!(io::stderr(), "{message}");
    code
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout());
    let answered = match &arguments.command {
        None if arguments.jsonl => serve(arguments, &mut out),
        None => Err(Refusal::bad_request("a command is missing: see aispace --help").into()),
        Some(_) if arguments.jsonl => {
            Err(Refusal::bad_request("--jsonl reads what is asked from standard input and takes no command").into())
        }
        Some(command) => answer(arguments, command, &mut out),
    };
    // What a refused check has to say is said all the same.
    let flushed = out.flush();
    answered.and(flushed.map_err(Failure::from))
}

fn serve(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let cards = files::cards(&arguments.cards, arguments.with_built_in)?;
    Ok(lines::serve(io::stdin().lock(), out, &cards, || arguments.at.unwrap_or_else(now))?)
}

/// Reads the clock, to the second: the one place where the command asks what time it is.
fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now()).trunc_subsecs(0)
}

fn answer(arguments: &Arguments, command: &Command, out: &mut impl Write) -> Result<(), Failure> {
    let now = arguments.at.unwrap_or_else(now);
    let cards = || files::cards(&arguments.cards, arguments.with_built_in);
    let verb = match command {
        Command::Models(asked) => return models::list(out, &cards()?, asked, now, arguments.json),
        Command::Card(command) => return card_commands::run(out, command, arguments, now),
        Command::Quote(asked) if asked.live || asked.quotes.is_some() => {
            return quote_observed(out, &cards()?, asked, arguments);
        }
        Command::Quote(asked) => Verb::Quote(Box::new(asked.run.request())),
        Command::Range(run) => Verb::Range(Box::new(run.request())),
        Command::Settle { run, held } => Verb::Settle(Box::new(SettleRequest { run: run.request(), held: *held })),
        Command::Afford(asked) => afford(asked)?,
        Command::Compare(asked) => compare(asked),
        Command::Convert { amount, from, to, rounding, decimals } => {
            let rounding = rounding.map(|rule| RoundingRequest { rule, decimals: *decimals });
            Verb::Convert(Box::new(ConvertRequest { amount: *amount, from: from.clone(), to: to.clone(), rounding }))
        }
    };
    let cards = cards()?;
    let body = verb.answer(&cards, now)?;
    if arguments.json {
        return output::document(out, &Answer { id: None, body });
    }
    output::body(out, &cards, &body)?;
    match &verb {
        Verb::Quote(run) => about_model(out, &cards, run, now),
        Verb::Range(_) | Verb::Settle(_) | Verb::Afford(_) | Verb::Mix(_) | Verb::Compare(_) | Verb::Convert(_) => Ok(()),
    }
}

/// A quote of a clip by what Venice says, now or before.
fn quote_observed(out: &mut impl Write, cards: &Cards, asked: &QuoteArguments, arguments: &Arguments) -> Result<(), Failure> {
    let run = asked.run.request();
    let at = arguments.at.unwrap_or_else(now);
    // What is asked now is asked now, whatever instant is priced; the age of what was kept is that at the instant.
    let clock = if asked.live { now() } else { at };
    let body = Body::Quote(Box::new(venice::quote(&run, cards, asked, at, clock)?));
    if arguments.json {
        return output::document(out, &Answer { id: None, body });
    }
    output::body(out, cards, &body)?;
    about_model(out, cards, &run, at)
}

/// What else a quoted run may be, and what there is to know about its model.
fn about_model(out: &mut impl Write, cards: &Cards, request: &RunRequest, now: DateTime<Utc>) -> Result<(), Failure> {
    let placed = request.place(cards)?;
    let model = placed.model()?;
    let (run, terms) = (request.run(model)?, request.terms(now)?);
    output::choices(out, &aispace_pricing::choices(&placed.card, &run, &terms))?;
    output::model_notes(out, model)
}

impl ModelRun {
    fn request(&self) -> RunRequest {
        self.run.request(Some(&self.model))
    }
}

fn afford(asked: &AffordArguments) -> Result<Verb, Failure> {
    let (budget, unit) = match (asked.budget, asked.usd) {
        (Some(budget), _) => (budget, asked.unit.clone()),
        (None, usd) => (usd.unwrap_or_default(), Some("usd".to_owned())),
    };
    let run = asked.run.request();
    if asked.first.is_empty() {
        return Ok(Verb::Afford(Box::new(AffordRequest { run, budget, unit })));
    }
    let first = asked.first.iter().map(|text| run_arguments::run_in_words(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Verb::Mix(Box::new(MixRequest { budget, unit, first, then: run })))
}

fn compare(asked: &CompareArguments) -> Verb {
    Verb::Compare(Box::new(CompareRequest {
        run: asked.run.request(None),
        kind: asked.kind,
        name: asked.name.clone(),
        capabilities: asked.capabilities.clone(),
        cards: Vec::new(),
        top: Some(asked.top),
        left_out: asked.left_out,
    }))
}
