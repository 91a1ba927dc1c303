//! Venice, `GET /api/v1/models`: dollars per million tokens, per picture, per second, as raw binary floats.

use super::{
    Draft, Entry, ImportError, MODEL_RATES_MAX,
    json::{self, Object, Raw, Value},
    listed,
    rates::{base, day_in, day_of, noted, usd, with_options},
    refusal::{Refusal, excerpt},
    top,
};
use crate::{Bounds, Capability, Condition, Denominator, Kind, Limits, Meter, Model, OptionValues, RESOLUTION, Rate, Usage};
use aispace_units::{Exact, Rounding};

/// Decimals of a price that are not an artefact of a binary float: `0.11500000000000002` is 0.115.
const DECIMALS: u32 = 9;

/// Reads the models.
pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), ImportError> {
    for (at, row) in listed(top(text)?)?.into_iter().enumerate() {
        let read = Object::read(row, "the model");
        let id = read.as_ref().ok().and_then(|row| row.text("id"));
        let id = id.unwrap_or_else(|| format!("#{at}"));
        draft.take(&id, read.and_then(|row| model(&id, &row)).map(Entry::from))?;
    }
    Ok(())
}

fn model(id: &str, row: &Object<'_>) -> Result<Model, Refusal> {
    row.text("id").ok_or_else(|| Refusal::missing("id"))?;
    let spec = row.object("model_spec")?.ok_or_else(|| Refusal::missing("model_spec"))?;
    let known = ["discount_to_user", "pricing"];
    if let Some((field, _)) = row.fields().chain(spec.fields()).find(|(field, _)| json::speaks_of_money(field) && !known.contains(field)) {
        return Err(Refusal::unknown_price(field));
    }
    let kind = row.text("type").ok_or_else(|| Refusal::missing("type"))?;
    if kind == "video" {
        return Err(Refusal::unsupported("pricing", "clips have no list price, only quotes"));
    }
    let pricing = spec.object("pricing")?.ok_or_else(|| Refusal::missing("pricing"))?;
    let prices = Prices { fields: pricing, discount: discount(row)? };
    let mut model = match kind.as_str() {
        "text" => tokens(id, Kind::Chat, &prices)?,
        "embedding" => tokens(id, Kind::Embedding, &prices)?,
        "image" | "upscale" => image(id, &prices, &["generation", "resolutions", "quality", "upscale"], &spec)?,
        "inpaint" => image(id, &prices, &["inpaint", "resolutions", "quality", "inputImages"], &spec)?,
        "tts" => one(id, &prices, "input", Meter::Characters, Denominator::MILLION)?,
        "asr" => one(id, &prices, "per_audio_second", Meter::AudioSeconds, Denominator::ONE)?,
        "music" => music(id, &prices)?,
        other => return Err(Refusal::UnknownType { given: excerpt(other) }),
    };
    describe(&mut model, row, &spec);
    Ok(model)
}

/// What a model may be charged, and what its caller is spared.
struct Prices<'a> {
    fields: Object<'a>,
    discount: Option<Exact>,
}

/// `discount_to_user`: a fraction, from 0 up to 1.
fn discount(row: &Object<'_>) -> Result<Option<Exact>, Refusal> {
    let Some(discount) = row.price("discount_to_user")? else { return Ok(None) };
    let discount = discount.round(DECIMALS, Rounding::HalfEven);
    if discount >= Exact::ONE {
        return Err(Refusal::unsupported("discount_to_user", "a discount is below 1"));
    }
    Ok(Some(discount).filter(|d| !d.is_zero()))
}

