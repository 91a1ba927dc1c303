//! A wallet over WalletConnect.
//!
//! The connection lives as long as its question: it is kept in the keychain while the wallet is asked, so that an app that was killed
//! hears the answer, and ended afterwards. A wallet that is asked with the bytes it knows shows nothing a second time.

use super::request_of;
use crate::{
    Wallet,
    project::{connect_project, instant},
    record::PaymentRecord,
    view::{AppErrorCode, AskView, ConnectStage as Stage, ErrorView, LinkView, PayWay, PaymentState, QrView},
};
use aispace_keychain::{Secret, SecretName};
use aispace_payments::{
    OsEntropy,
    qr::Qr,
    wallet::WalletAnswer,
    walletconnect::{
        AppMetadata, AskedPayment, ConnectConfig, ConnectError, ConnectProgress, ConnectStage, DEFAULT_RELAY_URL, Expired, Pairing,
        SavedSession, Session, Surroundings, wallet_links,
    },
};
use std::sync::Arc;
use tokio::sync::watch;

const SESSION_ITEM: &str = "connect-session";

/// What the window is told beside the stage.
#[derive(Clone, Default)]
struct Shown {
    uri: Option<String>,
    qr: Option<QrView>,
    wallet: Option<String>,
    account: Option<String>,
    links: Vec<LinkView>,
    closes: String,
}

impl Shown {
    fn at(&self, stage: Stage) -> AskView {
        let Self { uri, qr, wallet, account, links, closes } = self.clone();
        AskView::WalletConnect { stage, uri, qr, wallet, account, links, closes }
    }
}

impl Wallet {
    /// Connects, asks, and follows it until it is over.
    pub(crate) async fn ask_connected(&self, payment: PaymentRecord) {
        let order = payment.order_id.clone();
        let shown = Shown { closes: payment.quote.as_ref().map(|q| instant(q.expires)).unwrap_or_default(), ..Shown::default() };
        self.show_ask(&order, shown.at(Stage::Connecting), None);
        match self.connect_and_ask(&payment, &shown).await {
            Ok((session, answer)) => {
                // Kept before the wallet is told that it is over: that may take as long as the relay likes.
                if let Err(error) = self.take_answer(&order, &answer).await {
                    self.change(|state| state.payment_trouble = Some(error));
                }
                self.forget_session().await;
                let _ = session.end().await;
            }
            Err(Failed { stage, error }) => {
                self.show_ask(&order, shown.at(stage), None);
                if let Some(error) = error {
                    self.change(|state| state.payment_trouble = Some(error));
                }
            }
        }
    }

    async fn connect_and_ask(&self, payment: &PaymentRecord, shown: &Shown) -> Result<(Session, WalletAnswer), Failed> {
        let config = self.connect_config()?;
        let clock = Arc::clone(&self.inner.clock);
        let around = Surroundings::new(Arc::new(move || clock.now()), Box::new(OsEntropy));
        let (session, asked) = match self.saved_session().await {
            Some(saved) => {
                let asked = payment.connect_asked.clone().filter(|asked| asked.expires() > self.inner.clock.now());
                match Session::resume(&config, saved, around.clone()).await {
                    Ok(session) => (session, asked),
                    // The relay is away: the session and its question stay as they are.
                    Err(error @ (ConnectError::RelayUnreachable { .. } | ConnectError::RelayRefused { .. })) => return Err(error.into()),
                    Err(_) => (self.pair(&payment.order_id, config, around, shown).await?, None),
                }
            }
            None => (self.pair(&payment.order_id, config, around, shown).await?, None),
        };
        match self.ask_session(payment, &session, asked, shown).await {
            Ok(answer) => Ok((session, answer)),
            Err(failed) => {
                // What was refused is over: asked again, the wallet gets a new question.
                if failed.stage == Stage::Rejected {
                    self.forget_question(&payment.order_id).await;
                }
                Err(failed)
            }
        }
    }

