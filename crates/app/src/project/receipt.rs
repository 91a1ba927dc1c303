//! A payment's receipt: one page that holds everything, loads nothing and can be printed.

use super::figures::instant;
use crate::view::{Finality, Language, PayWay, PaymentRemark, PaymentState, PaymentStep, PaymentView, ProfileKind, StepState};
use crate::words::Words;
use chrono::{DateTime, Utc};
use std::fmt::Write as _;

const ENGLISH: &str = include_str!("../../../../ui/messages/en/receipt.json");
const CHINESE: &str = include_str!("../../../../ui/messages/zh-Hans/receipt.json");

/// Even where a value slipped through unescaped, a browser would run and load nothing.
const HEAD: &str = "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n\
body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\n\
h1{font-size:1.5rem;margin:0}h2{font-size:1rem;margin:1.75rem 0 .25rem}p{margin:.25rem 0}\n\
table{width:100%;border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.3rem 0;border-top:1px solid #ccc}\n\
th{font-weight:400;color:#555;width:14rem}td{overflow-wrap:anywhere;font-variant-numeric:tabular-nums}\n\
.sandbox{border:2px solid #111;padding:.4rem .6rem;font-weight:700}\n@media print{body{margin:0}}\n</style>\n</head>\n<body>\n";

/// The receipt of a payment as HTML, in a person's language. Whatever comes from elsewhere is escaped.
pub(crate) fn receipt(payment: &PaymentView, profile: ProfileKind, language: Language, now: DateTime<Utc>) -> String {
    let words = &Words::new(language, ENGLISH, CHINESE);
    let title = escaped(&words.say("receipt_title"));
    let mut page = HEAD.replace("{language}", &words.say("receipt_language")).replace("{title}", &title);
    let _ = writeln!(page, "<h1>{title}</h1>");
    if profile == ProfileKind::Sandbox {
        let _ = writeln!(page, "<p class=\"sandbox\">{}</p>", escaped(&words.say("receipt_sandbox")));
    }
    let _ = writeln!(page, "<p>{}</p>", escaped(&words.with("receipt_made", &[("time", &instant(now))])));
    table(&mut page, words, "bought", &bought(payment, words));
    table(&mut page, words, "paid", &paid(payment, words));
    table(&mut page, words, "chain", &chain(payment, words));
    let steps: Vec<(&str, String)> = payment
        .steps
        .iter()
        .filter(|step| step.state == StepState::Done)
        .map(|step| (step_name(step.step), step.at.clone().unwrap_or_else(|| words.say("receipt_done"))))
        .collect();
    table(&mut page, words, "steps", &steps);
    if !payment.remarks.is_empty() {
        let _ = writeln!(page, "<h2>{}</h2>", escaped(&words.say("receipt_remarks")));
        for remark in &payment.remarks {
            let _ = writeln!(page, "<p>{}</p>", escaped(&named(words, remark_name(*remark))));
        }
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn bought(payment: &PaymentView, words: &Words) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("order", payment.order_id.clone()),
        ("begun", payment.created.clone()),
        ("state", named(words, state_name(payment.state))),
        ("ordered", format!("{} USD", payment.usd)),
        ("credits", payment.credits.clone()),
        ("for", words.say(if payment.top_up { "receipt_for_known" } else { "receipt_for_new" })),
    ];
    rows.extend(payment.account_id.clone().map(|id| ("account", id)));
    if let Some(batch) = &payment.batch {
        rows.push(("batch_ends", batch.expires.clone()));
        rows.extend(batch.batch_id.clone().map(|id| ("batch", id)));
    }
    rows
}

