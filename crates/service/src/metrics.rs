//! What the service counts, for Prometheus. No label names an account, a credential or an order: every label has few values.

use crate::crediting::Happened;
use crate::limit::Limit;
use aispace_api::ErrorCode;
use aispace_units::NanoCredits;
use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds: from a read out of memory to the most that a client waits.
const LATENCY_BUCKETS: [f64; 13] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Calls made durable by one commit.
const BATCH_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What a store counts by itself.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    commits: Histogram,
    repeats: Counter,
    errors: Counter,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self { commits: Histogram::new(BATCH_BUCKETS), repeats: Counter::default(), errors: Counter::default() }
    }
}

impl StoreMetrics {
    /// One commit made so many calls durable.
    pub fn committed(&self, writes: usize) {
        self.commits.observe(f64::from(u32::try_from(writes).unwrap_or(u32::MAX)));
    }

    /// Work is done again, because another transaction was in the way.
    pub fn done_again(&self) {
        self.repeats.inc();
    }

    /// The database failed somebody.
    pub fn failed(&self) {
        self.errors.inc();
    }
}

const CREDENTIALS: [&str; 2] = ["bearer", "claim_secret"];
const PAYMENTS: [&str; 4] = ["credited", "waiting", "held", "taken_back"];
const LIMITS: [&str; 3] = ["failed_credentials", "address", "credential"];

/// Everything that is counted since the process began.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    latency: Family<Asked, Histogram, LatencyBuckets>,
    in_flight: Gauge,
    postings: Family<Kind, Counter>,
    refusals: Family<Code, Counter>,
    store: StoreMetrics,
    head: Gauge<u64, AtomicU64>,
    scanned: Gauge<u64, AtomicU64>,
    lag: Gauge<u64, AtomicU64>,
    reading: Gauge,
    streams: Gauge,
    payments: Family<PaymentLabel, Counter>,
    payments_held: Gauge,
    payments_missing: Gauge,
    card_payments: Family<PaymentLabel, Counter>,
    card_missing: Gauge,
    failed_credentials: Family<Credential, Counter>,
    limited: Family<LimitName, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Credential {
    credential: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitName {
    limit: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PaymentLabel {
    outcome: &'static str,
}

/// What became of a payment by card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardPayments {
    /// It was credited.
    Credited,
    /// Money of it moved back, or came again.
    Returned,
    /// A person has to look at it.
    Held,
}

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A Secure Key or an operator's token: which of the two it was meant to be cannot be known.
    Bearer,
    /// The claim secret of an order.
    ClaimSecret,
}

#[derive(Debug, Clone)]
struct LatencyBuckets;

