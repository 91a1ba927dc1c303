//! All known batches as a table: RFC 4180, exact decimals. In each row what was used, is held, is left, lapsed and was taken away is
//! together what the batch held at first.

use super::{account::is_over, ahead::Ahead, figures::instant, payments_csv::guarded};
use crate::{record::KnownAccount, view::ErrorView};
use aispace_ledger::Batch;
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};

const COLUMNS: [&str; 13] = [
    "batch_id",
    "draw_order",
    "state",
    "source",
    "note",
    "added_utc",
    "ends_utc",
    "granted_credits",
    "used_credits",
    "held_credits",
    "left_credits",
    "lapsed_credits",
    "voided_credits",
];

/// The table with its header: live batches in the order they are drawn, then the others, newest end first.
///
/// # Errors
/// Never for a table in memory; said all the same.
pub(crate) fn batches_csv(known: &KnownAccount, now: DateTime<Utc>) -> Result<Vec<u8>, ErrorView> {
    let ahead = Ahead::of(known, now);
    let mut others: Vec<&Batch> = ahead.batches.iter().filter(|b| !b.is_live(now)).collect();
    others.sort_by_key(|b| std::cmp::Reverse((b.expires, b.seq)));
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(ErrorView::internal)?;
    let live = ahead.live().into_iter().zip(1u32..).map(|(batch, order)| (batch, order.to_string()));
    for (batch, order) in live.chain(others.into_iter().map(|batch| (batch, String::new()))) {
        table.write_record(row(batch, order, now).map(|cell| guarded(&cell))).map_err(ErrorView::internal)?;
    }
    table.into_inner().map_err(ErrorView::internal)
}

fn row(batch: &Batch, order: String, now: DateTime<Utc>) -> [String; COLUMNS.len()] {
    // What ended since the service was asked last has lapsed.
    let (left, lapsed) = if batch.is_closed(now) && !batch.left.is_zero() {
        (NanoCredits::ZERO, batch.lapsed.checked_add(batch.left).unwrap_or(batch.lapsed))
    } else {
        (batch.left, batch.lapsed)
    };
    let rest = [batch.held, left, lapsed, batch.voided].iter().try_fold(batch.granted, |sum, part| sum.checked_sub(*part));
    [
        batch.id.as_str().into(),
        order,
        state(batch, now).into(),
        batch.source.as_str().into(),
        batch.note.clone().unwrap_or_default(),
        instant(batch.added),
        instant(batch.expires),
        batch.granted.to_string(),
        rest.unwrap_or_default().to_string(),
        batch.held.to_string(),
        left.to_string(),
        lapsed.to_string(),
        batch.voided.to_string(),
    ]
}

