//! Metered runs between the account service and the pricing engine.

use crate::ClientError;
use aispace_api::MeteredRun;
use aispace_pricing::request::RunRequest;
use aispace_pricing::{RateCard, Run, Terms};
use chrono::SubsecRound;

/// A run as a gateway reports it, to be priced by a card at the service: by the newest version at the run's instant, which is taken to the
/// millisecond as the service takes it.
///
/// ```
/// use aispace_client::metered_run;
/// use aispace_pricing::{RateCard, Run, Terms};
/// let run = metered_run(&RateCard::aispace()?, &Run::chat("qwen3-4b", 500, 200), &Terms::default())?;
/// assert_eq!((run.card.as_str(), run.model.as_str()), ("aispace", "qwen3-4b"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ClientError::Garbled`] for a run that the service has no words for; there is none.
pub fn metered_run(card: &RateCard, run: &Run, terms: &Terms) -> Result<MeteredRun, ClientError> {
    let at = terms.at.map(|at| at.trunc_subsecs(3));
    let request = RunRequest { card: Some(card.id().to_owned()), at, ..RunRequest::of(run, terms) };
    serde_json::to_value(request).and_then(serde_json::from_value).map_err(garbled)
}

/// What the pricing engine is asked to price a metered run again.
///
/// # Errors
/// [`ClientError::Garbled`] for what a newer service took and this engine does not know.
pub fn run_request(metered: &MeteredRun) -> Result<RunRequest, ClientError> {
    serde_json::from_value(metered.run_fields()).map_err(garbled)
}

fn garbled(error: serde_json::Error) -> ClientError {
    ClientError::Garbled { detail: format!("a metered run: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_pricing::{Meter, quote};

    #[test]
    fn a_run_goes_there_and_back() {
        let card = RateCard::aispace().expect("built in");
        let terms = Terms::at("2026-11-21T12:00:00.123Z".parse().expect("an instant"));
        let finer = Terms::at("2026-11-21T12:00:00.1239Z".parse().expect("an instant"));
        for model in card.models() {
            let run = Run::base(model).times(3);
            let metered = metered_run(&card, &run, &finer).expect("every run can be said");
            let back = run_request(&metered).expect("and read");
            assert_eq!(back.run(model).as_ref(), Ok(&run), "{}", model.id);
            assert_eq!(back.terms(terms.at.expect("given")), Ok(terms.clone()));
        }
    }

    #[test]
    fn failed_calls_alone_are_no_base_run() {
        let card = RateCard::aispace().expect("built in");
        let mut metered = MeteredRun::new("aispace", "qwen3-4b");
        metered.failed.insert("requests".into(), 2);
        let run = run_request(&metered).expect("read").run(card.model("qwen3-4b").expect("listed")).expect("a run");
        assert!(run.usage.is_empty() && quote(&card, &run, &Terms::default()).expect("free").total.is_zero());
        let chat = run_request(&metered.with("input_tokens", 7)).expect("read").run(card.model("qwen3-4b").expect("listed"));
        assert_eq!(chat.expect("a run").usage.get(Meter::InputTokens), 7);
    }
}
