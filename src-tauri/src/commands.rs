//! The window's commands: one line each, one permission each (`build.rs`, `capabilities/main.json`).

use crate::outside::Outside;
use aispace_app::{
    Wallet,
    view::{
        AmountRequest, AppView, BuyPreviewView, CalendarWords, CatalogView, ComparisonView, CopiedView, DataView, DeletedView, DisplayView,
        EndedPageView, ErrorView, EstimateRequest, EstimateView, ImportKind, JobView, KeptEstimatesView, LinkTarget, OutsideSwitch,
        OutsideView, PayWay, PaymentView, PlanBudget, PlanView, ReceiveView, RecipeDraft, RecipeView, ReminderSettingsView, RemindersView,
        RevealKind, ReviewView, SavedFileView, TextCountView, Theme, TypedBatch, TypedBatchesView, UsageDetailView, UsageFilter,
        UsageFormat, UsageLinesRequest, UsageLinesView, UsageRequest, UsageView, WhatIfRequest, WhatIfView, WordAnswer,
    },
};
use tauri::State;

type Answer<T> = Result<T, ErrorView>;

/// Everything the window shows now; later changes arrive as events.
#[tauri::command]
#[specta::specta]
pub fn snapshot(wallet: State<'_, Wallet>) -> AppView {
    wallet.view()
}

/// Asks keychain, service and nodes anew, without waiting for the timer.
#[tauri::command]
#[specta::specta]
pub async fn sync_now(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.sync_now().await
}

/// Signs in with a Secure Key that was typed or pasted.
#[tauri::command]
#[specta::specta]
pub async fn sign_in(wallet: State<'_, Wallet>, secure_key: String) -> Answer<AppView> {
    wallet.sign_in(secure_key).await
}

/// Removes the Secure Key and the account from this computer.
#[tauri::command]
#[specta::specta]
pub async fn sign_out(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.sign_out().await
}

/// Signs in to the sandbox's sample account.
#[tauri::command]
#[specta::specta]
pub async fn look_around(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.look_around().await
}

/// Every model that can be quoted.
#[tauri::command]
#[specta::specta]
pub fn catalog(wallet: State<'_, Wallet>) -> Answer<CatalogView> {
    wallet.catalog()
}

/// Prices a run and shows what it would draw.
#[tauri::command]
#[specta::specta]
pub async fn estimate(wallet: State<'_, Wallet>, request: EstimateRequest) -> Answer<EstimateView> {
    wallet.estimate(request)
}

/// Charges a run in the sandbox, as a gateway would; above what the person means to spend only when told so.
#[tauri::command]
#[specta::specta]
pub async fn simulate_run(wallet: State<'_, Wallet>, request: EstimateRequest, over_budget: bool) -> Answer<AppView> {
    wallet.simulate_run(request, over_budget).await
}

/// Every model of the same kind for the same job.
#[tauri::command]
#[specta::specta]
pub async fn compare_models(wallet: State<'_, Wallet>, request: EstimateRequest) -> Answer<ComparisonView> {
    wallet.compare_models(request)
}

/// How many whole runs a part of the balance pays for.
#[tauri::command]
#[specta::specta]
pub async fn plan_spending(wallet: State<'_, Wallet>, budget: PlanBudget, requests: Vec<EstimateRequest>) -> Answer<PlanView> {
    wallet.plan_spending(budget, requests)
}

/// Sets what the person means to spend in a UTC day and in a UTC month.
#[tauri::command]
#[specta::specta]
pub async fn set_budget(wallet: State<'_, Wallet>, day_credits: Option<String>, month_credits: Option<String>) -> Answer<AppView> {
    wallet.set_budget(day_credits, month_credits).await
}

/// What a job of several runs costs and draws.
#[tauri::command]
#[specta::specta]
pub async fn price_job(wallet: State<'_, Wallet>, runs: Vec<EstimateRequest>) -> Answer<JobView> {
    wallet.price_job(runs)
}