impl Prices<'_> {
    /// Refuses a price that is not one of those a model of this type has.
    fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.fields.fields().find(|(field, _)| !known.contains(field)) {
            Some((field, _)) => Err(Refusal::unknown_price(field)),
            None => Ok(()),
        }
    }

    /// `{"usd": 0.7, "diem": 0.7}`, if it is there.
    fn get(&self, field: &str) -> Result<Option<Exact>, Refusal> {
        self.fields.get(field).map(|raw| self.read(raw, field, &[])).transpose()
    }

    fn needed(&self, field: &str) -> Result<Exact, Refusal> {
        self.get(field)?.ok_or_else(|| Refusal::missing(field))
    }

    fn read(&self, raw: Raw<'_>, field: &str, more: &[&str]) -> Result<Exact, Refusal> {
        let pair = Object::read(raw, field)?;
        if let Some((other, _)) = pair.fields().find(|(other, _)| !["usd", "diem"].contains(other) && !more.contains(other)) {
            return Err(Refusal::unknown_price(&format!("{field}.{other}")));
        }
        let given = pair.needed("usd").map_err(|e| within(e, field))?;
        let list = given.round(DECIMALS, Rounding::HalfEven);
        if list.is_zero() && !given.is_zero() {
            return Err(Refusal::TooManyDigits { field: excerpt(field), given: given.to_string() });
        }
        let Some(discount) = self.discount else { return Ok(list) };
        let price = Exact::ONE.sub(discount).and_then(|kept| list.mul(kept));
        price.map_err(|_| Refusal::TooManyDigits { field: excerpt(field), given: format!("{list} less {discount}") })
    }

    /// Prices by a word, such as a resolution, in the order of the feed's own words: `1K`, `2K`, `4K`.
    fn by_word(&self, field: &str) -> Result<Vec<(String, Exact)>, Refusal> {
        let Some(words) = self.fields.object(field)? else { return Ok(Vec::new()) };
        words.fields().map(|(word, raw)| Ok((word.to_owned(), self.read(raw, &format!("{field}.{word}"), &[])?))).collect()
    }
}

fn within(refusal: Refusal, field: &str) -> Refusal {
    let field = excerpt(field);
    match refusal {
        Refusal::Missing { field: inner } => Refusal::Missing { field: format!("{field}.{inner}") },
        Refusal::Negative { field: inner, given } => Refusal::Negative { field: format!("{field}.{inner}"), given },
        Refusal::NotANumber { field: inner, given } => Refusal::NotANumber { field: format!("{field}.{inner}"), given },
        other => other,
    }
}

/// Prices of tokens, and what they cost in the cache.
const TOKEN_PRICES: [(&str, &[Meter]); 4] = [
    ("input", &[Meter::InputTokens]),
    ("output", &[Meter::OutputTokens]),
    ("cache_input", &[Meter::CacheReadTokens]),
    // One price, however long what is written lives.
    ("cache_write", &[Meter::CacheWrite5mTokens, Meter::CacheWrite1hTokens]),
];

fn tokens(id: &str, kind: Kind, prices: &Prices<'_>) -> Result<Model, Refusal> {
    prices.only(&["input", "output", "cache_input", "cache_write", "extended"])?;
    prices.needed("input")?;
    prices.needed("output")?;
    let mut rates = token_rates(prices, None)?;
    if let Some(fields) = prices.fields.object("extended")? {
        rates.extend(extended(prices, fields)?);
    }
    Ok(Model::new(id, kind, base(kind, &rates), rates))
}

fn token_rates(prices: &Prices<'_>, when: Option<&Condition>) -> Result<Vec<Rate>, Refusal> {
    let mut rates = Vec::new();
    for (field, meters) in TOKEN_PRICES {
        let Some(amount) = prices.get(field)? else { continue };
        for meter in meters {
            let rate = usd(*meter, amount, Denominator::MILLION);
            rates.push(when.map_or(rate.clone(), |when| rate.when(when.clone())));
        }
    }
    Ok(rates)
}

/// The rates of a long prompt: above the threshold they hold for the whole request.
fn extended(prices: &Prices<'_>, fields: Object<'_>) -> Result<Vec<Rate>, Refusal> {
    let long = Prices { fields, discount: prices.discount };
    long.only(&["context_token_threshold", "input", "output", "cache_input", "cache_write"])?;
    let threshold = long.fields.needed("context_token_threshold").map_err(|e| within(e, "extended"))?;
    let threshold = threshold.to_whole().and_then(|whole| u64::try_from(whole).ok());
    let threshold = threshold.ok_or_else(|| Refusal::shape("extended.context_token_threshold", "a count of tokens"))?;
    for (field, _) in TOKEN_PRICES {
        if prices.fields.get(field).is_some() && long.fields.get(field).is_none() {
            return Err(Refusal::missing(&format!("extended.{field}")));
        }
    }
    let over = Condition { prompt_tokens: Some(Bounds { over: Some(threshold), ..Bounds::default() }), ..Condition::default() };
    token_rates(&long, Some(&over))
}

/// A model with one price.
fn one(id: &str, prices: &Prices<'_>, field: &str, meter: Meter, per: Denominator) -> Result<Model, Refusal> {
    prices.only(&[field])?;
    let rates = vec![usd(meter, prices.needed(field)?, per)];
    Ok(Model::new(id, Kind::Audio, base(Kind::Audio, &rates), rates))
}

