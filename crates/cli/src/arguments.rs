//! What is asked for.

use aispace_pricing::{AUDIO, Kind, Meter, Model, RESOLUTION, Run};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Prices of AI inference in AiSpace credits, exact and explained.
#[derive(Debug, Parser)]
#[command(name = "aispace", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List every model with its base run and price.
    Models {
        /// Only this kind: chat, image, video, audio, embedding, search.
        #[arg(long, value_parser = kind)]
        kind: Option<KindArgument>,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Price a run. What is left out is the model's base run.
    #[command(allow_negative_numbers = true)]
    Quote {
        /// Id of the model.
        model: String,
        #[command(flatten)]
        parameters: RunArguments,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
}

/// A kind of work, read from its word.
#[derive(Debug, Clone, Copy)]
pub struct KindArgument(pub Kind);

fn kind(word: &str) -> Result<KindArgument, String> {
    word.parse().map(KindArgument)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    On,
    Off,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    /// Tokens sent (chat, embedding).
    #[arg(long, value_name = "TOKENS")]
    input: Option<u64>,
    /// Tokens answered (chat).
    #[arg(long, value_name = "TOKENS")]
    output: Option<u64>,
    /// Web searches made (chat).
    #[arg(long, value_name = "COUNT")]
    searches: Option<u64>,
    /// Scraping calls made (chat).
    #[arg(long, value_name = "COUNT")]
    scrapes: Option<u64>,
    /// Generations (image).
    #[arg(long, value_name = "COUNT")]
    images: Option<u64>,
    /// Characters spoken (audio).
    #[arg(long, value_name = "COUNT")]
    characters: Option<u64>,
    /// Calls (search).
    #[arg(long, value_name = "COUNT")]
    calls: Option<u64>,
    /// Length of a clip (video).
    #[arg(long)]
    seconds: Option<u32>,
    /// Resolution of a clip, such as 720p (video).
    #[arg(long)]
    resolution: Option<String>,
    /// Sound of a clip (video).
    #[arg(long)]
    audio: Option<OnOff>,
    /// How many such runs.
    #[arg(long, default_value_t = 1)]
    runs: u32,
}

impl RunArguments {
    /// The model's base run with what was given in its place.
    pub fn run(&self, model: &Model) -> Run {
        let mut run = Run::base(model).times(self.runs);
        for (meter, count) in [
            (Meter::InputTokens, self.input),
            (Meter::OutputTokens, self.output),
            (Meter::WebSearches, self.searches),
            (Meter::WebScrapes, self.scrapes),
            (Meter::Images, self.images),
            (Meter::Characters, self.characters),
            (Meter::Calls, self.calls),
            (Meter::VideoSeconds, self.seconds.map(|s| u64::from(s).saturating_mul(1_000))),
        ] {
            if let Some(count) = count {
                run.usage.set(meter, count);
            }
        }
        run.options.extend(self.resolution.clone().map(|r| (RESOLUTION.to_owned(), r)));
        run.options.extend(self.audio.map(|a| (AUDIO.to_owned(), if a == OnOff::On { "on" } else { "off" }.to_owned())));
        run
    }
}
