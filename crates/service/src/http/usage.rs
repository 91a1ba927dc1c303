//! The log of an account: pages as JSON, or all of it as CSV, by time, kind and model.

use super::account::usage_entry;
use super::failure::Failure;
use super::input::account_caller;
use super::openapi::RefusedUsage;
use super::{AppState, Shared};
use crate::store::{EntryFilter, Store, Tx};
use aispace_api::{UsageAnswer, UsageEntry, UsageKind, instant, is_plain_decimal, is_word, schema};
use aispace_ledger::{AccountId, Entry};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use std::str::FromStr;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const PAGE_ENTRIES: usize = 50;
const PAGE_ENTRIES_MAX: usize = 200;
/// Entries read at a time for a CSV file.
const CSV_ENTRIES: usize = 500;
const CSV_HEAD: [&str; 15] = [
    "sequence",
    "at",
    "kind",
    "change_credits",
    "held_change_credits",
    "debt_change_credits",
    "model_id",
    "model_name",
    "run_kind",
    "meters",
    "rule",
    "hold_id",
    "charge_sequence",
    "note",
    "entry_id",
];

/// Which part of the log, and how it is written. Each is read as text: their types would read more than the document says.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,19}$", min_length = 1)]
    cursor: Option<String>,
    /// Most entries of the page; 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// The first instant.
    #[param(value_type = Option<schema::Instant>)]
    from: Option<String>,
    /// The first instant after it; not before `from`.
    #[param(value_type = Option<schema::Instant>)]
    to: Option<String>,
    /// Kinds of entries, with commas.
    #[param(value_type = Option<Vec<UsageKind>>, style = Form, explode = false, min_items = 1)]
    kind: Option<String>,
    /// Id of the model.
    #[param(value_type = Option<schema::Word>)]
    model: Option<String>,
    /// How the log is written; without it `text/csv` in `Accept` asks for CSV.
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    Json,
    Csv,
}

/// What is asked of the log.
#[derive(Debug, Clone)]
struct Asked {
    id: AccountId,
    /// Entries below this number.
    before: u64,
    limit: usize,
    filter: EntryFilter,
    now: DateTime<Utc>,
}

/// The account's log, the newest entry first.
#[utoipa::path(get, path = "/v1/account/usage", operation_id = "listUsage", tag = "account", security(("secureKey" = [])), params(UsageQuery),
    responses((status = 200, description = "A page of the log, or all that is asked for as CSV.",
        content((UsageAnswer = "application/json"), (String = "text/csv"))), RefusedUsage))]
pub(crate) async fn usage(
    State(shared): AppState,
    headers: HeaderMap,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Response, Failure> {
    let id = account_caller(&shared, &headers).await?;
    let words = "cursor is one of next_cursor, limit a whole number, from and to are instants, kind is a list of kinds, format json or csv";
    let Query(query) = query.map_err(|_| Failure::invalid(words))?;
    let format = query.format.unwrap_or_else(|| if wants_csv(&headers) { Format::Csv } else { Format::Json });
    let limit = whole(query.limit.as_deref(), PAGE_ENTRIES).filter(|limit| (1..=PAGE_ENTRIES_MAX).contains(limit));
    let limit = limit.ok_or_else(|| Failure::invalid(format!("limit is 1 to {PAGE_ENTRIES_MAX}")).with("field", "limit"))?;
    let before = whole(query.cursor.as_deref(), u64::MAX);
    let before = before.ok_or_else(|| Failure::invalid("cursor is one of next_cursor").with("field", "cursor"))?;
    let now = shared.clock.now();
    let asked = Asked { id, before, limit, filter: filter(&query)?, now };
    match format {
        Format::Json => Ok(Json(shared.store.read(asked, |asked, tx| Box::pin(asked.page(tx))).await?).into_response()),
        Format::Csv => csv_file(&shared, asked).await,
    }
}

/// A whole number as a query writes it: digits, nothing else.
fn whole<T: FromStr>(text: Option<&str>, otherwise: T) -> Option<T> {
    match text {
        Some(text) if is_plain_decimal(text, 19, 0) => text.parse().ok(),
        Some(_) => None,
        None => Some(otherwise),
    }
}

fn instant_of(field: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Failure> {
    let refused = || Failure::invalid(format!("{field} is an instant, to the millisecond")).with("field", field);
    text.map(|text| instant(text).ok_or_else(refused)).transpose()
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|list| list.split(',')).any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/csv"))
}

fn filter(query: &UsageQuery) -> Result<EntryFilter, Failure> {
    let mut kinds = Vec::new();
    for word in query.kind.iter().flat_map(|list| list.split(',')) {
        let known = UsageKind::deserialize(IntoDeserializer::<serde::de::value::Error>::into_deserializer(word));
        match known {
            Ok(UsageKind::Unknown) | Err(_) => {
                return Err(Failure::invalid(format!("there is no kind of entry {word:?}")).with("field", "kind"));
            }
            Ok(_) => kinds.push(word.to_owned()),
        }
    }
    if query.model.as_ref().is_some_and(|model| model.is_empty() || !is_word(model)) {
        return Err(Failure::invalid("model is 1 to 200 characters, none of them a control character").with("field", "model"));
    }
    let (from, to) = (instant_of("from", query.from.as_deref())?, instant_of("to", query.to.as_deref())?);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        return Err(Failure::invalid("to is before from").with("field", "to"));
    }
    Ok(EntryFilter { from, to, kinds, model: query.model.clone() })
}

