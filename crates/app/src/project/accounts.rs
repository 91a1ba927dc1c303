//! All accounts side by side, and their sum.

use super::{
    account::ledger_batches,
    ahead::Ahead,
    figures::{instant, usd, week},
    terrace::terrace,
};
use crate::{
    roster::{AccountKind, RosterEntry},
    state::{Connection, Session, State},
    view::{AccountKindView, AccountRowView, AccountsView, ConnectionState, TotalView},
};
use aispace_ledger::Batch;
use aispace_units::NanoCreditSum;
use chrono::{DateTime, TimeDelta, Utc};

/// What was read so long ago is not called live, whatever else is believed: the computer may have slept since. An account that does not
/// show is read every few minutes.
const LIVE_FOR: TimeDelta = TimeDelta::minutes(15);

/// Whether an account's figures are those of now. What was typed in is as exact as it ever gets.
pub(super) fn is_live(session: &Session, connection: &Connection, now: DateTime<Utc>) -> bool {
    match session {
        Session::ByHand => true,
        Session::SignedIn { .. } => {
            let is_recent = |read: DateTime<Utc>| now - read < LIVE_FOR;
            connection.state == ConnectionState::Online && connection.last_sync.is_some_and(is_recent)
        }
        Session::Unknown | Session::SignedOut | Session::KeyUnavailable { .. } => false,
    }
}

/// A row, and what it counts for.
struct Counted {
    row: AccountRowView,
    available: Option<NanoCreditSum>,
    read: Option<DateTime<Utc>>,
}

pub(super) fn accounts(state: &State, now: DateTime<Utc>) -> AccountsView {
    let counted: Vec<Counted> = state.roster.accounts.iter().filter_map(|entry| counted(state, entry, now)).collect();
    let total = (counted.len() > 1).then(|| total(&counted));
    AccountsView { rows: counted.into_iter().map(|one| one.row).collect(), total }
}

fn counted(state: &State, entry: &RosterEntry, now: DateTime<Utc>) -> Option<Counted> {
    let (session, known, connection) = state.seen(&entry.id)?;
    let batches = known.map(|known| ledger_batches(&known.answer.batches)).unwrap_or_default();
    let live: Vec<&Batch> = batches.iter().filter(|b| b.is_live(now)).collect();
    let available = known.map(|_| NanoCreditSum::total(live.iter().map(|b| b.left)));
    let next = live.iter().filter(|b| b.expires > now).min_by_key(|b| b.expires);
    let held = session.key_to_try();
    let row = AccountRowView {
        account: entry.id.as_str().into(),
        kind: match entry.kind {
            AccountKind::Service => AccountKindView::Service,
            AccountKind::ByHand => AccountKindView::ByHand,
        },
        label: entry.label.clone(),
        active: state.roster.is_active(&entry.id),
        account_id: known.filter(|_| entry.kind == AccountKind::Service).map(|k| k.answer.account_id.clone()),
        key_hint: held.map(|(key, _)| key.hint()),
        keeping: held.map(|(_, keeping)| keeping),
        since: entry.since.map(instant),
        key_error: if let Session::KeyUnavailable { error, .. } = session { Some(error.clone()) } else { None },
        rotating: state.rotating.contains(&entry.id),
        available_credits: available.map(|sum| sum.to_string()),
        available_usd: available.map(|sum| sum.to_decimal().map(usd).unwrap_or_default()),
        at_most: !is_live(session, connection, now),
        known_at: known.map(|k| instant(k.answer.server_time)),
        next_end_credits: next.map(|b| b.left.to_string()),
        next_end: next.map(|b| instant(b.expires)),
        ends_soon: next.is_some_and(|b| week(b.expires, now) == 1),
        slabs: known.map(|known| terrace(&Ahead::of(known, now), None).slabs).unwrap_or_default(),
    };
    // What was typed in does not grow old by not being asked for.
    let read = known.filter(|_| entry.kind == AccountKind::Service).map(|k| k.answer.server_time);
    Some(Counted { row, available, read })
}

fn total(counted: &[Counted]) -> TotalView {
    let read: Vec<&Counted> = counted.iter().filter(|one| one.available.is_some()).collect();
    let sum = read.iter().filter_map(|one| one.available).fold(NanoCreditSum::from_nanos(0), NanoCreditSum::plus);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    TotalView {
        available_credits: sum.to_string(),
        available_usd: sum.to_decimal().map(usd).unwrap_or_default(),
        at_most: read.iter().any(|one| one.row.at_most),
        oldest: read.iter().filter_map(|one| one.read).min().map(instant),
        counted: count(read.len()),
        unread: count(counted.len().saturating_sub(read.len())),
    }
}
