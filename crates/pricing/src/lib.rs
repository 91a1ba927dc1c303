//! Rate cards and tariff rules to an itemised quote. Pure: no I/O, no clock.
//!
//! ```
//! use aispace_pricing::{Parameters, RateCard, Run, quote};
//! let card = RateCard::aispace()?;
//! let parameters = Parameters::Chat { input_tokens: 500, output_tokens: 200, web_searches: 0, web_scrapes: 0 };
//! let quote = quote(&card, &Run { model_id: "qwen3-4b".into(), parameters, runs: 1 })?;
//! assert_eq!(quote.total.credits().to_string(), "0.55");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod amount;
mod card;
mod choices;
mod evidence;
mod meter;
mod nearest;
mod quote;
mod run;
mod video;

pub use amount::Amount;
pub use card::{
    AudioRule, Capability, CardError, Condition, FORMAT, Model, Posting, Pricing, PrintedClip, Rate, RateCard, Switch, Variant, VideoRules,
};
pub use choices::{Choice, ChoiceOption, choices};
pub use evidence::Evidence;
pub use meter::{Denominator, LineMeter, Meter, RateUnit, Unit};
pub use quote::{Line, LineRole, Quote, QuoteError, quote};
pub use run::{COUNT_MAX, Kind, ParameterName, Parameters, RUNS_MAX, Run};
