//! What would become of a purchase at the person's own pace: how much of it would be used, how much would lapse, and when the same
//! purchase would be wholly used. Advice only: no amount is forbidden.

use aispace_ledger::{Batch, PacePerDay};
use aispace_units::{BATCH_LIFETIME_SECONDS, NanoCredits};
use chrono::{DateTime, Days, TimeDelta, Utc};
use std::ops::Range;

const DAY_MS: i128 = 86_400_000;
/// How far ahead a later purchase is looked for where a daily allowance comes in between.
const SEARCH_DAYS: i64 = 60;

/// What is known of the account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// Its batches; those that are not live are passed over.
    pub(crate) batches: &'a [Batch],
    /// What is owed: a purchase pays it first.
    pub(crate) debt: NanoCredits,
    /// What comes in at each UTC midnight.
    pub(crate) allowance: NanoCredits,
    /// What is used per day.
    pub(crate) pace: PacePerDay,
}

/// What would become of a purchase made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advice {
    /// Used within its thirty days, or paid towards what is owed.
    pub(crate) used: NanoCredits,
    /// Left when they end.
    pub(crate) lapses: NanoCredits,
    /// When they end.
    pub(crate) ends: DateTime<Utc>,
    /// When its last credit is used; absent when something lapses.
    pub(crate) lasts_until: Option<DateTime<Utc>>,
    /// The first instant at which the same purchase would be wholly used; absent when that is now, or does not come.
    pub(crate) wait_until: Option<DateTime<Utc>>,
}

impl Standing<'_> {
    /// Follows a purchase made now, and looks for the first instant from which it would be wholly used.
    pub(crate) fn advise(&self, bought: NanoCredits, now: DateTime<Utc>) -> Advice {
        let fate = self.follow(bought, now, now);
        let wait_until = if fate.left == 0 { None } else { self.first_whole(bought, now) };
        let lapses = NanoCredits::from_nanos(i64::try_from(fate.left).unwrap_or(i64::MAX)).unwrap_or_default();
        Advice {
            used: bought.checked_sub(lapses).unwrap_or_default(),
            lapses,
            ends: end_of(now),
            lasts_until: (fate.left == 0).then_some(fate.used_up).flatten(),
            wait_until,
        }
    }

    /// The first instant at which a purchase would be wholly used.
    fn first_whole(&self, bought: NanoCredits, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.pace.0.is_zero() {
            return None;
        }
        // What lies before it in the order of drawing is the same for all instants between two midnights that add something: within
        // such a stretch a later purchase is never used less.
        let stretches = if self.allowance.is_zero() {
            let last = self.batches.iter().filter(|b| b.is_live(now)).map(|b| b.expires).max()?;
            vec![now..last.checked_add_signed(TimeDelta::milliseconds(1))?]
        } else {
            let midnights =
                (0..SEARCH_DAYS).map_while(|n| now.date_naive().checked_add_days(Days::new(u64::try_from(n).ok()?.checked_add(1)?)));
            let starts: Vec<DateTime<Utc>> =
                std::iter::once(now).chain(midnights.filter_map(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc())).collect();
            starts.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.last()?)).collect()
        };
        let whole = |at: DateTime<Utc>| self.follow(bought, now, at).left == 0;
        stretches.into_iter().find_map(|stretch| first_in(stretch, &whole))
    }

    /// Follows the account from now on to the end of a purchase made at an instant.
    fn follow(&self, bought: NanoCredits, now: DateTime<Utc>, at: DateTime<Utc>) -> Fate {
        let mut lots: Vec<Lot> = self.batches.iter().filter(|b| b.is_live(now)).map(Lot::of).collect();
        lots.sort_by_key(|lot| lot.key);
        let mut course =
            Course { lots, debt: i128::from(self.debt.nanos()), pace: i128::from(self.pace.0.nanos()), from: now, at: now, used_up: None };
        let end = end_of(at);
        for (when, what) in self.events(now, at, end) {
            course.go(when);
            match what {
                Event::Ending => {}
                Event::Midnight => {
                    course.add(Lot { key: (when, end_of(when), 0), left: i128::from(self.allowance.nanos()), bought: false })
                }
                Event::Purchase => course.add(Lot { key: (when, end, u64::MAX), left: i128::from(bought.nanos()), bought: true }),
                Event::End => break,
            }
            course.lots.sort_by_key(|lot| lot.key);
        }
        let left = course.lots.iter().find(|lot| lot.bought).map_or(0, |lot| lot.left);
        Fate { left, used_up: course.used_up }
    }

    /// What happens from now up to the end of the purchase, in order; at one instant what ends comes before what is added.
    fn events(&self, now: DateTime<Utc>, at: DateTime<Utc>, end: DateTime<Utc>) -> Vec<(DateTime<Utc>, Event)> {
        let mut events: Vec<_> =
            self.batches.iter().filter(|b| b.is_live(now) && b.expires < end).map(|b| (b.expires, Event::Ending)).collect();
        if !self.allowance.is_zero() {
            let midnights = now.date_naive().iter_days().skip(1).filter_map(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
            for midnight in midnights.take_while(|midnight| *midnight < end) {
                events.push((midnight, Event::Midnight));
                events.extend((end_of(midnight) < end).then_some((end_of(midnight), Event::Ending)));
            }
        }
        events.extend([(at, Event::Purchase), (end, Event::End)]);
        events.sort();
        events
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ending,
    Midnight,
    Purchase,
    End,
}

struct Fate {
    left: i128,
    used_up: Option<DateTime<Utc>>,
}

struct Lot {
    /// Added, expires, posting order.
    key: (DateTime<Utc>, DateTime<Utc>, u64),
    left: i128,
    bought: bool,
}

impl Lot {
    fn of(batch: &Batch) -> Self {
        Self { key: (batch.added, batch.expires, batch.seq), left: i128::from(batch.left.nanos()), bought: false }
    }
}

struct Course {
    lots: Vec<Lot>,
    debt: i128,
    pace: i128,
    from: DateTime<Utc>,
    at: DateTime<Utc>,
    /// When the purchase was used up.
    used_up: Option<DateTime<Utc>>,
}

impl Course {
    /// Uses what is used up to an instant, from what is live before it, and lets end what ends then.
    fn go(&mut self, to: DateTime<Utc>) {
        let since = self.used_by(self.at);
        let mut wanted = self.used_by(to).saturating_sub(since);
        let mut taken = 0i128;
        for lot in &mut self.lots {
            let part = wanted.min(lot.left);
            lot.left = lot.left.saturating_sub(part);
            wanted = wanted.saturating_sub(part);
            taken = taken.saturating_add(part);
            if lot.bought && part > 0 && lot.left == 0 {
                self.used_up = instant_of(self.from, since.saturating_add(taken), self.pace);
            }
        }
        self.lots.retain(|lot| lot.left > 0 && (lot.key.1 > to || lot.bought));
        self.at = to;
    }

    /// Adds credits; what is owed takes its part at once.
    fn add(&mut self, mut lot: Lot) {
        let owed = self.debt.min(lot.left);
        self.debt = self.debt.saturating_sub(owed);
        lot.left = lot.left.saturating_sub(owed);
        if lot.bought && lot.left == 0 {
            self.used_up = Some(self.at);
        }
        self.lots.push(lot);
    }

    fn used_by(&self, at: DateTime<Utc>) -> i128 {
        self.pace.saturating_mul(i128::from((at - self.from).num_milliseconds())).div_euclid(DAY_MS)
    }
}

/// The first millisecond by which so much is used.
fn instant_of(from: DateTime<Utc>, nanos: i128, pace: i128) -> Option<DateTime<Utc>> {
    let wanted = nanos.saturating_mul(DAY_MS);
    let whole = wanted.checked_div(pace)?.saturating_add(i128::from(wanted.checked_rem(pace)? != 0));
    from.checked_add_signed(TimeDelta::try_milliseconds(i64::try_from(whole).ok()?)?)
}

fn end_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at + TimeDelta::seconds(BATCH_LIFETIME_SECONDS)
}

