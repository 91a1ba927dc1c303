//! The ledger alone: accounts in memory, changed in place, every entry hashed.

use crate::figures::{Work, grouped, print, rounds};
use aispace_ledger::{Account, AccountId, BatchId, BatchSource, Entry, HoldId, NewBatch, NewHold, Posted};
use aispace_units::NanoCredits;
use chrono::{DateTime, TimeDelta, Utc};
use cpu_time::ProcessTime;
use std::hint::black_box;

/// What a batch holds: enough for more debits than are made.
const PLENTY: i64 = 1_000_000_000_000_000;
/// Usage as a gateway notes it.
const MEMO: &str = r#"{"model":"gpt-4o","request":"req_6f1c0a9b2e","input_tokens":1041,"cache_read_tokens":412,"output_tokens":203}"#;

pub fn run(seconds: f64, count: usize) {
    let mut works = Vec::new();
    for live in [1, 30, 300, 3_000] {
        works.push(debits(format!("debit, {}", live_batches(live)), account(live)));
    }
    for dead in [10_000, 1_000_000] {
        let account = with_dead(dead);
        works.push(debits(format!("debit, 30 live batches, {} dead and {} entries behind", dead, account.head().entry_count), account));
    }
    works.push(with_memo());
    works.push(turnover());
    works.push(refused());
    works.push(aside());
    for pending in [0, 64, 1_000] {
        works.push(hold_and_settle(pending));
    }
    works.push(hold_and_release());
    for live in [30, 300] {
        works.push(grant_and_spend(live));
    }
    works.push(balance());
    works.push(hash_alone());
    let figures = rounds(works, seconds, count);
    print(&figures);
    let of = |name: &str| figures.iter().find(|f| f.name == name).expect("it was measured").median();
    let (debit, hash) = (of("debit, 30 live batches"), of(HASH_ALONE));
    println!("\nA debit over 30 live batches without its hash, computed: {} per CPU-second.", grouped(1e9 / (debit - hash)));
    catch_up();
}

fn live_batches(count: usize) -> String {
    if count == 1 { "1 live batch".into() } else { format!("{count} live batches") }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("an instant")
}

/// A millisecond for every eight calls.
fn clock(n: u64) -> DateTime<Utc> {
    start() + TimeDelta::milliseconds((n / 8) as i64)
}

fn nanos(n: i64) -> NanoCredits {
    NanoCredits::from_nanos(n).expect("above zero")
}

/// Ids as long as the service's.
fn batch(n: u64, amount: i64) -> NewBatch {
    let id = BatchId::new(format!("ba_{:032x}", u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)));
    NewBatch { id, source: BatchSource::EthPurchase, note: None, amount: nanos(amount), expires: Some(start() + TimeDelta::days(3_650)) }
}

fn account(live: usize) -> Account {
    let (mut account, mut posted) = (Account::open(AccountId::new("ac_00000000000000000000000000000000")), Posted::new());
    for n in 0..live as u64 {
        account.post_grant(start(), batch(n, PLENTY), &mut posted).expect("granted");
    }
    account
}

/// Half of the dead were spent, half have expired, all through the account.
fn with_dead(dead: usize) -> Account {
    let (mut account, mut posted) = (Account::open(AccountId::new("ac_00000000000000000000000000000000")), Posted::new());
    let mut now = start() - TimeDelta::days(1);
    for n in 0..dead as u64 {
        let expires = (n % 2 == 0).then(|| now + TimeDelta::milliseconds(1));
        let new = batch(1_000_000 + n, 5);
        account.post_grant(now, NewBatch { expires: expires.or(new.expires), ..new }, &mut posted).expect("granted");
        if n % 2 == 1 {
            account.post_debit(now, nanos(5), None, &mut posted).expect("covered");
        }
        now += TimeDelta::milliseconds(1);
    }
    for n in 0..30 {
        account.post_grant(start(), batch(n, PLENTY), &mut posted).expect("granted");
    }
    assert_eq!(account.batches().len(), 30);
    account
}

fn debits<'a>(name: String, mut account: Account) -> Work<'a> {
    let mut posted = Posted::new();
    Work::new(name, move |n| {
        account.post_debit(clock(n), nanos(1 + (n & 63) as i64), None, &mut posted).expect("covered");
        black_box(&posted);
    })
}

fn with_memo<'a>() -> Work<'a> {
    let (mut account, mut posted) = (account(30), Posted::new());
    Work::new(format!("debit with a memo of {} bytes, 30 live batches", MEMO.len()), move |n| {
        account.post_debit(clock(n), nanos(1 + (n & 63) as i64), Some(MEMO.to_owned()), &mut posted).expect("covered");
        black_box(&posted);
    })
}

