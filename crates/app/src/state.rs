//! All that changes while the app runs.

use crate::{
    clock::Reading,
    preferences::Preferences,
    record::{KnownAccount, PaymentRecord},
    roster::{AccountKind, LocalId, Roster},
    service_time::ServiceTime,
    usage_log::SpentDays,
    view::{AskView, ConnectionState, ErrorView, KeyKeeping, KeychainState, LedView, NodeView, NoticeView, PayWay, Theme, WalletOrigin},
};
use aispace_api::AnyOrderAnswer;
use aispace_client::SecureKey;
use aispace_payments::{
    EthAddress,
    price::{PriceReport, SourceReading},
    tag::ClaimSecret,
    transfer::Prepared,
};
use aispace_units::{Usd, Wei};
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use zeroize::Zeroizing;

/// Who is signed in. The key stays in memory while the app runs, and nowhere else but in the keychain.
pub(crate) enum Session {
    /// The keychain has not answered yet.
    Unknown,
    /// It holds no key.
    SignedOut,
    /// A key is there.
    SignedIn {
        /// The key.
        key: Arc<SecureKey>,
        /// Where it is kept.
        keeping: KeyKeeping,
    },
    /// The keychain does not give it out, or the service refuses it.
    KeyUnavailable {
        /// Why.
        error: ErrorView,
        /// The key that the service refuses, which it is asked about again and again: it may have been wrong.
        refused: Option<(Arc<SecureKey>, KeyKeeping)>,
    },
    /// Its batches are typed in: no key opens it.
    ByHand,
}

impl Session {
    /// The key to ask the service with, and where it is kept: the one signed in with, or the one it refused.
    pub(crate) fn key_to_try(&self) -> Option<(&Arc<SecureKey>, KeyKeeping)> {
        match self {
            Self::SignedIn { key, keeping } => Some((key, *keeping)),
            Self::KeyUnavailable { refused, .. } => refused.as_ref().map(|(key, keeping)| (key, *keeping)),
            Self::Unknown | Self::SignedOut | Self::ByHand => None,
        }
    }
}

/// How the service was when last asked.
pub(crate) struct Connection {
    pub(crate) state: ConnectionState,
    pub(crate) last_sync: Option<DateTime<Utc>>,
    pub(crate) error: Option<ErrorView>,
    pub(crate) next_try: Option<DateTime<Utc>>,
    pub(crate) failures: u32,
}

impl Connection {
    /// Nothing was asked yet; an account is as old as it is known.
    pub(crate) fn idle(known: Option<&KnownAccount>) -> Self {
        let last_sync = known.map(|k| k.answer.server_time);
        Self { state: ConnectionState::Idle, last_sync, error: None, next_try: None, failures: 0 }
    }
}

/// An account that the screens do not show now.
pub(crate) struct Shelved {
    pub(crate) session: Session,
    pub(crate) known: Option<KnownAccount>,
    pub(crate) connection: Connection,
}

impl Shelved {
    pub(crate) fn new(kind: AccountKind, known: Option<KnownAccount>) -> Self {
        let session = match kind {
            AccountKind::Service => Session::Unknown,
            AccountKind::ByHand => Session::ByHand,
        };
        Self { session, connection: Connection::idle(known.as_ref()), known }
    }
}

/// The built-in spending wallet; its key stays in the keychain.
pub(crate) struct SpendingWallet {
    pub(crate) address: EthAddress,
    pub(crate) balance: Option<Wei>,
    pub(crate) origin: WalletOrigin,
    /// Places of the words that are asked back; none without words.
    pub(crate) words_asked: Vec<u32>,
}

/// The amount of a link that was opened.
pub(crate) struct LinkedAmount {
    pub(crate) usd: Usd,
}

/// The ether that a sandbox's wallet begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstEther {
    /// The wallet's balance was not read yet, or the faucet not asked.
    NotAsked,
    /// The faucet was asked; its payment is not in a block yet.
    OnItsWay,
    /// The wallet has held some.
    Arrived,
}

/// An order and what would pay it, kept until it is paid, abandoned or out of date.
pub(crate) struct Review {
    pub(crate) way: PayWay,
    pub(crate) order: AnyOrderAnswer,
    /// The transaction, where the payer is the app's own wallet.
    pub(crate) prepared: Option<Prepared>,
    pub(crate) secret: ClaimSecret,
    /// The service's id of the account that it tops up; none opens one.
    pub(crate) account_id: Option<String>,
    /// When it was asked for: however wrong our clock is, it measures ten minutes well.
    pub(crate) asked: Reading,
    /// For how long the quote binds from then on.
    pub(crate) binds: TimeDelta,
}

impl Review {
    pub(crate) fn order_id(&self) -> &str {
        match &self.order {
            AnyOrderAnswer::Eth(order) => &order.order_id,
            AnyOrderAnswer::Card(order) => &order.order_id,
        }
    }
}

/// How far an outside wallet is that was asked, while this app runs.
pub(crate) struct Asking {
    pub(crate) order_id: String,
    pub(crate) view: AskView,
    /// What can be opened for it: the page of the app's own with its token, or the payment provider's.
    pub(crate) page: Option<Zeroizing<String>>,
}

