//! What a run will cost, and why.

use super::planning::BudgetView;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Kinds of work, one tab each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Tokens in, tokens out.
    Chat,
    /// Per generation.
    Image,
    /// Per generation, by seconds, resolution and sound.
    Video,
    /// Per character.
    Audio,
    /// Tokens in.
    Embedding,
    /// Web search and scraping per call.
    Search,
    /// Any other call of an API.
    Tool,
}

/// Every model that can be quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CatalogView {
    /// Name of the rate card.
    pub card_name: String,
    /// Its date.
    pub card_date: String,
    /// In the card's order.
    pub models: Vec<ModelView>,
}

/// A model as the picker shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ModelView {
    /// Id in the card.
    pub model_id: String,
    /// Printed name, without the "(Text to Video)" of a video model.
    pub name: String,
    /// `text_to_video`, `image_to_video`, or empty.
    pub variant: String,
    /// Which tab.
    pub kind: ModelKind,
    /// What the list shows at the right: credits of the base run.
    pub base_credits: String,
    /// The run that is, for people: `4 s, 720p, sound`, `500 in, 200 out`, `1 image`.
    pub base_run: String,
    /// `function_calling`, `vision`, `reasoning`, `uncensored`, `beta`, `fixed_price`, `sound`.
    pub capabilities: Vec<String>,
    /// The run that the detail opens with.
    pub defaults: EstimateRequest,
    /// When the provider retired it, `2026-09-24`.
    pub retired: Option<String>,
}

/// A run to be priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct EstimateRequest {
    /// Which model.
    pub model_id: String,
    /// How many times; 1 to 10,000.
    pub runs: u32,
    /// What each run is.
    pub parameters: RunParameters,
}

/// What a run is. Counts are whole numbers as strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunParameters {
    /// A conversation turn.
    Chat {
        /// Tokens sent.
        input_tokens: String,
        /// Tokens answered; the likely count where `output_bounds` say that the length is not known.
        output_tokens: String,
        /// Fewest and most tokens answered, where the length is not known.
        output_bounds: Option<CountBounds>,
        /// Web searches made (0 or 1 a message).
        web_searches: String,
        /// Addresses in the message that are read (0 to 3): one call at best, one each at worst.
        web_scrapes: String,
    },
    /// Generations.
    Image {
        /// How many.
        images: String,
    },
    /// Speech.
    Audio {
        /// How many characters.
        characters: String,
    },
    /// A clip.
    Video {
        /// Seconds.
        seconds: u32,
        /// Resolution, for a model that has more than one price for it; the model's own otherwise.
        resolution: Option<String>,
        /// Sound, for a model where it can be chosen.
        audio: Option<bool>,
    },
    /// Vectors.
    Embedding {
        /// Tokens sent.
        input_tokens: String,
    },
    /// Calls of search or scraping.
    Search {
        /// How many.
        calls: String,
    },
    /// Calls of another API.
    Tool {
        /// How many.
        calls: String,
    },
}

/// Between which counts a count lies that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CountBounds {
    /// Fewest.
    pub least: String,
    /// Most.
    pub most: String,
}

/// A quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct EstimateView {
    /// What was priced.
    pub request: EstimateRequest,
    /// Exact cost of all runs; the likely one where `range` is there.
    pub total_credits: String,
    /// In dollars.
    pub total_usd: String,
    /// Between which amounts it lies, where a count is not known.
    pub range: Option<RangeView>,
    /// Why: line by line; of the likely run.
    pub lines: Vec<LineView>,
    /// How sure the price is.
    pub evidence: EvidenceLevel,
    /// For people: what the price rests on.
    pub evidence_note: String,
    /// Date of the rate card that it is priced by, `2026-01-01`.
    pub card_date: String,
    /// Whole days since then.
    pub card_age_days: u32,
    /// What each parameter may be and what it would cost.
    pub choices: Vec<ChoiceView>,
    /// Which batches it would draw; absent when signed out.
    pub draw: Option<DrawView>,
    /// How it stands against what a person means to spend; absent without a budget or an account.
    pub budget: Option<BudgetView>,
}

/// The least and the most that a run of unknown length costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RangeView {
    /// The least.
    pub low_credits: String,
    /// In dollars.
    pub low_usd: String,
    /// The most.
    pub high_credits: String,
    /// In dollars.
    pub high_usd: String,
    /// What is held before the run.
    pub hold_credits: String,
    /// Where the least stands between nothing and the most, in basis points.
    pub low_bp: u32,
    /// Where the likely cost stands.
    pub likely_bp: u32,
}

/// How sure a price is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceLevel {
    /// Asked just now.
    LiveQuote,
    /// Asked before.
    CachedQuote,
    /// Printed in the rate card.
    RateCard,
    /// From the rate of several observed prices.
    Interpolated,
    /// From the rate of one observed price.
    AssumedLinear,
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LineView {
    /// A meter of the rate card: `input_tokens`, `images`, `video_seconds`, `generations`; or a step: `to_cents`, `rounded`, `to_credits`,
    /// `extra`, `field`, `channel`, `user`, `runs`, `display`.
    pub meter: String,
    /// How many.
    pub quantity: String,
    /// Rate; with `denominator` and `unit`.
    pub rate: String,
    /// `credits`, `usd`, or the code of a further currency.
    pub unit: String,
    /// Per how many of the meter.
    pub denominator: String,
    /// What the line comes to, in `unit`.
    pub amount: String,
    /// The rule that chose the rate, for people.
    pub rule: String,
}

/// A parameter with its allowed values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ChoiceView {
    /// Which one.
    pub parameter: ParameterName,
    /// By size; the model's own, and those that others of its kind begin with.
    pub options: Vec<ChoiceOptionView>,
}

/// Names of choosable parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ParameterName {
    /// `seconds` of a video.
    Seconds,
    /// `resolution` of a video.
    Resolution,
    /// `audio` of a video: values `on`, `off`.
    Audio,
}

/// One allowed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ChoiceOptionView {
    /// `4`, `720p`, `on`.
    pub value: String,
    /// Whether the model takes it.
    pub allowed: bool,
    /// What the run would cost with it; absent where no price is known.
    pub credits: Option<String>,
    /// Whether the request has it.
    pub chosen: bool,
}

/// Which batches a run would take from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DrawView {
    /// In the order of drawing; batches it does not touch have `takes_credits` 0.
    pub rows: Vec<DrawRowView>,
    /// Left after it.
    pub stays_credits: String,
    /// In dollars.
    pub stays_usd: String,
    /// Missing, when the balance does not cover it; 0 otherwise.
    pub short_credits: String,
}

/// One batch of a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DrawRowView {
    /// Place in the order of drawing.
    pub order: u32,
    /// Which.
    pub batch_id: String,
    /// `eth_purchase`, `card_purchase`, `grant`, `daily_renewal`.
    pub source: String,
    /// When it ends.
    pub expires: String,
    /// What it has.
    pub left_credits: String,
    /// What the run takes.
    pub takes_credits: String,
    /// What stays.
    pub stays_credits: String,
    /// Share taken of what it has, in basis points.
    pub takes_bp: u32,
    /// 1 (ends within a week) to 4.
    pub week: u32,
}
