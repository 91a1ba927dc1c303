//! The contract with the window, from which `ui/src/backend/bindings.ts` is generated.

use crate::{commands, events};
use tauri_specta::{Builder, collect_commands, collect_events};

/// Every command and event, typed.
#[must_use]
// One line a command would be longer than any function may be.
#[rustfmt::skip]
pub fn bindings() -> Builder<tauri::Wry> {
    Builder::<tauri::Wry>::new()
        .disable_serde_phases()
        .commands(collect_commands![
            commands::snapshot, commands::sync_now, commands::sign_in, commands::sign_out, commands::look_around,
            commands::switch_account, commands::label_account, commands::remove_account, commands::rotate_key,
            commands::copy_secure_key, commands::check_batches, commands::read_batches, commands::typed_batches,
            commands::keep_batches, commands::data_kept, commands::export_everything, commands::delete_everything, commands::catalog,
            commands::estimate, commands::simulate_run, commands::compare_models, commands::plan_spending, commands::set_budget,
            commands::price_job, commands::recipes, commands::keep_recipe, commands::delete_recipe, commands::count_text,
            commands::kept_estimates, commands::keep_estimate, commands::forget_estimate, commands::pick_charge, commands::reject_charge,
            commands::usage, commands::usage_lines, commands::usage_entry, commands::save_usage, commands::preview_purchase,
            commands::review_purchase, commands::pay, commands::ask_again, commands::stop_waiting, commands::report_hash,
            commands::claim_by_hash, commands::speed_up, commands::cancel_payment, commands::payment, commands::open_link,
            commands::put_payment_away, commands::ask_for_test_ether, commands::set_theme, commands::set_display,
            commands::create_wallet, commands::reveal_secret, commands::confirm_words, commands::import_wallet,
            commands::export_keystore, commands::set_caps, commands::remove_wallet, commands::wallet_receive, commands::save_receipt,
            commands::save_payments_csv, commands::save_support_bundle, commands::ended_batches, commands::what_if,
            commands::save_batches_csv, commands::save_calendar, commands::set_nodes, commands::set_walletconnect_project,
            commands::set_low_balance, commands::open_buy_link, commands::dismiss_prefill, commands::reminders, commands::outside,
            commands::set_outside, commands::set_reminders,
        ])
        .events(collect_events![events::AppChanged])
}
