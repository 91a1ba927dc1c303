//! What a wallet grants: which accounts on which chains, which methods. Only Base and one method matter here.

use super::{CHAIN, ConnectError, SEND};
use crate::EthAddress;
use serde_json::Value;

/// Accounts of one session that are kept.
const ACCOUNTS_MAX: usize = 64;

/// What a session grants on Base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Granted {
    /// In the wallet's order, each once. Empty when the session does not include Base.
    pub(super) accounts: Vec<EthAddress>,
    /// Whether transactions may be asked for.
    pub(super) can_send: bool,
}

impl Granted {
    /// Reads the namespaces of a settlement or an update. What is not on Base is passed over.
    pub(super) fn read(namespaces: &Value) -> Option<Self> {
        let mut granted = Self { accounts: Vec::new(), can_send: false };
        for (key, space) in namespaces.as_object()? {
            if key != "eip155" && key != CHAIN {
                continue;
            }
            let said = |name: &str| space.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let mut of_this = 0usize;
            for account in said("accounts").filter_map(account_on_base).take(ACCOUNTS_MAX) {
                of_this = of_this.saturating_add(1);
                if !granted.accounts.contains(&account) && granted.accounts.len() < ACCOUNTS_MAX {
                    granted.accounts.push(account);
                }
            }
            // A method counts only beside an account that it was granted for.
            granted.can_send |= of_this > 0 && said("methods").any(|method| method == SEND);
        }
        Some(granted)
    }

    /// Whether a payment can be asked for at all.
    pub(super) fn check(&self) -> Result<(), ConnectError> {
        match (self.accounts.is_empty(), self.can_send) {
            (true, _) => Err(ConnectError::WrongChain),
            (false, false) => Err(ConnectError::CannotSend),
            (false, true) => Ok(()),
        }
    }

    /// Puts the account that the wallet says it uses now first. One that was not granted changes nothing.
    pub(super) fn prefer(&mut self, data: &Value) -> bool {
        let Some(said) = data.get(0).and_then(Value::as_str) else { return false };
        let chosen = account_on_base(said).or_else(|| address(said));
        let Some(at) = chosen.and_then(|chosen| self.accounts.iter().position(|account| *account == chosen)) else { return false };
        let account = self.accounts.remove(at);
        self.accounts.insert(0, account);
        at != 0
    }
}

/// A CAIP-10 account on Base.
fn account_on_base(said: &str) -> Option<EthAddress> {
    address(said.strip_prefix(CHAIN)?.strip_prefix(':')?)
}

/// An address as wallets write it: with a right checksum, or without one. A wrong checksum is no address.
fn address(said: &str) -> Option<EthAddress> {
    let digits = said.strip_prefix("0x")?;
    let one_case = !digits.bytes().any(|byte| byte.is_ascii_uppercase()) || !digits.bytes().any(|byte| byte.is_ascii_lowercase());
    if !one_case {
        return said.parse().ok();
    }
    let mut bytes = [0u8; 20];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(EthAddress::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIRST: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    const SECOND: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    fn on(chain: &str, account: &str) -> String {
        format!("eip155:{chain}:{account}")
    }

    #[test]
    fn only_accounts_on_base_are_taken_each_once() {
        let accounts = [on("1", FIRST), on("8453", SECOND), on("8453", &SECOND.to_lowercase()), on("84530", FIRST), "nonsense".into()];
        let granted = Granted::read(&json!({"eip155": {"accounts": accounts, "methods": [SEND], "events": []}})).unwrap();
        assert_eq!(granted.accounts, [SECOND.parse().unwrap()]);
        assert_eq!(granted.check(), Ok(()));
    }

    #[test]
    fn a_wrong_checksum_is_no_address() {
        let wrong = FIRST.replacen("f39F", "F39f", 1);
        assert_eq!(address(&wrong), None);
        assert_eq!(address(&FIRST.to_lowercase()), FIRST.parse().ok());
        assert_eq!(address(&FIRST.to_uppercase().replacen("0X", "0x", 1)), FIRST.parse().ok());
        for bad in ["", "0x", "f39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0xf39f"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_way_of_not_serving_has_its_own_error() {
        let of = |chain: &str, methods: Value| {
            Granted::read(&json!({"eip155": {"accounts": [on(chain, FIRST)], "methods": methods, "events": []}})).unwrap().check()
        };
        assert_eq!(of("1", json!([SEND])), Err(ConnectError::WrongChain));
        assert_eq!(of("8453", json!(["personal_sign"])), Err(ConnectError::CannotSend));
        assert_eq!(of("8453", json!(null)), Err(ConnectError::CannotSend));
        let split = json!({"eip155": {"accounts": [on("1", FIRST)], "methods": [SEND]}, "eip155:8453": {"accounts": [on("8453", FIRST)], "methods": []}});
        assert_eq!(Granted::read(&split).unwrap().check(), Err(ConnectError::CannotSend), "a method of another chain");
        assert_eq!(Granted::read(&json!([])), None);
        assert_eq!(Granted::read(&json!({"solana": {}})).unwrap().check(), Err(ConnectError::WrongChain));
    }

    #[test]
    fn an_account_that_was_not_granted_cannot_come_in_by_an_event() {
        let both = json!({"eip155": {"accounts": [on("8453", FIRST), on("8453", SECOND)], "methods": [SEND]}});
        let mut granted = Granted::read(&both).unwrap();
        assert!(!granted.prefer(&json!(["0x00000000000000000000000000000000000000aa"])));
        assert!(!granted.prefer(&json!({"a": 1})));
        assert_eq!(granted.accounts[0].to_string(), FIRST);
        assert!(granted.prefer(&json!([on("8453", SECOND)])));
        assert!(!granted.prefer(&json!([SECOND])));
        assert_eq!(granted.accounts[0].to_string(), SECOND);
        assert_eq!(granted.accounts.len(), 2);
    }

    #[test]
    fn a_wallet_with_very_many_accounts_is_cut() {
        let accounts: Vec<_> = (0..1000u32).map(|n| on("8453", &format!("0x{n:040x}"))).collect();
        let granted = Granted::read(&json!({"eip155": {"accounts": accounts, "methods": [SEND]}})).unwrap();
        assert_eq!(granted.accounts.len(), ACCOUNTS_MAX);
    }
}
