//! How long a text is. The text is counted and forgotten: it is neither kept nor logged.

use crate::{
    Wallet,
    view::{AppErrorCode, ErrorView, TextCountView},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use zeroize::Zeroizing;

/// Longest text that is counted, in bytes.
const TEXT_BYTES_MAX: usize = 8_000_000;
/// Pieces that are counted before it is looked whether a newer text has come.
const PIECES_AT_ONCE: usize = 1_000;
/// The encoding of newer models of OpenAI, those with open weights among them.
const ENCODING: &str = "o200k_base";
/// Models whose own encoding that is, by how their ids begin.
const OWN: [&str; 2] = ["openai-gpt-oss", "openai/gpt-oss"];

/// Which text is the newest.
#[derive(Default)]
pub(crate) struct Counting(Arc<AtomicU64>);

impl Counting {
    /// From now on only the text that is counted next is the newest.
    fn begin(&self) -> Turn {
        let newest = Arc::clone(&self.0);
        let mine = newest.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Turn { newest, mine }
    }
}

struct Turn {
    newest: Arc<AtomicU64>,
    mine: u64,
}

impl Turn {
    fn is_over(&self) -> bool {
        self.newest.load(Ordering::Relaxed) != self.mine
    }
}

impl Wallet {
    /// Counts the tokens and characters of a text for a model. A newer call ends an older one, which then answers nothing.
    ///
    /// # Errors
    /// The text is longer than is counted.
    pub async fn count_text(&self, text: String, model_id: String) -> Result<Option<TextCountView>, ErrorView> {
        let text = Zeroizing::new(text);
        if text.len() > TEXT_BYTES_MAX {
            return Err(ErrorView::of(AppErrorCode::TextTooLong).with("most", TEXT_BYTES_MAX));
        }
        let turn = self.inner.counting.begin();
        let counted = tokio::task::spawn_blocking(move || count(&text, &|| turn.is_over())).await.map_err(ErrorView::internal)?;
        Ok(counted.map(|(tokens, characters)| TextCountView {
            tokens: tokens.to_string(),
            characters: characters.to_string(),
            encoding: ENCODING.into(),
            own: OWN.iter().any(|own| model_id.starts_with(own)),
        }))
    }
}

/// Tokens and characters; nothing when it was ended before.
fn count(text: &str, is_over: &dyn Fn() -> bool) -> Option<(usize, usize)> {
    let tokenizer = bpe_openai::o200k_base();
    let mut tokens = 0usize;
    for (at, piece) in tokenizer.split(text).enumerate() {
        if at % PIECES_AT_ONCE == 0 && is_over() {
            return None;
        }
        tokens = tokens.saturating_add(tokenizer.bpe.count(piece.as_bytes()));
    }
    Some((tokens, text.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> usize {
        count(text, &|| false).expect("not ended").0
    }

    #[test]
    fn known_texts_have_their_known_counts() {
        // As OpenAI's own tokenizer says for o200k_base.
        for (text, known) in
            [("", 0), ("hello world", 2), ("tiktoken is great!", 6), ("antidisestablishmentarianism", 6), ("お誕生日おめでとう", 8)]
        {
            assert_eq!(tokens(text), known, "{text}");
        }
    }

    #[test]
    fn a_newer_text_ends_an_older_one() {
        let counting = Counting::default();
        let older = counting.begin();
        assert!(!older.is_over());
        let newer = counting.begin();
        assert!(older.is_over() && !newer.is_over());
        assert_eq!(count("a text of some words", &|| older.is_over()), None);
    }

    #[test]
    fn characters_are_counted_as_they_are_written() {
        assert_eq!(count("naïve 日本", &|| false).expect("not ended").1, 8);
    }

    proptest! {
        /// Counting piece by piece is counting the whole.
        #[test]
        fn pieces_come_to_the_whole(text in "\\PC{0,300}") {
            prop_assert_eq!(tokens(&text), bpe_openai::o200k_base().count(text.as_str()));
        }
    }
}
