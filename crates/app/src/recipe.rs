//! Jobs of several runs that a person has named. They belong to no account and hold no secret.

use crate::view::EstimateRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Every recipe of this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecipeBook {
    pub(crate) version: u32,
    pub(crate) recipes: Vec<Recipe>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub(crate) id: String,
    pub(crate) name: String,
    /// In the order that the person gave them.
    pub(crate) runs: Vec<EstimateRequest>,
    pub(crate) changed: DateTime<Utc>,
}

impl Default for RecipeBook {
    fn default() -> Self {
        Self { version: 1, recipes: Vec::new() }
    }
}

impl RecipeBook {
    /// Takes a recipe in the place of the one of its id, or beside the others; sorted by name.
    pub(crate) fn put(&mut self, recipe: Recipe) {
        self.recipes.retain(|kept| kept.id != recipe.id);
        self.recipes.push(recipe);
        self.recipes.sort_by_key(|kept| (kept.name.to_lowercase(), kept.id.clone()));
    }
}
