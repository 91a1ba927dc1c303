//! LiteLLM's prices of pictures, seconds, characters, queries and searches. What one is of depends on what the model is for.

use super::super::{
    rates::{usd, with_options},
    refusal::Refusal,
};
use super::{Mode, Row, key::Priced, tokens};
use crate::{Condition, Denominator, Meter, Model, OptionValues, RESOLUTION, Rate};
use aispace_units::Exact;

/// The option that tells how much a search brings along.
const SEARCH_CONTEXT: &str = "search_context_size";
const TOKENS_INSTEAD: &str = "the same thing as its tokens, which are charged";

/// Adds the rates of whatever is not tokens.
pub(super) fn read(row: &mut Row<'_>, prices: &[Priced]) -> Result<(), Refusal> {
    let tokens = Tokens {
        any: row.rates.iter().any(|rate| !is_zero(rate)),
        sent: row.rates.iter().any(|rate| rate.meter == Meter::InputTokens && !is_zero(rate)),
        drawn: row.rates.iter().any(|rate| rate.meter == Meter::OutputImageTokens),
    };
    for priced in prices.iter().filter(|p| tokens::meter(&p.base).is_none() && !p.base.ends_with("_cost_per_video_token")) {
        match use_of(row.mode, &priced.base, &tokens) {
            Use::Charge(meter) => charge(row, priced, meter)?,
            Use::At(meter, resolution) => {
                plain(priced)?;
                row.rates.push(usd(meter, priced.price, Denominator::ONE).when(with_resolution(&resolution)));
            }
            // Nothing is charged for it, so nothing is left out.
            Use::Instead | Use::Unknown | Use::NoMeter(_) if priced.price.is_zero() => {}
            Use::Instead => row.ignored.push((priced.field.clone(), TOKENS_INSTEAD)),
            Use::NoMeter(reason) => return Err(Refusal::unsupported(&priced.field, reason)),
            Use::Unknown => return Err(Refusal::unknown_price(&priced.field)),
        }
    }
    one_price_a_meter(row)?;
    searches(row)
}

/// What has a price by the token.
struct Tokens {
    any: bool,
    /// What is sent.
    sent: bool,
    /// Pictures that are made.
    drawn: bool,
}

