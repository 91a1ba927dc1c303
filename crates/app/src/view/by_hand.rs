//! Batches that a person types in or reads from a table.

use serde::{Deserialize, Serialize};
use specta::Type;

/// A batch as it is typed: every field is text until it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TypedBatch {
    /// A word for people, or empty.
    pub note: String,
    /// Credits it held at first.
    pub granted_credits: String,
    /// What is left of it; empty means all.
    pub left_credits: String,
    /// When it was added, UTC where nothing else is said; empty means 30 days before its end.
    pub added: String,
    /// When it ends; empty means 30 days after it was added.
    pub expires: String,
}

/// Where something is wrong with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TypedField {
    /// The line as such.
    Line,
    /// The note.
    Note,
    /// Credits at first.
    Granted,
    /// Credits left.
    Left,
    /// When it was added.
    Added,
    /// When it ends.
    Expires,
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TypedFault {
    /// Nothing was given.
    Missing,
    /// Not an amount of credits: digits, and at most nine after a point.
    NotAmount,
    /// Not a date, or a date and time.
    NotInstant,
    /// More is left than there was.
    AboveGranted,
    /// It ends before it begins.
    EndsFirst,
    /// Longer than 120 characters.
    TooLong,
    /// Another number of fields than the header.
    FieldCount,
    /// No header that names a column of credits.
    NoHeader,
    /// More lines than can be taken.
    TooMany,
    /// Not text in UTF-8, or too much of it.
    NotText,
}

/// Something wrong in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TypedFaultView {
    /// Which line: of a table as an editor counts it, of typed batches from 1.
    pub line: u32,
    /// Which part of it.
    pub field: TypedField,
    /// What is wrong.
    pub fault: TypedFault,
    /// What was given.
    pub given: String,
}

/// Batches that were read, and everything that is wrong with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TypedBatchesView {
    /// Those that are right, written out in full.
    pub batches: Vec<TypedBatch>,
    /// Everything that is wrong; nothing is kept while there is any.
    pub faults: Vec<TypedFaultView>,
    /// What is left of the right ones in all.
    pub left_credits: String,
}
