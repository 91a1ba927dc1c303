//! OpenRouter, `GET /api/v1/models`: dollars per token, request, search or picture, as decimal strings.

use super::{
    Draft, Entry, ImportError,
    json::{self, Object, Raw},
    listed,
    rates::{base, day_in, day_of, noted, usd, usd_each},
    refusal::{Refusal, excerpt},
    top,
};
use crate::{Bounds, Capability, Condition, DailyWindow, Day, Denominator, Kind, Limits, Meter, Model, Rate};
use aispace_units::Exact;
use chrono::NaiveTime;

/// Reads the models.
pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), ImportError> {
    for (at, row) in listed(top(text)?)?.into_iter().enumerate() {
        let read = Object::read(row, "the model");
        let id = read.as_ref().ok().and_then(|row| row.text("id")).unwrap_or_else(|| format!("#{at}"));
        draft.take(&id, read.and_then(|row| model(&id, &row)))?;
    }
    Ok(())
}

fn model(id: &str, row: &Object<'_>) -> Result<Entry, Refusal> {
    row.text("id").ok_or_else(|| Refusal::missing("id"))?;
    if let Some((field, _)) = row.fields().find(|(field, _)| *field != "pricing" && json::speaks_of_money(field)) {
        return Err(Refusal::unknown_price(field));
    }
    let architecture = row.object("architecture").ok().flatten().unwrap_or_default();
    let kind = kind(&architecture)?;
    let prices = Prices::read(row.object("pricing")?.ok_or_else(|| Refusal::missing("pricing"))?)?;
    let mut rates = prices.rates()?;
    for raw in prices.fields.list("overrides")?.unwrap_or_default() {
        rates.extend(prices.overridden(raw)?);
    }
    let mut ignored = Vec::new();
    if prices.value("input_audio_cache")?.is_some_and(|price| Ok(Some(price)) != prices.value("input_cache_read")) {
        ignored.push(("input_audio_cache".to_owned(), "sound out of a cache is counted with what else is read from one"));
    }
    let mut model = Model::new(id, kind, base(kind, &rates), rates);
    describe(&mut model, row, &architecture);
    Ok(Entry { model, ignored })
}

fn kind(architecture: &Object<'_>) -> Result<Kind, Refusal> {
    let answers = architecture.texts("output_modalities");
    let has = |what: &str| answers.iter().any(|a| a == what);
    if has("text") || answers.is_empty() {
        return Ok(Kind::Chat);
    }
    let kinds = [("image", Kind::Image), ("embeddings", Kind::Embedding), ("audio", Kind::Audio)];
    // What speaks, listens, films or sorts is not priced by the token, and the feed does not tell by what.
    let unit = || Refusal::unsupported("architecture.output_modalities", "the unit of its prices is not told");
    kinds.into_iter().find(|(what, _)| has(what)).map(|(_, kind)| kind).ok_or_else(unit)
}

/// Prices of one token each, and what they are of. A cache write is apart.
const TOKEN_PRICES: [(&str, Meter); 6] = [
    ("prompt", Meter::InputTokens),
    ("completion", Meter::OutputTokens),
    ("input_cache_read", Meter::CacheReadTokens),
    ("audio", Meter::InputAudioTokens),
    ("audio_output", Meter::OutputAudioTokens),
    ("internal_reasoning", Meter::ReasoningTokens),
];

/// What else a model may be charged.
const OTHER_PRICES: [&str; 10] = [
    "image",
    "image_token",
    "image_output",
    "input_audio_cache",
    "input_cache_write",
    "input_cache_write_1h",
    "request",
    "web_search",
    "discount",
    "overrides",
];

/// What an override may change.
const OVERRIDES: [&str; 7] =
    ["prompt", "completion", "input_cache_read", "audio", "input_audio_cache", "input_cache_write", "input_cache_write_1h"];
/// When an override holds.
const CONDITIONS: [&str; 4] = ["min_prompt_tokens", "utc_start", "utc_end", "utc_days"];

/// A picture costs this much at least, in dollars.
fn picture_least() -> Exact {
    Exact::new(1, 4)
}

/// A token costs less than this, in dollars.
fn token_most() -> Exact {
    Exact::new(1, 3)
}

struct Prices<'a> {
    fields: Object<'a>,
    /// What is left of a price after the discount.
    kept: Exact,
    /// Whether writing to a cache costs its price on top of the tokens', as where only the storage is priced.
    write_is_added: bool,
}

