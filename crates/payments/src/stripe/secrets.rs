//! The two secrets of a Stripe account. Types without `Debug` and `Serialize`, wiped when dropped.

use zeroize::Zeroizing;

/// Why a secret was refused. Never holds the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Not `sk_…` or `rk_…`.
    #[error("a secret key of Stripe begins with sk_ or rk_ and has only letters, digits and _ after it")]
    NotAKey,
    /// Not `whsec_…`.
    #[error("a webhook's signing secret begins with whsec_ and has only printable characters without spaces after it")]
    NotAWebhookSecret,
}

/// A secret or restricted API key. It can charge, refund and read every payment of the account.
#[derive(Clone)]
pub struct StripeKey(Zeroizing<String>);

impl StripeKey {
    /// Takes `sk_live_…`, `sk_test_…` or a restricted `rk_…`. A publishable key is refused.
    ///
    /// # Errors
    /// [`SecretError::NotAKey`], without the input.
    pub fn new(text: String) -> Result<Self, SecretError> {
        let own = Zeroizing::new(text);
        let rest = own.strip_prefix("sk_").or_else(|| own.strip_prefix("rk_")).unwrap_or_default();
        let good = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if good { Ok(Self(own)) } else { Err(SecretError::NotAKey) }
    }

    /// The key, for the `Authorization` header alone.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// A webhook endpoint's signing secret: who has it can make this service believe that something changed.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<String>);

impl WebhookSecret {
    /// Takes `whsec_…`.
    ///
    /// # Errors
    /// [`SecretError::NotAWebhookSecret`], without the input.
    pub fn new(text: String) -> Result<Self, SecretError> {
        let own = Zeroizing::new(text);
        let rest = own.strip_prefix("whsec_").unwrap_or_default();
        let good = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic());
        if good { Ok(Self(own)) } else { Err(SecretError::NotAWebhookSecret) }
    }

    /// The bytes that sign. The prefix is part of them.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_are_taken() {
        for good in ["sk_test_4eC39HqLyjWDarjtT1zdp7dc", "sk_live_a", "rk_live_a1"] {
            assert!(StripeKey::new(good.into()).is_ok(), "{good}");
        }
        for bad in ["", "sk_", "pk_live_a1", "sk_test_a b", "sk_test_a\n", "whsec_a"] {
            assert!(matches!(StripeKey::new(bad.into()), Err(SecretError::NotAKey)), "{bad}");
        }
        assert!(WebhookSecret::new("whsec_a+/=".into()).is_ok());
        for bad in ["", "whsec_", "sk_test_a", "whsec_a b", "whsec_a\n"] {
            assert!(matches!(WebhookSecret::new(bad.into()), Err(SecretError::NotAWebhookSecret)), "{bad}");
        }
    }
}
