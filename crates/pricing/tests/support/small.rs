//! A card of one model with made-up prices in dollars, to be changed by each test.

use aispace_pricing::{CardError, RateCard};
use serde_json::{Value, json};

/// One model, `words`, with a price for a token sent and one for a token answered.
pub fn card() -> Value {
    json!({
        "format": "aispace-rate-card/2", "id": "small", "name": "Small", "date": "2026-01-01",
        "unit": {"code": "usd", "name": "US dollars", "per_usd": "1"}, "posting": {"rule": "half_up", "decimals": 9},
        "models": [{
            "id": "words", "name": "Words", "kind": "chat", "base": {"usage": {"input_tokens": 1}},
            "rates": [rate("input_tokens", "1"), rate("output_tokens", "7")],
        }],
    })
}

/// The same with other rates.
pub fn card_of(rates: Value) -> Result<RateCard, CardError> {
    card_with("/models/0/rates", rates)
}

/// The same with something else in one place.
pub fn card_with(pointer: &str, value: Value) -> Result<RateCard, CardError> {
    let mut card = card();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let place = card.pointer_mut(parent).expect("the place is there");
    match name.parse::<usize>() {
        Ok(at) if place.is_array() => place[at] = value,
        Ok(_) | Err(_) => place[name] = value,
    }
    RateCard::from_json(&card.to_string())
}

/// So many dollars for one.
pub fn rate(meter: &str, amount: &str) -> Value {
    json!({"meter": meter, "amount": amount, "unit": "usd", "per": "1"})
}

/// The same under a condition.
pub fn rate_when(meter: &str, amount: &str, condition: Value) -> Value {
    let mut rate = rate(meter, amount);
    rate["when"] = condition;
    rate
}
