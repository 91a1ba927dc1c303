//! The bytes of an entry that are hashed, and their hash.

use crate::entry::{DebtPart, EntryKind};
use crate::{BatchId, HoldId, Taken};
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};
use sha2::compress256;

/// `SHA-256(previous ‖ canonical bytes)`.
#[inline]
pub(crate) fn entry_hash(previous: &[u8; 32], sequence: u64, at: DateTime<Utc>, kind: &EntryKind) -> [u8; 32] {
    let mut hashing = Hashing::new();
    hashing.bytes(previous);
    canonical_bytes(&mut hashing, sequence, at, kind);
    hashing.finish()
}

/// The bytes that are hashed, in this order: the text `entry/1`; sequence (u64); instant in
/// milliseconds since 1970 (i64); one byte for the kind (in the order of [`EntryKind`], from 1); its
/// fields in that order. All integers are big-endian; a text is its length in bytes
/// (u64) and its UTF-8; an optional text has a byte 0 or 1 before it; a list has its length (u64)
/// before it; an amount is its count of 10⁻⁹ credits (i64); a source is its wire word as a text.
#[inline]
fn canonical_bytes(out: &mut impl Canonical, sequence: u64, at: DateTime<Utc>, kind: &EntryKind) {
    out.bytes(b"entry/1");
    out.bytes(&sequence.to_be_bytes());
    out.instant(at);
    match kind {
        EntryKind::BatchAdded { batch, source, note, expires, amount } => {
            out.bytes(&[1]);
            out.text(batch.as_str());
            out.text(source.as_str());
            out.optional_text(note.as_deref());
            out.instant(*expires);
            out.amount(*amount);
        }
        EntryKind::Debit { taken, memo } => {
            out.bytes(&[2]);
            out.taken(taken);
            out.optional_text(memo.as_deref());
        }
        EntryKind::Expired { batch, amount } => out.batch(3, batch, *amount),
        EntryKind::Held { hold, taken, expires, memo } => {
            out.hold(4, hold);
            out.taken(taken);
            out.instant(*expires);
            out.optional_text(memo.as_deref());
        }
        EntryKind::Settled { hold, spent, released, drawn, debt, memo } => {
            out.hold(5, hold);
            [spent, released, drawn].into_iter().for_each(|parts| out.taken(parts));
            out.amount(*debt);
            out.optional_text(memo.as_deref());
        }
        EntryKind::Released { hold, released } => {
            out.hold(6, hold);
            out.taken(released);
        }
        EntryKind::TimedOut { hold, released } => {
            out.hold(7, hold);
            out.taken(released);
        }
        EntryKind::Voided { batch, amount } => out.batch(8, batch, *amount),
        EntryKind::Refunded { charge, cancelled, returned, swallowed, paid, memo } => {
            out.bytes(&[9]);
            out.bytes(&charge.to_be_bytes());
            out.amount(*cancelled);
            out.taken(returned);
            out.taken(swallowed);
            out.paid(paid);
            out.optional_text(memo.as_deref());
        }
        EntryKind::DebtPaid { paid } => {
            out.bytes(&[10]);
            out.paid(paid);
        }
        EntryKind::AllowanceSet { amount } => {
            out.bytes(&[11]);
            out.amount(*amount);
        }
    }
}

/// Takes the canonical bytes one after the other.
trait Canonical {
    fn bytes(&mut self, bytes: &[u8]);

    #[inline]
    fn length(&mut self, length: usize) {
        self.bytes(&u64::try_from(length).expect("a length in memory fits 64 bits").to_be_bytes());
    }

    #[inline]
    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes(text.as_bytes());
    }

    #[inline]
    fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.bytes(&[1]);
                self.text(text);
            }
            None => self.bytes(&[0]),
        }
    }

    fn batch(&mut self, kind: u8, batch: &BatchId, amount: NanoCredits) {
        self.bytes(&[kind]);
        self.text(batch.as_str());
        self.amount(amount);
    }

    fn hold(&mut self, kind: u8, hold: &HoldId) {
        self.bytes(&[kind]);
        self.text(hold.as_str());
    }

    #[inline]
    fn taken(&mut self, parts: &[Taken]) {
        self.length(parts.len());
        for part in parts {
            self.text(part.batch.as_str());
            self.amount(part.amount);
        }
    }

    fn paid(&mut self, parts: &[DebtPart]) {
        self.length(parts.len());
        for part in parts {
            self.bytes(&part.charge.to_be_bytes());
            self.text(part.batch.as_str());
            self.amount(part.amount);
        }
    }

    #[inline]
    fn instant(&mut self, at: DateTime<Utc>) {
        self.bytes(&at.timestamp_millis().to_be_bytes());
    }

    #[inline]
    fn amount(&mut self, amount: NanoCredits) {
        self.bytes(&amount.nanos().to_be_bytes());
    }
}

