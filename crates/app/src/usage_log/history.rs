//! Random histories of an account, by the ledger's own rules, for the tests of the log.

use super::{EntryFilter, UsageLog};
use aispace_api::{RunDescription, UsageAnswer, UsageEntry, UsageKind};
use aispace_ledger::{Account, AccountId, BatchId, BatchSource, Charge, Entry, EntryKind, HoldId, NewBatch, NewHold, Posting};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Something that happens to an account.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Grant { nanos: i64, hours: i64 },
    Debit { nanos: i64, model: u8 },
    Hold { nanos: i64, model: u8 },
    Settle { which: usize, nanos: i64 },
    Release { which: usize },
    Refund { which: usize, nanos: i64 },
    Void { which: usize },
    Allow { nanos: i64 },
    Pass { hours: i64 },
}

/// A list of them, after a first batch.
pub(crate) fn happenings(most: usize) -> impl Strategy<Value = Vec<Happening>> {
    use Happening as H;
    let nanos = || prop_oneof![4 => 0i64..9_000_000_000, 1 => Just(1i64), 1 => 1i64..5_000_000_000_000];
    let one = prop_oneof![
        2 => (1i64..20_000_000_000_000, 1i64..900).prop_map(|(nanos, hours)| H::Grant { nanos, hours }),
        6 => (nanos(), 0u8..4).prop_map(|(nanos, model)| H::Debit { nanos, model }),
        3 => (nanos(), 0u8..4).prop_map(|(nanos, model)| H::Hold { nanos, model }),
        3 => (any::<usize>(), nanos()).prop_map(|(which, nanos)| H::Settle { which, nanos }),
        1 => any::<usize>().prop_map(|which| H::Release { which }),
        3 => (any::<usize>(), nanos()).prop_map(|(which, nanos)| H::Refund { which, nanos }),
        1 => any::<usize>().prop_map(|which| H::Void { which }),
        1 => (0i64..3_000_000_000).prop_map(|nanos| H::Allow { nanos }),
        4 => (0i64..400).prop_map(|hours| H::Pass { hours }),
    ];
    prop::collection::vec(one, 0..most)
}

/// An account, its log, and the clock.
pub(crate) struct History {
    pub(crate) account: Account,
    pub(crate) posted: Vec<Entry>,
    pub(crate) now: DateTime<Utc>,
    ids: u64,
}

impl History {
    /// Plays happenings; what the ledger refuses does not happen.
    pub(crate) fn of(happenings: &[Happening]) -> Self {
        let now = DateTime::from_timestamp(1_795_000_000, 0).expect("an instant");
        let mut history = Self { account: Account::open(AccountId::new("ac_test")), posted: Vec::new(), now, ids: 0 };
        history.play(&Happening::Grant { nanos: 9_000_000_000_000, hours: 720 });
        for one in happenings {
            history.play(one);
        }
        history
    }

    fn play(&mut self, happening: &Happening) {
        self.now += TimeDelta::seconds(1);
        let (account, now) = (&self.account, self.now);
        let amount = |nanos: &i64| NanoCredits::from_nanos(*nanos).expect("not negative");
        let memo = |model: &u8| Some(serde_json::to_string(&run(*model)).expect("text"));
        let id = format!("{:04}", self.ids);
        let posting = match happening {
            Happening::Pass { hours } => {
                self.now += TimeDelta::hours(*hours);
                return;
            }
            Happening::Grant { nanos, hours } => {
                let expires = Some(now + TimeDelta::hours(*hours));
                let batch = NewBatch { id: BatchId::new(id), source: BatchSource::Grant, note: None, amount: amount(nanos), expires };
                account.grant(now, batch)
            }
            Happening::Debit { nanos, model } => account.debit(now, amount(nanos), memo(model)),
            Happening::Hold { nanos, model } => {
                account.hold(now, NewHold { id: HoldId::new(id), amount: amount(nanos), expires: None, memo: memo(model) })
            }
            Happening::Settle { which, nanos } => {
                let Some(hold) = pick(account.holds(), *which) else { return };
                account.settle(now, &hold.id, amount(nanos), hold.memo.clone(), None)
            }
            Happening::Release { which } => {
                let Some(hold) = pick(account.holds(), *which) else { return };
                account.release(now, &hold.id, None)
            }
            Happening::Refund { which, nanos } => {
                let charges: Vec<Charge> = self.posted.iter().filter_map(Charge::of).collect();
                let Some(charge) = pick(&charges, *which) else { return };
                account.refund(now, &charge.after(&self.posted), amount(nanos), None, account.batches())
            }
            Happening::Void { which } => {
                let Some(batch) = pick(account.batches(), *which) else { return };
                account.void(now, &batch.id, None)
            }
            Happening::Allow { nanos } => account.set_allowance(now, amount(nanos)),
        };
        if let Ok(Posting { entries, account, .. }) = posting {
            self.ids += 1;
            self.posted.extend(entries);
            self.account = account;
        }
    }

