//! Purchases as the window shows them.

use super::{
    CHAIN_ID, Fixed,
    account::{ledger_batches, pace_per_day},
    advised::advice,
    ahead::Ahead,
    figures::{difference_percent, instant, source_difference, verdict, wei_in_usd},
    terrace::terrace,
};
use crate::{
    cases::RATE_HOLDS_SECONDS,
    state::State,
    view::{AppErrorCode, BuyPreviewView, ErrorView, PayWay, PriceSourceView, PriceView, ReviewView, SourceVerdict, TerraceView, WayView},
};
use aispace_api::{CardOrderAnswer, OrderAnswer};
use aispace_ledger::{Batch, BatchId, BatchSource, NewBatch};
use aispace_payments::{
    PAYMENT_ADDRESS_CHECKSUMMED,
    chain::ChainAgreement,
    price::{PriceReport, Source, SourceReading},
    tag::{OrderTag, calldata},
    transfer::Prepared,
};
use aispace_units::{BATCH_LIFETIME_SECONDS, EthUsdPrice, NanoCreditSum, NanoCredits, Usd, Wei};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

/// What an amount buys.
pub(crate) fn preview(
    state: &State,
    fixed: &Fixed,
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
        price: price_view(price, state.time.ahead()),
        expires: instant(batch_end(now)),
        balance_after_credits: after.to_string(),
        terrace,
        fee_usd: state.fee_about.map(|(fee, _)| wei_in_usd(fee, price.usd_per_eth)),
        advice: advice(state, credits, now),
        ways: ways(state, fixed),
    })
}

/// The ways to pay that there are, and what keeps each from being chosen.
pub(crate) fn ways(state: &State, fixed: &Fixed) -> Vec<WayView> {
    let no_wallet = state.wallet.is_none().then(|| ErrorView::of(AppErrorCode::NoSpendingWallet));
    let open = |way| WayView { way, why_not: None };
    let mut ways = vec![open(PayWay::Browser)];
    if connect_project(state, fixed).is_some() {
        ways.push(open(PayWay::WalletConnect));
    }
    ways.extend([open(PayWay::Link), WayView { way: PayWay::SpendingWallet, why_not: no_wallet }]);
    if fixed.profile.card_payments {
        ways.push(open(PayWay::Card));
    }
    ways
}

/// Whether there is such a way to pay at all.
pub(crate) fn has_way(state: &State, fixed: &Fixed, way: PayWay) -> bool {
    ways(state, fixed).iter().any(|one| one.way == way)
}

/// The project id for WalletConnect, when there is one.
pub(crate) fn connect_project(state: &State, fixed: &Fixed) -> Option<String> {
    state.preferences.walletconnect_project.clone().or_else(|| fixed.profile.walletconnect_project.clone())
}

/// What is shown before it is paid with ether.
pub(crate) struct Reviewed<'a> {
    pub(crate) way: PayWay,
    /// The service's id of the account that is credited; none for one that the purchase opens.
    pub(crate) account_id: Option<&'a str>,
    pub(crate) order: &'a OrderAnswer,
    /// The transaction, where the payer is the app's own wallet.
    pub(crate) prepared: Option<&'a Prepared>,
    pub(crate) agreement: ChainAgreement,
    pub(crate) own: &'a PriceReport,
}

/// An order and what would pay it.
pub(crate) fn review(state: &State, reviewed: &Reviewed<'_>, tag: OrderTag, now: DateTime<Utc>) -> Result<ReviewView, ErrorView> {
    let Reviewed { way, account_id, order, prepared, agreement, own } = *reviewed;
    let quote = &order.quote;
    let price = quote.usd_per_eth;
    let l1_fee = |p: &Prepared| p.l1_fee_wei.checked_add(p.operator_fee_wei).ok_or_else(|| ErrorView::internal("fees out of range"));
    let l1_fee = prepared.map(l1_fee).transpose()?;
    let difference = difference_percent(price, own.usd_per_eth).unwrap_or(Decimal::ONE_HUNDRED);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let ether = |wei: Wei| wei.to_ether_string();
    let send = if way == PayWay::Link { quote.unique_value_wei } else { quote.value_wei };
    Ok(ReviewView {
        order_id: order.order_id.clone(),
        way,
        account_id: account_id.map(Into::into),
        usd: order.usd.to_string(),
        credits: quote.credits.to_string(),
        to_address: PAYMENT_ADDRESS_CHECKSUMMED.into(),
        from_address: prepared.map(|p| p.from.to_string()),
        chain_id: CHAIN_ID,
        nodes_agree: count(agreement.agree),
        nodes_asked: count(agreement.asked),
        value_eth: ether(quote.value_wei),
        send_eth: ether(send),
        usd_per_eth: price.to_string(),
        own_usd_per_eth: own.usd_per_eth.to_string(),
        difference_percent: difference.to_string(),
        price_differs: difference.abs() >= Decimal::ONE,
        gas_limit: prepared.map(|p| p.gas_limit.to_string()),
        network_fee_eth: prepared.map(|p| ether(p.network_fee_max_wei)),
        network_fee_usd: prepared.map(|p| wei_in_usd(p.network_fee_max_wei, price)),
        l1_fee_eth: l1_fee.map(ether),
        l1_fee_usd: l1_fee.map(|fee| wei_in_usd(fee, price)),
        total_eth: prepared.map(|p| ether(p.need_wei)),
        total_usd: prepared.map(|p| wei_in_usd(p.need_wei, price)),
        balance_eth: prepared.map(|p| ether(p.balance_wei)),
        nonce: prepared.map(|p| p.nonce.to_string()),
        tag: if way == PayWay::Link { String::new() } else { hex::encode(calldata(tag)) },
        unsigned_hex: prepared.map(|p| hex::encode(p.unsigned_bytes())),
        quote_expires: instant(quote.expires),
        quote_seconds: u32::try_from((quote.expires - quote.quoted).num_seconds()).unwrap_or_default(),
        batch_expires: instant(batch_end(now)),
        terrace: with_ghost(state, quote.credits, now).0,
    })
}

/// An order that a card would pay: no ether, no address, no price.
pub(crate) fn review_card(
    state: &State,
    order: &CardOrderAnswer,
    account_id: Option<&str>,
    own: Option<EthUsdPrice>,
    now: DateTime<Utc>,
) -> ReviewView {
    let own = own.map(|price| price.to_string()).unwrap_or_default();
    let none = Wei::ZERO.to_ether_string();
    ReviewView {
        order_id: order.order_id.clone(),
        way: PayWay::Card,
        account_id: account_id.map(Into::into),
        usd: order.usd.to_string(),
        credits: order.credits.to_string(),
        to_address: String::new(),
        from_address: None,
        chain_id: CHAIN_ID,
        nodes_agree: 0,
        nodes_asked: 0,
        value_eth: none.clone(),
        send_eth: none,
        usd_per_eth: String::new(),
        own_usd_per_eth: own,
        difference_percent: "0".into(),
        price_differs: false,
        gas_limit: None,
        network_fee_eth: None,
        network_fee_usd: None,
        l1_fee_eth: None,
        l1_fee_usd: None,
        total_eth: None,
        total_usd: Some(order.usd.to_string()),
        balance_eth: None,
        nonce: None,
        tag: String::new(),
        unsigned_hex: None,
        quote_expires: instant(order.expires),
        quote_seconds: u32::try_from((order.expires - order.opened).num_seconds()).unwrap_or_default(),
        batch_expires: instant(batch_end(now)),
        terrace: with_ghost(state, order.credits, now).0,
    }
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
    (terrace(&Ahead::of_batches(batches, pace, now), None), after)
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