impl MetricConstructor<Histogram> for LatencyBuckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(LATENCY_BUCKETS)
    }
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(started: SystemTime, store: StoreMetrics) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            latency: Family::new_with_constructor(LatencyBuckets),
            in_flight: Gauge::default(),
            postings: Family::default(),
            refusals: Family::default(),
            store,
            head: Gauge::default(),
            scanned: Gauge::default(),
            lag: Gauge::default(),
            reading: Gauge::default(),
            streams: Gauge::default(),
            payments: Family::default(),
            payments_held: Gauge::default(),
            payments_missing: Gauge::default(),
            card_payments: Family::default(),
            card_missing: Gauge::default(),
            failed_credentials: Family::default(),
            limited: Family::default(),
        };
        metrics.register(started);
        metrics.begin_at_zero();
        metrics
    }

    fn register(&mut self, started: SystemTime) {
        let start: Gauge<i64> = Gauge::default();
        let since_epoch = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        start.set(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX));
        self.registry.register_with_unit("process_start_time", "When the process began, in seconds since 1970", Unit::Seconds, start);
        let own = self.registry.sub_registry_with_prefix("aispace");
        own.register("build", "The release that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        own.register("http_requests", "Calls that were answered, by route template", self.requests.clone());
        own.register_with_unit("http_request_duration", "From a call's head to its answer's head", Unit::Seconds, self.latency.clone());
        own.register("http_requests_in_flight", "Calls that are being answered", self.in_flight.clone());
        own.register("postings", "Changes of accounts, made once each: repetitions under one key are not counted", self.postings.clone());
        own.register("refusals", "Calls that were refused, by the code of the refusal", self.refusals.clone());
        own.register("store_commit_writes", "Calls made durable by one commit", self.store.commits.clone());
        own.register(
            "store_repeats",
            "Times that work was done again, because another transaction was in the way",
            self.store.repeats.clone(),
        );
        own.register("store_errors", "Times the database failed a call or the watcher", self.store.errors.clone());
        own.register("watcher_head_block", "Newest block that the nodes know", self.head.clone());
        own.register("watcher_scanned_block", "Newest block that was read for payments", self.scanned.clone());
        own.register("watcher_lag_blocks", "Blocks that are known and not read yet", self.lag.clone());
        own.register("watcher_reading", "1 while the chain can be read, else 0", self.reading.clone());
        own.register("event_streams", "Open streams of balance changes", self.streams.clone());
        own.register("payments", "What became of payments in ether", self.payments.clone());
        own.register("payments_held", "Payments in ether that a person has to look at", self.payments_held.clone());
        own.register(
            "payments_missing_credits",
            "Credits spent of payments in ether that the chain took back, as this process found out",
            self.payments_missing.clone(),
        );
        own.register("card_payments", "What became of payments by card", self.card_payments.clone());
        own.register("card_missing_credits", "Credits spent and not paid for, as this process found out", self.card_missing.clone());
        own.register("failed_credentials", "Wrong credentials that were presented", self.failed_credentials.clone());
        own.register("rate_limited", "Calls that were told to wait, by the limit they reached", self.limited.clone());
    }

    /// What is alerted on is there from the beginning: a rise from nothing is no rise.
    fn begin_at_zero(&self) {
        for credential in CREDENTIALS {
            drop(self.failed_credentials.get_or_create(&Credential { credential }));
        }
        for outcome in PAYMENTS {
            drop(self.payments.get_or_create(&PaymentLabel { outcome }));
        }
        for limit in LIMITS {
            drop(self.limited.get_or_create(&LimitName { limit }));
        }
    }

    /// A call begins; it has ended when what this answers is dropped.
    #[must_use]
    pub fn in_flight(&self) -> Counted {
        Counted::one_of(&self.in_flight)
    }

    /// A call was answered.
    pub fn answered(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let method = known(method);
        self.requests.get_or_create(&Answered { method, route: route.to_owned(), status }).inc();
        self.latency.get_or_create(&Asked { method, route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Something was posted: `grant`, `debit`, `hold` and so on.
    pub fn posted(&self, kind: &'static str) {
        self.postings.get_or_create(&Kind { kind }).inc();
    }

    /// A call was refused.
    pub fn refused(&self, code: ErrorCode) {
        let code = serde_json::to_value(code).ok().and_then(|value| value.as_str().map(str::to_owned));
        self.refusals.get_or_create(&Code { code: code.unwrap_or_default() }).inc();
    }

    /// The database failed a call.
    pub fn database_failed(&self) {
        self.store.failed();
    }

    /// The watcher read a block while the nodes knew the head.
    pub fn watched(&self, head: u64, scanned: u64) {
        self.head.set(head);
        self.scanned.set(scanned);
        self.lag.set(head.saturating_sub(scanned));
    }

    /// Whether the chain can be read.
    pub fn chain_is_read(&self, reading: bool) {
        self.reading.set(i64::from(reading));
    }

    /// So many streams of balance changes are open.
    pub fn streams_open(&self, open: usize) {
        self.streams.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// Something became of a payment in ether.
    pub(crate) fn payment(&self, event: Happened) {
        let outcome = match event {
            Happened::Credited(_) => PAYMENTS[0],
            Happened::Waits(_) => PAYMENTS[1],
            Happened::Held(_) => PAYMENTS[2],
            Happened::TakenBack { missing_before, missing } => {
                self.payments_missing.inc_by(whole(missing).saturating_sub(whole(missing_before)));
                PAYMENTS[3]
            }
        };
        self.payments.get_or_create(&PaymentLabel { outcome }).inc();
    }

    /// So many payments in ether are held.
    pub fn payments_held(&self, held: i64) {
        self.payments_held.set(held);
    }

    /// A payment by card was credited, went back, or is held.
    pub fn card_payment(&self, outcome: CardPayments) {
        let outcome = match outcome {
            CardPayments::Credited => "credited",
            CardPayments::Returned => "returned",
            CardPayments::Held => "held",
        };
        self.card_payments.get_or_create(&PaymentLabel { outcome }).inc();
    }

    /// What of a payment by card was spent and is not paid for any more has changed; whole credits are counted.
    pub fn card_missing(&self, before: NanoCredits, after: NanoCredits) {
        self.card_missing.inc_by(whole(after).saturating_sub(whole(before)));
    }

    /// A wrong credential was presented.
    pub fn failed_credential(&self, credential: CredentialKind) {
        let credential = match credential {
            CredentialKind::Bearer => CREDENTIALS[0],
            CredentialKind::ClaimSecret => CREDENTIALS[1],
        };
        self.failed_credentials.get_or_create(&Credential { credential }).inc();
    }

    /// A call was told to wait.
    pub fn limited(&self, limit: Limit) {
        let limit = match limit {
            Limit::FailedCredentials => LIMITS[0],
            Limit::Address => LIMITS[1],
            Limit::Credential => LIMITS[2],
        };
        self.limited.get_or_create(&LimitName { limit }).inc();
    }

    /// All of it in the OpenMetrics text format, which Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into memory fails for no text; what was written is shown all the same.
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}

/// Whole credits.
fn whole(amount: NanoCredits) -> i64 {
    amount.nanos().div_euclid(1_000_000_000)
}

/// Something that is going on, for as long as this lives.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    fn one_of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Anybody may send any word as a method; a label may not grow by it.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics, with: &str) -> Vec<String> {
        metrics.text().lines().filter(|line| line.starts_with(with)).map(str::to_owned).collect()
    }

    #[test]
    fn every_figure_has_its_line() {
        let store = StoreMetrics::default();
        let metrics = Metrics::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000), store.clone());
        metrics.answered(&Method::POST, "/v1/holds/{id}/settle", 201, Duration::from_millis(3));
        metrics.posted("settle");
        metrics.refused(ErrorCode::InsufficientCredits);
        store.committed(5);
        store.done_again();
        metrics.database_failed();
        metrics.watched(120, 100);
        metrics.chain_is_read(true);
        metrics.streams_open(1);
        assert_eq!(lines(&metrics, "aispace_rate_limited_total").len(), 3, "all of them from the beginning");
        let call = metrics.in_flight();
        metrics.failed_credential(CredentialKind::ClaimSecret);
        metrics.limited(Limit::FailedCredentials);
        let text = metrics.text();
        for line in [
            "process_start_time_seconds 1800000000",
            r#"aispace_http_requests_total{method="POST",route="/v1/holds/{id}/settle",status="201"} 1"#,
            r#"aispace_http_request_duration_seconds_bucket{le="0.005",method="POST",route="/v1/holds/{id}/settle"} 1"#,
            r#"aispace_http_request_duration_seconds_bucket{le="0.0025",method="POST",route="/v1/holds/{id}/settle"} 0"#,
            r#"aispace_postings_total{kind="settle"} 1"#,
            r#"aispace_refusals_total{code="insufficient_credits"} 1"#,
            r#"aispace_store_commit_writes_bucket{le="4.0"} 0"#,
            r#"aispace_store_commit_writes_bucket{le="8.0"} 1"#,
            "aispace_store_errors_total 1",
            "aispace_store_repeats_total 1",
            "aispace_watcher_head_block 120",
            "aispace_watcher_scanned_block 100",
            "aispace_watcher_lag_blocks 20",
            "aispace_watcher_reading 1",
            "aispace_event_streams 1",
            r#"aispace_failed_credentials_total{credential="claim_secret"} 1"#,
            r#"aispace_rate_limited_total{limit="failed_credentials"} 1"#,
            "aispace_http_requests_in_flight 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
        drop(call);
        assert_eq!(lines(&metrics, "aispace_http_requests_in_flight"), ["aispace_http_requests_in_flight 0"]);
    }

    #[test]
    fn no_caller_makes_labels_grow() {
        let metrics = Metrics::new(SystemTime::UNIX_EPOCH, StoreMetrics::default());
        for n in 0..50 {
            let method = Method::from_bytes(format!("M{n}").as_bytes()).expect("a method");
            metrics.answered(&method, "unmatched", 405, Duration::ZERO);
        }
        let counted = r#"aispace_http_requests_total{method="other",route="unmatched",status="405"} 50"#;
        assert_eq!(lines(&metrics, "aispace_http_requests_total"), [counted]);
    }
}
