//! The same request twice: one effect, one answer.

use super::{StoreError, Tx, args, rows};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Whose keys a key stands among.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(String);

impl Scope {
    pub(crate) fn account(id: &str) -> Self {
        Self(id.to_string())
    }

    /// An order that opens an account has no account yet; its tag is as unique.
    pub(crate) fn tag(tag: &str) -> Self {
        Self(format!("tag:{tag}"))
    }
}

/// Hash of an operation and its body as understood, so that white space does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestHash([u8; 32]);

impl RequestHash {
    pub(crate) fn of(operation: &str, body: &impl Serialize) -> Self {
        // The wire types hold strings, instants and maps of them: writing them cannot fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self(Sha256::new().chain_update(operation).chain_update([0]).chain_update(body).finalize().into())
    }
}

/// An answer as it was first given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) given: Given,
}

/// Which time an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    First,
    Again,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recall {
    /// Never used.
    Fresh,
    /// Used for this very request.
    Same(KeptAnswer),
    /// Used for another one.
    Conflict,
}

/// Looks a key up.
pub(crate) async fn recall(tx: &mut Tx, scope: &Scope, key: &str, request: RequestHash) -> Result<Recall, StoreError> {
    let found =
        tx.optional("SELECT request_hash, status, answer FROM idempotency WHERE scope = $1 AND key = $2", args![&scope.0, key]).await?;
    let Some(row) = found else { return Ok(Recall::Fresh) };
    if row.blob(0)? != request.0 {
        return Ok(Recall::Conflict);
    }
    let status = u16::try_from(row.int(1)?).map_err(|_| rows::bad("status"))?;
    Ok(Recall::Same(KeptAnswer { status, body: row.text(2)?, given: Given::Again }))
}

/// Keeps an answer for ever. Refusals are not kept, so a refused key may be used again.
pub(crate) async fn keep(
    tx: &mut Tx,
    scope: &Scope,
    key: &str,
    request: RequestHash,
    answer: &KeptAnswer,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO idempotency (scope, key, request_hash, status, answer, kept_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        args![&scope.0, key, request.0.as_slice(), i64::from(answer.status), &answer.body, now.timestamp_millis()],
    )
    .await?;
    Ok(())
}
