//! Links that carry a payment to another wallet, and to the places where it can be looked at.
//!
//! Every link is built here from the pinned address; what is read back is read strictly: one spelling per meaning, nothing
//! ignored. Sources: EIP-681; docs.metamask.io, "Use deeplinks"; basescan.org.

use crate::{EthAddress, TransactionHash, payment_address};
use aispace_units::{BASE_CHAIN_ID, Wei};
use std::fmt;

/// Bytes of a link that is read at all.
const LINK_BYTES_MAX: usize = 256;
/// Digits of an exponent: ten to the 99th is beyond any amount.
const EXPONENT_DIGITS_MAX: usize = 2;
const SCHEME: &str = "ethereum:";

/// Asks any wallet to pay the pinned address this many wei on Base: the text of a QR code or of a link.
#[must_use]
pub fn eip681(value: Wei) -> String {
    PaymentLink { to: payment_address(), chain_id: BASE_CHAIN_ID, value }.to_string()
}

/// Names an account on Base, without an amount: what a receive screen shows.
#[must_use]
pub fn eip681_account(account: EthAddress) -> String {
    format!("{SCHEME}{account}@{BASE_CHAIN_ID}")
}

/// Opens MetaMask's send screen with the pinned address, Base and the amount filled in.
#[must_use]
pub fn metamask_send_link(value: Wei) -> String {
    format!("https://link.metamask.io/send/{}@{BASE_CHAIN_ID}?value={}", payment_address(), value.get())
}

/// Where anyone can look a transaction on Base up.
#[must_use]
pub fn explorer_transaction_url(hash: TransactionHash) -> String {
    format!("https://basescan.org/tx/{hash}")
}

/// Where anyone can look an account on Base up.
#[must_use]
pub fn explorer_address_url(account: EthAddress) -> String {
    format!("https://basescan.org/address/{account}")
}

/// A plain transfer of ether, as an EIP-681 link says it. Its `Display` is the one spelling that this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentLink {
    /// Who is paid.
    pub to: EthAddress,
    /// On which chain.
    pub chain_id: u64,
    /// How much.
    pub value: Wei,
}

impl PaymentLink {
    /// Whether it pays the pinned address on Base exactly this much.
    #[must_use]
    pub fn pays(&self, value: Wei) -> bool {
        *self == Self { to: payment_address(), chain_id: BASE_CHAIN_ID, value }
    }
}

impl fmt::Display for PaymentLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}@{}?value={}", self.to, self.chain_id, self.value.get())
    }
}

/// Why a link is no plain transfer. None holds the link: it may come from anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Longer than any payment link, or with signs beyond ASCII.
    #[error("a payment link has at most 256 plain characters")]
    TooLong,
    /// Another kind of link.
    #[error("a payment link begins with ethereum:")]
    Scheme,
    /// No address, or one whose EIP-55 checksum is wrong or missing.
    #[error("the link names no address with a right checksum")]
    Address,
    /// No chain, or none that can be read.
    #[error("the link names no chain")]
    Chain,
    /// An amount that is no whole number of wei.
    #[error("the link names no whole amount of wei")]
    Amount,
    /// A call of a contract, a gas price, a second amount or anything else that a plain transfer has not.
    #[error("the link says more than a payment needs")]
    Unknown,
}

/// Reads `ethereum:<address>@<chain>?value=<wei>`; the amount may be written as `1.5e16`, as EIP-681 allows.
///
/// A prefix, a name in place of the address, a function, a gas hint or a repeated field is refused, not ignored.
///
/// # Errors
/// [`LinkError`] names the first part that is wrong.
pub fn parse_eip681(text: &str) -> Result<PaymentLink, LinkError> {
    if text.len() > LINK_BYTES_MAX || !text.is_ascii() {
        return Err(LinkError::TooLong);
    }
    let rest = text.strip_prefix(SCHEME).ok_or(LinkError::Scheme)?;
    let (target, query) = rest.split_once('?').ok_or(LinkError::Amount)?;
    let (address, chain) = target.split_once('@').ok_or(LinkError::Chain)?;
    let to = address.starts_with("0x").then(|| address.parse().ok()).flatten().ok_or(LinkError::Address)?;
    let mut value = None;
    for field in query.split('&') {
        match field.split_once('=') {
            Some(("value", amount)) if value.is_none() => value = Some(wei(amount).ok_or(LinkError::Amount)?),
            _ => return Err(LinkError::Unknown),
        }
    }
    Ok(PaymentLink { to, chain_id: chain_id(chain)?, value: value.ok_or(LinkError::Amount)? })
}

fn chain_id(digits: &str) -> Result<u64, LinkError> {
    if digits.contains('/') {
        return Err(LinkError::Unknown);
    }
    if digits.starts_with('0') || !all_digits(digits) {
        return Err(LinkError::Chain);
    }
    digits.parse().map_err(|_| LinkError::Chain)
}