fn paid(payment: &PaymentView, words: &Words) -> Vec<(&'static str, String)> {
    let mut rows = vec![("way", named(words, way_name(payment.way)))];
    rows.extend(payment.wallet_name.clone().map(|name| ("wallet", name)));
    if payment.way == PayWay::Card {
        return rows;
    }
    rows.push(("asked", format!("{} ETH", payment.value_eth)));
    rows.extend(payment.paid_eth.as_ref().map(|paid| ("arrived", format!("{paid} ETH"))));
    rows.extend(payment.fee_eth.as_ref().map(|fee| ("fee", format!("{fee} ETH"))));
    rows.extend(payment.fee_usd.as_ref().map(|fee| ("fee_about", format!("{fee} USD"))));
    rows.extend(payment.gas_used.clone().map(|gas| ("gas", gas)));
    if !payment.usd_per_eth.is_empty() {
        rows.push(("price", words.with("receipt_price_of_ether", &[("usd", &payment.usd_per_eth)])));
        rows.push(("price_sources", payment.price_sources.join(", ")));
        rows.push(("price_time", payment.priced_at.clone()));
    }
    rows
}

fn chain(payment: &PaymentView, words: &Words) -> Vec<(&'static str, String)> {
    if payment.way == PayWay::Card {
        return Vec::new();
    }
    let mut rows = vec![("network", words.say("receipt_network_base"))];
    rows.extend(payment.transaction_hash.clone().map(|hash| ("transaction", hash)));
    rows.extend(payment.earlier_hashes.iter().map(|hash| ("transaction_earlier", hash.clone())));
    rows.extend(payment.block_number.clone().map(|block| ("block", block)));
    rows.extend(payment.block_time.clone().map(|time| ("block_time", time)));
    rows.push(("finality", named(words, finality_name(payment.finality))));
    rows.extend(payment.from_address.clone().map(|from| ("from", from)));
    rows.push(("to", payment.to_address.clone()));
    if !payment.tag.is_empty() {
        rows.push(("tag", payment.tag.clone()));
    }
    rows
}

/// The catalogue's word for something of a receipt.
fn named(words: &Words, name: &str) -> String {
    words.say(&format!("receipt_{name}"))
}

fn table(page: &mut String, words: &Words, title: &str, rows: &[(&str, String)]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(page, "<h2>{}</h2>\n<table>", escaped(&named(words, title)));
    for (name, value) in rows {
        let _ = writeln!(page, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(&named(words, name)), escaped(value));
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

fn way_name(way: PayWay) -> &'static str {
    match way {
        PayWay::Browser => "way_browser",
        PayWay::WalletConnect => "way_wallet_connect",
        PayWay::Link => "way_link",
        PayWay::SpendingWallet => "way_spending_wallet",
        PayWay::Card => "way_card",
    }
}

fn state_name(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Asked => "state_asked",
        PaymentState::Signed => "state_signed",
        PaymentState::Sent => "state_sent",
        PaymentState::Seen => "state_seen",
        PaymentState::Confirmed => "state_confirmed",
        PaymentState::Credited => "state_credited",
        PaymentState::Done => "state_done",
        PaymentState::Held => "state_held",
        PaymentState::Reverted => "state_reverted",
        PaymentState::Dropped => "state_dropped",
        PaymentState::Cancelled => "state_cancelled",
        PaymentState::Abandoned => "state_abandoned",
    }
}

fn finality_name(finality: Finality) -> &'static str {
    match finality {
        Finality::Unconfirmed => "finality_unconfirmed",
        Finality::Confirmed => "finality_confirmed",
        Finality::Safe => "finality_safe",
        Finality::Final => "finality_final",
    }
}

fn step_name(step: PaymentStep) -> &'static str {
    match step {
        PaymentStep::Asked => "step_asked",
        PaymentStep::Signed => "step_signed",
        PaymentStep::Sent => "step_sent",
        PaymentStep::Seen => "step_seen",
        PaymentStep::Confirmed => "step_confirmed",
        PaymentStep::Credited => "step_credited",
        PaymentStep::KeyStored => "step_key_stored",
        PaymentStep::Safe => "step_safe",
        PaymentStep::Final => "step_final",
    }
}

