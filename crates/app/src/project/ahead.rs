//! What lies ahead of an account, by the ledger's own rules: what lapses, what comes in daily, when nothing is left.
//!
//! What a hold reserves belongs to a run that is on: it counts as used, and is never at risk.

use super::{
    account::{ledger_batches, pace_per_day},
    figures::{RULER, about, instant, usd},
};
use crate::{
    record::KnownAccount,
    view::{AtRiskView, NotCountedView, RiskEndView},
};
use aispace_ledger::{Account, AccountId, Allowance, Batch, Debt, EntryHash, Head, Lapse, Outlook, PacePerDay, StoredAccount};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Days within which a lapse is worth a word on the first screen.
const RISK_DAYS: u32 = 7;

/// What is known of an account at an instant, and how fast it is used.
#[derive(Debug, Clone)]
pub(crate) struct Ahead {
    /// Its batches, ended ones among them.
    pub(crate) batches: Vec<Batch>,
    pub(crate) debts: Vec<Debt>,
    /// What comes in at each UTC midnight.
    pub(crate) allowance: NanoCredits,
    /// What is used a day, if that is known.
    pub(crate) pace: Option<PacePerDay>,
    pub(crate) now: DateTime<Utc>,
}

impl Ahead {
    /// Of the account as last read.
    pub(crate) fn of(known: &KnownAccount, now: DateTime<Utc>) -> Self {
        let answer = &known.answer;
        let mut debts: Vec<Debt> = answer.debts.iter().map(|d| Debt { charge: d.sequence, open: d.open_credits }).collect();
        if debts.is_empty() && !answer.debt_credits.is_zero() {
            debts.push(Debt { charge: 0, open: answer.debt_credits });
        }
        Self {
            batches: ledger_batches(&answer.batches),
            debts,
            allowance: answer.allowance_credits_per_day.unwrap_or_default(),
            pace: pace_per_day(known, now),
            now,
        }
    }

    /// Of batches alone.
    pub(crate) fn of_batches(batches: Vec<Batch>, pace: Option<PacePerDay>, now: DateTime<Utc>) -> Self {
        Self { batches, debts: Vec::new(), allowance: NanoCredits::ZERO, pace, now }
    }

    /// Without what is not bought or added yet.
    pub(crate) fn without_renewals(&self) -> Self {
        Self { debts: Vec::new(), allowance: NanoCredits::ZERO, ..self.clone() }
    }

    /// Live batches in the order they are drawn.
    pub(crate) fn live(&self) -> Vec<&Batch> {
        let mut live: Vec<&Batch> = self.batches.iter().filter(|b| b.is_live(self.now)).collect();
        live.sort_by_key(|b| b.draw_key());
        live
    }

    /// The next midnight of UTC, where it adds something.
    pub(crate) fn next_renewal(&self) -> Option<DateTime<Utc>> {
        let midnight = || Some(self.now.date_naive().checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc());
        if self.allowance.is_zero() { None } else { midnight() }
    }

    /// The renewals between an instant and now whose credits would not have ended by now.
    pub(crate) fn renewals_since(&self, since: DateTime<Utc>) -> Option<NotCountedView> {
        let first = since.max(self.now - RULER).date_naive();
        let count = u32::try_from((self.now.date_naive() - first).num_days()).ok()?;
        let credits = NanoCreditSum::total((0..count).map(|_| self.allowance));
        (count > 0 && !self.allowance.is_zero()).then(|| NotCountedView { renewals: count, credits: credits.to_string() })
    }

    /// The account from now on, if so much is used a day: up to the last end of a batch that is there, and 30 days at least.
    pub(crate) fn outlook(&self, pace: PacePerDay) -> Outlook {
        let last = self.live().iter().map(|b| b.expires).max().unwrap_or(self.now);
        self.account().outlook(self.now, last.max(self.now + RULER), pace)
    }

