//! What the app was started with.

use std::{ffi::OsString, path::PathBuf};

const LINK_SCHEMES: [&str; 2] = ["aispace:", "aispace-wallet:"];

/// Arguments of the app, and what they leave out of its environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The profile file.
    pub(crate) profile: Option<PathBuf>,
    /// The folder of everything the app writes.
    pub(crate) data_folder: Option<PathBuf>,
    /// Whether the window stays closed where there is a tray to open it from.
    pub(crate) is_hidden: bool,
    /// A link of the app's own schemes.
    pub(crate) link: Option<String>,
}

impl Arguments {
    /// Of the command line, without the program's name, and the environment.
    pub(crate) fn new(arguments: impl IntoIterator<Item = OsString>, environment: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut found = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--profile") => found.profile = arguments.next().map(PathBuf::from),
                Some("--data-dir") => found.data_folder = arguments.next().map(PathBuf::from),
                Some("--hidden") => found.is_hidden = true,
                // Whatever else a page may have put there is not heard.
                Some(text) if found.link.is_none() => found.link = link(text),
                Some(_) | None => {}
            }
        }
        let given = |name: &str| environment(name).map(PathBuf::from);
        found.profile = found.profile.or_else(|| given("AISPACE_PROFILE"));
        found.data_folder = found.data_folder.or_else(|| given("AISPACE_DATA_DIR"));
        found
    }
}

/// The link among the arguments of a second start.
pub(crate) fn link_among(arguments: &[String]) -> Option<String> {
    arguments.iter().skip(1).find_map(|argument| link(argument))
}

fn link(text: &str) -> Option<String> {
    LINK_SCHEMES.iter().any(|scheme| text.starts_with(scheme)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Arguments {
        let environment = |name: &str| (name == "AISPACE_PROFILE").then(|| OsString::from("/env.json"));
        Arguments::new(arguments.iter().map(OsString::from), environment)
    }

    #[test]
    fn arguments_come_before_the_environment() {
        assert_eq!(read(&[]).profile, Some("/env.json".into()));
        let given = read(&["--profile", "/p.json", "--data-dir", "/d", "--hidden", "aispace://usage"]);
        let expected = Arguments {
            profile: Some("/p.json".into()),
            data_folder: Some("/d".into()),
            is_hidden: true,
            link: Some("aispace://usage".into()),
        };
        assert_eq!(given, expected);
    }

    #[test]
    fn a_link_is_of_the_apps_own_schemes_and_only_the_first_counts() {
        let found = read(&["https://example.org", "aispace-wallet://buy?usd=25", "aispace://buy"]);
        assert_eq!(found.link.as_deref(), Some("aispace-wallet://buy?usd=25"));
        assert_eq!(link_among(&["aispace://program".into(), "x".into(), "aispace://buy".into()]).as_deref(), Some("aispace://buy"));
        assert_eq!(link_among(&["app".into(), "aispace".into()]), None);
    }
}