    /// Shows a code, and waits for a wallet.
    async fn pair(&self, order: &str, config: ConnectConfig, around: Surroundings, shown: &Shown) -> Result<Session, Failed> {
        let pairing = Pairing::open(config, around).await?;
        let links = wallet_links(pairing.uri()).into_iter().map(|(name, url)| LinkView { name: name.into(), url }).collect();
        let qr = Qr::encode(pairing.uri()).ok().map(|qr| QrView { size: qr.size(), path: qr.path() });
        let waiting = Shown { uri: Some(pairing.uri().into()), qr, links, closes: instant(pairing.closes()), ..shown.clone() };
        self.show_ask(order, waiting.at(Stage::Pairing), None);
        let session = pairing.settled().await?;
        self.keep_session(&session).await;
        Ok(session)
    }

    async fn ask_session(
        &self,
        payment: &PaymentRecord,
        session: &Session,
        asked: Option<AskedPayment>,
        shown: &Shown,
    ) -> Result<WalletAnswer, Failed> {
        let account = session.accounts().into_iter().next().ok_or(ConnectError::WrongChain)?;
        let connected = Shown { wallet: Some(session.wallet()), account: Some(account.to_string()), ..shown.clone() };
        self.show_ask(&payment.order_id, connected.at(Stage::Connected), None);
        let asked = match asked {
            Some(asked) => asked,
            None => {
                let asked = session.prepare(&request_of(payment)?, account)?;
                self.journal_question(&payment.order_id, &asked, session.wallet()).await?;
                asked
            }
        };
        let connected = Shown { account: Some(asked.from().to_string()), closes: instant(asked.expires()), ..connected };
        let mut progress = session.progress();
        let answer = session.ask(&asked);
        tokio::pin!(answer);
        loop {
            self.show_ask(&payment.order_id, connected.at(stage_of(&progress)), None);
            tokio::select! {
                outcome = &mut answer => {
                    if outcome.is_ok() {
                        self.show_ask(&payment.order_id, connected.at(Stage::Answered), None);
                    }
                    return Ok(outcome?);
                }
                changed = progress.changed() => {
                    if changed.is_err() {
                        return Ok(answer.await?);
                    }
                    self.keep_session(session).await;
                }
            }
        }
    }

    /// The question is in the journal before the wallet has it.
    async fn journal_question(&self, order_id: &str, asked: &AskedPayment, wallet: String) -> Result<(), ErrorView> {
        let _turn = self.inner.payment_turn.lock().await;
        let payment = self.state().payment.clone().filter(|p| p.order_id == order_id && p.state == PaymentState::Asked);
        let mut payment = payment.ok_or_else(|| ErrorView::of(AppErrorCode::NotForThisPayment))?;
        payment.connect_asked = Some(asked.clone());
        payment.wallet_name = Some(wallet);
        payment.from = Some(asked.from().to_string());
        self.keep_progress(payment).await
    }

    async fn forget_question(&self, order_id: &str) {
        let _turn = self.inner.payment_turn.lock().await;
        let payment = self.state().payment.clone().filter(|p| p.order_id == order_id && p.state == PaymentState::Asked);
        if let Some(mut payment) = payment {
            payment.connect_asked = None;
            // Should the journal refuse, the same question is refused again.
            let _ = self.keep_progress(payment).await;
        }
    }

    /// Tells the wallet that nothing is asked of it any more, and forgets the connection.
    pub(crate) async fn end_connection(&self) {
        let Some(saved) = self.saved_session().await else { return };
        self.forget_session().await;
        let Ok(config) = self.connect_config() else { return };
        let clock = Arc::clone(&self.inner.clock);
        let around = Surroundings::new(Arc::new(move || clock.now()), Box::new(OsEntropy));
        if let Ok(session) = Session::resume(&config, saved, around).await {
            let _ = session.end().await;
        }
    }

