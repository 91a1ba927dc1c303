//! What a call of the gateway costs: an amount that it names, or a metered run that is priced here.

use super::Rates;
use super::failure::Failure;
use crate::clock::ServiceClock;
use crate::metering::{MeteringError, Priced, Shelf};
use aispace_api::{EXPLANATION_BYTES_MAX, ErrorCode, MeteredRun, RunDescription};
use aispace_pricing::request::{Code, Detail, Refusal};
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};

/// An amount, and what the entry keeps about the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) amount: NanoCredits,
    pub(crate) memo: Option<String>,
    /// Whether it was priced here.
    pub(crate) is_metered: bool,
}

/// A cost, or why there is none. That is told only when the call is not a repetition: a run that was charged once has its answer, though a
/// newer card may refuse it.
pub(crate) type Costed = Result<Cost, MeteringError>;

/// Works out what a call costs, before the database is asked for anything.
pub(crate) fn costed(
    rates: &Rates,
    clock: &ServiceClock,
    credits: Option<NanoCredits>,
    run: Option<&RunDescription>,
    metered: Option<&MeteredRun>,
    price: fn(&Shelf, &MeteredRun, DateTime<Utc>) -> Result<Priced, MeteringError>,
) -> Costed {
    let bad = |reason: &str| MeteringError::BadRequest { reason: reason.to_owned() };
    match (credits, metered) {
        (Some(amount), None) => {
            let memo = run.map(serde_json::to_string).transpose().map_err(|error| bad(&error.to_string()))?;
            Ok(Cost { amount, memo, is_metered: false })
        }
        (None, Some(_)) if run.is_some() => Err(bad("a metered run describes itself: leave out run")),
        (None, Some(metered)) => {
            let Priced { amount, memo } = price(rates.shelf(), metered, clock.now())?;
            Ok(Cost { amount, memo: Some(memo), is_metered: true })
        }
        (Some(_), Some(_)) => Err(bad("either credits or metered says what it costs, and both are given")),
        (None, None) => Err(bad("either credits or metered says what it costs, and neither is given")),
    }
}

impl From<MeteringError> for Failure {
    fn from(error: MeteringError) -> Self {
        let message = error.to_string();
        match error {
            MeteringError::BadRequest { .. } => Self::invalid(message),
            MeteringError::UnknownCard { card, cards } => {
                Self::new(ErrorCode::UnknownCard, message).with("card", card).with("cards", cards.join(", "))
            }
            MeteringError::UnknownVersion { card, versions, .. } | MeteringError::NoVersionYet { card, versions } => {
                Self::new(ErrorCode::UnknownCard, message).with("card", card).with("versions", versions.join(", "))
            }
            MeteringError::Refused(refusal) => refused(refusal),
            MeteringError::NotInCredits { posted, unit, .. } => {
                Self::new(ErrorCode::NotPriced, message).with("reason", "not_in_credits").with("posted", posted).with("unit", unit)
            }
            MeteringError::TooLong { bytes } => Self::invalid(message).with("bytes", bytes).with("bytes_max", EXPLANATION_BYTES_MAX),
        }
    }
}

fn refused(refusal: Refusal) -> Failure {
    let Refusal { code, message, details } = refusal;
    let failure = match code {
        Code::BadRequest => Failure::invalid(message),
        Code::UnknownModel => Failure::new(ErrorCode::UnknownModel, message),
        code => Failure::new(ErrorCode::NotPriced, message).with("reason", code),
    };
    details.into_iter().fold(failure, |failure, (name, detail)| match detail {
        Detail::Text(text) => failure.with(&name, text),
        Detail::List(words) => failure.with(&name, words.join(", ")),
        Detail::Number(number) => failure.with(&name, number),
    })
}
