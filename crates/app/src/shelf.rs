//! The accounts within the state: the one that shows, and the others on the shelf.

use crate::{
    record::KnownAccount,
    roster::{AccountKind, LocalId},
    state::{Connection, Session, Shelved, State},
    view::{KeyKeeping, NoticeView},
};
use aispace_client::SecureKey;
use chrono::{DateTime, Utc};

/// One account's part of the state.
pub(crate) struct Place<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) known: &'a mut Option<KnownAccount>,
    pub(crate) connection: &'a mut Connection,
}

impl State {
    /// The part of an account, wherever it is.
    pub(crate) fn place(&mut self, id: &LocalId) -> Option<Place<'_>> {
        if self.roster.is_active(id) {
            return Some(Place { session: &mut self.session, known: &mut self.known, connection: &mut self.connection });
        }
        let other = self.shelf.get_mut(id)?;
        Some(Place { session: &mut other.session, known: &mut other.known, connection: &mut other.connection })
    }

    /// As [`State::place`], to read: session, what is known, connection.
    pub(crate) fn seen(&self, id: &LocalId) -> Option<(&Session, Option<&KnownAccount>, &Connection)> {
        if self.roster.is_active(id) {
            return Some((&self.session, self.known.as_ref(), &self.connection));
        }
        self.shelf.get(id).map(|other| (&other.session, other.known.as_ref(), &other.connection))
    }

    /// The account that a key opens, as far as keys are in memory.
    pub(crate) fn account_with_key(&self, key: &SecureKey) -> Option<LocalId> {
        let opens = |id: &LocalId| {
            let held = self.seen(id).and_then(|(session, ..)| session.key_to_try());
            held.is_some_and(|(held, _)| held.expose() == key.expose())
        };
        self.roster.with_keys().into_iter().find(opens)
    }

    /// The account that the service calls this.
    pub(crate) fn account_known_as(&self, account_id: &str) -> Option<LocalId> {
        let is_it = |id: &LocalId| self.seen(id).and_then(|(_, known, _)| known).is_some_and(|k| k.answer.account_id == account_id);
        self.roster.with_keys().into_iter().find(is_it)
    }

    /// Shows another account.
    pub(crate) fn show(&mut self, id: &LocalId) {
        if self.roster.is_active(id) {
            return;
        }
        let Some(next) = self.shelf.remove(id) else { return };
        let before = Shelved {
            session: std::mem::replace(&mut self.session, next.session),
            known: std::mem::replace(&mut self.known, next.known),
            connection: std::mem::replace(&mut self.connection, next.connection),
        };
        (self.usage_log, self.spent) = ((0, 0), None);
        if let Some(last) = self.roster.active.replace(id.clone()) {
            self.shelf.insert(last, before);
        }
    }

    /// Takes an account in, unless it is there. The first one of all shows.
    pub(crate) fn add_account(&mut self, id: &LocalId, kind: AccountKind, since: Option<DateTime<Utc>>) {
        if self.roster.entry(id).is_some() {
            return;
        }
        self.shelf.insert(id.clone(), Shelved::new(kind, None));
        let is_only = self.roster.active.is_none();
        self.roster.add(id, kind, since);
        if is_only && let Some(first) = self.shelf.remove(id) {
            // How the service is stays known.
            (self.session, self.known) = (first.session, first.known);
        }
    }

    /// Forgets an account. When it was the one that shows, the next one does.
    pub(crate) fn drop_account(&mut self, id: &LocalId) {
        let was_shown = self.roster.is_active(id);
        self.roster.remove(id);
        self.rotating.remove(id);
        self.shelf.remove(id);
        if was_shown {
            self.review = None;
            (self.usage_log, self.spent) = ((0, 0), None);
            match self.roster.active.as_ref().and_then(|next| self.shelf.remove(next)) {
                Some(next) => (self.session, self.known, self.connection) = (next.session, next.known, next.connection),
                None => {
                    (self.session, self.known) = (Session::SignedOut, None);
                    self.connection.last_sync = None;
                    self.connection.error = None;
                }
            }
        }
        self.say_keys_in_memory();
    }

    /// Says that a key is in memory only, as long as one is.
    pub(crate) fn say_keys_in_memory(&mut self) {
        let in_memory = |session: &Session| matches!(session, Session::SignedIn { keeping: KeyKeeping::MemoryOnly, .. });
        if in_memory(&self.session) || self.shelf.values().any(|other| in_memory(&other.session)) {
            self.notice(NoticeView::KeyInMemoryOnly);
        } else {
            self.notices.retain(|n| !matches!(n, NoticeView::KeyInMemoryOnly));
        }
    }
}
