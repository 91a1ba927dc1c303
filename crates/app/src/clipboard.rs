//! The clipboard, for secrets: put there by Rust, and taken away again.

use std::{sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// For how long a secret stays in the clipboard, in seconds.
pub(crate) const CLEARED_AFTER_SECONDS: u32 = 30;

/// The clipboard of the desktop. Its calls may wait for another program; they are made where that does no harm.
pub trait Clipboard: Send + Sync {
    /// Puts a text there, marked as a secret where the desktop knows such a mark.
    ///
    /// # Errors
    /// [`ClipboardError`] when nothing takes it.
    fn put(&self, text: &str) -> Result<(), ClipboardError>;

    /// The text that is there now, if any.
    ///
    /// # Errors
    /// [`ClipboardError`] when it cannot be read.
    fn text(&self) -> Result<Option<String>, ClipboardError>;

    /// Empties it.
    ///
    /// # Errors
    /// [`ClipboardError`] when it stays as it is.
    fn clear(&self) -> Result<(), ClipboardError>;
}

/// The clipboard did not do it. Does not hold what was to be put there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the clipboard did not take it: {reason}")]
pub struct ClipboardError {
    /// What the system said.
    pub reason: String,
}

/// Puts a secret there now; what is done later takes it away, unless something else is there by then.
pub(crate) async fn put_for_a_while(
    clipboard: Arc<dyn Clipboard>,
    secret: Zeroizing<String>,
    stays: Duration,
) -> Result<impl Future<Output = ()> + Send + 'static, ClipboardError> {
    let put = {
        let (clipboard, secret) = (Arc::clone(&clipboard), secret.clone());
        tokio::task::spawn_blocking(move || clipboard.put(&secret)).await
    };
    put.map_err(|error| ClipboardError { reason: error.to_string() })??;
    Ok(async move {
        tokio::time::sleep(stays).await;
        let taken = tokio::task::spawn_blocking(move || take_away(clipboard.as_ref(), &secret)).await;
        if !matches!(taken, Ok(Ok(_))) {
            tracing::warn!("the clipboard could not be emptied");
        }
    })
}

/// Empties the clipboard if it still holds the secret; answers whether it did.
fn take_away(clipboard: &dyn Clipboard, secret: &str) -> Result<bool, ClipboardError> {
    let now = clipboard.text()?.map(Zeroizing::new);
    if now.is_none_or(|now| *now != secret) {
        return Ok(false);
    }
    clipboard.clear().map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Desk(Mutex<Option<String>>);

    impl Clipboard for Desk {
        fn put(&self, text: &str) -> Result<(), ClipboardError> {
            *self.0.lock().unwrap() = Some(text.into());
            Ok(())
        }

        fn text(&self) -> Result<Option<String>, ClipboardError> {
            Ok(self.0.lock().unwrap().clone())
        }

        fn clear(&self) -> Result<(), ClipboardError> {
            *self.0.lock().unwrap() = None;
            Ok(())
        }
    }

    async fn after(meanwhile: Option<&str>) -> Option<String> {
        let desk = Arc::new(Desk::default());
        let later = put_for_a_while(desk.clone(), Zeroizing::new("the key".into()), Duration::ZERO).await.unwrap();
        assert_eq!(desk.text().unwrap().as_deref(), Some("the key"));
        if let Some(text) = meanwhile {
            desk.put(text).unwrap();
        }
        later.await;
        desk.text().unwrap()
    }

    #[tokio::test]
    async fn a_secret_goes_and_what_came_since_stays() {
        assert_eq!(after(None).await, None);
        assert_eq!(after(Some("a shopping list")).await.as_deref(), Some("a shopping list"));
    }
}
