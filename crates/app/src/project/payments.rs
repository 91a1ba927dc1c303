//! Payments as the window shows them.

use super::figures::{instant, wei_in_usd};
use crate::{
    cases::may_replace,
    record::PaymentRecord,
    state::State,
    view::{
        AppErrorCode, AskView, BrowserStage, ConnectStage, Finality, PaidBatchView, PayWay, PaymentRowView, PaymentState, PaymentStep,
        PaymentView, QrView, StepState, StepView,
    },
};
use aispace_payments::{
    PAYMENT_ADDRESS_CHECKSUMMED,
    links::{eip681, metamask_send_link},
    qr::Qr,
    tag::{OrderTag, calldata},
    transfer::ReplacementKind,
};
use chrono::{DateTime, Utc};

/// Payments that the window gets beside the open one.
const ROWS: usize = 500;

/// A payment with its timeline.
pub(crate) fn payment(state: &State, payment: &PaymentRecord) -> PaymentView {
    let current = state.payment.as_ref().is_some_and(|p| p.order_id == payment.order_id);
    let quote = payment.quote.as_ref();
    let hash = payment.transaction_hash.as_ref();
    let is_stuck = current && state.payment_trouble.as_ref().is_some_and(|trouble| trouble.code == AppErrorCode::PaymentStuck);
    PaymentView {
        order_id: payment.order_id.clone(),
        way: payment.way,
        wallet_name: payment.wallet_name.clone(),
        state: payment.state,
        finality: payment.finality,
        usd: payment.usd.to_string(),
        credits: payment.credits.to_string(),
        value_eth: payment.value_wei.to_ether_string(),
        paid_eth: payment.paid_wei.map(|paid| paid.to_ether_string()),
        fee_eth: payment.fee_wei.map(|fee| fee.to_ether_string()),
        fee_usd: payment.fee_wei.zip(quote).map(|(fee, quote)| wei_in_usd(fee, quote.usd_per_eth)),
        gas_used: payment.gas_used.map(|gas| gas.to_string()),
        usd_per_eth: quote.map(|q| q.usd_per_eth.to_string()).unwrap_or_default(),
        price_sources: quote.map(|q| q.sources.clone()).unwrap_or_default(),
        priced_at: quote.map(|q| instant(q.quoted)).unwrap_or_default(),
        from_address: payment.from.clone(),
        to_address: PAYMENT_ADDRESS_CHECKSUMMED.into(),
        tag: payment.tag.clone().unwrap_or_default(),
        data: data(payment),
        transaction_hash: hash.cloned(),
        earlier_hashes: payment.attempts.iter().map(|a| &a.hash).filter(|h| Some(*h) != hash).cloned().collect(),
        block_number: payment.block_number.map(|n| n.to_string()),
        block_time: payment.block_time.map(instant),
        top_up: payment.top_up,
        account_id: payment.account_id.clone(),
        created: payment.created().map(instant).unwrap_or_default(),
        batch: batch(payment),
        remarks: payment.remarks.iter().copied().collect(),
        steps: steps(payment),
        ask: ask(state, payment),
        can_speed_up: is_stuck && may_replace(payment, ReplacementKind::SpeedUp),
        can_cancel: is_stuck && may_replace(payment, ReplacementKind::Cancel),
        can_stop_waiting: current && payment.state == PaymentState::Asked,
        can_put_away: current && !payment.is_open(),
        can_claim_by_hash: current && can_claim(state, payment),
        trouble: if current { state.payment_trouble.clone() } else { None },
    }
}

/// What whoever was asked needs.
fn ask(state: &State, payment: &PaymentRecord) -> Option<AskView> {
    if payment.state != PaymentState::Asked {
        return None;
    }
    let live = state.ask.as_ref().filter(|ask| ask.order_id == payment.order_id).map(|ask| ask.view.clone());
    let closes = payment.quote.as_ref().map(|q| instant(q.expires));
    match payment.way {
        PayWay::Link => Some(AskView::Link {
            uri: eip681(payment.value_wei),
            qr: qr(&eip681(payment.value_wei))?,
            exact_eth: payment.value_wei.to_ether_string(),
            address: PAYMENT_ADDRESS_CHECKSUMMED.into(),
            metamask_url: metamask_send_link(payment.value_wei),
            closes: closes.unwrap_or_default(),
            watching_block: state.nodes.iter().filter_map(|n| n.block_number.as_ref()?.parse::<u64>().ok()).max().map(|n| n.to_string()),
        }),
        PayWay::Card => live.or(Some(AskView::Card { closes: None })),
        // After a restart there is no page and no connection any more.
        PayWay::Browser => live.or_else(|| {
            let closes = closes.unwrap_or_default();
            Some(AskView::Browser { stage: BrowserStage::Closed, code: String::new(), wallet: None, account: None, closes, url: None })
        }),
        PayWay::WalletConnect => live.or_else(|| {
            let (closes, links) = (closes.unwrap_or_default(), Vec::new());
            Some(AskView::WalletConnect { stage: ConnectStage::Closed, uri: None, qr: None, wallet: None, account: None, links, closes })
        }),
        PayWay::SpendingWallet => None,
    }
}