impl<'a> Prices<'a> {
    fn read(fields: Object<'a>) -> Result<Self, Refusal> {
        let known = |field: &str| TOKEN_PRICES.iter().any(|(token, _)| *token == field) || OTHER_PRICES.contains(&field);
        if let Some((field, _)) = fields.fields().find(|(field, _)| !known(field)) {
            return Err(Refusal::unknown_price(field));
        }
        let discount = fields.price("discount")?.unwrap_or_default();
        let kept = Exact::ONE.sub(discount).map_err(|_| Refusal::unsupported("discount", "a discount is at most 1"))?;
        let mut prices = Self { fields, kept, write_is_added: false };
        let prompt = prices.needed("prompt")?;
        prices.needed("completion")?;
        prices.write_is_added = prices.value("input_cache_write")?.is_some_and(|write| write < prompt);
        Ok(prices)
    }

    /// A price after the discount.
    fn value(&self, field: &str) -> Result<Option<Exact>, Refusal> {
        self.of(&self.fields, field)
    }

    fn of(&self, fields: &Object<'_>, field: &str) -> Result<Option<Exact>, Refusal> {
        let Some(price) = fields.price(field)? else { return Ok(None) };
        let too_long = |_| Refusal::TooManyDigits { field: field.to_owned(), given: price.to_string() };
        price.mul(self.kept).map(Some).map_err(too_long)
    }

    fn needed(&self, field: &str) -> Result<Exact, Refusal> {
        self.value(field)?.ok_or_else(|| Refusal::missing(field))
    }

    /// A price that is above zero. Of what is a part of something else, zero says that it has no price of its own.
    fn apart(&self, field: &str) -> Result<Option<Exact>, Refusal> {
        Ok(self.value(field)?.filter(|price| !price.is_zero()))
    }

    fn rates(&self) -> Result<Vec<Rate>, Refusal> {
        let mut rates = Vec::new();
        for (field, meter) in TOKEN_PRICES {
            let stated = matches!(field, "prompt" | "completion" | "input_cache_read");
            let price = if stated { self.value(field)? } else { self.apart(field)? };
            rates.extend(price.map(|price| usd_each(meter, price, field)).transpose()?);
        }
        rates.extend(self.writes(&self.fields)?);
        rates.extend(self.pictures()?);
        // A request that costs nothing is said to; a search is only free where none is offered.
        rates.extend(self.value("request")?.map(|price| usd(Meter::Requests, price, Denominator::ONE)));
        rates.extend(self.apart("web_search")?.map(|price| usd(Meter::WebSearches, price, Denominator::ONE)));
        Ok(rates)
    }

    /// Pictures sent and made. `image` is per picture or, where it is the price of a token, per token.
    fn pictures(&self) -> Result<Vec<Rate>, Refusal> {
        let mut rates = Vec::new();
        let token = self.apart("image_token")?;
        rates.extend(token.map(|price| usd_each(Meter::InputImageTokens, price, "image_token")).transpose()?);
        if let Some(price) = self.apart("image")? {
            if price >= picture_least() {
                rates.push(usd(Meter::InputImages, price, Denominator::ONE));
            } else if price != self.needed("prompt")? && Some(price) != token {
                return Err(Refusal::unsupported("image", "too little for a picture, and not the price of a token"));
            }
        }
        if let Some(price) = self.apart("image_output")? {
            if price >= token_most() {
                return Err(Refusal::unsupported("image_output", "too much for a token, and the list does not tell of what it is"));
            }
            rates.push(usd_each(Meter::OutputImageTokens, price, "image_output")?);
        }
        Ok(rates)
    }

    /// What writing to a cache costs, by the base prices or with an override's in their place.
    fn writes(&self, fields: &Object<'_>) -> Result<Vec<Rate>, Refusal> {
        let either = |field: &str| -> Result<Option<Exact>, Refusal> { Ok(self.of(fields, field)?.or(self.value(field)?)) };
        let Some(write) = either("input_cache_write")? else { return Ok(Vec::new()) };
        let hour = either("input_cache_write_1h")?;
        let prompt = either("prompt")?.unwrap_or_default();
        let rate = |meter, price: Exact, field: &str| {
            if !self.write_is_added {
                return usd_each(meter, price, field);
            }
            let both = price.add(prompt).map_err(|_| Refusal::TooManyDigits { field: field.to_owned(), given: price.to_string() })?;
            Ok(noted(usd_each(meter, both, field)?, "the price of the tokens and, on top of it, that of keeping them"))
        };
        // Without a price of its own an hour costs as the default time does.
        Ok(vec![
            rate(Meter::CacheWrite5mTokens, write, "input_cache_write")?,
            rate(Meter::CacheWrite1hTokens, hour.unwrap_or(write), "input_cache_write_1h")?,
        ])
    }

