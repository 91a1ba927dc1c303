//! Everything that is kept: how much, as a file, and gone.

use super::{files::FileKind, usage};
use crate::{
    Wallet,
    project::{self, Shelves},
    record::{KnownAccount, PaymentRecord},
    roster::{LocalId, Roster},
    state::{Session, State},
    usage_log::{EntryFilter, is_log},
    view::{AppErrorCode, DataView, DeletedView, ErrorView, SavedFileView, Theme},
};
use aispace_keychain::{KeychainError, SecretName};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What has to be typed.
const WORD: &str = "delete";
const STORE: &str = "wallet.sqlite3";

impl Wallet {
    /// How much is kept, and where.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub async fn data_kept(&self) -> Result<DataView, ErrorView> {
        let folder = self.inner.fixed.data_folder.clone();
        let files = listed(folder.clone()).await?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let bytes = files.iter().fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        let mut entries = 0u64;
        for known in self.known_accounts() {
            let newest = u64::try_from(known.usage.len()).unwrap_or(u64::MAX);
            let kept = match self.usage_log(&known.answer.account_id).await? {
                Some(log) => log.extent().await.map_or(0, |extent| extent.kept),
                None => 0,
            };
            entries = entries.saturating_add(kept.max(newest));
        }
        let payments = self.state().payments.len();
        Ok(DataView {
            folder: folder.display().to_string(),
            bytes: bytes.to_string(),
            payments: count(payments),
            entries: u32::try_from(entries).unwrap_or(u32::MAX),
            set_aside: count(files.iter().filter(|(path, _)| is_set_aside(path)).count()),
        })
    }

    /// Saves everything that is kept as one file: accounts with batches and usage, payments, settings. No secret is in it.
    ///
    /// # Errors
    /// The journal cannot be read, or the file cannot be written.
    pub async fn export_everything(&self) -> Result<SavedFileView, ErrorView> {
        let payments = self.inner.store.payments().await?;
        let mut shelves = Shelves { recipes: self.inner.store.recipes().await?, ..Shelves::default() };
        for known in self.known_accounts() {
            let account = &known.answer.account_id;
            if let Some(log) = self.usage_log(account).await? {
                match usage::whole(&log, &EntryFilter::default()).await {
                    Ok(entries) => drop(shelves.logs.insert(account.clone(), entries)),
                    Err(error) => return Err(self.log_failed(&log, error).await),
                }
            }
            shelves.estimates.insert(account.clone(), self.inner.store.estimates(account).await?);
        }
        let (view, now) = (self.view(), self.corrected_now());
        let everything = project::export(&self.state(), &payments, &shelves, &view, now);
        let text = serde_json::to_vec_pretty(&everything).map_err(ErrorView::internal)?;
        self.save_file(FileKind::Export, &now.format("%Y-%m-%d").to_string(), &text).await
    }

    /// Deletes everything that is kept on this computer: keys, accounts, payments, settings. The spending wallet goes when it is
    /// known to be empty, or when the end of its address is typed; else it is left. Credits and ether are untouched.
    ///
    /// # Errors
    /// The word is wrong, the wallet's confirmation is, a payment is open, or the keychain cannot be sure that a key is gone.
    pub async fn delete_everything(&self, word: String, wallet_confirmation: Option<String>) -> Result<DeletedView, ErrorView> {
        if word.trim().to_lowercase() != WORD {
            return Err(ErrorView::of(AppErrorCode::DeletionNotConfirmed));
        }
        let _paying = self.inner.payment_turn.lock().await;
        self.recover_claims().await?;
        if self.state().payment.as_ref().is_some_and(PaymentRecord::is_open) {
            return Err(ErrorView::of(AppErrorCode::PaymentOpen));
        }
        let _turn = self.inner.session_turn.lock().await;
        let (address, removes_wallet) = self.wallet_goes(wallet_confirmation)?;
        self.end_asking();
        let (accounts, payments) = {
            let state = self.state();
            (state.roster.accounts.len(), state.payments.len())
        };
        self.delete_keys(removes_wallet).await?;
        self.inner.store.wipe().await?;
        for (path, _) in listed(self.inner.fixed.data_folder.clone()).await?.into_iter().filter(|(path, _)| is_set_aside(path)) {
            fs::remove_file(&path).map_err(|error| ErrorView::of(AppErrorCode::StoreFailed).with("reason", error))?;
        }
        if removes_wallet && address.is_some() {
            // A sandbox shall not make another one by itself.
            self.keep_preferences(|p| p.wallet_removed = true).await?;
        }
        // First forgotten, then removed: no log is begun behind this.
        self.begin_anew(removes_wallet);
        self.forget_all_usage().await?;
        let saved = self.inner.fixed.data_folder.join("saved");
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(DeletedView {
            view: self.view(),
            accounts: count(accounts),
            payments: count(payments),
            wallet_removed: address.clone().filter(|_| removes_wallet),
            wallet_kept: address.filter(|_| !removes_wallet),
            saved_kept: saved.is_dir().then(|| saved.display().to_string()),
        })
    }

    /// What is known of each account that a key opens.
    fn known_accounts(&self) -> Vec<KnownAccount> {
        let state = self.state();
        state.roster.with_keys().iter().filter_map(|id| state.seen(id)?.1.cloned()).collect()
    }

    /// The spending wallet's address, and whether it is to go.
    fn wallet_goes(&self, confirmation: Option<String>) -> Result<(Option<String>, bool), ErrorView> {
        let state = self.state();
        let Some(wallet) = &state.wallet else { return Ok((None, false)) };
        let address = wallet.address.to_string();
        let is_empty = wallet.balance.is_some_and(|balance| balance.get() == 0);
        match confirmation {
            Some(typed) if super::wallet::is_end_of(&typed, &address) => Ok((Some(address), true)),
            Some(_) => Err(ErrorView::of(AppErrorCode::WalletNotConfirmed)),
            None => Ok((Some(address), is_empty)),
        }
    }

    async fn delete_keys(&self, with_wallet: bool) -> Result<(), ErrorView> {
        let mut ids = self.state().roster.with_keys();
        ids.push(LocalId::first());
        let mut names = Vec::new();
        for name in ids.iter().filter_map(|id| id.key_name().ok()) {
            names.extend(name.replacement().ok());
            names.push(name);
        }
        names.extend([SecretName::account_list(), SecretName::open_claims()]);
        if with_wallet {
            names.push(SecretName::spending_key());
        }
        for name in names {
            match self.inner.keychain.delete(&name).await {
                Ok(()) | Err(KeychainError::Absent | KeychainError::NoCollection) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The state of an app that was never used, but for what the world around it is like.
    fn begin_anew(&self, without_wallet: bool) {
        if let Ok(network) = self.inner.fixed.network(None) {
            self.use_network(network);
        }
        self.change(|state| {
            let preferences = crate::preferences::Preferences { wallet_removed: without_wallet, ..Default::default() };
            let mut fresh =
                State::new((Roster::default(), BTreeMap::new()), &[], (Theme::default(), preferences), Vec::new(), Duration::ZERO);
            std::mem::swap(&mut fresh.wallet, &mut state.wallet);
            if without_wallet {
                fresh.wallet = None;
            }
            std::mem::swap(&mut fresh.nodes, &mut state.nodes);
            std::mem::swap(&mut fresh.price, &mut state.price);
            std::mem::swap(&mut fresh.readings, &mut state.readings);
            (fresh.keychain, fresh.session, fresh.connection.state) = (state.keychain, Session::SignedOut, state.connection.state);
            (fresh.claims_recovered, fresh.keys_listed, fresh.time) = (true, true, state.time);
            *state = fresh;
        });
    }
}

/// Files of the store and the logs, also those that were set aside, with their sizes.
async fn listed(folder: PathBuf) -> Result<Vec<(PathBuf, u64)>, ErrorView> {
    let read = move || -> std::io::Result<Vec<(PathBuf, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if (name.starts_with(STORE) || is_log(&name)) && entry.file_type()?.is_file() {
                files.push((entry.path(), entry.metadata()?.len()));
            }
        }
        Ok(files)
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(ErrorView::internal)?;
    read.map_err(|error| ErrorView::of(AppErrorCode::StoreFailed).with("reason", error))
}

fn is_set_aside(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{STORE}.damaged-")))
}
