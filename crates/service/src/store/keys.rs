//! Secure Keys: whose they are, since when, and until when. Only hashes are stored.

use super::{Store, StoreError};
use crate::secret::KeyHash;
use aispace_ledger::AccountId;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

/// What a Secure Key's hash leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyState {
    Unknown,
    Revoked,
    /// A rotated key that nobody has used yet.
    Waiting(AccountId),
    Valid(AccountId),
}

impl Store {
    /// Gives an account a key that is valid at once.
    pub(crate) async fn add_key(tx: &mut SqliteConnection, id: &AccountId, key: KeyHash, now: DateTime<Utc>) -> Result<(), StoreError> {
        Self::insert_key(tx, id, key, now, Some(now)).await
    }

    /// Gives an account a key that takes the place of all others when it is first used.
    pub(crate) async fn rotate_key(tx: &mut SqliteConnection, id: &AccountId, key: KeyHash, now: DateTime<Utc>) -> Result<(), StoreError> {
        Self::insert_key(tx, id, key, now, None).await
    }

    async fn insert_key(
        tx: &mut SqliteConnection,
        id: &AccountId,
        key: KeyHash,
        issued: DateTime<Utc>,
        first_used: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO account_keys (account_id, key_hash, issued_ms, first_used_ms) VALUES (?, ?, ?, ?)")
            .bind(id.as_str())
            .bind(key.0.as_slice())
            .bind(issued.timestamp_millis())
            .bind(first_used.map(|at| at.timestamp_millis()))
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Whose key this is. The row is found by the key's hash and compared again in constant time.
    pub(crate) async fn key_state(tx: &mut SqliteConnection, key: KeyHash) -> Result<KeyState, StoreError> {
        let found = sqlx::query("SELECT account_id, key_hash, revoked_ms, first_used_ms FROM account_keys WHERE key_hash = ?")
            .bind(key.0.as_slice())
            .fetch_optional(tx)
            .await?;
        let Some(row) = found else { return Ok(KeyState::Unknown) };
        if !key.matches(&row.try_get::<Vec<u8>, _>(1)?) {
            return Ok(KeyState::Unknown);
        }
        if row.try_get::<Option<i64>, _>(2)?.is_some() {
            return Ok(KeyState::Revoked);
        }
        let id = AccountId::new(row.try_get::<String, _>(0)?);
        Ok(if row.try_get::<Option<i64>, _>(3)?.is_some() { KeyState::Valid(id) } else { KeyState::Waiting(id) })
    }

    /// Notes that a waiting key is used: the keys that were issued before it are revoked, and whatever else is in use.
    pub(crate) async fn use_key(tx: &mut SqliteConnection, id: &AccountId, key: KeyHash, now: DateTime<Utc>) -> Result<(), StoreError> {
        let at = now.timestamp_millis();
        sqlx::query(
            "UPDATE account_keys SET revoked_ms = ?
             WHERE account_id = ? AND key_hash <> ? AND revoked_ms IS NULL
               AND (first_used_ms IS NOT NULL OR issued_ms <= (SELECT issued_ms FROM account_keys WHERE account_id = ? AND key_hash = ?))",
        )
        .bind(at)
        .bind(id.as_str())
        .bind(key.0.as_slice())
        .bind(id.as_str())
        .bind(key.0.as_slice())
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE account_keys SET first_used_ms = ? WHERE account_id = ? AND key_hash = ? AND first_used_ms IS NULL")
            .bind(at)
            .bind(id.as_str())
            .bind(key.0.as_slice())
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Revokes every key of an account.
    pub(crate) async fn revoke_keys(tx: &mut SqliteConnection, id: &AccountId, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("UPDATE account_keys SET revoked_ms = ? WHERE account_id = ? AND revoked_ms IS NULL")
            .bind(now.timestamp_millis())
            .bind(id.as_str())
            .execute(tx)
            .await?;
        Ok(())
    }
}
