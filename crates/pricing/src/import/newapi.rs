//! new-api, `GET /api/pricing`: ratios, of which 1 is two dollars per million tokens sent.

use super::{
    Draft, Entry, ImportError, ImportTerms, at_most,
    expression::{self, Tariff, Tier, Variable},
    json::{self, Entries, Object, Raw, Rows},
    rates::{base, noted, times, usd},
    refusal::{Refusal, excerpt},
    top,
};
use crate::{Bounds, ChannelFactor, Channels, Condition, Denominator, Kind, Meter, Model, Posting, Rate};
use aispace_units::{Exact, Rounding};
use std::collections::{BTreeMap, BTreeSet};

/// Most groups of users.
const GROUPS_MAX: usize = 100;
/// Dollars per million tokens of the ratio 1.
const USD_PER_RATIO: u64 = 2;

/// Reads the models and the groups.
pub(super) fn read(text: &str, terms: &ImportTerms, draft: &mut Draft) -> Result<(), ImportError> {
    let root: Raw<'_> = top(text)?;
    let answer = Object::read(root, "the feed").map_err(|_| ImportError::Shape { expected: "object with \"data\" and \"group_ratio\"" })?;
    if answer.get("success").is_some_and(|raw| raw.get() == "false") {
        return Err(ImportError::Failed { message: excerpt(&answer.text("message").unwrap_or_default()) });
    }
    let groups = groups(&answer)?;
    let vendors = vendors(&answer);
    let rows: Rows<'_> =
        answer.get("data").and_then(json::parse).ok_or(ImportError::Shape { expected: "list of models under \"data\"" })?;
    at_most("models", rows.count(), super::MODELS_MAX)?;
    let rows = rows.found(super::MODELS_MAX).unwrap_or_default();
    draft.channels = channels(&answer, &groups, terms)?;
    // A quota is a 500,000th of a dollar; a cost is a whole number of them, and one at least.
    let quota = Exact::new(2, 6);
    draft.posting = Some(Posting { rule: Rounding::HalfUp, decimals: None, step: Some(quota), minimum: Some(quota) });
    for (at, row) in rows.into_iter().enumerate() {
        let read = Object::read(row, "the model");
        let id = read.as_ref().ok().and_then(|row| row.text("model_name")).unwrap_or_else(|| format!("#{at}"));
        draft.take(&id, read.and_then(|row| model(&id, &row, &groups, &vendors)))?;
    }
    Ok(())
}

fn groups(answer: &Object<'_>) -> Result<BTreeMap<String, Exact>, ImportError> {
    let shape = ImportError::Shape { expected: "group ratios under \"group_ratio\"" };
    let Some(raw) = answer.get("group_ratio") else { return Err(shape) };
    let entries: Entries<'_> = json::parse(raw).ok_or(shape)?;
    at_most("groups", entries.count(), GROUPS_MAX)?;
    let mut groups = BTreeMap::new();
    for (group, raw) in entries.found(GROUPS_MAX).unwrap_or_default() {
        let field = format!("group_ratio.{group}");
        let ratio = json::price(raw, &field).map_err(ImportError::Factor)?;
        if groups.insert(group, ratio).is_some() {
            return Err(ImportError::Factor(Refusal::FieldTwice { field: excerpt(&field) }));
        }
    }
    Ok(groups)
}

/// The groups as channels. The one of a run that names none: as the terms say, else `default`, else the only one.
fn channels(answer: &Object<'_>, groups: &BTreeMap<String, Exact>, terms: &ImportTerms) -> Result<Option<Channels>, ImportError> {
    let unknown = || ImportError::Group { given: terms.group.clone(), known: groups.keys().map(|g| excerpt(g)).collect() };
    let only = || groups.keys().next().filter(|_| groups.len() == 1);
    let default = match &terms.group {
        Some(group) => Some(group).filter(|g| groups.contains_key(*g)),
        None => groups.keys().find(|g| *g == "default").or_else(only),
    };
    if groups.is_empty() && terms.group.is_none() {
        return Ok(None);
    }
    let default = default.ok_or_else(unknown)?.clone();
    let names = answer.object("usable_group").ok().flatten().unwrap_or_default();
    let values = groups.iter().map(|(id, factor)| ChannelFactor { id: id.clone(), factor: *factor, name: names.text(id) });
    Ok(Some(Channels { name: "Group ratio".to_owned(), default, values: values.collect() }))
}

