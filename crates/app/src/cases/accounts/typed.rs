//! Reading typed batches: exact, line by line, and nothing half.

use crate::{
    project::instant,
    view::{TypedBatch, TypedBatchesView, TypedFault, TypedFaultView, TypedField},
};
use aispace_api::BatchAnswer;
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Batches of one account.
const BATCHES_MAX: usize = 10_000;
/// Bytes of a table: ten thousand lines of a hundred, twice over.
const TABLE_BYTES_MAX: usize = 2_000_000;
const NOTE_CHARS_MAX: usize = 120;
/// How long a batch lives unless its end is given.
const LIFE: TimeDelta = TimeDelta::days(30);
/// Faults that are told; whoever has more has the wrong file.
const FAULTS_MAX: usize = 100;

/// A batch that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) note: Option<String>,
    pub(super) granted: NanoCredits,
    pub(super) left: NanoCredits,
    pub(super) added: DateTime<Utc>,
    pub(super) expires: DateTime<Utc>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) batches: Vec<Batch>,
    pub(super) faults: Vec<TypedFaultView>,
}

/// What columns may be called.
const COLUMNS: [(TypedField, &[&str]); 5] = [
    (TypedField::Granted, &["granted_credits", "granted", "credits", "amount"]),
    (TypedField::Left, &["left_credits", "left", "remaining", "balance"]),
    (TypedField::Added, &["added", "added_utc", "start", "created"]),
    (TypedField::Expires, &["expires", "expires_utc", "ends", "end", "expiry"]),
    (TypedField::Note, &["note", "name", "label"]),
];

/// Checks batches that were typed, counted from 1.
pub(super) fn check(batches: &[TypedBatch]) -> Checked {
    let mut checked = Checked::default();
    if batches.len() > BATCHES_MAX {
        checked.faults.push(fault(1, TypedField::Line, TypedFault::TooMany, &batches.len().to_string()));
        return checked;
    }
    for (batch, line) in batches.iter().zip(1u32..) {
        checked.take(batch, line);
    }
    checked
}

/// Reads a table: its header names the columns, in any order, between commas, semicolons or tabs.
pub(super) fn read(table: &str) -> Checked {
    let mut checked = Checked::default();
    if table.len() > TABLE_BYTES_MAX || table.contains('\u{FFFD}') || table.contains('\0') {
        checked.faults.push(fault(1, TypedField::Line, TypedFault::NotText, ""));
        return checked;
    }
    let table = table.strip_prefix('\u{FEFF}').unwrap_or(table);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter(table))
        .from_reader(table.as_bytes());
    let mut rows = reader.records().map_while(Result::ok);
    let header = rows.next().unwrap_or_default();
    let columns: Vec<Option<TypedField>> = header.iter().map(column).collect();
    if !columns.iter().flatten().any(|field| matches!(field, TypedField::Granted | TypedField::Left)) {
        checked.faults.push(fault(1, TypedField::Line, TypedFault::NoHeader, header.get(0).unwrap_or_default()));
        return checked;
    }
    for (row, count) in rows.zip(1usize..) {
        let line = row.position().map_or(0, |at| u32::try_from(at.line()).unwrap_or(u32::MAX));
        if count > BATCHES_MAX {
            checked.faults.push(fault(line, TypedField::Line, TypedFault::TooMany, ""));
            break;
        }
        if row.len() != columns.len() {
            checked.faults.push(fault(line, TypedField::Line, TypedFault::FieldCount, &row.len().to_string()));
            continue;
        }
        checked.take(&typed_row(&columns, &row), line);
    }
    if checked.batches.is_empty() && checked.faults.is_empty() {
        checked.faults.push(fault(2, TypedField::Line, TypedFault::Missing, ""));
    }
    checked
}

/// What was read, for the window.
pub(super) fn view(checked: &Checked) -> TypedBatchesView {
    TypedBatchesView {
        batches: checked.batches.iter().map(written_out).collect(),
        faults: checked.faults.iter().take(FAULTS_MAX).cloned().collect(),
        left_credits: NanoCreditSum::total(checked.batches.iter().map(|b| b.left)).to_string(),
    }
}

/// A kept batch as it can be edited.
pub(super) fn of_batch(batch: &BatchAnswer) -> TypedBatch {
    let (note, granted, left) = (batch.note.clone(), batch.granted_credits, batch.left_credits);
    written_out(&Batch { note, granted, left, added: batch.added, expires: batch.expires })
}

