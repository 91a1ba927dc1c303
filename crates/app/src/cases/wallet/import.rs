//! A wallet that was made elsewhere, and this one as a file for elsewhere.

use super::item::KeptWallet;
use crate::{
    Wallet,
    cases::files::FileKind,
    view::{AppErrorCode, AppView, ErrorView, ImportKind, SavedFileView, WalletOrigin},
};
use aispace_payments::{
    OsEntropy,
    signer::{Keystore, KeystoreError, RecoveryWords, SpendingKey, WordsError, keystore_text},
};
use zeroize::Zeroizing;

/// Characters that the password of an exported keystore has at least: the file may be copied and guessed at without end.
pub(crate) const PASSWORD_CHARS_MIN: usize = 12;

impl Wallet {
    /// Takes over a wallet from its words, its private key or a keystore.
    ///
    /// # Errors
    /// There is a wallet already, what was typed is none, the password is wrong, or the keychain does not keep it.
    pub async fn import_wallet(&self, kind: ImportKind, text: String, password: Option<String>) -> Result<AppView, ErrorView> {
        let (text, password) = (Zeroizing::new(text), Zeroizing::new(password.unwrap_or_default()));
        {
            let _turn = self.inner.session_turn.lock().await;
            self.refuse_second_wallet().await?;
            let kept = match kind {
                ImportKind::Words => KeptWallet::of_words(RecoveryWords::parse(&text)?, WalletOrigin::ImportedWords),
                ImportKind::Key => KeptWallet::of_key(typed_key(&text)?, WalletOrigin::ImportedKey),
                ImportKind::Keystore => {
                    let keystore = Keystore::parse(text.trim())?;
                    // Deriving its key takes seconds on purpose.
                    let opened = tokio::task::spawn_blocking(move || keystore.open(&password)).await.map_err(ErrorView::internal)?;
                    KeptWallet::of_key(opened?, WalletOrigin::ImportedKeystore)
                }
            };
            self.keep_wallet(kept).await?;
        }
        self.look_at_chain().await;
        self.answer()
    }

    /// Saves the wallet as a keystore under a password, readable for this user only.
    ///
    /// # Errors
    /// There is no wallet, the password is short, or the file cannot be written.
    pub async fn export_keystore(&self, password: String) -> Result<SavedFileView, ErrorView> {
        let password = Zeroizing::new(password);
        if password.chars().count() < PASSWORD_CHARS_MIN {
            return Err(ErrorView::of(AppErrorCode::PasswordShort).with("least", PASSWORD_CHARS_MIN));
        }
        let key = self.spending_key().await?;
        let address = key.address().to_string();
        let made = tokio::task::spawn_blocking(move || keystore_text(&key, &password, &mut OsEntropy)).await;
        let text = made.map_err(ErrorView::internal)??;
        let saved = self.save_file(FileKind::Keystore, &address, text.as_bytes()).await?;
        // The file is there whether or not this is written.
        let _ = self.keep_preferences(|p| p.backed_up = Some(address)).await;
        Ok(saved)
    }
}

fn typed_key(text: &str) -> Result<SpendingKey, ErrorView> {
    SpendingKey::from_hex(text.trim()).map_err(|_| ErrorView::of(AppErrorCode::WalletKeyMalformed))
}

impl From<WordsError> for ErrorView {
    fn from(error: WordsError) -> Self {
        use AppErrorCode as Code;
        match error {
            WordsError::Count { found } => Self::of(Code::WalletWordsCount).with("found", found),
            WordsError::Unknown { position } => Self::of(Code::WalletWordUnknown).with("position", position),
            WordsError::Checksum => Self::of(Code::WalletWordsChecksum),
            other => Self::internal(other),
        }
    }
}

impl From<KeystoreError> for ErrorView {
    fn from(error: KeystoreError) -> Self {
        use AppErrorCode as Code;
        match error {
            KeystoreError::TooCostly => Self::of(Code::KeystoreTooCostly),
            KeystoreError::WrongPassword => Self::of(Code::KeystorePasswordWrong),
            KeystoreError::Entropy(error) => Self::internal(error),
            other => Self::of(Code::KeystoreMalformed).with("reason", other),
        }
    }
}
