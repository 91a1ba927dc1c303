//! Desktop entries that the app writes when a person asks for them: one that starts it at login, one that opens its links with it. Both
//! name the profile and the data folder, so that what is started is the app that wrote them.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const SCHEMES: [&str; 2] = ["x-scheme-handler/aispace", "x-scheme-handler/aispace-wallet"];

/// How this very app is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) profile: PathBuf,
    pub(crate) data_folder: PathBuf,
    /// A word for the profile: sandbox and live have entries of their own.
    pub(crate) name: &'static str,
}

/// Where desktop entries of this user are.
#[derive(Debug, Clone)]
pub(crate) struct Entries {
    launch: Launch,
    config: PathBuf,
    data: PathBuf,
}

impl Entries {
    /// In the folders of this user; nothing where desktop entries are unknown.
    pub(crate) fn of_this_user(launch: Launch) -> Option<Self> {
        cfg!(target_os = "linux").then_some(())?;
        Some(Self { launch, config: dirs::config_dir()?, data: dirs::data_dir()? })
    }

    /// Whether the app starts at login.
    pub(crate) fn starts_at_login(&self) -> bool {
        self.is_ours(&self.login_file())
    }

    /// Starts the app at login from now on, or no more.
    pub(crate) fn start_at_login(&self, on: bool) -> io::Result<()> {
        let exec = self.exec(&["--hidden"]);
        self.put(&self.login_file(), on.then(|| format!("{}X-GNOME-Autostart-enabled=true\n", self.entry(&exec))))
    }

    /// Whether the app opens its links.
    pub(crate) fn opens_links(&self) -> bool {
        self.is_ours(&self.links_file())
    }

    /// Opens the app's links with it from now on, or no more.
    pub(crate) fn open_links(&self, on: bool) -> io::Result<()> {
        let exec = format!("{} %u", self.exec(&[]));
        let file = self.links_file();
        self.put(&file, on.then(|| format!("{}NoDisplay=true\nMimeType={};\n", self.entry(&exec), SCHEMES.join(";"))))?;
        // Where these are missing the entry alone serves most desktops.
        run("update-desktop-database", &[&self.data.join("applications").to_string_lossy()]);
        if let (true, Some(name)) = (on, file.file_name()) {
            run("xdg-mime", &["default", &name.to_string_lossy(), SCHEMES[0], SCHEMES[1]]);
        }
        Ok(())
    }

    fn login_file(&self) -> PathBuf {
        self.config.join("autostart").join(format!("aispace-wallet-{}.desktop", self.launch.name))
    }

    fn links_file(&self) -> PathBuf {
        self.data.join("applications").join(format!("aispace-wallet-{}-links.desktop", self.launch.name))
    }

    fn exec(&self, more: &[&str]) -> String {
        let Launch { program, profile, data_folder, .. } = &self.launch;
        let parts =
            [program.to_string_lossy(), "--profile".into(), profile.to_string_lossy(), "--data-dir".into(), data_folder.to_string_lossy()];
        parts.iter().map(AsRef::as_ref).chain(more.iter().copied()).map(quoted).collect::<Vec<_>>().join(" ")
    }

    fn entry(&self, exec: &str) -> String {
        format!("[Desktop Entry]\nType=Application\nName=AiSpace Wallet\nExec={exec}\nTerminal=false\n")
    }

    /// Whether an entry starts this app: another checkout or data folder is not this one.
    fn is_ours(&self, file: &Path) -> bool {
        let start = format!("Exec={}", self.exec(&[]));
        fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line.starts_with(&start)))
    }

    /// Writes a whole file in the place of another, or removes it.
    fn put(&self, file: &Path, text: Option<String>) -> io::Result<()> {
        let Some(text) = text else {
            return match fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        let folder = file.parent().ok_or(ErrorKind::NotFound)?;
        fs::create_dir_all(folder)?;
        let beside = file.with_extension("desktop.new");
        let mut written = fs::File::create(&beside)?;
        written.write_all(text.as_bytes())?;
        written.sync_all()?;
        fs::rename(&beside, file)
    }
}

/// An argument as the desktop entry specification wants it: in double quotes, with the shell's four signs and per cents escaped, and all of
/// that escaped once more as a string of the file.
fn quoted(argument: &str) -> String {
    let escaped: String = argument.chars().flat_map(|c| if "\"`$\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
    format!("\"{}\"", escaped.replace('%', "%%")).replace('\\', "\\\\").replace('\n', "\\n")
}

fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if let Err(error) = done {
        tracing::debug!("{program} was not run: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path, data_folder: &str) -> Entries {
        let launch =
            Launch { program: "/opt/a b/aispace-wallet".into(), profile: "/p.json".into(), data_folder: data_folder.into(), name: "live" };
        Entries { launch, config: folder.join("config"), data: folder.join("data") }
    }

    #[test]
    fn an_entry_comes_and_goes_and_says_how_this_app_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let ours = entries(folder.path(), "/data");
        assert!(!ours.starts_at_login());
        ours.start_at_login(false).unwrap();
        ours.start_at_login(true).unwrap();
        let text = fs::read_to_string(folder.path().join("config/autostart/aispace-wallet-live.desktop")).unwrap();
        assert!(
            text.contains("\nExec=\"/opt/a b/aispace-wallet\" \"--profile\" \"/p.json\" \"--data-dir\" \"/data\" \"--hidden\"\n"),
            "{text}"
        );
        assert!(ours.starts_at_login() && !ours.opens_links());
        assert!(!entries(folder.path(), "/other").starts_at_login());
        ours.start_at_login(false).unwrap();
        assert!(!ours.starts_at_login());
        assert_eq!(fs::read_dir(folder.path().join("config/autostart")).unwrap().count(), 0);
    }

    #[test]
    fn a_path_cannot_say_more_than_a_path() {
        assert_eq!(quoted("/a b"), "\"/a b\"");
        assert_eq!(quoted("%u"), "\"%%u\"");
        assert_eq!(quoted("a\"b$c`d\\e"), r#""a\\"b\\$c\\`d\\\\e""#);
        assert_eq!(quoted("a\nExec=evil"), "\"a\\nExec=evil\"");
    }
}
