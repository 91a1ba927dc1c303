//! Server-sent events (HTML Living Standard, §9.2): an account's balance, now and whenever it changes.

use super::failure::Failure;
use super::input::account_caller;
use super::openapi::{RefusedAccount, RefusedStream};
use super::{AppState, Shared};
use crate::store::{Change, Store, Tx};
use aispace_api::{BalanceEvent, ErrorCode};
use aispace_ledger::AccountId;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use chrono::{DateTime, TimeDelta, Utc};
use futures::Stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use utoipa::ToSchema;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// Streams that may be open at once, in all.
pub(crate) const STREAMS_MAX: usize = 4_096;
/// A word at least this often, so that a dead connection is found out, and a revoked key ends its streams.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One event of the stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "an event is written by its writer")]
pub(crate) struct BalanceMessage {
    /// `balance`.
    event: String,
    /// The number of entries.
    id: String,
    /// A `BalanceEvent`.
    #[schema(schema_with = balance_data)]
    data: String,
}

fn balance_data() -> Schema {
    let json = ObjectBuilder::new().schema_type(Type::String).content_media_type("application/json");
    json.content_schema(Some(Ref::from_schema_name("BalanceEvent"))).into()
}

/// The balance as a stream: at once, at every posting, and when something falls due by itself.
#[utoipa::path(get, path = "/v1/account/events", operation_id = "watchAccount", tag = "account", security(("secureKey" = [])),
    responses((status = 200, description = "Events named `balance`, each with a `BalanceEvent` as its data.", content_type = "text/event-stream",
        body = BalanceMessage), RefusedAccount, RefusedStream))]
pub(crate) async fn events(
    State(shared): AppState,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let account = account_caller(&shared, &headers).await?;
    let busy = |_| Failure::new(ErrorCode::Internal, "too many streams are open; try again later").status(StatusCode::SERVICE_UNAVAILABLE);
    let permit = shared.streams.clone().try_acquire_owned().map_err(busy)?;
    // Listening begins before the first look, so nothing between the two is missed.
    let changes = shared.store.changes();
    let watcher = Watching { shared, headers, account, changes, told: None, due: None, _permit: permit };
    Ok(Sse::new(futures::stream::unfold(watcher, Watching::next)))
}

struct Watching {
    shared: Arc<Shared>,
    headers: HeaderMap,
    account: AccountId,
    changes: broadcast::Receiver<Change>,
    told: Option<BalanceEvent>,
    /// When something falls due by itself.
    due: Option<DateTime<Utc>>,
    _permit: OwnedSemaphorePermit,
}

/// Why a stream looks again.
enum Woken {
    Look,
    Heartbeat,
    End,
}

impl Watching {
    /// The next event; the stream ends with the service, with the key, and when the balance cannot be read.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let mut woken = if self.told.is_none() { Woken::Look } else { self.wait().await };
        loop {
            // The key may have been revoked meanwhile.
            if matches!(woken, Woken::End) || !self.may_go_on().await {
                return None;
            }
            let read =
                self.shared.store.read((self.account.clone(), self.shared.clock.now()), |(id, now), tx| Box::pin(look(tx, id, *now)));
            let (balance, due) = read.await.ok()?;
            self.due = due;
            if self.told.as_ref().is_none_or(|told| told.differs(&balance)) {
                let event = Event::default().event("balance").id(balance.entry_count.to_string()).json_data(&balance).ok()?;
                self.told = Some(balance);
                return Some((Ok(event), self));
            }
            if matches!(woken, Woken::Heartbeat) {
                return Some((Ok(Event::default().comment("")), self));
            }
            woken = self.wait().await;
        }
    }

    async fn may_go_on(&self) -> bool {
        account_caller(&self.shared, &self.headers).await.is_ok_and(|account| account == self.account)
    }

    async fn wait(&mut self) -> Woken {
        let until_due = self.due.map(|due| due.signed_duration_since(self.shared.clock.now()).max(TimeDelta::milliseconds(1)));
        let until_due = until_due.and_then(|wait| wait.to_std().ok()).filter(|wait| *wait < HEARTBEAT);
        let mut stop = self.shared.stop.clone();
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Woken::End,
                change = self.changes.recv() => match change {
                    Ok(Change::Account(id)) if id != self.account => {}
                    Ok(Change::Account(_) | Change::Any) | Err(RecvError::Lagged(_)) => return Woken::Look,
                    Err(RecvError::Closed) => return Woken::End,
                },
                () = tokio::time::sleep(until_due.unwrap_or(HEARTBEAT)) => {
                    return if until_due.is_some() { Woken::Look } else { Woken::Heartbeat };
                }
            }
        }
    }
}

/// The balance, and when it next changes by itself.
async fn look(tx: &mut Tx, id: &AccountId, now: DateTime<Utc>) -> Result<(BalanceEvent, Option<DateTime<Utc>>), Failure> {
    let account = Store::account(tx, id).await?.ok_or_else(Failure::unknown_account)?;
    let view = account.view_at(now);
    let timeouts = view.holds.iter().map(|hold| hold.expires);
    let midnight = view.allowance.map(|allowance| allowance.since).and_then(|since| since.checked_add_signed(TimeDelta::days(1)));
    let due = timeouts.chain(view.next_expiry).chain(midnight.map(|day| day.date_naive().and_time(chrono::NaiveTime::MIN).and_utc())).min();
    let balance = BalanceEvent {
        server_time: view.at,
        available_credits: view.available,
        held_credits: view.held,
        debt_credits: view.debt,
        next_expiry: view.next_expiry,
        entry_count: view.entry_count,
    };
    Ok((balance, due))
}
