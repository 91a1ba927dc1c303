//! A payment's receipt: one page that holds everything, loads nothing and can be printed.

use super::figures::instant;
use crate::view::{Finality, PayWay, PaymentRemark, PaymentState, PaymentStep, PaymentView, ProfileKind, StepState};
use chrono::{DateTime, Utc};
use std::fmt::Write as _;

/// Even where a value slipped through unescaped, a browser would run and load nothing.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<title>AiSpace receipt</title>\n<style>\n\
body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\n\
h1{font-size:1.5rem;margin:0}h2{font-size:1rem;margin:1.75rem 0 .25rem}p{margin:.25rem 0}\n\
table{width:100%;border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.3rem 0;border-top:1px solid #ccc}\n\
th{font-weight:400;color:#555;width:14rem}td{overflow-wrap:anywhere;font-variant-numeric:tabular-nums}\n\
.sandbox{border:2px solid #111;padding:.4rem .6rem;font-weight:700}\n@media print{body{margin:0}}\n</style>\n</head>\n<body>\n";

/// The receipt of a payment as HTML. Whatever comes from elsewhere is escaped.
pub(crate) fn receipt(payment: &PaymentView, profile: ProfileKind, now: DateTime<Utc>) -> String {
    let mut page = String::from(HEAD);
    page.push_str("<h1>AiSpace receipt</h1>\n");
    if profile == ProfileKind::Sandbox {
        page.push_str("<p class=\"sandbox\">SANDBOX: no real money was moved.</p>\n");
    }
    let _ = writeln!(page, "<p>Made {}. All times are UTC.</p>", escaped(&instant(now)));
    table(&mut page, "What was bought", &bought(payment));
    table(&mut page, "What was paid", &paid(payment));
    table(&mut page, "On the chain", &chain(payment));
    let steps: Vec<(&str, String)> = payment
        .steps
        .iter()
        .filter(|step| step.state == StepState::Done)
        .map(|step| (step_words(step.step), step.at.clone().unwrap_or_else(|| "yes".into())))
        .collect();
    table(&mut page, "How it went", &steps);
    if !payment.remarks.is_empty() {
        page.push_str("<h2>Remarks</h2>\n");
        for remark in &payment.remarks {
            let _ = writeln!(page, "<p>{}</p>", escaped(remark_words(*remark)));
        }
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn bought(payment: &PaymentView) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Order", payment.order_id.clone()),
        ("Begun", payment.created.clone()),
        ("State", state_words(payment.state).into()),
        ("Ordered", format!("{} USD", payment.usd)),
        ("Credits", payment.credits.clone()),
        ("For", if payment.top_up { "an account that was there" } else { "a new account" }.into()),
    ];
    rows.extend(payment.account_id.clone().map(|id| ("Account", id)));
    if let Some(batch) = &payment.batch {
        rows.push(("Batch ends", batch.expires.clone()));
        rows.extend(batch.batch_id.clone().map(|id| ("Batch", id)));
    }
    rows
}

fn paid(payment: &PaymentView) -> Vec<(&'static str, String)> {
    let mut rows = vec![("Way", way_words(payment.way).into())];
    rows.extend(payment.wallet_name.clone().map(|name| ("Wallet", name)));
    if payment.way == PayWay::Card {
        return rows;
    }
    rows.push(("Asked", format!("{} ETH", payment.value_eth)));
    rows.extend(payment.paid_eth.as_ref().map(|paid| ("Arrived", format!("{paid} ETH"))));
    rows.extend(payment.fee_eth.as_ref().map(|fee| ("Network fee", format!("{fee} ETH"))));
    rows.extend(payment.fee_usd.as_ref().map(|fee| ("Network fee, about", format!("{fee} USD"))));
    rows.extend(payment.gas_used.clone().map(|gas| ("Gas used", gas)));
    if !payment.usd_per_eth.is_empty() {
        rows.push(("Price", format!("{} USD per ETH", payment.usd_per_eth)));
        rows.push(("Price sources", payment.price_sources.join(", ")));
        rows.push(("Price of", payment.priced_at.clone()));
    }
    rows
}

fn chain(payment: &PaymentView) -> Vec<(&'static str, String)> {
    if payment.way == PayWay::Card {
        return Vec::new();
    }
    let mut rows = vec![("Network", "Base, chain 8453".into())];
    rows.extend(payment.transaction_hash.clone().map(|hash| ("Transaction", hash)));
    rows.extend(payment.earlier_hashes.iter().map(|hash| ("Earlier transaction", hash.clone())));
    rows.extend(payment.block_number.clone().map(|block| ("Block", block)));
    rows.extend(payment.block_time.clone().map(|time| ("Block time", time)));
    rows.push(("Finality", finality_words(payment.finality).into()));
    rows.extend(payment.from_address.clone().map(|from| ("From", from)));
    rows.push(("To", payment.to_address.clone()));
    if !payment.tag.is_empty() {
        rows.push(("Tag", payment.tag.clone()));
    }
    rows
}

fn table(page: &mut String, title: &str, rows: &[(&str, String)]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(page, "<h2>{}</h2>\n<table>", escaped(title));
    for (name, value) in rows {
        let _ = writeln!(page, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(name), escaped(value));
    }
    page.push_str("</table>\n");
}

/// Text that stands for itself in HTML, in an element and in an attribute. Signs that turn writing around are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

pub(super) fn way_words(way: PayWay) -> &'static str {
    match way {
        PayWay::Browser => "a wallet in the browser",
        PayWay::WalletConnect => "WalletConnect",
        PayWay::Link => "address or QR code",
        PayWay::SpendingWallet => "the app’s spending wallet",
        PayWay::Card => "card",
    }
}

fn state_words(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Asked => "asked for, not on the chain yet",
        PaymentState::Signed => "signed, not sent yet",
        PaymentState::Sent => "sent",
        PaymentState::Seen => "seen by a node",
        PaymentState::Confirmed => "in a block",
        PaymentState::Credited => "credited",
        PaymentState::Done => "credited, and the Secure Key is stored",
        PaymentState::Held => "held back by the service",
        PaymentState::Reverted => "reverted: the fee is gone, the value is not",
        PaymentState::Dropped => "dropped: another transaction took its place",
        PaymentState::Cancelled => "cancelled: nothing was paid",
        PaymentState::Abandoned => "not waited for any more",
    }
}

fn finality_words(finality: Finality) -> &'static str {
    match finality {
        Finality::Unconfirmed => "in no block yet",
        Finality::Confirmed => "in a block",
        Finality::Safe => "written on Ethereum",
        Finality::Final => "final on Ethereum",
    }
}

