//! Words of what is written or served beside the window's pages: of the same catalogue, read here because no page is there to say them.

use crate::view::Language;
use std::collections::BTreeMap;

/// A file of the catalogue in a person's language.
#[derive(Debug, Clone, Default)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// Of the same file in both languages, as JSON, the one to use now.
    #[must_use]
    pub fn new(language: Language, english: &str, chinese: &str) -> Self {
        Self::read(if language.is_chinese() { chinese } else { english })
    }

    fn read(file: &str) -> Self {
        Self(serde_json::from_str(file).unwrap_or_default())
    }

    /// A message without figures.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A message with its figures, each in the place of its name in braces.
    #[must_use]
    pub fn with(&self, key: &str, figures: &[(&str, &str)]) -> String {
        let text = self.0.get(key).cloned().unwrap_or_default();
        figures.iter().fold(text, |text, (name, figure)| text.replace(&format!("{{{name}}}"), figure))
    }

    /// The keys whose messages are missing in one of two files, are empty, or name other figures. For tests.
    #[must_use]
    pub fn different(one: &str, other: &str) -> Vec<String> {
        let (one, other) = (Self::read(one), Self::read(other));
        let figures = |text: &str| {
            let mut names: Vec<_> =
                text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect();
            names.sort();
            names
        };
        let is_same = |key: &String| {
            let both = one.0.get(key).zip(other.0.get(key));
            both.is_some_and(|(one, other)| !one.is_empty() && !other.is_empty() && figures(one) == figures(other))
        };
        let keys: std::collections::BTreeSet<_> = one.0.keys().chain(other.0.keys()).collect();
        if keys.is_empty() { vec!["no message".into()] } else { keys.into_iter().filter(|key| !is_same(key)).cloned().collect() }
    }
}

impl Language {
    /// Whether Chinese is to be spoken: where the system decides, by the variables that the C library reads, the first that says something.
    #[must_use]
    pub fn is_chinese(self) -> bool {
        match self {
            Self::English => false,
            Self::ChineseSimplified => true,
            Self::System => system_speaks_chinese(&|name| std::env::var(name).ok()),
        }
    }
}

fn system_speaks_chinese(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    said.is_some_and(|value| value.starts_with("zh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_speaks_what_its_variables_say() {
        let with = |name: &'static str, value: &'static str| system_speaks_chinese(&|asked| (asked == name).then(|| value.to_owned()));
        assert!(with("LANG", "zh_CN.UTF-8") && with("LC_ALL", "zh_SG"));
        assert!(!with("LANG", "en_GB.UTF-8") && !with("LANG", "") && !with("OTHER", "zh"));
    }

    #[test]
    fn what_differs_between_two_languages_is_found() {
        let english = r#"{"same":"{a} of {b}","figure":"{a}","missing":"x","empty":"x"}"#;
        let chinese = r#"{"same":"{b} {a}","figure":"{c}","empty":"","more":"y"}"#;
        assert_eq!(Words::different(english, chinese), ["empty", "figure", "missing", "more"]);
        assert_eq!(Words::different("{}", "not json"), ["no message"]);
        let words = Words::new(Language::ChineseSimplified, english, chinese);
        assert_eq!((words.with("same", &[("a", "1"), ("b", "2")]), words.say("none")), ("2 1".into(), String::new()));
    }
}
