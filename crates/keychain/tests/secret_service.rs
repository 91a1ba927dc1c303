//! The OS store against a real Secret Service, each test in a desktop session of its own.
#![cfg(target_os = "linux")]
#![allow(missing_docs)]

mod desktop;

use desktop::{Bus, Desktop, Probe, until};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::Duration,
};

const SERVICE: &str = "bot.aispace.wallet.sandbox.t";

fn unlocked(bus: Bus) -> Desktop {
    let mut desktop = Desktop::new(bus);
    desktop.start_keyring("pw");
    desktop
}

#[test]
fn stores_reads_updates_and_deletes() {
    let desktop = unlocked(Bus::Starting);
    let mut probe = Probe::new(&desktop);
    assert_eq!(probe.ask("t get secure-key"), "none");
    assert_eq!(probe.ask("t set secure-key first-value-1"), "done");
    assert_eq!(probe.ask("t get secure-key"), "has=first-value-1");
    assert_eq!(probe.ask("t set secure-key second-value-2"), "done");
    assert_eq!(Probe::new(&desktop).ask("t get secure-key"), "has=second-value-2", "another process reads it");
    assert_eq!(desktop.secret_tool_lookup(SERVICE, "secure-key").as_deref(), Some("second-value-2"));
    assert_eq!(desktop.keyring_files(), 1);
    assert_eq!(desktop.files_holding("second-value-2"), Vec::<std::path::PathBuf>::new(), "in clear on disk");
    assert_eq!(probe.ask("t del secure-key"), "done");
    assert_eq!(probe.ask("t get secure-key"), "none");
    assert_eq!(probe.ask("t del secure-key"), "done", "deleting nothing is no error");
    assert_eq!(desktop.secret_tool_lookup(SERVICE, "secure-key"), None);
}

#[test]
fn scopes_and_names_do_not_meet() {
    let desktop = unlocked(Bus::Starting);
    let mut probe = Probe::new(&desktop);
    for (scope, name, value) in [("t", "secure-key", "a"), ("u", "secure-key", "b"), ("t", "spending-key", "c")] {
        assert_eq!(probe.ask(&format!("{scope} set {name} {value}")), "done");
    }
    assert_eq!(probe.ask("t del secure-key"), "done");
    assert_eq!(probe.ask("u get secure-key"), "has=b");
    assert_eq!(probe.ask("t get spending-key"), "has=c");
}

#[test]
fn no_session_bus_is_absent() {
    let mut probe = Probe::new(&Desktop::new(Bus::None));
    assert_eq!(probe.ask("t get secure-key"), "Absent");
    assert_eq!(probe.ask("t set secure-key x"), "Absent");
    assert_eq!(probe.ask("t del secure-key"), "Absent");
}

#[test]
fn a_bus_without_a_keyring_is_absent() {
    let desktop = Desktop::new(Bus::Bare);
    assert_eq!(Probe::new(&desktop).ask("t get secure-key"), "Absent");
}

#[test]
fn a_keyring_without_a_collection_says_so() {
    let desktop = Desktop::new(Bus::Starting);
    let mut probe = Probe::new(&desktop);
    assert_eq!(probe.ask("t set secure-key x"), "NoCollection");
    assert_eq!(probe.ask("t get secure-key"), "none");
}

#[test]
fn a_locked_keyring_is_not_an_empty_one() {
    let desktop = unlocked(Bus::Starting);
    assert_eq!(Probe::new(&desktop).ask("t set secure-key one"), "done");
    let desktop = desktop.log_in_again(Bus::Starting);
    desktop.start_locked_keyring();
    let mut probe = Probe::new(&desktop);
    assert_eq!(probe.ask("t get secure-key"), "Locked");
    assert_eq!(probe.ask("t set secure-key two"), "Locked");
    assert_eq!(probe.ask("t del secure-key"), "Locked");
    let mut desktop = desktop.log_in_again(Bus::Starting);
    desktop.start_keyring("pw");
    assert_eq!(Probe::new(&desktop).ask("t get secure-key"), "has=one");
}

