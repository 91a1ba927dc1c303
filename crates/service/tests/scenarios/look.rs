//! An account as the service shows it, and what has to be true of it at any time.

use crate::event::written;
use crate::service::Driven;
use crate::support::get;
use aispace_api::{AccountAnswer, BatchAnswer, BatchSource, BatchState, UsageAnswer, UsageEntry, UsageKind};
use aispace_units::{NanoCreditSum, NanoCredits};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Ids of this run and the names that the scenario gave them.
pub type Names = BTreeMap<String, String>;

/// What `GET /v1/account` and all pages of `GET /v1/account/usage` say, the log's oldest entry first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub account: AccountAnswer,
    pub log: Vec<UsageEntry>,
}

impl Look {
    pub async fn at(service: &Driven, secure_key: &str) -> Self {
        let account: AccountAnswer = service.send(get("/v1/account").bearer(secure_key)).await.ok(200);
        let (mut log, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/account/usage?limit=200{cursor}");
            let page: UsageAnswer = service.send(get(&path).bearer(secure_key)).await.ok(200);
            log.extend(page.entries);
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
        }
        log.reverse();
        let look = Self { account, log };
        look.holds_together();
        look
    }

    /// Σ batches = Σ entries, and the rest of what one half of an answer says about the other.
    fn holds_together(&self) {
        let Self { account, log } = self;
        let batches = &account.batches;
        let sum = |of: fn(&BatchAnswer) -> NanoCredits| NanoCreditSum::total(batches.iter().map(of));
        let changes = |of: fn(&UsageEntry) -> NanoCreditSum| log.iter().map(of).fold(NanoCreditSum::ZERO, NanoCreditSum::plus);
        let (free, held, debt) = (account.available_credits.into(), account.held_credits.into(), account.debt_credits.into());
        assert_eq!(sum(|b| b.left_credits), free, "free and its batches: {self:?}");
        assert_eq!(sum(|b| b.held_credits), held, "held and its batches: {self:?}");
        assert_eq!(NanoCreditSum::total(account.holds.iter().map(|h| h.held_credits)), held, "held and its holds: {self:?}");
        assert_eq!(NanoCreditSum::total(account.debts.iter().map(|d| d.open_credits)), debt, "debt and its charges: {self:?}");
        assert_eq!(changes(|e| e.change_credits), free.plus(held), "batches and entries: {self:?}");
        assert_eq!(changes(|e| e.held_change_credits), held, "held and entries: {self:?}");
        assert_eq!(changes(|e| e.debt_change_credits), debt, "debt and entries: {self:?}");
        assert!(account.debt_credits.is_zero() || account.available_credits.is_zero(), "free while owing: {self:?}");
        let live = batches.iter().filter(|b| !b.left_credits.is_zero());
        assert_eq!(account.next_expiry, live.map(|b| b.expires).min(), "the next expiry: {self:?}");
        for batch in batches {
            let parts = [batch.left_credits, batch.held_credits, batch.lapsed_credits, batch.voided_credits];
            let most = NanoCreditSum::from(batch.granted_credits);
            assert!(NanoCreditSum::total(parts) <= most, "more than was granted: {batch:?}");
            let closed = batch.expires <= account.server_time || batch.voided_at.is_some();
            assert!(!closed || batch.left_credits.is_zero(), "free in a closed batch: {batch:?}");
            assert!(batch.added <= account.server_time, "not there yet: {batch:?}");
        }
        let numbers: Vec<u64> = log.iter().map(|entry| entry.sequence).collect();
        assert_eq!(numbers, (1..=account.entry_count).collect::<Vec<_>>(), "numbering: {self:?}");
        assert!(log.iter().map(|entry| entry.at).is_sorted(), "order of the log: {self:?}");
        assert!(log.last().is_none_or(|entry| entry.at <= account.server_time), "an entry to come: {self:?}");
        let ids: BTreeSet<&str> = log.iter().map(|entry| entry.entry_id.as_str()).collect();
        assert_eq!(ids.len(), log.len(), "ids of entries: {self:?}");
    }

    /// What `query` prints: what is free, held and owed, the batches, holds and debts, and the log, the oldest entry first.
    pub fn printed(&self, names: &Names) -> Value {
        let Self { account, log } = self;
        let mut states: Map<String, Value> = Map::new();
        for batch in &account.batches {
            let count = states.entry(state(batch.state)).or_insert(json!(0));
            *count = json!(count.as_u64().unwrap_or_default() + 1);
        }
        let named = |id: &str| names.get(id).map_or(id, String::as_str).to_owned();
        let batches: Vec<Value> = account.batches.iter().map(|batch| printed_batch(batch, &named(&batch.batch_id))).collect();
        let hold = |h: &aispace_api::HoldAnswer| json!({"hold": named(&h.hold_id), "credits": h.held_credits, "made": written(h.made), "expires": written(h.expires), "run": h.run});
        let entry = |e: &UsageEntry| {
            json!({"sequence": e.sequence, "at": written(e.at), "kind": kind(e.kind), "change": e.change_credits,
                "held_change": e.held_change_credits, "debt_change": e.debt_change_credits, "hold": e.hold_id.as_deref().map(named),
                "charge": e.charge_sequence, "label": e.note, "run": e.run,
                "explained": e.explanation.as_ref().map(|why| why.credits)})
        };
        json!({
            "do": "query", "at": written(account.server_time), "free": account.available_credits, "held": account.held_credits,
            "debt": account.debt_credits, "allowance": account.allowance_credits_per_day, "next_expiry": account.next_expiry.map(written),
            "batches": batches, "states": states, "holds": account.holds.iter().map(hold).collect::<Vec<_>>(),
            "debts": account.debts.iter().map(|d| json!({"charge": d.sequence, "open": d.open_credits})).collect::<Vec<_>>(),
            "entries": account.entry_count,
            "kinds": log.iter().map(|e| kind(e.kind)).collect::<Vec<_>>(),
            "dated": log.iter().map(|e| format!("{} {}", written(e.at), kind(e.kind))).collect::<Vec<_>>(),
            "log": log.iter().map(entry).collect::<Vec<_>>(),
        })
    }
}

fn printed_batch(batch: &BatchAnswer, name: &str) -> Value {
    let source = match batch.source {
        BatchSource::Grant => "grant",
        BatchSource::DailyRenewal => "daily_renewal",
        BatchSource::EthPurchase | BatchSource::CardPurchase => "purchase",
    };
    json!({"batch": name, "source": source, "label": batch.note, "state": state(batch.state), "added": written(batch.added),
        "expires": written(batch.expires), "granted": batch.granted_credits, "left": batch.left_credits, "held": batch.held_credits,
        "lapsed": batch.lapsed_credits, "voided": batch.voided_credits, "voided_at": batch.voided_at.map(written)})
}

fn state(state: BatchState) -> String {
    json!(state).as_str().unwrap_or_default().to_owned()
}

fn kind(kind: UsageKind) -> String {
    json!(kind).as_str().unwrap_or_default().to_owned()
}
