//! From state to view models: pure functions of the state and an instant.

mod account;
mod buy;
mod charge;
mod estimate;
mod figures;
mod parameters;
mod payments;
mod terrace;

pub(crate) use buy::{preview, review};
pub(crate) use estimate::{catalog, estimate};
pub(crate) use parameters::run;
pub(crate) use payments::payment;

use crate::{
    cases::USD_MAX,
    profile::Profile,
    state::{Session, SpendingWallet, State},
    view::{AppView, ConnectionState, ConnectionView, ProfileView, SessionView, SettingsView, WalletOrigin, WalletView},
};
use aispace_payments::PAYMENT_ADDRESS_CHECKSUMMED;
use aispace_pricing::RateCard;
use chrono::{DateTime, Utc};
use figures::instant;
use std::path::PathBuf;

/// Chain id of Base, as the window gets it.
const CHAIN_ID: u32 = 8453;

/// What stays the same while the app runs.
pub(crate) struct Fixed {
    pub(crate) profile: Profile,
    pub(crate) data_folder: PathBuf,
    pub(crate) card: RateCard,
}

/// Everything the window shows. `our_now` is this computer's clock.
pub(crate) fn app(state: &State, fixed: &Fixed, our_now: DateTime<Utc>, revision: u32) -> AppView {
    let now = our_now + state.clock_offset();
    // Without a key the service's answer is about its health only: the account is as old as it was.
    let live = state.connection.state == ConnectionState::Online && matches!(state.session, Session::SignedIn { .. });
    AppView {
        revision,
        now: instant(now),
        profile: ProfileView { kind: fixed.profile.kind, chain_id: CHAIN_ID, payment_address: PAYMENT_ADDRESS_CHECKSUMMED.into() },
        session: session(&state.session),
        keychain: state.keychain,
        connection: connection(state),
        account: state.known.as_ref().map(|known| account::account(known, &fixed.card, live, now)),
        wallet: state.wallet.as_ref().map(wallet),
        payment: state.payment.as_ref().map(|p| payments::payment(state, p)),
        payments: payments::rows(state),
        prefill: None,
        notices: state.notices.clone(),
        settings: settings(state, fixed),
    }
}

fn wallet(wallet: &SpendingWallet) -> WalletView {
    WalletView {
        address: wallet.address.to_string(),
        balance_eth: wallet.balance.map(|b| b.to_ether_string()),
        origin: WalletOrigin::Created,
        backed_up: false,
        low: false,
        cap_payment_usd: USD_MAX.into(),
        cap_day_usd: USD_MAX.into(),
        spent_today_usd: "0".into(),
    }
}

fn session(session: &Session) -> SessionView {
    match session {
        Session::Unknown => SessionView::Unknown,
        Session::SignedOut => SessionView::SignedOut,
        Session::SignedIn { key, keeping } => SessionView::SignedIn { key_hint: key.hint(), keeping: *keeping },
        Session::KeyUnavailable { error, .. } => SessionView::KeyUnavailable { error: error.clone() },
    }
}

fn connection(state: &State) -> ConnectionView {
    let connection = &state.connection;
    ConnectionView {
        state: connection.state,
        last_sync: connection.last_sync.map(instant),
        error: connection.error.clone(),
        next_try: connection.next_try.map(instant),
    }
}

fn settings(state: &State, fixed: &Fixed) -> SettingsView {
    SettingsView {
        theme: state.theme,
        version: env!("CARGO_PKG_VERSION").into(),
        data_folder: fixed.data_folder.display().to_string(),
        service_url: fixed.profile.service_url.clone(),
        nodes: state.nodes.clone(),
        price_sources: buy::sources(&state.readings, state.price.as_ref().map(|p| p.usd_per_eth)),
        rate_card: fixed.card.name().into(),
        rate_card_date: fixed.card.date().to_string(),
        walletconnect_project: None,
        low_balance_usd: None,
    }
}
