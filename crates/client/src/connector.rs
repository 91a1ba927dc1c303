use crate::{AccountService, ClientError, SecureKey};
use aispace_api::{AccountAnswer, UsageAnswer};
use async_trait::async_trait;

/// One signed-in account, whatever system holds it.
#[async_trait]
pub trait AccountConnector: Send + Sync {
    /// Asks what the account holds.
    ///
    /// # Errors
    /// Each [`ClientError`].
    async fn account(&self) -> Result<AccountAnswer, ClientError>;

    /// Asks for a page of what was posted to it, newest first.
    ///
    /// # Errors
    /// Each [`ClientError`].
    async fn usage(&self, page: &UsagePage) -> Result<UsageAnswer, ClientError>;
}

/// Which posted entries to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePage {
    /// Where the page begins: the `next_cursor` of the one before; absent for the newest.
    pub cursor: Option<String>,
    /// How many entries at most.
    pub limit: u16,
}

impl UsagePage {
    /// The newest entries.
    #[must_use]
    pub fn newest(limit: u16) -> Self {
        Self { cursor: None, limit }
    }
}

/// An account of the AiSpace account service.
pub struct AiSpaceAccount {
    service: AccountService,
    key: SecureKey,
}

impl AiSpaceAccount {
    /// Signs in with a Secure Key. Nothing is sent yet.
    #[must_use]
    pub fn new(service: AccountService, key: SecureKey) -> Self {
        Self { service, key }
    }
}

#[async_trait]
impl AccountConnector for AiSpaceAccount {
    async fn account(&self) -> Result<AccountAnswer, ClientError> {
        self.service.account(&self.key).await
    }

    async fn usage(&self, page: &UsagePage) -> Result<UsageAnswer, ClientError> {
        self.service.usage(&self.key, page).await
    }
}
