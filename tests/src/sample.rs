//! The sample account: a month of use, posted through the service's own calls at the rate card's own prices.

use crate::{KitError, service::AccountService};
use aispace_api::{DebitRequest, GrantRequest, MeteredRun};
use aispace_pricing::request::RunRequest;
use aispace_pricing::{Meter, Run, Terms, Usage};
use chrono::{DateTime, Duration, SubsecRound, Utc};

/// How long ago the sample account was opened.
pub const AGE_DAYS: i64 = 29;
const RUNS: usize = 96;

enum Event {
    Grant { credits: &'static str, lives_days: Option<i64>, note: &'static str },
    Debit(usize),
}

/// Opens the sample account and posts its history up to `now`; answers its Secure Key.
///
/// # Errors
/// When the service refuses a call or its card a run.
pub async fn seed(service: &AccountService, now: DateTime<Utc>) -> Result<String, KitError> {
    // The service takes no instant finer than its ledger keeps.
    let now = now.trunc_subsecs(3);
    service.set_clock(Some(now - Duration::days(AGE_DAYS))).await?;
    let account = service.open_account("sample").await?;
    for (at, event) in history(now) {
        service.set_clock(Some(at)).await?;
        match event {
            Event::Grant { credits, lives_days, note } => {
                let credits = credits.parse().map_err(|e| KitError::unexpected(format!("{credits}: {e}")))?;
                let expires = lives_days.map(|days| at + Duration::days(days));
                service.grant(&GrantRequest { account_id: account.account_id.clone(), credits, expires, note: Some(note.into()) }).await?;
            }
            Event::Debit(index) => {
                let (account_id, metered) = (account.account_id.clone(), Box::new(metered(&run(index))?));
                service.debit(&DebitRequest { account_id, credits: None, run: None, metered: Some(metered) }).await?;
            }
        }
    }
    service.set_clock(None).await?;
    Ok(account.secure_key.into_exposed())
}

/// A run as a gateway reports it; the service prices it at its own instant.
fn metered(run: &Run) -> Result<MeteredRun, KitError> {
    let request = RunRequest { card: Some("aispace".into()), ..RunRequest::of(run, &Terms::default()) };
    serde_json::to_value(request).and_then(serde_json::from_value).map_err(|e| KitError::unexpected(e.to_string()))
}

/// Everything that happened, in order: five batches, one of them ended with a rest, and the runs between.
fn history(now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Event)> {
    let days_ago = |days: i64| now - Duration::days(days);
    let hours_ago = |hours: i64| now - Duration::hours(hours);
    let sample = |credits, lives_days| Event::Grant { credits, lives_days, note: "Sample credits" };
    let mut events = vec![
        (days_ago(AGE_DAYS), sample("60000", Some(7))),
        (hours_ago(640), sample("198000", None)),
        (hours_ago(492), sample("50000", None)),
        (hours_ago(301), sample("60000", None)),
        (hours_ago(44), sample("100000", None)),
    ];
    let minutes = Duration::days(AGE_DAYS).num_minutes() - 180;
    for index in 0..RUNS {
        let step = i64::try_from(index + 1).unwrap_or(0);
        // Uneven gaps, so that days differ as a person's do.
        let uneven = [0, 190, -140, 60, -220, 130][index % 6];
        let at = days_ago(AGE_DAYS) + Duration::minutes(minutes * step / 96 + uneven.clamp(-220, 160));
        events.push((at.min(now - Duration::minutes(7)), Event::Debit(index)));
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

/// The runs in turn; lengths grow and shrink so that no two weeks look alike.
fn run(index: usize) -> Run {
    let scale = [10u64, 7, 13, 9, 11][index / 12 % 5];
    let chat = |model: &str, input: u64, output: u64| Run::chat(model, input * scale / 10, output * scale / 10);
    let metered = |model: &str, meter: Meter, count: u64| Run::new(model, Usage::new().with(meter, count));
    let image = |model: &str, images: u64| metered(model, Meter::Images, images);
    let video = |model: &str, seconds: u32, resolution: &str| Run::clip(model, seconds, Some(resolution), Some(true));
    match index % 12 {
        0 => chat("qwen3-4b", 186_000, 42_400),
        1 => chat("zai-org-glm-4.6", 182_000, 24_120),
        2 => image("image-generation", 18),
        3 => video("sora-2-text-to-video", 4, "720p"),
        4 => metered("tts-kokoro", Meter::Characters, 42_400 * scale / 10),
        5 => metered("text-embedding-bge-m3", Meter::InputTokens, 880_000 * scale / 10),
        6 => chat("qwen3-235b", 141_000, 37_300),
        7 => image("image-edit", 6),
        8 => chat("mistral-31-24b", 125_600, 23_900),
        9 => video("ltx-2-fast-text-to-video", 10, "1080p"),
        10 => image("image-upscale-4x", 3),
        _ => chat("llama-3.3-70b", 109_000, 22_100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_pricing::{RateCard, quote};
    use aispace_units::{NanoCreditSum, NanoCredits};

    #[test]
    fn the_card_prices_every_sample_run() {
        let card = RateCard::aispace().expect("the card in the binary is valid");
        let now = DateTime::from_timestamp(1_780_000_000, 0).expect("a time");
        let price = |i| quote(&card, &run(i), &Terms::at(now)).expect("a price").posted_credits().expect("in credits");
        let posted: Vec<NanoCredits> = (0..RUNS).map(price).collect();
        let total = NanoCreditSum::total(posted).to_decimal().expect("fits");
        assert!(total > 190_000.into() && total < 215_000.into(), "{total}");
    }

    #[test]
    fn history_runs_forward_and_ends_before_now() {
        let now = DateTime::from_timestamp(1_780_000_000, 0).expect("a time");
        let history = history(now);
        assert!(history.is_sorted_by_key(|(at, _)| *at));
        assert!(history.iter().all(|(at, _)| *at < now && *at >= now - Duration::days(AGE_DAYS)));
    }
}
