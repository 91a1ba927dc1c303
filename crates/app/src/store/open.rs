//! Opening the store, or setting a damaged one aside.

use super::{Store, StoreError};
use crate::preferences::Preferences;
use crate::record::{KnownAccount, PaymentRecord};
use crate::roster::{LocalId, Roster};
use crate::view::Theme;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

const FILE: &str = "wallet.sqlite3";
const VERSION: i64 = 1;

/// A store with all that was in it, read and checked.
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// What each account held when last read.
    pub(crate) known: BTreeMap<LocalId, KnownAccount>,
    /// Which accounts there are; none where an app that knew one only wrote the store.
    pub(crate) roster: Option<Roster>,
    pub(crate) payments: Vec<PaymentRecord>,
    pub(crate) theme: Theme,
    pub(crate) preferences: Preferences,
    /// File name of a damaged store that was set aside.
    pub(crate) set_aside: Option<String>,
}

/// Opens the store in a folder, made if need be. `stamp` names what is set aside.
pub(crate) async fn open(folder: &Path, stamp: &str) -> Result<Opened, StoreError> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(FILE);
    match whole(&path).await {
        Ok(opened) => Ok(opened),
        Err(error) if is_damage(&error) && path.exists() => {
            let name = set_aside(&path, stamp)?;
            let opened = whole(&path).await?;
            Ok(Opened { set_aside: Some(name), ..opened })
        }
        Err(error) => Err(error),
    }
}

async fn whole(path: &Path) -> Result<Opened, StoreError> {
    let store = Store { pool: connect(path).await? };
    match contents(&store).await {
        Ok(opened) => Ok(opened),
        Err(error) => {
            store.close().await;
            Err(error)
        }
    }
}

async fn contents(store: &Store) -> Result<Opened, StoreError> {
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&store.pool).await?;
    if verdict != "ok" {
        return Err(StoreError::Damaged);
    }
    migrate(store).await?;
    Ok(Opened {
        known: store.known_accounts().await?,
        roster: store.roster().await?,
        payments: store.payments().await?,
        theme: store.theme().await?,
        preferences: store.preferences().await?,
        set_aside: None,
        store: store.clone(),
    })
}

async fn connect(path: &Path) -> Result<sqlx::SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    Ok(SqlitePoolOptions::new().max_connections(1).connect_with(options).await?)
}

async fn migrate(store: &Store) -> Result<(), StoreError> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&store.pool).await?;
    if found > VERSION {
        return Err(StoreError::Unwritable(format!("the store is of version {found}, this app knows {VERSION}")));
    }
    if found < VERSION {
        let mut tx = store.pool.begin().await?;
        sqlx::query("CREATE TABLE kept (name TEXT PRIMARY KEY, body TEXT NOT NULL, checksum BLOB NOT NULL) STRICT")
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "CREATE TABLE payment (position INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, checksum BLOB NOT NULL) STRICT",
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query("PRAGMA user_version = 1").execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Damage, as against a full disk or a folder that may not be written: there, nothing is set aside.
pub(crate) fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged => true,
        StoreError::Sql(sqlx::Error::Database(database)) => {
            // SQLITE_CORRUPT and SQLITE_NOTADB, with their extended codes.
            let code = database.code().and_then(|c| c.parse::<u32>().ok()).unwrap_or_default();
            matches!(code % 256, 11 | 26) || database.message().contains("no such table") || database.message().contains("malformed")
        }
        _ => false,
    }
}

