//! Why a run was charged what it was.

use super::LineView;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Why a metered run was charged what it was, line by line, beside what the rate card of this app says of the same run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ChargeView {
    /// Id of the rate card that the service priced it by.
    pub card_id: String,
    /// Date of that card.
    pub card_date: String,
    /// The instant whose prices were taken.
    pub priced_at: String,
    /// Every step of the service, in its order.
    pub lines: Vec<ChargeLineView>,
    /// Exact cost in `unit`.
    pub total: String,
    /// Code of the card's unit of account: `aispace`, `usd`.
    pub unit: String,
    /// The cost as it was posted, in `unit`.
    pub posted: String,
    /// For people: how it was rounded for that.
    pub rounding: String,
    /// What was charged.
    pub charged_credits: String,
    /// What this app's rate card says of the same run at the same instant; absent when it cannot say.
    pub estimated_credits: Option<String>,
    /// How the two compare.
    pub agreement: ChargeAgreement,
    /// For people: what the price rests on.
    pub evidence_note: String,
}

/// A step of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ChargeLineView {
    /// The step.
    pub line: LineView,
    /// Whether the count of this line was charged: calls that failed are not.
    pub charged: bool,
    /// What the same line of the estimate comes to; absent where the estimate has no such line.
    pub estimated_amount: Option<String>,
}

/// How a charge compares with an estimate by this app's own rate card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ChargeAgreement {
    /// The same, line by line.
    Same,
    /// A line or the amount differs.
    Differs,
    /// This app has no price for it: another card, or a model that it does not list.
    Unknown,
}
