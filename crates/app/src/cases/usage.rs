//! Asking the log, and saving it.

use crate::{
    Wallet,
    cases::files::FileKind,
    project::{self, UsageQuestion},
    store::StoreError,
    usage_log::{EntryFilter, KeptEntry, UsageLog},
    view::{
        AppErrorCode, ErrorView, SavedFileView, UsageDetailView, UsageFilter, UsageFormat, UsageLinesRequest, UsageLinesView, UsageRequest,
        UsageView,
    },
};
use aispace_units::NanoCreditSum;

/// Lines that are answered at once.
const LINES_MAX: u32 = 500;
/// Entries that are read at once for a file.
const FILE_ENTRIES: u32 = 2_000;

impl Wallet {
    /// Sums, chart and the first lines of the entries that a filter lets through. Needs no network.
    ///
    /// # Errors
    /// Nobody is signed in, or the log cannot be read.
    pub async fn usage(&self, request: UsageRequest) -> Result<UsageView, ErrorView> {
        let (log, question) = self.question(&request.filter).await?;
        let asked = async {
            let digest = log.digest(&question.entries).await?;
            let days = project::usage_days(&digest, &question.entries);
            let lines = self.lines(&log, &question.entries, &days, 0, request.lines.min(LINES_MAX)).await?;
            let holds = if question.is_everything() { self.account_holds(&log).await? } else { None };
            Ok((digest, days, lines, holds))
        };
        let (digest, days, lines, holds) = match asked.await {
            Ok(answer) => answer,
            Err(error) => return Err(self.log_failed(&log, error).await),
        };
        Ok(project::usage(&digest, &question, request.split, &days, lines, holds))
    }

    /// Lines of the list.
    ///
    /// # Errors
    /// Nobody is signed in, or the log cannot be read.
    pub async fn usage_lines(&self, request: UsageLinesRequest) -> Result<UsageLinesView, ErrorView> {
        let (log, question) = self.question(&request.filter).await?;
        let asked = async {
            let digest = log.digest(&question.entries).await?;
            let days = project::usage_days(&digest, &question.entries);
            let lines = self.lines(&log, &question.entries, &days, request.from, request.count.min(LINES_MAX)).await?;
            Ok(UsageLinesView { revision: digest.revision, from: request.from, lines })
        };
        match asked.await {
            Ok(view) => Ok(view),
            Err(error) => Err(self.log_failed(&log, error).await),
        }
    }

    /// All that is known of an entry, by its number; nothing when it is not on this computer.
    ///
    /// # Errors
    /// Nobody is signed in, or the log cannot be read.
    pub async fn usage_entry(&self, sequence: String) -> Result<Option<UsageDetailView>, ErrorView> {
        let log = self.shown_log().await?;
        let Ok(number) = sequence.parse::<u64>() else { return Ok(None) };
        let estimate = self.estimate_of_entry(&log, number).await?;
        match with_related(&log, number).await {
            Ok(found) => Ok(found.map(|(entry, related)| project::usage_detail(&self.inner.fixed.card, &entry, &related, estimate))),
            Err(error) => Err(self.log_failed(&log, error).await),
        }
    }

    /// Saves the entries that a filter lets through, the newest first.
    ///
    /// # Errors
    /// Nobody is signed in, entries of the account are not on this computer yet, the log cannot be read, or the file not be written.
    pub async fn save_usage(&self, filter: UsageFilter, format: UsageFormat) -> Result<SavedFileView, ErrorView> {
        let (log, question) = self.question(&filter).await?;
        let posted = self.state().known.as_ref().map_or(0, |known| known.answer.entry_count);
        let extent = log.extent().await?;
        if extent.kept < posted {
            return Err(ErrorView::of(AppErrorCode::UsageIncomplete).with("kept", extent.kept).with("posted", posted));
        }
        let entries = match whole(&log, &question.entries).await {
            Ok(entries) => entries,
            Err(error) => return Err(self.log_failed(&log, error).await),
        };
        let (kind, bytes) = match format {
            UsageFormat::Csv => (FileKind::UsageTable, project::usage_csv(&entries)?),
            UsageFormat::Json => (FileKind::Usage, project::usage_json(&entries, log.account_id(), &filter, self.corrected_now())?),
        };
        let day = self.corrected_now().format("%Y-%m-%d").to_string();
        self.save_file(kind, &day, &bytes).await
    }

    async fn question(&self, filter: &UsageFilter) -> Result<(UsageLog, UsageQuestion), ErrorView> {
        let log = self.shown_log().await?;
        Ok((log, UsageQuestion::new(filter, self.corrected_now().date_naive())))
    }

    async fn shown_log(&self) -> Result<UsageLog, ErrorView> {
        let account = self.state().known.as_ref().map(|known| known.answer.account_id.clone());
        let log = match account {
            Some(account) => self.usage_log(&account).await?,
            None => None,
        };
        log.ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))
    }

    /// What the account holds less what it owes, if the log is known up to the same entry.
    async fn account_holds(&self, log: &UsageLog) -> Result<Option<NanoCreditSum>, StoreError> {
        let extent = log.extent().await?;
        let state = self.state();
        let Some(known) = state.known.as_ref() else { return Ok(None) };
        let answer = &known.answer;
        let is_whole = extent.kept == answer.entry_count && extent.newest.is_none_or(|(newest, _)| newest == answer.entry_count);
        let holds = || {
            let all = NanoCreditSum::total([answer.available_credits, answer.held_credits]);
            all.minus(answer.debt_credits.into())
        };
        Ok(is_whole.then(holds))
    }

    async fn lines(
        &self,
        log: &UsageLog,
        filter: &EntryFilter,
        days: &[project::UsageDay],
        from: u32,
        count: u32,
    ) -> Result<Vec<crate::view::UsageLineView>, StoreError> {
        let Some(window) = project::usage_window(days, from, count) else { return Ok(Vec::new()) };
        let entries = log.entries(filter, window.day, window.skipped, window.entries).await?;
        Ok(project::usage_lines(&self.inner.fixed.card, days, &window, &entries))
    }
}

/// An entry with the others that are about the same run, oldest first.
async fn with_related(log: &UsageLog, number: u64) -> Result<Option<(KeptEntry, Vec<KeptEntry>)>, StoreError> {
    let Some(found) = log.entry(number).await? else { return Ok(None) };
    let mut related = Vec::new();
    if let Some(hold) = &found.entry.hold_id {
        related.extend(log.of_hold(hold).await?);
    }
    match found.entry.charge_sequence {
        Some(charge) => {
            related.extend(log.entry(charge).await?);
            related.extend(log.refunds(charge).await?);
        }
        None => related.extend(log.refunds(number).await?),
    }
    related.retain(|other| other.entry.sequence != number);
    related.sort_by_key(|other| other.entry.sequence);
    Ok(Some((found, related)))
}

/// Every entry that a filter lets through, the newest first.
pub(super) async fn whole(log: &UsageLog, filter: &EntryFilter) -> Result<Vec<KeptEntry>, StoreError> {
    let mut entries: Vec<KeptEntry> = Vec::new();
    loop {
        let part = log.entries_below(filter, entries.last().map(|last| &last.entry), FILE_ENTRIES).await?;
        if part.is_empty() {
            return Ok(entries);
        }
        entries.extend(part);
    }
}
