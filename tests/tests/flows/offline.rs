//! What the app says of balance and ends when it is not in touch, or when a clock is wrong.

use crate::world::{App, Keychain, LIMIT, World};
use aispace_api::{AllowanceRequest, GrantRequest};
use aispace_app::{
    NotGiven, Notifier,
    view::{AccountView, AppView, ConnectionState, NoticeView, ReminderView, SessionView},
};
use aispace_testkit::fault::Fault;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const DAY: TimeDelta = TimeDelta::days(1);
const DAILY: i64 = 50;

/// An account of three batches: 1,000 end in two days, 5,000 in ten, 10,000 in thirty.
struct Standing {
    key: String,
    id: String,
}

impl Standing {
    async fn open(world: &World, has_daily: bool) -> Self {
        let service = &world.sandbox.service;
        let opened = service.open_account("standing").await.expect("an account");
        let standing = Self { key: opened.secure_key.into_exposed(), id: opened.account_id };
        for (credits, days) in [(1_000, 2), (5_000, 10), (10_000, 30)] {
            standing.grant(world, credits, DAY * days).await;
        }
        if has_daily {
            let request = AllowanceRequest { credits: DAILY.to_string().parse().expect("credits") };
            service.set_allowance(&standing.id, &request).await.expect("daily credits");
        }
        standing
    }

    async fn grant(&self, world: &World, credits: i64, lives: TimeDelta) -> DateTime<Utc> {
        let expires = (right_now() + lives).trunc_subsecs(3);
        let credits = credits.to_string().parse().expect("credits");
        let request = GrantRequest { account_id: self.id.clone(), credits, expires: Some(expires), note: None };
        world.sandbox.service.grant(&request).await.expect("granted");
        expires
    }
}

/// An app on a computer whose clock is ahead by so much, signed in and in touch.
async fn app_of(world: &World, standing: &Standing, name: &str, ahead: TimeDelta) -> App {
    let app = world.app_ahead_by(ahead, name, &world.profile(), Arc::default()).await;
    app.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
    app.wallet.sign_in(standing.key.clone()).await.expect("signed in");
    let settings = app.wallet.reminders().await.expect("the settings").settings;
    let settings = aispace_app::view::ReminderSettingsView { quiet: None, ..settings };
    app.wallet.set_reminders(settings).await.expect("at any hour");
    live(&app, "in touch", |_| true).await;
    app
}

/// The account, as soon as it is exact and so.
async fn live(app: &App, what: &str, is: impl Fn(&AccountView) -> bool) -> (AppView, AccountView) {
    seen(app, what, |v, a| !a.at_most && v.connection.state == ConnectionState::Online && is(a)).await
}

/// The view, as soon as it is so.
async fn seen(app: &App, what: &str, is: impl Fn(&AppView, &AccountView) -> bool) -> (AppView, AccountView) {
    app.until(what, |v| v.account.clone().filter(|a| is(v, a)).map(|a| (v.clone(), a))).await
}

