//! The configuration of the process: three layers, refusals that say where, and nothing secret in any output.

use std::path::{Path, PathBuf};
use std::process::Command;

const HUSH: &str = "hush-hush-0123456789";

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `serve --check-config` in a folder of its own, without the variables of whoever runs the tests.
fn check(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aispace-account-service"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AISPACE_")) {
        command.env_remove(name);
    }
    let output = command.args(["serve", "--check-config"]).args(arguments).envs(environment.iter().copied()).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn written(directory: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("written");
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("set");
    path
}

fn value<'a>(out: &'a str, field: &str) -> &'a str {
    let line = out.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(" = "));
    line.unwrap_or_else(|| panic!("{field} is not in {out}"))
}

#[test]
fn what_is_in_force_is_shown_and_sets_the_same_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = "listen = '127.0.0.1:8080'\ndatabase = 'file \"x\\y\".db'\nnodes = ['https://one.example/v2/hush-hush-0123456789']\n\
                log_format = 'json'\ntrusted_proxies = ['10.0.0.0/8']\n[limits]\naddress_burst = 0\nexempt = ['192.0.2.0/24']\n";
    let file = written(directory.path(), "s.toml", file, 0o644);
    let environment = [("AISPACE_SERVICE__POLL_MS", "250"), ("AISPACE_SERVICE__LISTEN", "127.0.0.1:1"), ("AISPACE_OPERATOR_TOKEN", HUSH)];
    let file = file.to_str().expect("text");
    let run = check(&["--config", file, "--listen", "127.0.0.1:2", "--metrics-listen", "127.0.0.1:3"], &environment);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    for (field, shown) in [
        ("listen", r#""127.0.0.1:2""#),
        ("database", r#""file \"x\\y\".db""#),
        ("nodes", r#"["https://one.example/…"]"#),
        ("poll_ms", "250"),
        ("large_payment_usd", "10000"),
        ("metrics_listen", r#""127.0.0.1:3""#),
        ("log_format", r#""json""#),
        ("limits.address_burst", "0"),
        ("limits.failed_credentials_burst", "10"),
        ("limits.exempt", r#"["192.0.2.0/24"]"#),
        ("prices.kraken", r#""https://api.kraken.com""#),
    ] {
        assert_eq!(value(&run.out, field), shown);
    }
    assert!(run.out.contains("# an operator token is set"), "{}", run.out);
    assert!(!run.out.contains(HUSH), "{}", run.out);
    let again = written(directory.path(), "again.toml", &run.out, 0o644);
    let second = check(&["--config", again.to_str().expect("text")], &[("AISPACE_OPERATOR_TOKEN", HUSH)]);
    assert_eq!((second.code, second.out), (Some(0), run.out));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let run = check(
        &["--listen", "here", "--node", "ftp://hush-hush-0123456789", "--poll-ms", "9", "--operator-token-file", "/nowhere/token"],
        &[
            ("AISPACE_SERVICE__LIMITS__EXEMPT", "10.1.2.3/8"),
            ("AISPACE_SERVICE__LOG", "x=y=z"),
            ("AISPACE_SERVICE__METRICS_LISTEN", "9464"),
            ("AISPACE_SERVICE__DATABASE", "mysql://me:hush-hush-0123456789@db/x"),
        ],
    );
    assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
    for said in [
        "--listen: is no address",
        "--node: ",
        "--poll-ms: is less than 10",
        "operator_token_file /nowhere/token: ",
        "AISPACE_SERVICE__LIMITS__EXEMPT: \"10.1.2.3/8\" is no network",
        "AISPACE_SERVICE__LOG: ",
        "AISPACE_SERVICE__METRICS_LISTEN: is no address",
        "AISPACE_SERVICE__DATABASE: is neither a path nor a postgres:// URL",
    ] {
        assert!(run.err.lines().any(|line| line.starts_with(said)), "{said}\n{}", run.err);
    }
    assert_eq!(run.err.lines().count(), 9, "{}", run.err);
    let bare = check(&[], &[]);
    assert!(bare.code == Some(1) && bare.err.contains("database: is not set") && bare.err.contains("nodes: names no node"), "{}", bare.err);
}

#[test]
fn secrets_come_from_private_files_or_the_environment() {
    let directory = tempfile::tempdir().expect("a directory");
    let usual = ["--node", "https://one.example"];
    let url = format!("postgres://me:{HUSH}@db.example/ledger");
    let with = |more: &[&str], environment: &[(&str, &str)]| check(&[&usual[..], more].concat(), environment);

    let private = written(directory.path(), "private.toml", &format!("database = '{url}'\n"), 0o600);
    let run = with(&["--config", private.to_str().expect("text")], &[]);
    assert_eq!((run.code, value(&run.out, "database")), (Some(0), r#""postgres://me@db.example/ledger""#));
    assert!(run.out.contains("# a database password is set") && run.err.is_empty(), "{}", run.err);

    let open = written(directory.path(), "open.toml", &format!("# where\ndatabase = '{url}'\n"), 0o644);
    let run = with(&["--config", open.to_str().expect("text")], &[]);
    let said = format!("{}, line 2, database: holds a password, and others can read", open.display());
    assert!(run.code == Some(1) && run.err.starts_with(&said) && !run.err.contains(HUSH), "{}", run.err);

    let run = with(&["--database", &url], &[]);
    assert!(run.code == Some(0) && run.err.starts_with("warning: --database: ") && !run.err.contains(HUSH), "{}", run.err);
    assert!(!run.out.contains(HUSH));

    let bare = ["--database", "postgres://me@db.example/ledger"];
    for (environment, has) in
        [(vec![], "no database password is set"), (vec![("AISPACE_DATABASE_PASSWORD", HUSH)], "a database password is set")]
    {
        let run = with(&bare, &environment);
        assert!(run.code == Some(0) && run.out.contains(has) && !run.out.contains(HUSH), "{}{}", run.out, run.err);
    }

    let sqlite = ["--database", "service.db"];
    for (mode, code, said) in [(0o600, 0, ""), (0o400, 0, ""), (0o604, 1, "chmod 600"), (0o620, 1, "chmod 600"), (0o666, 1, "(mode 666)")] {
        let token = written(directory.path(), &format!("token{mode:o}"), HUSH, mode);
        let run = with(&[&sqlite[..], &["--operator-token-file", token.to_str().expect("text")]].concat(), &[]);
        assert!(run.code == Some(code) && run.err.contains(said) && !run.err.contains(HUSH), "{mode:o} {}", run.err);
    }
}

#[test]
fn a_sandbox_has_no_limits_unless_they_are_set() {
    let usual = ["--node", "https://one.example", "--database", "service.db", "--profile", "sandbox"];
    let run = check(&usual, &[("AISPACE_SERVICE__LIMITS__ADDRESS_BURST", "5"), ("AISPACE_SERVICE__LIMITS__ADDRESS_PER_MINUTE", "7")]);
    assert_eq!((value(&run.out, "limits.failed_credentials_burst"), value(&run.out, "limits.credential_per_minute")), ("0", "0"));
    assert_eq!((value(&run.out, "limits.address_burst"), value(&run.out, "limits.address_per_minute")), ("5", "7"));
}

/// The block of the guide, with its folders moved to where a test may write.
#[test]
fn the_example_of_the_operators_page_is_taken() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operator.md")).expect("the page");
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let directory = tempfile::tempdir().expect("a directory");
    let here = directory.path().display().to_string();
    written(directory.path(), "operator-token", HUSH, 0o600);
    let moved = block.replace("/etc/aispace", &here).replace("/var/lib/aispace", &here);
    let file = written(directory.path(), "service.toml", &moved, 0o644);
    let run = check(&["--config", file.to_str().expect("text")], &[]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(run.out.contains("# an operator token is set") && value(&run.out, "limits.exempt") == r#"["192.0.2.10/32"]"#, "{}", run.out);
}

/// The reader itself names the fields, so that a new one cannot be forgotten.
#[test]
fn every_field_is_described() {
    let described = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/service.md")).expect("the description");
    // One field too many in a table: the refusal lists the others.
    let known = |table: &str| -> Option<Vec<String>> {
        let variable = format!("AISPACE_SERVICE__{}X", table.to_ascii_uppercase().replace('.', "__"));
        let run = check(&[], &[(&variable, "1")]);
        let list = run.err.lines().find_map(|line| line.split_once(": unknown field, expected one of "))?.1;
        Some(list.split('`').skip(1).step_by(2).map(|name| format!("{table}{name}")).collect())
    };
    let mut fields = Vec::new();
    for field in known("").expect("the outermost table") {
        match known(&format!("{field}.")) {
            Some(inner) => fields.extend(inner),
            None => fields.push(field),
        }
    }
    assert!(fields.len() > 20, "{fields:?}");
    for field in &fields {
        assert!(described.contains(&format!("`{field}`")), "{field} is not described");
    }
}

#[test]
fn cards_are_taken_when_all_of_it_is_set() {
    let base = ["--database", "x.db", "--node", "https://one.example"];
    let secrets = [("AISPACE_STRIPE_SECRET_KEY", "sk_test_hush"), ("AISPACE_STRIPE_WEBHOOK_SECRET", "whsec_hush")];
    let none = check(&base, &[]);
    assert_eq!(none.code, Some(0), "{}", none.err);
    assert!(none.out.contains("# no secrets of Stripe's are set: cards are not taken"), "{}", none.out);
    let page = ["--card-return-url", "https://example.org/bought", "--stripe-url", "http://127.0.0.1:1"];
    let all = check(&[&base[..], &page].concat(), &secrets);
    assert_eq!((all.code, value(&all.out, "card.stripe_url")), (Some(0), r#""http://127.0.0.1:1""#), "{}", all.err);
    assert!(all.out.contains("# cards are taken") && !all.out.contains("hush"), "{}", all.out);

    let part = check(&base, &secrets);
    assert_eq!(part.code, Some(1));
    assert!(part.err.contains("card: is set in part; what is missing: card.return_url"), "{}", part.err);
    let wrong = [
        (&secrets[..], vec!["--card-return-url", "http://example.org/"], "--card-return-url"),
        (&secrets[..], vec!["--card-return-url", "https://example.org/#x"], "--card-return-url"),
        (&secrets[..], vec!["--card-return-url", "https://example.org/", "--stripe-url", "http://example.org"], "--stripe-url"),
        (&[("AISPACE_STRIPE_SECRET_KEY", "pk_live_hush"), secrets[1]], page.to_vec(), "card.stripe_key_file"),
        (&[secrets[0], ("AISPACE_STRIPE_WEBHOOK_SECRET", "hush")], page.to_vec(), "card.stripe_webhook_secret_file"),
    ];
    for (environment, arguments, field) in wrong {
        let run = check(&[&base[..], &arguments].concat(), environment);
        assert_eq!(run.code, Some(1), "{field}");
        assert!(run.err.contains(field) && !run.err.contains("hush"), "{field}: {}", run.err);
    }
}
