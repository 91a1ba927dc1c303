//! From a model's id or alias to its place, and to what a price of it most often needs.

use super::{CardError, CardFile, ModelRef};
use crate::bill::{Front, Plan};
use foldhash::fast::RandomState;
use std::{cmp::Reverse, collections::HashMap, hash::BuildHasher};

/// The ids and aliases of a card, found without a search: a perfect hash.
///
/// Names are hashed into buckets and each bucket is moved, as a whole, to where all of its names find free places ("hash, displace"; Belazzougui,
/// Botelho, Dietzfelbinger: Hash, displace, and compress, 2009). A search that sometimes goes on to a second place costs more than it
/// looks: the processor guesses whether it does, and begins anew when it was wrong.
#[derive(Debug, Clone)]
pub(super) struct Names {
    keys: [u64; 2],
    // A power of two of buckets, and how far each is moved.
    moves: Box<[u16]>,
    // A power of two of places, each with an entry or `NOWHERE`.
    places: Box<[u32]>,
    // One for every model, in order, then one for every alias.
    entries: Vec<Entry>,
    models: u32,
    // Names too short or too long to compare by windows, and those that a file made so alike that no move parts them.
    others: HashMap<Box<str>, u32, RandomState>,
}

/// A name, its model and the beginning of its plan: two neighbouring lines of the processor's cache, fetched at once.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(128))]
struct Entry {
    name: Windows,
    model: u32,
    front: Front,
}

const NOWHERE: u32 = u32::MAX;
/// The model of an alias that several models have.
const SEVERAL: u32 = u32::MAX;
/// Names that share a bucket, about.
const PER_BUCKET: usize = 4;
/// How often a bucket is moved before its names are put among the others.
const MOVES: u16 = 4_096;

impl Names {
    /// The names of a card's models.
    ///
    /// # Errors
    /// [`CardError::Duplicate`] for two models of one id, [`CardError::Contradiction`] for more names than a table holds.
    pub(super) fn new(file: &CardFile) -> Result<Self, CardError> {
        let (names, entries) = listed(file)?;
        let too_many = || CardError::Contradiction { model_id: file.id.clone(), reason: "too many names".to_owned() };
        let size = names.len().max(4).checked_mul(2).and_then(usize::checked_next_power_of_two).ok_or_else(too_many)?;
        let buckets = size.checked_div(PER_BUCKET.saturating_mul(2)).unwrap_or(0).max(1);
        let others = HashMap::with_hasher(RandomState::default());
        let keys = [1u64, 2].map(|n| others.hasher().hash_one(n));
        let (moves, places) = (vec![0; buckets].into_boxed_slice(), vec![NOWHERE; size].into_boxed_slice());
        let models = u32::try_from(file.models.len()).map_err(|_| too_many())?;
        let mut table = Self { keys, moves, places, entries, models, others };
        table.fill(&names);
        Ok(table)
    }

    /// Gives every name a place, the fullest buckets first.
    fn fill(&mut self, names: &Listed<'_>) {
        let mut buckets: Vec<Vec<(&str, u64, u32)>> = vec![Vec::new(); self.moves.len()];
        for (name, entry) in names {
            let hash = windows(name.as_bytes()).map(|windows| self.hash(&windows));
            match hash.and_then(|hash| Some((hash, buckets.get_mut(self.bucket(hash))?))) {
                Some((hash, bucket)) => bucket.push((name, hash, *entry)),
                None => drop(self.others.insert((*name).into(), *entry)),
            }
        }
        let mut order: Vec<usize> = (0..buckets.len()).collect();
        order.sort_by_key(|at| Reverse(buckets.get(*at).map_or(0, Vec::len)));
        let mut taken = Vec::new();
        for at in order {
            let Some(bucket) = buckets.get(at) else { continue };
            let placed = bucket.len() <= PER_BUCKET.saturating_mul(16) && (0..MOVES).any(|by| self.try_move(bucket, at, by, &mut taken));
            if !placed {
                self.others.extend(bucket.iter().map(|(name, _, entry)| (Box::from(*name), *entry)));
            }
        }
    }

    /// Moves a bucket, if all of its names then have a free place of their own.
    fn try_move(&mut self, bucket: &[(&str, u64, u32)], at: usize, by: u16, taken: &mut Vec<usize>) -> bool {
        taken.clear();
        for (_, hash, entry) in bucket {
            let place = self.place(*hash, by);
            match self.places.get_mut(place) {
                Some(free) if *free == NOWHERE => *free = *entry,
                Some(_) | None => {
                    for place in taken.drain(..) {
                        self.places.get_mut(place).into_iter().for_each(|p| *p = NOWHERE);
                    }
                    return false;
                }
            }
            taken.push(place);
        }
        self.moves.get_mut(at).into_iter().for_each(|own| *own = by);
        true
    }

    /// The model of a name that one model has.
    #[inline]
    pub(super) fn get(&self, name: &str) -> Option<ModelRef> {
        let Some(windows) = windows(name.as_bytes()) else { return self.other(name) };
        let hash = self.hash(&windows);
        let place = self.place(hash, self.moves.get(self.bucket(hash)).copied().unwrap_or(0));
        let entry = self.places.get(place).copied().unwrap_or(NOWHERE);
        match self.entry(entry) {
            // An id's entry is where its model is, which saves waiting for what the entry says.
            Some(found) if same(&found.name, &windows) => ModelRef::new(if entry < self.models { entry } else { found.model }),
            Some(_) | None => self.other(name),
        }
    }