/// The option that names a quality.
const QUALITY: &str = "quality";
/// The option that asks for a picture to be enlarged instead of made.
const UPSCALE: &str = "upscale";

fn image(id: &str, prices: &Prices<'_>, known: &[&str], spec: &Object<'_>) -> Result<Model, Refusal> {
    prices.only(known)?;
    let plain = [prices.get("generation")?, prices.get("inpaint")?].into_iter().flatten().next();
    let resolutions = prices.by_word("resolutions")?;
    let qualities = qualities(prices)?;
    if plain.is_none() && resolutions.is_empty() {
        return Err(Refusal::missing(known.first().copied().unwrap_or_default()));
    }
    let picture = |amount: Exact| usd(Meter::Images, amount, Denominator::ONE);
    let own = spec.object("constraints").ok().flatten().and_then(|constraints| constraints.text("defaultResolution"));
    let own = own.filter(|own| resolutions.iter().any(|(word, _)| word == own));
    // A run that names no resolution has the model's own, where the feed tells it.
    let plain = plain.filter(|_| own.is_none());
    let mut rates: Vec<Rate> = plain.map(picture).into_iter().collect();
    rates.extend(resolutions.iter().map(|(word, amount)| picture(*amount).when(with_options([(RESOLUTION, word)]))));
    rates.extend(qualities.iter().map(|(at, word, amount)| picture(*amount).when(with_options([(RESOLUTION, at), (QUALITY, word)]))));
    let upscale = prices.by_word("upscale")?;
    rates.extend(upscale.iter().map(|(word, amount)| {
        noted(picture(*amount).when(with_options([(UPSCALE, word)])), "a picture that is enlarged, instead of made")
    }));
    rates.extend(input_images(prices)?);
    if rates.len() > MODEL_RATES_MAX {
        return Err(Refusal::too_many_rates());
    }
    let mut model = Model::new(id, Kind::Image, Usage::new().with(Meter::Images, 1), rates);
    let words = resolutions.iter().map(|(word, _)| word).chain(qualities.iter().map(|(at, ..)| at));
    option(&mut model, RESOLUTION, words, own);
    option(&mut model, QUALITY, qualities.iter().map(|(_, word, _)| word), None);
    option(&mut model, UPSCALE, upscale.iter().map(|(word, _)| word), None);
    if let Some(first) = model.options.get(RESOLUTION).filter(|_| plain.is_none()).map(|o| o.default.as_ref().or(o.allowed.first())) {
        model.base.options.extend(first.map(|word| (RESOLUTION.to_owned(), word.clone())));
    }
    Ok(model)
}

/// Prices by resolution and quality.
fn qualities(prices: &Prices<'_>) -> Result<Vec<(String, String, Exact)>, Refusal> {
    let mut all = Vec::new();
    let Some(resolutions) = prices.fields.object("quality")? else { return Ok(all) };
    for (at, raw) in resolutions.fields() {
        let words = Object::read(raw, &format!("quality.{at}"))?;
        for (word, raw) in words.fields() {
            all.push((at.to_owned(), word.to_owned(), prices.read(raw, &format!("quality.{at}.{word}"), &[])?));
        }
    }
    Ok(all)
}

/// Pictures sent along with an edit: so many are in its price, and each further one costs.
fn input_images(prices: &Prices<'_>) -> Result<Option<Rate>, Refusal> {
    let Some(fields) = prices.fields.object("inputImages")? else { return Ok(None) };
    let pictures = Prices { fields, discount: prices.discount };
    pictures.only(&["included", "additional"])?;
    let included = pictures.fields.needed("included").map_err(|e| within(e, "inputImages"))?;
    let included = included.to_whole().and_then(|whole| u64::try_from(whole).ok());
    let mut rate = usd(Meter::InputImages, pictures.needed("additional").map_err(|e| within(e, "inputImages"))?, Denominator::ONE);
    rate.included = included.ok_or_else(|| Refusal::shape("inputImages.included", "a count of pictures"))?;
    Ok(Some(rate))
}

fn option<'a>(model: &mut Model, name: &str, words: impl Iterator<Item = &'a String>, default: Option<String>) {
    let mut allowed: Vec<String> = Vec::new();
    for word in words {
        if !allowed.contains(word) {
            allowed.push(word.clone());
        }
    }
    if !allowed.is_empty() {
        let default = default.filter(|word| allowed.contains(word));
        model.options.insert(name.to_owned(), OptionValues { allowed, default });
    }
}