/// Every recipe, by name.
#[tauri::command]
#[specta::specta]
pub async fn recipes(wallet: State<'_, Wallet>) -> Answer<Vec<RecipeView>> {
    wallet.recipes().await
}

/// Keeps a recipe, new or in the place of an older one.
#[tauri::command]
#[specta::specta]
pub async fn keep_recipe(wallet: State<'_, Wallet>, draft: RecipeDraft) -> Answer<Vec<RecipeView>> {
    wallet.keep_recipe(draft).await
}

/// Deletes a recipe.
#[tauri::command]
#[specta::specta]
pub async fn delete_recipe(wallet: State<'_, Wallet>, recipe_id: String) -> Answer<Vec<RecipeView>> {
    wallet.delete_recipe(recipe_id).await
}

/// Counts a text and forgets it; nothing when a newer one has come.
#[tauri::command]
#[specta::specta]
pub async fn count_text(wallet: State<'_, Wallet>, text: String, model_id: String) -> Answer<Option<TextCountView>> {
    wallet.count_text(text, model_id).await
}

/// Every kept estimate beside what its run cost.
#[tauri::command]
#[specta::specta]
pub async fn kept_estimates(wallet: State<'_, Wallet>) -> Answer<KeptEstimatesView> {
    wallet.kept_estimates().await
}

/// Keeps what a run is expected to cost.
#[tauri::command]
#[specta::specta]
pub async fn keep_estimate(wallet: State<'_, Wallet>, request: EstimateRequest) -> Answer<KeptEstimatesView> {
    wallet.keep_estimate(request).await
}

/// Forgets a kept estimate.
#[tauri::command]
#[specta::specta]
pub async fn forget_estimate(wallet: State<'_, Wallet>, estimate_id: String) -> Answer<KeptEstimatesView> {
    wallet.forget_estimate(estimate_id).await
}

/// Says that a charge is not of the run of a kept estimate.
#[tauri::command]
#[specta::specta]
pub async fn reject_charge(wallet: State<'_, Wallet>, estimate_id: String, sequence: String) -> Answer<KeptEstimatesView> {
    wallet.reject_charge(estimate_id, sequence).await
}

/// Says which charge is of a kept estimate, or takes back what was said.
#[tauri::command]
#[specta::specta]
pub async fn pick_charge(wallet: State<'_, Wallet>, estimate_id: String, sequence: Option<String>) -> Answer<KeptEstimatesView> {
    wallet.pick_charge(estimate_id, sequence).await
}

/// Sums, chart and the first lines of the log.
#[tauri::command]
#[specta::specta]
pub async fn usage(wallet: State<'_, Wallet>, request: UsageRequest) -> Answer<UsageView> {
    wallet.usage(request).await
}

/// Lines of the log.
#[tauri::command]
#[specta::specta]
pub async fn usage_lines(wallet: State<'_, Wallet>, request: UsageLinesRequest) -> Answer<UsageLinesView> {
    wallet.usage_lines(request).await
}

/// One entry of the log, with all that is known of it.
#[tauri::command]
#[specta::specta]
pub async fn usage_entry(wallet: State<'_, Wallet>, sequence: String) -> Answer<Option<UsageDetailView>> {
    wallet.usage_entry(sequence).await
}

/// Saves entries of the log.
#[tauri::command]
#[specta::specta]
pub async fn save_usage(wallet: State<'_, Wallet>, filter: UsageFilter, format: UsageFormat) -> Answer<SavedFileView> {
    wallet.save_usage(filter, format).await
}

/// What an amount buys at the live rate.
#[tauri::command]
#[specta::specta]
pub async fn preview_purchase(wallet: State<'_, Wallet>, amount: AmountRequest) -> Answer<BuyPreviewView> {
    wallet.preview_purchase(amount).await
}

/// Orders, and builds what would pay; signs nothing and asks nobody.
#[tauri::command]
#[specta::specta]
pub async fn review_purchase(wallet: State<'_, Wallet>, amount: AmountRequest, way: PayWay) -> Answer<ReviewView> {
    wallet.review_purchase(amount, way).await
}

