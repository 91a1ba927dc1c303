//! Names the app's own commands: each gets a permission of its own, and what is not granted is refused.

const COMMANDS: &[&str] = &[
    "snapshot",
    "sync_now",
    "sign_in",
    "sign_out",
    "look_around",
    "catalog",
    "estimate",
    "simulate_run",
    "preview_purchase",
    "review_purchase",
    "pay",
    "ask_again",
    "stop_waiting",
    "report_hash",
    "claim_by_hash",
    "speed_up",
    "cancel_payment",
    "payment",
    "open_link",
    "put_payment_away",
    "ask_for_test_ether",
    "set_theme",
    "set_display",
    "create_wallet",
    "reveal_secret",
    "confirm_words",
    "import_wallet",
    "export_keystore",
    "set_caps",
    "remove_wallet",
    "wallet_receive",
    "save_receipt",
    "save_payments_csv",
    "save_support_bundle",
    "set_nodes",
    "set_walletconnect_project",
    "set_low_balance",
    "open_buy_link",
    "dismiss_prefill",
];

fn main() {
    let attributes = tauri_build::Attributes::new().app_manifest(tauri_build::AppManifest::new().commands(COMMANDS));
    tauri_build::try_build(attributes).expect("the shell's manifest and configuration are valid");
}
