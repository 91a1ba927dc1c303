//! The one command that gives a secret out, and the question whether words were written down.

use super::is_end_of;
use crate::{
    Wallet,
    view::{AppErrorCode, AppView, ErrorView, RevealKind, WordAnswer},
};
use aispace_payments::{Entropy, EntropyError, OsEntropy};
use std::collections::BTreeSet;

/// Words that are asked back.
const WORDS_ASKED: usize = 3;

impl Wallet {
    /// Gives a secret out: the Secure Key (of an account, or of the one that shows) against its last four characters, the wallet's key and words against those of its
    /// address. Words that were never confirmed are shown freely: nobody can have written them down yet.
    ///
    /// # Errors
    /// There is no such secret, the keychain does not answer, or the characters do not match.
    pub async fn reveal_secret(&self, what: RevealKind, confirmation: String, account: Option<String>) -> Result<Vec<String>, ErrorView> {
        if what == RevealKind::SecureKey {
            return Ok(vec![self.confirmed_key(account, &confirmation)?.expose().to_owned()]);
        }
        let kept = self.kept_wallet().await?.ok_or_else(|| ErrorView::of(AppErrorCode::NoSpendingWallet))?;
        let key = kept.key().map_err(|_| ErrorView::of(AppErrorCode::KeychainFailed))?;
        let confirmed = is_end_of(&confirmation, &key.address().to_string());
        if what == RevealKind::WalletKey {
            let secret = format!("0x{}", key.expose_hex().as_str());
            return if confirmed { Ok(vec![secret]) } else { Err(ErrorView::of(AppErrorCode::RevealRefused)) };
        }
        let words = kept.words().ok_or_else(|| ErrorView::of(AppErrorCode::WalletHasNoWords))?;
        let backed_up = self.state().wallet_backed_up();
        if backed_up && !confirmed {
            return Err(ErrorView::of(AppErrorCode::RevealRefused));
        }
        Ok(words.expose().split(' ').map(str::to_owned).collect())
    }

    /// Takes the words that were asked back; right ones mean that a person has written all of them down.
    ///
    /// # Errors
    /// Other positions than those asked, or a wrong word; then others are asked.
    pub async fn confirm_words(&self, answers: Vec<WordAnswer>) -> Result<AppView, ErrorView> {
        let _turn = self.inner.session_turn.lock().await;
        let kept = self.kept_wallet().await?.ok_or_else(|| ErrorView::of(AppErrorCode::NoSpendingWallet))?;
        let words = kept.words().ok_or_else(|| ErrorView::of(AppErrorCode::WalletHasNoWords))?;
        let (asked, address) = {
            let state = self.state();
            let wallet = state.wallet.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::NoSpendingWallet))?;
            (wallet.words_asked.clone(), wallet.address.to_string())
        };
        let answered: BTreeSet<u32> = answers.iter().map(|answer| answer.position).collect();
        let is_right = |answer: &WordAnswer| usize::try_from(answer.position).is_ok_and(|position| words.is_word(position, &answer.word));
        if asked.is_empty() || answers.len() != asked.len() || answered != asked.into_iter().collect() || !answers.iter().all(is_right) {
            let count = words.count();
            self.change(|state| {
                if let Some(wallet) = &mut state.wallet {
                    wallet.words_asked = positions(&mut OsEntropy, count).unwrap_or_default();
                }
            });
            return Err(ErrorView::of(AppErrorCode::WalletWordsWrong));
        }
        self.keep_preferences(|p| p.backed_up = Some(address)).await?;
        self.answer()
    }
}

/// Three places of so many words, in order, each as likely as any other.
pub(crate) fn positions(entropy: &mut dyn Entropy, count: usize) -> Result<Vec<u32>, EntropyError> {
    let mut drawn = BTreeSet::new();
    let most = u32::try_from(count).unwrap_or(u32::MAX);
    while drawn.len() < WORDS_ASKED.min(count) {
        let mut byte = [0u8];
        entropy.fill(&mut byte)?;
        // Five bits; what is beyond the last word is drawn again.
        let position = u32::from(byte[0] & 31).saturating_add(1);
        if position <= most {
            drawn.insert(position);
        }
    }
    Ok(drawn.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(7);
            }
            Ok(())
        }
    }

    #[test]
    fn three_different_places_within_the_words_are_asked() {
        for (count, start) in [(12usize, 0u8), (12, 31), (15, 200), (24, 5), (24, 255)] {
            let asked = positions(&mut Counting(start), count).unwrap();
            assert_eq!(asked.len(), 3);
            assert!(asked.windows(2).all(|pair| pair[0] < pair[1]) && asked[0] >= 1);
            assert!(usize::try_from(asked[2]).unwrap() <= count, "{asked:?}");
        }
    }
}