/// What becomes of a price.
enum Use {
    /// It is of this meter.
    Charge(Meter),
    /// It is of this meter at a resolution.
    At(Meter, String),
    /// Another way to say what the tokens cost.
    Instead,
    /// Of something that is not counted.
    NoMeter(&'static str),
    /// Not known.
    Unknown,
}

fn use_of(mode: Mode, base: &str, tokens: &Tokens) -> Use {
    for (name, meter, wanted) in
        [("output_cost_per_second_", Meter::VideoSeconds, Mode::Video), ("output_cost_per_image_", Meter::Images, Mode::Image)]
    {
        if let Some(resolution) = base.strip_prefix(name).filter(|end| mode == wanted && is_resolution(end)) {
            return Use::At(meter, resolution.to_owned());
        }
    }
    match base {
        "input_cost_per_second" | "output_cost_per_second" | "cost_per_second" => seconds(mode, base, tokens),
        "output_cost_per_video_per_second" if mode == Mode::Video => Use::Charge(Meter::VideoSeconds),
        "input_cost_per_audio_per_second" | "input_cost_per_video_per_second" if tokens.sent && mode != Mode::Embedding => Use::Instead,
        "input_cost_per_audio_per_second" => Use::Charge(Meter::AudioSeconds),
        "input_cost_per_video_per_second" => Use::Charge(Meter::VideoSeconds),
        "input_cost_per_image" | "output_cost_per_image" | "input_cost_per_pixel" | "output_cost_per_pixel" => pictures(mode, base, tokens),
        "input_cost_per_character" if mode == Mode::Speech && !tokens.any => Use::Charge(Meter::Characters),
        "input_cost_per_character" | "output_cost_per_character" if tokens.sent => Use::Instead,
        "input_cost_per_character" | "output_cost_per_character" => Use::NoMeter("characters are counted where they are spoken"),
        "input_cost_per_query" => match mode {
            Mode::Search => Use::Charge(Meter::WebSearches),
            Mode::Rerank | Mode::Embedding => Use::Charge(Meter::Requests),
            Mode::Tokens | Mode::Realtime | Mode::Image | Mode::Video | Mode::Speech | Mode::Transcription | Mode::Other => Use::Unknown,
        },
        "input_cost_per_request" => Use::Charge(Meter::Requests),
        _ => Use::Unknown,
    }
}

/// Seconds of sound or of a clip; elsewhere they are of a machine that is rented.
fn seconds(mode: Mode, base: &str, tokens: &Tokens) -> Use {
    match (mode, base) {
        (Mode::Video, "output_cost_per_second") => Use::Charge(Meter::VideoSeconds),
        (Mode::Transcription | Mode::Speech | Mode::Realtime, _) if tokens.any => Use::Instead,
        (Mode::Transcription, "input_cost_per_second" | "output_cost_per_second") => Use::Charge(Meter::AudioSeconds),
        _ => Use::NoMeter("seconds of computing are not counted"),
    }
}

fn pictures(mode: Mode, base: &str, tokens: &Tokens) -> Use {
    match (base, mode) {
        ("output_cost_per_image", _) if tokens.drawn => Use::Instead,
        ("output_cost_per_image", Mode::Image | Mode::Tokens) => Use::Charge(Meter::Images),
        ("input_cost_per_image", Mode::Embedding | Mode::Video) => Use::Charge(Meter::InputImages),
        ("input_cost_per_image", _) if tokens.sent => Use::Instead,
        ("input_cost_per_image", Mode::Image) => Use::Charge(Meter::Images),
        ("input_cost_per_pixel", Mode::Image) if !tokens.any => Use::Charge(Meter::Megapixels),
        _ => Use::NoMeter("not counted for this kind of model"),
    }
}

/// `1080p`, `4k`, `0.5K`, `1024`.
fn is_resolution(word: &str) -> bool {
    let digits = word.strip_suffix(['p', 'k', 'K']).unwrap_or(word);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn charge(row: &mut Row<'_>, priced: &Priced, meter: Meter) -> Result<(), Refusal> {
    if meter == Meter::Characters {
        row.rates.push(tokens::conditional(meter, priced, row.inclusive)?);
        return Ok(());
    }
    if priced.price.is_zero() && priced.above.is_some() {
        return Ok(());
    }
    plain(priced)?;
    // A pixel is a millionth of a megapixel.
    let amount = match meter {
        Meter::Megapixels => priced.price.mul(Exact::from(1_000_000u64)).map_err(|_| too_long(priced))?,
        _ => priced.price,
    };
    row.rates.push(usd(meter, amount, Denominator::ONE));
    Ok(())
}

fn too_long(priced: &Priced) -> Refusal {
    Refusal::TooManyDigits { field: priced.field.clone(), given: priced.price.to_string() }
}

/// Only prices of tokens have thresholds and tiers.
fn plain(priced: &Priced) -> Result<(), Refusal> {
    if priced.above.is_some() || priced.tier.is_some() { Err(Refusal::unknown_price(&priced.field)) } else { Ok(()) }
}

fn with_resolution(resolution: &str) -> Condition {
    Condition { resolution: Some(resolution.to_owned()), ..Condition::default() }
}

fn is_zero(rate: &Rate) -> bool {
    matches!(rate.price, crate::Price::Amount { amount, .. } if amount.is_zero())
}

/// Two names can be of one meter: one of them nothing, both the same, or nobody knows.
fn one_price_a_meter(row: &mut Row<'_>) -> Result<(), Refusal> {
    for meter in [Meter::Images, Meter::AudioSeconds, Meter::VideoSeconds, Meter::Requests, Meter::Megapixels, Meter::InputImages] {
        let always = |rate: &&Rate| rate.meter == meter && rate.when.is_none();
        let mut found: Vec<Rate> = row.rates.iter().filter(always).cloned().collect();
        if found.len() < 2 {
            continue;
        }
        found.sort_by_key(is_zero);
        found.dedup();
        let [dearest, rest @ ..] = found.as_slice() else { continue };
        if !rest.iter().all(is_zero) {
            return Err(Refusal::unsupported(meter.as_str(), "two names give two prices of it"));
        }
        let dearest = dearest.clone();
        row.rates.retain(|rate| !(rate.meter == meter && rate.when.is_none()));
        row.rates.insert(0, dearest);
    }
    // A picture has one price, or one by its size.
    let priced = |meter: Meter| row.rates.iter().any(|r| r.meter == meter && !is_zero(r));
    if priced(Meter::Images) && priced(Meter::Megapixels) {
        row.ignored.push(("input_cost_per_pixel".to_owned(), "the same thing as the price of a picture"));
        row.rates.retain(|rate| rate.meter != Meter::Megapixels);
    }
    Ok(())
}

/// `search_context_cost_per_query`: a search by how much it brings along; medium when nothing is said.
fn searches(row: &mut Row<'_>) -> Result<(), Refusal> {
    let Some(sizes) = row.fields.object("search_context_cost_per_query")? else { return Ok(()) };
    const SIZES: [&str; 3] = ["low", "medium", "high"];
    let price = |size: &str| sizes.price(&format!("search_context_size_{size}"));
    let known = |field: &str| SIZES.iter().any(|size| field == format!("search_context_size_{size}"));
    if let Some((field, _)) = sizes.fields().find(|(field, _)| !known(field)) {
        return Err(Refusal::unknown_price(&format!("search_context_cost_per_query.{field}")));
    }
    let prices: Vec<(&str, Exact)> =
        SIZES.iter().filter_map(|size| price(size).transpose().map(|p| p.map(|p| (*size, p)))).collect::<Result<_, _>>()?;
    let same = prices.windows(2).all(|pair| matches!(pair, [(_, a), (_, b)] if a == b));
    match prices.first() {
        Some((_, price)) if same => row.rates.push(usd(Meter::WebSearches, *price, Denominator::ONE)),
        Some(_) => row.rates.extend(
            prices
                .iter()
                .map(|(size, price)| usd(Meter::WebSearches, *price, Denominator::ONE).when(with_options([(SEARCH_CONTEXT, size)]))),
        ),
        None => {}
    }
    Ok(())
}

/// The options that conditions ask for.
pub(super) fn options(model: &mut Model) {
    let mut searched = Vec::new();
    let mut resolutions = Vec::new();
    for when in model.rates.iter().filter_map(|rate| rate.when.as_ref()) {
        searched.extend(when.options.get(SEARCH_CONTEXT).cloned());
        resolutions.extend(when.resolution.clone());
    }
    if !searched.is_empty() {
        let default = searched.iter().find(|size| *size == "medium").cloned();
        model.options.insert(SEARCH_CONTEXT.to_owned(), OptionValues { allowed: searched, default });
    }
    if !resolutions.is_empty() {
        let always = model.rates.iter().any(|r| matches!(r.meter, Meter::VideoSeconds | Meter::Images) && r.when.is_none());
        // Where no price holds for any other resolution, lists show the first.
        model.base.options.extend(resolutions.first().filter(|_| !always).map(|first| (RESOLUTION.to_owned(), first.clone())));
        model.options.insert(RESOLUTION.to_owned(), OptionValues { allowed: resolutions, default: None });
    }
}
