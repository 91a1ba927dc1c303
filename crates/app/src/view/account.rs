//! The account, its batches and its use.

use super::{AtRiskView, ChargeView, ErrorView, chart::TerraceView};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SessionView {
    /// The keychain has not been asked yet.
    Unknown,
    /// The keychain holds no key.
    SignedOut,
    /// A key is there.
    SignedIn {
        /// Its last four characters; all the page ever learns.
        key_hint: String,
        /// Where it is kept.
        keeping: KeyKeeping,
    },
    /// The account that shows was typed in: no key opens it.
    ByHand,
    /// There may be a key, but the keychain does not give it out now.
    KeyUnavailable {
        /// Why, and what to do.
        error: ErrorView,
    },
}

/// Where the Secure Key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum KeyKeeping {
    /// In the OS keychain.
    Keychain,
    /// In memory only: gone when the app closes.
    MemoryOnly,
}

/// How the OS keychain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum KeychainState {
    /// Not asked yet.
    Unknown,
    /// Answers.
    Ready,
    /// Locked, or its prompt was dismissed.
    Locked,
    /// No keychain on this computer's session.
    Absent,
    /// A keychain without a default collection.
    NoCollection,
    /// Its prompt is still open.
    Waiting,
    /// Two items carry our name; refused.
    Ambiguous,
    /// Anything else.
    Failed,
}

/// How the account service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Nothing was asked yet.
    Idle,
    /// The last call was answered.
    Online,
    /// The last call was not; the app keeps asking by itself.
    Offline,
}

/// How fresh the figures are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConnectionView {
    /// Reached or not.
    pub state: ConnectionState,
    /// When the account was last read from the service.
    pub last_sync: Option<String>,
    /// Why it is offline.
    pub error: Option<ErrorView>,
    /// When the app will ask again by itself.
    pub next_try: Option<String>,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoticeView {
    /// The local store was damaged, set aside and rebuilt from the service.
    StoreRebuilt {
        /// File name of what was set aside.
        set_aside: String,
    },
    /// There is no keychain: the key is in memory only.
    KeyInMemoryOnly,
    /// This computer's clock differs from the service's.
    ClockSkewed {
        /// By how many whole minutes; positive when ours is ahead.
        minutes: i32,
    },
    /// An earlier payment was found and is being followed again.
    PaymentResumed,
}

/// Daily credits that came in since the account was read. The app posts none by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NotCountedView {
    /// How many midnights of UTC.
    pub renewals: u32,
    /// What they come to.
    pub credits: String,
}

/// The account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AccountView {
    /// Opaque id.
    pub account_id: String,
    /// Free credits: exact when live, a ceiling when `at_most`.
    pub available_credits: String,
    /// What they are worth.
    pub available_usd: String,
    /// Credits that pending holds reserve; absent when there are none.
    pub held_credits: Option<String>,
    /// Credits that are owed: what becomes free pays them first. Absent when there are none.
    pub debt_credits: Option<String>,
    /// What every UTC midnight adds; absent on an account without daily credits.
    pub allowance_credits_per_day: Option<String>,
    /// The next UTC midnight, where it adds something.
    pub next_renewal: Option<String>,
    /// Offline: daily credits that came in since and are in none of these figures; absent where none did.
    pub not_counted: Option<NotCountedView>,
    /// Offline: batches that ended since are left out, runs charged since are not known.
    pub at_most: bool,
    /// When this was read from the service.
    pub known_at: String,
    /// The live batch that ends first.
    pub next_end: Option<NextEndView>,
    /// What lapses within seven days at the present pace; absent without a pace, offline, and when nothing does.
    pub at_risk: Option<AtRiskView>,
    /// Live batches in the order they are drawn.
    pub batches: Vec<BatchView>,
    /// How many ended ones are known.
    pub ended_count: u32,
    /// Credits that lapsed in the ended ones.
    pub lapsed_credits: String,
    /// The next 30 days.
    pub terrace: TerraceView,
    /// How fast credits go; absent without enough history.
    pub pace: Option<PaceView>,
    /// The newest entries, newest first, at most 100.
    pub usage: Vec<UsageRowView>,
}

/// The batch that ends first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NextEndView {
    /// Which one.
    pub batch_id: String,
    /// `eth_purchase`, `card_purchase`, `grant`, `daily_renewal`.
    pub source: String,
    /// When it was added.
    pub added: String,
    /// What is left of it.
    pub left_credits: String,
    /// When it ends.
    pub expires: String,
    /// What will be used of it by then at the present pace, rounded to ten.
    pub used_at_pace_credits: Option<String>,
    /// What would lapse at the present pace, rounded to ten.
    pub lapse_credits: Option<String>,
    /// That in dollars.
    pub lapse_usd: Option<String>,
    /// Share of what is left that would be used, in basis points.
    pub used_at_pace_bp: u32,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BatchView {
    /// Opaque id.
    pub batch_id: String,
    /// Place in the order of drawing, from 1; 0 for an ended one.
    pub order: u32,
    /// `eth_purchase`, `card_purchase`, `grant`, `daily_renewal`.
    pub source: String,
    /// A word for people.
    pub note: Option<String>,
    /// When it was added.
    pub added: String,
    /// When it ends.
    pub expires: String,
    /// What it held at first.
    pub granted_credits: String,
    /// What is left (for an ended one: what lapsed).
    pub left_credits: String,
    /// What pending holds reserve of it; absent when nothing is.
    pub held_credits: Option<String>,
    /// Used share of what it held at first, in basis points.
    pub used_bp: u32,
    /// Held share.
    pub held_bp: u32,
    /// Share that would lapse at the present pace.
    pub lapse_bp: u32,
    /// Time until its end on the 30-day ruler, in basis points.
    pub ends_bp: u32,
    /// When the present pace draws it, on the same ruler; both 0 when it never does.
    pub drawn_from_bp: u32,
    /// End of that.
    pub drawn_until_bp: u32,
    /// What would lapse at the present pace, rounded to ten.
    pub lapse_credits: Option<String>,
    /// 1 (ends within a week) to 4.
    pub week: u32,
}

/// The person's own pace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaceView {
    /// Mean of the full UTC days on record, at most 14.
    pub credits_per_day: String,
    /// How many full days that is a mean of.
    pub days: u32,
    /// When the balance would be used up, if before everything ended.
    pub empty_at: Option<String>,
    /// Those days, oldest first.
    pub history: Vec<PaceDayView>,
}

/// One day's use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaceDayView {
    /// The UTC date, `2026-11-20`.
    pub date: String,
    /// What was charged.
    pub credits: String,
    /// Height against the busiest day, in basis points.
    pub height_bp: u32,
}

/// A line of the usage log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageRowView {
    /// Opaque id.
    pub entry_id: String,
    /// Its number in the account's log.
    pub sequence: String,
    /// When.
    pub at: String,
    /// `batch_added`, `debit`, `expired`, `held`, `settled`, `released`, `timed_out`, `voided`, `refunded`, `debt_paid`, `allowance_set`, `unknown`.
    pub kind: String,
    /// `chat`, `image`, `video`, `audio`, `embedding`, `search`, or empty.
    pub run_kind: String,
    /// Printed name of the model, or empty.
    pub model_name: String,
    /// Its id, or empty.
    pub model_id: String,
    /// Meters as `name=count`, in the card's order.
    pub meters: Vec<String>,
    /// The rule that chose the rate, or empty.
    pub rule: String,
    /// Change of what there is less what is owed, signed.
    pub change_credits: String,
    /// Why it was charged what it was, for a metered run.
    pub charge: Option<ChargeView>,
}