fn remark_name(remark: PaymentRemark) -> &'static str {
    match remark {
        PaymentRemark::Underpaid => "remark_underpaid",
        PaymentRemark::Overpaid => "remark_overpaid",
        PaymentRemark::Late => "remark_late",
        PaymentRemark::Replaced => "remark_replaced",
        PaymentRemark::TakenBack => "remark_taken_back",
        PaymentRemark::WaitsForSafe => "remark_waits_for_safe",
        PaymentRemark::WaitsForPrice => "remark_waits_for_price",
        PaymentRemark::AnotherPayer => "remark_another_payer",
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
        let page = receipt(&payment, ProfileKind::Live, Language::English, now());
        let mut all = Vec::new();
        texts(&serde_json::to_value(&payment).unwrap(), &mut all);
        // Words of enums are written out; everything else stands there as it is.
        let figures: Vec<_> = all.iter().filter(|t| t.chars().any(|c| c.is_ascii_digit())).collect();
        assert!(figures.len() >= 20, "{figures:?}");
        for figure in figures {
            assert!(page.contains(figure.as_str()), "{figure} is missing");
        }
        assert!(page.contains("Rabby") && !page.contains("SANDBOX"));
        assert!(receipt(&payment, ProfileKind::Sandbox, Language::English, now()).contains("SANDBOX"));
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
        let page = receipt(&payment, ProfileKind::Live, Language::English, now());
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{0}'));
        assert_eq!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count(), 6);
        // Neither a script nor anything from elsewhere, whatever was in the fields.
        for foreign in ["<script", "src=\"", "href=", "url(", "@import", "<link", "<iframe"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        let plain = receipt(&whole(), ProfileKind::Live, Language::English, now());
        let tags = |page: &str| page.matches('<').count();
        assert_eq!(tags(&page), tags(&plain), "no value adds an element");
    }

    #[test]
    fn a_card_payment_speaks_of_no_chain() {
        let page = receipt(&PaymentView { way: PayWay::Card, ..whole() }, ProfileKind::Live, Language::English, now());
        assert!(!page.contains("ETH") && !page.contains("0x") && page.contains("250000"));
    }

    #[test]
    fn every_word_of_it_is_in_both_languages() {
        assert_eq!(Words::different(ENGLISH, CHINESE), Vec::<String>::new());
        let mut payment = whole();
        payment.account_id = Some("account-1".into());
        payment.remarks = vec![
            PaymentRemark::Underpaid,
            PaymentRemark::Overpaid,
            PaymentRemark::Late,
            PaymentRemark::Replaced,
            PaymentRemark::TakenBack,
            PaymentRemark::WaitsForSafe,
            PaymentRemark::WaitsForPrice,
            PaymentRemark::AnotherPayer,
        ];
        let english = receipt(&payment, ProfileKind::Sandbox, Language::English, now());
        let chinese = receipt(&payment, ProfileKind::Sandbox, Language::ChineseSimplified, now());
        assert!(english.contains("<html lang=\"en\">") && chinese.contains("<html lang=\"zh-Hans\">"));
        assert_eq!(english.matches('<').count(), chinese.matches('<').count());
        for empty in ["<th scope=\"row\"></th>", "<td></td>", "<p></p>", "<h2></h2>"] {
            assert!(!english.contains(empty) && !chinese.contains(empty), "{empty}");
        }
        // What a row is called is in the language of the page.
        let names = |page: &str| {
            page.split("<th scope=\"row\">")
                .skip(1)
                .filter_map(|rest| rest.split_once('<'))
                .map(|(name, _)| name.to_owned())
                .collect::<Vec<_>>()
        };

        assert_eq!(names(&chinese).into_iter().filter(|name| name.is_ascii()).collect::<Vec<_>>(), Vec::<String>::new());
        assert!(names(&english).len() > 25 && names(&english).iter().all(|name| name.is_ascii()), "{:?}", names(&english));
    }
}
