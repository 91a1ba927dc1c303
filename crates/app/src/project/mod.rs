//! From state to view models: pure functions of the state and an instant.

mod account;
mod accounts;
mod advice;
mod advised;
mod ahead;
mod batches_csv;
mod budget;
mod buy;
mod calendar;
mod charge;
mod compare;
mod estimate;
mod export;
mod figures;
mod job;
mod kept;
mod parameters;
mod payments;
mod payments_csv;
mod plan;
mod receipt;
mod refused;
mod reminder;
mod reminders;
mod report;
mod terrace;
mod usage;
mod usage_chart;
mod usage_files;
mod what_if;

#[cfg(test)]
pub(crate) use account::account as account_view;
pub(crate) use account::ended;
pub(crate) use ahead::Ahead;
pub(crate) use batches_csv::batches_csv;
pub(crate) use budget::{beside, first_day, spending};
pub(crate) use buy::{Reviewed, connect_project, has_way, preview, review, review_card};
pub(crate) use calendar::calendar;
pub(crate) use compare::comparison;
pub(crate) use estimate::{Standing, catalog, estimate};
pub(crate) use export::{Shelves, export};
pub(crate) use figures::qr;
pub(crate) use job::{job, recipe};
pub(crate) use kept::{Candidates, entry_estimate, kept_estimates, matched};
pub(crate) use parameters::{range, run};
pub(crate) use payments::payment;
pub(crate) use payments_csv::payments_csv;
pub(crate) use plan::plan;
pub(crate) use receipt::receipt;
pub(crate) use reminder::low_balance;
pub(crate) use reminders::{Moment, Subject, due, reminders, was_credited};
pub(crate) use report::{host_and_port, report};
pub(crate) use usage::{UsageDay, UsageQuestion, usage, usage_days, usage_detail, usage_lines, usage_window};
pub(crate) use usage_files::{usage_csv, usage_json};
pub(crate) use what_if::what_if;

use crate::{
    clock::Reading,
    error::OpenError,
    profile::Profile,
    state::{Session, SpendingWallet, State},
    view::{AppView, ConnectionState, ConnectionView, NoticeView, ProfileView, SessionView, SettingsView, UsageLogView, WalletView},
    wallet::part,
};
use aispace_payments::{PAYMENT_ADDRESS_CHECKSUMMED, chain::Nodes, price::PriceSources};
use aispace_pricing::RateCard;
use chrono::{DateTime, Utc};
pub(crate) use figures::instant;
use std::path::PathBuf;

/// Chain id of Base, as the window gets it.
const CHAIN_ID: u32 = 8453;

/// What stays the same while the app runs.
pub(crate) struct Fixed {
    pub(crate) profile: Profile,
    pub(crate) data_folder: PathBuf,
    pub(crate) card: RateCard,
}

/// Where chain and prices are read.
pub(crate) struct Network {
    pub(crate) nodes: Nodes,
    pub(crate) prices: PriceSources,
}

impl Fixed {
    /// The network as the profile has it, or with other nodes.
    pub(crate) fn network(&self, nodes: Option<&[String]>) -> Result<Network, OpenError> {
        let mut profile = self.profile.clone();
        if let Some(nodes) = nodes {
            profile.nodes = nodes.to_vec();
        }
        let nodes = part("the nodes", Nodes::new(&profile.nodes))?;
        Ok(Network { nodes, prices: part("the price sources", PriceSources::new(&profile.price_config()))? })
    }
}

