//! Amounts as typed, in dollars, ether or credits, and what they are in dollars.
//!
//! An order is for dollars. Credits are dollars exactly. Ether becomes the most dollars that it pays for, so that never more is asked
//! for than was typed, and it buys as many credits as what was typed would.

use crate::view::{AmountRequest, AmountUnit, AppErrorCode, ErrorView};
use aispace_units::{EthUsdPrice, NanoCredits, Usd, Wei, usd_for_credits, usd_for_wei};

/// Dollars that one purchase may be: what the ledger holds in one batch, rounded down.
const USD_MAX: &str = "900000";
/// Decimals of a dollar that are the ledger's smallest step.
const USD_DECIMALS: usize = 13;
const CREDIT_DECIMALS: usize = 9;
const ETHER_DECIMALS: usize = 18;
const WHOLE_CHARS_MAX: usize = 16;

/// An amount in dollars; above nothing, and no more than one purchase may be. There is no minimum.
pub(crate) fn in_dollars(amount: &AmountRequest, price: EthUsdPrice) -> Result<Usd, ErrorView> {
    let text = amount.text.trim();
    let usd = match amount.unit {
        AmountUnit::Usd => decimal(text.trim_start_matches('$'), USD_DECIMALS).and_then(|plain| plain.parse().ok()),
        AmountUnit::Credits => decimal(text, CREDIT_DECIMALS).and_then(|plain| usd_for_credits(plain.parse().ok()?).ok()),
        AmountUnit::Eth => decimal(text, ETHER_DECIMALS).and_then(|plain| usd_for_wei(ether(&plain)?, price).ok()),
    };
    let most: Usd = USD_MAX.parse().map_err(ErrorView::internal)?;
    let fitting = usd.filter(|usd| *usd > Usd::ZERO && *usd <= most);
    fitting.ok_or_else(|| ErrorView::of(AppErrorCode::AmountInvalid).with("input", text))
}

/// An amount of dollars as typed: `25`, `$25.50`, `1,000`.
pub(crate) fn dollars(text: &str) -> Result<Usd, ErrorView> {
    // Dollars are dollars at any price.
    let any: EthUsdPrice = "1".parse().map_err(ErrorView::internal)?;
    in_dollars(&AmountRequest { text: text.into(), unit: AmountUnit::Usd }, any)
}

/// An amount of credits as typed: `0`, `4,400`, `0.55`.
pub(crate) fn credits_typed(text: &str) -> Result<NanoCredits, ErrorView> {
    let credits = decimal(text, CREDIT_DECIMALS).and_then(|plain| plain.parse().ok());
    credits.ok_or_else(|| ErrorView::of(AppErrorCode::AmountInvalid).with("input", text.trim()))
}

/// An amount of credits as typed: `20000`, `20,000.5`; above nothing.
pub(crate) fn credits(text: &str) -> Result<NanoCredits, ErrorView> {
    let plain = decimal(text.trim(), CREDIT_DECIMALS).and_then(|plain| plain.parse::<NanoCredits>().ok());
    plain.filter(|credits| !credits.is_zero()).ok_or_else(|| ErrorView::of(AppErrorCode::AmountInvalid).with("input", text.trim()))
}

/// A plain decimal of what was typed, if it is one: digits, commas between whole groups of three, at most so many decimals.
fn decimal(text: &str, decimals_max: usize) -> Option<String> {
    let bare = text.trim();
    let (whole, fraction) = bare.split_once('.').map_or((bare, None), |(w, f)| (w, Some(f)));
    let groups: Vec<&str> = whole.split(',').collect();
    let grouped = groups.len() > 1;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let group = |(at, part): (usize, &&str)| digits(part) && (!grouped || if at == 0 { part.len() <= 3 } else { part.len() == 3 });
    let whole_right = groups.iter().enumerate().all(group);
    let fraction_right = fraction.is_none_or(|f| digits(f) && f.len() <= decimals_max);
    (whole_right && fraction_right && whole.len() <= WHOLE_CHARS_MAX).then(|| format!("{}.{}", groups.concat(), fraction.unwrap_or("0")))
}

