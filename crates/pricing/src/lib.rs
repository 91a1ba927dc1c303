//! Rate cards and tariff rules to an itemised quote. Pure: no I/O, no clock.
//!
//! ```
//! use aispace_pricing::{RateCard, Run, Terms, quote};
//! let card = RateCard::aispace()?;
//! let quote = quote(&card, &Run::chat("qwen3-4b", 500, 200), &Terms::default())?;
//! assert_eq!(quote.total.to_string(), "0.55");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod afford;
mod bill;
mod card;
mod charge;
mod choices;
mod compare;
mod convert;
mod diff;
mod evidence;
mod explain;
mod import;
mod live;
mod merge;
mod meter;
mod nearest;
mod quote;
mod range;
mod replay;
pub mod request;
mod run;
mod settle;
mod stack;
mod usage;
mod video;
mod words;

pub use afford::{Afford, AffordError, Budget, Mix, MixPart, afford, mix};
pub use bill::{Bill, BillLine};
pub use card::{
    AUDIO, AddOn, AudioRule, BaseRun, Bounds, CARD_BYTES_MAX, Capability, CardError, CardFile, CardWarning, ChannelFactor, Channels,
    Condition, Currency, DailyWindow, Day, FORMAT, FieldFactor, HoldRule, Limits, MeterRounding, Model, ModelRef, OptionValues, Posting,
    Price, Pricing, PrintedClip, RESOLUTION, Rate, RateCard, Switch, UserFactor, Users, Variant, VideoRules,
};
pub use choices::{Choice, ChoiceOption, choices};
pub use compare::{Candidate, CompareError, Comparison, Job, LeftOut, LeftOutKind, LeftOutReason, compare};
pub use convert::{ConvertError, Converted, compare_worth, convert};
pub use diff::{
    CardDiff, CardName, Difference, FieldChange, ModelChange, ModelName, PERCENT_ROUNDING, RateChange, RateTerms, Renamed, Retired, diff,
};
pub use evidence::Evidence;
pub use import::{
    ExpressionError, FEED_BYTES_MAX, Feed, Ignored, Import, ImportError, ImportTerms, MODELS_MAX, Refusal, Skipped, Variable, import,
};
pub use live::{
    ClipIssue, ClipQuery, ClipRefusal, LiveError, ObservedQuote, QUOTE_CACHE_BYTES_MAX, QUOTE_CACHE_FORMAT, QUOTES_MAX, QuoteCache,
    QuoteCacheError, QuoteOrigin, quote_with,
};
pub use merge::{MergeError, Merged, Undated, merge};
pub use meter::{Denominator, Meter, RateUnit};
pub use quote::{Line, LineMeter, LineRole, Quote, QuoteError, quote, total};
pub use range::{Estimate, POINTS_MAX, RATES_LOOKED_AT_MAX, RangeError, RangeQuote, Spread, URLS_MAX, quote_range};
pub use replay::{
    Charged, LoggedRun, ModelReplay, Period, Replay, ReplayRow, Tally, UNPRICED_SHOWN, Unpriced, UnpricedBy, UnpricedLine, calendar_month,
    last_month, read_logged, replay,
};
pub use run::{Discount, Extra, Kind, ParameterName, RUNS_MAX, Run, Terms};
pub use settle::{SettleError, Settlement, settle};
pub use stack::{Factor, FactorKind, Stack};
pub use usage::{COUNT_MAX, Convention, CountNumber, TokenReport, Usage, UsageError};
pub use words::grouped;
