//! All payments as a table: RFC 4180, exact decimals, and no cell that a spreadsheet would take for a formula.

use crate::view::{ErrorView, PayWay, PaymentView};
use serde::Serialize;

const COLUMNS: [&str; 26] = [
    "order_id",
    "created_utc",
    "state",
    "finality",
    "way",
    "wallet",
    "usd",
    "credits",
    "asked_eth",
    "arrived_eth",
    "fee_eth",
    "fee_usd",
    "gas_used",
    "usd_per_eth",
    "priced_utc",
    "price_sources",
    "from_address",
    "to_address",
    "transaction_hash",
    "earlier_hashes",
    "block_number",
    "block_utc",
    "batch_ends_utc",
    "tag",
    "remarks",
    "account_id",
];

/// The table with its header, lines ended as the RFC says.
///
/// # Errors
/// Never for a table in memory; said all the same.
pub(crate) fn payments_csv(payments: &[PaymentView]) -> Result<Vec<u8>, ErrorView> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(ErrorView::internal)?;
    for payment in payments {
        table.write_record(row(payment).map(|cell| guarded(&cell))).map_err(ErrorView::internal)?;
    }
    table.into_inner().map_err(ErrorView::internal)
}

fn row(payment: &PaymentView) -> [String; COLUMNS.len()] {
    let maybe = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        payment.order_id.clone(),
        payment.created.clone(),
        word(&payment.state),
        word(&payment.finality),
        way_words(payment.way).into(),
        maybe(&payment.wallet_name),
        payment.usd.clone(),
        payment.credits.clone(),
        payment.value_eth.clone(),
        maybe(&payment.paid_eth),
        maybe(&payment.fee_eth),
        maybe(&payment.fee_usd),
        maybe(&payment.gas_used),
        payment.usd_per_eth.clone(),
        payment.priced_at.clone(),
        payment.price_sources.join("; "),
        maybe(&payment.from_address),
        payment.to_address.clone(),
        maybe(&payment.transaction_hash),
        payment.earlier_hashes.join("; "),
        maybe(&payment.block_number),
        maybe(&payment.block_time),
        payment.batch.as_ref().map(|batch| batch.expires.clone()).unwrap_or_default(),
        payment.tag.clone(),
        payment.remarks.iter().map(word).collect::<Vec<_>>().join("; "),
        maybe(&payment.account_id),
    ]
}

/// A word of a wire enum.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A cell that begins like a formula gets an apostrophe in front, as spreadsheets themselves mark text. No figure of ours begins so.
pub(super) fn guarded(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) { format!("'{cell}") } else { cell.into() }
}

/// A table of data speaks one language, whoever reads it.
fn way_words(way: PayWay) -> &'static str {
    match way {
        PayWay::Browser => "a wallet in the browser",
        PayWay::WalletConnect => "WalletConnect",
        PayWay::Link => "address or QR code",
        PayWay::SpendingWallet => "the app’s spending wallet",
        PayWay::Card => "card",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::receipt::tests::whole;
    use proptest::prelude::*;

    fn read(table: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn figures_stand_there_to_the_last_digit() {
        let table = payments_csv(&[whole(), whole()]).unwrap();
        let rows = read(&table);
        assert_eq!((rows.len(), rows[0].len()), (3, COLUMNS.len()));
        assert_eq!(rows[0].last().unwrap(), "account_id");
        let cell = |name: &str| rows[1][rows[0].iter().position(|column| column == name).unwrap()].clone();
        assert_eq!(cell("asked_eth"), "0.008282914659439544");
        assert_eq!((cell("credits"), cell("state"), cell("remarks")), ("250000".into(), "done".into(), "overpaid; replaced".into()));
        assert!(table.ends_with(b"\r\n") && table.iter().filter(|b| **b == b'\n').count() == 3);
    }

    #[test]
    fn nothing_begins_like_a_formula() {
        for hostile in ["=HYPERLINK(\"http://x\")", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            let table =
                payments_csv(&[crate::view::PaymentView { wallet_name: Some(hostile.into()), order_id: hostile.into(), ..whole() }]);
            let rows = read(&table.unwrap());
            assert_eq!((rows[1][0].as_str(), rows[1][5].as_str()), (format!("'{hostile}").as_str(), format!("'{hostile}").as_str()));
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_one_cell(text in "[\\PC\r\n\",;]{0,40}") {
            let rows = read(&payments_csv(&[crate::view::PaymentView { wallet_name: Some(text.clone()), ..whole() }]).unwrap());
            prop_assert_eq!(rows.len(), 2);
            let cell = &rows[1][5];
            let marked = format!("'{text}");
            prop_assert!(*cell == text || *cell == marked);
        }
    }
}
