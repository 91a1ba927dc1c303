//! The service's own postings, by callers that each wait for their answer.

use crate::figures::Run;
use aispace_api::{DebitRequest, GrantRequest};
use aispace_service::{Database, Gateway, ServiceClock, Store};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const LARGE: &str = "4000000000";
const LEAST: &str = "0.000000001";

/// A store with accounts that each have one large batch.
pub struct Callers {
    store: Store,
    gateway: Gateway,
    accounts: Arc<Vec<String>>,
    next: Arc<AtomicU64>,
}

impl Callers {
    pub async fn open(path: &Path) -> Self {
        Self::of(&path.into(), 1).await
    }

    pub async fn of(database: &Database, accounts: usize) -> Self {
        let store = Store::open(database).await.expect("opens");
        let gateway = Gateway::new(store.clone(), Arc::new(ServiceClock::system())).expect("built-in cards");
        let mut ids = Vec::new();
        for _ in 0..accounts {
            let account_id = gateway.open_account().await.expect("opened").to_string();
            let grant =
                GrantRequest { account_id: account_id.clone(), credits: LARGE.parse().expect("an amount"), expires: None, note: None };
            gateway.grant(&grant, "grant").await.expect("granted");
            ids.push(account_id);
        }
        Self { store, gateway, accounts: Arc::new(ids), next: Arc::new(AtomicU64::new(0)) }
    }

    /// So many callers at once, each with one debit after the other, over all accounts in turn.
    pub async fn run(&self, callers: usize, span: Duration) -> Run {
        crate::fsync::taken();
        let began = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let (gateway, accounts, next) = (self.gateway.clone(), self.accounts.clone(), self.next.clone());
                tokio::spawn(async move {
                    let mut latencies = Vec::new();
                    while began.elapsed() < span {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let account_id = accounts[n as usize % accounts.len()].clone();
                        let debit = DebitRequest { account_id, credits: Some(LEAST.parse().expect("an amount")), run: None, metered: None };
                        let at = Instant::now();
                        gateway.debit(&debit, &format!("debit-{n}")).await.expect("drawn");
                        latencies.push(at.elapsed().as_secs_f64() * 1e6);
                    }
                    latencies
                })
            })
            .collect();
        let mut run = Run::default();
        for task in tasks {
            run.latencies.extend(task.await.expect("ended"));
        }
        run.seconds = began.elapsed().as_secs_f64();
        run.fsyncs = crate::fsync::taken();
        run
    }

    pub async fn close(self) {
        self.store.verify().await.expect("every account holds");
        self.store.close().await;
    }
}
