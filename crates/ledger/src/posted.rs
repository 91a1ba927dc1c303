//! What a call posted to an account in place.

use crate::batch::Batch;
use crate::entry::Entry;

/// What a call posted: to be stored whole, in one transaction, or not at all. One can be used again for the next call, which clears it.
///
/// The account stands after the call already: where storing fails, it has to be read back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Posted {
    /// New entries in order: what fell due, then the call's own, then what followed from it.
    pub entries: Vec<Entry>,
    /// Every batch that is new or changed, as it stands afterwards.
    pub changed: Vec<Batch>,
    // Where the call's own entry is.
    pub(crate) own: usize,
    // The places of batches that changed so far; empty once the call is posted.
    pub(crate) touched: Vec<usize>,
}

impl Posted {
    /// Room for what a call posts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The call's own entry; what follows from it stands behind. None after a refusal.
    #[must_use]
    pub fn own_entry(&self) -> Option<&Entry> {
        self.entries.get(self.own)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.changed.clear();
        self.touched.clear();
        self.own = 0;
    }

    /// Marks where the call's own entries begin.
    pub(crate) fn begin_own(&mut self) {
        self.own = self.entries.len();
    }

    pub(crate) fn touch(&mut self, place: usize) {
        if self.touched.last() != Some(&place) {
            self.touched.push(place);
        }
    }

    /// Counts the places from one on anew: a batch is put there.
    pub(crate) fn make_room(&mut self, from: usize) {
        for place in self.touched.iter_mut().filter(|place| **place >= from) {
            *place = place.saturating_add(1);
        }
    }
}