fn written_out(batch: &Batch) -> TypedBatch {
    TypedBatch {
        note: batch.note.clone().unwrap_or_default(),
        granted_credits: batch.granted.to_string(),
        left_credits: batch.left.to_string(),
        added: instant(batch.added),
        expires: instant(batch.expires),
    }
}

fn delimiter(table: &str) -> u8 {
    let header = table.lines().next().unwrap_or_default();
    [b';', b'\t'].into_iter().find(|byte| header.as_bytes().contains(byte)).unwrap_or(b',')
}

fn column(name: &str) -> Option<TypedField> {
    let name = name.to_ascii_lowercase().replace([' ', '-'], "_");
    COLUMNS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| *field)
}

fn typed_row(columns: &[Option<TypedField>], row: &csv::StringRecord) -> TypedBatch {
    let of = |wanted: TypedField| columns.iter().zip(row).find(|(field, _)| **field == Some(wanted)).map(|(_, cell)| cell.to_owned());
    let mut batch = TypedBatch {
        note: of(TypedField::Note).unwrap_or_default(),
        granted_credits: of(TypedField::Granted).unwrap_or_default(),
        left_credits: of(TypedField::Left).unwrap_or_default(),
        added: of(TypedField::Added).unwrap_or_default(),
        expires: of(TypedField::Expires).unwrap_or_default(),
    };
    // A table of what is left says no more about what there was.
    if !columns.contains(&Some(TypedField::Granted)) {
        batch.granted_credits.clone_from(&batch.left_credits);
    }
    batch
}

fn fault(line: u32, field: TypedField, fault: TypedFault, given: &str) -> TypedFaultView {
    TypedFaultView { line, field, fault, given: given.chars().take(NOTE_CHARS_MAX).collect() }
}

impl Checked {
    /// Takes a batch, or everything that is wrong with it.
    fn take(&mut self, typed: &TypedBatch, line: u32) {
        let mut faults = Vec::new();
        let mut wrong = |field, what, given: &str| faults.push(fault(line, field, what, given));
        let note = typed.note.trim();
        if note.chars().count() > NOTE_CHARS_MAX {
            wrong(TypedField::Note, TypedFault::TooLong, note);
        }
        let granted = amount(&typed.granted_credits).map_err(|what| wrong(TypedField::Granted, what, &typed.granted_credits)).ok();
        let left = match typed.left_credits.trim() {
            "" => granted,
            given => amount_or_none(given).map_err(|what| wrong(TypedField::Left, what, given)).ok(),
        };
        if let (Some(granted), Some(left)) = (granted, left)
            && left > granted
        {
            wrong(TypedField::Left, TypedFault::AboveGranted, &typed.left_credits);
        }
        let mut at = |field, given: &str| match given.trim() {
            "" => Ok(None),
            given => moment(given).map(Some).ok_or_else(|| wrong(field, TypedFault::NotInstant, given)),
        };
        let life = (at(TypedField::Added, &typed.added), at(TypedField::Expires, &typed.expires));
        let life = match life {
            (Ok(None), Ok(None)) => {
                wrong(TypedField::Expires, TypedFault::Missing, "");
                None
            }
            (Ok(Some(added)), Ok(None)) => added.checked_add_signed(LIFE).map(|expires| (added, expires)),
            (Ok(None), Ok(Some(expires))) => expires.checked_sub_signed(LIFE).map(|added| (added, expires)),
            (Ok(Some(added)), Ok(Some(expires))) => Some((added, expires)),
            _ => None,
        };
        if life.is_some_and(|(added, expires)| expires <= added) {
            wrong(TypedField::Expires, TypedFault::EndsFirst, &typed.expires);
        }
        if let (true, Some(granted), Some(left), Some((added, expires))) = (faults.is_empty(), granted, left, life) {
            let note = (!note.is_empty()).then(|| note.to_owned());
            self.batches.push(Batch { note, granted, left, added, expires });
        }
        self.faults.append(&mut faults);
    }
}

fn amount(text: &str) -> Result<NanoCredits, TypedFault> {
    if text.trim().is_empty() {
        return Err(TypedFault::Missing);
    }
    amount_or_none(text).and_then(|amount| if amount.is_zero() { Err(TypedFault::NotAmount) } else { Ok(amount) })
}

fn amount_or_none(text: &str) -> Result<NanoCredits, TypedFault> {
    text.trim().parse().map_err(|_| TypedFault::NotAmount)
}