/// SHA-256 of many small pieces, gathered on the stack: nothing is allocated, and nearly every entry is hashed from one place.
struct Hashing {
    state: [u32; 8],
    gathered: [[u8; BLOCK]; 4],
    // How much is gathered and not hashed yet, and how much was hashed before.
    length: usize,
    hashed: u64,
}

/// Bytes that SHA-256 takes at a time.
const BLOCK: usize = 64;
const ZEROS: [u8; BLOCK] = [0; BLOCK];
/// What SHA-256 starts from (FIPS 180-4, 5.3.3).
const START: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

impl Hashing {
    #[inline]
    fn new() -> Self {
        Self { state: START, gathered: [[0; BLOCK]; 4], length: 0, hashed: 0 }
    }

    /// Ends the message as the standard has it: a bit, zeros up to the end of a block but for eight bytes, its length in bits.
    #[inline]
    fn finish(&mut self) -> [u8; 32] {
        let bits = self.hashed.saturating_add(self.length.try_into().unwrap_or(u64::MAX)).saturating_mul(8);
        self.bytes(&[0x80]);
        let over = self.length.saturating_add(8) % BLOCK;
        let zeros = if over == 0 { 0 } else { BLOCK.saturating_sub(over) };
        self.bytes(ZEROS.get(..zeros).unwrap_or_default());
        self.bytes(&bits.to_be_bytes());
        self.take_blocks();
        let mut hash = [0; 32];
        for (bytes, word) in hash.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        hash
    }

    #[inline]
    fn take_blocks(&mut self) {
        let blocks = self.length / BLOCK;
        for block in self.gathered.iter().take(blocks) {
            compress256(&mut self.state, &[(*block).into()]);
        }
        self.length = 0;
    }

    /// A piece that does not fit beside what is gathered.
    #[cold]
    fn overflow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.gathered.as_flattened_mut().get_mut(self.length..).unwrap_or_default();
            let fits = room.len().min(bytes.len());
            let (now, later) = bytes.split_at(fits);
            room.iter_mut().zip(now).for_each(|(room, byte)| *room = *byte);
            self.length = self.length.saturating_add(fits);
            bytes = later;
            if !bytes.is_empty() {
                self.hashed = self.hashed.saturating_add(self.length.try_into().unwrap_or(u64::MAX));
                self.take_blocks();
            }
        }
    }
}

impl Canonical for Hashing {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(room) = self.gathered.as_flattened_mut().get_mut(self.length..end) {
            room.copy_from_slice(bytes);
            self.length = end;
        } else {
            self.overflow(bytes);
        }
    }
}

#[cfg(test)]
impl Canonical for Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// Hashes are stored for ever: the bytes may not change under a stored log.
    #[test]
    fn the_canonical_form_stands_still() {
        let at = DateTime::from_timestamp_millis(1_800_000_000_123).expect("time");
        let kind =
            EntryKind::Debit { taken: vec![Taken { batch: BatchId::new("b"), amount: "0.55".parse().expect("amount") }], memo: None };
        let mut bytes = Vec::new();
        canonical_bytes(&mut bytes, 2, at, &kind);
        assert_eq!(
            hex::encode(bytes),
            concat!(
                "656e7472792f31",     // entry/1
                "0000000000000002",   // sequence
                "000001a3185c507b",   // milliseconds
                "02",                 // debit
                "0000000000000001",   // one part
                "000000000000000162", // "b"
                "0000000020c85580",   // 550,000,000
                "00",                 // no memo
            )
        );
    }

    /// However the bytes are gathered, it is the hash of all of them: short ones, those that just fit, long ones.
    #[test]
    fn the_hash_is_that_of_the_canonical_bytes() {
        let (at, previous) = (DateTime::from_timestamp_millis(1_800_000_000_123).expect("time"), [7; 32]);
        for length in (0..600).chain([5_000]) {
            let part = Taken { batch: BatchId::new("b".repeat(length % 97)), amount: "0.55".parse().expect("amount") };
            let kind = EntryKind::Debit { taken: vec![part; length % 5], memo: Some("m".repeat(length)) };
            let mut bytes = previous.to_vec();
            canonical_bytes(&mut bytes, 2, at, &kind);
            assert_eq!(entry_hash(&previous, 2, at, &kind), <[u8; 32]>::from(Sha256::digest(bytes)), "{length}");
        }
    }
}
