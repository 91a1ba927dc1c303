//! Orders that are paid by card: a Checkout Session, and a claim as for ether.

use super::Shared;
use super::failure::Failure;
use super::input::replayed;
use super::orders::tag_is_free;
use crate::secret::{SecureKey, fresh_id, random_32};
use crate::store::{Aim, CardOrder, CardState, KeptAnswer, NewCardOrder, RequestHash, Scope, Store, Tx, keep, recall};
use aispace_api::{CardOrderAnswer, CardStatus, ClaimAnswer, ErrorCode, PayMethod};
use aispace_ledger::AccountId;
use aispace_payments::stripe::UsdCents;
use aispace_payments::tag::{ClaimSecret, OrderTag};
use aispace_units::{NanoCredits, Usd};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What an answer is kept under.
pub(super) struct Kept {
    pub(super) scope: Scope,
    pub(super) key: String,
    pub(super) hash: RequestHash,
}

/// Opens a Checkout Session, then stores the order. A session whose order is not stored was shown to nobody and ends by itself.
pub(super) async fn open(
    shared: Arc<Shared>,
    usd: Usd,
    tag: OrderTag,
    payer: Option<AccountId>,
    kept: Kept,
) -> Result<KeptAnswer, Failure> {
    let Some(cards) = &shared.cards else {
        return Err(Failure::new(ErrorCode::CardUnavailable, "this service takes no cards; pay with ether"));
    };
    let refused = |error: String| Failure::new(ErrorCode::InvalidAmount, error).with("field", "usd");
    let price = UsdCents::chargeable(usd).map_err(|error| refused(error.to_string()))?;
    let credits = price.credits().map_err(|error| refused(error.to_string()))?;
    shared.store.read(tag, |tag, tx| Box::pin(tag_is_free(tx, *tag))).await?;
    let (account, aim) = match payer {
        Some(account) => (account, Aim::TopUp),
        None => (AccountId::new(fresh_id("ac")?), Aim::NewAccount { salt: Some(random_32()?) }),
    };
    let (order_id, opened) = (fresh_id("or")?, shared.clock.now());
    let session = cards.open_session(&order_id, price, credits).await.map_err(|error| unavailable(&error))?;
    let Some(checkout_url) = session.url else { return Err(unavailable(&"a session without an address")) };
    let order =
        NewCardOrder { account, order_id, tag, aim, price, credits, session: session.id, checkout_url, opened, expires: session.expires };
    let work = Opening { kept, order, shared: shared.clone() };
    shared.store.write(work, |work, tx| Box::pin(work.open(tx))).await
}

/// Stripe's own words are for the operator's log.
fn unavailable(error: &dyn std::fmt::Display) -> Failure {
    tracing::error!(%error, "no checkout session could be opened");
    Failure::new(ErrorCode::CardUnavailable, "cards cannot be taken at the moment; nothing was charged. Try again later, or pay with ether")
}

/// An order that waits to be stored.
struct Opening {
    kept: Kept,
    order: NewCardOrder,
    shared: Arc<Shared>,
}

impl Opening {
    async fn open(&self, tx: &mut Tx) -> Result<KeptAnswer, Failure> {
        let Kept { scope, key, hash } = &self.kept;
        // Looked up again: a twin of this call may have come first while Stripe was asked.
        if let Some(kept) = replayed(recall(tx, scope, key, *hash).await?)? {
            return Ok(kept);
        }
        tag_is_free(tx, self.order.tag).await?;
        Store::insert_card_order(tx, &self.order).await?;
        let stored = Store::card_order(tx, &self.order.order_id).await?.ok_or_else(Failure::unknown_order)?;
        let answer = order_answer(&stored, self.shared.clock.now());
        let kept = KeptAnswer::new(StatusCode::CREATED, &answer)?;
        keep(tx, scope, key, *hash, &kept, answer.server_time).await?;
        Ok(kept)
    }
}

/// The order as it stands.
pub(super) fn order_answer(stored: &CardOrder, now: DateTime<Utc>) -> CardOrderAnswer {
    let CardOrder { order, claimed, paid } = stored;
    let status = match &paid.state {
        CardState::Open => CardStatus::Open,
        CardState::Processing => CardStatus::Processing,
        CardState::Paid => CardStatus::Paid,
        CardState::Expired => CardStatus::Expired,
        CardState::Held(_) => CardStatus::Held,
    };
    CardOrderAnswer {
        order_id: order.order_id.clone(),
        server_time: now,
        method: PayMethod::Card,
        usd: order.price.into(),
        credits: order.credits,
        top_up: order.aim == Aim::TopUp,
        checkout_url: (paid.state == CardState::Open && now < order.expires).then(|| order.checkout_url.clone()),
        opened: order.opened,
        expires: order.expires,
        status,
        claimed: claimed.is_some(),
        received_usd: paid.received.into(),
        returned_usd: paid.returned.into(),
        credited: paid.credited,
        credited_credits: credited(stored),
        missing_credits: paid.missing,
    }
}

/// What was posted for an order, less what went back.
fn credited(stored: &CardOrder) -> NanoCredits {
    let kept = stored.paid.received.saturating_sub(stored.paid.returned);
    stored.paid.credited.and_then(|_| kept.credits().ok()).unwrap_or_default()
}

/// A claim whose secret is right.
pub(super) struct Claiming {
    pub(super) id: String,
    pub(super) secret: ClaimSecret,
    pub(super) acknowledge: bool,
    pub(super) now: DateTime<Utc>,
}

impl Claiming {
    /// `None` while nothing is credited. A payment that went back since still leads to its account, whatever is left there.
    pub(super) async fn claim(&self, tx: &mut Tx) -> Result<Option<ClaimAnswer>, Failure> {
        let stored = Store::card_order(tx, &self.id).await?.ok_or_else(Failure::unknown_order)?;
        if stored.paid.credited.is_none() {
            return Ok(None);
        }
        let secure_key = self.hand_out(tx, &stored).await?.map(|key| key.seal());
        Store::mark_card_claimed(tx, &self.id, self.now).await?;
        let account_id = stored.order.account.to_string();
        Ok(Some(ClaimAnswer { account_id, secure_key, credited_credits: credited(&stored) }))
    }

    /// As for ether: the same key each time, until an acknowledgement of an earlier answer.
    async fn hand_out(&self, tx: &mut Tx, stored: &CardOrder) -> Result<Option<SecureKey>, Failure> {
        let Aim::NewAccount { salt: Some(salt) } = stored.order.aim else { return Ok(None) };
        let key = SecureKey::derive(&salt, &self.secret, &stored.order.order_id);
        if stored.claimed.is_none() {
            Store::add_key(tx, &stored.order.account, key.hash(), self.now).await?;
        } else if self.acknowledge {
            Store::acknowledge_card(tx, &stored.order.order_id, self.now).await?;
            return Ok(None);
        }
        Ok(Some(key))
    }
}