#[test]
fn a_wrong_password_leaves_it_locked() {
    let desktop = unlocked(Bus::Starting);
    assert_eq!(Probe::new(&desktop).ask("t set secure-key one"), "done");
    let mut desktop = desktop.log_in_again(Bus::Starting);
    desktop.start_keyring("WRONG");
    assert_eq!(Probe::new(&desktop).ask("t get secure-key"), "Locked");
}

#[test]
fn a_keyring_that_comes_back_is_used_again() {
    let mut desktop = unlocked(Bus::Bare);
    let mut probe = Probe::new(&desktop);
    assert_eq!(probe.ask("t set secure-key one"), "done");
    desktop.kill_keyring();
    assert_eq!(probe.ask("t get secure-key"), "Absent");
    desktop.start_keyring("pw");
    assert_eq!(probe.ask("t get secure-key"), "has=one");
}

#[test]
fn a_keyring_restarted_between_two_calls_goes_unnoticed() {
    let mut desktop = unlocked(Bus::Bare);
    let mut probe = Probe::new(&desktop);
    assert_eq!(probe.ask("t set secure-key one"), "done");
    desktop.kill_keyring();
    desktop.start_keyring("pw");
    assert_eq!(probe.ask("t get secure-key"), "has=one", "the stale session is opened anew");
    desktop.kill_keyring();
    desktop.start_keyring("pw");
    assert_eq!(probe.ask("t set secure-key two"), "done");
}

#[test]
fn a_keyring_that_the_bus_restarts_is_locked() {
    let mut desktop = unlocked(Bus::Starting);
    let mut probe = Probe::new(&desktop);
    assert_eq!(probe.ask("t set secure-key one"), "done");
    desktop.kill_keyring();
    assert_eq!(probe.ask("t get secure-key"), "Locked");
    desktop.start_keyring("pw");
    assert_eq!(probe.ask("t get secure-key"), "has=one");
}

#[test]
fn a_foreign_duplicate_is_not_trusted_and_signing_out_removes_both() {
    let desktop = unlocked(Bus::Starting);
    let mut probe = Probe::new(&desktop);
    assert_eq!(probe.ask("t set secure-key one"), "done");
    desktop.store_as_another_program(SERVICE, "secure-key", "planted");
    assert_eq!(probe.ask("t get secure-key"), "Ambiguous");
    assert_eq!(probe.ask("t set secure-key two"), "Ambiguous");
    assert_eq!(probe.ask("t del secure-key"), "done");
    assert_eq!(probe.ask("t get secure-key"), "none");
    assert_eq!(desktop.secret_tool_lookup(SERVICE, "secure-key"), None);
}

#[test]
fn a_prompt_that_nobody_answers_is_waited_for_once() {
    let desktop = unlocked(Bus::Starting);
    assert_eq!(Probe::new(&desktop).ask("t set secure-key one"), "done");
    let mut display = desktop.command("Xvfb");
    display.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]).stdout(Stdio::piped());
    let mut display = display.spawn().expect("Xvfb starts: `make setup` installs what the tests need");
    let mut number = String::new();
    BufReader::new(display.stdout.take().expect("piped")).read_line(&mut number).expect("the display's number");
    let desktop = desktop.log_in_again_with(Bus::Starting, &[("DISPLAY", format!(":{}", number.trim()))]);
    desktop.start_locked_keyring();
    let limit = Duration::from_secs(2);
    let mut probe = Probe::with_deadline(&desktop, limit);
    let (first, took) = probe.ask_timed("t get secure-key");
    assert_eq!(first, "Waiting");
    assert!(took >= limit && took < limit * 2, "{took:?}");
    let (second, took) = probe.ask_timed("t get secure-key");
    assert_eq!(second, "Waiting");
    assert!(took < limit / 4, "a second call does not wait in line for a second prompt: {took:?}");
    drop((probe, desktop));
    display.kill().expect("our child");
    display.wait().expect("it ends");
}

#[test]
fn the_session_of_a_test_is_its_own() {
    let desktop = unlocked(Bus::Starting);
    assert_eq!(Probe::new(&desktop).ask("t set secure-key one"), "done");
    let other = unlocked(Bus::Starting);
    assert_ne!(desktop.home(), other.home());
    assert_eq!(Probe::new(&other).ask("t get secure-key"), "none");
    until("the other session's keyring is written", || other.keyring_files() == 1);
}
