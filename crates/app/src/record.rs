//! What the app keeps about a payment and about an account.

use crate::view::{Finality, PayWay, PaymentRemark, PaymentState, ReminderMark};
use aispace_api::{AccountAnswer, QuoteAnswer, UsageEntry};
use aispace_payments::walletconnect::AskedPayment;
use aispace_units::{EthUsdPrice, NanoCredits, Usd, Wei};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The account as last read from the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownAccount {
    /// What the service said.
    pub(crate) answer: AccountAnswer,
    /// The newest entries, newest first.
    pub(crate) usage: Vec<UsageEntry>,
    /// How far the service's clock is ahead of ours, in milliseconds.
    pub(crate) clock_offset_ms: i64,
}

/// What was said of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenMark {
    /// The nearest mark to its end that was said.
    pub(crate) mark: ReminderMark,
    pub(crate) expires: DateTime<Utc>,
}

/// The reminders that were given. Kept before each is given: whatever happens then, it does not come twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub(crate) struct Given {
    pub(crate) version: u32,
    /// By account, then by batch.
    pub(crate) marks: BTreeMap<String, BTreeMap<String, GivenMark>>,
    /// Orders whose credit was said.
    pub(crate) credited: BTreeSet<String>,
    /// Accounts of which it was said that the balance is low, and whether it still is.
    #[serde(default)]
    pub(crate) lows: BTreeMap<String, GivenLow>,
    /// The first version knew of one account: whether that was said of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) low: bool,
    /// And when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) low_at: Option<DateTime<Utc>>,
}

/// That a low balance was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenLow {
    /// Whether the balance has not been higher since.
    pub(crate) holds: bool,
    /// When it was said last.
    pub(crate) at: DateTime<Utc>,
}

impl Given {
    /// What the first version said of the one account it knew, as said of the one that shows.
    pub(crate) fn upgraded(mut self, account: Option<&str>) -> Self {
        if let (Some(account), Some(at)) = (account, self.low_at.take()) {
            self.lows.entry(account.to_owned()).or_insert(GivenLow { holds: self.low, at });
        }
        Self { version: 2, low: false, ..self }
    }

    /// Takes note of an account whose balance is low no more.
    pub(crate) fn no_longer_low(&mut self, account: &str) {
        if let Some(low) = self.lows.get_mut(account) {
            low.holds = false;
        }
    }

    pub(crate) fn mark(&self, account: &str, batch: &str) -> Option<&GivenMark> {
        self.marks.get(account)?.get(batch)
    }

    pub(crate) fn keep_mark(&mut self, account: &str, batch: &str, mark: GivenMark) {
        self.marks.entry(account.to_owned()).or_default().insert(batch.to_owned(), mark);
    }

    /// Forgets what was said of batches that ended well before an instant that the service named: they never come back.
    pub(crate) fn forget_ended(&mut self, account: &str, server_time: DateTime<Utc>) {
        if let Some(marks) = self.marks.get_mut(account) {
            marks.retain(|_, given| given.expires + TimeDelta::days(1) > server_time);
        }
    }
}

/// What a transaction was sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptKind {
    /// To pay.
    Pay,
    /// To pay, with a higher fee in the place of an earlier one.
    SpeedUp,
    /// To take the place of an earlier one and pay nothing.
    Cancel,
    /// Named by a wallet or a person for this payment; the chain says that it is something else.
    Foreign,
}

/// A transaction of a payment. All of one payment's own have the same nonce, so at most one is ever mined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// Its hash, 0x and 64 hex digits.
    pub(crate) hash: String,
    /// The signed bytes, hex, of the app's own: the same may be sent again, others may not.
    #[serde(default)]
    pub(crate) raw: Option<String>,
    pub(crate) kind: AttemptKind,
    /// When it was signed or named.
    pub(crate) made: Option<DateTime<Utc>>,
}