    #[cold]
    fn other(&self, name: &str) -> Option<ModelRef> {
        self.others.get(name).and_then(|entry| self.entry(*entry)).and_then(|found| ModelRef::new(found.model))
    }

    #[inline]
    fn entry(&self, entry: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(entry).ok()?)
    }

    /// The front of a model that was found.
    #[inline]
    pub(super) fn front(&self, found: ModelRef) -> Option<&Front> {
        self.entry(found.place()).map(|entry| &entry.front)
    }

    /// Takes the fronts of the models' plans.
    pub(super) fn set_fronts(&mut self, plans: &[Plan]) {
        for entry in &mut self.entries {
            if let Some(plan) = usize::try_from(entry.model).ok().and_then(|model| plans.get(model)) {
                entry.front = plan.front();
            }
        }
    }

    #[inline]
    fn hash(&self, [a, b, c, d, e, f, length]: &Windows) -> u64 {
        let [k, l] = self.keys;
        folded(a ^ c.rotate_left(17) ^ e.rotate_left(41) ^ k, b ^ d.rotate_left(23) ^ f.rotate_left(47) ^ l ^ length)
    }

    #[inline]
    #[allow(clippy::as_conversions, reason = "the low half of a hash")]
    fn bucket(&self, hash: u64) -> usize {
        hash as u32 as usize & self.moves.len().wrapping_sub(1)
    }

    #[inline]
    #[allow(clippy::as_conversions, reason = "the high half of a product")]
    fn place(&self, hash: u64, by: u16) -> usize {
        let moved = (hash ^ u64::from(by)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (moved >> 32) as usize & self.places.len().wrapping_sub(1)
    }
}

/// Names and the places of their entries.
type Listed<'a> = HashMap<&'a str, u32, RandomState>;

/// All names with their entries. An id is stronger than an alias; an alias of two models is nobody's.
fn listed(file: &CardFile) -> Result<(Listed<'_>, Vec<Entry>), CardError> {
    let mut names: Listed<'_> = HashMap::with_capacity_and_hasher(file.models.len(), RandomState::default());
    let mut entries = Vec::with_capacity(file.models.len());
    let entry = |name: &str, model: u32| Entry { name: windows(name.as_bytes()).unwrap_or_default(), model, front: Front::EMPTY };
    for (at, model) in (0u32..NOWHERE).zip(&file.models) {
        if names.insert(&model.id, at).is_some() {
            return Err(CardError::Duplicate { model_id: model.id.clone() });
        }
        entries.push(entry(&model.id, at));
    }
    for (at, model) in (0u32..).zip(&file.models) {
        for alias in &model.aliases {
            let next = u32::try_from(entries.len()).unwrap_or(NOWHERE);
            let known = usize::try_from(*names.entry(alias).or_insert(next)).unwrap_or(usize::MAX);
            if known == entries.len() {
                entries.push(entry(alias, at));
            } else if let Some(other) = entries.get_mut(known).filter(|other| other.model != at && known >= file.models.len()) {
                other.model = SEVERAL;
            }
        }
    }
    Ok((names, entries))
}

/// One comparison in the end, where comparing the arrays would be a call.
#[inline]
fn same(a: &Windows, b: &Windows) -> bool {
    a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

/// All of a name of 4 to 48 bytes, and its length.
type Windows = [u64; 7];

/// From both ends and the middle, overlapping, so that only three classes of lengths need a branch.
#[inline]
fn windows(name: &[u8]) -> Option<Windows> {
    let length = u64::try_from(name.len()).ok()?;
    if let (Some(first), Some(last)) = (name.first_chunk::<16>(), name.last_chunk::<16>()) {
        // Up to 48 bytes the three meet without a gap.
        let middle = name.get(name.len().wrapping_sub(16) / 2..)?.first_chunk::<16>().filter(|_| length <= 48)?;
        let ([a, b], [c, d], [e, f]) = (halves(first), halves(middle), halves(last));
        return Some([a, b, c, d, e, f, length]);
    }
    if let (Some(first), Some(last)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        return Some([u64::from_le_bytes(*first), u64::from_le_bytes(*last), 0, 0, 0, 0, length]);
    }
    let (first, last) = (name.first_chunk::<4>()?, name.last_chunk::<4>()?);
    Some([u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into(), 0, 0, 0, 0, length])
}

#[inline]
#[allow(clippy::as_conversions, reason = "halves of 128 bits")]
fn halves(bytes: &[u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(*bytes);
    [both as u64, (both >> 64) as u64]
}

/// The two halves of a product, mixed.
#[inline]
#[allow(clippy::as_conversions, reason = "halves of 128 bits")]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a).wrapping_mul(u128::from(b));
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_see_every_byte() {
        for length in 0..60usize {
            let a: Vec<u8> = (0..length).map(|i| u8::try_from(i).expect("short")).collect();
            assert_eq!(windows(&a).is_some(), (4..=48).contains(&length));
            for at in 0..length {
                let mut b = a.clone();
                b[at] ^= 1;
                assert!(windows(&a).is_none() || windows(&a) != windows(&b), "{length} bytes, differing at {at}");
            }
        }
    }
}
