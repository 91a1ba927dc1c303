//! Reminding a person outside the window, once of each thing.

use crate::{
    Wallet,
    project::{self, Moment, Subject, was_credited},
    record::Given,
    reminding::{QuietHours, ReminderSettings},
    view::{AppErrorCode, ErrorView, ReminderSettingsView, ReminderView, RemindersView},
};
use chrono::{NaiveTime, Timelike as _};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long nothing is tried after something could not be shown.
const AFTER_FAILURE: Duration = Duration::from_secs(600);

/// Shows reminders outside the window.
pub trait Notifier: Send + Sync {
    /// Shows one.
    ///
    /// # Errors
    /// Nobody is there to show it; it will be tried again later.
    fn give(&self, reminder: &ReminderView) -> Result<(), NotGiven>;
}

/// A reminder could not be shown.
#[derive(Debug, thiserror::Error)]
#[error("the reminder was not shown: {reason}")]
pub struct NotGiven {
    /// Why.
    pub reason: String,
}

impl Wallet {
    /// Reminds from now on, after each look at the account and at each change. It ends with the runtime.
    pub fn start_reminding(&self, notifier: Arc<dyn Notifier>) {
        let (wallet, mut changes) = (self.clone(), self.changes());
        tokio::spawn(async move {
            let mut resting_until = None;
            loop {
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    () = wallet.inner.looked.notified() => {}
                }
                if resting_until.is_some_and(|until| Instant::now() < until) {
                    continue;
                }
                resting_until = None;
                if let Err(error) = wallet.remind(&notifier).await {
                    tracing::info!("{error}");
                    resting_until = Some(Instant::now() + AFTER_FAILURE);
                }
            }
        });
    }

    /// Gives every reminder that is due. What is given is kept first, so that it comes once at most; what could not be shown is not
    /// kept, and comes again.
    ///
    /// # Errors
    /// One could not be kept, or not be shown; the rest was not tried.
    pub async fn remind(&self, notifier: &Arc<dyn Notifier>) -> Result<(), NotGiven> {
        let failed = |error: &dyn std::fmt::Display| NotGiven { reason: error.to_string() };
        let mut turn = self.inner.given.lock().await;
        let mut given = self.given(turn.take()).await.map_err(|error| failed(&error))?;
        // Each time something else is due, for what is due is kept before it is asked for again.
        while let Some((reminder, after)) = self.due(&mut given) {
            self.inner.store.keep_given(&after).await.map_err(|error| failed(&error))?;
            let (notifier, shown) = (Arc::clone(notifier), reminder.clone());
            let outcome = tokio::task::spawn_blocking(move || notifier.give(&shown)).await.map_err(|error| failed(&error));
            if let Err(error) = outcome.and_then(|given| given) {
                self.inner.store.keep_given(&given).await.map_err(|error| failed(&error))?;
                *turn = Some(given);
                return Err(error);
            }
            given = after;
        }
        *turn = Some(given);
        Ok(())
    }

    /// What is set about reminders, and which are to come.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn reminders(&self) -> Result<RemindersView, ErrorView> {
        let mut turn = self.inner.given.lock().await;
        let given = self.given(turn.take()).await?;
        let view = {
            let ours = self.reading();
            let state = self.state();
            let now = state.time.at(ours);
            let offset_at = |at| self.inner.clock.offset_at(at);
            project::reminders(&Subject::all(&state, now), &state.preferences.reminders, &given, Moment { now, offset_at: &offset_at })
        };
        *turn = Some(given);
        Ok(view)
    }

    /// Sets when to remind.
    ///
    /// # Errors
    /// The quiet hours are not two different times of day, or the store cannot be written.
    pub async fn set_reminders(&self, settings: ReminderSettingsView) -> Result<RemindersView, ErrorView> {
        let ReminderSettingsView { marks, only_lapsing, quiet, credited } = settings;
        let quiet = quiet.map(|quiet| quiet_hours(&quiet.from, &quiet.until)).transpose()?;
        self.keep_preferences(|p| p.reminders = ReminderSettings { marks, only_lapsing, quiet, credited }).await?;
        self.reminders().await
    }

    fn due(&self, given: &mut Given) -> Option<(ReminderView, Given)> {
        let ours = self.reading();
        let state = self.state();
        let now = state.time.at(ours);
        for known in state.roster.accounts.iter().filter_map(|entry| state.seen(&entry.id)?.1) {
            given.forget_ended(&known.answer.account_id, known.answer.server_time);
        }
        let offset_at = |at| self.inner.clock.offset_at(at);
        let moment = Moment { now, offset_at: &offset_at };
        Subject::all(&state, now).iter().filter(|subject| subject.is_settled).find_map(|subject| {
            if subject.low.is_none() {
                given.no_longer_low(subject.account_id);
            }
            project::due(subject, &state.preferences.reminders, given, moment)
        })
    }

    /// What was given, as in memory or as kept. At the very first look, payments of before are nothing to speak of.
    async fn given(&self, in_memory: Option<Given>) -> Result<Given, crate::store::StoreError> {
        if let Some(given) = in_memory {
            return Ok(given);
        }
        if let Some(given) = self.inner.store.given().await? {
            let state = self.state();
            return Ok(given.upgraded(state.known.as_ref().map(|known| known.answer.account_id.as_str())));
        }
        let credited = self.state().payments.iter().filter(|p| was_credited(p)).map(|p| p.order_id.clone()).collect();
        let first = Given { version: 2, credited, ..Given::default() };
        self.inner.store.keep_given(&first).await?;
        Ok(first)
    }
}

