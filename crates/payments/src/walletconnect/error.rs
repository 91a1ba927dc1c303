//! What can go wrong between the app and a wallet.

use crate::{EntropyError, EthAddress};

/// What has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expired {
    /// The pairing was not answered within its five minutes: a new code is needed.
    Pairing,
    /// The session is older than both sides agreed: the wallet has to be connected again.
    Session,
    /// The wallet got the request when its time was over, or let it lie. Nothing is sent under it any more.
    Request,
}

/// Why there is no session or no answer. Never holds keys, the pairing URI or the relay's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The person said no in the wallet.
    #[error("the wallet's owner said no")]
    Rejected,
    /// Pairing, session or request is over its time.
    #[error("{0:?} is over its time")]
    Expired(Expired),
    /// The wallet is not on Base, or its session does not include Base.
    #[error("the wallet gives no account on chain 8453")]
    WrongChain,
    /// The wallet does not let this app ask for transactions.
    #[error("the wallet does not take eth_sendTransaction")]
    CannotSend,
    /// The account is not one of the session's, or the wallet does not know it any more.
    #[error("{account} is not an account of this session")]
    UnknownAccount {
        /// The account that was to pay.
        account: EthAddress,
    },
    /// The wallet has ended the session, or does not know it.
    #[error("the wallet has ended the session")]
    PeerGone,
    /// This app has ended the session.
    #[error("the session was ended here")]
    Ended,
    /// No connection to the relay before the deadline. A request may have reached the wallet all the same.
    #[error("the relay cannot be reached: {reason}")]
    RelayUnreachable {
        /// What was met last, without any address.
        reason: String,
    },
    /// The relay does not take this project.
    #[error("the relay refuses this project: {reason}")]
    RelayRefused {
        /// What it answered, without any address.
        reason: String,
    },
    /// The wallet answered with something that is not a transaction hash.
    #[error("the wallet answered something that is not a transaction hash")]
    NotAHash,
    /// The wallet refused or failed for a reason of its own.
    #[error("the wallet failed with code {code}: {said}")]
    WalletFailed {
        /// Its code.
        code: i64,
        /// What it said, cut and cleaned; never to be acted upon.
        said: String,
    },
    /// No answer in time. The person may still say yes until the request is over its time, so only the chain knows.
    #[error("the wallet did not answer in time")]
    Timeout,
    /// The wallet does not keep to the protocol.
    #[error("the wallet does not keep to the protocol: {0}")]
    Protocol(&'static str),
    /// A saved session or request cannot be read.
    #[error("what was saved cannot be read")]
    NotASaved,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Characters of a wallet's own words that are kept.
const SAID_CHARS_MAX: usize = 120;

/// Makes an error of a wallet's code. Codes are those of the protocol's list and of EIP-1193; its words decide nothing.
pub(super) fn wallet_error(code: i64, said: &str, account: Option<EthAddress>) -> ConnectError {
    match code {
        4001 | 5000 | 5002 | 5003 => ConnectError::Rejected,
        8000 => ConnectError::Expired(Expired::Request),
        3005 | 4901 | 4902 | 5001 | 5100 => ConnectError::WrongChain,
        3001 | 4200 | 5101 => ConnectError::CannotSend,
        4900 | 6000 | 7001 => ConnectError::PeerGone,
        4100 | 5103 => account.map_or(ConnectError::Rejected, |account| ConnectError::UnknownAccount { account }),
        _ => ConnectError::WalletFailed { code, said: cleaned(said) },
    }
}

/// Another side's words, fit to be shown in one line.
pub(super) fn cleaned(said: &str) -> String {
    let kept: String = said.chars().filter(|c| c.is_alphanumeric() || " .,:;-_+&()'/#".contains(*c)).take(SAID_CHARS_MAX).collect();
    kept.trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_meaning_and_the_words_have_none() {
        let account = EthAddress::from_bytes([7; 20]);
        let of = |code| wallet_error(code, "user rejected", Some(account));
        assert_eq!(of(5000), ConnectError::Rejected);
        assert_eq!(of(4001), ConnectError::Rejected);
        assert_eq!(of(8000), ConnectError::Expired(Expired::Request));
        assert_eq!(of(4902), ConnectError::WrongChain);
        assert_eq!(of(3001), ConnectError::CannotSend);
        assert_eq!(of(7001), ConnectError::PeerGone);
        assert_eq!(of(4100), ConnectError::UnknownAccount { account });
        assert_eq!(of(-32000), ConnectError::WalletFailed { code: -32000, said: "user rejected".into() });
    }

    #[test]
    fn what_a_wallet_says_cannot_draw_lines() {
        assert_eq!(cleaned("no\u{202e}\n<b>funds</b>"), "nobfunds/b");
        assert_eq!(cleaned(&"x".repeat(5000)).len(), SAID_CHARS_MAX);
    }
}
