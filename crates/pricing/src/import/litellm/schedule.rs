//! LiteLLM's `off_peak_pricing`: prices that take the place of all others in windows of the UTC day and week.

use super::super::{
    json::{self, Object, Raw, Value},
    rates::usd_each,
    refusal::{Refusal, excerpt},
};
use super::Row;
use crate::{Condition, DailyWindow, Day, Meter};
use chrono::NaiveTime;

const PRICES: [(&str, Meter); 5] = [
    ("input_cost_per_token", Meter::InputTokens),
    ("output_cost_per_token", Meter::OutputTokens),
    ("cache_read_input_token_cost", Meter::CacheReadTokens),
    ("cache_creation_input_token_cost", Meter::CacheWrite5mTokens),
    ("output_cost_per_reasoning_token", Meter::ReasoningTokens),
];

/// Adds the rates of the windows, after all others: they replace thresholds and tiers too.
pub(super) fn read(row: &mut Row<'_>) -> Result<(), Refusal> {
    let Some(block) = row.fields.object("off_peak_pricing")? else { return Ok(()) };
    let when = ["hours_utc", "windows", "weekday_timezone"];
    if let Some((field, _)) = block.fields().find(|(field, _)| !when.contains(field) && !PRICES.iter().any(|(name, _)| name == field)) {
        return Err(Refusal::unknown_price(&format!("off_peak_pricing.{field}")));
    }
    let windows = windows(&block)?;
    for (field, meter) in PRICES {
        let Some(price) = block.price(field)? else { continue };
        for window in &windows {
            row.rates.push(usd_each(meter, price, field)?.when(window.clone()));
        }
    }
    Ok(())
}

fn windows(block: &Object<'_>) -> Result<Vec<Condition>, Refusal> {
    let mut windows = Vec::new();
    let every_day = hours(block.get("hours_utc"), &[])?;
    windows.extend(every_day);
    for raw in block.list("windows")?.unwrap_or_default() {
        let rule = Object::read(raw, "off_peak_pricing.windows")?;
        if let Some((field, _)) = rule.fields().find(|(field, _)| !["hours_utc", "weekdays"].contains(field)) {
            return Err(Refusal::unsupported(&format!("off_peak_pricing.windows.{field}"), "not a part of a window"));
        }
        let days = days(&rule)?;
        let elsewhere = block.text("weekday_timezone").is_some_and(|zone| zone != "UTC");
        if elsewhere && !days.is_empty() {
            return Err(Refusal::unsupported("off_peak_pricing.weekday_timezone", "days of the week are those of UTC"));
        }
        windows.extend(hours(rule.get("hours_utc"), &days)?);
    }
    if windows.iter().any(Condition::is_empty) {
        return Err(Refusal::unsupported("off_peak_pricing", "a window that never closes"));
    }
    Ok(windows)
}

/// Days of a rule: 1 to 7 from Monday, or their names; every day where there are none.
fn days(rule: &Object<'_>) -> Result<Vec<Day>, Refusal> {
    let shape = || Refusal::shape("off_peak_pricing.weekdays", "days of the week");
    let mut days = Vec::new();
    for raw in rule.list("weekdays")?.unwrap_or_default() {
        let day = match Value::of(raw) {
            Value::Number(number) => {
                let at: usize = number.parse().map_err(|_| shape())?;
                at.checked_sub(1).and_then(|at| Day::ALL.get(at)).copied()
            }
            Value::Text(name) => Day::ALL.iter().copied().find(|day| name.trim().to_ascii_lowercase().starts_with(day.as_str())),
            Value::Null | Value::Truth(_) | Value::Other => None,
        };
        days.push(day.ok_or_else(shape)?);
    }
    if rule.get("weekdays").is_some() && days.is_empty() {
        return Err(shape());
    }
    days.sort();
    days.dedup();
    // Seven days are every day.
    Ok(if days.len() == Day::ALL.len() { Vec::new() } else { days })
}

/// `"16:30-00:30"`, or a list of such.
fn hours(raw: Option<Raw<'_>>, days: &[Day]) -> Result<Vec<Condition>, Refusal> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    let texts = match Value::of(raw) {
        Value::Text(text) => vec![text],
        Value::Null | Value::Truth(_) | Value::Number(_) | Value::Other => {
            let list: Vec<String> = json::parse(raw).ok_or_else(|| Refusal::shape("off_peak_pricing.hours_utc", "times of day"))?;
            list
        }
    };
    texts.iter().map(|text| window(text, days)).collect()
}

fn window(text: &str, days: &[Day]) -> Result<Condition, Refusal> {
    let shape = || Refusal::NotANumber { field: "off_peak_pricing.hours_utc".to_owned(), given: excerpt(text) };
    let (from, until) = text.split_once('-').ok_or_else(shape)?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| shape());
    let (from, until) = (time(from)?, time(until)?);
    // A window that ends where it starts is the whole day.
    let daily = (from != until).then_some(DailyWindow { from, until });
    Ok(Condition { daily, weekdays: days.to_vec(), ..Condition::default() })
}
