//! What is asked for.

use aispace_pricing::{Kind, Model, Parameters, Run};
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
    let all = [Kind::Chat, Kind::Image, Kind::Video, Kind::Audio, Kind::Embedding, Kind::Search];
    let known = all.map(Kind::as_str).join(", ");
    all.into_iter().find(|k| k.as_str() == word).map(KindArgument).ok_or_else(|| format!("not one of {known}"))
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
    /// The model's base run with what was given in its place; an argument of another kind of work is refused.
    pub fn run(&self, model: &Model) -> Result<Run, String> {
        let (parameters, used): (Parameters, &[&str]) = match model.base() {
            Parameters::Chat { input_tokens, output_tokens, web_searches, web_scrapes } => (
                Parameters::Chat {
                    input_tokens: self.input.unwrap_or(*input_tokens),
                    output_tokens: self.output.unwrap_or(*output_tokens),
                    web_searches: self.searches.unwrap_or(*web_searches),
                    web_scrapes: self.scrapes.unwrap_or(*web_scrapes),
                },
                &["--input", "--output", "--searches", "--scrapes"],
            ),
            Parameters::Image { images } => (Parameters::Image { images: self.images.unwrap_or(*images) }, &["--images"]),
            Parameters::Audio { characters } => {
                (Parameters::Audio { characters: self.characters.unwrap_or(*characters) }, &["--characters"])
            }
            Parameters::Video { seconds, resolution, audio } => (
                Parameters::Video {
                    seconds: self.seconds.unwrap_or(*seconds),
                    resolution: self.resolution.clone().or_else(|| resolution.clone()),
                    audio: self.audio.map(|a| a == OnOff::On).or(*audio),
                },
                &["--seconds", "--resolution", "--audio"],
            ),
            Parameters::Embedding { input_tokens } => {
                (Parameters::Embedding { input_tokens: self.input.unwrap_or(*input_tokens) }, &["--input"])
            }
            Parameters::Search { calls } => (Parameters::Search { calls: self.calls.unwrap_or(*calls) }, &["--calls"]),
        };
        if let Some(odd) = self.given().into_iter().find(|name| !used.contains(name)) {
            return Err(format!("{odd} says nothing about {}, a model for {}; it takes {}", model.id(), model.kind(), used.join(", ")));
        }
        Ok(Run { model_id: model.id().to_owned(), parameters, runs: self.runs })
    }

    fn given(&self) -> Vec<&'static str> {
        [
            ("--input", self.input.is_some()),
            ("--output", self.output.is_some()),
            ("--searches", self.searches.is_some()),
            ("--scrapes", self.scrapes.is_some()),
            ("--images", self.images.is_some()),
            ("--characters", self.characters.is_some()),
            ("--calls", self.calls.is_some()),
            ("--seconds", self.seconds.is_some()),
            ("--resolution", self.resolution.is_some()),
            ("--audio", self.audio.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }
}