    /// The log as the service tells it, the oldest first.
    pub(crate) fn entries(&self) -> Vec<UsageEntry> {
        self.posted.iter().map(told).collect()
    }

    /// What the account holds less what it owes, when its newest entry was posted.
    pub(crate) fn holds(&self) -> NanoCreditSum {
        let balance = self.account.balance_at(self.posted.last().expect("an entry").at);
        NanoCreditSum::total([balance.available, balance.held]).minus(balance.debt.into())
    }
}

fn pick<T>(among: &[T], which: usize) -> Option<&T> {
    among.get(which.checked_rem(among.len())?)
}

/// A run of one of four models.
pub(crate) fn run(model: u8) -> RunDescription {
    let (name, kind) =
        [("Sora 2", "video"), ("Qwen 3 4B", "chat"), ("Großes Bild", "image"), ("=Tool", "of_later")][usize::from(model % 4)];
    RunDescription {
        model_id: format!("model-{model}"),
        model_name: name.into(),
        kind: kind.into(),
        meters: BTreeMap::from([("input_tokens".into(), format!("{}", u32::from(model) * 100))]),
        rule: Some("per 1M tokens".into()),
    }
}

/// An entry as the service tells it.
fn told(entry: &Entry) -> UsageEntry {
    let described = |memo: &Option<String>| memo.as_deref().and_then(|memo| serde_json::from_str(memo).ok());
    let mut told = UsageEntry {
        entry_id: entry.id().to_string(),
        sequence: entry.sequence,
        at: entry.at,
        kind: UsageKind::Unknown,
        change_credits: entry.kind.change(),
        run: None,
        held_change_credits: entry.kind.held_change(),
        debt_change_credits: entry.kind.debt_change(),
        hold_id: None,
        charge_sequence: None,
        note: None,
        explanation: None,
    };
    told.kind = match &entry.kind {
        EntryKind::BatchAdded { .. } => UsageKind::BatchAdded,
        EntryKind::Debit { memo, .. } => {
            told.run = described(memo);
            UsageKind::Debit
        }
        EntryKind::Expired { .. } => UsageKind::Expired,
        EntryKind::Held { hold, memo, .. } => {
            (told.hold_id, told.run) = (Some(hold.to_string()), described(memo));
            UsageKind::Held
        }
        EntryKind::Settled { hold, memo, .. } => {
            (told.hold_id, told.run) = (Some(hold.to_string()), described(memo));
            UsageKind::Settled
        }
        EntryKind::Released { hold, .. } => {
            told.hold_id = Some(hold.to_string());
            UsageKind::Released
        }
        EntryKind::TimedOut { hold, .. } => {
            told.hold_id = Some(hold.to_string());
            UsageKind::TimedOut
        }
        EntryKind::Voided { .. } => UsageKind::Voided,
        EntryKind::Refunded { charge, .. } => {
            (told.charge_sequence, told.note) = (Some(*charge), Some("=the run failed".into()));
            UsageKind::Refunded
        }
        EntryKind::DebtPaid { .. } => UsageKind::DebtPaid,
        EntryKind::AllowanceSet { .. } => UsageKind::AllowanceSet,
    };
    told
}

/// A page of a log, as the service cuts it.
pub(crate) fn page(log: &[UsageEntry], cursor: Option<&str>, limit: usize) -> UsageAnswer {
    let before: u64 = cursor.map_or(u64::MAX, |cursor| cursor.parse().expect("a cursor of ours"));
    let below: Vec<_> = log.iter().rev().filter(|entry| entry.sequence < before).cloned().collect();
    let entries: Vec<_> = below.iter().take(limit).cloned().collect();
    let next_cursor = if below.len() > limit { entries.last().map(|entry| entry.sequence.to_string()) } else { None };
    UsageAnswer { server_time: DateTime::UNIX_EPOCH, entries, next_cursor }
}

/// A log of an account, with all of it kept.
pub(crate) async fn kept_log(folder: &std::path::Path, entries: &[UsageEntry]) -> UsageLog {
    let log = UsageLog::open(folder, "ac_test").await.expect("a log");
    let newest_first: Vec<_> = entries.iter().rev().cloned().collect();
    log.keep_newest(&newest_first, None).await.expect("kept");
    log
}

/// Every kept entry that a filter lets through, the newest first.
pub(crate) async fn all(log: &UsageLog, filter: &EntryFilter) -> Vec<super::KeptEntry> {
    log.entries_below(filter, None, u32::MAX).await.expect("entries")
}

/// Runs it to its end.
pub(crate) fn ran<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
