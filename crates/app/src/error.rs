//! From the errors of the parts to the codes the window has words for.

use crate::{
    profile::ProfileError,
    store::StoreError,
    view::{AppErrorCode, ErrorView},
};
use aispace_api::ErrorCode;
use aispace_client::ClientError;
use aispace_keychain::KeychainError;
use aispace_payments::{chain::ChainError, price::PriceError, transfer::TransferError};
use aispace_pricing::{AffordError, CompareError, QuoteError, RangeError, UsageError};
use aispace_units::{UnitError, Wei};
use std::collections::BTreeMap;

/// What is said to wait when the service names no time.
const BUSY_SECONDS: u64 = 60;

/// Why the app cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The profile is refused.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The local store cannot be opened or made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part cannot be set up.
    #[error("{part} cannot be set up: {reason}")]
    Part {
        /// Which part.
        part: &'static str,
        /// Why.
        reason: String,
    },
}

impl ErrorView {
    /// A refusal without figures.
    pub(crate) fn of(code: AppErrorCode) -> Self {
        Self { code, params: BTreeMap::new() }
    }

    /// Adds a figure.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.params.insert(name.into(), value.to_string());
        self
    }

    /// A fault of the app itself.
    pub(crate) fn internal(reason: impl ToString) -> Self {
        Self::of(AppErrorCode::Internal).with("reason", reason)
    }
}

impl From<ClientError> for ErrorView {
    fn from(error: ClientError) -> Self {
        use AppErrorCode as Code;
        match error {
            ClientError::Unreachable { .. } | ClientError::Unusable { .. } => Self::of(Code::ServiceUnreachable),
            ClientError::Slow { seconds } => Self::of(Code::ServiceSlow).with("seconds", seconds),
            ClientError::Failed { status } => Self::of(Code::ServiceFailed).with("status", status),
            ClientError::Busy { retry_after_seconds } => {
                Self::of(Code::ServiceBusy).with("seconds", retry_after_seconds.unwrap_or(BUSY_SECONDS))
            }
            ClientError::KeyRefused => Self::of(Code::KeyRefused),
            ClientError::Refused { answer, .. } => refused(&answer),
            _ => Self::of(Code::ServiceGarbled),
        }
    }
}

fn refused(answer: &aispace_api::ErrorAnswer) -> ErrorView {
    use AppErrorCode as Code;
    let code = match answer.code {
        ErrorCode::Unauthorized => Code::KeyRefused,
        ErrorCode::InsufficientCredits => Code::InsufficientCredits,
        // The service says which of the two it is by the figures it gives.
        ErrorCode::PriceUnavailable if answer.details.contains_key("lowest") => Code::PriceDisagrees,
        ErrorCode::PriceUnavailable if answer.details.contains_key("answered") => Code::PriceUnavailable,
        ErrorCode::UnknownPayment => Code::ClaimUnknown,
        ErrorCode::NotThePayer => Code::ClaimNotPayer,
        ErrorCode::PaymentTaken => Code::ClaimTaken,
        ErrorCode::ChainUnavailable => return ErrorView::of(Code::ServiceFailed).with("status", 503),
        ErrorCode::Internal => return ErrorView::of(Code::ServiceFailed).with("status", 500),
        _ => return ErrorView::of(Code::ServiceRefused).with("message", &answer.message),
    };
    ErrorView { code, params: answer.details.clone() }
}

impl From<KeychainError> for ErrorView {
    fn from(error: KeychainError) -> Self {
        use AppErrorCode as Code;
        Self::of(match error {
            KeychainError::Absent => Code::KeychainAbsent,
            KeychainError::NoCollection => Code::KeychainNoCollection,
            KeychainError::Locked => Code::KeychainLocked,
            KeychainError::Waiting => Code::KeychainWaiting,
            KeychainError::Ambiguous => Code::KeychainAmbiguous,
            _ => Code::KeychainFailed,
        })
    }
}

impl From<ChainError> for ErrorView {
    fn from(error: ChainError) -> Self {
        use AppErrorCode as Code;
        match error {
            ChainError::WrongChain { node, expected, found } => {
                Self::of(Code::ChainWrongId).with("node", node).with("expected", expected).with("found", found)
            }
            ChainError::WrongGenesis { node } => Self::of(Code::ChainForeign).with("node", node),
            ChainError::Disagree { .. } => Self::of(Code::NodesDisagree),
            ChainError::Refused { reason } => Self::of(Code::SimulationFailed).with("reason", reason),
            _ => Self::of(Code::ChainUnreachable),
        }
    }
}