/// Wei of a plain decimal of ether.
fn ether(plain: &str) -> Option<Wei> {
    let (whole, fraction) = plain.split_once('.')?;
    let wei = format!("{whole}{fraction:0<ETHER_DECIMALS$}");
    wei.parse::<u128>().ok().map(Wei::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_units::{credits_for_wei, wei_for_usd};
    use proptest::prelude::*;

    fn price() -> EthUsdPrice {
        "3018.26".parse().unwrap()
    }

    fn read(text: &str, unit: AmountUnit) -> Result<String, AppErrorCode> {
        in_dollars(&AmountRequest { text: text.into(), unit }, price()).map(|usd| usd.to_string()).map_err(|error| error.code)
    }

    #[test]
    fn amounts_are_read_as_typed() {
        for (text, usd) in [
            ("25", "25"),
            (" $25.50 ", "25.5"),
            ("1,000", "1000"),
            ("0.0001", "0.0001"),
            ("0.0000000000001", "0.0000000000001"),
            ("900000", "900000"),
        ] {
            assert_eq!(read(text, AmountUnit::Usd), Ok(usd.into()));
            assert_eq!(dollars(text).unwrap().to_string(), usd);
        }
        for (text, usd) in [("250000", "25"), ("1", "0.0001"), ("0.000000001", "0.0000000000001"), ("250,000.5", "25.00005")] {
            assert_eq!(read(text, AmountUnit::Credits), Ok(usd.into()));
        }
        for (text, usd) in [("0.01", "30.1826"), ("1", "3018.26"), ("0.008282914659439544", "24.9999899999999")] {
            assert_eq!(read(text, AmountUnit::Eth), Ok(usd.into()));
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let bad = ["", "0", "0.00", "-5", "1,5", "12,34", "1e3", "25.", ".5", "25 USD", "99999999999999999", "1.0000000000000000001"];
        for unit in [AmountUnit::Usd, AmountUnit::Eth, AmountUnit::Credits] {
            for text in bad {
                assert_eq!(read(text, unit), Err(AppErrorCode::AmountInvalid), "{text:?} {unit:?}");
            }
        }
        assert_eq!(read("900000.01", AmountUnit::Usd), Err(AppErrorCode::AmountInvalid));
        // A wei is worth less than any credit.
        assert_eq!(read("0.000000000000000001", AmountUnit::Eth), Err(AppErrorCode::AmountInvalid));
        assert_eq!(read("$1", AmountUnit::Eth), Err(AppErrorCode::AmountInvalid));
    }

    #[test]
    fn credits_are_read_as_typed() {
        for (text, read) in [("20000", "20000"), (" 20,000.5 ", "20000.5"), ("0.000000001", "0.000000001")] {
            assert_eq!(credits(text).unwrap().to_string(), read);
        }
        for bad in ["", "0", "-1", "1e3", "2 0", "0.0000000001", "99999999999999999"] {
            assert_eq!(credits(bad).unwrap_err().code, AppErrorCode::AmountInvalid, "{bad}");
        }
    }

    proptest! {
        /// Ether as typed, to dollars and back: never more is asked for, and it buys no credit less.
        #[test]
        fn typed_ether_is_never_exceeded(wei in 1_000_000u128..200_000_000_000_000_000_000) {
            let text = Wei::new(wei).to_ether_string();
            let usd = in_dollars(&AmountRequest { text, unit: AmountUnit::Eth }, price()).unwrap();
            let asked = wei_for_usd(usd, price()).unwrap();
            prop_assert!(asked.get() <= wei);
            prop_assert_eq!(credits_for_wei(asked, price()), credits_for_wei(Wei::new(wei), price()));
        }

        /// Credits as typed are what is bought, to one step of the ledger at a price of less than 10,000 dollars per ether.
        #[test]
        fn typed_credits_are_what_is_bought(nanos in 1i64..8_000_000_000_000_000_000) {
            let typed = aispace_units::NanoCredits::from_nanos(nanos).unwrap();
            let usd = in_dollars(&AmountRequest { text: typed.to_string(), unit: AmountUnit::Credits }, price()).unwrap();
            let bought = credits_for_wei(wei_for_usd(usd, price()).unwrap(), price()).unwrap();
            prop_assert!(bought >= typed && bought.nanos() - nanos <= 1, "{bought} for {typed}");
        }
    }
}
