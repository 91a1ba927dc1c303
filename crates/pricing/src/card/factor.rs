//! Factors on a whole cost: channel (group), user, and fields of the request.

use aispace_units::Exact;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The channel (group) factors of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channels {
    /// What the system calls it: `Channel discount`, `Group ratio`.
    pub name: String,
    /// The channel of a run that names none.
    pub default: String,
    /// All of them.
    pub values: Vec<ChannelFactor>,
}

/// One channel and its factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelFactor {
    /// Unique among the channels.
    pub id: String,
    /// What every cost is multiplied by.
    pub factor: Exact,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The user factors of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// What the system calls it: `User discount`.
    pub name: String,
    /// The level of a user of whom nothing is said.
    pub default: String,
    /// All of them.
    pub values: Vec<UserFactor>,
}

/// One level of users and its factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserFactor {
    /// Unique among the levels.
    pub id: String,
    /// What every cost is multiplied by.
    pub factor: Exact,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whoever recharged this much in all has this level; the highest that is reached counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recharged_usd_at_least: Option<Exact>,
    /// Channel factors that replace the channel's own for this level.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<String, Exact>,
}

/// A factor that follows from a field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldFactor {
    /// The field.
    pub field: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For which models: ids, a `*` at either end standing for anything.
    pub models: Vec<String>,
    /// The factor of each value.
    pub values: BTreeMap<String, Exact>,
    /// The value of a run that does not say.
    pub default: String,
}

impl Channels {
    /// The channel of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&ChannelFactor> {
        self.values.iter().find(|c| c.id == id)
    }
}

impl Users {
    /// The level of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&UserFactor> {
        self.values.iter().find(|u| u.id == id)
    }

    /// The level of whoever recharged so many dollars in all: the one with the highest threshold reached, else the default.
    #[must_use]
    pub fn reached(&self, recharged_usd: Exact) -> Option<&UserFactor> {
        let reached = self.values.iter().filter(|u| u.recharged_usd_at_least.is_some_and(|least| least <= recharged_usd));
        reached.max_by_key(|u| u.recharged_usd_at_least).or_else(|| self.get(&self.default))
    }
}

impl FieldFactor {
    /// Whether it is about a model.
    #[must_use]
    pub fn covers(&self, model_id: &str) -> bool {
        self.models.iter().any(|pattern| matches(pattern, model_id))
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.field)
    }
}

fn matches(pattern: &str, id: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern == "*" => true,
        (Some(_), Some(_)) => pattern.strip_prefix('*').and_then(|p| p.strip_suffix('*')).is_some_and(|middle| id.contains(middle)),
        (Some(end), None) => id.ends_with(end),
        (None, Some(start)) => id.starts_with(start),
        (None, None) => id == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, id, expected) in [
            ("*", "", true),
            ("veo*", "veo3-fast", true),
            ("veo*", "google-veo3", false),
            ("*veo*", "google-veo3", true),
            ("*-fast", "veo3-fast", true),
            ("*-fast", "fast", false),
            ("veo3", "veo3-fast", false),
            ("veo3", "veo3", true),
        ] {
            assert_eq!(matches(pattern, id), expected, "{pattern} {id}");
        }
    }

    #[test]
    fn the_highest_level_reached_counts() {
        let level = |id: &str, least: Option<&str>| UserFactor {
            id: id.into(),
            factor: Exact::ONE,
            name: None,
            recharged_usd_at_least: least.map(|l| l.parse().expect("a number")),
            channels: BTreeMap::new(),
        };
        let users = Users {
            name: "User".into(),
            default: "new".into(),
            values: vec![level("new", None), level("gold", Some("100")), level("silver", Some("10"))],
        };
        let reached = |usd: &str| users.reached(usd.parse().expect("a number")).map(|u| u.id.as_str());
        assert_eq!(
            [reached("9.99"), reached("10"), reached("99.99"), reached("100")],
            [Some("new"), Some("silver"), Some("silver"), Some("gold")]
        );
    }
}
