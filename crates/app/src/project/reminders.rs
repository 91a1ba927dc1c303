//! Which reminders are due: a pure function of each account, the pace, what is set, what was said before, and the time.
//!
//! A batch has a mark at 7, 3 and 1 days and an hour before its end. Of the marks that have passed only the nearest to the end counts, and
//! nothing is said that is not nearer than what was said before: after three days asleep there is one reminder, and a clock that goes back
//! brings none again. A mark that falls into quiet hours comes before them; what could not comes after them, as one.

use super::{
    account::{ledger_batches, pace_per_day},
    accounts::is_live,
    figures::{about, instant, on_ruler, week},
    reminder::low_balance_of,
};
use crate::{
    record::{Given, GivenLow, GivenMark, PaymentRecord},
    reminding::{QuietHours, ReminderSettings},
    roster::{AccountKind, RosterEntry},
    state::State,
    view::{
        ConnectionState, EndingView, PaymentState, QuietHoursView, ReminderMark, ReminderSettingsView, ReminderShift, ReminderView,
        RemindersView, RulerEndView, UpcomingReminderView,
    },
};
use aispace_ledger::{Batch, PacePerDay, forecast};
use aispace_units::{NanoCreditSum, NanoCredits, Usd};
use chrono::{DateTime, FixedOffset, TimeDelta, Timelike as _, Utc};
use rust_decimal::Decimal;

/// Less than a credit is not worth a word.
const LEAST: i64 = 1_000_000_000;
/// How long before quiet hours what falls into them is said.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// A balance that goes up and down around its limit is said once a day at most.
const LOW_AGAIN: TimeDelta = TimeDelta::days(1);
const UPCOMING_MAX: usize = 200;
const DAY_MINUTES: u32 = 24 * 60;

/// An instant of the service's clock, and how local time differs from UTC.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) now: DateTime<Utc>,
    pub(crate) offset_at: &'a dyn Fn(DateTime<Utc>) -> FixedOffset,
}

/// An account that there may be to say something of.
pub(crate) struct Subject<'a> {
    pub(crate) account_id: &'a str,
    /// This computer's own id of it, when there are several.
    pub(crate) account: Option<&'a str>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) pace: Option<PacePerDay>,
    /// What to buy, when the balance is low.
    pub(crate) low: Option<Usd>,
    pub(crate) payments: Vec<&'a PaymentRecord>,
    /// Whether it was read from the service just now, or cannot be: just awake, what was used meanwhile is about to be told.
    pub(crate) is_settled: bool,
}

impl<'a> Subject<'a> {
    /// Every account that is known, the one that shows first, at an instant of the service's clock; and last nobody, with the payments for
    /// no account that is here.
    pub(crate) fn all(state: &'a State, now: DateTime<Utc>) -> Vec<Self> {
        let mut entries: Vec<&RosterEntry> = state.roster.accounts.iter().collect();
        entries.sort_by_key(|entry| !state.roster.is_active(&entry.id));
        let are_several = entries.len() > 1;
        let mut subjects: Vec<Self> = entries.iter().filter_map(|entry| Self::of(state, entry, are_several, now)).collect();
        let is_here = |payment: &&PaymentRecord| subjects.iter().any(|s| payment.account_id.as_deref() == Some(s.account_id));
        let payments: Vec<&PaymentRecord> = state.payments.iter().filter(|payment| !is_here(payment)).collect();
        if !payments.is_empty() {
            let nobody = Self { account_id: "", account: None, batches: vec![], pace: None, low: None, payments, is_settled: true };
            subjects.push(nobody);
        }
        subjects
    }