fn state(batch: &Batch, now: DateTime<Utc>) -> &'static str {
    if batch.voided_at.is_some() {
        "voided"
    } else if batch.expires <= now {
        "expired"
    } else if is_over(batch, now) {
        "spent"
    } else if batch.left.is_zero() {
        "held"
    } else {
        "live"
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use aispace_api::{AccountAnswer, BatchAnswer};
    use aispace_units::NanoCreditSum;
    use proptest::prelude::*;
    use serde_json::json;

    /// An account with these batches.
    pub(in crate::project) fn known(batches: Vec<BatchAnswer>) -> KnownAccount {
        let answer = json!({"account_id": "acct_1", "server_time": "2027-01-15T10:30:00Z", "available_credits": "0", "batches": [],
            "next_expiry": null, "entry_count": 1});
        let answer: AccountAnswer = serde_json::from_value(answer).expect("an account");
        KnownAccount { answer: AccountAnswer { batches, ..answer }, usage: vec![], clock_offset_ms: 0 }
    }

    /// A grant of these nanocredits: used, held, left.
    pub(in crate::project) fn answer(id: &str, parts: [i64; 3], minutes_left: i64) -> BatchAnswer {
        let nanos = |n: i64| NanoCredits::from_nanos(n).expect("credits").to_string();
        let expires = super::super::ahead::tests::now() + chrono::TimeDelta::minutes(minutes_left);
        let batch = json!({"batch_id": id, "source": "eth_purchase", "note": null, "added": expires - chrono::TimeDelta::days(30),
            "expires": expires, "granted_credits": nanos(parts.iter().sum()), "left_credits": nanos(parts[2]), "lapsed_credits": "0",
            "held_credits": nanos(parts[1]), "state": "live"});
        serde_json::from_value(batch).expect("a batch")
    }

    fn now() -> DateTime<Utc> {
        super::super::ahead::tests::now()
    }

    fn read(table: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
        reader.records().map(|record| record.expect("a row").iter().map(str::to_owned).collect()).collect()
    }

    fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
        let at = rows[0].iter().position(|column| column == name).expect("a column");
        rows[1..].iter().map(|row| row[at].clone()).collect()
    }

    #[test]
    fn live_ones_stand_first_and_each_state_has_its_word() {
        let nano = 1_000_000_000;
        let mut voided = answer("void", [nano, 0, 0], 500);
        (voided.voided_at, voided.voided_credits, voided.granted_credits) =
            (Some(now()), "3".parse().expect("credits"), "4".parse().expect("credits"));
        let mut named = answer("live2", [0, 0, 1], 900);
        named.note = Some("=1+1".into());
        let all = vec![
            named,
            answer("over", [nano, 0, 2 * nano], -5),
            voided,
            answer("spent", [7, 0, 0], 60),
            answer("held", [0, 7, 0], 50),
            answer("live1", [1, 2, 3], 800),
        ];
        let table = batches_csv(&known(all), now()).expect("a table");
        let rows = read(&table);
        assert_eq!(column(&rows, "batch_id"), ["live1", "live2", "void", "spent", "held", "over"]);
        assert_eq!(column(&rows, "draw_order"), ["1", "2", "", "", "", ""]);
        assert_eq!(column(&rows, "state"), ["live", "live", "voided", "spent", "held", "expired"]);
        assert_eq!(column(&rows, "note")[1], "'=1+1");
        assert_eq!((column(&rows, "lapsed_credits")[5].as_str(), column(&rows, "left_credits")[5].as_str()), ("2", "0"));
        assert_eq!(column(&rows, "used_credits")[..3], ["0.000000001", "0", "1"]);
        assert_eq!(column(&rows, "ends_utc")[5], "2027-01-15T10:25:00.000Z");
        assert!(table.ends_with(b"\r\n") && table.iter().filter(|b| **b == b'\n').count() == 7);
    }

    proptest! {
        /// Every row adds up, and what is left together is the balance.
        #[test]
        fn totals_are_those_of_the_ledger(parts in prop::collection::vec(([0i64..1 << 50, 0i64..1 << 50, 0i64..1 << 50], -40_000i64..40_000), 0..30)) {
            let all: Vec<BatchAnswer> = parts.iter().enumerate().map(|(n, (parts, minutes))| answer(&format!("b{n}"), *parts, *minutes)).collect();
            let known = known(all);
            let rows = read(&batches_csv(&known, now()).expect("a table"));
            let sum = |name: &str| NanoCreditSum::total(column(&rows, name).iter().map(|cell| cell.parse().expect("credits")));
            let parts = ["used_credits", "held_credits", "left_credits", "lapsed_credits", "voided_credits"];
            let together = parts.iter().fold(NanoCreditSum::default(), |all, name| all.plus(sum(name)));
            prop_assert_eq!(together, sum("granted_credits"));
            let ahead = Ahead::of(&known, now());
            prop_assert_eq!(sum("left_credits"), NanoCreditSum::total(ahead.live().iter().map(|b| b.left)));
            prop_assert_eq!(rows.len(), known.answer.batches.len() + 1);
        }
    }
}