/// The price that was promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuoteSnapshot {
    pub(crate) usd_per_eth: EthUsdPrice,
    /// Sources in its median.
    pub(crate) sources: Vec<String>,
    pub(crate) quoted: DateTime<Utc>,
    pub(crate) expires: DateTime<Utc>,
}

impl QuoteSnapshot {
    pub(crate) fn of(quote: &QuoteAnswer) -> Self {
        let sources = quote.sources.iter().filter(|s| s.used).map(|s| s.name.clone()).collect();
        Self { usd_per_eth: quote.usd_per_eth, sources, quoted: quote.quoted, expires: quote.expires }
    }
}

/// The batch that a payment made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaidBatch {
    pub(crate) id: Option<String>,
    pub(crate) expires: DateTime<Utc>,
}

/// A payment from the moment it was signed, or an outside wallet asked. Holds no secret: signed bytes become public when they
/// are sent.
///
/// The first version had `raw` and one hash, and knew the app's own wallet only; [`PaymentRecord::upgraded`] reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaymentRecord {
    pub(crate) order_id: String,
    pub(crate) state: PaymentState,
    pub(crate) usd: Usd,
    /// Ordered, then credited.
    pub(crate) credits: NanoCredits,
    /// What was asked for: for a link the amount that no other order has.
    pub(crate) value_wei: Wei,
    pub(crate) fee_wei: Option<Wei>,
    #[serde(default = "spending_wallet")]
    pub(crate) way: PayWay,
    /// What the outside wallet calls itself.
    #[serde(default)]
    pub(crate) wallet_name: Option<String>,
    /// The payer, once known.
    #[serde(default)]
    pub(crate) from: Option<String>,
    /// Its nonce, once known.
    #[serde(default)]
    pub(crate) nonce: Option<u64>,
    /// The transaction that counts: mined, or the newest.
    #[serde(default)]
    pub(crate) transaction_hash: Option<String>,
    /// The first version's signed bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<String>,
    /// Oldest first.
    #[serde(default)]
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) block_number: Option<u64>,
    #[serde(default)]
    pub(crate) block_time: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(crate) gas_used: Option<u64>,
    /// What arrived, by the service's count.
    #[serde(default)]
    pub(crate) paid_wei: Option<Wei>,
    /// The order's tag, 64 hex digits.
    #[serde(default)]
    pub(crate) tag: Option<String>,
    #[serde(default)]
    pub(crate) quote: Option<QuoteSnapshot>,
    #[serde(default)]
    pub(crate) finality: Finality,
    #[serde(default)]
    pub(crate) remarks: BTreeSet<PaymentRemark>,
    #[serde(default)]
    pub(crate) batch: Option<PaidBatch>,
    /// A transaction to the payment address that nothing but its payer's signature connects with this order.
    #[serde(default)]
    pub(crate) claimable: Option<String>,
    /// What a wallet was asked over WalletConnect: asked again with the same bytes, it shows nothing a second time.
    #[serde(default)]
    pub(crate) connect_asked: Option<AskedPayment>,
    /// Since when another transaction of the payer is known to have used its nonce.
    #[serde(default)]
    pub(crate) overtaken: Option<DateTime<Utc>>,
    /// Whether it was given up before anybody had it: nothing can ever arrive.
    #[serde(default)]
    pub(crate) never_sent: bool,
    pub(crate) top_up: bool,
    /// The service's id of the account that the credits are for, once it is known.
    #[serde(default)]
    pub(crate) account_id: Option<String>,
    /// When each state was reached.
    pub(crate) reached: BTreeMap<PaymentState, DateTime<Utc>>,
    /// When each finality was reached.
    #[serde(default)]
    pub(crate) firm: BTreeMap<Finality, DateTime<Utc>>,
    /// Whether the person has put it away.
    #[serde(default)]
    pub(crate) put_away: bool,
}

fn spending_wallet() -> PayWay {
    PayWay::SpendingWallet
}

