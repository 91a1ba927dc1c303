//! Purchases as the window shows them.

use super::{
    CHAIN_ID,
    account::{ledger_batches, pace_per_day},
    advised::advice,
    figures::{difference_percent, instant, source_difference, verdict, wei_in_usd},
    terrace::terrace,
};
use crate::{
    cases::RATE_HOLDS_SECONDS,
    state::State,
    view::{AppErrorCode, BuyPreviewView, ErrorView, PayWay, PriceSourceView, PriceView, ReviewView, SourceVerdict, TerraceView, WayView},
};
use aispace_api::OrderAnswer;
use aispace_ledger::{Batch, BatchId, BatchSource, NewBatch};
use aispace_payments::{
    price::{PriceReport, Source, SourceReading},
    transfer::Prepared,
};
use aispace_units::{BATCH_LIFETIME_SECONDS, EthUsdPrice, NanoCreditSum, NanoCredits, Usd, Wei};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

/// What an amount buys.
pub(crate) fn preview(
    state: &State,
    usd: Usd,
    credits: NanoCredits,
    value: Wei,
    price: &PriceReport,
    now: DateTime<Utc>,
) -> Result<BuyPreviewView, ErrorView> {
    let (terrace, after) = with_ghost(state, credits, now);
    Ok(BuyPreviewView {
        usd: usd.to_string(),
        credits: credits.to_string(),
        value_eth: value.to_ether_string(),
        price: price_view(price, state.clock_offset()),
        expires: instant(batch_end(now)),
        balance_after_credits: after.to_string(),
        terrace,
        fee_usd: state.fee_about.map(|(fee, _)| wei_in_usd(fee, price.usd_per_eth)),
        advice: advice(state, credits, now),
        ways: ways(state),
    })
}

/// The ways to pay that there are, and what keeps each from being chosen.
pub(crate) fn ways(state: &State) -> Vec<WayView> {
    let no_wallet = state.wallet.is_none().then(|| ErrorView::of(AppErrorCode::NoSpendingWallet));
    vec![WayView { way: PayWay::SpendingWallet, why_not: no_wallet }]
}

/// An order and what would pay it.
pub(crate) fn review(
    state: &State,
    order: &OrderAnswer,
    prepared: &Prepared,
    own: &PriceReport,
    now: DateTime<Utc>,
) -> Result<ReviewView, ErrorView> {
    let quote = &order.quote;
    let price = quote.usd_per_eth;
    let l1_fee = prepared.l1_fee_wei.checked_add(prepared.operator_fee_wei).ok_or_else(|| ErrorView::internal("fees out of range"))?;
    let difference = difference_percent(price, own.usd_per_eth).unwrap_or(Decimal::ONE_HUNDRED);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(ReviewView {
        order_id: order.order_id.clone(),
        way: PayWay::SpendingWallet,
        usd: order.usd.to_string(),
        credits: quote.credits.to_string(),
        to_address: prepared.to.to_string(),
        from_address: Some(prepared.from.to_string()),
        chain_id: CHAIN_ID,
        nodes_agree: count(prepared.nodes_agree),
        nodes_asked: count(prepared.nodes_asked),
        value_eth: prepared.value_wei.to_ether_string(),
        send_eth: prepared.value_wei.to_ether_string(),
        usd_per_eth: price.to_string(),
        own_usd_per_eth: own.usd_per_eth.to_string(),
        difference_percent: difference.to_string(),
        price_differs: difference.abs() >= Decimal::ONE,
        gas_limit: Some(prepared.gas_limit.to_string()),
        network_fee_eth: Some(prepared.network_fee_max_wei.to_ether_string()),
        network_fee_usd: Some(wei_in_usd(prepared.network_fee_max_wei, price)),
        l1_fee_eth: Some(l1_fee.to_ether_string()),
        l1_fee_usd: Some(wei_in_usd(l1_fee, price)),
        total_eth: Some(prepared.need_wei.to_ether_string()),
        total_usd: Some(wei_in_usd(prepared.need_wei, price)),
        balance_eth: Some(prepared.balance_wei.to_ether_string()),
        nonce: Some(prepared.nonce.to_string()),
        tag: hex::encode(&prepared.calldata),
        unsigned_hex: None,
        quote_expires: instant(quote.expires),
        quote_seconds: u32::try_from((quote.expires - quote.quoted).num_seconds()).unwrap_or_default(),
        batch_expires: instant(batch_end(now)),
        terrace: with_ghost(state, quote.credits, now).0,
    })
}

fn batch_end(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::seconds(BATCH_LIFETIME_SECONDS)
}

/// The next 30 days as they would be with the new batch, and the balance after.
fn with_ghost(state: &State, credits: NanoCredits, now: DateTime<Utc>) -> (TerraceView, NanoCreditSum) {
    let mut batches = state.known.as_ref().map(|k| ledger_batches(&k.answer.batches)).unwrap_or_default();
    let new = NewBatch { id: BatchId::new(""), source: BatchSource::EthPurchase, note: None, amount: credits, expires: None };
    batches.push(Batch::new(u64::MAX, now, batch_end(now), new));
    let after = NanoCreditSum::total(batches.iter().filter(|b| b.is_live(now)).map(|b| b.left));
    let pace = state.known.as_ref().and_then(|known| pace_per_day(known, now));
    (terrace(&batches, pace, now), after)
}

/// The rate; instants are put on the service's clock, as all the window's are.
fn price_view(price: &PriceReport, offset: TimeDelta) -> PriceView {
    PriceView {
        usd_per_eth: price.usd_per_eth.to_string(),
        at: instant(price.at + offset),
        holds_until: instant(price.at + offset + TimeDelta::seconds(i64::from(RATE_HOLDS_SECONDS))),
        holds_seconds: RATE_HOLDS_SECONDS,
        sources: sources(&price.sources, Some(price.usd_per_eth)),
    }
}

/// The sources; those not asked yet say so.
pub(crate) fn sources(readings: &[SourceReading], median: Option<EthUsdPrice>) -> Vec<PriceSourceView> {
    if readings.is_empty() {
        let unasked = |source: Source| PriceSourceView {
            name: source.name().into(),
            usd_per_eth: None,
            difference_percent: None,
            age_seconds: None,
            verdict: SourceVerdict::NotAsked,
        };
        return [Source::Coinbase, Source::Kraken, Source::Bitstamp, Source::Chainlink, Source::Gemini].map(unasked).into();
    }
    readings
        .iter()
        .map(|reading| PriceSourceView {
            name: reading.name.into(),
            usd_per_eth: reading.price.map(|p| p.to_string()),
            difference_percent: source_difference(reading, median),
            age_seconds: reading.age_seconds,
            verdict: verdict(reading.verdict),
        })
        .collect()
}
