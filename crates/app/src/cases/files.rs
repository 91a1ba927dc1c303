//! Files for a person: a receipt, payments and batches as tables, a calendar, what support needs, a keystore. Written into the downloads folder,
//! never over another file, and readable for this user only.

use crate::{
    Wallet, project,
    view::{AppErrorCode, ErrorView, SavedFileView},
};
use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

/// Names that are tried before the folder is said to be full of them.
const NAMES_MAX: u32 = 1_000;
/// Characters that the middle of a file's name may have.
const STEM_CHARS_MAX: usize = 60;

/// What a file holds; its name begins and ends by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Receipt,
    Payments,
    Usage,
    UsageTable,
    Batches,
    Calendar,
    Report,
    Keystore,
    Export,
}

impl FileKind {
    fn affixes(self) -> (&'static str, &'static str) {
        match self {
            Self::Receipt => ("aispace-receipt", "html"),
            Self::Payments => ("aispace-payments", "csv"),
            Self::Usage => ("aispace-usage", "json"),
            Self::UsageTable => ("aispace-usage", "csv"),
            Self::Batches => ("aispace-batches", "csv"),
            Self::Calendar => ("aispace-batch-ends", "ics"),
            Self::Report => ("aispace-report", "json"),
            Self::Keystore => ("aispace-wallet", "json"),
            Self::Export => ("aispace-export", "json"),
        }
    }
}

impl Wallet {
    /// Saves the receipt of a payment as a page that can be printed.
    ///
    /// # Errors
    /// No payment is known under this order's id, or the file cannot be written.
    pub async fn save_receipt(&self, order_id: String) -> Result<SavedFileView, ErrorView> {
        let view = self.payment(order_id)?;
        let page = project::receipt(&view, self.inner.fixed.profile.kind, self.language(), self.corrected_now());
        self.save_file(FileKind::Receipt, &view.order_id, page.as_bytes()).await
    }

    /// Saves all payments as a table, oldest first.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn save_payments_csv(&self) -> Result<SavedFileView, ErrorView> {
        let records = self.inner.store.payments().await?;
        let views: Vec<_> = {
            let state = self.state();
            records.iter().map(|record| project::payment(&state, record)).collect()
        };
        let table = project::payments_csv(&views)?;
        let day = self.corrected_now().format("%Y-%m-%d").to_string();
        self.save_file(FileKind::Payments, &day, &table).await
    }

    /// Saves what support needs to find a payment that was not credited. It holds no secret and no path of this computer.
    ///
    /// # Errors
    /// No payment is known under this order's id, or the file cannot be written.
    pub async fn save_support_bundle(&self, order_id: String) -> Result<SavedFileView, ErrorView> {
        let view = self.payment(order_id)?;
        let report = project::report(&view, &self.view(), self.corrected_now());
        let text = serde_json::to_vec_pretty(&report).map_err(ErrorView::internal)?;
        self.save_file(FileKind::Report, &view.order_id, &text).await
    }

    /// Writes a new file of that kind, durably, and answers where it is.
    pub(crate) async fn save_file(&self, kind: FileKind, middle: &str, bytes: &[u8]) -> Result<SavedFileView, ErrorView> {
        let (folders, stem, bytes) = (self.inner.save_folders.clone(), stem(middle), bytes.to_vec());
        let write = move || {
            let mut failed = ErrorKind::NotFound.into();
            for folder in folders {
                match save(&folder, kind, &stem, &bytes) {
                    Ok(path) => return Ok(path),
                    Err(error) => failed = error,
                }
            }
            Err(failed)
        };
        let written = tokio::task::spawn_blocking(write).await.map_err(ErrorView::internal)?;
        let path = written.map_err(|error| ErrorView::of(AppErrorCode::FileNotSaved).with("reason", error))?;
        Ok(SavedFileView { path: path.display().to_string() })
    }
}

/// Part of a name, whatever it is made of: letters, digits and hyphens.
fn stem(middle: &str) -> String {
    middle.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(STEM_CHARS_MAX).collect()
}

fn save(folder: &Path, kind: FileKind, stem: &str, bytes: &[u8]) -> Result<PathBuf, std::io::Error> {
    std::fs::create_dir_all(folder)?;
    let (start, extension) = kind.affixes();
    for number in 1..=NAMES_MAX {
        let tail = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{start}-{stem}{tail}.{extension}"));
        match create(&path) {
            Ok(mut file) => {
                file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| {
                    // Half a file is worth nothing; that it stays is no harm.
                    let _ = std::fs::remove_file(&path);
                })?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn create(path: &Path) -> Result<std::fs::File, std::io::Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_never_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let saved: Vec<_> = [b"one", b"two"].iter().map(|bytes| save(folder.path(), FileKind::Receipt, "order", *bytes).unwrap()).collect();
        assert_eq!(saved[0].file_name().unwrap(), "aispace-receipt-order.html");
        assert_eq!(saved[1].file_name().unwrap(), "aispace-receipt-order-2.html");
        assert_eq!((std::fs::read(&saved[0]).unwrap(), std::fs::read(&saved[1]).unwrap()), (b"one".to_vec(), b"two".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_may_read_it_and_links_are_not_followed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::os::unix::fs::symlink(&target, folder.path().join("aispace-wallet-a.json")).unwrap();
        let path = save(folder.path(), FileKind::Keystore, "a", b"{}").unwrap();
        assert_eq!(path.file_name().unwrap(), "aispace-wallet-a-2.json");
        assert!(!target.exists());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_name_from_elsewhere_leads_nowhere() {
        assert_eq!(stem("../../etc/passwd\0\u{202e}"), "etcpasswd");
        assert_eq!(stem(&"x".repeat(900)).len(), STEM_CHARS_MAX);
    }
}