/// The first millisecond of a stretch at which something holds that, once it does, holds to the stretch's end.
fn first_in(stretch: Range<DateTime<Utc>>, holds: &impl Fn(DateTime<Utc>) -> bool) -> Option<DateTime<Utc>> {
    let length = (stretch.end - stretch.start).num_milliseconds();
    let at = |ms: i64| stretch.start + TimeDelta::milliseconds(ms);
    if length <= 0 || !holds(at(length - 1)) {
        return None;
    }
    let (mut below, mut found) = (-1i64, length - 1);
    while found - below > 1 {
        let middle = below + (found - below) / 2;
        if holds(at(middle)) {
            found = middle;
        } else {
            below = middle;
        }
    }
    Some(at(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_ledger::{Account, AccountId, BatchId, BatchSource, NewBatch};
    use proptest::prelude::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn credits(whole: i64) -> NanoCredits {
        NanoCredits::from_nanos(whole * 1_000_000_000).unwrap()
    }

    fn new_batch(name: &str, amount: NanoCredits) -> NewBatch {
        NewBatch { id: BatchId::new(name), source: BatchSource::EthPurchase, note: None, amount, expires: None }
    }

    /// An account to which batches were added in the thirty days before `now`.
    fn account(parts: &[(i64, i64)], allowance: i64, now: DateTime<Utc>) -> Account {
        let mut account = Account::open(AccountId::new("a"));
        let mut parts = parts.to_vec();
        parts.sort_by_key(|(age, _)| std::cmp::Reverse(*age));
        for (n, (age_minutes, amount)) in parts.iter().enumerate() {
            let added = now - TimeDelta::minutes(*age_minutes);
            account = account.grant(added, new_batch(&format!("b{n}"), credits(*amount))).unwrap().account;
        }
        if allowance > 0 {
            account = account.set_allowance(now, credits(allowance)).unwrap().account;
        }
        account
    }

    fn standing<'a>(account: &'a Account, allowance: i64, pace: i64) -> Standing<'a> {
        Standing { batches: account.batches(), debt: NanoCredits::ZERO, allowance: credits(allowance), pace: PacePerDay(credits(pace)) }
    }

    #[test]
    fn half_of_a_purchase_lapses_and_a_week_later_none_of_it_would() {
        let now = start();
        // 10,000 are there and last ten days at 1,000 a day; they end in twenty.
        let account = account(&[(14_400, 10_000)], 0, now);
        let standing = standing(&account, 0, 1_000);
        let advice = standing.advise(credits(27_000), now);
        assert_eq!((advice.used, advice.lapses), (credits(20_000), credits(7_000)));
        assert_eq!((advice.ends, advice.lasts_until), (now + TimeDelta::days(30), None));
        // With seven days less of the old ones before it, all 27,000 fit into its thirty days.
        assert_eq!(advice.wait_until, Some(now + TimeDelta::days(7)));
        let fits = standing.advise(credits(20_000), now);
        assert_eq!((fits.lapses, fits.wait_until, fits.lasts_until), (credits(0), None, Some(now + TimeDelta::days(30))));
        // More than a month uses: waiting does not help.
        assert_eq!(standing.advise(credits(30_001), now).wait_until, None);
    }

    #[test]
    fn nobody_who_uses_nothing_uses_a_purchase() {
        let account = account(&[], 0, start());
        let advice = standing(&account, 0, 0).advise(credits(5), start());
        assert_eq!((advice.used, advice.lapses, advice.wait_until, advice.lasts_until), (credits(0), credits(5), None, None));
    }

    #[test]
    fn what_is_owed_is_paid_first_and_counts_as_used() {
        let account = account(&[], 0, start());
        let owing = Standing { debt: credits(300), ..standing(&account, 0, 10) };
        let advice = owing.advise(credits(1_000), start());
        assert_eq!((advice.used, advice.lapses), (credits(600), credits(400)));
        assert_eq!(owing.advise(credits(200), start()).lasts_until, Some(start()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// The ledger's own outlook says the same of the account to which the purchase was added.
        #[test]
        fn the_ledgers_outlook_agrees(
            parts in prop::collection::vec((1i64..43_199, 1i64..60_000), 0..6),
            bought in 1i64..400_000, pace in 0i64..9_000, allowance in prop_oneof![Just(0i64), 1i64..3_000],
            second in 0i64..86_400,
        ) {
            let now = start() + TimeDelta::seconds(second);
            let account = account(&parts, allowance, now);
            let advice = standing(&account, allowance, pace).advise(credits(bought), now);
            prop_assert_eq!(advice.used.checked_add(advice.lapses), Some(credits(bought)));
            let after = account.grant(now, new_batch("bought", credits(bought))).unwrap().account;
            let outlook = after.outlook(now, advice.ends, PacePerDay(credits(pace)));
            let lapse = outlook.lapses.iter().find(|lapse| lapse.batch.as_str() == "bought");
            prop_assert_eq!(lapse.map_or(NanoCredits::ZERO, |lapse| lapse.amount), advice.lapses);
            if allowance == 0 && advice.lapses.is_zero() {
                prop_assert_eq!(advice.lasts_until, outlook.empty_at);
            }
        }

        /// What is used of too much is just what could have been bought without loss.
        #[test]
        fn as_much_as_is_used_can_be_bought_instead(
            parts in prop::collection::vec((1i64..43_199, 1i64..60_000), 0..6), bought in 1i64..400_000, pace in 0i64..9_000,
        ) {
            let account = account(&parts, 0, start());
            let standing = standing(&account, 0, pace);
            let used = standing.advise(credits(bought), start()).used;
            prop_assert!(standing.advise(used, start()).lapses.is_zero());
        }

        /// At the instant waited for nothing lapses, and a second before something does.
        #[test]
        fn waiting_is_worth_it_and_no_longer_than_it_takes(
            parts in prop::collection::vec((1i64..43_199, 1i64..60_000), 1..6), bought in 1i64..200_000, pace in 1i64..9_000,
        ) {
            let now = start();
            let account = account(&parts, 0, now);
            let standing = standing(&account, 0, pace);
            let advice = standing.advise(credits(bought), now);
            match advice.wait_until {
                Some(at) => {
                    prop_assert!(!advice.lapses.is_zero() && at > now);
                    prop_assert_eq!(standing.follow(credits(bought), now, at).left, 0);
                    let before = at - TimeDelta::milliseconds(1);
                    prop_assert!(standing.follow(credits(bought), now, before).left > 0);
                }
                None => prop_assert!(advice.lapses.is_zero() || bought > pace * 30),
            }
        }
    }
}