/// `digits [ "." digits ] [ "e" digits ]`, exact, whole.
fn wei(text: &str) -> Option<Wei> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((_, exponent)) if exponent.len() > EXPONENT_DIGITS_MAX || !all_digits(exponent) => return None,
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<u32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) if all_digits(fraction) => (whole, fraction.trim_end_matches('0')),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    if !all_digits(whole) {
        return None;
    }
    let zeros = exponent.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(Wei::ZERO);
    }
    digits.parse::<u128>().ok()?.checked_mul(10u128.checked_pow(zeros)?).map(Wei::new)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PAYMENT_ADDRESS_CHECKSUMMED;
    use proptest::prelude::*;

    fn paid(amount: &str) -> String {
        format!("ethereum:{PAYMENT_ADDRESS_CHECKSUMMED}@8453?value={amount}")
    }

    #[test]
    fn links_name_the_pinned_address_and_base() {
        let value = Wei::new(5_127_574_042_169_169);
        assert_eq!(eip681(value), "ethereum:0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689@8453?value=5127574042169169");
        assert_eq!(
            metamask_send_link(value),
            "https://link.metamask.io/send/0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689@8453?value=5127574042169169"
        );
        assert_eq!(eip681_account(payment_address()), format!("ethereum:{PAYMENT_ADDRESS_CHECKSUMMED}@8453"));
        let hash = TransactionHash::from_bytes([0x0f; 32]);
        assert_eq!(explorer_transaction_url(hash), format!("https://basescan.org/tx/0x{}", "0f".repeat(32)));
        assert_eq!(explorer_address_url(payment_address()), format!("https://basescan.org/address/{PAYMENT_ADDRESS_CHECKSUMMED}"));
    }

    #[test]
    fn amounts_are_read_exactly_as_they_can_be_spelled() {
        for (amount, wei) in [
            ("0", 0),
            ("1", 1),
            ("1e18", 1_000_000_000_000_000_000),
            ("1.5e16", 15_000_000_000_000_000),
            ("0.001E18", 1_000_000_000_000_000),
            ("10.0", 10),
            ("0e99", 0),
            ("340282366920938463463374607431768211455", u128::MAX),
        ] {
            assert_eq!(parse_eip681(&paid(amount)).map(|link| link.value), Ok(Wei::new(wei)), "{amount}");
        }
        for wrong in ["", "-1", "+1", "1e", "1.", ".5e1", "1.5", "1e400", "1e39", "0x10", "1_000", "1e+1", " 1", "1e1e1", "1.2.3e9"] {
            assert_eq!(parse_eip681(&paid(wrong)), Err(LinkError::Amount), "{wrong}");
        }
        assert_eq!(parse_eip681(&paid("340282366920938463463374607431768211456")), Err(LinkError::Amount));
    }

    #[test]
    fn whatever_a_plain_payment_has_not_is_refused() {
        let good = paid("1");
        for (text, why) in [
            (good.to_lowercase(), LinkError::Address),
            (good.replacen("0xA7f3", "A7f3", 1), LinkError::Address),
            (good.replacen("0xA7f3", "0XA7f3", 1), LinkError::Address),
            (good.replacen("4689@", "4688@", 1), LinkError::Address),
            (good.replacen(PAYMENT_ADDRESS_CHECKSUMMED, "vitalik.eth", 1), LinkError::Address),
            (good.replacen("ethereum:", "ethereum:pay-", 1), LinkError::Address),
            (good.replacen("ethereum:", "ETHEREUM:", 1), LinkError::Scheme),
            (good.replacen("ethereum:", "bitcoin:", 1), LinkError::Scheme),
            (format!(" {good}"), LinkError::Scheme),
            (good.replacen("@8453", "", 1), LinkError::Chain),
            (good.replacen("@8453", "@", 1), LinkError::Chain),
            (good.replacen("@8453", "@08453", 1), LinkError::Chain),
            (good.replacen("@8453", "@0x2105", 1), LinkError::Chain),
            (good.replacen("@8453", "@99999999999999999999", 1), LinkError::Chain),
            (good.replacen("@8453", "@8453/transfer", 1), LinkError::Unknown),
            (format!("{good}&value=2"), LinkError::Unknown),
            (format!("{good}&gasPrice=1"), LinkError::Unknown),
            (format!("{good}&"), LinkError::Unknown),
            (format!("{good}#x"), LinkError::Amount),
            (good.replacen("?value=1", "", 1), LinkError::Amount),
            (good.replacen("?value=1", "?", 1), LinkError::Unknown),
            (good.replacen("value", "val\u{200b}ue", 1), LinkError::TooLong),
            (format!("{good}{}", "0".repeat(300)), LinkError::TooLong),
        ] {
            assert_eq!(parse_eip681(&text), Err(why), "{text}");
        }
    }

    #[test]
    fn only_the_pinned_address_on_base_with_the_very_amount_is_this_payment() {
        let link = parse_eip681(&eip681(Wei::new(7))).unwrap();
        assert!(link.pays(Wei::new(7)));
        assert!(!link.pays(Wei::new(8)));
        assert!(!PaymentLink { chain_id: 1, ..link }.pays(Wei::new(7)));
        assert!(!PaymentLink { to: EthAddress::from_bytes([1; 20]), ..link }.pays(Wei::new(7)));
        assert!(!PaymentLink { value: Wei::ZERO, ..link }.pays(Wei::new(7)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(to: [u8; 20], chain_id in 1u64.., value: u128) {
            let link = PaymentLink { to: EthAddress::from_bytes(to), chain_id, value: Wei::new(value) };
            prop_assert_eq!(parse_eip681(&link.to_string()), Ok(link));
        }

        #[test]
        fn a_changed_digit_of_the_address_is_noticed_or_names_another_valid_one(to: [u8; 20], at in 0usize..40, digit in 0usize..22) {
            let link = PaymentLink { to: EthAddress::from_bytes(to), chain_id: BASE_CHAIN_ID, value: Wei::new(1) };
            let mut text = link.to_string().into_bytes();
            text["ethereum:0x".len() + at] = b"0123456789abcdefABCDEF"[digit];
            let text = String::from_utf8(text).unwrap();
            if let Ok(read) = parse_eip681(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(ethereum:)?(0x[0-9a-fA-F]{40})?(@[0-9]{0,5})?\\PC{0,40}") {
            let _ = parse_eip681(&text);
        }
    }
}
