//! One file: what the process sees, what is on the platter, and what lies between.

use crate::dice::Dice;

/// How unsynced sectors fare when power fails or a sync does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decay {
    /// Sectors of a hundred that made it to the platter whole.
    pub(crate) kept_percent: u64,
    /// Sectors of the rest, of a hundred, of which only the beginning made it.
    pub(crate) torn_percent: u64,
    /// Bytes to a sector.
    pub(crate) sector: usize,
    /// A torn write leaves the bytes around it alone.
    pub(crate) powersafe: bool,
}

/// A change that no sync has made durable: at most one sector of data, or a new length.
#[derive(Debug, Clone)]
enum Pending {
    Write { offset: usize, data: Vec<u8> },
    Truncate { length: usize },
}

/// The contents of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Media {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

impl Media {
    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// Copies what is there and answers how much that was.
    pub(crate) fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let there = self.seen.get(offset..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        count
    }

    pub(crate) fn write(&mut self, offset: usize, data: &[u8], sector: usize) {
        put(&mut self.seen, offset, data);
        let (mut at, mut rest) = (offset, data);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(sector - at % sector));
            self.pending.push(Pending::Write { offset: at, data: now.to_vec() });
            (at, rest) = (at + now.len(), later);
        }
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.seen.resize(length, 0);
        self.pending.push(Pending::Truncate { length });
    }

    /// Makes durable what is pending: not what is seen, for a sync that failed may have lost a part of that for good.
    pub(crate) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            match change {
                Pending::Write { offset, data } => put(&mut self.durable, offset, &data),
                Pending::Truncate { length } => self.durable.resize(length, 0),
            }
        }
    }

    /// Decides for each pending change whether it is on the platter. Afterwards nothing is pending: a later sync will not bring back
    /// what is lost, as on Linux, whose page cache counts a page as clean once writing it back has failed.
    pub(crate) fn decay(&mut self, dice: &mut Dice, how: Decay) {
        for change in std::mem::take(&mut self.pending) {
            let kept = dice.percent(how.kept_percent);
            match change {
                Pending::Truncate { length } if kept => self.durable.resize(length, 0),
                Pending::Truncate { .. } => {}
                Pending::Write { offset, data } if kept => put(&mut self.durable, offset, &data),
                Pending::Write { offset, data } if dice.percent(how.torn_percent) => self.tear(dice, how, offset, &data),
                // The length may be on the platter before the data is.
                Pending::Write { offset, data } if dice.percent(25) => {
                    let end = (offset + data.len()).max(self.durable.len());
                    self.durable.resize(end, 0);
                }
                Pending::Write { .. } => {}
            }
        }
    }

    fn tear(&mut self, dice: &mut Dice, how: Decay, offset: usize, data: &[u8]) {
        if !how.powersafe {
            let begin = offset - offset % how.sector;
            let end = (begin + how.sector).min(self.durable.len());
            for byte in self.durable.get_mut(begin..end).unwrap_or_default() {
                *byte = dice.draw().to_le_bytes()[0];
            }
        }
        put(&mut self.durable, offset, &data[..dice.index(data.len())]);
    }

    /// The process forgets what it saw and reads the platter.
    pub(crate) fn reread(&mut self) {
        self.pending.clear();
        self.seen.clone_from(&self.durable);
    }

    #[cfg(test)]
    pub(crate) fn durable(&self) -> &[u8] {
        &self.durable
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: Decay = Decay { kept_percent: 50, torn_percent: 50, sector: 4, powersafe: true };

    #[test]
    fn only_a_sync_is_a_promise() {
        let mut outcomes = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut media = Media::default();
            media.write(0, b"aaaabbbb", HOW.sector);
            media.sync();
            media.write(0, b"AAAABBBB", HOW.sector);
            media.decay(&mut Dice::new(seed), HOW);
            media.reread();
            let mut seen = [0; 8];
            assert_eq!(media.read(0, &mut seen), 8);
            // Each sector on its own: old, new, or the beginning new.
            for (sector, old, new) in [(&seen[..4], b'a', b'A'), (&seen[4..], b'b', b'B')] {
                let fresh = sector.iter().take_while(|b| **b == new).count();
                assert!(sector[fresh..].iter().all(|b| *b == old), "{seen:?}");
            }
            outcomes.insert(seen);
        }
        assert!(outcomes.len() > 15, "{outcomes:?}");
    }

    #[test]
    fn what_a_failed_sync_lost_no_later_one_brings_back() {
        let how = Decay { kept_percent: 0, torn_percent: 0, ..HOW };
        let mut media = Media::default();
        media.write(0, b"aaaa", how.sector);
        media.sync();
        media.write(0, b"AAAA", how.sector);
        media.decay(&mut Dice::new(1), how);
        media.sync();
        assert_eq!((media.durable(), &media.seen[..]), (&b"aaaa"[..], &b"AAAA"[..]));
    }
}