impl Asked {
    async fn page(&self, tx: &mut Tx) -> Result<UsageAnswer, Failure> {
        let Self { id, before, limit, filter, now } = self;
        let account = Store::account(tx, id).await?.ok_or_else(Failure::unknown_account)?;
        let view = account.view_at(*now);
        let stored = Store::usage(tx, id, account.head().entry_count, *before, filter, *limit).await?;
        // What is due counts before any write has posted it: a read may not depend on one.
        let due = view.due.into_iter().rev().filter(|entry| entry.sequence < *before && filter.admits(entry));
        let mut entries: Vec<Entry> = due.chain(stored.entries).collect();
        let more = stored.more || entries.len() > *limit;
        entries.truncate(*limit);
        let next_cursor = if more { entries.last().map(|entry| entry.sequence.to_string()) } else { None };
        Ok(UsageAnswer { server_time: view.at, entries: entries.into_iter().map(usage_entry).collect(), next_cursor })
    }
}

/// All entries that are asked for, the newest first, written while they are read: a log of any length takes little memory.
async fn csv_file(shared: &Arc<Shared>, asked: Asked) -> Result<Response, Failure> {
    let name = format!("attachment; filename=\"usage-{}.csv\"", asked.now.format("%Y-%m-%d"));
    let asked = Asked { limit: CSV_ENTRIES, ..asked };
    // The first part before the head is sent: what is refused is refused with its own status.
    let (first, next) = csv_part(shared, asked, Some(&CSV_HEAD)).await?;
    let state = (shared.clone(), Some(first), next);
    let parts = futures::stream::try_unfold(state, |(shared, ready, next)| async move {
        match (ready, next) {
            (Some(part), next) => Ok(Some((part, (shared, None, next)))),
            (None, Some(asked)) => {
                let (part, next) = csv_part(&shared, asked, None).await.map_err(|_| std::io::Error::other("the log cannot be read"))?;
                Ok(Some((part, (shared, None, next))))
            }
            (None, None) => Ok::<_, std::io::Error>(None),
        }
    });
    let head = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, Body::from_stream(parts)).into_response())
}

/// One part of the file, and what is to be asked for the next.
async fn csv_part(shared: &Shared, asked: Asked, head: Option<&[&str]>) -> Result<(Bytes, Option<Asked>), Failure> {
    let page = shared.store.read(asked.clone(), |asked, tx| Box::pin(asked.page(tx))).await?;
    let mut out = csv::Writer::from_writer(Vec::new());
    let written = head.map_or(Ok(()), |head| out.write_record(head)).and_then(|()| {
        for entry in &page.entries {
            out.write_record(csv_line(entry))?;
        }
        Ok(())
    });
    written.map_err(|error| Failure::internal(&error))?;
    let bytes = out.into_inner().map_err(|error| Failure::internal(&error))?;
    let next = page.next_cursor.and_then(|cursor| cursor.parse().ok()).map(|before| Asked { before, ..asked });
    Ok((Bytes::from(bytes), next))
}

fn csv_line(entry: &UsageEntry) -> [String; 15] {
    let run = entry.run.as_ref();
    let meters = run.map(|run| run.meters.iter().map(|(meter, count)| format!("{meter}={count}")).collect::<Vec<_>>().join(" "));
    let kind = serde_json::to_value(entry.kind).ok().and_then(|word| word.as_str().map(str::to_owned));
    [
        entry.sequence.to_string(),
        entry.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        kind.unwrap_or_default(),
        entry.change_credits.to_string(),
        entry.held_change_credits.to_string(),
        entry.debt_change_credits.to_string(),
        text(run.map(|run| run.model_id.as_str())),
        text(run.map(|run| run.model_name.as_str())),
        text(run.map(|run| run.kind.as_str())),
        text(meters.as_deref()),
        text(run.and_then(|run| run.rule.as_deref())),
        text(entry.hold_id.as_deref()),
        entry.charge_sequence.map(|sequence| sequence.to_string()).unwrap_or_default(),
        text(entry.note.as_deref()),
        entry.entry_id.clone(),
    ]
}

/// A text that no spreadsheet takes for a formula (OWASP, CSV injection).
fn text(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula() {
        for (given, written) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("a=b", "a=b"), ("", ""), ("-2", "'-2")] {
            assert_eq!(text(Some(given)), written);
        }
    }
}