fn step_words(step: PaymentStep) -> &'static str {
    match step {
        PaymentStep::Asked => "Asked",
        PaymentStep::Signed => "Signed",
        PaymentStep::Sent => "Sent",
        PaymentStep::Seen => "Seen by a node",
        PaymentStep::Confirmed => "In a block",
        PaymentStep::Credited => "Credited",
        PaymentStep::KeyStored => "Secure Key stored",
        PaymentStep::Safe => "Written on Ethereum",
        PaymentStep::Final => "Final on Ethereum",
    }
}

fn remark_words(remark: PaymentRemark) -> &'static str {
    match remark {
        PaymentRemark::Underpaid => "Less arrived than was asked; credits are in proportion.",
        PaymentRemark::Overpaid => "More arrived than was asked; credits are in proportion.",
        PaymentRemark::Late => "It arrived after the price had run out; credits are at the price of its block’s time.",
        PaymentRemark::Replaced => "A later transaction took the place of the first.",
        PaymentRemark::TakenBack => "The chain dropped its block, and the credits were taken back.",
        PaymentRemark::WaitsForSafe => "The sum is large: it is credited once its block is written on Ethereum.",
        PaymentRemark::WaitsForPrice => "It is credited once enough price sources answer.",
        PaymentRemark::AnotherPayer => "It came from another account than the wallet named.",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::view::{PaidBatchView, StepView};

    /// A payment with something in every field.
    pub(crate) fn whole() -> PaymentView {
        let done = |step| StepView { step, state: StepState::Done, at: Some("2027-01-15T08:00:05.000Z".into()) };
        PaymentView {
            order_id: "order-1".into(),
            way: PayWay::Browser,
            wallet_name: Some("Rabby".into()),
            state: PaymentState::Done,
            finality: Finality::Safe,
            usd: "25".into(),
            credits: "250000".into(),
            value_eth: "0.008282914659439544".into(),
            paid_eth: Some("0.008282914659439545".into()),
            fee_eth: Some("0.000000245080024508".into()),
            fee_usd: Some("0.00074".into()),
            gas_used: Some("22280".into()),
            usd_per_eth: "3018.26".into(),
            price_sources: vec!["Kraken".into(), "Bitstamp".into()],
            priced_at: "2027-01-15T08:00:00.000Z".into(),
            from_address: Some("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".into()),
            to_address: "0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689".into(),
            tag: "ab".repeat(32),
            data: String::new(),
            transaction_hash: Some(format!("0x{}", "12".repeat(32))),
            earlier_hashes: vec![format!("0x{}", "34".repeat(32))],
            block_number: Some("31415926".into()),
            block_time: Some("2027-01-15T08:00:03.000Z".into()),
            account_id: None,
            top_up: true,
            created: "2027-01-15T07:59:59.000Z".into(),
            batch: Some(PaidBatchView {
                credits: "250000".into(),
                expires: "2027-02-14T08:00:05.000Z".into(),
                batch_id: Some("batch-9".into()),
            }),
            remarks: vec![PaymentRemark::Overpaid, PaymentRemark::Replaced],
            steps: vec![done(PaymentStep::Asked), done(PaymentStep::Credited)],
            ask: None,
            can_speed_up: false,
            can_cancel: false,
            can_stop_waiting: false,
            can_put_away: true,
            can_claim_by_hash: false,
            trouble: None,
        }
    }

    fn now() -> DateTime<Utc> {
        "2027-01-15T09:00:00Z".parse().unwrap()
    }

    /// Every text of a view, however deep.
    fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.push(text.clone()),
            serde_json::Value::Array(values) => values.iter().for_each(|v| texts(v, found)),
            serde_json::Value::Object(fields) => fields.values().for_each(|v| texts(v, found)),
            _ => {}
        }
    }

    #[test]
    fn every_figure_of_the_payment_is_on_its_receipt() {
        let payment = whole();
        let page = receipt(&payment, ProfileKind::Live, now());
        let mut all = Vec::new();
        texts(&serde_json::to_value(&payment).unwrap(), &mut all);
        // Words of enums are written out; everything else stands there as it is.
        let figures: Vec<_> = all.iter().filter(|t| t.chars().any(|c| c.is_ascii_digit())).collect();
        assert!(figures.len() >= 20, "{figures:?}");
        for figure in figures {
            assert!(page.contains(figure.as_str()), "{figure} is missing");
        }
        assert!(page.contains("Rabby") && !page.contains("SANDBOX"));
        assert!(receipt(&payment, ProfileKind::Sandbox, now()).contains("SANDBOX"));
    }

    #[test]
    fn hostile_text_stays_text() {
        let hostile = "\"><script>alert(1)</script><img src=x onerror='y'>&\u{202e}\u{0}";
        let payment = PaymentView {
            order_id: hostile.into(),
            wallet_name: Some(hostile.into()),
            from_address: Some(hostile.into()),
            price_sources: vec![hostile.into()],
            earlier_hashes: vec![hostile.into()],
            tag: hostile.into(),
            data: hostile.into(),
            ..whole()
        };
        let page = receipt(&payment, ProfileKind::Live, now());
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{0}'));
        assert_eq!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count(), 6);
        // Neither a script nor anything from elsewhere, whatever was in the fields.
        for foreign in ["<script", "src=\"", "href=", "url(", "@import", "<link", "<iframe"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        let plain = receipt(&whole(), ProfileKind::Live, now());
        let tags = |page: &str| page.matches('<').count();
        assert_eq!(tags(&page), tags(&plain), "no value adds an element");
    }

    #[test]
    fn a_card_payment_speaks_of_no_chain() {
        let page = receipt(&PaymentView { way: PayWay::Card, ..whole() }, ProfileKind::Live, now());
        assert!(!page.contains("ETH") && !page.contains("0x") && page.contains("250000"));
    }
}
