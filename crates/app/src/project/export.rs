//! Everything that is kept, as one file for the person. It holds no secret and no address of a node beyond host and port.

use super::{
    figures::instant,
    payments::payment,
    report::{host_and_port, trouble_of},
};
use crate::{
    kept_estimate::EstimateBook,
    recipe::RecipeBook,
    record::{KnownAccount, PaymentRecord},
    roster::RosterEntry,
    state::State,
    usage_log::KeptEntry,
    view::AppView,
};
use aispace_api::UsageEntry;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is kept beside the state: by the service's ids of their accounts, and of none.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    /// The newest entries first.
    pub(crate) logs: BTreeMap<String, Vec<KeptEntry>>,
    pub(crate) estimates: BTreeMap<String, EstimateBook>,
    pub(crate) recipes: RecipeBook,
}

/// The whole of it. Amounts are exact decimal strings, instants are UTC.
pub(crate) fn export(state: &State, payments: &[PaymentRecord], shelves: &Shelves, app: &AppView, now: DateTime<Utc>) -> Value {
    json!({
        "kind": "aispace_wallet_export",
        "version": 1,
        "exported": instant(now),
        "app_version": app.settings.version,
        "profile": app.profile.kind,
        "accounts": state.roster.accounts.iter().map(|entry| account(state, shelves, entry)).collect::<Vec<_>>(),
        "recipes": shelves.recipes.recipes,
        "payments": payments.iter().map(|record| paid(state, record)).collect::<Vec<_>>(),
        "settings": settings(state, app),
    })
}

fn account(state: &State, shelves: &Shelves, entry: &RosterEntry) -> Value {
    let known = state.seen(&entry.id).and_then(|(_, known, _)| known);
    let usage = known.map(|known| usage(known, shelves));
    let book = known.and_then(|k| shelves.estimates.get(&k.answer.account_id));
    json!({
        "label": entry.label,
        "kind": entry.kind,
        "since": entry.since.map(instant),
        "account_id": known.map(|k| &k.answer.account_id),
        "known_at": known.map(|k| instant(k.answer.server_time)),
        "available_credits": known.map(|k| k.answer.available_credits),
        "held_credits": known.map(|k| k.answer.held_credits),
        "debt_credits": known.map(|k| k.answer.debt_credits),
        "allowance_credits_per_day": known.map(|k| k.answer.allowance_credits_per_day),
        "batches": known.map(|k| &k.answer.batches),
        "usage_entries_posted": known.map(|k| k.answer.entry_count),
        "usage_entries_here": usage.as_ref().map(Vec::len),
        "usage": usage,
        "kept_estimates": book.map(|book| &book.estimates),
    })
}

/// Every entry that is on this computer, the newest first: the log, and what was read since.
fn usage<'a>(known: &'a KnownAccount, shelves: &'a Shelves) -> Vec<&'a UsageEntry> {
    let logged = shelves.logs.get(&known.answer.account_id).into_iter().flatten().map(|kept| &kept.entry);
    let all: BTreeMap<u64, &UsageEntry> = known.usage.iter().chain(logged).map(|entry| (entry.sequence, entry)).collect();
    all.into_values().rev().collect()
}

/// As the payment's page shows it; what is asked of an outside wallet just now is no record and may hold a token.
fn paid(state: &State, record: &PaymentRecord) -> Value {
    let mut view = payment(state, record);
    view.ask = None;
    let trouble = view.trouble.take().as_ref().map(trouble_of);
    let mut value = serde_json::to_value(&view).unwrap_or_default();
    value["trouble"] = json!(trouble);
    value
}

fn settings(state: &State, app: &AppView) -> Value {
    let preferences = &state.preferences;
    let mut settings = serde_json::to_value(preferences).unwrap_or_default();
    let nodes = preferences.nodes.as_ref();
    settings["nodes"] = json!(nodes.map(|urls| urls.iter().map(|url| host_and_port(url)).collect::<Vec<_>>()));
    settings["theme"] = json!(app.settings.theme);
    settings["service"] = json!(host_and_port(&app.settings.service_url));
    settings
}
