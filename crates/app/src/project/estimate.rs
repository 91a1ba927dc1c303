//! Quotes as the window shows them.

use super::{
    account::ledger_batches,
    budget::{Spending, beside},
    figures::{basis_points, instant, usd, week},
    parameters::{base_request, model_kind},
    refused::choice_views,
};
use crate::{
    record::KnownAccount,
    view::{CatalogView, DrawRowView, DrawView, ErrorView, EstimateRequest, EstimateView, EvidenceLevel, LineView, ModelView, RangeView},
};
use aispace_ledger::{Batch, draw};
use aispace_pricing::{Estimate, Evidence, Model, Quote, RangeQuote, RateCard, Run, Terms, quote, quote_range};
use aispace_units::{Exact, NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};

/// Every model of a card that the window has a form for.
pub(crate) fn catalog(card: &RateCard, terms: &Terms) -> Result<CatalogView, ErrorView> {
    let models = card.models().iter().filter_map(|m| model(card, m, terms).transpose()).collect::<Result<_, _>>()?;
    Ok(CatalogView { card_name: card.name().into(), card_date: card.date().to_string(), models })
}

fn model(card: &RateCard, model: &Model, terms: &Terms) -> Result<Option<ModelView>, ErrorView> {
    let Some(defaults) = base_request(card, model) else { return Ok(None) };
    let base = Run::base(model);
    Ok(Some(ModelView {
        model_id: model.id.clone(),
        name: model.name.clone(),
        variant: variant(model),
        kind: model_kind(model.kind),
        base_credits: quote(card, &base, terms)?.total.to_string(),
        base_run: base.describe(),
        capabilities: model.capabilities().iter().map(|c| c.as_str().to_owned()).collect(),
        defaults,
        retired: model.retired.map(|day| day.to_string()),
    }))
}

/// `text_to_video`, `image_to_video`, or empty.
pub(super) fn variant(model: &Model) -> String {
    model.variant().map(|v| v.as_str()).unwrap_or_default().into()
}

/// The account that a run is held against, and when.
pub(crate) struct Standing<'a> {
    /// The account, when one is known.
    pub(crate) known: Option<&'a KnownAccount>,
    /// What was spent, and how much a person means to spend.
    pub(crate) spending: Option<Spending>,
    /// The instant whose prices hold.
    pub(crate) now: DateTime<Utc>,
}

/// A quote, its reasons, its alternatives and what it would draw.
pub(crate) fn estimate(
    card: &RateCard,
    request: EstimateRequest,
    run: &Run,
    range: Option<&Estimate>,
    standing: &Standing<'_>,
) -> Result<EstimateView, ErrorView> {
    let terms = Terms::at(standing.now);
    let (quote, range) = match range {
        None => (quote(card, run, &terms)?, None),
        Some(range) => {
            let ranged = quote_range(card, range, &terms)?;
            (ranged.likely.clone(), Some(range_view(card, &ranged)?))
        }
    };
    let posted = quote.posted_credits()?;
    Ok(EstimateView {
        request,
        total_credits: quote.total.to_string(),
        total_usd: dollars(card, quote.total)?,
        range,
        lines: quote.lines.iter().map(line).collect(),
        evidence: evidence(quote.evidence),
        card_date: quote.card_date.to_string(),
        card_age_days: age_days(&quote, standing.now),
        choices: choice_views(card, run, &terms),
        draw: draws(standing, posted),
        budget: standing.spending.as_ref().and_then(|spending| beside(spending, posted)),
        evidence_note: quote.evidence_note,
    })
}

/// What a cost draws from the account, when one is known.
pub(super) fn draws(standing: &Standing<'_>, cost: NanoCredits) -> Option<DrawView> {
    standing.known.map(|known| draw_view(&ledger_batches(&known.answer.batches), cost, standing.now))
}

/// An amount of the card's unit in dollars, which every AiSpace amount has.
pub(super) fn dollars(card: &RateCard, amount: Exact) -> Result<String, ErrorView> {
    let usd = card.to_usd(amount).ok_or_else(|| ErrorView::internal("the cost has no finite decimals in US dollars"))?;
    Ok(usd.to_string())
}

/// An amount of the card's unit in the ledger's smallest step, for drawings.
pub(super) fn nanos(card: &RateCard, amount: Exact) -> Result<i128, ErrorView> {
    Ok(i128::from(NanoCredits::from_decimal(card.posting().round(amount)?.to_decimal()?)?.nanos()))
}

fn range_view(card: &RateCard, range: &RangeQuote) -> Result<RangeView, ErrorView> {
    let (low, likely, high) = (nanos(card, range.low)?, nanos(card, range.likely.total)?, nanos(card, range.high)?);
    Ok(RangeView {
        low_credits: range.low.to_string(),
        low_usd: dollars(card, range.low)?,
        high_credits: range.high.to_string(),
        high_usd: dollars(card, range.high)?,
        hold_credits: range.hold.to_string(),
        low_bp: basis_points(low, high),
        likely_bp: basis_points(likely, high),
    })
}

fn age_days(quote: &Quote, now: DateTime<Utc>) -> u32 {
    u32::try_from((now.date_naive() - quote.card_date).num_days()).unwrap_or(0)
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

pub(super) fn evidence(evidence: Evidence) -> EvidenceLevel {
    match evidence {
        Evidence::LiveQuote => EvidenceLevel::LiveQuote,
        Evidence::CachedQuote => EvidenceLevel::CachedQuote,
        Evidence::RateCard => EvidenceLevel::RateCard,
        Evidence::Interpolated => EvidenceLevel::Interpolated,
        Evidence::AssumedLinear => EvidenceLevel::AssumedLinear,
    }
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
