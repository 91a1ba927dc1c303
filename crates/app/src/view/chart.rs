//! The terrace: height is credits, width is time left, the soonest end on top.

use serde::{Deserialize, Serialize};
use specta::Type;

/// The terrace of the next 30 days. x runs from now (0) to 30 days (10,000); y from nothing (0, bottom) to the scale's top (10,000).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TerraceView {
    /// From the top (soonest end) down.
    pub slabs: Vec<SlabView>,
    /// Marks of the credit axis, from 0 up.
    pub y_marks: Vec<AxisMarkView>,
    /// Marks of the time axis: now, 7, 14, 21 and 30 days.
    pub x_marks: Vec<AxisMarkView>,
    /// The balance at the present pace; empty without a pace.
    pub pace: Vec<PointView>,
    /// The balance at a pace that is tried out; empty when none is.
    pub what_if: Vec<PointView>,
    /// Where the pace line reaches nothing, when it does.
    pub empty_at: Option<String>,
    /// What each UTC midnight adds, which is not drawn; absent when nothing is added.
    pub daily_credits: Option<String>,
    /// Instants to stop at while reading along: each day, and each end.
    pub moments: Vec<MomentView>,
    /// The same in words, for people who do not see it.
    pub description: Vec<String>,
}

/// The balance at an instant: a day from now, or the end of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MomentView {
    /// When.
    pub at: String,
    /// Where on the ruler.
    pub x_bp: u32,
    /// Whether a whole number of days has passed.
    pub whole_day: bool,
    /// Places in the order of drawing of the batches that end then.
    pub ends: Vec<u32>,
    /// What is there when nothing is used until then.
    pub unspent_credits: String,
    /// What is there at the present pace, rounded to ten; absent without a pace.
    pub pace_credits: Option<String>,
    /// Daily credits to come that are in both; absent when there are none.
    pub daily_credits: Option<String>,
    /// Height of the batches drawn that have not ended.
    pub unspent_bp: u32,
    /// Height of the pace line.
    pub pace_bp: u32,
}

/// One batch in the terrace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SlabView {
    /// Which batch; empty for one that is not bought yet.
    pub batch_id: String,
    /// Place in the order of drawing.
    pub order: u32,
    /// `eth_purchase`, `card_purchase`, `grant`, `daily_renewal`.
    pub source: String,
    /// What is left of it.
    pub credits: String,
    /// When it ends.
    pub expires: String,
    /// Lower edge.
    pub bottom_bp: u32,
    /// Height.
    pub height_bp: u32,
    /// Width: its end on the ruler.
    pub width_bp: u32,
    /// Height of what would lapse at the present pace, from the lower edge.
    pub lapse_bp: u32,
    /// What would lapse, rounded to ten.
    pub lapse_credits: Option<String>,
    /// 1 (ends within a week) to 4.
    pub week: u32,
    /// Not bought yet: drawn dashed.
    pub ghost: bool,
}

/// A mark of an axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AxisMarkView {
    /// Credits (y) or an instant (x).
    pub value: String,
    /// Where.
    pub at_bp: u32,
}

/// A point of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PointView {
    /// Time.
    pub x_bp: u32,
    /// Credits.
    pub y_bp: u32,
}