/// Pays what was reviewed: signs, journals and sends it, or asks the outside wallet.
#[tauri::command]
#[specta::specta]
pub async fn pay(wallet: State<'_, Wallet>, order_id: String) -> Answer<AppView> {
    wallet.pay(order_id).await
}

/// Asks the outside wallet again.
#[tauri::command]
#[specta::specta]
pub async fn ask_again(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.ask_again().await
}

/// Stops waiting for a payment that was asked for.
#[tauri::command]
#[specta::specta]
pub async fn stop_waiting(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.stop_waiting().await
}

/// Takes the hash of the transaction that paid; only the chain is believed.
#[tauri::command]
#[specta::specta]
pub async fn report_hash(wallet: State<'_, Wallet>, hash: String) -> Answer<AppView> {
    wallet.report_hash(hash).await
}

/// Proves with the spending wallet's signature that a transaction was for the open order.
#[tauri::command]
#[specta::specta]
pub async fn claim_by_hash(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.claim_by_hash().await
}

/// Sends the payment again with higher fees, in the place of the first.
#[tauri::command]
#[specta::specta]
pub async fn speed_up(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.speed_up().await
}

/// Sends a transaction that pays nothing in the place of the payment.
#[tauri::command]
#[specta::specta]
pub async fn cancel_payment(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.cancel_payment().await
}

/// One payment, with all that is known of it.
#[tauri::command]
#[specta::specta]
pub async fn payment(wallet: State<'_, Wallet>, order_id: String) -> Answer<PaymentView> {
    wallet.payment(order_id)
}

/// Opens something of a payment outside the window, at an address that Rust made.
#[tauri::command]
#[specta::specta]
pub async fn open_link(wallet: State<'_, Wallet>, order_id: String, target: LinkTarget) -> Answer<AppView> {
    wallet.open_link(order_id, target).await
}

/// Takes a finished payment off the screen.
#[tauri::command]
#[specta::specta]
pub async fn put_payment_away(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.put_payment_away().await
}

/// Asks the sandbox's faucet for ether.
#[tauri::command]
#[specta::specta]
pub async fn ask_for_test_ether(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.ask_for_test_ether().await
}

/// Light, dark, or as the system says.
#[tauri::command]
#[specta::specta]
pub async fn set_theme(wallet: State<'_, Wallet>, theme: Theme) -> Answer<AppView> {
    wallet.set_theme(theme).await
}

/// Language, hidden amounts, motion and size of text.
#[tauri::command]
#[specta::specta]
pub async fn set_display(wallet: State<'_, Wallet>, display: DisplayView) -> Answer<AppView> {
    wallet.set_display(display).await
}

/// Makes a spending wallet of 24 new words.
#[tauri::command]
#[specta::specta]
pub async fn create_wallet(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.create_wallet().await
}

/// The only command that gives a secret out, against the last four characters of what it belongs to.
#[tauri::command]
#[specta::specta]
pub async fn reveal_secret(
    wallet: State<'_, Wallet>,
    what: RevealKind,
    confirmation: String,
    account: Option<String>,
) -> Answer<Vec<String>> {
    wallet.reveal_secret(what, confirmation, account).await
}

/// Takes the words of the spending wallet that were asked back.
#[tauri::command]
#[specta::specta]
pub async fn confirm_words(wallet: State<'_, Wallet>, answers: Vec<WordAnswer>) -> Answer<AppView> {
    wallet.confirm_words(answers).await
}

/// Takes over a spending wallet from its words, its key or a keystore.
#[tauri::command]
#[specta::specta]
pub async fn import_wallet(wallet: State<'_, Wallet>, kind: ImportKind, text: String, password: Option<String>) -> Answer<AppView> {
    wallet.import_wallet(kind, text, password).await
}