    fn account(&self) -> Account {
        let id = AccountId::new("");
        let free = |batch: &&Batch| Batch { held: NanoCredits::ZERO, ..(*batch).clone() };
        let allowance = (!self.allowance.is_zero()).then_some(Allowance { amount: self.allowance, since: self.now });
        Account::restore(StoredAccount {
            head: Head { entry_count: 0, last_hash: EntryHash::genesis(&id), latest: None },
            id,
            batches: self.live().iter().map(free).collect(),
            holds: Vec::new(),
            debts: self.debts.clone(),
            allowance,
        })
    }

    /// What lapses within a week at the person's own pace.
    pub(crate) fn at_risk(&self) -> Option<AtRiskView> {
        let until = self.now + TimeDelta::days(i64::from(RISK_DAYS));
        let lapses = self.outlook(self.pace?).lapses;
        let ends = by_instant(lapses.iter().filter(|lapse| lapse.at <= until));
        let ends: Vec<(DateTime<Utc>, NanoCredits)> = ends.into_iter().filter_map(|(at, sum)| Some((at, about(sum)?))).collect();
        let all = NanoCreditSum::total(ends.iter().map(|(_, credits)| *credits));
        (!ends.is_empty()).then(|| AtRiskView {
            credits: all.to_string(),
            usd: all.to_decimal().map(usd).unwrap_or_default(),
            days: RISK_DAYS,
            ends: ends.iter().map(|(at, credits)| RiskEndView { at: instant(*at), credits: credits.to_string() }).collect(),
        })
    }
}

