//! The three layers, each held to the documented fields by itself, so that a refusal can say where it comes from.

use super::{Problem, Settings};
use config::{Config, ConfigError, Environment, File, FileFormat, Map, Source, Value, ValueKind};
use std::path::{Path, PathBuf};

const PREFIX: &str = "AISPACE_SERVICE";
const SEPARATOR: &str = "__";

/// What flags set, by the field they set.
#[derive(Default)]
pub(crate) struct Flags(Vec<(&'static str, ValueKind)>);

impl Flags {
    /// Sets a field when the flag was given.
    pub(crate) fn set(&mut self, field: &'static str, value: Option<impl Into<ValueKind>>) {
        if let Some(value) = value {
            self.0.push((field, value.into()));
        }
    }
}

/// The settings, and which layer set what.
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    layers: Vec<Layer>,
}

impl Loaded {
    /// Where a field was set last, for people; its name when nobody set it.
    pub(crate) fn place(&self, field: &str) -> String {
        self.set_by(field).map_or_else(|| field.to_owned(), |layer| layer.place(field))
    }

    /// The file that set a field, when a file did.
    pub(crate) fn file_that_set(&self, field: &str) -> Option<&Path> {
        self.set_by(field).and_then(|layer| match &layer.origin {
            Origin::File { path, .. } => Some(path.as_path()),
            Origin::Environment | Origin::Flags => None,
        })
    }

    /// Whether a flag set a field, where everybody on the machine can read it.
    pub(crate) fn is_on_the_command_line(&self, field: &str) -> bool {
        self.set_by(field).is_some_and(|layer| matches!(layer.origin, Origin::Flags))
    }

    fn set_by(&self, field: &str) -> Option<&Layer> {
        self.layers.iter().rev().find(|layer| layer.holds(field))
    }
}

struct Layer {
    origin: Origin,
    values: Map<String, Value>,
}

enum Origin {
    File { path: PathBuf, text: String },
    Environment,
    Flags,
}

/// Reads the layers. `environment` are the variables that begin with [`PREFIX`]; others are left out.
///
/// # Errors
/// What is wrong, one for each layer that is refused.
pub(crate) fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    flags: Flags,
) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut layers = Vec::new();
    let mut keep = |layer: Result<Layer, Problem>| match layer.and_then(Layer::checked) {
        Ok(layer) => layers.push(layer),
        Err(problem) => problems.push(problem),
    };
    if let Some(path) = file {
        keep(Layer::of_file(path));
    }
    keep(Layer::of_environment(environment));
    keep(Layer::of_flags(flags));
    if !problems.is_empty() {
        return Err(problems);
    }
    let together = layers.iter().fold(Config::builder(), |builder, layer| builder.add_source(layer.source()));
    let settings = together.build().and_then(Config::try_deserialize);
    match settings {
        Ok(settings) => Ok(Loaded { settings, layers }),
        Err(error) => Err(vec![Problem::new("the configuration", reason(&error))]),
    }
}

/// The variables of this process that are settings.
///
/// # Errors
/// One whose value is no text.
pub(crate) fn environment() -> Result<Vec<(String, String)>, Vec<Problem>> {
    let own = |name: &str| name.to_ascii_uppercase().starts_with(&format!("{PREFIX}{SEPARATOR}"));
    let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    named
        .filter(|(name, _)| own(name))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(vec![Problem::new(name, "is no text")]),
        })
        .collect()
}

