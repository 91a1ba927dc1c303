//! Secure Keys: whose they are, since when, and until when. Only hashes are stored.

use super::{Store, StoreError, Tx, args};
use crate::secret::KeyHash;
use aispace_ledger::AccountId;
use chrono::{DateTime, Utc};

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
    pub(crate) async fn add_key(tx: &mut Tx, id: &AccountId, key: KeyHash, now: DateTime<Utc>) -> Result<(), StoreError> {
        Self::insert_key(tx, id, key, now, Some(now)).await
    }

    /// Gives an account a key that takes the place of all others when it is first used.
    pub(crate) async fn rotate_key(tx: &mut Tx, id: &AccountId, key: KeyHash, now: DateTime<Utc>) -> Result<(), StoreError> {
        Self::insert_key(tx, id, key, now, None).await
    }

    async fn insert_key(
        tx: &mut Tx,
        id: &AccountId,
        key: KeyHash,
        issued: DateTime<Utc>,
        first_used: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO account_keys (account_id, key_hash, issued_ms, first_used_ms) VALUES ($1, $2, $3, $4)",
            args![id.as_str(), key.0.as_slice(), issued.timestamp_millis(), first_used.map(|at| at.timestamp_millis())],
        )
        .await?;
        Ok(())
    }

    /// Whose key this is. The row is found by the key's hash and compared again in constant time.
    pub(crate) async fn key_state(tx: &mut Tx, key: KeyHash) -> Result<KeyState, StoreError> {
        let found = tx
            .optional(
                "SELECT account_id, key_hash, revoked_ms, first_used_ms FROM account_keys WHERE key_hash = $1",
                args![key.0.as_slice()],
            )
            .await?;
        let Some(row) = found else { return Ok(KeyState::Unknown) };
        if !key.matches(&row.blob(1)?) {
            return Ok(KeyState::Unknown);
        }
        if row.int_or_none(2)?.is_some() {
            return Ok(KeyState::Revoked);
        }
        let id = AccountId::new(row.text(0)?);
        Ok(if row.int_or_none(3)?.is_some() { KeyState::Valid(id) } else { KeyState::Waiting(id) })
    }

    /// Notes that a waiting key is used: the keys that were issued before it are revoked, and whatever else is in use.
    pub(crate) async fn use_key(tx: &mut Tx, id: &AccountId, key: KeyHash, now: DateTime<Utc>) -> Result<(), StoreError> {
        let at = now.timestamp_millis();
        // Streams that were opened with one of the others end.
        tx.touch(id);
        tx.execute("UPDATE account_keys SET revoked_ms = $1
             WHERE account_id = $2 AND key_hash <> $3 AND revoked_ms IS NULL
               AND (first_used_ms IS NOT NULL OR issued_ms <= (SELECT issued_ms FROM account_keys WHERE account_id = $4 AND key_hash = $5))", args![at, id.as_str(), key.0.as_slice(), id.as_str(), key.0.as_slice()])
        .await?;
        tx.execute(
            "UPDATE account_keys SET first_used_ms = $1 WHERE account_id = $2 AND key_hash = $3 AND first_used_ms IS NULL",
            args![at, id.as_str(), key.0.as_slice()],
        )
        .await?;
        Ok(())
    }

    /// Revokes every key of an account.
    pub(crate) async fn revoke_keys(tx: &mut Tx, id: &AccountId, now: DateTime<Utc>) -> Result<(), StoreError> {
        // Streams that were opened with one of them end.
        tx.touch(id);
        tx.execute(
            "UPDATE account_keys SET revoked_ms = $1 WHERE account_id = $2 AND revoked_ms IS NULL",
            args![now.timestamp_millis(), id.as_str()],
        )
        .await?;
        Ok(())
    }
}