/// The state behind an `AppView`. Session, connection and `known` are those of the account that the screens show.
pub(crate) struct State {
    pub(crate) roster: Roster,
    pub(crate) time: ServiceTime,
    /// The other accounts.
    pub(crate) shelf: BTreeMap<LocalId, Shelved>,
    /// Accounts whose next key is kept and not used yet.
    pub(crate) rotating: BTreeSet<LocalId>,
    /// Whether the keychain was asked which further accounts it has keys of.
    pub(crate) keys_listed: bool,
    pub(crate) session: Session,
    pub(crate) keychain: KeychainState,
    pub(crate) connection: Connection,
    pub(crate) known: Option<KnownAccount>,
    /// Revision of the account's log on this computer, and how many entries it has.
    pub(crate) usage_log: (u32, u32),
    /// What runs cost on the days of this month, by that log.
    pub(crate) spent: Option<SpentDays>,
    pub(crate) wallet: Option<SpendingWallet>,
    pub(crate) payment: Option<PaymentRecord>,
    pub(crate) payment_trouble: Option<ErrorView>,
    pub(crate) ask: Option<Asking>,
    /// When the service was last asked for payments that nobody told the app of.
    pub(crate) order_asked: Option<DateTime<Utc>>,
    /// Every payment of the journal, oldest first.
    pub(crate) payments: Vec<PaymentRecord>,
    pub(crate) review: Option<Review>,
    pub(crate) notices: Vec<NoticeView>,
    pub(crate) theme: Theme,
    pub(crate) preferences: Preferences,
    pub(crate) linked_amount: Option<LinkedAmount>,
    pub(crate) led: Option<LedView>,
    pub(crate) price: Option<PriceReport>,
    pub(crate) readings: Vec<SourceReading>,
    pub(crate) nodes: Vec<NodeView>,
    /// What the chain would take of a payment, about, and when that was read.
    pub(crate) fee_about: Option<(Wei, DateTime<Utc>)>,
    pub(crate) first_ether: FirstEther,
    /// Whether the keychain was asked for payments that the journal does not know.
    pub(crate) claims_recovered: bool,
}

impl State {
    pub(crate) fn new(
        accounts: (Roster, BTreeMap<LocalId, KnownAccount>),
        payments: &[PaymentRecord],
        settings: (Theme, Preferences),
        notices: Vec<NoticeView>,
        running: Duration,
    ) -> Self {
        let newest = |wanted: fn(&PaymentRecord) -> bool| payments.iter().rev().find(|p| wanted(p)).cloned();
        let (roster, mut known) = accounts;
        let time = ServiceTime::kept(&roster, &known, running);
        let mut shelf: BTreeMap<LocalId, Shelved> =
            roster.accounts.iter().map(|entry| (entry.id.clone(), Shelved::new(entry.kind, known.remove(&entry.id)))).collect();
        let shown = roster.active.as_ref().and_then(|id| shelf.remove(id)).unwrap_or_else(|| Shelved::new(AccountKind::Service, None));
        Self {
            roster,
            time,
            shelf,
            rotating: BTreeSet::new(),
            keys_listed: false,
            session: shown.session,
            keychain: KeychainState::Unknown,
            connection: shown.connection,
            known: shown.known,
            usage_log: (0, 0),
            spent: None,
            wallet: None,
            payment: newest(|p| p.is_open()).or_else(|| newest(|p| !p.put_away)),
            payment_trouble: None,
            ask: None,
            order_asked: None,
            payments: payments.to_vec(),
            review: None,
            notices,
            theme: settings.0,
            preferences: settings.1,
            linked_amount: None,
            led: None,
            price: None,
            readings: Vec::new(),
            nodes: Vec::new(),
            fee_about: None,
            first_ether: FirstEther::NotAsked,
            claims_recovered: false,
        }
    }

    /// Whether a person has a copy of the spending wallet's secret: it came from elsewhere, or they confirmed its words.
    pub(crate) fn wallet_backed_up(&self) -> bool {
        self.wallet.as_ref().is_some_and(|wallet| {
            wallet.origin != WalletOrigin::Created || self.preferences.backed_up.as_ref() == Some(&wallet.address.to_string())
        })
    }

    /// The key, when signed in.
    pub(crate) fn key(&self) -> Option<Arc<SecureKey>> {
        match &self.session {
            Session::SignedIn { key, .. } => Some(Arc::clone(key)),
            Session::Unknown | Session::SignedOut | Session::KeyUnavailable { .. } | Session::ByHand => None,
        }
    }

    /// Takes a payment as it is in the journal now.
    pub(crate) fn keep(&mut self, payment: PaymentRecord) {
        match self.payments.iter_mut().find(|p| p.order_id == payment.order_id) {
            Some(kept) => kept.clone_from(&payment),
            None => self.payments.push(payment.clone()),
        }
        if self.payment.as_ref().is_some_and(|p| p.order_id == payment.order_id) {
            self.payment = Some(payment);
        }
    }

    /// As [`State::keep`], and shows it.
    pub(crate) fn show_payment(&mut self, payment: PaymentRecord) {
        self.payment = Some(payment.clone());
        self.payment_trouble = None;
        self.keep(payment);
    }

    /// Says something once.
    pub(crate) fn notice(&mut self, notice: NoticeView) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }
}