impl PaymentRecord {
    /// Moves on to a state, once.
    pub(crate) fn reach(&mut self, state: PaymentState, at: DateTime<Utc>) {
        self.reached.entry(state).or_insert(at);
        self.state = state;
    }

    /// Becomes as firm as that; a reorganisation makes it less firm again.
    pub(crate) fn firm_up(&mut self, finality: Finality, at: DateTime<Utc>) {
        self.firm.retain(|reached, _| *reached <= finality);
        if finality != Finality::Unconfirmed {
            self.firm.entry(finality).or_insert(at);
        }
        self.finality = finality;
    }

    /// Whether the app still has something to do for it, and nothing else may be paid meanwhile.
    pub(crate) fn is_open(&self) -> bool {
        match self.state {
            PaymentState::Asked
            | PaymentState::Signed
            | PaymentState::Sent
            | PaymentState::Seen
            | PaymentState::Confirmed
            | PaymentState::Credited => true,
            PaymentState::Done
            | PaymentState::Held
            | PaymentState::Reverted
            | PaymentState::Dropped
            | PaymentState::Cancelled
            | PaymentState::Abandoned => false,
        }
    }

    /// Whether its claim secret is kept although nothing is waited for: a payment may yet arrive, and only the secret opens it.
    pub(crate) fn may_still_arrive(&self) -> bool {
        let ended = matches!(self.state, PaymentState::Held | PaymentState::Dropped | PaymentState::Cancelled | PaymentState::Abandoned);
        ended && !self.never_sent
    }

    /// When it reached the state that it is in.
    pub(crate) fn since(&self) -> Option<DateTime<Utc>> {
        self.reached.get(&self.state).copied()
    }

    /// When it began.
    pub(crate) fn created(&self) -> Option<DateTime<Utc>> {
        self.reached.values().min().copied()
    }

    /// A record of any version as one of this.
    pub(crate) fn upgraded(mut self) -> Self {
        if let (Some(raw), Some(hash)) = (self.raw.take(), &self.transaction_hash) {
            let made = self.reached.get(&PaymentState::Signed).copied();
            self.attempts.push(Attempt { hash: hash.clone(), raw: Some(raw), kind: AttemptKind::Pay, made });
            if self.state == PaymentState::Done && self.block_number.is_some() {
                self.finality = Finality::Confirmed;
            }
        }
        self
    }
}

#[cfg(test)]
impl PaymentRecord {
    /// A payment that was asked for: 25 dollars for a thousand wei, under the tag of 64 sevens.
    pub(crate) fn sample(way: PayWay) -> Self {
        serde_json::from_value(serde_json::json!({
            "order_id": "or_sample", "state": "asked", "usd": "25", "credits": "250000", "value_wei": "1000", "fee_wei": null, "way": way,
            "tag": "7".repeat(64), "block_number": null, "top_up": false, "reached": {"asked": "2026-11-20T10:00:00Z"},
        }))
        .expect("a record")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_first_version_is_read() {
        let first = r#"{"order_id":"o","state":"sent","usd":"25","credits":"250000","value_wei":"7","fee_wei":null,"from":"0xa","nonce":3,
            "transaction_hash":"0xb","raw":"02","block_number":null,"top_up":false,
            "reached":{"signed":"2026-11-20T10:00:00Z","sent":"2026-11-20T10:00:01Z"}}"#;
        let record = serde_json::from_str::<PaymentRecord>(first).unwrap().upgraded();
        assert_eq!((record.way, record.nonce, record.from.as_deref()), (PayWay::SpendingWallet, Some(3), Some("0xa")));
        let made = record.created();
        assert_eq!(record.attempts, [Attempt { hash: "0xb".into(), raw: Some("02".into()), kind: AttemptKind::Pay, made }]);
        let again: PaymentRecord = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(again.clone().upgraded(), record, "upgrading twice changes nothing");
        assert_eq!(again, record);
    }
}