    fn of(state: &'a State, entry: &'a RosterEntry, are_several: bool, now: DateTime<Utc>) -> Option<Self> {
        let (session, known, connection) = state.seen(&entry.id)?;
        let known = known?;
        // By the service's own word it is at least so late, whatever our clock says since.
        let now = now.max(known.answer.server_time);
        let account_id = known.answer.account_id.as_str();
        // Nothing is bought for what is typed in.
        let limit = state.preferences.low_balance_usd.filter(|_| entry.kind == AccountKind::Service);
        Some(Self {
            account_id,
            account: are_several.then(|| entry.id.as_str()),
            batches: ledger_batches(&known.answer.batches).into_iter().filter(|b| b.is_live(now) && b.left.nanos() >= LEAST).collect(),
            pace: pace_per_day(known, now).filter(|pace| !pace.0.is_zero()),
            low: limit.and_then(|limit| low_balance_of(known, limit, now)),
            payments: state.payments.iter().filter(|payment| payment.account_id.as_deref() == Some(account_id)).collect(),
            is_settled: session.key_to_try().is_none() || connection.state == ConnectionState::Offline || is_live(session, connection, now),
        })
    }

    /// What the window calls the account.
    fn named(&self) -> Option<String> {
        self.account.map(str::to_owned)
    }
}

impl ReminderMark {
    fn before(self) -> TimeDelta {
        match self {
            Self::OneHour => TimeDelta::hours(1),
            Self::OneDay => TimeDelta::days(1),
            Self::ThreeDays => TimeDelta::days(3),
            Self::SevenDays => TimeDelta::days(7),
        }
    }
}

impl QuietHours {
    /// Minutes since they began at an instant; nothing outside of them.
    fn minutes_in(self, at: DateTime<Utc>, moment: Moment<'_>) -> Option<u32> {
        let local = at.with_timezone(&(moment.offset_at)(at));
        let since = |minute: u32| (minute + DAY_MINUTES - u32::from(self.from)) % DAY_MINUTES;
        let (into, whole) = (since(local.hour() * 60 + local.minute()), since(u32::from(self.until)));
        (into < whole).then_some(into)
    }

    /// When those that an instant falls into end.
    fn end_after(self, at: DateTime<Utc>, moment: Moment<'_>) -> Option<DateTime<Utc>> {
        let into = self.minutes_in(at, moment)?;
        let whole = (u32::from(self.until) + DAY_MINUTES - u32::from(self.from)) % DAY_MINUTES;
        Some(to_minute(at) + TimeDelta::minutes(i64::from(whole - into)))
    }
}

fn to_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::seconds(i64::from(at.second())) - TimeDelta::nanoseconds(i64::from(at.nanosecond()))
}

/// When a mark is said: at its own time, or ahead of quiet hours.
fn said_at(batch: &Batch, mark: ReminderMark, quiet: Option<QuietHours>, moment: Moment<'_>) -> (DateTime<Utc>, ReminderShift) {
    let own = batch.expires - mark.before();
    match quiet.and_then(|quiet| quiet.minutes_in(own, moment)) {
        Some(into) => (to_minute(own) - TimeDelta::minutes(i64::from(into)) - AHEAD, ReminderShift::Ahead),
        None => (own, ReminderShift::Kept),
    }
}

/// The marks of a batch that may be said yet, the nearest to its end first.
fn open_marks<'a>(
    batch: &'a Batch,
    settings: &'a ReminderSettings,
    said: Option<&'a GivenMark>,
) -> impl Iterator<Item = ReminderMark> + use<'a> {
    // A batch that lives for less than a mark has none: its end was as near when it was added.
    let has = move |mark: &ReminderMark| batch.expires - mark.before() > batch.added;
    settings.marks.iter().copied().filter(move |mark| said.is_none_or(|said| *mark < said.mark)).filter(has)
}

/// The first thing to say now, and what was said once it is.
pub(crate) fn due(subject: &Subject<'_>, settings: &ReminderSettings, given: &Given, moment: Moment<'_>) -> Option<(ReminderView, Given)> {
    if settings.quiet.is_some_and(|quiet| quiet.minutes_in(moment.now, moment).is_some()) {
        return None;
    }
    credited(subject, settings, given).or_else(|| ending(subject, settings, given, moment)).or_else(|| low(subject, given, moment.now))
}

