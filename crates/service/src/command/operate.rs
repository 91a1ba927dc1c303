//! `grant`, `payments` and `key revoke`: the operator's calls on a database that no service has open.

use super::{DatabaseArguments, Failed, exists};
use aispace_service::{Desk, DeskAnswer, ServeError, StoreError};
use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Write;

#[derive(Args)]
pub(super) struct GrantArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// Whose account.
    #[arg(long)]
    account: String,
    /// How many credits, with up to nine digits after the point.
    #[arg(long)]
    credits: String,
    /// The first instant at which they are gone, in RFC 3339; thirty days from now when absent.
    #[arg(long)]
    expires: Option<String>,
    /// A word for people.
    #[arg(long)]
    note: Option<String>,
    /// The same key for the same grant posts it once; drawn and shown when absent.
    #[arg(long)]
    idempotency_key: Option<String>,
}

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Revokes every Secure Key of an account.
    Revoke(RevokeArguments),
}

#[derive(Args)]
pub(super) struct RevokeArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// Whose account.
    #[arg(long)]
    account: String,
}

#[derive(Subcommand)]
pub(super) enum PaymentsCommand {
    /// Lists payments in ether that are held or wait, oldest first.
    List(DatabaseArguments),
    /// Gives one to an order.
    Assign(AssignArguments),
    /// Notes that one was dealt with otherwise, such as sent back: it is never credited any more.
    Close(CloseArguments),
}

/// Which payment.
#[derive(Args)]
struct PaymentArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// Its transaction, or its block where the list has no position.
    #[arg(long)]
    transaction: String,
    /// Its position in the transaction, as the list has it.
    #[arg(long)]
    position: Option<u32>,
}

#[derive(Args)]
pub(super) struct AssignArguments {
    #[command(flatten)]
    payment: PaymentArguments,
    /// Whose order.
    #[arg(long)]
    order: String,
    /// Dollars per ether, for a payment outside its quote's time.
    #[arg(long)]
    usd_per_eth: Option<String>,
}

#[derive(Args)]
pub(super) struct CloseArguments {
    #[command(flatten)]
    payment: PaymentArguments,
    /// What was done instead.
    #[arg(long)]
    note: Option<String>,
}

struct Call {
    method: Method,
    path: String,
    idempotency_key: Option<String>,
    body: Value,
}

pub(super) async fn grant(arguments: &GrantArguments) -> Result<(), Failed> {
    let key = match &arguments.idempotency_key {
        Some(key) => key.clone(),
        None => drawn()?,
    };
    // Before the call: whoever loses the answer repeats it under the same key.
    writeln!(std::io::stderr(), "idempotency key {key}")?;
    let mut body = json!({"account_id": arguments.account, "credits": arguments.credits});
    for (name, value) in [("expires", &arguments.expires), ("note", &arguments.note)] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    call(&arguments.database, Call { method: Method::POST, path: "/v1/grants".into(), idempotency_key: Some(key), body }).await
}

pub(super) async fn revoke(arguments: &RevokeArguments) -> Result<(), Failed> {
    let id = &arguments.account;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Failed::because("--account: is no account's id"));
    }
    let path = format!("/v1/accounts/{id}/key/revoke");
    call(&arguments.database, Call { method: Method::POST, path, idempotency_key: None, body: json!({}) }).await
}

pub(super) async fn payments(command: &PaymentsCommand) -> Result<(), Failed> {
    let (arguments, path, more) = match command {
        PaymentsCommand::List(database) => {
            let list = Call { method: Method::GET, path: "/v1/payments/open".into(), idempotency_key: None, body: Value::Null };
            return call(database, list).await;
        }
        PaymentsCommand::Assign(AssignArguments { payment, order, usd_per_eth }) => {
            (payment, "/v1/payments/assign", [("order_id", Some(order)), ("usd_per_eth", usd_per_eth.as_ref())])
        }
        PaymentsCommand::Close(CloseArguments { payment, note }) => {
            (payment, "/v1/payments/close", [("note", note.as_ref()), ("note", None)])
        }
    };
    let mut body = json!({"transaction_hash": arguments.transaction, "position": arguments.position});
    for (name, value) in more {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    call(&arguments.database, Call { method: Method::POST, path: path.into(), idempotency_key: None, body }).await
}

async fn call(arguments: &DatabaseArguments, call: Call) -> Result<(), Failed> {
    let database = arguments.database()?;
    exists(&database)?;
    let desk = match Desk::open(&database).await {
        Ok(desk) => desk,
        Err(ServeError::Store(error @ StoreError::InUse { .. })) => return Err(Failed(vec![error.to_string(), over_http(&call)])),
        Err(error) => return Err(error.into()),
    };
    let answer = desk.call(call.method.clone(), &call.path, call.idempotency_key.as_deref(), &call.body).await;
    desk.close().await;
    let DeskAnswer { status, body } = answer.map_err(Failed::because)?;
    if status >= 300 {
        return Err(Failed::because(format!("refused: {body}")));
    }
    let said = if body.is_empty() { "every Secure Key of the account is revoked" } else { body.as_str() };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}

/// How the same is asked of the service that runs, with the token neither typed nor on a command line.
fn over_http(call: &Call) -> String {
    let key = call.idempotency_key.as_ref().map(|key| format!(" -H {}", quoted(&format!("Idempotency-Key: {key}")))).unwrap_or_default();
    let has_body = call.method != Method::GET;
    let body = if has_body { format!(" -H 'Content-Type: application/json' -d {}", quoted(&call.body.to_string())) } else { String::new() };
    format!(
        "or ask that service, with its address and the file of the operator's token in place of the capitals:\n\
         printf 'Authorization: Bearer %s\\n' \"$(cat TOKEN_FILE)\" | \
         curl --fail-with-body -H @-{key}{body} http://ADDRESS{}",
        call.path
    )
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn drawn() -> Result<String, Failed> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failed::because(format!("the system gave no random bytes: {error}")))?;
    Ok(format!("operator-{}", hex::encode(bytes)))
}