/// A date, a date and time in UTC, or an instant with its zone.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let with_time = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
    let at = with_time.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let at = at.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    (1970..=9998).contains(&chrono::Datelike::year(&at)).then(|| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults(checked: &Checked) -> Vec<(u32, TypedField, TypedFault)> {
        checked.faults.iter().map(|f| (f.line, f.field, f.fault)).collect()
    }

    #[test]
    fn a_table_is_read_whatever_its_separator_and_order() {
        let expected = [("0.000000001", "2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z", "Müller, \"Nord\"")];
        for table in [
            "credits,added,note\n0.000000001,2026-11-01,\"Müller, \"\"Nord\"\"\"\n",
            "\u{FEFF}Note;Ends;Amount\r\n\"Müller, \"\"Nord\"\"\";2026-12-01 00:00 UTC;0.000000001\r\n",
            "left\tadded\tnote\tcolour\n 0.000000001 \t2026-11-01T01:00:00+01:00\tMüller, \"Nord\"\tred\n",
        ] {
            let view = view(&read(table));
            assert_eq!(view.faults, [], "{table}");
            let read: Vec<_> =
                view.batches.iter().map(|b| (b.left_credits.as_str(), b.added.as_str(), b.expires.as_str(), b.note.as_str())).collect();
            assert_eq!(read, expected, "{table}");
        }
    }

    #[test]
    fn everything_wrong_is_said_with_its_line_and_field() {
        use TypedFault as F;
        use TypedField as P;
        let table = "granted,left,added,expires\n100,,2026-11-01,\n1e3,0,2026-11-01,\n100,101,2026-11-01,\n100,,,\n100,,2026-02-30,x\n\
                     100,,2026-11-02,2026-11-01\n1,2\n0,,2026-11-01,\n\"1,000\",,2026-11-01,\n-5,,2026-11-01,\n1.0000000001,,2026-11-01,\n";
        let checked = read(table);
        assert_eq!(checked.batches.len(), 1);
        let expected = [
            (3, P::Granted, F::NotAmount),
            (4, P::Left, F::AboveGranted),
            (5, P::Expires, F::Missing),
            (6, P::Added, F::NotInstant),
            (6, P::Expires, F::NotInstant),
            (7, P::Expires, F::EndsFirst),
            (8, P::Line, F::FieldCount),
            (9, P::Granted, F::NotAmount),
            (10, P::Granted, F::NotAmount),
            (11, P::Granted, F::NotAmount),
            (12, P::Granted, F::NotAmount),
        ];
        assert_eq!(faults(&checked), expected);
    }

    #[test]
    fn what_is_no_table_is_said() {
        use TypedFault as F;
        for (table, line, fault) in [
            ("", 1, F::NoHeader),
            ("PK\u{3}\u{4}\0\0", 1, F::NotText),
            ("a\u{FFFD}b", 1, F::NotText),
            ("name,when\nx,y\n", 1, F::NoHeader),
            ("credits,added\n", 2, F::Missing),
        ] {
            assert_eq!(faults(&read(table)), [(line, TypedField::Line, fault)], "{table:?}");
        }
        let long = format!("credits,added\n{}", "1,2026-11-01\n".repeat(BATCHES_MAX + 1));
        assert_eq!(faults(&read(&long)), [(10_002, TypedField::Line, F::TooMany)]);
    }

    proptest! {
        #[test]
        fn what_is_written_out_is_read_back_the_same(nanos in 1i64..=i64::MAX, part in 0u64..=1_000_000, seconds in 0i64..4_000_000_000, note in "[ -~]{0,40}") {
            let granted = NanoCredits::from_nanos(nanos).unwrap();
            let left = NanoCredits::from_nanos(i64::try_from(i128::from(nanos) * i128::from(part) / 1_000_000).unwrap()).unwrap();
            let added = DateTime::from_timestamp(seconds, 0).unwrap();
            let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
            let batch = Batch { note, granted, left, added, expires: added + TimeDelta::days(3) };
            let again = check(&[written_out(&batch)]);
            prop_assert!(again.faults.is_empty());
            prop_assert_eq!(&again.batches, &[batch]);
        }

        #[test]
        fn no_text_makes_it_stumble(table in "\\PC{0,200}") {
            let read = read(&table);
            prop_assert!(!read.batches.is_empty() || !read.faults.is_empty());
        }
    }
}
