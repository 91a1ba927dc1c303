//! Counts as requests write them: exact, or as far as they are known.

use super::{Code, Refusal};
use crate::{CountNumber, Meter};
use aispace_units::Exact;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// How many: a number, or the least, the likely and the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Known.
    Exactly(Exact),
    /// Known within bounds.
    Between {
        /// At least.
        low: Exact,
        /// Probably.
        likely: Exact,
        /// At most.
        high: Exact,
    },
}

/// Which end of what is known within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The least.
    Low,
    /// The likely.
    Likely,
    /// The most.
    High,
}

impl Count {
    /// A count known within bounds.
    ///
    /// # Errors
    /// A sentence where the three do not ascend.
    pub fn between(low: Exact, likely: Exact, high: Exact) -> Result<Self, String> {
        if low <= likely && likely <= high {
            return Ok(Self::Between { low, likely, high });
        }
        Err(format!("low, likely and high ascend, unlike {low}, {likely}, {high}"))
    }

    /// The count at one end.
    #[must_use]
    pub fn at(self, end: End) -> Exact {
        match (self, end) {
            (Self::Exactly(number), _) => number,
            (Self::Between { low, .. }, End::Low) => low,
            (Self::Between { likely, .. }, End::Likely) => likely,
            (Self::Between { high, .. }, End::High) => high,
        }
    }

    /// Whether it is known.
    #[must_use]
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Exactly(_))
    }

    /// The whole number at one end.
    pub(super) fn whole(self, what: &str, end: End) -> Result<u64, Refusal> {
        let number = self.at(end);
        let whole = number.to_whole().and_then(|whole| u64::try_from(whole).ok()).filter(|whole| *whole <= crate::COUNT_MAX);
        whole.ok_or_else(|| {
            let most = crate::COUNT_MAX;
            Refusal::new(Code::Count, format!("{what} must be a whole number from 0 to {most}, not {number}"))
                .with("what", what)
                .with("given", number.to_string())
        })
    }
}

impl From<u64> for Count {
    fn from(whole: u64) -> Self {
        Self::Exactly(Exact::from(whole))
    }
}

impl From<Exact> for Count {
    fn from(number: Exact) -> Self {
        Self::Exactly(number)
    }
}

/// `500`, `"1.5"`, `{"low": 1, "likely": 2, "high": "3.5"}`.
impl Serialize for Count {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let number = |n: Exact| match n.to_whole().and_then(|whole| u64::try_from(whole).ok()) {
            Some(whole) => Number::Whole(whole),
            None => Number::Text(n),
        };
        match *self {
            Self::Exactly(n) => number(n).serialize(s),
            Self::Between { low, likely, high } => Ends { low: number(low), likely: number(likely), high: number(high) }.serialize(s),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Whole(u64),
    Text(Exact),
}

#[derive(Serialize)]
struct Ends {
    low: Number,
    likely: Number,
    high: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenEnds {
    low: CountNumber,
    likely: CountNumber,
    high: CountNumber,
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl<'de> serde::de::Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0, a decimal in a string, or {\"low\", \"likely\", \"high\"}")
    }

    fn visit_u64<E: serde::de::Error>(self, whole: u64) -> Result<Count, E> {
        Ok(Count::from(whole))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Count, E> {
        text.parse().map(Count::Exactly).map_err(E::custom)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
        let ends = GivenEnds::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Count::between(ends.low.0, ends.likely.0, ends.high.0).map_err(A::Error::custom)
    }
}

/// Counts by meter.
pub type Counts = BTreeMap<Meter, Count>;

/// Reads a map in which no key stands twice.
pub(super) fn unique<'de, D, K, V>(d: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Debug,
    V: Deserialize<'de>,
{
    d.deserialize_map(UniqueMap(PhantomData))
}

/// As [`unique`], where the map may be missing.
pub(super) fn unique_option<'de, D, K, V>(d: D) -> Result<Option<BTreeMap<K, V>>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Debug,
    V: Deserialize<'de>,
{
    unique(d).map(Some)
}

/// Reads a value that is written as an object. A list of its fields by their places, which would do otherwise, is refused.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<T, D::Error> {
    d.deserialize_map(ObjectVisitor(PhantomData))
}

/// As [`object`], where it may be missing.
pub(super) fn object_option<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    object(d).map(Some)
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(access))
    }
}

struct UniqueMap<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord + fmt::Debug, V: Deserialize<'de>> serde::de::Visitor<'de> for UniqueMap<K, V> {
    type Value = BTreeMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key::<K>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("{key:?} stands twice")));
            }
            map.insert(key, access.next_value()?);
        }
        Ok(map)
    }
}