fn ending(subject: &Subject<'_>, settings: &ReminderSettings, given: &Given, moment: Moment<'_>) -> Option<(ReminderView, Given)> {
    let mut after = given.clone();
    let mut found = Vec::new();
    for (batch, lapses) in worth_saying(subject, settings, moment.now) {
        let said = given.mark(subject.account_id, batch.id.as_str());
        let passed = |mark: &ReminderMark| said_at(batch, *mark, settings.quiet, moment).0 <= moment.now;
        if let Some(mark) = open_marks(batch, settings, said).find(passed) {
            after.keep_mark(subject.account_id, batch.id.as_str(), GivenMark { mark, expires: batch.expires });
            found.push((batch, lapses));
        }
    }
    found.sort_by_key(|(batch, _)| batch.expires);
    let left = NanoCreditSum::total(found.iter().map(|(batch, _)| batch.left));
    let batches: Vec<EndingView> = found
        .iter()
        .map(|(batch, lapses)| EndingView {
            batch_id: batch.id.as_str().into(),
            left_credits: batch.left.to_string(),
            lapse_credits: lapses.and_then(about).map(|a| a.to_string()),
            expires: instant(batch.expires),
            seconds_left: (batch.expires - moment.now).num_seconds(),
        })
        .collect();
    (!batches.is_empty()).then(|| (ReminderView::Ending { account: subject.named(), batches, left_credits: left.to_string() }, after))
}

/// The batches that are spoken of, with what lapses of each where a pace is known.
fn worth_saying<'a>(
    subject: &'a Subject<'_>,
    settings: &'a ReminderSettings,
    now: DateTime<Utc>,
) -> impl Iterator<Item = (&'a Batch, Option<NanoCredits>)> {
    let forecast = subject.pace.map(|pace| forecast(&subject.batches, pace, now));
    let lapses = move |batch: &Batch| {
        let row = forecast.as_ref()?.batches.iter().find(|row| row.batch == batch.id)?;
        Some(row.lapses)
    };
    let told = subject.batches.iter().filter(move |b| b.is_live(now) && b.left.nanos() >= LEAST).map(move |b| (b, lapses(b)));
    // Without a pace everything may lapse.
    told.filter(|(_, lapses)| !settings.only_lapsing || lapses.is_none_or(|lapses| about(lapses).is_some()))
}

fn credited(subject: &Subject<'_>, settings: &ReminderSettings, given: &Given) -> Option<(ReminderView, Given)> {
    let fresh: Vec<&PaymentRecord> =
        subject.payments.iter().copied().filter(|p| was_credited(p) && !given.credited.contains(&p.order_id)).collect();
    if !settings.credited || fresh.is_empty() {
        return None;
    }
    let mut after = given.clone();
    after.credited.extend(fresh.iter().map(|p| p.order_id.clone()));
    let usd = fresh.iter().try_fold(Decimal::ZERO, |sum, p| sum.checked_add(p.usd.get())).and_then(|sum| Usd::new(sum).ok());
    let view = ReminderView::Credited {
        account: subject.named(),
        order_ids: fresh.iter().map(|p| p.order_id.clone()).collect(),
        credits: NanoCreditSum::total(fresh.iter().map(|p| p.credits)).to_string(),
        usd: usd.unwrap_or_default().to_string(),
        expires: fresh.iter().filter_map(|p| p.batch.as_ref()).map(|b| b.expires).max().map(instant),
    };
    Some((view, after))
}

/// Whether the service posted the batch of a payment.
pub(crate) fn was_credited(payment: &PaymentRecord) -> bool {
    matches!(payment.state, PaymentState::Credited | PaymentState::Done)
}