fn quiet_hours(from: &str, until: &str) -> Result<QuietHours, ErrorView> {
    let refused = || ErrorView::of(AppErrorCode::QuietHoursRefused).with("input", format!("{from}-{until}"));
    let minute = |text: &str| {
        let time = NaiveTime::parse_from_str(text.trim(), "%H:%M").ok()?;
        u16::try_from(time.hour() * 60 + time.minute()).ok()
    };
    let (from, until) = minute(from).zip(minute(until)).filter(|(from, until)| from != until).ok_or_else(refused)?;
    Ok(QuietHours { from, until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Clock, Opener, OpenerError, Profile, Setup,
        record::KnownAccount,
        roster::{AccountKind, LocalId},
    };
    use aispace_keychain::MemorySecretStore;
    use chrono::{DateTime, Utc};
    use serde_json::json;
    use std::{
        path::Path,
        sync::{Mutex, atomic::AtomicBool, atomic::Ordering},
    };

    struct NoOpener;

    impl Opener for NoOpener {
        fn open(&self, _: &str) -> Result<(), OpenerError> {
            Err(OpenerError { reason: "nothing is opened here".into() })
        }
    }

    struct NoClipboard;

    impl crate::Clipboard for NoClipboard {
        fn put(&self, _: &str) -> Result<(), crate::ClipboardError> {
            Err(crate::ClipboardError { reason: "there is none here".into() })
        }

        fn text(&self) -> Result<Option<String>, crate::ClipboardError> {
            Ok(None)
        }

        fn clear(&self) -> Result<(), crate::ClipboardError> {
            Ok(())
        }
    }

    /// Noon, far from quiet hours.
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> DateTime<Utc> {
            "2027-01-28T12:00:00Z".parse().unwrap()
        }
    }

    #[derive(Default)]
    struct Ears {
        heard: Mutex<Vec<ReminderView>>,
        are_deaf: AtomicBool,
    }

    impl Notifier for Ears {
        fn give(&self, reminder: &ReminderView) -> Result<(), NotGiven> {
            if self.are_deaf.load(Ordering::SeqCst) {
                return Err(NotGiven { reason: "deaf".into() });
            }
            self.heard.lock().unwrap().push(reminder.clone());
            Ok(())
        }
    }

    /// An app that knows of one batch, which ends in two and a half days.
    async fn app(folder: &Path) -> Wallet {
        let profile = r#"{"version":1,"kind":"live","service_url":"https://wallet.example","nodes":["https://node.example"]}"#;
        let setup = Setup {
            profile: Profile::from_json(profile).unwrap(),
            data_folder: folder.to_path_buf(),
            clock: Arc::new(Noon),
            keychain: Arc::new(MemorySecretStore::default()),
            downloads: None,
            opener: Arc::new(NoOpener),
            clipboard: Arc::new(NoClipboard),
        };
        let wallet = Wallet::open(setup).await.unwrap();
        let batch = json!({"batch_id": "b", "source": "grant", "note": null, "added": "2027-01-01T00:00:00Z",
            "expires": "2027-01-31T00:00:00Z", "granted_credits": "10", "left_credits": "6", "lapsed_credits": "0", "state": "live"});
        let answer = json!({"account_id": "a", "server_time": "2027-01-28T11:59:00Z", "available_credits": "6", "batches": [batch],
            "next_expiry": null, "entry_count": 1});
        let known = KnownAccount { answer: serde_json::from_value(answer).unwrap(), usage: vec![], clock_offset_ms: 0 };
        wallet.inner.store.keep_account(&LocalId::first(), &known).await.unwrap();
        wallet.change(|state| {
            state.add_account(&LocalId::first(), AccountKind::Service, None);
            state.known = Some(known);
        });
        wallet
    }

    /// A further account with the same batch under another name.
    async fn add_second(wallet: &Wallet) -> LocalId {
        let id = LocalId::further(uuid::Uuid::from_u128(1 << 100));
        let mut known = wallet.state().known.clone().unwrap();
        known.answer.account_id = "a2".into();
        known.answer.batches[0].batch_id = "b2".into();
        let mut roster = wallet.state().roster.clone();
        roster.add(&id, AccountKind::Service, None);
        wallet.inner.store.keep_roster(&roster, Some((&id, Some(&known)))).await.unwrap();
        wallet.change(|state| {
            state.add_account(&id, AccountKind::Service, None);
            *state.place(&id).unwrap().known = Some(known);
        });
        id
    }

    #[tokio::test]
    async fn every_account_is_spoken_of_by_name_and_once_over_restarts_and_switches() {
        let folder = tempfile::tempdir().unwrap();
        let ears = Arc::new(Ears::default());
        let notifier: Arc<dyn Notifier> = ears.clone();
        let wallet = app(folder.path()).await;
        let second = add_second(&wallet).await;
        let first = LocalId::first();
        let page = wallet.reminders().await.unwrap();
        let accounts: std::collections::BTreeSet<_> = page.upcoming.iter().filter_map(|one| one.account.clone()).collect();
        assert_eq!((page.upcoming.len(), page.ends.len(), accounts.len()), (4, 2, 2));
        wallet.remind(&notifier).await.unwrap();
        wallet.change(|state| state.show(&second));
        wallet.remind(&notifier).await.unwrap();
        wallet.inner.store.close().await;
        let again = app(folder.path()).await;
        again.change(|state| state.show(&second));
        again.remind(&notifier).await.unwrap();
        let heard = ears.heard.lock().unwrap().clone();
        let named: Vec<_> = heard.iter().map(ReminderView::account).collect();
        assert_eq!(named, [Some(first.as_str()), Some(second.as_str())], "{heard:?}");
    }

    #[tokio::test]
    async fn a_low_balance_is_said_of_each_account_and_what_an_older_app_said_is_not_said_again() {
        let folder = tempfile::tempdir().unwrap();
        let ears = Arc::new(Ears::default());
        let notifier: Arc<dyn Notifier> = ears.clone();
        let wallet = app(folder.path()).await;
        let second = add_second(&wallet).await;
        let old = json!({"version": 1, "marks": {}, "credited": [], "low": true, "low_at": "2027-01-28T10:00:00Z"});
        wallet.inner.store.keep_given(&serde_json::from_value(old).unwrap()).await.unwrap();
        let limit = |p: &mut crate::preferences::Preferences| {
            p.low_balance_usd = Some("5".parse().unwrap());
            p.reminders.marks.clear();
        };
        wallet.keep_preferences(limit).await.unwrap();
        wallet.remind(&notifier).await.unwrap();
        wallet.remind(&notifier).await.unwrap();
        let heard = ears.heard.lock().unwrap().clone();
        assert!(
            matches!(&heard[..], [ReminderView::LowBalance { account, .. }] if account.as_deref() == Some(second.as_str())),
            "{heard:?}"
        );
    }

    #[tokio::test]
    async fn what_could_not_be_shown_comes_again_and_what_was_shown_does_not_after_a_restart_either() {
        let folder = tempfile::tempdir().unwrap();
        let ears = Arc::new(Ears::default());
        let notifier: Arc<dyn Notifier> = ears.clone();
        let wallet = app(folder.path()).await;
        ears.are_deaf.store(true, Ordering::SeqCst);
        assert!(wallet.remind(&notifier).await.is_err());
        assert_eq!(wallet.inner.store.given().await.unwrap().unwrap().marks.len(), 0);
        ears.are_deaf.store(false, Ordering::SeqCst);
        wallet.remind(&notifier).await.unwrap();
        wallet.remind(&notifier).await.unwrap();
        wallet.inner.store.close().await;
        let again = app(folder.path()).await;
        again.remind(&notifier).await.unwrap();
        let heard = ears.heard.lock().unwrap().clone();
        assert!(matches!(&heard[..], [ReminderView::Ending { batches, .. }] if batches[0].seconds_left == 60 * 3_600), "{heard:?}");
    }

    #[tokio::test]
    async fn what_is_set_is_kept_and_the_page_follows_it() {
        let folder = tempfile::tempdir().unwrap();
        let wallet = app(folder.path()).await;
        let usual = wallet.reminders().await.unwrap();
        assert_eq!((usual.upcoming.len(), usual.settings.marks.len(), usual.has_account), (2, 3, true));
        let none = ReminderSettingsView { marks: std::collections::BTreeSet::new(), quiet: None, ..usual.settings };
        assert_eq!(wallet.set_reminders(none.clone()).await.unwrap().upcoming, []);
        wallet.inner.store.close().await;
        let again = app(folder.path()).await;
        assert_eq!(again.reminders().await.unwrap().settings, none);
        let refused = again.set_reminders(ReminderSettingsView {
            quiet: Some(crate::view::QuietHoursView { from: "9:00".into(), until: "09:00".into() }),
            ..none
        });
        assert_eq!(refused.await.unwrap_err().code, AppErrorCode::QuietHoursRefused);
    }

    #[test]
    fn quiet_hours_are_two_different_times_of_day() {
        assert_eq!(quiet_hours("22:00", "08:05").unwrap(), QuietHours { from: 1320, until: 485 });
        for (from, until) in
            [("22:00", "22:00"), ("24:00", "08:00"), ("22", "08:00"), ("", "08:00"), ("22:00", "08:60"), ("-1:00", "08:00")]
        {
            assert_eq!(quiet_hours(from, until).unwrap_err().code, AppErrorCode::QuietHoursRefused, "{from} {until}");
        }
    }
}