fn vendors(answer: &Object<'_>) -> BTreeMap<u64, String> {
    let list = answer.list("vendors").ok().flatten().unwrap_or_default();
    let vendor = |raw: Raw<'_>| {
        let vendor = Object::read(raw, "vendor").ok()?;
        vendor.count("id").zip(vendor.text("name"))
    };
    list.into_iter().filter_map(vendor).collect()
}

/// Every field of a row that speaks of money and is read, or that says nothing more than those.
const KNOWN: [&str; 12] = [
    "quota_type",
    "model_ratio",
    "model_price",
    "completion_ratio",
    "cache_ratio",
    "create_cache_ratio",
    "image_ratio",
    "audio_ratio",
    "audio_completion_ratio",
    "billing_mode",
    "billing_expr",
    "pricing_version",
];

fn model(id: &str, row: &Object<'_>, groups: &BTreeMap<String, Exact>, vendors: &BTreeMap<u64, String>) -> Result<Entry, Refusal> {
    row.text("model_name").ok_or_else(|| Refusal::missing("model_name"))?;
    if let Some((field, _)) = row.fields().find(|(field, _)| json::speaks_of_money(field) && !KNOWN.contains(field)) {
        return Err(Refusal::unknown_price(field));
    }
    let ends: BTreeSet<String> = row.texts("supported_endpoint_types").into_iter().collect();
    let rates = match (row.text("billing_mode").as_deref(), row.count("quota_type")) {
        (Some("tiered_expr"), _) => expressed(&row.text("billing_expr").ok_or_else(|| Refusal::missing("billing_expr"))?)?,
        (None, Some(0)) => by_ratio(row, id)?,
        (None, Some(1)) => by_request(row, id, &ends)?,
        (None, _) => return Err(Refusal::missing("quota_type of 0 or 1")),
        (Some(mode), _) => return Err(Refusal::UnknownType { given: excerpt(mode) }),
    };
    let kind = kind(&ends);
    let mut model = Model::new(id, kind, base(kind, &rates), rates);
    model.group = row.count("vendor_id").and_then(|vendor| vendors.get(&vendor)).cloned();
    model.channels = served_by(row, groups)?;
    Ok(model.into())
}

fn kind(ends: &BTreeSet<String>) -> Kind {
    let has = |end: &str| ends.contains(end);
    // An end that talks is what a model is mostly asked for, whatever else it answers.
    if ["openai", "anthropic", "gemini", "openai-response"].into_iter().any(has) && !has("image-generation") && !has("openai-video") {
        return Kind::Chat;
    }
    let kinds =
        [("image-generation", Kind::Image), ("openai-video", Kind::Video), ("embeddings", Kind::Embedding), ("jina-rerank", Kind::Call)];
    kinds.into_iter().find(|(end, _)| has(end)).map_or(Kind::Chat, |(_, kind)| kind)
}

/// The groups that the model is enabled for; empty where that is all of them.
fn served_by(row: &Object<'_>, groups: &BTreeMap<String, Exact>) -> Result<Vec<String>, Refusal> {
    let Some(_) = row.list("enable_groups")? else { return Ok(Vec::new()) };
    let enabled: BTreeSet<String> = row.texts("enable_groups").into_iter().collect();
    if enabled.contains("all") || (!groups.is_empty() && groups.keys().all(|group| enabled.contains(group))) {
        return Ok(Vec::new());
    }
    let served: Vec<String> = groups.keys().filter(|group| enabled.contains(*group)).cloned().collect();
    if served.is_empty() { Err(Refusal::unsupported("enable_groups", "none of its groups has a ratio")) } else { Ok(served) }
}

/// Prices that are multiples of one ratio.
fn by_ratio(row: &Object<'_>, id: &str) -> Result<Vec<Rate>, Refusal> {
    let ratio = row.needed("model_ratio")?;
    if is_unset(ratio) && !id.starts_with("gpt-4.5-preview") {
        return Err(Refusal::unsupported("model_ratio", "37.5 is what the site answers where nobody has set a price"));
    }
    let too_long = |_| Refusal::TooManyDigits { field: "model_ratio".to_owned(), given: ratio.to_string() };
    let input = ratio.mul(Exact::from(USD_PER_RATIO)).map_err(too_long)?;
    let factor = |field: &str| row.price(field);
    let mut factors = vec![(Meter::OutputTokens, row.needed("completion_ratio")?)];
    factors.extend(factor("cache_ratio")?.map(|f| (Meter::CacheReadTokens, f)));
    let write = factor("create_cache_ratio")?.unwrap_or(Exact::new(125, 2));
    factors.push((Meter::CacheWrite5mTokens, write));
    factors.push((Meter::CacheWrite1hTokens, product(write, Exact::new(16, 1), "create_cache_ratio")?));
    factors.extend(factor("image_ratio")?.map(|f| (Meter::InputImageTokens, f)));
    let (sound, answered) = (factor("audio_ratio")?, factor("audio_completion_ratio")?);
    factors.extend(sound.map(|f| (Meter::InputAudioTokens, f)));
    if sound.is_some() || answered.is_some() {
        let both = product(sound.unwrap_or(Exact::ONE), answered.unwrap_or(Exact::ONE), "audio_completion_ratio")?;
        factors.push((Meter::OutputAudioTokens, both));
    }
    let mut rates = vec![usd(Meter::InputTokens, input, Denominator::MILLION)];
    for (meter, factor) in factors {
        // Refused here rather than when something is priced.
        product(input, factor, meter.as_str())?;
        rates.push(times(meter, factor, Meter::InputTokens));
    }
    Ok(rates)
}

