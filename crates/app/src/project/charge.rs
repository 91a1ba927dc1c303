//! A charge beside an estimate of the same run.

use super::{estimate::line, figures::instant};
use crate::view::{ChargeAgreement, ChargeLineView, ChargeView, LineView};
use aispace_api::{Explained, Explanation, ExplanationLine, LineRole, PostingRule, UsageEntry};
use aispace_client::run_request;
use aispace_pricing::{Denominator, LineRole as Role, Quote, RateCard, quote};
use aispace_units::Rounding;

/// Why an entry was charged what it was; none for what is no charge of a metered run.
pub(crate) fn charge(card: &RateCard, entry: &UsageEntry) -> Option<ChargeView> {
    let why = entry.explanation.as_deref().filter(|why| why.of == Explained::Charge)?;
    let estimate = estimate(card, why);
    let steps: Vec<LineView> = estimate.iter().flat_map(|e| &e.lines).filter(|step| step.role != Role::Display).map(line).collect();
    let mut estimated = steps.iter();
    let lines: Vec<ChargeLineView> = why.lines.iter().map(|charged| compared(charged, &mut estimated)).collect();
    let estimated_credits = estimate.as_ref().and_then(|estimate| estimate.posted_credits().ok());
    let same_lines = || lines.iter().all(|l| !l.charged || l.estimated_amount.as_ref() == Some(&l.line.amount)) && estimated.len() == 0;
    let agreement = match estimated_credits {
        None => ChargeAgreement::Unknown,
        Some(credits) if credits == why.credits && same_lines() => ChargeAgreement::Same,
        Some(_) => ChargeAgreement::Differs,
    };
    Some(ChargeView {
        card_id: why.card.id.clone(),
        card_date: why.card.version.to_string(),
        priced_at: instant(why.priced_at),
        lines,
        total: why.total.to_string(),
        unit: why.unit.clone(),
        posted: why.posted.to_string(),
        rounding: rounding_words(&why.rounding),
        charged_credits: why.credits.to_string(),
        estimated_credits: estimated_credits.map(|credits| credits.to_string()),
        agreement,
        evidence_note: why.note.clone(),
    })
}

/// The same run at the same instant by the app's own card.
fn estimate(card: &RateCard, why: &Explanation) -> Option<Quote> {
    let request = run_request(&why.metered).ok().filter(|_| why.card.id == card.id() && why.metered.rates.is_none())?;
    let run = request.run(card.model(&why.metered.model).ok()?).ok()?;
    quote(card, &run, &request.terms(why.priced_at).ok()?).ok()
}

/// A line of the charge with the next line of the estimate, if that is about the same.
fn compared(charged: &ExplanationLine, estimated: &mut std::slice::Iter<'_, LineView>) -> ChargeLineView {
    let line = line_view(charged);
    if charged.role == LineRole::NotCharged {
        return ChargeLineView { line, charged: false, estimated_amount: None };
    }
    let same = estimated.clone().next().filter(|step| step.meter == line.meter && step.quantity == line.quantity);
    if same.is_some() {
        estimated.next();
    }
    ChargeLineView { estimated_amount: same.map(|step| step.amount.clone()), charged: true, line }
}

fn line_view(line: &ExplanationLine) -> LineView {
    // A denominator of a newer service is shown as it writes it.
    let denominator = line.per.parse::<Denominator>().map_or_else(|_| line.per.clone(), |per| per.count().to_string());
    LineView {
        meter: line.meter.clone(),
        quantity: line.quantity.to_string(),
        rate: line.rate.to_string(),
        unit: line.unit.clone(),
        denominator,
        amount: line.amount.to_string(),
        rule: line.rule.clone(),
    }
}

fn rounding_words(rounding: &PostingRule) -> String {
    let rule = match rounding.rule {
        Rounding::Down => "down",
        Rounding::Up => "up",
        Rounding::HalfUp => "half up",
        Rounding::HalfEven => "half to even",
    };
    match (rounding.step, rounding.decimals) {
        (Some(step), _) => format!("{rule} to steps of {step}"),
        (None, decimals) => format!("{rule} to {} decimals", decimals.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn entry(output_rate: &str, output_amount: &str, credits: &str, failed: bool) -> UsageEntry {
        let line = |meter: &str, quantity: &str, rate: &str, amount: &str, role: &str| json!({"meter": meter, "quantity": quantity, "rate": rate, "unit": "credits", "per": "1M", "amount": amount, "rule": "r", "role": role});
        let mut lines =
            vec![line("input_tokens", "500", "500", "0.25", "charge"), line("output_tokens", "200", output_rate, output_amount, "charge")];
        let mut metered = json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}});
        if failed {
            metered["failed"] = json!({"requests": 2});
            lines.push(line("requests", "2", "0", "0", "not_charged"));
        }
        let explanation: Value = json!({"format": 1, "of": "charge", "metered": metered,
            "card": {"id": "aispace", "version": "2026-01-01", "hash": "0"}, "priced_at": "2026-11-21T12:00:00Z", "lines": lines,
            "total": credits, "unit": "aispace", "posted": credits, "rounding": {"rule": "half_up", "decimals": 9}, "credits": credits,
            "evidence": "rate_card", "note": "Printed."});
        serde_json::from_value(json!({"entry_id": "e", "sequence": 1, "at": "2026-11-21T12:00:00Z", "kind": "debit",
            "change_credits": format!("-{credits}"), "run": null, "explanation": explanation}))
        .expect("an entry")
    }

    fn view(entry: &UsageEntry) -> ChargeView {
        charge(&RateCard::aispace().expect("built in"), entry).expect("a charge")
    }

    #[test]
    fn a_charge_by_the_same_card_agrees_line_by_line() {
        for failed in [false, true] {
            let view = view(&entry("1500", "0.3", "0.55", failed));
            assert_eq!((view.agreement, view.estimated_credits.as_deref()), (ChargeAgreement::Same, Some("0.55")));
            let amounts: Vec<_> = view.lines.iter().map(|l| (l.line.amount.as_str(), l.estimated_amount.as_deref(), l.charged)).collect();
            assert_eq!(amounts[..2], [("0.25", Some("0.25"), true), ("0.3", Some("0.3"), true)]);
            assert_eq!(amounts.get(2), failed.then_some(&("0", None, false)));
            assert_eq!((view.lines[0].line.denominator.as_str(), view.rounding.as_str()), ("1000000", "half up to 9 decimals"));
        }
    }

    #[test]
    fn a_line_that_differs_is_seen() {
        let view = view(&entry("2000", "0.4", "0.65", false));
        assert_eq!(
            (view.agreement, view.charged_credits.as_str(), view.estimated_credits.as_deref()),
            (ChargeAgreement::Differs, "0.65", Some("0.55"))
        );
        assert_eq!((view.lines[1].line.amount.as_str(), view.lines[1].estimated_amount.as_deref()), ("0.4", Some("0.3")));
    }

    #[test]
    fn what_this_app_cannot_price_is_shown_without_an_estimate() {
        let mut other = entry("1500", "0.3", "0.55", false);
        if let Some(why) = other.explanation.as_mut() {
            why.card.id = "aisa".into();
        }
        let view = view(&other);
        assert_eq!((view.agreement, view.estimated_credits, view.lines.len()), (ChargeAgreement::Unknown, None, 2));
        other.explanation = None;
        assert_eq!(charge(&RateCard::aispace().expect("built in"), &other), None);
    }
}