/// Every tenth debit spends the last of a batch, and a new one comes.
fn turnover<'a>() -> Work<'a> {
    let (mut account, mut posted) = (Account::open(AccountId::new("ac")), Posted::new());
    for n in 0..30 {
        account.post_grant(start(), batch(n, 10), &mut posted).expect("granted");
    }
    Work::new("debit, 30 live batches of ten debits each; every tenth with a grant", move |n| {
        account.post_debit(clock(n), nanos(1), None, &mut posted).expect("covered");
        if n % 10 == 9 {
            account.post_grant(clock(n), batch(1_000 + n, 10), &mut posted).expect("granted");
        }
        black_box(&posted);
    })
}

fn refused<'a>() -> Work<'a> {
    let (mut account, mut posted) = (account(30), Posted::new());
    Work::new("debit refused, 30 live batches", move |n| {
        account.post_debit(clock(n), nanos(i64::MAX), None, &mut posted).expect_err("not covered");
        black_box(&posted);
    })
}

/// The call that leaves the account as it is and answers another one.
fn aside<'a>() -> Work<'a> {
    let mut account = account(30);
    Work::new("debit aside, 30 live batches", move |n| {
        let posting = account.debit(clock(n), nanos(1 + (n & 63) as i64), None).expect("covered");
        account = black_box(posting).account;
    })
}

fn pending(count: u64) -> Account {
    let (mut account, mut posted) = (account(30), Posted::new());
    for n in 0..count {
        let expires = Some(start() + TimeDelta::days(3_000));
        let new = NewHold { id: HoldId::new(format!("ho_{n:032x}")), amount: nanos(5), expires, memo: None };
        account.post_hold(start(), new, &mut posted).expect("covered");
    }
    account
}

/// A new hold, and the settlement of one in the middle of those that are pending.
fn hold_and_settle<'a>(count: u64) -> Work<'a> {
    let (mut account, mut posted) = (pending(count), Posted::new());
    Work::new(format!("hold and settle (two calls), 30 live batches, {count} more holds pending"), move |n| {
        let id = HoldId::new(format!("ho_{:032x}", n + 1_000_000));
        let new = NewHold { id, amount: nanos(100), expires: Some(start() + TimeDelta::days(3_000)), memo: None };
        account.post_hold(clock(n), new, &mut posted).expect("covered");
        let id = account.holds()[account.holds().len() / 2].id.clone();
        account.post_settle(clock(n), &id, nanos(60), None, None, &mut posted).expect("pending");
        black_box(&posted);
    })
}

fn hold_and_release<'a>() -> Work<'a> {
    let (mut account, mut posted) = (account(30), Posted::new());
    Work::new("hold and release (two calls), 30 live batches", move |n| {
        let id = HoldId::new(format!("ho_{n:032x}"));
        let new = NewHold { id: id.clone(), amount: nanos(100), expires: None, memo: None };
        account.post_hold(clock(n), new, &mut posted).expect("covered");
        account.post_release(clock(n), &id, None, &mut posted).expect("pending");
        black_box(&posted);
    })
}

fn grant_and_spend<'a>(live: u64) -> Work<'a> {
    let (mut account, mut posted) = (Account::open(AccountId::new("ac")), Posted::new());
    for n in 0..live {
        account.post_grant(start(), batch(n, 10), &mut posted).expect("granted");
    }
    Work::new(format!("grant and a debit that spends the oldest batch (two calls), {live} live batches"), move |n| {
        account.post_grant(clock(n), batch(1_000 + n, 10), &mut posted).expect("granted");
        account.post_debit(clock(n), nanos(10), None, &mut posted).expect("covered");
        black_box(&posted);
    })
}

fn balance<'a>() -> Work<'a> {
    let account = account(30);
    Work::new("balance, 30 live batches", move |n| {
        black_box(account.balance_at(clock(n)));
    })
}

const HASH_ALONE: &str = "the hash of a debit's entry alone";

fn hash_alone<'a>() -> Work<'a> {
    let (mut account, mut posted) = (account(30), Posted::new());
    account.post_debit(start(), nanos(7), None, &mut posted).expect("covered");
    let entry: Entry = posted.entries.remove(0);
    Work::new(HASH_ALONE, move |_| {
        black_box(black_box(&entry).hash_holds());
    })
}

/// One call after so many missed midnights; ten times as many should take about ten times as long.
fn catch_up() {
    let mut account = account(30);
    let mut posted = Posted::new();
    account.post_allowance(start(), nanos(100), &mut posted).expect("set");
    for days in [365, 3_650, 36_500] {
        let mut times: Vec<f64> = Vec::new();
        for _ in 0..5 {
            let mut late = account.clone();
            let began = ProcessTime::now();
            late.post_debit(start() + TimeDelta::days(days), nanos(1), None, &mut posted).expect("covered");
            times.push(began.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let each = times[2] * 1e9 / posted.entries.len() as f64;
        println!("Catching up {days} midnights: {:.2} ms, {} entries, {each:.0} ns each.", times[2] * 1e3, posted.entries.len());
    }
}
