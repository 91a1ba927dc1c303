//! The app without a window: its parts, its state, and how it tells that something changed.

use crate::{
    cases::Counting,
    clipboard::Clipboard,
    clock::{Clock, Reading, SystemClock},
    error::OpenError,
    opener::Opener,
    profile::Profile,
    project::{self, Fixed, Network},
    record::{Given, KnownAccount, PaymentRecord},
    roster::{AccountKind, LocalId, Roster},
    state::State,
    store::{self, Store},
    usage_log::UsageLog,
    view::{AppView, ErrorView, NoticeView},
};
use aispace_client::{AccountService, Deadlines, OperatorToken, SandboxDoors, ServiceUrl};
use aispace_keychain::{OsSecretStore, SecretStore};
use aispace_payments::chain::Nodes;
use aispace_pricing::RateCard;
use chrono::{DateTime, Utc};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, watch},
    task::AbortHandle,
};

/// What a [`Wallet`] is made of.
pub struct Setup {
    /// Which world.
    pub profile: Profile,
    /// Folder of everything the app writes.
    pub data_folder: PathBuf,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where secrets are kept.
    pub keychain: Arc<dyn SecretStore>,
    /// Where files for a person go; the data folder where there is none.
    pub downloads: Option<PathBuf>,
    /// What opens addresses outside the app.
    pub opener: Arc<dyn Opener>,
    /// Where secrets are put that a person copies.
    pub clipboard: Arc<dyn Clipboard>,
}

impl Setup {
    /// The operating system's clock and keychain, and what opens addresses.
    ///
    /// # Errors
    /// The profile's keychain scope is refused.
    pub fn on_this_computer(
        profile: Profile,
        data_folder: PathBuf,
        opener: Arc<dyn Opener>,
        clipboard: Arc<dyn Clipboard>,
    ) -> Result<Self, OpenError> {
        let keychain = Arc::new(OsSecretStore::open(profile.scope()?));
        Ok(Self { profile, data_folder, clock: Arc::new(SystemClock), keychain, opener, clipboard, downloads: dirs::download_dir() })
    }
}

/// The whole app without a window. Clones are the same app.
#[derive(Clone)]
pub struct Wallet {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) fixed: Fixed,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keychain: Arc<dyn SecretStore>,
    pub(crate) opener: Arc<dyn Opener>,
    pub(crate) clipboard: Arc<dyn Clipboard>,
    /// Ends the task that asks an outside wallet.
    pub(crate) asking: Mutex<Option<AbortHandle>>,
    pub(crate) store: Store,
    pub(crate) service: AccountService,
    pub(crate) doors: Option<SandboxDoors>,
    pub(crate) operator: Option<OperatorToken>,
    network: RwLock<Arc<Network>>,
    /// Where files for a person go: the first that can be written to.
    pub(crate) save_folders: Vec<PathBuf>,
    /// One thing at a time may change the session, so that a slow sign-in and a sign-out cannot cross.
    pub(crate) session_turn: AsyncMutex<()>,
    /// The logs of accounts, by the service's ids, once something was asked of them.
    pub(crate) usage_logs: AsyncMutex<BTreeMap<String, UsageLog>>,
    /// Told whenever the account was read.
    pub(crate) usage_news: Notify,
    /// One change of what a person has set is written at a time.
    pub(crate) preferences_turn: AsyncMutex<()>,
    /// The reminders that were given, once read.
    pub(crate) given: AsyncMutex<Option<Given>>,
    /// Rung after each look at the account, whether or not it changed anything: time has passed.
    pub(crate) looked: Notify,
    /// Counts the leaps of this computer's clock, for whoever waits.
    pub(crate) leaps: watch::Sender<u32>,
    /// Whether somebody may be looking.
    pub(crate) window_open: watch::Sender<bool>,
    /// One payment at a time is signed or moved on.
    pub(crate) payment_turn: AsyncMutex<()>,
    /// Which text is counted.
    pub(crate) counting: Counting,
    state: Mutex<State>,
    pub(crate) views: watch::Sender<AppView>,
}

/// How long one call to the account service may take.
const SERVICE_DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(4), whole: Duration::from_secs(8) };

pub(crate) fn part<T, E: ToString>(part: &'static str, made: Result<T, E>) -> Result<T, OpenError> {
    made.map_err(|error| OpenError::Part { part, reason: error.to_string() })
}

/// The nodes that a person has set, or the profile's where those are refused by now.
fn network(fixed: &Fixed, state: &State) -> Result<Network, OpenError> {
    match state.preferences.nodes.as_deref().map(|urls| fixed.network(Some(urls))) {
        Some(Ok(network)) => Ok(network),
        Some(Err(_)) | None => fixed.network(None),
    }
}

/// Which accounts there are. An app that knew one only wrote none down.
fn roster(kept: Option<Roster>, known: &BTreeMap<LocalId, KnownAccount>) -> Roster {
    let mut roster = kept.unwrap_or_default();
    if known.contains_key(&LocalId::first()) {
        roster.add(&LocalId::first(), AccountKind::Service, None);
    }
    roster
}

