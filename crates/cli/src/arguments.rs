//! What is asked for.

use crate::run_arguments::RunArguments;
use aispace_pricing::{Capability, Feed, Kind};
use aispace_units::{Exact, Rounding};
use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const ABOUT_EXITS: &str = "\
Exit codes: 0 answered; 2 refused (unknown model, impossible choice, no price, an argument that is not understood, a file that is no rate \
card); 1 broken (a file that cannot be read, an answer that cannot be written). Refusals and failures are on standard error. With --jsonl \
every refusal is an answer line, and the code is 0 once all lines are answered.";

/// Prices of AI inference, exact and explained. Without a network.
#[derive(Debug, Parser)]
#[command(name = "aispace", version, after_help = ABOUT_EXITS, arg_required_else_help = true)]
pub struct Arguments {
    /// One JSON document instead of text; refusals too, on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// Read requests from standard input, one JSON object a line, and write their answers, line by line and in order.
    #[arg(long, conflicts_with = "json")]
    pub jsonl: bool,
    /// Price by this rate card: a file in the documented format, or the id of a built-in card. May be given several times; the built-in
    /// cards that are not named are then left out.
    #[arg(long = "card", global = true, value_name = "FILE")]
    pub cards: Vec<String>,
    /// Price by the built-in cards beside those of --card.
    #[arg(long, global = true)]
    pub with_built_in: bool,
    /// The instant whose prices hold, such as 2026-02-01T00:00:00Z or 2026-02-01; now when left out.
    #[arg(long, global = true, value_parser = instant)]
    pub at: Option<DateTime<Utc>>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Price a run, with every step. A run that counts nothing is the model's base run.
    Quote(QuoteArguments),
    /// Price a run of unknown lengths, counts being LOW..LIKELY..HIGH, and say what is held for it.
    Range(ModelRun),
    /// Settle a run by what was metered, beside what was held for it.
    Settle {
        #[command(flatten)]
        run: ModelRun,
        /// What was held, in the card's unit of account.
        #[arg(long)]
        held: Exact,
    },
    /// Say how many whole runs a budget pays for, and what is left.
    Afford(AffordArguments),
    /// Rank every model that can do a job by what it costs.
    Compare(CompareArguments),
    /// List models, each with its base run and price.
    Models(ModelsArguments),
    /// Turn an amount of one unit into another: aispace, pinnora, usd, cny, and those of the cards.
    Convert {
        /// How much.
        amount: Exact,
        /// What it is in.
        from: String,
        /// What it is asked in.
        to: String,
        /// Round by this rule: down, up, half_up, half_even. Without it the answer is exact or refused.
        #[arg(long, value_parser = rounding)]
        rounding: Option<Rounding>,
        /// Decimals that stay when rounding.
        #[arg(long, default_value_t = 2, requires = "rounding")]
        decimals: u32,
    },
    /// Look at rate cards: check, compare, import, print.
    #[command(subcommand)]
    Card(CardCommand),
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct ModelRun {
    /// Id, alias or name of the model, or CARD:MODEL.
    pub model: String,
    #[command(flatten)]
    pub run: RunArguments,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct QuoteArguments {
    #[command(flatten)]
    pub run: ModelRun,
    /// Ask Venice what the clip costs now; the only option that needs a network. Without an answer the kept quotes or the card say it.
    #[arg(long)]
    pub live: bool,
    /// A file of quotes that were asked before, each with its instant; with --live the answer is kept there.
    #[arg(long, visible_alias = "quote-cache", value_name = "FILE")]
    pub quotes: Option<PathBuf>,
    #[command(flatten)]
    pub venice: VeniceArguments,
}

#[derive(Debug, Args)]
pub struct VeniceArguments {
    /// Where Venice answers, when not at its own address. VENICE_API_KEY, if set, is sent along; prices need no key.
    #[arg(long = "venice", value_name = "URL")]
    pub url: Option<String>,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct AffordArguments {
    #[command(flatten)]
    pub run: ModelRun,
    /// What there is to spend, in --unit.
    #[arg(long, required_unless_present = "usd")]
    pub budget: Option<Exact>,
    /// What the budget is in: usd, cny, a credit's owner; the card's unit of account when left out.
    #[arg(long, requires = "budget")]
    pub unit: Option<String>,
    /// What there is to spend, in US dollars.
    #[arg(long, conflicts_with = "budget")]
    pub usd: Option<Exact>,
    /// What is bought first, whatever else fits: "MODEL [OPTIONS]" as quote takes them, or a run as requests write it. May be given several
    /// times.
    #[arg(long, value_name = "RUN")]
    pub first: Vec<String>,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct CompareArguments {
    #[command(flatten)]
    pub run: RunArguments,
    /// Only models of this kind: chat, image, video, audio, embedding, search, call.
    #[arg(long, value_parser = word::<Kind>)]
    pub kind: Option<Kind>,
    /// Only models whose id, alias or name holds this.
    #[arg(long)]
    pub name: Option<String>,
    /// Only models that are known to do this, such as vision. May be given several times.
    #[arg(long = "capability", value_name = "CAPABILITY", value_parser = word::<Capability>)]
    pub capabilities: Vec<Capability>,
    /// How many are listed at most.
    #[arg(long, default_value_t = 10)]
    pub top: u32,
    /// List the models that cannot do it too, each with its reason.
    #[arg(long)]
    pub left_out: bool,
}

#[derive(Debug, Args)]
pub struct ModelsArguments {
    /// Only models whose id, alias or name holds this.
    pub text: Option<String>,
    /// Only models of this kind: chat, image, video, audio, embedding, search, call.
    #[arg(long, value_parser = word::<Kind>)]
    pub kind: Option<Kind>,
    /// Only models that are known to do this, such as vision. May be given several times.
    #[arg(long = "capability", value_name = "CAPABILITY", value_parser = word::<Capability>)]
    pub capabilities: Vec<Capability>,
}

#[derive(Debug, Subcommand)]
pub enum CardCommand {
    /// Say whether files are rate cards that hold together; - is standard input.
    Check {
        /// Files.
        #[arg(required = true)]
        files: Vec<String>,
    },
    /// Print a card as its file writes it.
    Show {
        /// Id of a built-in card or of one of --card; a file.
        card: String,
    },
    /// Say what changed from one card to another: a file each, or the id of a built-in card.
    Diff {
        /// The card in use.
        old: String,
        /// The new one.
        new: String,
        #[command(flatten)]
        usage: UsageArguments,
    },
    /// Join a newer card to an older one, so that each prices its own time.
    Merge {
        /// The card in use: a file, or the id of a built-in card.
        old: String,
        /// The newer one.
        new: String,
        /// The instant from which the newer one holds, such as 2026-12-01.
        #[arg(long, value_parser = instant)]
        from: DateTime<Utc>,
        /// Write the joined card to this file; standard output when left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Read a foreign price list into a rate card.
    Import(ImportArguments),
}

#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The price list's file; - is standard input.
    #[arg(required_unless_present = "fetch")]
    pub file: Option<String>,
    /// Fetch the price list from Venice.
    #[arg(long, conflicts_with = "file")]
    pub fetch: bool,
    #[command(flatten)]
    pub venice: VeniceArguments,
    /// Whose price list it is: venice, new-api, openrouter, litellm.
    #[arg(long, value_parser = word::<Feed>)]
    pub from: Feed,
    /// Id of the new card; the word of --from when left out.
    #[arg(long)]
    pub id: Option<String>,
    /// Its name for people; the id when left out.
    #[arg(long)]
    pub name: Option<String>,
    /// The day as of which the prices hold; that of --at, or today, when left out.
    #[arg(long)]
    pub date: Option<NaiveDate>,
    /// The group of a run that names none, where the price list has groups.
    #[arg(long)]
    pub group: Option<String>,
    /// Say what changed against this card: a file, or the id of a built-in card.
    #[arg(long, value_name = "CARD")]
    pub against: Option<String>,
    #[command(flatten)]
    pub usage: UsageArguments,
    /// Write the card to this file; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct UsageArguments {
    /// A usage log: what the change would have meant for it. A line is a run as requests write it, with at and, where known, charged; - is
    /// standard input.
    #[arg(long = "usage", value_name = "LOG")]
    pub log: Option<String>,
    /// Which of its runs count.
    #[arg(long, value_enum, default_value_t = PeriodWord::Month, requires = "log")]
    pub period: PeriodWord,
}

/// Which runs of a log count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PeriodWord {
    /// Those of the 30 days before now, or before --at.
    Month,
    /// Those of the last whole calendar month, UTC.
    CalendarMonth,
    /// All.
    All,
}

fn word<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse()
}

fn rounding(text: &str) -> Result<Rounding, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("{text:?} is not one of down, up, half_up, half_even"))
}

/// An instant, or the first one of a UTC day.
pub fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let instant = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let day = || text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
    instant.or_else(|error| day().ok_or_else(|| format!("{error}; such as 2026-02-01T00:00:00Z or 2026-02-01")))
}