/// Saves the spending wallet as a keystore under a password.
#[tauri::command]
#[specta::specta]
pub async fn export_keystore(wallet: State<'_, Wallet>, password: String) -> Answer<SavedFileView> {
    wallet.export_keystore(password).await
}

/// Sets what the spending wallet may pay at once and in a day.
#[tauri::command]
#[specta::specta]
pub async fn set_caps(wallet: State<'_, Wallet>, payment_usd: String, day_usd: String) -> Answer<AppView> {
    wallet.set_caps(payment_usd, day_usd).await
}

/// Removes the spending wallet from this computer.
#[tauri::command]
#[specta::specta]
pub async fn remove_wallet(wallet: State<'_, Wallet>, confirmation: String) -> Answer<AppView> {
    wallet.remove_wallet(confirmation).await
}

/// How to put ether into the spending wallet.
#[tauri::command]
#[specta::specta]
pub fn wallet_receive(wallet: State<'_, Wallet>) -> Answer<ReceiveView> {
    wallet.wallet_receive()
}

/// Saves the receipt of a payment.
#[tauri::command]
#[specta::specta]
pub async fn save_receipt(wallet: State<'_, Wallet>, order_id: String) -> Answer<SavedFileView> {
    wallet.save_receipt(order_id).await
}

/// Saves all payments as a table.
#[tauri::command]
#[specta::specta]
pub async fn save_payments_csv(wallet: State<'_, Wallet>) -> Answer<SavedFileView> {
    wallet.save_payments_csv().await
}

/// Saves what support needs to find a payment; it holds no secret.
#[tauri::command]
#[specta::specta]
pub async fn save_support_bundle(wallet: State<'_, Wallet>, order_id: String) -> Answer<SavedFileView> {
    wallet.save_support_bundle(order_id).await
}

/// A part of the batches that ended, newest end first.
#[tauri::command]
#[specta::specta]
pub fn ended_batches(wallet: State<'_, Wallet>, from: u32) -> Answer<EndedPageView> {
    wallet.ended_batches(from)
}

/// How far the batches go at a pace that is tried out.
#[tauri::command]
#[specta::specta]
pub fn what_if(wallet: State<'_, Wallet>, request: WhatIfRequest) -> Answer<WhatIfView> {
    wallet.what_if(&request)
}

/// Saves all batches as a table.
#[tauri::command]
#[specta::specta]
pub async fn save_batches_csv(wallet: State<'_, Wallet>) -> Answer<SavedFileView> {
    wallet.save_batches_csv().await
}

/// Saves the ends of the live batches as a calendar.
#[tauri::command]
#[specta::specta]
pub async fn save_calendar(wallet: State<'_, Wallet>, words: CalendarWords) -> Answer<SavedFileView> {
    wallet.save_calendar(words).await
}

/// Sets the nodes of Base that are asked; none brings the usual ones back.
#[tauri::command]
#[specta::specta]
pub async fn set_nodes(wallet: State<'_, Wallet>, urls: Vec<String>) -> Answer<AppView> {
    wallet.set_nodes(urls).await
}

/// Sets the project id of WalletConnect.
#[tauri::command]
#[specta::specta]
pub async fn set_walletconnect_project(wallet: State<'_, Wallet>, id: Option<String>) -> Answer<AppView> {
    wallet.set_walletconnect_project(id).await
}

/// Sets below what balance a purchase is suggested.
#[tauri::command]
#[specta::specta]
pub async fn set_low_balance(wallet: State<'_, Wallet>, usd: Option<String>) -> Answer<AppView> {
    wallet.set_low_balance(usd).await
}

/// Takes the amount of a link of the app's own scheme; starts nothing.
#[tauri::command]
#[specta::specta]
pub async fn open_buy_link(wallet: State<'_, Wallet>, text: String) -> Answer<AppView> {
    wallet.open_buy_link(text).await
}

/// Puts the suggested purchase away.
#[tauri::command]
#[specta::specta]
pub async fn dismiss_prefill(wallet: State<'_, Wallet>) -> Answer<AppView> {
    wallet.dismiss_prefill().await
}

