//! What the window shows, computed in Rust: plain data, no behaviour.
//!
//! Amounts are decimal strings whose field names the unit, instants are RFC 3339 in UTC, places in a
//! drawing are whole basis points (0 to 10,000) of its width or height. No secret is in here.

mod account;
mod accounts;
mod batches;
mod buy;
mod by_hand;
mod charge;
mod chart;
mod data;
mod display;
mod error;
mod estimate;
mod kept;
mod outside;
mod payment;
mod planning;
mod recipe;
mod reminders;
mod usage;
mod wallet;

pub use account::{
    AccountView, BatchView, ConnectionState, ConnectionView, KeyKeeping, KeychainState, NextEndView, NotCountedView, NoticeView,
    PaceDayView, PaceView, SessionView, UsageRowView,
};
pub use accounts::{AccountKindView, AccountRowView, AccountsView, TotalView};
pub use batches::{AtRiskView, CalendarWords, EndedPageView, RiskEndView, WhatIfBatchView, WhatIfRequest, WhatIfView};
pub use buy::{
    AdviceView, AmountRequest, AmountUnit, BuyPreviewView, InsteadView, PayWay, PrefillReason, PrefillView, PriceSourceView, PriceView,
    ReviewView, SourceVerdict, WayView,
};
pub use by_hand::{TypedBatch, TypedBatchesView, TypedFault, TypedFaultView, TypedField};
pub use charge::{ChargeAgreement, ChargeLineView, ChargeView};
pub use chart::{AxisMarkView, MomentView, PointView, SlabView, TerraceView};
pub use data::{CopiedView, DataView, DeletedView};
pub use display::{DisplayView, Language, Motion, TextSize};
pub use error::{AppErrorCode, ErrorView};
pub use estimate::{
    CatalogView, ChoiceOptionView, ChoiceView, CountBounds, DrawRowView, DrawView, EstimateRequest, EstimateView, EvidenceLevel, LineView,
    ModelKind, ModelView, ParameterName, RangeView, RunParameters,
};
pub use kept::{ChargeLink, EntryEstimateView, KeptEstimateView, KeptEstimatesView, RunChargeView};
pub use outside::{LedView, OutsideSwitch, OutsideView, PlaceView};
pub use payment::{
    AskView, BrowserStage, ConnectStage, Finality, LinkTarget, LinkView, PaidBatchView, PaymentRemark, PaymentRowView, PaymentState,
    PaymentStep, PaymentView, QrView, StepState, StepView,
};
pub use planning::{
    BudgetSpan, BudgetSpanView, BudgetView, ComparedView, ComparisonView, LeftOutView, PlanBudget, PlanBudgetView, PlanFitView,
    PlanMixView, PlanRowView, PlanView,
};
pub use recipe::{JobRowView, JobView, RecipeDraft, RecipeView, TextCountView};
pub use reminders::{
    EndingView, QuietHoursView, ReminderMark, ReminderSettingsView, ReminderShift, ReminderView, RemindersView, RulerEndView,
    UpcomingReminderView,
};
pub use usage::{
    UsageChartView, UsageColumnView, UsageDetailView, UsageEntryView, UsageFilter, UsageFormat, UsageLineView, UsageLinesRequest,
    UsageLinesView, UsageLogView, UsageModelView, UsagePartView, UsagePeriod, UsageRequest, UsageSeriesView, UsageSplit, UsageStep,
    UsageTotalsView, UsageView, UsageWork,
};
pub use wallet::{ImportKind, ReceiveView, RevealKind, SavedFileView, WalletOrigin, WalletView, WordAnswer};

use serde::{Deserialize, Serialize};
use specta::Type;

/// Everything the window shows at one moment. The UI replaces the old one by the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AppView {
    /// Rises with every change; an older one is dropped.
    pub revision: u32,
    /// Our clock when it was made, corrected by the service's: countdowns start from here.
    pub now: String,
    /// Sandbox or live.
    pub profile: ProfileView,
    /// Who is signed in.
    pub session: SessionView,
    /// How the OS keychain is.
    pub keychain: KeychainState,
    /// How the account service is.
    pub connection: ConnectionView,
    /// The account, as fresh as `connection` says; absent before the first sync.
    pub account: Option<AccountView>,
    /// How much of the account's log is on this computer.
    pub usage_log: UsageLogView,
    /// Every account of this computer.
    pub accounts: AccountsView,
    /// The built-in spending wallet, once it exists.
    pub wallet: Option<WalletView>,
    /// The payment that is under way, or the last one until it is put away.
    pub payment: Option<PaymentView>,
    /// The other payments, newest first, at most 500.
    pub payments: Vec<PaymentRowView>,
    /// What the next purchase begins with, when something suggests an amount.
    pub prefill: Option<PrefillView>,
    /// Where something outside the window led last.
    pub led: Option<LedView>,
    /// Things a person should know that are not errors of a call.
    pub notices: Vec<NoticeView>,
    /// Where things are.
    pub settings: SettingsView,
}

/// Which world the app is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ProfileKind {
    /// A chain and a service on this computer.
    Sandbox,
    /// Base mainnet and a real service.
    Live,
}

/// The profile in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ProfileView {
    /// Which world.
    pub kind: ProfileKind,
    /// Chain id that payments go over.
    pub chain_id: u32,
    /// The address every payment goes to, EIP-55; from the binary.
    pub payment_address: String,
}

/// How the window looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What the settings screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingsView {
    /// How the window looks.
    pub theme: Theme,
    /// How it shows what it shows.
    pub display: DisplayView,
    /// Version of the app.
    pub version: String,
    /// Folder of everything the app writes (never a secret).
    pub data_folder: String,
    /// The account service.
    pub service_url: String,
    /// The nodes that are asked.
    pub nodes: Vec<NodeView>,
    /// The price sources that are asked, by name, with what they said last.
    pub price_sources: Vec<PriceSourceView>,
    /// Name of the rate card in use.
    pub rate_card: String,
    /// Its date.
    pub rate_card_date: String,
    /// The project id for WalletConnect, when one is set.
    pub walletconnect_project: Option<String>,
    /// Dollars below which the balance counts as low, when that is to be said.
    pub low_balance_usd: Option<String>,
    /// What a person means to spend in a UTC day, in credits.
    pub budget_day_credits: Option<String>,
    /// What a person means to spend in a UTC month.
    pub budget_month_credits: Option<String>,
}

/// One node as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NodeView {
    /// Its URL.
    pub url: String,
    /// Host and port: the rest of a URL may hold an access key.
    pub name: String,
    /// Whether it answered the last call, for the right chain.
    pub healthy: bool,
    /// Its newest block, when known.
    pub block_number: Option<String>,
    /// How many blocks it is behind the others, when known.
    pub behind: Option<String>,
    /// How long its last answer took, when known.
    pub latency_ms: Option<u32>,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Until when it is not asked.
    pub resting_until: Option<String>,
}