impl Wallet {
    /// Opens the local store and sets everything up; asks neither network nor keychain. [`Wallet::start`] does.
    ///
    /// # Errors
    /// [`OpenError`] when the profile is refused or the store cannot be opened.
    pub async fn open(setup: Setup) -> Result<Self, OpenError> {
        aispace_payments::install_crypto_provider();
        let Setup { profile, data_folder, clock, keychain, opener, clipboard, downloads } = setup;
        let stamp = clock.now().format("%Y%m%d-%H%M%S").to_string();
        let opened = store::open(&data_folder, &stamp).await?;
        let mut notices: Vec<NoticeView> = opened.set_aside.map(|set_aside| NoticeView::StoreRebuilt { set_aside }).into_iter().collect();
        if opened.payments.iter().any(PaymentRecord::is_open) {
            notices.push(NoticeView::PaymentResumed);
        }
        let service = AccountService::new(profile.service()?, SERVICE_DEADLINES);
        let doors = match (&profile.faucet_url, &profile.sample_url) {
            (Some(faucet), Some(sample)) => {
                let (faucet, sample) = (part("the faucet", ServiceUrl::parse(faucet))?, part("the sample", ServiceUrl::parse(sample))?);
                Some(SandboxDoors::new(faucet, sample, SERVICE_DEADLINES))
            }
            _ => None,
        };
        let operator = profile.operator_token.as_deref().map(OperatorToken::parse).transpose();
        let accounts = (roster(opened.roster, &opened.known), opened.known);
        let state = State::new(accounts, &opened.payments, (opened.theme, opened.preferences), notices, clock.running());
        let fixed = Fixed { profile, data_folder, card: part("the rate card", RateCard::aispace())? };
        let inner = Inner {
            network: RwLock::new(Arc::new(network(&fixed, &state)?)),
            save_folders: downloads.into_iter().chain([fixed.data_folder.join("saved")]).collect(),
            preferences_turn: AsyncMutex::new(()),
            given: AsyncMutex::new(None),
            looked: Notify::new(),
            leaps: watch::Sender::new(0),
            window_open: watch::Sender::new(true),
            operator: part("the gateway's credential", operator)?,
            views: watch::Sender::new(project::app(&state, &fixed, Reading::of(&*clock), 1)),
            state: Mutex::new(state),
            usage_logs: AsyncMutex::default(),
            usage_news: Notify::new(),
            session_turn: AsyncMutex::new(()),
            payment_turn: AsyncMutex::new(()),
            store: opened.store,
            fixed,
            clock,
            keychain,
            opener,
            clipboard,
            asking: Mutex::new(None),
            counting: Counting::default(),
            service,
            doors,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Everything the window shows now.
    #[must_use]
    pub fn view(&self) -> AppView {
        self.inner.views.borrow().clone()
    }

    /// Tells of every change; a slow reader sees the newest only.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<AppView> {
        self.inner.views.subscribe()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves plain values behind, never half a payment: those are in the journal.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The nodes and price sources in use.
    pub(crate) fn network(&self) -> Arc<Network> {
        Arc::clone(&self.inner.network.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The nodes in use.
    pub(crate) fn nodes(&self) -> Nodes {
        self.network().nodes.clone()
    }

    /// The nodes' URLs, as they are set or as the profile has them.
    pub(crate) fn node_urls(&self) -> Vec<String> {
        let chosen = self.state().preferences.nodes.clone();
        chosen.unwrap_or_else(|| self.inner.fixed.profile.nodes.clone())
    }

    /// Reads the chain from others from now on.
    pub(crate) fn use_network(&self, network: Network) {
        *self.inner.network.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(network);
    }

    /// Changes the state and publishes the new view when it shows something else.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let answer = change(&mut state);
        self.publish(&state, false);
        answer
    }

    /// As [`Wallet::change`], and publishes the view though nothing but the time differs in it.
    pub(crate) fn change_time<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let answer = change(&mut state);
        self.publish(&state, true);
        answer
    }

    fn publish(&self, state: &State, for_its_time: bool) {
        let (inner, ours) = (&self.inner, self.reading());
        inner.views.send_if_modified(|shown| {
            let fresh = project::app(state, &inner.fixed, ours, shown.revision);
            let differs = for_its_time || AppView { now: shown.now.clone(), ..fresh.clone() } != *shown;
            if differs {
                *shown = AppView { revision: shown.revision.saturating_add(1), ..fresh };
            }
            differs
        });
    }

    pub(crate) fn reading(&self) -> Reading {
        Reading::of(&*self.inner.clock)
    }

    /// The service's time, as well as our clock can tell.
    pub(crate) fn corrected_now(&self) -> DateTime<Utc> {
        let ours = self.reading();
        self.state().time.at(ours)
    }

    /// As [`Wallet::change`], answering the view, for commands.
    pub(crate) fn answer(&self) -> Result<AppView, ErrorView> {
        Ok(self.view())
    }
}
