//! The names of LiteLLM's prices: what is charged, above which prompt, in which service tier.

use super::super::{
    MODEL_RATES_MAX,
    json::{self, Object, Value},
    refusal::Refusal,
};
use aispace_units::Exact;

/// One price, by its name's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Priced {
    /// The field, whole.
    pub(super) field: String,
    /// The name without threshold and tier: `input_cost_per_token`.
    pub(super) base: String,
    /// Tokens of the prompt above which it holds.
    pub(super) above: Option<u64>,
    /// The service tier in which it holds.
    pub(super) tier: Option<&'static str>,
    /// Dollars.
    pub(super) price: Exact,
}

/// Ends of a name that are service tiers, and what a run calls them.
const TIERS: [(&str, &str); 6] = [
    ("_priority", "priority"),
    ("_flex", "flex"),
    ("_batches", "batch"),
    ("_ultrafast", "ultrafast"),
    ("_balanced", "balanced"),
    ("_decisions", "decisions"),
];

/// Prices that are not read because no run can ask for what they are for.
const IGNORED: [(&str, &str); 18] = [
    ("cache_read_input_audio_token_cost", "sound out of a cache is counted with what else is read from one"),
    ("cache_creation_input_audio_token_cost", "sound written to a cache is counted with what else is written to one"),
    ("cache_read_input_image_token_cost", "pictures out of a cache are counted with what else is read from one"),
    ("google_maps_grounding_cost_per_query", "a run counts no look-ups of a map"),
    ("code_interpreter_cost_per_session", "a run counts no sessions"),
    ("computer_use_input_cost_per_1k_tokens", "a run counts no tokens of a tool"),
    ("computer_use_output_cost_per_1k_tokens", "a run counts no tokens of a tool"),
    ("file_search_cost_per_1k_calls", "a run counts no searches of files"),
    ("file_search_cost_per_gb_per_day", "a run counts no storage"),
    ("vector_store_cost_per_gb_per_day", "a run counts no storage"),
    ("citation_cost_per_token", "a run counts no tokens of citations"),
    ("input_dbu_cost_per_token", "the same price in another unit"),
    ("output_dbu_cost_per_token", "the same price in another unit"),
    ("regional_endpoint_uplift_multiplier", "prices are those of the global endpoint"),
    ("regional_processing_uplift_multiplier_eu", "prices are those of the global endpoint"),
    ("regional_processing_uplift_multiplier_us", "prices are those of the global endpoint"),
    ("web_search_billing_unit", "a search is a query"),
    ("search_free_requests", "what is free each day is free for all runs of it together"),
];

/// Prices that are read elsewhere, being no numbers.
const STRUCTURED: [&str; 3] = ["tiered_pricing", "off_peak_pricing", "search_context_cost_per_query"];

/// Factors by place and speed, beside what else its provider wants to know.
const FACTORS: &str = "provider_specific_entry";

fn has_numbers(raw: json::Raw<'_>) -> bool {
    Object::read(raw, FACTORS).is_ok_and(|entry| entry.fields().any(|(_, raw)| matches!(Value::of(raw), Value::Number(_))))
}

/// Every price of a row; what is left out goes to `ignored`.
pub(super) fn prices(fields: &Object<'_>, ignored: &mut Vec<(String, &'static str)>) -> Result<Vec<Priced>, Refusal> {
    let mut prices = Vec::new();
    for (field, raw) in fields.fields() {
        if let Some((_, reason)) = IGNORED.iter().find(|(name, _)| *name == field) {
            // A price of nothing is not missed.
            if !matches!(json::price(raw, field), Ok(price) if price.is_zero()) {
                ignored.push((field.to_owned(), *reason));
            }
            continue;
        }
        if field == FACTORS && has_numbers(raw) {
            ignored.push((field.to_owned(), "prices are those of the usual speed and of the global endpoint"));
        }
        // `supports_...` tells what a model can do, whatever it is called.
        if STRUCTURED.contains(&field) || !json::speaks_of_money(field) || matches!(Value::of(raw), Value::Truth(_)) {
            continue;
        }
        prices.push(Priced { price: json::price(raw, field)?, ..split(field)? });
    }
    // What follows compares every price with every other.
    if prices.len() > MODEL_RATES_MAX { Err(Refusal::too_many_rates()) } else { Ok(prices) }
}

/// The parts of a name.
fn split(field: &str) -> Result<Priced, Refusal> {
    let (name, tier) =
        TIERS.iter().find_map(|(end, tier)| field.strip_suffix(end).map(|name| (name, Some(*tier)))).unwrap_or((field, None));
    let threshold = name.strip_suffix("_tokens").and_then(|name| name.rsplit_once("_above_"));
    let (base, above) = match threshold {
        Some((base, tokens)) => (base, Some(count(tokens).ok_or_else(|| Refusal::unknown_price(field))?)),
        None => (name, None),
    };
    Ok(Priced { field: field.to_owned(), base: base.to_owned(), above, tier, price: Exact::ZERO })
}

/// `200k`, `512`.
fn count(tokens: &str) -> Option<u64> {
    let (digits, thousand) = tokens.strip_suffix('k').map_or((tokens, 1), |digits| (digits, 1_000));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(thousand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_their_parts() {
        for (field, base, above, tier) in [
            ("input_cost_per_token", "input_cost_per_token", None, None),
            ("input_cost_per_token_above_200k_tokens", "input_cost_per_token", Some(200_000), None),
            ("output_cost_per_token_above_128_tokens", "output_cost_per_token", Some(128), None),
            ("input_cost_per_token_above_272k_tokens_priority", "input_cost_per_token", Some(272_000), Some("priority")),
            ("output_cost_per_token_batches", "output_cost_per_token", None, Some("batch")),
            ("cache_creation_input_token_cost_above_1hr", "cache_creation_input_token_cost_above_1hr", None, None),
            (
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
                "cache_creation_input_token_cost_above_1hr",
                Some(200_000),
                None,
            ),
        ] {
            let parts = split(field).expect(field);
            assert_eq!((parts.base.as_str(), parts.above, parts.tier), (base, above, tier), "{field}");
        }
        assert!(split("input_cost_per_token_above_many_tokens").is_err());
        assert!(split("input_cost_per_token_above_99999999999999999999k_tokens").is_err());
    }
}
