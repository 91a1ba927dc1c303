//! Noticing that the computer slept, or that its clock was set.

use super::sync::LEAP;
use crate::Wallet;
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio::sync::watch;

/// How long it may take to notice while somebody looks.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

impl Wallet {
    /// Says whether the window is open. While it is not, nothing wakes the processor more often than the accounts are asked for.
    pub fn set_window_open(&self, is_open: bool) {
        self.inner.window_open.send_replace(is_open);
    }

    /// Compares the clock with the time that runs. After a leap the figures are no longer called live, and everybody is asked at once. What
    /// ends meanwhile leaves the view though nobody answers.
    pub(crate) async fn keep_watching_clock(&self) {
        let usual = self.inner.fixed.profile.sync_interval();
        let mut window_open = self.inner.window_open.subscribe();
        let mut before = self.reading();
        loop {
            let pause = if *window_open.borrow_and_update() { usual.min(NOTICED_WITHIN) } else { usual };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Whoever opens it sees at once what happened meanwhile.
                _ = window_open.changed() => {}
            }
            let now = self.reading();
            if now.leapt_since(&before).abs() >= LEAP {
                self.leap();
            } else if self.something_ended() {
                self.change(|_| ());
            }
            before = now;
        }
    }

    fn leap(&self) {
        tracing::info!("this computer's clock leapt");
        let ours = self.reading();
        self.change_time(|state| {
            let now = state.time.at(ours);
            state.connection.leapt(now);
            state.shelf.values_mut().for_each(|other| other.connection.leapt(now));
        });
        self.inner.leaps.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether the view shows as the next to end what has ended.
    fn something_ended(&self) -> bool {
        let now = self.corrected_now();
        let has_ended = |at: &str| at.parse::<DateTime<Utc>>().is_ok_and(|at| at <= now);
        let view = self.inner.views.borrow();
        let shown = view.account.iter().filter_map(|account| account.next_end.as_ref()).map(|end| &end.expires);
        shown.chain(view.accounts.rows.iter().filter_map(|row| row.next_end.as_ref())).any(|at| has_ended(at))
    }

    /// Waits so long, or until the clock leaps.
    pub(crate) async fn rest(&self, leaps: &mut watch::Receiver<u32>, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // It never ends while the app lives.
            _ = leaps.changed() => {}
        }
    }
}