fn by_instant<'a>(lapses: impl Iterator<Item = &'a Lapse>) -> BTreeMap<DateTime<Utc>, NanoCredits> {
    let mut sums: BTreeMap<DateTime<Utc>, NanoCredits> = BTreeMap::new();
    for lapse in lapses {
        let sum = sums.entry(lapse.at).or_default();
        *sum = sum.checked_add(lapse.amount).unwrap_or(*sum);
    }
    sums
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use aispace_ledger::{BatchId, BatchSource, NewBatch, forecast};
    use proptest::prelude::*;

    pub(in crate::project) fn now() -> DateTime<Utc> {
        "2027-01-15T10:30:00Z".parse().expect("time")
    }

    pub(in crate::project) fn credits(whole: i64) -> NanoCredits {
        NanoCredits::from_nanos(whole * 1_000_000_000).expect("credits")
    }

    /// A batch of so many credits that ends in so many minutes.
    pub(in crate::project) fn batch(seq: u64, left: NanoCredits, minutes: i64) -> Batch {
        let expires = now() + TimeDelta::minutes(minutes);
        let new = NewBatch { id: BatchId::new(format!("b{seq}")), source: BatchSource::Grant, note: None, amount: left, expires: None };
        Batch::new(seq, expires - RULER, expires, new)
    }

    pub(in crate::project) fn batches(parts: &[(i64, i64)]) -> Vec<Batch> {
        (1u64..).zip(parts).map(|(seq, (nanos, minutes))| batch(seq, NanoCredits::from_nanos(*nanos).expect("credits"), *minutes)).collect()
    }

    fn paced(parts: &[(i64, i64)], pace: i64) -> Ahead {
        Ahead::of_batches(batches(parts), Some(PacePerDay(NanoCredits::from_nanos(pace).expect("credits"))), now())
    }

    const CREDIT: i64 = 1_000_000_000;

    #[test]
    fn what_lapses_within_a_week_is_summed_by_instant() {
        // Two end in two days and one in six, 1,000 are used a day; the one in eight days is not of this week.
        let day = 1_440;
        let ahead = paced(
            &[(3_000 * CREDIT, 2 * day), (500 * CREDIT, 2 * day), (5_845 * CREDIT, 6 * day), (90_000 * CREDIT, 8 * day)],
            1_000 * CREDIT,
        );
        let risk = ahead.at_risk().expect("some lapse");
        let ends: Vec<_> = risk.ends.iter().map(|end| (end.at.as_str(), end.credits.as_str())).collect();
        assert_eq!(ends, [("2027-01-17T10:30:00.000Z", "1500"), ("2027-01-21T10:30:00.000Z", "1850")]);
        assert_eq!((risk.credits.as_str(), risk.usd.as_str(), risk.days), ("3350", "0.335", 7));
    }

    #[test]
    fn without_a_pace_or_a_loss_nothing_is_at_risk() {
        assert_eq!(Ahead { pace: None, ..paced(&[(CREDIT * 90, 60)], 0) }.at_risk(), None);
        assert_eq!(paced(&[(CREDIT * 100, 1_440)], CREDIT * 100).at_risk(), None);
        // Less than five credits are no ten.
        assert_eq!(paced(&[(CREDIT * 104, 1_440)], CREDIT * 100).at_risk(), None);
    }

    #[test]
    fn daily_credits_put_the_empty_day_off_and_pay_what_is_owed_first() {
        let pace = PacePerDay(credits(1_000));
        let plain = paced(&[(5_000 * CREDIT, 40_000)], 0);
        assert_eq!(plain.outlook(pace).empty_at, Some(now() + TimeDelta::days(5)));
        let daily = Ahead { allowance: credits(400), ..plain.clone() };
        // Eight midnights bring 3,200: 8,200 last 8.2 days.
        assert_eq!(daily.outlook(pace).empty_at, Some(now() + TimeDelta::minutes(82 * 144)));
        assert_eq!(daily.next_renewal(), Some("2027-01-16T00:00:00Z".parse().expect("time")));
        let enough = Ahead { allowance: credits(1_000), ..plain };
        assert_eq!(enough.outlook(pace).empty_at, None);
        let owing = Ahead { debts: vec![Debt { charge: 1, open: credits(700) }], ..Ahead { allowance: credits(400), ..paced(&[], 0) } };
        let outlook = owing.outlook(PacePerDay(NanoCredits::ZERO));
        let after = |days| {
            outlook.at("2027-01-15T00:00:00Z".parse::<DateTime<Utc>>().expect("time") + TimeDelta::days(days)).map(|step| step.available)
        };
        assert_eq!([after(1), after(2), after(3)], [Some(credits(0)), Some(credits(100)), Some(credits(500))]);
    }

    #[test]
    fn what_is_held_is_not_at_risk() {
        let held = Batch { held: credits(4_000), ..batch(1, credits(20), 600) };
        let ahead = Ahead::of_batches(vec![held], Some(PacePerDay(NanoCredits::ZERO)), now());
        assert_eq!(ahead.at_risk().map(|risk| risk.credits).as_deref(), Some("20"));
    }

    proptest! {
        /// Renewals come last in the order of drawing, so what lapses of the batches that are there does not depend on them; and it is
        /// never more than there is.
        #[test]
        fn at_risk_is_part_of_what_is_available(
            parts in prop::collection::vec((1i64..900_000 * CREDIT, 1i64..43_200), 0..20), pace in 0i64..200_000 * CREDIT, daily in 0i64..9_000 * CREDIT,
        ) {
            let plain = paced(&parts, pace);
            let ahead = Ahead { allowance: NanoCredits::from_nanos(daily).expect("credits"), ..plain.clone() };
            let pace = PacePerDay(NanoCredits::from_nanos(pace).expect("credits"));
            let outlook = ahead.outlook(pace);
            prop_assert_eq!(&outlook.lapses, &plain.outlook(pace).lapses);
            let available = NanoCreditSum::total(ahead.live().iter().map(|b| b.left));
            prop_assert!(outlook.at_risk() <= available);
            let rows = forecast(&ahead.batches, pace, now());
            prop_assert_eq!(outlook.at_risk(), NanoCreditSum::total(rows.batches.iter().map(|row| row.lapses)));
            if let Some(risk) = ahead.at_risk() {
                let parts = risk.ends.iter().map(|end| end.credits.parse::<NanoCredits>().expect("credits"));
                prop_assert_eq!(NanoCreditSum::total(parts).to_string(), risk.credits);
            }
        }
    }
}