    /// The rates of one override: what it does not name stays as it is.
    fn overridden(&self, raw: Raw<'_>) -> Result<Vec<Rate>, Refusal> {
        let fields = Object::read(raw, "overrides")?;
        let known = |field: &&str| OVERRIDES.contains(field) || CONDITIONS.contains(field);
        if let Some((field, _)) = fields.fields().find(|(field, _)| !known(field)) {
            return Err(Refusal::unknown_price(&format!("overrides.{field}")));
        }
        let when = condition(&fields)?;
        let mut rates = Vec::new();
        for (field, meter) in TOKEN_PRICES {
            let Some(price) = self.of(&fields, field)? else { continue };
            if field == "audio" && price.is_zero() {
                return Err(Refusal::unsupported("overrides.audio", "nothing, which may be no price of its own"));
            }
            rates.push(usd_each(meter, price, field)?);
        }
        let writes = ["input_cache_write", "input_cache_write_1h"].into_iter().any(|field| fields.get(field).is_some());
        if writes || (self.write_is_added && fields.get("prompt").is_some()) {
            rates.extend(self.writes(&fields)?);
        }
        Ok(rates.into_iter().map(|rate| rate.when(when.clone())).collect())
    }
}

fn condition(fields: &Object<'_>) -> Result<Condition, Refusal> {
    let over = fields.price("min_prompt_tokens")?;
    let over = over.map(|over| {
        over.to_whole().and_then(|over| u64::try_from(over).ok()).ok_or_else(|| Refusal::shape("min_prompt_tokens", "a count"))
    });
    let prompt_tokens = over.transpose()?.map(|over| Bounds { over: Some(over), ..Bounds::default() });
    let daily = match (clock(fields, "utc_start")?, clock(fields, "utc_end")?) {
        // A window that ends where it starts is the whole day.
        (Some(from), Some(until)) => (from != until).then_some(DailyWindow { from, until }),
        (None, None) => None,
        (Some(_), None) => return Err(Refusal::missing("utc_end")),
        (None, Some(_)) => return Err(Refusal::missing("utc_start")),
    };
    let mut weekdays = Vec::new();
    for raw in fields.list("utc_days")?.unwrap_or_default() {
        let day = Day::ALL.iter().copied().find(|day| raw.get().get(1..4) == Some(day.as_str()) && raw.get().ends_with("day\""));
        weekdays.push(day.ok_or_else(|| Refusal::shape("utc_days", "days of the week"))?);
    }
    weekdays.sort();
    weekdays.dedup();
    let when = Condition { prompt_tokens, daily, weekdays, ..Condition::default() };
    if when.is_empty() { Err(Refusal::unsupported("overrides", "a price that always takes the place of another")) } else { Ok(when) }
}

/// A time of day as the number that its four digits make: 1630, 30.
fn clock(fields: &Object<'_>, field: &'static str) -> Result<Option<NaiveTime>, Refusal> {
    let Some(number) = fields.price(field)? else { return Ok(None) };
    let shape = || Refusal::shape(field, "a time of day");
    let number = number.to_whole().and_then(|number| u32::try_from(number).ok()).ok_or_else(shape)?;
    let (hour, minute) = number.checked_div(100).zip(number.checked_rem(100)).ok_or_else(shape)?;
    NaiveTime::from_hms_opt(hour, minute, 0).map(Some).ok_or_else(shape)
}

/// Whatever else the feed says of a model; what is not as expected is left out.
fn describe(model: &mut Model, row: &Object<'_>, architecture: &Object<'_>) {
    if let Some(name) = row.text("name") {
        model.name = name;
    }
    model.aliases = row.text("canonical_slug").filter(|slug| *slug != model.id).into_iter().collect();
    model.group = model.id.split_once('/').map(|(author, _)| excerpt(author));
    let parameters = row.texts("supported_parameters");
    let takes = |name: &str| parameters.iter().any(|p| p == name);
    let inputs = architecture.texts("input_modalities");
    let hears = |name: &str| inputs.iter().any(|i| i == name);
    let all = [
        (Capability::FunctionCalling, takes("tools")),
        (Capability::Vision, hears("image")),
        (Capability::Reasoning, takes("reasoning")),
        (Capability::AudioInput, hears("audio")),
        (Capability::VideoInput, hears("video")),
        (Capability::StructuredOutput, takes("structured_outputs")),
        (Capability::WebSearch, model.rates.iter().any(|r| r.meter == Meter::WebSearches)),
    ];
    model.capabilities = all.into_iter().filter(|(_, has)| *has).map(|(word, _)| word).collect();
    let provider = row.object("top_provider").ok().flatten().unwrap_or_default();
    model.limits = Limits {
        context_tokens: row.count("context_length").or_else(|| provider.count("context_length")),
        output_tokens: provider.count("max_completion_tokens"),
    };
    model.added = row.count("created").and_then(day_of);
    model.retired = row.text("expiration_date").as_deref().and_then(day_in);
}
