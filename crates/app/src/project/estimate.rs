//! Quotes as the window shows them.

use super::{
    account::ledger_batches,
    figures::{basis_points, instant, usd, week},
    parameters::{base_request, model_kind},
};
use crate::{
    record::KnownAccount,
    view::{
        CatalogView, ChoiceOptionView, ChoiceView, DrawRowView, DrawView, ErrorView, EstimateRequest, EstimateView, EvidenceLevel,
        LineView, ModelView, ParameterName as ParameterView,
    },
};
use aispace_ledger::{Batch, draw};
use aispace_pricing::{Evidence, Model, ParameterName, RateCard, Run, Terms, choices, quote};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};

/// Every model of a card that the window has a form for.
pub(crate) fn catalog(card: &RateCard, terms: &Terms) -> Result<CatalogView, ErrorView> {
    let models = card.models().iter().filter_map(|m| model(card, m, terms).transpose()).collect::<Result<_, _>>()?;
    Ok(CatalogView { card_name: card.name().into(), card_date: card.date().to_string(), models })
}

fn model(card: &RateCard, model: &Model, terms: &Terms) -> Result<Option<ModelView>, ErrorView> {
    let (Some(kind), Some(defaults)) = (model_kind(model.kind), base_request(card, model)) else { return Ok(None) };
    let base = Run::base(model);
    Ok(Some(ModelView {
        model_id: model.id.clone(),
        name: model.name.clone(),
        variant: model.variant().map(|v| v.as_str()).unwrap_or_default().into(),
        kind,
        base_credits: quote(card, &base, terms)?.total.to_string(),
        base_run: base.describe(),
        capabilities: model.capabilities().iter().map(|c| c.as_str().to_owned()).collect(),
        defaults,
        retired: model.retired.map(|day| day.to_string()),
    }))
}

/// A quote, its reasons, its alternatives and what it would draw.
pub(crate) fn estimate(
    card: &RateCard,
    request: EstimateRequest,
    run: &Run,
    known: Option<&KnownAccount>,
    now: DateTime<Utc>,
) -> Result<EstimateView, ErrorView> {
    let terms = Terms::at(now);
    let quote = quote(card, run, &terms)?;
    let posted = quote.posted_credits()?;
    let usd = quote.usd.ok_or_else(|| ErrorView::internal("the cost has no finite decimals in US dollars"))?;
    Ok(EstimateView {
        request,
        total_credits: quote.total.to_string(),
        total_usd: usd.to_string(),
        lines: quote.lines.iter().map(line).collect(),
        evidence: evidence(quote.evidence),
        evidence_note: quote.evidence_note,
        choices: choice_views(card, run, &terms),
        draw: known.map(|known| draw_view(&ledger_batches(&known.answer.batches), posted, now)),
    })
}

pub(super) fn line(line: &aispace_pricing::Line) -> LineView {
    LineView {
        meter: line.meter.as_str().into(),
        quantity: line.quantity.to_string(),
        rate: line.rate.to_string(),
        unit: line.unit.clone(),
        denominator: line.denominator.count().to_string(),
        amount: line.amount.to_string(),
        rule: line.rule.clone(),
    }
}

fn evidence(evidence: Evidence) -> EvidenceLevel {
    match evidence {
        Evidence::LiveQuote => EvidenceLevel::LiveQuote,
        Evidence::CachedQuote => EvidenceLevel::CachedQuote,
        Evidence::RateCard => EvidenceLevel::RateCard,
        Evidence::Interpolated => EvidenceLevel::Interpolated,
        Evidence::AssumedLinear => EvidenceLevel::AssumedLinear,
    }
}

fn choice_views(card: &RateCard, run: &Run, terms: &Terms) -> Vec<ChoiceView> {
    let parameter = |name| match name {
        ParameterName::Seconds => ParameterView::Seconds,
        ParameterName::Resolution => ParameterView::Resolution,
        ParameterName::Audio => ParameterView::Audio,
    };
    choices(card, run, terms)
        .into_iter()
        .map(|choice| ChoiceView {
            parameter: parameter(choice.parameter),
            options: choice
                .options
                .into_iter()
                .map(|o| ChoiceOptionView { value: o.value, credits: o.price.map(|p| p.to_string()), chosen: o.chosen })
                .collect(),
        })
        .collect()
}

fn draw_view(batches: &[Batch], cost: NanoCredits, now: DateTime<Utc>) -> DrawView {
    let drawn = draw(batches, cost, now);
    let mut live: Vec<&Batch> = batches.iter().filter(|b| b.is_live(now)).collect();
    live.sort_by_key(|b| b.draw_key());
    let taken = |batch: &Batch| drawn.taken.iter().find(|t| t.batch == batch.id).map(|t| t.amount).unwrap_or_default();
    let balance = NanoCreditSum::total(live.iter().map(|b| b.left));
    let covered = cost.checked_sub(drawn.shortfall).unwrap_or_default();
    let stays = balance.minus(covered.into());
    DrawView {
        rows: live.iter().zip(1u32..).map(|(batch, order)| draw_row(batch, order, taken(batch), now)).collect(),
        stays_credits: stays.to_string(),
        stays_usd: stays.to_decimal().map(usd).unwrap_or_default(),
        short_credits: drawn.shortfall.to_string(),
    }
}

fn draw_row(batch: &Batch, order: u32, takes: NanoCredits, now: DateTime<Utc>) -> DrawRowView {
    DrawRowView {
        order,
        batch_id: batch.id.as_str().into(),
        source: batch.source.as_str().into(),
        expires: instant(batch.expires),
        left_credits: batch.left.to_string(),
        takes_credits: takes.to_string(),
        stays_credits: batch.left.checked_sub(takes).unwrap_or_default().to_string(),
        takes_bp: basis_points(i128::from(takes.nanos()), i128::from(batch.left.nanos())),
        week: week(batch.expires, now),
    }
}