impl Layer {
    fn of_file(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| Problem::new(path.display().to_string(), error))?;
        let parsed = File::from_str(&text, FileFormat::Toml).collect();
        let values = parsed.map_err(|error| Problem::new(path.display().to_string(), reason(&error)))?;
        Ok(Self { origin: Origin::File { path: path.to_owned(), text }, values })
    }

    fn of_environment(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Problem> {
        let source = Environment::with_prefix(PREFIX).prefix_separator(SEPARATOR).separator(SEPARATOR).ignore_empty(true);
        let flat = source.source(Some(variables.into_iter().collect())).collect();
        // The names become paths when they are put together.
        let nested = flat.and_then(|flat| {
            let builder = flat.into_iter().try_fold(Config::builder(), |builder, (name, value)| builder.set_override(name, value));
            builder?.build()?.collect()
        });
        Ok(Self { origin: Origin::Environment, values: nested.map_err(|error| Problem::new("the environment", reason(&error)))? })
    }

    fn of_flags(Flags(flags): Flags) -> Result<Self, Problem> {
        let builder = flags.into_iter().try_fold(Config::builder(), |builder, (field, value)| builder.set_override(field, value));
        let values = builder.and_then(|builder| builder.build()?.collect());
        Ok(Self { origin: Origin::Flags, values: values.map_err(|error| Problem::new("the command line", reason(&error)))? })
    }

    fn source(&self) -> Values {
        Values(self.values.clone())
    }

    /// Refuses fields that nobody knows and values that do not fit.
    fn checked(self) -> Result<Self, Problem> {
        let alone = Config::builder().add_source(self.source()).build().and_then(Config::try_deserialize::<Settings>);
        match alone {
            Ok(_) => Ok(self),
            Err(error) => Err(Problem::new(self.place(&field(&error)), reason(&error))),
        }
    }

    fn holds(&self, field: &str) -> bool {
        let mut values = &self.values;
        let mut names = field.split('.').peekable();
        while let Some(name) = names.next() {
            match values.get(name) {
                Some(_) if names.peek().is_none() => return true,
                Some(Value { kind: ValueKind::Table(inner), .. }) => values = inner,
                _ => return false,
            }
        }
        false
    }

    fn place(&self, field: &str) -> String {
        match &self.origin {
            Origin::File { path, text } => match line_of(text, field) {
                Some(line) => format!("{}, line {line}, {field}", path.display()),
                None => format!("{}, {field}", path.display()),
            },
            Origin::Environment => format!("{PREFIX}{SEPARATOR}{}", field.to_ascii_uppercase().replace('.', SEPARATOR)),
            Origin::Flags => format!("--{}", flag(field)),
        }
    }
}

/// The flag that sets a field.
fn flag(field: &str) -> String {
    match field {
        "nodes" => "node".to_owned(),
        "card.stripe_url" => "stripe-url".to_owned(),
        "card.return_url" => "card-return-url".to_owned(),
        _ => match field.split_once('.') {
            Some(("prices", "chainlink")) => "no-chainlink".to_owned(),
            Some(("prices", venue)) => format!("price-{venue}"),
            _ => field.replace('_', "-"),
        },
    }
}

/// Values as a source of their own.
#[derive(Debug, Clone)]
struct Values(Map<String, Value>);

