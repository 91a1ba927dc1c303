//! A run as it is typed.

use aispace_pricing::{
    Convention, Meter, Switch,
    request::{Count, ExtraRequest, Refusal, RunRequest, Tokens},
};
use aispace_units::Exact;
use clap::{Args, Parser};

#[derive(Debug, Default, Args)]
pub struct RunArguments {
    /// Tokens sent. Every count may be LOW..LIKELY..HIGH where a range is asked.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    input: Option<Count>,
    /// Tokens answered.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    output: Option<Count>,
    /// Tokens read from a cache.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    cached: Option<Count>,
    /// Tokens written to a cache of five minutes.
    #[arg(long = "cache-write-5m", value_name = "TOKENS", value_parser = count)]
    cache_write_5m: Option<Count>,
    /// Tokens written to a cache of an hour.
    #[arg(long = "cache-write-1h", value_name = "TOKENS", value_parser = count)]
    cache_write_1h: Option<Count>,
    /// Tokens of sound sent.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    input_audio: Option<Count>,
    /// Tokens of pictures sent.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    input_image: Option<Count>,
    /// Tokens of sound answered.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    output_audio: Option<Count>,
    /// Tokens of pictures answered.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    output_image: Option<Count>,
    /// Tokens of thinking.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    reasoning: Option<Count>,
    /// What --input and --output contain: inclusive, as OpenAI counts, with cached, sound, picture and thinking tokens in them; exclusive,
    /// as Anthropic counts, without [default: exclusive].
    #[arg(long, value_parser = convention)]
    convention: Option<Convention>,
    /// Requests.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    requests: Option<Count>,
    /// Successful API calls.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    calls: Option<Count>,
    /// Tool invocations.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    tool_calls: Option<Count>,
    /// Web searches.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    searches: Option<Count>,
    /// Scraping calls.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    scrapes: Option<Count>,
    /// Addresses in a message, of which one to all are scraped: a range.
    #[arg(long, value_name = "COUNT")]
    scrape_urls: Option<u64>,
    /// Pictures made.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    images: Option<Count>,
    /// Pictures sent.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    input_images: Option<Count>,
    /// Millions of pixels.
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    megapixels: Option<Count>,
    /// Width in pixels; with --height it gives the megapixels of each of --images.
    #[arg(long, value_name = "PIXELS", requires = "height")]
    width: Option<u64>,
    /// Height in pixels.
    #[arg(long, value_name = "PIXELS", requires = "width")]
    height: Option<u64>,
    /// Characters spoken.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    characters: Option<Count>,
    /// Results at one price.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    generations: Option<Count>,
    /// Length of a clip; of sound for a model of kind audio.
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    seconds: Option<Count>,
    /// Resolution of a clip, such as 720p.
    #[arg(long)]
    resolution: Option<String>,
    /// Sound of a clip: on or off.
    #[arg(long, value_parser = switch)]
    audio: Option<Switch>,
    /// Another choice of the model, such as quality=high. May be given several times.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    options: Vec<(String, String)>,
    /// Service tier, such as batch.
    #[arg(long)]
    tier: Option<String>,
    /// A field of the request that a factor follows from, such as pay_go=priority. May be given several times.
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
    fields: Vec<(String, String)>,
    /// A charge beside the meters, in the card's unit of account. May be given several times.
    #[arg(long = "extra", value_name = "NAME=AMOUNT", value_parser = extra)]
    extras: Vec<ExtraRequest>,
    /// How many such runs.
    #[arg(long, value_name = "COUNT")]
    runs: Option<u32>,
    /// Id of the channel (group).
    #[arg(long)]
    channel: Option<String>,
    /// A channel factor, whatever the card says.
    #[arg(long, value_name = "FACTOR", conflicts_with = "channel")]
    channel_factor: Option<Exact>,
    /// Id of the user's level.
    #[arg(long)]
    user: Option<String>,
    /// A user factor, whatever the card says.
    #[arg(long, value_name = "FACTOR", conflicts_with = "user")]
    user_factor: Option<Exact>,
    /// What the user recharged in all, in US dollars, which gives the level.
    #[arg(long, value_name = "USD", conflicts_with_all = ["user", "user_factor"])]
    recharged: Option<Exact>,
}

