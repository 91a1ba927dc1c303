//! What a person does with batches: looks at those that ended, tries another pace out, takes them along.

use crate::{
    Wallet,
    cases::files::FileKind,
    project::{self, Ahead},
    record::KnownAccount,
    view::{AppErrorCode, CalendarWords, EndedPageView, ErrorView, SavedFileView, WhatIfRequest, WhatIfView},
};
use chrono::{DateTime, Utc};

/// Ended batches that are handed out at once.
const ENDED_PAGE: u32 = 100;

impl Wallet {
    /// Ended batches, newest end first, from a place on; at most a hundred.
    ///
    /// # Errors
    /// No account is known.
    pub fn ended_batches(&self, from: u32) -> Result<EndedPageView, ErrorView> {
        self.with_known(|known, now| Ok(project::ended(known, from, ENDED_PAGE, now)))
    }

    /// How far the batches go at a pace that is tried out. Asks no network.
    ///
    /// # Errors
    /// No account is known, or an amount is none.
    pub fn what_if(&self, request: &WhatIfRequest) -> Result<WhatIfView, ErrorView> {
        self.with_known(|known, now| project::what_if(&Ahead::of(known, now), request))
    }

    /// Saves all known batches as a table: live ones in the order they are drawn, then ended ones.
    ///
    /// # Errors
    /// No account is known, or the file cannot be written.
    pub async fn save_batches_csv(&self) -> Result<SavedFileView, ErrorView> {
        let table = self.with_known(project::batches_csv)?;
        self.save_dated(FileKind::Batches, &table).await
    }

    /// Saves a calendar with the end of each live batch, and an alarm a day before.
    ///
    /// # Errors
    /// No account is known, or the file cannot be written.
    pub async fn save_calendar(&self, words: CalendarWords) -> Result<SavedFileView, ErrorView> {
        let calendar = self.with_known(|known, now| Ok(project::calendar(known, &words, now)))?;
        self.save_dated(FileKind::Calendar, calendar.as_bytes()).await
    }

    async fn save_dated(&self, kind: FileKind, bytes: &[u8]) -> Result<SavedFileView, ErrorView> {
        let day = self.corrected_now().format("%Y-%m-%d").to_string();
        self.save_file(kind, &day, bytes).await
    }

    fn with_known<T>(&self, of: impl FnOnce(&KnownAccount, DateTime<Utc>) -> Result<T, ErrorView>) -> Result<T, ErrorView> {
        let now = self.corrected_now();
        of(self.state().known.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))?, now)
    }
}
