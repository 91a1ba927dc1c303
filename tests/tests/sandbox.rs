//! The sandbox: the sample account's month, and a service that comes back where it was.

use aispace_api::{AccountAnswer, BatchState, UsageAnswer, UsageKind};
use aispace_testkit::{
    chain::ChainOptions,
    http,
    sandbox::{Sandbox, SandboxOptions},
};
use aispace_units::NanoCreditSum;
use chrono::{DateTime, Duration, Utc};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::{path::Path, time::SystemTime};

async fn start(folder: &Path, sample: bool) -> Sandbox {
    let now = DateTime::<Utc>::from(SystemTime::now());
    let options = SandboxOptions {
        folder: folder.to_path_buf(),
        sample_at: sample.then_some(now),
        chain: ChainOptions::default(),
        keychain_scope: None,
    };
    Sandbox::start(options).await.expect("the sandbox starts")
}

async fn get<A: DeserializeOwned>(sandbox: &Sandbox, key: &str, path: &str) -> A {
    let authorization = format!("Bearer {key}");
    let url = format!("{}{path}", sandbox.service.url());
    let answer = http::call_ok("GET", &url, &[("authorization", &authorization)], None).await.expect("an answer");
    serde_json::from_value(answer).expect("the documented shape")
}

#[tokio::test]
async fn the_sample_account_has_a_month_behind_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = start(folder.path(), true).await;
    let sample = http::call_ok("POST", &sandbox.venues.sample_url(), &[], Some(&json!({}))).await.expect("a key");
    let key = sample["secure_key"].as_str().expect("a key");

    let account: AccountAnswer = get(&sandbox, key, "/v1/account").await;
    let available = account.available_credits.to_decimal();
    assert!(available > 240_000.into() && available < 260_000.into(), "{available}");
    let next = account.next_expiry.expect("a live batch") - account.server_time;
    assert!(next > Duration::hours(48) && next <= Duration::hours(96), "{next}");
    let expired: Vec<_> = account.batches.iter().filter(|b| b.state == BatchState::Expired).collect();
    assert!(matches!(expired.as_slice(), [batch] if !batch.lapsed_credits.is_zero()), "{expired:?}");
    assert!((account.server_time - DateTime::<Utc>::from(SystemTime::now())).abs() < Duration::minutes(1), "the clock runs again");

    let mut entries = Vec::new();
    let mut page: UsageAnswer = get(&sandbox, key, "/v1/account/usage").await;
    loop {
        entries.append(&mut page.entries);
        let Some(cursor) = &page.next_cursor else { break };
        page = get(&sandbox, key, &format!("/v1/account/usage?cursor={cursor}")).await;
    }
    let debits: Vec<_> = entries.iter().filter(|e| e.kind == UsageKind::Debit).collect();
    assert!(debits.len() >= 60, "{}", debits.len());
    assert!(debits.iter().all(|e| e.run.as_ref().is_some_and(|run| !run.meters.is_empty() && run.rule.is_some())));
    let sum = entries.iter().fold(NanoCreditSum::ZERO, |sum, e| sum.plus(e.change_credits));
    assert_eq!(sum, account.available_credits.into(), "entries and balance agree");
}

#[tokio::test]
async fn the_service_comes_back_on_the_same_port_with_the_same_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sandbox = start(folder.path(), false).await;
    let opened = sandbox.service.open_account("kept").await.expect("an account");
    let key = opened.secure_key.into_exposed();
    let url = sandbox.service.url();
    for crash in [false, true] {
        if crash {
            sandbox.service.kill();
        } else {
            sandbox.service.stop().await;
        }
        assert!(http::call("GET", &format!("{url}/v1/health"), &[], None).await.is_err());
        sandbox.service.start_again().await.expect("it comes back");
        assert_eq!(sandbox.service.url(), url);
        let account: AccountAnswer = get(&sandbox, &key, "/v1/account").await;
        assert_eq!(account.account_id, opened.account_id);
    }
}