impl RunArguments {
    /// The run as requests write it.
    pub fn request(&self, model: Option<&str>) -> RunRequest {
        RunRequest {
            model: model.map(ToOwned::to_owned),
            usage: self.usage(),
            tokens: self.tokens(),
            seconds: self.seconds,
            resolution: self.resolution.clone(),
            audio: self.audio,
            width: self.width,
            height: self.height,
            scrape_urls: self.scrape_urls,
            options: self.options.iter().cloned().collect(),
            tier: self.tier.clone(),
            fields: self.fields.iter().cloned().collect(),
            extras: self.extras.clone(),
            runs: self.runs,
            channel: self.channel.clone(),
            channel_factor: self.channel_factor,
            user: self.user.clone(),
            user_factor: self.user_factor,
            recharged_usd: self.recharged,
            ..RunRequest::default()
        }
    }

    fn tokens(&self) -> Option<Tokens> {
        let tokens = Tokens {
            input: self.input,
            output: self.output,
            cache_read: self.cached,
            cache_write_5m: self.cache_write_5m,
            cache_write_1h: self.cache_write_1h,
            input_audio: self.input_audio,
            input_image: self.input_image,
            output_audio: self.output_audio,
            output_image: self.output_image,
            reasoning: self.reasoning,
            ..Tokens::new(self.convention.unwrap_or(Convention::Exclusive))
        };
        (tokens != Tokens::new(tokens.convention)).then_some(tokens)
    }

    fn usage(&self) -> Option<aispace_pricing::request::Counts> {
        let counts = [
            (Meter::Requests, self.requests),
            (Meter::Calls, self.calls),
            (Meter::ToolCalls, self.tool_calls),
            (Meter::WebSearches, self.searches),
            (Meter::WebScrapes, self.scrapes),
            (Meter::Images, self.images),
            (Meter::InputImages, self.input_images),
            (Meter::Megapixels, self.megapixels),
            (Meter::Characters, self.characters),
            (Meter::Generations, self.generations),
        ];
        let counts: aispace_pricing::request::Counts = counts.into_iter().filter_map(|(meter, count)| Some((meter, count?))).collect();
        (!counts.is_empty()).then_some(counts)
    }
}

/// A run in one argument: `MODEL [OPTIONS]`, or as requests write it.
pub fn run_in_words(text: &str) -> Result<RunRequest, Refusal> {
    #[derive(Parser)]
    #[command(no_binary_name = true, disable_help_flag = true, allow_negative_numbers = true)]
    struct Words {
        model: String,
        #[command(flatten)]
        run: RunArguments,
    }

    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| Refusal::bad_request(format!("{text:?}: {error}")));
    }
    let words = Words::try_parse_from(text.split_whitespace()).map_err(|error| {
        let first = error.to_string().lines().next().unwrap_or_default().to_owned();
        Refusal::bad_request(format!("{text:?}: {}", first.trim_start_matches("error: ")))
    })?;
    Ok(words.run.request(Some(&words.model)))
}

/// `500`, `1.5`, `100..200..4000`.
fn count(text: &str) -> Result<Count, String> {
    let number = |part: &str| part.parse::<Exact>().map_err(|error| error.to_string());
    match text.split("..").collect::<Vec<_>>().as_slice() {
        [one] => number(one).map(Count::from),
        [low, likely, high] => Count::between(number(low)?, number(likely)?, number(high)?),
        _ => Err("a count is a number, or LOW..LIKELY..HIGH".to_owned()),
    }
}

fn convention(text: &str) -> Result<Convention, String> {
    text.parse()
}

fn switch(text: &str) -> Result<Switch, String> {
    text.parse()
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "such as name=value".to_owned())
}

fn extra(text: &str) -> Result<ExtraRequest, String> {
    let (name, amount) = pair(text)?;
    amount.parse().map(|amount| ExtraRequest { name, amount }).map_err(|error: aispace_units::UnitError| error.to_string())
}
