//! One page, one ask at a time, one answer.

use super::{BridgeRequest, BridgeState, CloseReason, PageLanguage, gate::Call, gate::Refusal, page};
use crate::{Entropy, EntropyError, EthAddress, TransactionHash, wallet::WalletAnswer, wallet::wallet_name};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use subtle::ConstantTimeEq as _;
use tokio::{sync::watch, time::Instant};
use zeroize::Zeroizing;

const SECRET_BYTES: usize = 32;
/// How often one page may ask a wallet: nobody refuses that often and then agrees.
const ASKS_MAX: u32 = 20;
/// How long one call waits for the end before it asks anew.
const WATCH_LIMIT: Duration = Duration::from_secs(50);

/// What is known of the one page.
pub(super) struct Session {
    request: BridgeRequest,
    port: u16,
    /// Opens the page, once.
    token: Zeroizing<String>,
    /// What the page was given for it, for every further call.
    page_key: Zeroizing<String>,
    closes: Instant,
    page: Mutex<PageFacts>,
    stage: watch::Sender<BridgeState>,
}

#[derive(Default)]
struct PageFacts {
    opened: bool,
    /// A tab is waiting for the end right now.
    live: bool,
    /// The number of the last ask.
    asks: u32,
}

/// A wallet and its account, as the page names them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WalletSaid {
    name: String,
    account: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnaskedSaid {
    ask: u32,
    why: UnaskedWhy,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnaskedWhy {
    /// The person refused in the wallet, or says that it sent nothing.
    Rejected,
    /// The wallet had left Base before it was asked.
    WrongChain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerSaid {
    ask: u32,
    hash: String,
}

impl Session {
    pub(super) fn new(request: BridgeRequest, port: u16, entropy: &mut dyn Entropy, lifetime: Duration) -> Result<Self, EntropyError> {
        let (token, page_key) = (secret(entropy)?, secret(entropy)?);
        let now = Instant::now();
        let closes = now.checked_add(lifetime).unwrap_or(now);
        let (stage, _) = watch::channel(BridgeState::Opening);
        Ok(Self { request, port, token, page_key, closes, page: Mutex::default(), stage })
    }

    pub(super) fn url(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("http://127.0.0.1:{}/#{}", self.port, *self.token))
    }

    pub(super) fn language(&self) -> PageLanguage {
        self.request.language
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn closes(&self) -> Instant {
        self.closes
    }

    pub(super) fn stages(&self) -> watch::Receiver<BridgeState> {
        self.stage.subscribe()
    }

    /// Ends it, unless a wallet has answered or it ended before: those stand.
    pub(super) fn end(&self, why: CloseReason) {
        self.stage.send_if_modified(|stage| match stage {
            BridgeState::Answered(_) | BridgeState::Closed { .. } => false,
            _ => {
                *stage = BridgeState::Closed { why };
                true
            }
        });
    }

    /// Whether a call may be made with this secret at all: the token opens, what it was exchanged for does the rest.
    pub(super) fn admit(&self, call: Call, given: Option<&str>) -> Result<(), Refusal> {
        let own = if call == Call::Open { &self.token } else { &self.page_key };
        let same = given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(own.as_bytes())));
        same.then_some(()).ok_or(Refusal::Token)
    }

    /// Exchanges the token: once.
    pub(super) fn open(&self) -> Result<Value, Refusal> {
        let mut page = self.page();
        if page.opened {
            return Err(Refusal::Used);
        }
        self.advance(BridgeState::PageOpen)?;
        page.opened = true;
        drop(page);
        let mut details = self.details();
        details["key"] = json!(*self.page_key);
        Ok(details)
    }

    /// The same tab after it was loaded again; refused while the tab it was is still there.
    pub(super) fn resume(&self) -> Result<Value, Refusal> {
        if self.page().live {
            return Err(Refusal::AnotherTab);
        }
        let mut details = self.details();
        let word = match &*self.stage.borrow() {
            BridgeState::Closed { why } => return Err(closed(*why)),
            BridgeState::Asked { wallet, .. } => {
                details["wallet"] = json!(wallet);
                "asked"
            }
            BridgeState::Answered(answer) => {
                details["wallet"] = json!(answer.wallet);
                details["hash"] = json!(answer.hash.to_string());
                "answered"
            }
            _ => "open",
        };
        details["stage"] = json!(word);
        Ok(details)
    }

    pub(super) fn choose_wallet(&self, said: &WalletSaid) -> Result<Value, Refusal> {
        let (wallet, account) = said.read()?;
        self.advance(BridgeState::WalletChosen { wallet, account }).map(|()| json!({}))
    }

    pub(super) fn wrong_chain(&self, said: &WalletSaid) -> Result<Value, Refusal> {
        let (wallet, account) = said.read()?;
        self.advance(BridgeState::WrongChain { wallet, account }).map(|()| json!({}))
    }

    /// Hands the payment out: once, until that ask is known to have sent nothing.
    pub(super) fn ask(&self, said: &WalletSaid) -> Result<Value, Refusal> {
        let (wallet, account) = said.read()?;
        let mut page = self.page();
        if page.asks >= ASKS_MAX {
            return Err(Refusal::AlreadyAsked);
        }
        self.advance(BridgeState::Asked { wallet, account })?;
        page.asks = page.asks.saturating_add(1);
        Ok(json!({"ask": page.asks, "transaction": page::transaction(&self.request.payment, account)}))
    }

    pub(super) fn unasked(&self, said: &UnaskedSaid) -> Result<Value, Refusal> {
        self.after_ask(said.ask, |wallet, account| match said.why {
            UnaskedWhy::Rejected => BridgeState::Rejected { wallet, account },
            UnaskedWhy::WrongChain => BridgeState::WrongChain { wallet, account },
        })
    }

    pub(super) fn answer(&self, said: &AnswerSaid) -> Result<Value, Refusal> {
        let hash: TransactionHash = said.hash.parse().map_err(|_| Refusal::Unreadable)?;
        self.after_ask(said.ask, |wallet, from| BridgeState::Answered(WalletAnswer { hash, from, wallet }))
    }

    /// Waits for the end, for a while; the tab counts as there as long as it waits.
    pub(super) async fn watch(self: Arc<Self>) -> Result<Value, Refusal> {
        let _live = Live::begin(Arc::clone(&self))?;
        let mut stages = self.stage.subscribe();
        let ended = stages.wait_for(|stage| matches!(stage, BridgeState::Closed { .. }));
        let word = match tokio::time::timeout(WATCH_LIMIT, ended).await {
            Ok(Ok(stage)) => match &*stage {
                BridgeState::Closed { why } => Some(closed(*why).word()),
                _ => None,
            },
            Ok(Err(_)) => Some(Refusal::Closed.word()),
            Err(_) => None,
        };
        Ok(json!({"ended": word}))
    }

    /// Moves on, unless a wallet is being asked, has answered, or the page is closed.
    fn advance(&self, next: BridgeState) -> Result<(), Refusal> {
        self.change(|stage| match stage {
            BridgeState::Asked { .. } => Err(Refusal::AlreadyAsked),
            BridgeState::Answered(_) => Err(Refusal::Answered),
            BridgeState::Closed { why } => Err(closed(*why)),
            BridgeState::Opening
            | BridgeState::PageOpen
            | BridgeState::WalletChosen { .. }
            | BridgeState::WrongChain { .. }
            | BridgeState::Rejected { .. } => Ok(next),
        })
    }

    /// Ends the open ask, if it has this number.
    fn after_ask(&self, ask: u32, next: impl FnOnce(String, EthAddress) -> BridgeState) -> Result<Value, Refusal> {
        let page = self.page();
        let ended = self.change(|stage| match stage {
            BridgeState::Asked { wallet, account } if page.asks == ask => Ok(next(wallet.clone(), *account)),
            BridgeState::Answered(_) => Err(Refusal::Answered),
            BridgeState::Closed { why } => Err(closed(*why)),
            BridgeState::Asked { .. }
            | BridgeState::Opening
            | BridgeState::PageOpen
            | BridgeState::WalletChosen { .. }
            | BridgeState::WrongChain { .. }
            | BridgeState::Rejected { .. } => Err(Refusal::NotAsked),
        });
        ended.map(|()| json!({}))
    }

    /// Looks and changes in one step, so that of two calls at once only one finds what it may change.
    fn change(&self, next: impl FnOnce(&BridgeState) -> Result<BridgeState, Refusal>) -> Result<(), Refusal> {
        let mut verdict = Ok(());
        self.stage.send_if_modified(|stage| {
            verdict = next(stage).map(|state| *stage = state);
            verdict.is_ok()
        });
        verdict
    }

    fn details(&self) -> Value {
        let payment = &self.request.payment;
        json!({
            "code": self.request.code.as_str(),
            "ether": payment.value().to_ether_string(),
            "credits": self.request.credits,
            "usd": self.request.usd,
            "to": payment.to().to_string(),
            "chain": page::chain(payment),
            "seconds": self.closes.saturating_duration_since(Instant::now()).as_secs(),
            "stage": "open",
        })
    }

    fn page(&self) -> MutexGuard<'_, PageFacts> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WalletSaid {
    fn read(&self) -> Result<(String, EthAddress), Refusal> {
        let mut account = [0u8; 20];
        // Wallets write accounts in any casing.
        let digits = self.account.strip_prefix("0x").ok_or(Refusal::Unreadable)?;
        hex::decode_to_slice(digits, &mut account).map_err(|_| Refusal::Unreadable)?;
        Ok((wallet_name(&self.name), EthAddress::from_bytes(account)))
    }
}

/// The mark of a tab that is there.
struct Live(Arc<Session>);

impl Live {
    fn begin(session: Arc<Session>) -> Result<Self, Refusal> {
        let mut page = session.page();
        if page.live {
            return Err(Refusal::AnotherTab);
        }
        page.live = true;
        drop(page);
        Ok(Self(session))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.page().live = false;
    }
}

fn closed(why: CloseReason) -> Refusal {
    match why {
        CloseReason::Expired => Refusal::Expired,
        CloseReason::Closed => Refusal::Closed,
    }
}

fn secret(entropy: &mut dyn Entropy) -> Result<Zeroizing<String>, EntropyError> {
    let mut bytes = Zeroizing::new([0u8; SECRET_BYTES]);
    entropy.fill(&mut *bytes)?;
    Ok(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes)))
}
