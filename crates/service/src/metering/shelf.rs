//! The rate cards that runs are priced by, each in every version that the service has.

use super::MeteringError;
use aispace_api::CardVersion;
use aispace_pricing::request::{Cards, Refusal};
use aispace_pricing::{CardError, RateCard};
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Cards by id and version; a version is the card's date.
pub(crate) struct Shelf {
    versions: Vec<Version>,
}

/// One version of a card, with nothing beside it, so that a model is looked for in it alone.
pub(crate) struct Version {
    pub(super) cards: Cards,
    pub(super) name: CardVersion,
}

/// The strong entity tag of a document, without quotes: the beginning of its SHA-256.
pub(crate) fn entity_tag(body: &str) -> String {
    let mut tag = hex::encode(Sha256::digest(body.as_bytes()));
    tag.truncate(32);
    tag
}

impl Shelf {
    /// Cards, among which one id may stand with several dates.
    ///
    /// # Errors
    /// [`CardError::Contradiction`] for two cards of one id and one date: a date names one version.
    pub(crate) fn new(cards: Vec<RateCard>) -> Result<Self, CardError> {
        let mut seen = BTreeSet::new();
        let mut versions = Vec::with_capacity(cards.len());
        for card in cards {
            let name = CardVersion { id: card.id().to_owned(), version: card.date(), hash: entity_tag(&card.to_json()) };
            if !seen.insert((name.id.clone(), name.version)) {
                let reason = format!("two cards are of {}", name.version);
                return Err(CardError::Contradiction { model_id: name.id, reason });
            }
            let alone = |refusal: Refusal| CardError::Contradiction { model_id: name.id.clone(), reason: refusal.message };
            versions.push(Version { cards: Cards::new(vec![card]).map_err(alone)?, name });
        }
        versions.sort_by_key(|version| version.name.version);
        Ok(Self { versions })
    }

    /// The version that is asked for by its date or its entity tag; without one, the newest at the run's instant.
    ///
    /// # Errors
    /// [`MeteringError::UnknownCard`], [`MeteringError::UnknownVersion`], [`MeteringError::NoVersionYet`], with what there is.
    pub(super) fn version(&self, card: &str, asked: Option<&str>, at: DateTime<Utc>) -> Result<&Version, MeteringError> {
        let of_card = || self.versions.iter().filter(|version| version.name.id == card);
        if of_card().next().is_none() {
            let cards: BTreeSet<&str> = self.versions.iter().map(|version| version.name.id.as_str()).collect();
            return Err(MeteringError::UnknownCard { card: card.to_owned(), cards: cards.into_iter().map(str::to_owned).collect() });
        }
        let versions = || of_card().map(|version| version.name.version.to_string()).collect();
        match asked {
            Some(asked) => of_card().find(|version| is_named(&version.name, asked)).ok_or_else(|| MeteringError::UnknownVersion {
                card: card.to_owned(),
                asked: asked.to_owned(),
                versions: versions(),
            }),
            None => {
                let newest = of_card().rfind(|version| version.name.version <= at.date_naive());
                newest.ok_or_else(|| MeteringError::NoVersionYet { card: card.to_owned(), versions: versions() })
            }
        }
    }
}

fn is_named(name: &CardVersion, asked: &str) -> bool {
    asked.parse::<NaiveDate>().is_ok_and(|date| date == name.version) || asked.trim_matches('"') == name.hash
}
