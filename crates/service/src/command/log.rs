//! The log: lines on stderr, for people or as JSON.

use crate::config::{LogFormat, Settings};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use std::fmt;
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins the log as the settings say; `RUST_LOG` wins over their filter.
pub(super) fn start(settings: &Settings) {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new(&settings.log));
    begin(settings.log_format, filter.unwrap_or_else(|_| EnvFilter::new("info")));
}

/// Begins a log for people unless there is one.
pub(super) fn start_plain() {
    begin(LogFormat::Text, EnvFilter::new("info"));
}

fn begin(format: LogFormat, filter: EnvFilter) {
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second beginning is refused, which leaves the first.
    let _ = match format {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.fmt_fields(JsonFields).event_format(JsonLine).finish().try_init(),
    };
}

/// One object a line: `time`, `level`, `target`, `message`, the fields of the event, and those of the spans around it.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut object = Object::default();
        let now: DateTime<Utc> = SystemTime::now().into();
        object.put("time", now.to_rfc3339_opts(SecondsFormat::Millis, true));
        object.put("level", event.metadata().level().as_str());
        object.put("target", event.metadata().target());
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                // What JsonFields wrote; of anything else nothing is taken.
                let fields: Map<String, Value> = serde_json::from_str(&format!("{{{}}}", fields.fields)).unwrap_or_default();
                object.0.extend(fields);
            }
        }
        event.record(&mut object);
        writeln!(writer, "{}", Value::Object(object.0))
    }
}

/// The fields of a span, as the inside of a JSON object.
struct JsonFields;

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut object = Object::default();
        fields.record(&mut object);
        let text = Value::Object(object.0).to_string();
        writer.write_str(text.get(1..text.len().saturating_sub(1)).unwrap_or_default())
    }
}

#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Object {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("lock").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_an_object_with_what_is_around_it() {
        let memory = Memory::default();
        let to = memory.clone();
        let lines = tracing_subscriber::fmt().with_writer(move || to.clone()).with_ansi(false);
        tracing::subscriber::with_default(lines.fmt_fields(JsonFields).event_format(JsonLine).finish(), || {
            let span = tracing::info_span!("request", request_id = "r\"1", tries = 2);
            span.in_scope(|| tracing::warn!(status = 429, route = "/v1/orders/{id}", "answered\nlate"));
            tracing::info!(error = %"bare", "outside");
        });
        let text = String::from_utf8(memory.0.lock().expect("lock").clone()).expect("text");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 2, "{text}");
        let first = &lines[0];
        for (name, value) in [("level", "WARN"), ("message", "answered\nlate"), ("route", "/v1/orders/{id}"), ("request_id", "r\"1")] {
            assert_eq!(first[name], value, "{text}");
        }
        assert_eq!((&first["status"], &first["tries"]), (&Value::from(429), &Value::from(2)));
        assert!(first["time"].as_str().is_some_and(|time| time.ends_with('Z') && time.len() == 24), "{text}");
        assert_eq!((&lines[1]["error"], &lines[1]["request_id"]), (&Value::from("bare"), &Value::Null));
    }
}
