//! Jobs of several runs, named and kept on this computer whoever is signed in.

use crate::{
    Wallet,
    cases::planning::standing,
    project,
    recipe::{Recipe, RecipeBook},
    view::{AppErrorCode, ErrorView, EstimateRequest, JobView, RecipeDraft, RecipeView},
};
use uuid::Uuid;

const NAME_CHARS_MAX: usize = 60;
const RUNS_MAX: usize = 20;
const RECIPES_MAX: usize = 100;

impl Wallet {
    /// Every recipe, by name, at the prices of now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn recipes(&self) -> Result<Vec<RecipeView>, ErrorView> {
        let book = self.inner.store.recipes().await?;
        self.shown(&book)
    }

    /// Keeps a recipe: a new one, in the place of the one it names, or again after it was deleted.
    ///
    /// # Errors
    /// It has no name or no runs, or too many; the store cannot be written.
    pub async fn keep_recipe(&self, draft: RecipeDraft) -> Result<Vec<RecipeView>, ErrorView> {
        let name = draft.name.trim().to_owned();
        let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && (1..=RUNS_MAX).contains(&draft.runs.len());
        let recipe_id = draft.recipe_id.filter(|id| Uuid::parse_str(id).is_ok()).unwrap_or_else(|| Uuid::new_v4().to_string());
        let _turn = self.inner.preferences_turn.lock().await;
        let mut book = self.inner.store.recipes().await?;
        let has_room = book.recipes.len() < RECIPES_MAX || book.recipes.iter().any(|kept| kept.id == recipe_id);
        if !fits || !has_room {
            return Err(ErrorView::of(AppErrorCode::RecipeRefused));
        }
        book.put(Recipe { id: recipe_id, name, runs: draft.runs, changed: self.inner.clock.now() });
        self.inner.store.keep_recipes(&book).await?;
        self.shown(&book)
    }

    /// Deletes a recipe. Kept again with the same id it is as it was.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn delete_recipe(&self, recipe_id: String) -> Result<Vec<RecipeView>, ErrorView> {
        let _turn = self.inner.preferences_turn.lock().await;
        let mut book = self.inner.store.recipes().await?;
        book.recipes.retain(|kept| kept.id != recipe_id);
        self.inner.store.keep_recipes(&book).await?;
        self.shown(&book)
    }

    /// What a job of several runs costs and draws. Asks no network.
    ///
    /// # Errors
    /// There are more runs than a recipe has, or all of it is more than a ledger holds.
    pub fn price_job(&self, runs: Vec<EstimateRequest>) -> Result<JobView, ErrorView> {
        if runs.len() > RUNS_MAX {
            return Err(ErrorView::of(AppErrorCode::RecipeRefused));
        }
        let now = self.corrected_now();
        project::job(&self.inner.fixed.card, &runs, &standing(&self.state(), now))
    }

    fn shown(&self, book: &RecipeBook) -> Result<Vec<RecipeView>, ErrorView> {
        let now = self.corrected_now();
        let state = self.state();
        book.recipes.iter().map(|recipe| project::recipe(&self.inner.fixed.card, recipe, &standing(&state, now))).collect()
    }
}
