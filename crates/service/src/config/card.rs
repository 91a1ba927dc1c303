//! Payments by card: all of it is set, or nothing.

use super::secret::Secret;
use super::{Loaded, Problem};
use aispace_payments::stripe::{StripeKey, StripeSettings, WebhookSecret};
use aispace_service::{CardConfig, CardConfigError};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

const KEY_VARIABLE: &str = "AISPACE_STRIPE_SECRET_KEY";
const WEBHOOK_SECRET_VARIABLE: &str = "AISPACE_STRIPE_WEBHOOK_SECRET";
const POLL_MS_MIN: u64 = 10;

/// Payments by card, through Stripe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CardSettings {
    /// A private file that holds the account's secret key; else `AISPACE_STRIPE_SECRET_KEY`.
    pub(crate) stripe_key_file: Option<PathBuf>,
    /// A private file that holds the webhook's signing secret; else `AISPACE_STRIPE_WEBHOOK_SECRET`.
    pub(crate) stripe_webhook_secret_file: Option<PathBuf>,
    /// Base URL of Stripe's API.
    pub(crate) stripe_url: String,
    /// The page that payers are sent back to.
    pub(crate) return_url: Option<String>,
    /// Milliseconds between two looks at what no webhook told, at least 10.
    pub(crate) poll_ms: u64,
}

impl Default for CardSettings {
    fn default() -> Self {
        let StripeSettings { url, .. } = StripeSettings::default();
        Self { stripe_key_file: None, stripe_webhook_secret_file: None, stripe_url: url, return_url: None, poll_ms: 30_000 }
    }
}

/// What payments by card run on; none when nothing of it is set.
///
/// # Errors
/// What is wrong with it, or what is missing.
pub(super) fn card(loaded: &Loaded) -> Result<Option<CardConfig>, Problem> {
    let settings = &loaded.settings.card;
    let secret = |field: &str, file: Option<&Path>, variable: &str, what: &str| match file {
        Some(path) => Secret::from_file(field, path, what).map(Some),
        None => Ok(Secret::from_environment(variable)),
    };
    let key = secret("card.stripe_key_file", settings.stripe_key_file.as_deref(), KEY_VARIABLE, "secret key")?;
    let file = settings.stripe_webhook_secret_file.as_deref();
    let webhook_secret = secret("card.stripe_webhook_secret_file", file, WEBHOOK_SECRET_VARIABLE, "signing secret")?;
    let return_url = settings.return_url.clone().filter(|url| !url.is_empty());
    let (key, webhook_secret, return_url) = match (key, webhook_secret, return_url) {
        (None, None, None) => return Ok(None),
        (Some(key), Some(webhook_secret), Some(return_url)) => (key, webhook_secret, return_url),
        (key, webhook_secret, return_url) => {
            let missing = [
                (key.is_none(), "card.stripe_key_file or AISPACE_STRIPE_SECRET_KEY"),
                (webhook_secret.is_none(), "card.stripe_webhook_secret_file or AISPACE_STRIPE_WEBHOOK_SECRET"),
                (return_url.is_none(), "card.return_url"),
            ];
            let missing: Vec<&str> = missing.iter().filter(|(is_missing, _)| *is_missing).map(|(_, field)| *field).collect();
            return Err(Problem::new("card", format!("is set in part; what is missing: {}", missing.join(", "))));
        }
    };
    if settings.poll_ms < POLL_MS_MIN {
        return Err(Problem::new(loaded.place("card.poll_ms"), format!("is less than {POLL_MS_MIN}")));
    }
    let config = CardConfig {
        key: StripeKey::new(key.expose().to_owned()).map_err(|error| Problem::new("card.stripe_key_file", error))?,
        webhook_secret: WebhookSecret::new(webhook_secret.expose().to_owned())
            .map_err(|error| Problem::new("card.stripe_webhook_secret_file", error))?,
        stripe: StripeSettings { url: settings.stripe_url.clone(), ..StripeSettings::default() },
        return_url,
        poll: Duration::from_millis(settings.poll_ms),
    };
    config.check().map_err(|error| {
        let field = if matches!(error, CardConfigError::ReturnUrl { .. }) { "card.return_url" } else { "card.stripe_url" };
        Problem::new(loaded.place(field), error)
    })?;
    Ok(Some(config))
}