/// Everything the window shows at a reading of this computer's clock.
pub(crate) fn app(state: &State, fixed: &Fixed, ours: Reading, revision: u32) -> AppView {
    let now = state.time.at(ours);
    // Without a key the service's answer is about its health only: the account is as old as it was.
    let live = accounts::is_live(&state.session, &state.connection, now);
    AppView {
        revision,
        now: instant(now),
        profile: ProfileView { kind: fixed.profile.kind, chain_id: CHAIN_ID, payment_address: PAYMENT_ADDRESS_CHECKSUMMED.into() },
        session: session(&state.session),
        keychain: state.keychain,
        connection: connection(state, live),
        account: state.known.as_ref().map(|known| account::account(known, &fixed.card, live, now)),
        accounts: accounts::accounts(state, now),
        usage_log: usage_log(state),
        wallet: state.wallet.as_ref().map(|w| wallet(state, w, now)),
        payment: state.payment.as_ref().map(|p| payments::payment(state, p)),
        payments: payments::rows(state),
        prefill: reminder::prefill(state, now),
        led: state.led.clone(),
        notices: notices(state, ours),
        settings: settings(state, fixed),
    }
}

fn notices(state: &State, ours: Reading) -> Vec<NoticeView> {
    let skew = state.time.skew_minutes(ours).map(|minutes| NoticeView::ClockSkewed { minutes });
    state.notices.iter().cloned().chain(skew).collect()
}

fn usage_log(state: &State) -> UsageLogView {
    let posted = state.known.as_ref().map_or(0, |known| u32::try_from(known.answer.entry_count).unwrap_or(u32::MAX));
    let (revision, kept) = state.usage_log;
    UsageLogView { revision, kept, posted }
}

/// Below this a usual purchase does not fit: 0.002 ETH.
const LOW_WEI: u128 = 2_000_000_000_000_000;

fn wallet(state: &State, wallet: &SpendingWallet, now: DateTime<Utc>) -> WalletView {
    let backed_up = state.wallet_backed_up();
    WalletView {
        address: wallet.address.to_string(),
        balance_eth: wallet.balance.map(|b| b.to_ether_string()),
        origin: wallet.origin,
        has_words: !wallet.words_asked.is_empty(),
        backed_up,
        words_asked: if backed_up { Vec::new() } else { wallet.words_asked.clone() },
        low: wallet.balance.is_some_and(|b| b.get() < LOW_WEI),
        cap_payment_usd: state.preferences.cap_payment_usd.to_string(),
        cap_day_usd: state.preferences.cap_day_usd.to_string(),
        spent_today_usd: state.spent_on_day_of(now).to_string(),
    }
}

fn session(session: &Session) -> SessionView {
    match session {
        Session::Unknown => SessionView::Unknown,
        Session::SignedOut => SessionView::SignedOut,
        Session::SignedIn { key, keeping } => SessionView::SignedIn { key_hint: key.hint(), keeping: *keeping },
        Session::ByHand => SessionView::ByHand,
        Session::KeyUnavailable { error, .. } => SessionView::KeyUnavailable { error: error.clone() },
    }
}

fn connection(state: &State, live: bool) -> ConnectionView {
    let connection = &state.connection;
    let is_old = !live && matches!(state.session, Session::SignedIn { .. }) && connection.state == ConnectionState::Online;
    ConnectionView {
        // Nobody was asked for longer than an answer is believed.
        state: if is_old { ConnectionState::Idle } else { connection.state },
        last_sync: connection.last_sync.map(instant),
        error: connection.error.clone(),
        next_try: connection.next_try.map(instant),
    }
}

fn settings(state: &State, fixed: &Fixed) -> SettingsView {
    SettingsView {
        theme: state.theme,
        display: state.preferences.display(),
        version: env!("CARGO_PKG_VERSION").into(),
        data_folder: fixed.data_folder.display().to_string(),
        service_url: fixed.profile.service_url.clone(),
        nodes: state.nodes.clone(),
        price_sources: buy::sources(&state.readings, state.price.as_ref().map(|p| p.usd_per_eth)),
        rate_card: fixed.card.name().into(),
        rate_card_date: fixed.card.date().to_string(),
        walletconnect_project: state.preferences.walletconnect_project.clone(),
        low_balance_usd: state.preferences.low_balance_usd.map(|usd| usd.to_string()),
        budget_day_credits: state.preferences.budget_day.map(|credits| credits.to_string()),
        budget_month_credits: state.preferences.budget_month.map(|credits| credits.to_string()),
    }
}
