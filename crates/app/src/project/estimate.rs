//! Quotes as the window shows them.

use super::{
    account::ledger_batches,
    figures::{basis_points, instant, usd, week},
};
use crate::{
    record::KnownAccount,
    view::{
        CatalogView, ChoiceOptionView, ChoiceView, DrawRowView, DrawView, ErrorView, EstimateRequest, EstimateView, EvidenceLevel,
        LineView, ModelKind, ModelView, ParameterName as ParameterView, RunParameters,
    },
};
use aispace_ledger::{Batch, draw};
use aispace_pricing::{Evidence, Kind, Model, ParameterName, Parameters, Quote, RateCard, Run, choices, quote};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};

/// Every model of a card.
pub(crate) fn catalog(card: &RateCard) -> Result<CatalogView, ErrorView> {
    let models = card.models().iter().map(|m| model(card, m)).collect::<Result<_, _>>()?;
    Ok(CatalogView { card_name: card.name().into(), card_date: card.date().to_string(), models })
}

fn model(card: &RateCard, model: &Model) -> Result<ModelView, ErrorView> {
    let base = model.base_run();
    Ok(ModelView {
        model_id: model.id().into(),
        name: model.name().into(),
        variant: model.variant().map(|v| v.as_str()).unwrap_or_default().into(),
        kind: kind(model.kind()),
        base_credits: quote(card, &base)?.total.credits().to_string(),
        base_run: model.base().to_string(),
        capabilities: model.capabilities().iter().map(|c| c.as_str().to_owned()).collect(),
        defaults: EstimateRequest { model_id: model.id().into(), runs: 1, parameters: parameters(model.base()) },
        retired: model.retired().map(|day| day.to_string()),
    })
}

fn kind(kind: Kind) -> ModelKind {
    match kind {
        Kind::Chat => ModelKind::Chat,
        Kind::Image => ModelKind::Image,
        Kind::Video => ModelKind::Video,
        Kind::Audio => ModelKind::Audio,
        Kind::Embedding => ModelKind::Embedding,
        Kind::Search => ModelKind::Search,
    }
}

fn parameters(base: &Parameters) -> RunParameters {
    match base {
        Parameters::Chat { input_tokens, output_tokens, web_searches, web_scrapes } => RunParameters::Chat {
            input_tokens: input_tokens.to_string(),
            output_tokens: output_tokens.to_string(),
            web_searches: web_searches.to_string(),
            web_scrapes: web_scrapes.to_string(),
        },
        Parameters::Image { images } => RunParameters::Image { images: images.to_string() },
        Parameters::Audio { characters } => RunParameters::Audio { characters: characters.to_string() },
        Parameters::Video { seconds, resolution, audio } => {
            RunParameters::Video { seconds: *seconds, resolution: resolution.clone(), audio: *audio }
        }
        Parameters::Embedding { input_tokens } => RunParameters::Embedding { input_tokens: input_tokens.to_string() },
        Parameters::Search { calls } => RunParameters::Search { calls: calls.to_string() },
    }
}

/// A quote, its reasons, its alternatives and what it would draw.
pub(crate) fn estimate(
    card: &RateCard,
    request: EstimateRequest,
    run: &Run,
    quote: &Quote,
    known: Option<&KnownAccount>,
    now: DateTime<Utc>,
) -> Result<EstimateView, ErrorView> {
    let posted = quote.posted()?;
    Ok(EstimateView {
        request,
        total_credits: quote.total.credits().to_string(),
        total_usd: quote.usd.to_string(),
        lines: quote.lines.iter().map(line).collect(),
        evidence: evidence(quote.evidence),
        evidence_note: quote.evidence_note.clone(),
        choices: choice_views(card, run),
        draw: known.map(|known| draw_view(&ledger_batches(&known.answer.batches), posted, now)),
    })
}

fn line(line: &aispace_pricing::Line) -> LineView {
    LineView {
        meter: line.meter.as_str().into(),
        quantity: line.quantity.to_string(),
        rate: line.rate.to_string(),
        unit: line.unit.as_str().into(),
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

fn choice_views(card: &RateCard, run: &Run) -> Vec<ChoiceView> {
    let parameter = |name| match name {
        ParameterName::Seconds => ParameterView::Seconds,
        ParameterName::Resolution => ParameterView::Resolution,
        ParameterName::Audio => ParameterView::Audio,
    };
    choices(card, run)
        .into_iter()
        .map(|choice| ChoiceView {
            parameter: parameter(choice.parameter),
            options: choice
                .options
                .into_iter()
                .map(|o| ChoiceOptionView { value: o.value, credits: o.price.map(|p| p.credits().to_string()), chosen: o.chosen })
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
