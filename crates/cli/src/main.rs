//! `aispace` for a terminal and for scripts.

mod arguments;
mod output;

use aispace_pricing::{CardError, QuoteError, RateCard, Terms, quote};
use arguments::{Arguments, Command};
use clap::Parser;
use std::{io::Write, process::ExitCode};

/// A refusal: the run as asked for has no price.
const REFUSED: u8 = 2;

/// Why the command ended without its answer.
#[derive(Debug)]
enum Failure {
    Refused(String),
    Broken(String),
}

impl From<QuoteError> for Failure {
    fn from(error: QuoteError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<CardError> for Failure {
    fn from(error: CardError) -> Self {
        Self::Broken(format!("the built-in rate card: {error}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(format!("the answer could not be written: {error}"))
    }
}

fn main() -> ExitCode {
    let (message, code) = match run(&Arguments::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Refused(message)) => (message, ExitCode::from(REFUSED)),
        Err(Failure::Broken(message)) => (message, ExitCode::FAILURE),
    };
    // Nothing can be said where standard error is gone too.
    let _ = writeln!(std::io::stderr(), "aispace: {message}");
    code
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let card = RateCard::aispace()?;
    let mut answer = Vec::new();
    match &arguments.command {
        Command::Models { kind, json } => {
            let shown = card.models().iter().filter(|m| kind.is_none_or(|k| k.0 == m.kind));
            if *json { output::models_json(&mut answer, &card, shown)? } else { output::models(&mut answer, &card, shown)? }
        }
        Command::Quote { model, parameters, json } => {
            let run = parameters.run(card.model(model)?);
            let quoted = quote(&card, &run, &Terms::default())?;
            if *json { output::quote_json(&mut answer, &run, &quoted)? } else { output::quote(&mut answer, &card, &run, &quoted)? }
        }
    }
    match std::io::stdout().write_all(&answer) {
        // `aispace models | head` is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
