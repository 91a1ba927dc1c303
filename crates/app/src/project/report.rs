//! "Paid, not credited": what support needs to find a payment, and nothing that it does not.

use super::figures::instant;
use crate::view::{AppView, ErrorView, NodeView, PaymentView};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Everything about a payment that is public on the chain or known to the service anyway, and how node and service were. No key, no
/// secret, no signed bytes, no path, no address of a node beyond host and port.
pub(crate) fn report(payment: &PaymentView, app: &AppView, now: DateTime<Utc>) -> Value {
    let steps: Vec<Value> = payment.steps.iter().map(|step| json!({"step": step.step, "state": step.state, "at": step.at})).collect();
    json!({
        "kind": "aispace_payment_report",
        "version": 1,
        "made": instant(now),
        "app_version": app.settings.version,
        "profile": app.profile.kind,
        "chain_id": app.profile.chain_id,
        "payment": {
            "order_id": payment.order_id,
            "way": payment.way,
            "wallet_name": payment.wallet_name,
            "state": payment.state,
            "finality": payment.finality,
            "top_up": payment.top_up,
            "created": payment.created,
            "usd": payment.usd,
            "credits": payment.credits,
            "asked_eth": payment.value_eth,
            "arrived_eth": payment.paid_eth,
            "fee_eth": payment.fee_eth,
            "gas_used": payment.gas_used,
            "usd_per_eth": payment.usd_per_eth,
            "price_sources": payment.price_sources,
            "priced_at": payment.priced_at,
            "from_address": payment.from_address,
            "to_address": payment.to_address,
            "tag": payment.tag,
            "transaction_hash": payment.transaction_hash,
            "earlier_hashes": payment.earlier_hashes,
            "block_number": payment.block_number,
            "block_time": payment.block_time,
            "batch": payment.batch,
            "remarks": payment.remarks,
            "steps": steps,
            "trouble": payment.trouble.as_ref().map(trouble_of),
        },
        "service": {
            "host": host_and_port(&app.settings.service_url),
            "state": app.connection.state,
            "last_sync": app.connection.last_sync,
            "error": app.connection.error.as_ref().map(|error| error.code),
        },
        "keychain": app.keychain,
        "nodes": app.settings.nodes.iter().map(node).collect::<Vec<_>>(),
    })
}

/// A refusal; a figure that could be a path or an address is left out.
pub(super) fn trouble_of(error: &ErrorView) -> Value {
    let harmless = |text: &str| !text.contains(['/', '\\']);
    let params: serde_json::Map<String, Value> =
        error.params.iter().filter(|(_, value)| harmless(value)).map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({"code": error.code, "params": params})
}

fn node(node: &NodeView) -> Value {
    json!({
        "name": host_and_port(&node.name),
        "healthy": node.healthy,
        "block_number": node.block_number,
        "behind": node.behind,
        "latency_ms": node.latency_ms,
    })
}

/// A URL's host and port: the rest may hold an access key.
pub(crate) fn host_and_port(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = bare.split(['/', '?', '#']).next().unwrap_or(bare);
    host.rsplit_once('@').map_or(host, |(_, host)| host).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_host_and_port_are_told() {
        for (url, told) in [
            ("https://base.example/v2/SECRETKEY", "base.example"),
            ("http://127.0.0.1:8545/", "127.0.0.1:8545"),
            ("https://user:SECRET@base.example:8443?key=SECRET#SECRET", "base.example:8443"),
            ("base.example", "base.example"),
        ] {
            assert_eq!(host_and_port(url), told);
        }
    }
}