/// Pieces of music and sounds: at one price, by length, by the second, or by what is spoken.
fn music(id: &str, prices: &Prices<'_>) -> Result<Model, Refusal> {
    let fields: Vec<&str> = prices.fields.fields().map(|(field, _)| field).collect();
    match fields.as_slice() {
        ["generation"] => one(id, prices, "generation", Meter::Generations, Denominator::ONE),
        ["per_second"] => one(id, prices, "per_second", Meter::AudioSeconds, Denominator::ONE),
        ["per_thousand_characters"] => one(id, prices, "per_thousand_characters", Meter::Characters, Denominator::THOUSAND),
        ["durations"] => durations(id, prices),
        [] => Err(Refusal::missing("price")),
        [one] => Err(Refusal::unknown_price(one)),
        _ => Err(Refusal::unsupported("pricing", "music has one price, not several")),
    }
}

fn durations(id: &str, prices: &Prices<'_>) -> Result<Model, Refusal> {
    let steps = prices.fields.object("durations")?.unwrap_or_default();
    let mut lengths = Vec::new();
    for (key, raw) in steps.fields() {
        let field = format!("durations.{key}");
        let amount = prices.read(raw, &field, &["min_seconds", "max_seconds"])?;
        let ends = Object::read(raw, &field)?;
        let seconds = |end: &str| ends.count(end).ok_or_else(|| Refusal::missing(&format!("{field}.{end}")));
        lengths.push((seconds("min_seconds")?, seconds("max_seconds")?, amount));
    }
    lengths.sort_by_key(|(least, most, _)| (*least, *most));
    let apart = lengths.windows(2).all(|pair| matches!(pair, [(_, most, _), (least, ..)] if most < least));
    if !apart || lengths.iter().any(|(least, most, _)| least > most) {
        return Err(Refusal::unsupported("durations", "lengths that overlap have two prices"));
    }
    let Some((least, ..)) = lengths.first().copied() else { return Err(Refusal::missing("durations")) };
    let mut rates =
        vec![noted(usd(Meter::AudioSeconds, Exact::ZERO, Denominator::ONE), "the piece is charged, its seconds only tell at which price")];
    rates.extend(lengths.into_iter().map(|(least, most, amount)| {
        let seconds = Bounds { at_least: Some(least), at_most: Some(most), ..Bounds::default() };
        usd(Meter::Generations, amount, Denominator::ONE).when(Condition { seconds: Some(seconds), ..Condition::default() })
    }));
    let base = Usage::new().with(Meter::Generations, 1).with(Meter::AudioSeconds, least.saturating_mul(1_000));
    Ok(Model::new(id, Kind::Audio, base, rates))
}

/// Whatever else the feed says of a model; what is not as expected is left out.
fn describe(model: &mut Model, row: &Object<'_>, spec: &Object<'_>) {
    if let Some(name) = spec.text("name") {
        model.name = name;
    }
    let capabilities = spec.object("capabilities").ok().flatten().unwrap_or_default();
    let uncensored = spec.says("uncensored") || spec.texts("traits").iter().any(|t| t == "most_uncensored");
    let all = [
        (Capability::FunctionCalling, capabilities.says("supportsFunctionCalling")),
        (Capability::Vision, capabilities.says("supportsVision")),
        (Capability::Reasoning, capabilities.says("supportsReasoning")),
        (Capability::Uncensored, uncensored),
        (Capability::Beta, spec.says("betaModel") || spec.says("beta")),
        (Capability::AudioInput, capabilities.says("supportsAudioInput")),
        (Capability::VideoInput, capabilities.says("supportsVideoInput")),
        (Capability::StructuredOutput, capabilities.says("supportsResponseSchema")),
        (Capability::WebSearch, capabilities.says("supportsWebSearch")),
        (Capability::Code, capabilities.says("optimizedForCode")),
    ];
    model.capabilities = all.into_iter().filter(|(_, has)| *has).map(|(word, _)| word).collect();
    let context_tokens = spec.count("availableContextTokens").or_else(|| row.count("context_length"));
    model.limits = Limits { context_tokens, output_tokens: spec.count("maxCompletionTokens") };
    model.added = row.count("created").and_then(day_of);
    let gone = spec.object("deprecation").ok().flatten().and_then(|d| d.text("removesAt").or_else(|| d.text("date")));
    model.retired = gone.as_deref().and_then(day_in);
    let offline = spec.get("offline").map(Value::of) == Some(Value::Truth(true));
    model.note = offline.then(|| "offline when the list was read".to_owned());
}
