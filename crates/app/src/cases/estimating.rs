//! What a run will cost, and in the sandbox: running it.

use crate::{
    Wallet, project,
    view::{AppErrorCode, AppView, CatalogView, ErrorView, EstimateRequest, EstimateView, RunParameters},
};
use aispace_api::{DebitRequest, RunDescription};
use aispace_client::{IdempotencyKey, OperatorToken};
use aispace_pricing::{Parameters, Quote, Run, quote};
use uuid::Uuid;

impl Wallet {
    /// Every model that can be quoted.
    ///
    /// # Errors
    /// A model of the card has no price for its own base run.
    pub fn catalog(&self) -> Result<CatalogView, ErrorView> {
        project::catalog(&self.inner.fixed.card)
    }

    /// Prices a run and shows which batches it would draw. Asks no network.
    ///
    /// # Errors
    /// The model is unknown, a parameter is not allowed or a count is none.
    pub fn estimate(&self, request: EstimateRequest) -> Result<EstimateView, ErrorView> {
        let run = run(&request)?;
        let quote = quote(&self.inner.fixed.card, &run)?;
        let now = self.corrected_now();
        let state = self.state();
        project::estimate(&self.inner.fixed.card, request, &run, &quote, state.known.as_ref(), now)
    }

    /// Charges a run through the service's debit call, as a gateway would.
    ///
    /// # Errors
    /// Outside the sandbox, signed out, not enough credits, or the service refuses.
    pub async fn simulate_run(&self, request: EstimateRequest) -> Result<AppView, ErrorView> {
        let operator = self.inner.operator.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::SandboxOnly))?;
        let account_id = {
            let state = self.state();
            state.key().ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))?;
            state.known.as_ref().map(|k| k.answer.account_id.clone())
        };
        let account_id = account_id.ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))?;
        let run = run(&request)?;
        let quote = quote(&self.inner.fixed.card, &run)?;
        self.charge(operator, account_id, &run, &quote).await?;
        self.sync_account().await?;
        self.answer()
    }

    async fn charge(&self, operator: &OperatorToken, account_id: String, run: &Run, quote: &Quote) -> Result<(), ErrorView> {
        let model = self.inner.fixed.card.model(&run.model_id)?;
        let description = RunDescription {
            model_id: model.id().to_owned(),
            model_name: model.name().to_owned(),
            kind: model.kind().as_str().to_owned(),
            meters: run.meters(),
            rule: quote.lines.first().map(|line| line.rule.clone()),
        };
        let debit = DebitRequest { account_id, credits: quote.posted()?, run: Some(description) };
        let mut answer =
            self.inner.service.debit(operator, &debit, &IdempotencyKey::from_uuid(Uuid::new_v4())).await.map_err(ErrorView::from);
        if let Err(error) = &mut answer
            && error.code == AppErrorCode::InsufficientCredits
        {
            let available = self.state().known.as_ref().map(|k| k.answer.available_credits).unwrap_or_default();
            let short = debit.credits.checked_sub(available).unwrap_or_default();
            *error = error.clone().with("needed_credits", debit.credits).with("available_credits", available).with("short_credits", short);
        }
        answer.map(|_| ())
    }
}

/// The run that a request describes.
pub(crate) fn run(request: &EstimateRequest) -> Result<Run, ErrorView> {
    let parameters = match &request.parameters {
        RunParameters::Chat { input_tokens, output_tokens, web_searches, web_scrapes } => Parameters::Chat {
            input_tokens: count(input_tokens)?,
            output_tokens: count(output_tokens)?,
            web_searches: count(web_searches)?,
            web_scrapes: count(web_scrapes)?,
        },
        RunParameters::Image { images } => Parameters::Image { images: count(images)? },
        RunParameters::Audio { characters } => Parameters::Audio { characters: count(characters)? },
        RunParameters::Video { seconds, resolution, audio } => {
            Parameters::Video { seconds: *seconds, resolution: resolution.clone(), audio: *audio }
        }
        RunParameters::Embedding { input_tokens } => Parameters::Embedding { input_tokens: count(input_tokens)? },
        RunParameters::Search { calls } => Parameters::Search { calls: count(calls)? },
    };
    Ok(Run { model_id: request.model_id.clone(), parameters, runs: request.runs })
}

/// A whole number as typed: digits, with spaces or commas only between groups of three.
fn count(text: &str) -> Result<u64, ErrorView> {
    let refused = || ErrorView::of(AppErrorCode::CountInvalid).with("input", text);
    let trimmed = text.trim();
    let groups: Vec<&str> = trimmed.split([',', ' ', '\u{a0}', '\u{202f}']).collect();
    let grouped = groups.len() > 1;
    let right = groups.iter().enumerate().all(|(at, group)| {
        let length = if at == 0 { (1..=3).contains(&group.len()) || !grouped } else { group.len() == 3 };
        length && !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit())
    });
    if right { groups.concat().parse().map_err(|_| refused()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_numbers() {
        for (text, n) in [("500", 500), (" 12 ", 12), ("1,000", 1_000), ("12 345 678", 12_345_678), ("0", 0)] {
            assert_eq!(count(text).unwrap(), n);
        }
        for bad in ["", "1.5", "-1", "1e3", "1,00", ",100", "1,0000", "ten", "99999999999999999999999"] {
            assert_eq!(count(bad).unwrap_err().code, AppErrorCode::CountInvalid, "{bad:?}");
        }
    }
}