fn set_aside(path: &Path, stamp: &str) -> Result<String, StoreError> {
    let name = format!("{FILE}.damaged-{stamp}");
    std::fs::rename(path, path.with_file_name(&name))?;
    for tail in ["-wal", "-shm"] {
        let side = PathBuf::from(format!("{}{tail}", path.display()));
        if side.exists() {
            std::fs::rename(&side, path.with_file_name(format!("{name}{tail}")))?;
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(order: &str) -> PaymentRecord {
        serde_json::from_value(serde_json::json!({
            "order_id": order, "state": "signed", "usd": "25", "credits": "250000", "value_wei": "1", "fee_wei": null, "from": "0x0",
            "nonce": 7, "transaction_hash": "0x1", "block_number": null, "top_up": false, "reached": {},
            "attempts": [{"hash": "0x1", "raw": "02", "kind": "pay", "made": null}],
        }))
        .unwrap()
    }

    async fn filled(folder: &Path) {
        let opened = open(folder, "x").await.unwrap();
        opened.store.journal(&payment("a")).await.unwrap();
        opened.store.journal(&payment("b")).await.unwrap();
        opened.store.keep_theme(Theme::Dark).await.unwrap();
        opened.store.close().await;
    }

    #[tokio::test]
    async fn keeps_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path()).await;
        let again = open(folder.path(), "x").await.unwrap();
        assert_eq!(again.payments, [payment("a"), payment("b")]);
        assert_eq!((again.theme, again.set_aside), (Theme::Dark, None));
    }

    fn known(id: &str) -> KnownAccount {
        let answer = serde_json::json!({"account_id": id, "server_time": "2027-01-01T00:00:00Z", "available_credits": "0", "batches": [],
            "next_expiry": null, "entry_count": 0});
        serde_json::from_value(serde_json::json!({"answer": answer, "usage": [], "clock_offset_ms": 0})).unwrap()
    }

    #[tokio::test]
    async fn a_store_of_an_app_that_knew_one_account_opens_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(folder.path(), "x").await.unwrap();
        opened.store.put("account", Some(&known("ac_1"))).await.unwrap();
        opened.store.close().await;
        let again = open(folder.path(), "x").await.unwrap();
        assert_eq!((again.roster, again.set_aside), (None, None));
        assert_eq!(again.known, BTreeMap::from([(LocalId::first(), known("ac_1"))]));
    }

    #[tokio::test]
    async fn accounts_are_kept_and_forgotten_with_their_place_in_the_roster() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), "x").await.unwrap().store;
        let ids = [LocalId::first(), LocalId::parse("0a1b2c3d4e5f").unwrap()];
        let mut roster = Roster::default();
        for id in &ids {
            roster.add(id, crate::roster::AccountKind::Service, None);
            store.keep_roster(&roster, Some((id, Some(&known(id.as_str()))))).await.unwrap();
        }
        roster.remove(&ids[0]);
        store.keep_roster(&roster, Some((&ids[0], None))).await.unwrap();
        store.close().await;
        let again = open(folder.path(), "x").await.unwrap();
        assert_eq!((again.roster, again.known.into_keys().collect::<Vec<_>>()), (Some(roster), vec![ids[1].clone()]));
    }

    #[tokio::test]
    async fn a_wiped_store_holds_nothing_of_what_it_held() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), "x").await.unwrap().store;
        let mut tell_tale = payment("a");
        tell_tale.wallet_name = Some("a wallet of that very name".into());
        store.journal(&tell_tale).await.unwrap();
        store.wipe().await.unwrap();
        store.close().await;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(20).any(|w| w == b"a wallet of that ver"));
        }
        let again = open(folder.path(), "x").await.unwrap();
        assert!(again.set_aside.is_none() && again.payments.is_empty() && again.known.is_empty());
    }

    #[tokio::test]
    async fn recipes_stay_and_one_of_the_same_id_takes_the_place_of_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), "x").await.unwrap().store;
        assert!(store.recipes().await.unwrap().recipes.is_empty());
        let run = serde_json::json!({"model_id": "image-generation", "runs": 3, "parameters": {"kind": "image", "images": "1"}});
        let recipe = |id: &str, name: &str| crate::recipe::Recipe {
            id: id.into(),
            name: name.into(),
            runs: vec![serde_json::from_value(run.clone()).unwrap()],
            changed: "2027-01-01T00:00:00Z".parse().unwrap(),
        };
        let mut book = store.recipes().await.unwrap();
        for (id, name) in [("1", "reel"), ("2", "Article"), ("1", "Zine")] {
            book.put(recipe(id, name));
            store.keep_recipes(&book).await.unwrap();
        }
        store.close().await;
        let again = open(folder.path(), "x").await.unwrap().store.recipes().await.unwrap();
        assert_eq!((again.version, again.recipes), (1, vec![recipe("2", "Article"), recipe("1", "Zine")]));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "not a database, and long enough to have a header of its own".repeat(40)).unwrap();
        let opened = open(folder.path(), "20261120").await.unwrap();
        assert_eq!(opened.set_aside.as_deref(), Some("wallet.sqlite3.damaged-20261120"));
        assert!(folder.path().join("wallet.sqlite3.damaged-20261120").exists());
        assert!(opened.payments.is_empty());
    }

    #[tokio::test]
    async fn overwritten_pages_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path()).await;
        let path = folder.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let half = bytes.len() / 2;
        bytes[half..].fill(0xA5);
        std::fs::write(&path, bytes).unwrap();
        let opened = open(folder.path(), "y").await.unwrap();
        assert!(opened.set_aside.is_some());
    }

    #[tokio::test]
    async fn an_edited_row_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path()).await;
        let pool = connect(&folder.path().join(FILE)).await.unwrap();
        sqlx::query("UPDATE payment SET body = replace(body, '250000', '999999')").execute(&pool).await.unwrap();
        pool.close().await;
        let opened = open(folder.path(), "z").await.unwrap();
        assert!(opened.set_aside.is_some() && opened.payments.is_empty());
    }

    #[tokio::test]
    async fn a_newer_store_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path()).await;
        let pool = connect(&folder.path().join(FILE)).await.unwrap();
        sqlx::query("PRAGMA user_version = 9").execute(&pool).await.unwrap();
        pool.close().await;
        assert!(matches!(open(folder.path(), "z").await, Err(StoreError::Unwritable(_))));
    }
}