/// What is set about reminders, and which are to come.
#[tauri::command]
#[specta::specta]
pub async fn reminders(wallet: State<'_, Wallet>) -> Answer<RemindersView> {
    wallet.reminders().await
}

/// What the app does outside its window.
#[tauri::command]
#[specta::specta]
pub async fn outside(outside: State<'_, Outside>) -> Answer<OutsideView> {
    outside.view().await
}

/// Switches something of it.
#[tauri::command]
#[specta::specta]
pub async fn set_outside(outside: State<'_, Outside>, which: OutsideSwitch, on: bool) -> Answer<OutsideView> {
    outside.set(which, on).await
}

/// Sets when to remind.
#[tauri::command]
#[specta::specta]
pub async fn set_reminders(wallet: State<'_, Wallet>, settings: ReminderSettingsView) -> Answer<RemindersView> {
    wallet.set_reminders(settings).await
}

/// Shows another account.
#[tauri::command]
#[specta::specta]
pub async fn switch_account(wallet: State<'_, Wallet>, account: String) -> Answer<AppView> {
    wallet.switch_account(account).await
}

/// Calls an account by another name.
#[tauri::command]
#[specta::specta]
pub async fn label_account(wallet: State<'_, Wallet>, account: String, label: String) -> Answer<AppView> {
    wallet.label_account(account, label).await
}

/// Removes an account from this computer: its key and what is known of it.
#[tauri::command]
#[specta::specta]
pub async fn remove_account(wallet: State<'_, Wallet>, account: String) -> Answer<AppView> {
    wallet.remove_account(account).await
}

/// Gives an account a new Secure Key, or finishes what was begun.
#[tauri::command]
#[specta::specta]
pub async fn rotate_key(wallet: State<'_, Wallet>, account: String) -> Answer<AppView> {
    wallet.rotate_key(account).await
}

/// Puts a Secure Key into the clipboard for half a minute; it never reaches the page.
#[tauri::command]
#[specta::specta]
pub async fn copy_secure_key(wallet: State<'_, Wallet>, account: Option<String>, confirmation: String) -> Answer<CopiedView> {
    wallet.copy_secure_key(account, confirmation).await
}

/// Checks typed batches; keeps nothing.
#[tauri::command]
#[specta::specta]
pub fn check_batches(wallet: State<'_, Wallet>, batches: Vec<TypedBatch>) -> TypedBatchesView {
    wallet.check_batches(batches)
}

/// Reads batches from a table; keeps nothing.
#[tauri::command]
#[specta::specta]
pub fn read_batches(wallet: State<'_, Wallet>, table: String) -> TypedBatchesView {
    wallet.read_batches(table)
}

/// The batches of an account that was typed in.
#[tauri::command]
#[specta::specta]
pub fn typed_batches(wallet: State<'_, Wallet>, account: String) -> Answer<Vec<TypedBatch>> {
    wallet.typed_batches(account)
}

/// Keeps typed batches as an account.
#[tauri::command]
#[specta::specta]
pub async fn keep_batches(wallet: State<'_, Wallet>, account: Option<String>, label: String, batches: Vec<TypedBatch>) -> Answer<AppView> {
    wallet.keep_batches(account, label, batches).await
}

/// How much is kept on this computer, and where.
#[tauri::command]
#[specta::specta]
pub async fn data_kept(wallet: State<'_, Wallet>) -> Answer<DataView> {
    wallet.data_kept().await
}

/// Saves everything that is kept, without a secret.
#[tauri::command]
#[specta::specta]
pub async fn export_everything(wallet: State<'_, Wallet>) -> Answer<SavedFileView> {
    wallet.export_everything().await
}

/// Deletes everything that is kept on this computer.
#[tauri::command]
#[specta::specta]
pub async fn delete_everything(wallet: State<'_, Wallet>, word: String, wallet_confirmation: Option<String>) -> Answer<DeletedView> {
    wallet.delete_everything(word, wallet_confirmation).await
}
