//! Keeping estimates, and finding what their runs cost.

use crate::{
    Wallet,
    kept_estimate::{EstimateBook, KeptEstimate, RunCharge},
    project::{self, Candidates},
    store::StoreError,
    usage_log::UsageLog,
    view::{AppErrorCode, ChargeLink, EntryEstimateView, ErrorView, EstimateRequest, KeptEstimatesView},
};
use aispace_api::PostedAnswer;
use aispace_pricing::{Terms, quote};
use aispace_units::NanoCredits;
use std::collections::BTreeSet;
use uuid::Uuid;

impl Wallet {
    /// Every kept estimate of the account beside what its run cost, the newest first. Asks no network.
    ///
    /// # Errors
    /// Nobody is signed in, or store or log cannot be read.
    pub async fn kept_estimates(&self) -> Result<KeptEstimatesView, ErrorView> {
        let account = self.account_of_estimates()?;
        let book = self.inner.store.estimates(&account).await?;
        self.shown_estimates(&account, book).await
    }

    /// Keeps what a run is expected to cost, by the prices of now.
    ///
    /// # Errors
    /// Nobody is signed in, the run has no price, or the store cannot be written.
    pub async fn keep_estimate(&self, request: EstimateRequest) -> Result<KeptEstimatesView, ErrorView> {
        let account = self.account_of_estimates()?;
        let card = &self.inner.fixed.card;
        let expected = quote(card, &project::run(card, &request)?, &Terms::at(self.corrected_now()))?.posted_credits()?;
        let estimate = self.estimate_of(request, expected);
        let book = self.change_estimates(&account, |book| book.add(estimate)).await?;
        self.shown_estimates(&account, book).await
    }

    /// Forgets a kept estimate.
    ///
    /// # Errors
    /// Nobody is signed in, or the store cannot be written.
    pub async fn forget_estimate(&self, estimate_id: String) -> Result<KeptEstimatesView, ErrorView> {
        let account = self.account_of_estimates()?;
        let book = self.change_estimates(&account, |book| book.estimates.retain(|kept| kept.id != estimate_id)).await?;
        self.shown_estimates(&account, book).await
    }

    /// Says that a charge is not of the run of a kept estimate: it is free for another one, and is not offered for this one again.
    ///
    /// # Errors
    /// Nobody is signed in, the charge is of a run that the app made itself, or the store cannot be written.
    pub async fn reject_charge(&self, estimate_id: String, sequence: String) -> Result<KeptEstimatesView, ErrorView> {
        let account = self.account_of_estimates()?;
        let refused = || ErrorView::of(AppErrorCode::ChargeNotItsOwn);
        let number = sequence.parse::<u64>().map_err(|_| refused())?;
        let mut is_sure = false;
        let change = |book: &mut EstimateBook| {
            let Some(kept) = book.of(&estimate_id) else { return };
            let own = kept.charge.as_ref().filter(|charge| charge.sequence == number);
            is_sure = own.is_some_and(|charge| charge.link == ChargeLink::Simulated);
            if is_sure {
                return;
            }
            if own.is_some() {
                kept.charge = None;
            }
            kept.rejected.insert(number);
        };
        let book = self.change_estimates(&account, change).await?;
        if is_sure {
            return Err(refused());
        }
        self.shown_estimates(&account, book).await
    }

    /// Says which charge is of a kept estimate, also one that was rejected; none takes back what was said.
    ///
    /// # Errors
    /// Nobody is signed in, the entry is no charge that may be its own, or the store cannot be written.
    pub async fn pick_charge(&self, estimate_id: String, sequence: Option<String>) -> Result<KeptEstimatesView, ErrorView> {
        let account = self.account_of_estimates()?;
        let charge = match sequence {
            None => None,
            Some(sequence) => {
                let mut book = self.inner.store.estimates(&account).await?;
                if let Some(kept) = book.of(&estimate_id) {
                    kept.rejected.clear();
                }
                let candidates = self.candidates(&account, &mut book).await?.unwrap_or_default();
                let own = book.estimates.iter().zip(candidates).find(|(kept, _)| kept.id == estimate_id).map(|(_, charges)| charges);
                let charge = own.into_iter().flatten().find(|charge| charge.sequence.to_string() == sequence);
                let charge = charge.ok_or_else(|| ErrorView::of(AppErrorCode::ChargeNotItsOwn))?;
                Some(RunCharge { link: ChargeLink::Picked, ..charge })
            }
        };
        let change = |book: &mut EstimateBook| {
            if let Some(kept) = book.of(&estimate_id) {
                if let Some(charge) = &charge {
                    kept.rejected.remove(&charge.sequence);
                }
                kept.charge = charge;
            }
        };
        let book = self.change_estimates(&account, change).await?;
        self.shown_estimates(&account, book).await
    }