/// A text to be scanned.
pub(crate) fn qr(text: &str) -> Option<QrView> {
    Qr::encode(text).ok().map(|qr| QrView { size: qr.size(), path: qr.path() })
}

/// Whether the spending wallet sent a transaction that only its signature connects with the order.
fn can_claim(state: &State, payment: &PaymentRecord) -> bool {
    let own = state.wallet.as_ref().map(|w| w.address.to_string());
    payment.claimable.is_some() && own.is_some() && payment.from == own && payment.state == PaymentState::Asked
}

/// All payments but the one on the screen, newest first.
pub(crate) fn rows(state: &State) -> Vec<PaymentRowView> {
    let current = state.payment.as_ref().map(|p| &p.order_id);
    let others = state.payments.iter().rev().filter(|p| Some(&p.order_id) != current);
    others.take(ROWS).map(row).collect()
}

fn row(payment: &PaymentRecord) -> PaymentRowView {
    PaymentRowView {
        order_id: payment.order_id.clone(),
        way: payment.way,
        wallet_name: payment.wallet_name.clone(),
        created: payment.created().map(instant).unwrap_or_default(),
        usd: payment.usd.to_string(),
        credits: payment.credits.to_string(),
        account_id: payment.account_id.clone(),
        batch_expires: payment.batch.as_ref().map(|b| instant(b.expires)),
        state: payment.state,
        finality: payment.finality,
        transaction_hash: payment.transaction_hash.clone(),
        remarks: payment.remarks.iter().copied().collect(),
    }
}

fn batch(payment: &PaymentRecord) -> Option<PaidBatchView> {
    let batch = payment.batch.as_ref()?;
    Some(PaidBatchView { credits: payment.credits.to_string(), expires: instant(batch.expires), batch_id: batch.id.clone() })
}

/// How firmly in the chain a step asks for, or which state.
enum Mark {
    State(PaymentState),
    Firm(Finality),
}

/// The steps of a way to pay, in order.
fn path(way: PayWay) -> Vec<(PaymentStep, Mark)> {
    use PaymentState as State;
    let begins = match way {
        PayWay::SpendingWallet => {
            vec![(PaymentStep::Signed, State::Signed), (PaymentStep::Sent, State::Sent), (PaymentStep::Seen, State::Seen)]
        }
        PayWay::Browser | PayWay::WalletConnect | PayWay::Link => {
            vec![(PaymentStep::Asked, State::Asked), (PaymentStep::Seen, State::Seen)]
        }
        PayWay::Card => vec![(PaymentStep::Asked, State::Asked)],
    };
    let confirmed = (way != PayWay::Card).then_some((PaymentStep::Confirmed, State::Confirmed));
    let ends = [(PaymentStep::Credited, State::Credited), (PaymentStep::KeyStored, State::Done)];
    let mut path: Vec<_> = begins.into_iter().chain(confirmed).chain(ends).map(|(step, state)| (step, Mark::State(state))).collect();
    if way != PayWay::Card {
        path.extend([(PaymentStep::Safe, Mark::Firm(Finality::Safe)), (PaymentStep::Final, Mark::Firm(Finality::Final))]);
    }
    path
}

fn steps(payment: &PaymentRecord) -> Vec<StepView> {
    let failed = !payment.is_open() && payment.state != PaymentState::Done;
    let mut ahead = false;
    let step = |(step, mark): (PaymentStep, Mark)| {
        let (at, passed): (Option<DateTime<Utc>>, bool) = match mark {
            Mark::State(state) => {
                let at = payment.reached.get(&state).copied();
                (at, at.is_some() || (!failed && payment.state > state))
            }
            Mark::Firm(finality) => (payment.firm.get(&finality).copied(), payment.finality >= finality),
        };
        let now = !passed && !ahead;
        // A step on L1 may be behind before the key is there: it does not hold up the others.
        ahead |= !passed;
        let state = match (passed, now, failed) {
            (true, _, _) => StepState::Done,
            (false, true, true) => StepState::Failed,
            (false, true, false) => StepState::Now,
            (false, false, _) => StepState::Next,
        };
        StepView { step, state, at: at.map(instant) }
    };
    path(payment.way).into_iter().map(step).collect()
}

/// What the transaction carries, as a wallet shows it; nothing where the amount alone tells whose it is.
fn data(payment: &PaymentRecord) -> String {
    let carries = match payment.way {
        PayWay::Browser | PayWay::WalletConnect | PayWay::SpendingWallet => payment.tag.as_deref(),
        PayWay::Link | PayWay::Card => None,
    };
    let tag: Option<OrderTag> = carries.and_then(|tag| tag.parse().ok());
    tag.map(|tag| format!("0x{}", hex::encode(calldata(tag)))).unwrap_or_default()
}