    /// After a restart: hears what the wallet answered to the question that it knows already. Nothing new is asked; a connection
    /// that no payment waits on any more is ended.
    pub(crate) async fn hear_open_question(&self) {
        let waiting = self.state().payment.clone().filter(|p| p.way == PayWay::WalletConnect && p.state == PaymentState::Asked);
        let Some(payment) = waiting else {
            let wallet = self.clone();
            tokio::spawn(async move { wallet.end_connection().await });
            return;
        };
        let is_open = payment.connect_asked.is_some_and(|asked: AskedPayment| asked.expires() > self.inner.clock.now());
        if is_open && !self.is_asking() && self.saved_session().await.is_some() {
            self.begin_asking();
        }
    }

    fn connect_config(&self) -> Result<ConnectConfig, ErrorView> {
        let unavailable = || ErrorView::of(AppErrorCode::WayUnavailable);
        let project = connect_project(&self.state(), &self.inner.fixed).ok_or_else(unavailable)?.parse().map_err(|_| unavailable())?;
        let relay = self.inner.fixed.profile.walletconnect_relay.as_deref().unwrap_or(DEFAULT_RELAY_URL);
        let app = AppMetadata {
            name: "AiSpace Wallet".into(),
            description: "Prepaid AI credit, paid with ether on Base".into(),
            url: "https://aispace.bot".into(),
        };
        ConnectConfig::new(relay, project, app).map_err(|_| unavailable())
    }

    async fn saved_session(&self) -> Option<SavedSession> {
        let name = SecretName::parse(SESSION_ITEM).ok()?;
        let kept = self.inner.keychain.get(&name).await.ok()??;
        let saved = SavedSession::from_exposed(kept.expose_text()?).ok()?;
        (saved.expires() > self.inner.clock.now()).then_some(saved)
    }

    async fn keep_session(&self, session: &Session) {
        let Ok(name) = SecretName::parse(SESSION_ITEM) else { return };
        // Where it cannot be kept, a restart pairs anew; the payment itself is found by its tag.
        let _ = self.inner.keychain.set(&name, &Secret::from_text(session.saved().expose().to_string())).await;
    }

    async fn forget_session(&self) {
        if let Ok(name) = SecretName::parse(SESSION_ITEM) {
            let _ = self.inner.keychain.delete(&name).await;
        }
    }
}

fn stage_of(progress: &watch::Receiver<ConnectProgress>) -> Stage {
    match progress.borrow().stage {
        ConnectStage::Connecting => Stage::Connecting,
        ConnectStage::Pairing => Stage::Pairing,
        ConnectStage::Connected { .. } => Stage::Connected,
        ConnectStage::Rejected => Stage::Rejected,
        ConnectStage::Answered => Stage::Answered,
        ConnectStage::Closed => Stage::Closed,
        // A stage that this app does not know comes after asking.
        _ => Stage::Asked,
    }
}

/// Why asking ended without an answer, and where that leaves it.
struct Failed {
    stage: Stage,
    error: Option<ErrorView>,
}

impl From<ErrorView> for Failed {
    fn from(error: ErrorView) -> Self {
        Self { stage: Stage::Closed, error: Some(error) }
    }
}

impl From<ConnectError> for Failed {
    fn from(error: ConnectError) -> Self {
        use AppErrorCode as Code;
        let closed = |code| Self { stage: Stage::Closed, error: Some(ErrorView::of(code)) };
        match error {
            ConnectError::Rejected => Self { stage: Stage::Rejected, error: None },
            ConnectError::WalletFailed { said, .. } => {
                Self { stage: Stage::Rejected, error: Some(ErrorView::of(Code::WalletFailed).with("reason", said)) }
            }
            ConnectError::Expired(Expired::Pairing | Expired::Session | Expired::Request) | ConnectError::Timeout => {
                closed(Code::WalletSilent)
            }
            ConnectError::WrongChain | ConnectError::CannotSend => closed(Code::WalletUnsuited),
            ConnectError::RelayUnreachable { .. } | ConnectError::RelayRefused { .. } => closed(Code::RelayUnreachable),
            ConnectError::NotAHash => closed(Code::WalletAnswersWrong),
            _ => Self { stage: Stage::Closed, error: None },
        }
    }
}