    /// Keeps the estimate of a run that was just charged, beside its charge. The charge stands whether or not this can be written.
    pub(crate) async fn keep_charged(&self, request: EstimateRequest, expected: NanoCredits, posted: &PostedAnswer) {
        // A service that numbers no charges leaves nothing to compare with.
        let charge = (posted.sequence > 0).then(|| RunCharge {
            sequence: posted.sequence,
            at: self.corrected_now(),
            credits: posted.metered_credits.unwrap_or(expected),
            refunded: NanoCredits::ZERO,
            link: ChargeLink::Simulated,
        });
        let fresh = self.estimate_of(request, expected);
        let change = |book: &mut EstimateBook| {
            // The one that was kept of this very run just before is not kept twice.
            let open = book.estimates.last_mut().filter(|last| last.charge.is_none() && last.request == fresh.request);
            match open {
                Some(open) if open.expected == expected => open.charge = charge,
                _ => book.add(KeptEstimate { charge, ..fresh }),
            }
        };
        if let Err(error) = self.change_estimates(&posted.account_id, change).await {
            tracing::warn!(%error, "the estimate of a run was not kept");
        }
    }

    /// The estimate that was kept of a charge, if one was.
    pub(crate) async fn estimate_of_entry(&self, log: &UsageLog, sequence: u64) -> Result<Option<EntryEstimateView>, ErrorView> {
        let account = log.account_id();
        let mut book = self.inner.store.estimates(account).await?;
        let candidates = self.candidates(account, &mut book).await?.unwrap_or_default();
        Ok(project::entry_estimate(&project::matched(book, &candidates), sequence))
    }

    fn account_of_estimates(&self) -> Result<String, ErrorView> {
        let account = self.state().known.as_ref().map(|known| known.answer.account_id.clone());
        account.ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))
    }

    fn estimate_of(&self, request: EstimateRequest, expected: NanoCredits) -> KeptEstimate {
        let after = self.state().known.as_ref().map_or(0, |known| known.answer.entry_count);
        KeptEstimate {
            id: Uuid::new_v4().to_string(),
            at: self.corrected_now(),
            request,
            expected,
            after,
            charge: None,
            rejected: BTreeSet::new(),
        }
    }

    async fn change_estimates(&self, account: &str, change: impl FnOnce(&mut EstimateBook)) -> Result<EstimateBook, StoreError> {
        let _turn = self.inner.preferences_turn.lock().await;
        let mut book = self.inner.store.estimates(account).await?;
        change(&mut book);
        self.inner.store.keep_estimates(account, Some(&book)).await?;
        Ok(book)
    }

    async fn shown_estimates(&self, account: &str, mut book: EstimateBook) -> Result<KeptEstimatesView, ErrorView> {
        let candidates = self.candidates(account, &mut book).await?.unwrap_or_default();
        let book = project::matched(book, &candidates);
        Ok(project::kept_estimates(&self.inner.fixed.card, &book, &candidates))
    }

    /// Charges that may be of each estimate without one; none while entries of the log are missing, for the right one may be among them.
    /// Those that the book has learn what was given back of them.
    async fn candidates(&self, account: &str, book: &mut EstimateBook) -> Result<Option<Candidates>, ErrorView> {
        let oldest = book.estimates.iter().map(|kept| kept.charge.as_ref().map_or(kept.after, |charge| charge.sequence)).min();
        let Some(oldest) = oldest else { return Ok(None) };
        let Some(log) = self.usage_log(account).await? else { return Ok(None) };
        let found = async {
            let given_back = log.given_back_since(oldest).await?;
            let take_refunds = |charge: &mut RunCharge| {
                let back = given_back.get(&charge.sequence).and_then(|sum| NanoCredits::try_from(*sum).ok());
                charge.refunded = back.unwrap_or_default();
            };
            book.estimates.iter_mut().filter_map(|kept| kept.charge.as_mut()).for_each(take_refunds);
            if log.extent().await?.gap.is_some() {
                return Ok(None);
            }
            let mut candidates = Candidates::new();
            for kept in &book.estimates {
                let charges = match kept.charge {
                    Some(_) => Vec::new(),
                    None => log.charges_after(&kept.request.model_id, kept.after, kept.at).await?,
                };
                let is_free = |charge: &RunCharge| !book.has_charge(charge.sequence) && !kept.rejected.contains(&charge.sequence);
                let mut free: Vec<RunCharge> = charges.into_iter().filter(is_free).collect();
                free.iter_mut().for_each(take_refunds);
                candidates.push(free);
            }
            Ok(Some(candidates))
        };
        match found.await {
            Ok(candidates) => Ok(candidates),
            Err(error) => Err(self.log_failed(&log, error).await),
        }
    }
}