async fn go_offline(app: &App) -> (AppView, AccountView) {
    seen(app, "out of touch", |v, a| a.at_most && v.connection.state == ConnectionState::Offline).await
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// Midnights of UTC between two instants.
fn midnights(from: &str, until: &str) -> i64 {
    (at(until).date_naive() - at(from).date_naive()).num_days()
}

fn skew(view: &AppView) -> Option<i32> {
    view.notices.iter().find_map(|n| if let NoticeView::ClockSkewed { minutes } = n { Some(*minutes) } else { None })
}

/// Credits of each batch that counts as live, in the order they are drawn; and what ends next.
fn standing_of(account: &AccountView) -> (Vec<&str>, Option<&str>) {
    (account.batches.iter().map(|b| b.left_credits.as_str()).collect(), account.next_end.as_ref().map(|end| end.left_credits.as_str()))
}

/// The view says the time of the service, give or take what a busy machine takes.
fn assert_service_time(view: &AppView, is: DateTime<Utc>) {
    let off = (at(&view.now) - is).abs();
    assert!(off < TimeDelta::seconds(60), "{} is {off} off", view.now);
}

#[derive(Default)]
struct Ears(Mutex<Vec<ReminderView>>);

impl Notifier for Ears {
    fn give(&self, reminder: &ReminderView) -> Result<(), NotGiven> {
        self.0.lock().expect("no panic").push(reminder.clone());
        Ok(())
    }
}

/// Credits of each batch that is spoken of now.
async fn reminded(app: &App) -> Vec<String> {
    let ears = Arc::new(Ears::default());
    let notifier: Arc<dyn Notifier> = ears.clone();
    app.wallet.remind(&notifier).await.expect("there are ears");
    let heard = ears.0.lock().expect("no panic").clone();
    heard
        .into_iter()
        .flat_map(|reminder| match reminder {
            ReminderView::Ending { batches, .. } => batches.into_iter().map(|b| b.left_credits).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn out_of_touch_the_figures_stay_and_are_called_a_ceiling_with_their_age() {
    let world = World::start().await;
    for has_daily in [false, true] {
        let standing = Standing::open(&world, has_daily).await;
        let app = app_of(&world, &standing, &format!("daily-{has_daily}"), TimeDelta::zero()).await;
        let (_, before) = live(&app, "in touch", |_| true).await;
        assert_eq!(standing_of(&before), (vec!["1000", "5000", "10000"], Some("1000")));
        world.service.set(Fault::Refuse).await;
        let (view, account) = go_offline(&app).await;
        assert_eq!(account.available_credits, "16000");
        assert_eq!(standing_of(&account), standing_of(&before));
        assert_eq!(account.next_end.as_ref().map(|e| &e.expires), before.next_end.as_ref().map(|e| &e.expires));
        assert_eq!((account.at_risk.clone(), skew(&view)), (None, None));
        assert_eq!(account.next_renewal.is_some(), has_daily);
        let age = at(&view.now) - at(&account.known_at);
        assert!(age >= TimeDelta::zero() && age < TimeDelta::minutes(2), "{age}");
        let next_try = at(view.connection.next_try.as_ref().expect("it asks again")) - at(&view.now);
        assert!(view.connection.error.is_some() && next_try <= TimeDelta::seconds(61), "{next_try}");
        let row = &view.accounts.rows[0];
        assert_eq!((row.at_most, row.available_credits.as_deref(), row.known_at.as_ref()), (true, Some("16000"), Some(&account.known_at)));
        world.service.set(Fault::None).await;
        live(&app, "in touch again", |a| a.available_credits == "16000").await;
    }
}

#[tokio::test]
async fn three_days_out_of_touch_what_has_ended_is_gone_and_nothing_else_is_claimed() {
    let world = World::start().await;
    for has_daily in [false, true] {
        let standing = Standing::open(&world, has_daily).await;
        let app = app_of(&world, &standing, &format!("daily-{has_daily}"), TimeDelta::zero()).await;
        assert_eq!(reminded(&app).await, [""; 0]);
        world.service.set(Fault::Refuse).await;
        let (then, _) = go_offline(&app).await;
        app.clock.put_forward(DAY * 3);
        let (view, account) = seen(&app, "three days later", |_, a| a.batches.len() == 2).await;
        assert_eq!((account.available_credits.as_str(), account.at_most, account.ended_count), ("15000", true, 1));
        assert_eq!((account.lapsed_credits.as_str(), standing_of(&account)), ("1000", (vec!["5000", "10000"], Some("5000"))));
        assert_eq!((account.at_risk.clone(), skew(&view)), (None, None), "nothing is known but the time");
        assert!(at(&view.now) - at(&account.known_at) >= DAY * 3 && at(&view.now) - at(&then.now) >= DAY * 3);
        let not_counted = account.not_counted.as_ref().map(|n| (i64::from(n.renewals), n.credits.clone()));
        let missed = midnights(&account.known_at, &view.now);
        assert_eq!(not_counted, has_daily.then(|| (missed, (missed * DAILY).to_string())));
        assert_eq!(view.accounts.rows[0].available_credits.as_deref(), Some("15000"));
        // The batch that ends in seven days now is spoken of, once, whatever the clock does.
        assert_eq!(reminded(&app).await, ["5000"]);
        assert_eq!(reminded(&app).await, [""; 0]);
        app.clock.put_forward(-DAY * 3);
        // Three days that never were: the batch lives, and its own reminders come in their time.
        seen(&app, "back", |_, a| a.batches.len() == 3).await;
        assert_eq!(reminded(&app).await, [""; 0]);
        app.clock.put_forward(DAY * 3);
        seen(&app, "forward again", |_, a| a.batches.len() == 2).await;
        assert_eq!(reminded(&app).await, [""; 0]);

        // They were three days indeed, says the service.
        let later = (right_now() + DAY * 3).trunc_subsecs(3);
        world.sandbox.service.set_clock(Some(later)).await.expect("the service's clock");
        world.service.set(Fault::None).await;
        let renewed = if has_daily { midnights(&then.now, &view.now) * DAILY } else { 0 };
        let (view, account) = live(&app, "in touch", |a| a.available_credits == (15_000 + renewed).to_string()).await;
        assert_eq!((account.not_counted.clone(), skew(&view), account.ended_count), (None, None, 1));
        assert_eq!(reminded(&app).await, [""; 0]);
        world.sandbox.service.set_clock(None).await.expect("the service's clock");
    }
}

#[tokio::test]
async fn a_clock_that_was_wrongly_three_days_ahead_is_told_of_and_costs_nothing() {
    let world = World::start().await;
    let standing = Standing::open(&world, true).await;
    let app = app_of(&world, &standing, "first", TimeDelta::zero()).await;
    world.service.set(Fault::Refuse).await;
    go_offline(&app).await;
    app.clock.put_forward(DAY * 3);
    seen(&app, "three days later", |_, a| a.batches.len() == 2).await;
    world.service.set(Fault::None).await;
    let (view, account) = live(&app, "in touch", |a| a.batches.len() >= 3).await;
    assert_eq!((account.next_end.as_ref().map(|e| e.left_credits.as_str()), account.ended_count), (Some("1000"), 0));
    assert_eq!(skew(&view), Some(3 * 24 * 60));
    assert_service_time(&view, right_now());
}

#[tokio::test]
async fn a_clock_put_back_brings_nothing_to_life_and_is_told_of() {
    let world = World::start().await;
    for has_daily in [false, true] {
        let standing = Standing::open(&world, has_daily).await;
        let app = app_of(&world, &standing, &format!("daily-{has_daily}"), TimeDelta::zero()).await;
        // One ends by the service's word, one while nobody answers.
        standing.grant(&world, 700, TimeDelta::seconds(2)).await;
        live(&app, "it is there", |a| a.batches.iter().any(|b| b.left_credits == "700")).await;
        let (_, ended) = live(&app, "it ended", |a| a.ended_count == 1).await;
        assert_eq!(ended.lapsed_credits, "700");
        standing.grant(&world, 300, TimeDelta::seconds(6)).await;
        live(&app, "it is there", |a| a.batches.iter().any(|b| b.left_credits == "300")).await;
        world.service.set(Fault::Refuse).await;
        go_offline(&app).await;
        let (before, ended) = seen(&app, "it ended", |_, a| a.ended_count == 2).await;
        assert_eq!((ended.available_credits.as_str(), ended.lapsed_credits.as_str()), ("16000", "1000"));
        app.clock.put_forward(-DAY);
        let (view, account) = seen(&app, "the word of it", |v, _| skew(v).is_some()).await;
        assert_eq!((skew(&view), standing_of(&account)), (Some(-24 * 60), standing_of(&ended)));
        assert_eq!((account.ended_count, account.available_credits.as_str(), account.at_most), (2, "16000", true));
        assert!(at(&view.now) >= at(&before.now), "{} is before {}", view.now, before.now);
        assert_service_time(&view, right_now());
        assert_eq!(account.not_counted.is_some(), has_daily && midnights(&account.known_at, &view.now) > 0);
        assert_eq!(reminded(&app).await, [""; 0]);

        // A restart forgets how long the app ran, not what the service said: what it called ended stays so.
        let keychain: Arc<Keychain> = app.close().await;
        let again = world.app_ahead_by(-DAY, &format!("daily-{has_daily}"), &world.profile(), keychain).await;
        let (view, account) = go_offline(&again).await;
        assert!(at(&view.now) >= at(&account.known_at));
        assert!(account.batches.iter().all(|b| b.left_credits != "700"), "{:?}", account.batches);
        assert!(skew(&view).is_some());
        world.service.set(Fault::None).await;
        let (view, account) = live(&again, "in touch", |a| a.ended_count == 2).await;
        assert_eq!((skew(&view), account.available_credits.as_str()), (Some(-24 * 60), "16000"));
        assert_service_time(&view, right_now());
    }
}

#[tokio::test]
async fn awake_after_a_sleep_nothing_old_is_called_live_and_the_service_is_asked_at_once() {
    let world = World::start().await;
    for has_daily in [false, true] {
        let standing = Standing::open(&world, has_daily).await;
        let mut profile = world.profile();
        // Nobody would ask by itself before the test is over.
        profile["sync_seconds"] = json!(3_600);
        let app = world.app_with(&format!("daily-{has_daily}"), &profile, Arc::default()).await;
        app.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
        app.wallet.sign_in(standing.key.clone()).await.expect("signed in");
        app.wallet.sync_now().await.expect("in touch");
        let (slept, before) = live(&app, "in touch", |a| a.available_credits == "16000").await;
        // The network is not back yet when the computer is.
        world.service.set(Fault::Hang).await;
        let mut changes = app.wallet.changes();
        // Without its window the app looks at the clock no more often than it asks: the window brings the news with it.
        app.wallet.set_window_open(!has_daily);
        app.clock.put_forward(DAY * 3);
        app.wallet.set_window_open(true);
        let (view, account) = seen(&app, "awake", |v, _| at(&v.now) - at(&slept.now) >= DAY * 3).await;
        assert_eq!(
            (account.at_most, account.known_at.as_str(), view.connection.state),
            (true, before.known_at.as_str(), ConnectionState::Idle)
        );
        assert_eq!(standing_of(&account), (vec!["5000", "10000"], Some("5000")));
        assert_eq!(account.not_counted.is_some(), has_daily);
        assert_eq!(reminded(&app).await, [""; 0], "what was used meanwhile is not known yet");
        let later = (right_now() + DAY * 3).trunc_subsecs(3);
        world.sandbox.service.set_clock(Some(later)).await.expect("the service's clock");
        world.service.set(Fault::None).await;
        let renewed = if has_daily { midnights(&before.known_at, &view.now) * DAILY } else { 0 };
        let began = Instant::now();
        loop {
            let view = changes.borrow_and_update().clone();
            let account = view.account.clone().expect("it is known");
            assert!(account.at_most || at(&view.now) - at(&account.known_at) < TimeDelta::minutes(15), "old figures are called live");
            if !account.at_most && at(&account.known_at) > at(&before.known_at) + DAY {
                assert_eq!((account.available_credits, skew(&view)), ((15_000 + renewed).to_string(), None));
                break;
            }
            assert!(began.elapsed() < LIMIT, "nobody asks");
            let _ = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await;
        }
        world.sandbox.service.set_clock(None).await.expect("the service's clock");
    }
}

#[tokio::test]
async fn ten_minutes_off_everything_follows_the_service_and_is_said_calmly() {
    let world = World::start().await;
    for (minutes, has_daily) in [(10, false), (-10, true)] {
        let standing = Standing::open(&world, has_daily).await;
        let name = format!("off-{minutes}");
        let app = app_of(&world, &standing, &name, TimeDelta::minutes(minutes)).await;
        // Ours says that it ended, or that it has ten minutes more: neither counts.
        let soon = standing.grant(&world, 300, TimeDelta::minutes(5)).await;
        let later = TimeDelta::seconds(4);
        let sooner = standing.grant(&world, 200, later).await;
        let (_, account) = live(&app, "both", |a| a.available_credits == "16500").await;
        assert_eq!(account.next_end.as_ref().map(|e| at(&e.expires)), Some(sooner));
        let (view, account) = live(&app, "one ended", |a| a.available_credits == "16300").await;
        assert!(at(&view.now) >= sooner && at(&view.now) < soon, "{}", view.now);
        assert_eq!((account.next_end.as_ref().map(|e| at(&e.expires)), account.ended_count), (Some(soon), 1));
        assert_service_time(&view, right_now());
        assert_eq!(skew(&view).map(i64::from), Some(minutes));

        world.service.set(Fault::Refuse).await;
        let (view, account) = go_offline(&app).await;
        assert_eq!(account.next_end.as_ref().map(|e| at(&e.expires)), Some(soon));
        assert_service_time(&view, right_now());
        let next_try = at(view.connection.next_try.as_ref().expect("it asks again"));
        let waits = next_try - at(&view.now);
        assert!(waits >= TimeDelta::zero() && waits <= TimeDelta::seconds(61), "{waits}");
        // And after a restart without the service: how far off this clock is was kept.
        let keychain = app.close().await;
        let again = world.app_ahead_by(TimeDelta::minutes(minutes), &name, &world.profile(), keychain).await;
        let (view, account) = go_offline(&again).await;
        assert_eq!((skew(&view).map(i64::from), account.next_end.as_ref().map(|e| at(&e.expires))), (Some(minutes), Some(soon)));
        assert_service_time(&view, right_now());
        world.service.set(Fault::None).await;
        live(&again, "in touch", |_| true).await;
    }
}

#[tokio::test]
async fn a_minute_off_is_no_word_worth() {
    let world = World::start().await;
    let standing = Standing::open(&world, false).await;
    for seconds in [-90, 90] {
        let app = app_of(&world, &standing, &format!("off-{seconds}"), TimeDelta::seconds(seconds)).await;
        let (view, _) = live(&app, "in touch", |_| true).await;
        assert_eq!(skew(&view), None);
        assert_service_time(&view, right_now());
    }
}

/// The real time, by which the account service goes.
fn right_now() -> DateTime<Utc> {
    DateTime::<Utc>::from(std::time::SystemTime::now())
}