impl Source for Values {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The field an error is about, with what serde found unknown in it.
fn field(error: &ConfigError) -> String {
    match error {
        ConfigError::Type { key, .. } => key.clone().unwrap_or_default(),
        ConfigError::At { error, key, .. } => {
            let (outer, inner) = (key.clone().unwrap_or_default(), field(error));
            if outer.is_empty() || inner.is_empty() { outer + &inner } else { format!("{outer}.{inner}") }
        }
        ConfigError::Message(text) => unknown(text).map(str::to_owned).unwrap_or_default(),
        _ => String::new(),
    }
}

fn unknown(message: &str) -> Option<&str> {
    message.strip_prefix("unknown field `")?.split_once('`').map(|(name, _)| name)
}

/// What is wrong, without the value: it may be a secret.
fn reason(error: &ConfigError) -> String {
    match error {
        // Every number here counts something.
        ConfigError::Type { expected, .. } if expected.ends_with("integer") => "expected a whole number that is not too large".to_owned(),
        ConfigError::Type { expected, .. } => format!("expected {expected}"),
        ConfigError::At { error, .. } => reason(error),
        // The parser's message goes on with the line itself.
        ConfigError::FileParse { cause, .. } => cause.to_string().lines().next().unwrap_or("is not TOML").to_owned(),
        ConfigError::Message(text) => match (unknown(text), text.split_once(", expected ")) {
            (Some(_), Some((_, expected))) => format!("unknown field, expected {expected}"),
            (Some(_), None) => "unknown field".to_owned(),
            (None, Some((_, expected))) => format!("expected {expected}"),
            (None, None) => text.clone(),
        },
        _ => "cannot be read".to_owned(),
    }
}

/// The line, from 1, where a file sets a field or begins a table.
fn line_of(text: &str, field: &str) -> Option<usize> {
    let (table, name) = field.rsplit_once('.').unwrap_or(("", field));
    let mut current = String::new();
    text.lines().zip(1..).find_map(|(line, number)| {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            current = header.0.trim().to_owned();
            return (current == field).then_some(number);
        }
        let after = line.strip_prefix(name)?.trim_start();
        (current == table && after.starts_with(['=', '.'])).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn refused(file: &str, environment: &[(&str, &str)]) -> String {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("s.toml");
        std::fs::write(&path, file).expect("written");
        let problems = load(Some(&path), variables(environment), Flags::default()).err().expect("refused");
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").replace(&path.display().to_string(), "s.toml")
    }

    #[test]
    fn later_layers_win_field_by_field() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("s.toml");
        let file = "listen = '127.0.0.1:1'\ndatabase = 'file.db'\nnodes = ['https://a', 'https://b']\n\
                    [limits]\naddress_burst = 5\nexempt = ['10.0.0.0/8']\n";
        std::fs::write(&path, file).expect("written");
        let environment = [
            ("AISPACE_SERVICE__LISTEN", "127.0.0.1:2"),
            ("AISPACE_SERVICE__DATABASE", "1e3"),
            ("AISPACE_SERVICE__NODES", "https://c, https://d,"),
            ("AISPACE_SERVICE__LIMITS__ADDRESS_PER_MINUTE", "7"),
            ("AISPACE_SERVICE__TEST_CLOCK", "true"),
            ("AISPACE_SERVICE__PROFILE", ""),
            ("PATH", "/bin"),
        ];
        let mut flags = Flags::default();
        flags.set("listen", Some("127.0.0.1:3"));
        flags.set("poll_ms", None::<u64>);
        let loaded = load(Some(&path), variables(&environment), flags).unwrap_or_else(|problems| panic!("{problems:?}"));
        let Settings { listen, database, nodes, limits, test_clock, poll_ms, .. } = &loaded.settings;
        assert_eq!((listen.as_str(), database.as_deref(), *test_clock, *poll_ms), ("127.0.0.1:3", Some("1e3"), true, 1_000));
        assert_eq!(nodes, &["https://c", "https://d"]);
        assert_eq!((limits.address_burst, limits.address_per_minute, limits.exempt.len()), (Some(5), Some(7), 1));
        assert_eq!(loaded.place("listen"), "--listen");
        assert_eq!(loaded.place("limits.address_per_minute"), "AISPACE_SERVICE__LIMITS__ADDRESS_PER_MINUTE");
        assert_eq!(loaded.place("limits.address_burst"), format!("{}, line 5, limits.address_burst", path.display()));
        assert_eq!(loaded.place("poll_ms"), "poll_ms");
    }

    #[test]
    fn what_nobody_knows_is_refused_where_it_stands() {
        let text = refused("listen = '127.0.0.1:1'\nlisten_on = 'x'\n", &[]);
        assert!(text.starts_with("s.toml, line 2, listen_on: unknown field, expected one of `listen`"), "{text}");
        let text = refused("[limits]\n# a note\naddress_bursts = 5\n", &[]);
        assert!(text.starts_with("s.toml, line 3, limits.address_bursts: unknown field"), "{text}");
        let text = refused("[limit]\naddress_burst = 5\n", &[]);
        assert!(text.starts_with("s.toml, line 1, limit: unknown field"), "{text}");
        let text = refused("", &[("AISPACE_SERVICE__LIMITS__BURST", "5")]);
        assert!(text.starts_with("AISPACE_SERVICE__LIMITS__BURST: unknown field"), "{text}");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_not_repeated() {
        for (file, environment, said) in [
            ("poll_ms = 'hush'", vec![], "s.toml, line 1, poll_ms: expected a whole number"),
            ("poll_ms = -1", vec![], "s.toml, line 1, poll_ms: expected a whole number"),
            ("\nnodes = 7", vec![], "s.toml, line 2, nodes: expected a list of texts"),
            ("log_format = 'hush'", vec![], "s.toml, line 1, log_format: is neither text nor json"),
            ("prices = 'hush'", vec![], "s.toml, line 1, prices: expected struct PriceSettings"),
            ("database = ['postgres://me:hush@db/x']", vec![], "s.toml, line 1, database: expected a string"),
            ("database = 'postgres://me:hush@db/x", vec![], "s.toml: TOML parse error at line 1, column 36"),
            (
                "",
                vec![("AISPACE_SERVICE__LIMITS__ADDRESS_BURST", "hush")],
                "AISPACE_SERVICE__LIMITS__ADDRESS_BURST: expected a whole number",
            ),
        ] {
            let text = refused(file, &environment);
            assert!(text.starts_with(said) && !text.contains("hush"), "{text}");
        }
    }
}
