//! Rates and latencies.

/// How often in a second, how long each took in microseconds, and what the disk was asked meanwhile.
#[derive(Clone, Default)]
pub struct Run {
    pub seconds: f64,
    pub latencies: Vec<f64>,
    pub fsyncs: Vec<f64>,
}

impl Run {
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    pub fn add(&mut self, other: Self) {
        self.seconds += other.seconds;
        self.latencies.extend(other.latencies);
        self.fsyncs.extend(other.fsyncs);
    }
}

pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}

pub fn head() {
    println!("| | per second | p50, µs | p99, µs | fsyncs | fsync p50, µs | fsync p99, µs |\n|---|---:|---:|---:|---:|---:|---:|");
}

pub fn line(name: &str, run: &Run) {
    // In PostgreSQL's tables the disk's part is another process's.
    let fsync = |q: f64| if run.fsyncs.is_empty() { "–".to_owned() } else { format!("{:.0}", quantile(&run.fsyncs, q)) };
    println!(
        "| {name} | {:.0} | {:.0} | {:.0} | {} | {} | {} |",
        run.rate(),
        quantile(&run.latencies, 0.5),
        quantile(&run.latencies, 0.99),
        run.fsyncs.len(),
        fsync(0.5),
        fsync(0.99)
    );
}