impl From<PriceError> for ErrorView {
    fn from(error: PriceError) -> Self {
        use AppErrorCode as Code;
        match &error {
            PriceError::TooFewSources { answered, asked, needed, missing, .. } => Self::of(Code::PriceUnavailable)
                .with("answered", answered)
                .with("asked", asked)
                .with("needed", needed)
                .with("silent", missing.iter().map(|s| s.name()).collect::<Vec<_>>().join(", ")),
            PriceError::SpreadTooWide { lowest, highest, .. } => {
                Self::of(Code::PriceDisagrees).with("lowest", lowest).with("highest", highest)
            }
            PriceError::Unsteady { first, second, .. } => {
                Self::of(Code::PriceDisagrees).with("lowest", first.min(second)).with("highest", first.max(second))
            }
            _ => Self::of(Code::PriceUnavailable),
        }
    }
}

impl From<TransferError> for ErrorView {
    fn from(error: TransferError) -> Self {
        use AppErrorCode as Code;
        match error {
            TransferError::NotEnoughEther { need, balance } => {
                let short = need.checked_sub(balance).unwrap_or(Wei::ZERO);
                Self::of(Code::NotEnoughEther)
                    .with("needed_eth", need.to_ether_string())
                    .with("balance_eth", balance.to_ether_string())
                    .with("short_eth", short.to_ether_string())
            }
            TransferError::SimulationFailed { reason } => Self::of(Code::SimulationFailed).with("reason", reason),
            TransferError::TagRefused { reason } => Self::of(Code::TagRefused).with("reason", reason),
            TransferError::Chain(chain) => chain.into(),
            other => Self::of(Code::SimulationFailed).with("reason", other),
        }
    }
}

impl From<QuoteError> for ErrorView {
    fn from(error: QuoteError) -> Self {
        use AppErrorCode as Code;
        match error {
            QuoteError::UnknownModel { model_id, nearest } => {
                Self::of(Code::UnknownModel).with("input", model_id).with("nearest", nearest.join(", "))
            }
            QuoteError::AmbiguousModel { model_id, candidates } => {
                Self::of(Code::UnknownModel).with("input", model_id).with("nearest", candidates.join(", "))
            }
            QuoteError::Impossible { parameter, given, allowed, .. } => {
                Self::of(Code::ParameterRefused).with("parameter", parameter).with("given", given).with("allowed", allowed.join(", "))
            }
            QuoteError::Count { given, .. } => Self::of(Code::CountInvalid).with("input", given),
            QuoteError::Usage(UsageError::Count { given, .. }) => Self::of(Code::CountInvalid).with("input", given),
            QuoteError::NoRate { model_id, .. } | QuoteError::NoPrice { model_id, .. } => {
                Self::of(Code::PriceUnknown).with("model", model_id)
            }
            // Among the rest: an instant is always given, and no form counts parts of a total.
            other => Self::internal(other),
        }
    }
}

impl From<RangeError> for ErrorView {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Falls { low, likely, high } => {
                Self::of(AppErrorCode::CountInvalid).with("input", format!("{low}, {likely}, {high}"))
            }
            RangeError::Urls { given } => Self::of(AppErrorCode::CountInvalid).with("input", given),
            RangeError::Quote(error) | RangeError::Point { error, .. } => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<CompareError> for ErrorView {
    fn from(error: CompareError) -> Self {
        let given = match &error {
            CompareError::Count { given, .. } => given.to_string(),
            // What remains is a job that uses nothing.
            _ => "0".into(),
        };
        Self::of(AppErrorCode::CountInvalid).with("input", given)
    }
}

impl From<AffordError> for ErrorView {
    fn from(error: AffordError) -> Self {
        match error {
            AffordError::Quote(error) => error.into(),
            AffordError::CostsNothing { .. } => Self::of(AppErrorCode::CountInvalid).with("input", 0),
            other => Self::internal(other),
        }
    }
}

impl From<StoreError> for ErrorView {
    fn from(error: StoreError) -> Self {
        Self::of(AppErrorCode::StoreFailed).with("reason", error)
    }
}

impl From<UnitError> for ErrorView {
    fn from(error: UnitError) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_asks_to_wait_says_how_long() {
        for (retry_after_seconds, said) in [(Some(7), "7"), (None, "60")] {
            let view = ErrorView::from(ClientError::Busy { retry_after_seconds });
            assert_eq!((view.code, view.params["seconds"].as_str()), (AppErrorCode::ServiceBusy, said));
        }
    }
}