/// Whether it is 37.5, which the site answers for a model whose price nobody has set, and does not bill by.
fn is_unset(ratio: Exact) -> bool {
    ratio == Exact::new(375, 1)
}

fn product(a: Exact, b: Exact, field: &str) -> Result<Exact, Refusal> {
    a.mul(b).map_err(|_| Refusal::TooManyDigits { field: field.to_owned(), given: format!("{a} × {b}") })
}

/// A price for each request; a picture is a request of its own.
fn by_request(row: &Object<'_>, id: &str, ends: &BTreeSet<String>) -> Result<Vec<Rate>, Refusal> {
    let price = row.needed("model_price")?;
    if ends.contains("openai-video") {
        return Err(Refusal::unsupported(
            "model_price",
            "a clip's price is multiplied by its length and size, which the list does not tell",
        ));
    }
    if ends.contains("image-generation") {
        if id.starts_with("dall-e") {
            return Err(Refusal::unsupported(
                "model_price",
                "a picture's price is multiplied by its size and quality, which the list does not tell",
            ));
        }
        return Ok(vec![usd(Meter::Images, price, Denominator::ONE)]);
    }
    Ok(vec![usd(Meter::Requests, price, Denominator::ONE)])
}

/// Prices by a billing expression.
fn expressed(text: &str) -> Result<Vec<Rate>, Refusal> {
    let tiers = match expression::read(text)? {
        Tariff::Request(price) => return Ok(vec![usd(Meter::Requests, price, Denominator::ONE)]),
        Tariff::Tokens(tiers) => tiers,
    };
    Ok(tiers.iter().flat_map(tier_rates).collect())
}

fn tier_rates(tier: &Tier) -> Vec<Rate> {
    let hour = tier.prices.contains_key(&Variable::CacheWriteHour);
    let mut rates = Vec::new();
    for (variable, price) in &tier.prices {
        for meter in meters(*variable, hour) {
            let rate = usd(*meter, *price, Denominator::MILLION);
            let rate = match &tier.name {
                Some(name) => noted(rate, format!("tier {name:?}")),
                None => rate,
            };
            rates.push(if tier.from > 0 { rate.when(from_size(tier.from)) } else { rate });
        }
    }
    rates
}

/// What a variable counts. Without `cc1h` every write to a cache is in `cc`.
fn meters(variable: Variable, hour: bool) -> &'static [Meter] {
    match variable {
        Variable::Prompt => &[Meter::InputTokens],
        Variable::Completion => &[Meter::OutputTokens],
        Variable::CacheRead => &[Meter::CacheReadTokens],
        Variable::CacheWrite if hour => &[Meter::CacheWrite5mTokens],
        Variable::CacheWrite => &[Meter::CacheWrite5mTokens, Meter::CacheWrite1hTokens],
        Variable::CacheWriteHour => &[Meter::CacheWrite1hTokens],
        Variable::ImageInput => &[Meter::InputImageTokens],
        Variable::ImageOutput => &[Meter::OutputImageTokens],
        Variable::AudioInput => &[Meter::InputAudioTokens],
        Variable::AudioOutput => &[Meter::OutputAudioTokens],
    }
}

/// From a size on: said as over the size before, which is the round number that `<=` names.
fn from_size(from: u64) -> Condition {
    let round = |size: u64| size.checked_rem(100) == Some(0);
    let bounds = match from.checked_sub(1) {
        Some(below) if round(below) || !round(from) => Bounds { over: Some(below), ..Bounds::default() },
        Some(_) | None => Bounds { at_least: Some(from), ..Bounds::default() },
    };
    Condition { prompt_tokens: Some(bounds), ..Condition::default() }
}