fn low(subject: &Subject<'_>, given: &Given, now: DateTime<Utc>) -> Option<(ReminderView, Given)> {
    let suggested = subject.low?;
    if given.lows.get(subject.account_id).is_some_and(|low| low.holds || now - low.at < LOW_AGAIN) {
        return None;
    }
    let empty_at = subject.pace.and_then(|pace| forecast(&subject.batches, pace, now).empty_at);
    let view = ReminderView::LowBalance {
        account: subject.named(),
        available_credits: NanoCreditSum::total(subject.batches.iter().map(|b| b.left)).to_string(),
        empty_at: empty_at.map(instant),
        suggested_usd: suggested.to_string(),
    };
    let mut after = given.clone();
    after.lows.insert(subject.account_id.to_owned(), GivenLow { holds: true, at: now });
    Some((view, after))
}

/// The page of the settings.
pub(crate) fn reminders(subjects: &[Subject<'_>], settings: &ReminderSettings, given: &Given, moment: Moment<'_>) -> RemindersView {
    let mut upcoming = Vec::new();
    let mut ends = Vec::new();
    for (subject, (batch, _)) in subjects.iter().flat_map(|s| worth_saying(s, settings, moment.now).map(move |b| (s, b))) {
        ends.push(batch);
        let marks = open_marks(batch, settings, given.mark(subject.account_id, batch.id.as_str()));
        upcoming.extend(to_come(batch, marks, settings.quiet, moment).into_iter().map(|coming| (subject.named(), coming)));
    }
    upcoming.sort_by_key(|(_, (at, batch, ..))| (*at, batch.expires));
    upcoming.truncate(UPCOMING_MAX);
    ends.sort_by_key(|batch| batch.expires);
    RemindersView {
        settings: shown(settings),
        upcoming: upcoming.into_iter().map(|(account, coming)| upcoming_view(account, coming, moment.now)).collect(),
        ends: ends.into_iter().map(|batch| ruler_end(batch, moment.now)).collect(),
        has_account: subjects.iter().any(|subject| !subject.account_id.is_empty()),
    }
}

type Coming<'a> = (DateTime<Utc>, &'a Batch, ReminderMark, ReminderShift);

/// What comes of a batch from now on: each mark that has not passed, and the nearest of those that have as soon as it may be said.
fn to_come<'a>(
    batch: &'a Batch,
    marks: impl Iterator<Item = ReminderMark>,
    quiet: Option<QuietHours>,
    moment: Moment<'_>,
) -> Vec<Coming<'a>> {
    let mut coming = Vec::new();
    for mark in marks {
        let (at, shift) = said_at(batch, mark, quiet, moment);
        if at > moment.now {
            coming.push((at, batch, mark, shift));
            continue;
        }
        let after = quiet.and_then(|quiet| quiet.end_after(moment.now, moment));
        let shift = if after.is_some() { ReminderShift::After } else { ReminderShift::Kept };
        let at = after.unwrap_or(moment.now);
        if at < batch.expires {
            coming.push((at, batch, mark, shift));
        }
        break;
    }
    coming
}

fn upcoming_view(account: Option<String>, (at, batch, mark, shift): Coming<'_>, now: DateTime<Utc>) -> UpcomingReminderView {
    UpcomingReminderView {
        account,
        batch_id: batch.id.as_str().into(),
        mark,
        at: instant(at),
        at_bp: on_ruler(at, now),
        shift,
        left_credits: batch.left.to_string(),
        expires: instant(batch.expires),
    }
}

fn ruler_end(batch: &Batch, now: DateTime<Utc>) -> RulerEndView {
    RulerEndView {
        batch_id: batch.id.as_str().into(),
        expires: instant(batch.expires),
        ends_bp: on_ruler(batch.expires, now),
        week: week(batch.expires, now),
    }
}

fn shown(settings: &ReminderSettings) -> ReminderSettingsView {
    ReminderSettingsView {
        marks: settings.marks.clone(),
        only_lapsing: settings.only_lapsing,
        quiet: settings.quiet.map(|quiet| QuietHoursView { from: clock_text(quiet.from), until: clock_text(quiet.until) }),
        credited: settings.credited,
    }
}

fn clock_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
#[path = "reminders_tests.rs"]
mod tests;
