//! A caller with an account, beside the naive model of it.

use super::machine::{Answered, Asked};
use super::naive::{Call, DAY, Model, Name, Reason, midnight_after};
use aispace_chaos::Dice;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// 2027-01-15, 08:00:00 UTC.
pub(super) const START: i64 = 1_800_000_000_000;

/// A call under its idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keyed {
    pub(super) key: u64,
    pub(super) call: Call,
    /// When it was last made.
    pub(super) now: i64,
}

pub(super) struct Caller {
    pub(super) account: String,
    pub(super) secure_key: String,
    pub(super) model: Model,
    /// Calls that nobody knows the outcome of yet: they are made again.
    pub(super) open: Vec<Keyed>,
    /// What was answered, by key: a repetition must answer it again.
    answered: BTreeMap<u64, (Keyed, Answered)>,
    /// Entries that were answered: sequence and id.
    pub(super) entries: BTreeMap<i64, String>,
    batches: BTreeMap<u8, String>,
    pub(super) holds: BTreeMap<u8, String>,
    /// The entries of the charges, in the order they were made.
    pub(super) charges: Vec<u64>,
    now: i64,
    fresh: u8,
    next_key: u64,
}

impl Caller {
    pub(super) fn new(account: String, secure_key: String, dice: &mut Dice) -> Self {
        let now = START + number(dice.below(DAY.unsigned_abs()));
        Self {
            account,
            secure_key,
            model: Model::open(),
            open: Vec::new(),
            answered: BTreeMap::new(),
            entries: BTreeMap::new(),
            batches: BTreeMap::new(),
            holds: BTreeMap::new(),
            charges: Vec::new(),
            now,
            fresh: 0,
            next_key: 0,
        }
    }

    /// Enough was asked of it: the naive model gets slow.
    pub(super) fn is_done(&self) -> bool {
        self.next_key > 70 && self.open.is_empty()
    }

    /// A new call, made up beside the model, so that it meets its boundaries and its ids.
    pub(super) fn make_up(&mut self, dice: &mut Dice) -> Keyed {
        self.now = self.instant(dice);
        let call = if self.next_key == 0 { self.grant(dice) } else { self.any(dice) };
        self.next_key += 1;
        Keyed { key: self.next_key, call, now: self.now }
    }

    /// A call that was answered, once more.
    pub(super) fn repeated(&self, dice: &mut Dice) -> Option<Keyed> {
        let known: Vec<&Keyed> = self.answered.values().map(|(keyed, _)| keyed).collect();
        dice.of(&known).map(|keyed| Keyed { now: self.now, ..**keyed })
    }

    fn instant(&self, dice: &mut Dice) -> i64 {
        let now = self.now;
        match dice.below(100) {
            0..50 => now + number(dice.below(3)),
            50..60 => now + number(dice.below(2 * 3_600_000)),
            60..85 => {
                let ahead = self.model.instants().into_iter().filter(|i| *i > now && *i < now + 40 * DAY).min();
                ahead.unwrap_or_else(|| midnight_after(now)) + number(dice.below(3)) - 1
            }
            85..92 => midnight_after(now) + number(dice.below(3)) - 1,
            92..94 => midnight_after(now) + number(dice.below(5)) * DAY,
            // A clock that is set back.
            _ => now - number(dice.below(DAY.unsigned_abs())),
        }
    }

    fn end(&self, dice: &mut Dice) -> Option<i64> {
        match dice.below(10) {
            0..5 => None,
            5..7 => Some(self.now + 1 + number(dice.below(8))),
            7..9 => Some(self.now + number(dice.below(4 * 3_600_000))),
            _ => Some(midnight_after(self.now)),
        }
    }

    fn amount(&self, dice: &mut Dice) -> usize {
        let available = self.model.available();
        match dice.below(10) {
            0 => 0,
            1 => available + dice.index(2),
            _ => dice.index(6).min(available),
        }
    }

    fn fresh(&mut self) -> u8 {
        self.fresh = self.fresh.saturating_add(1);
        self.fresh
    }

    fn grant(&mut self, dice: &mut Dice) -> Call {
        let amount = if dice.percent(4) { 0 } else { 1 + dice.index(8) };
        Call::Grant { id: self.fresh(), amount, expires: self.end(dice) }
    }

    fn any(&mut self, dice: &mut Dice) -> Call {
        let pending: Vec<u8> = self.model.pending_holds().iter().map(|h| h.0).collect();
        let some_hold = |dice: &mut Dice, model: &Model| {
            let pending = if dice.percent(85) { dice.of(&pending).copied() } else { None };
            pending.or_else(|| dice.of(&model.hold_ids()).copied()).unwrap_or(250)
        };
        match dice.below(100) {
            0..22 => self.grant(dice),
            22..40 => Call::Debit { amount: self.amount(dice) },
            40..58 => Call::Hold { id: self.fresh(), amount: self.amount(dice), expires: self.end(dice) },
            58..74 => {
                let beyond = if dice.percent(20) { self.model.available() + self.model.held() } else { 0 };
                Call::Settle { id: some_hold(dice, &self.model), amount: beyond + dice.index(6) }
            }
            74..80 => Call::Release { id: some_hold(dice, &self.model) },
            80..85 => Call::Void { batch: dice.of(&self.model.batches).map_or(Name::Given(250), |batch| batch.name) },
            85..96 => {
                // One that is unknown stays so, whatever is charged before its turn comes.
                let known = self.model.charges > 0 && dice.percent(93);
                let charge = if known { dice.index(self.model.charges) } else { 10_000 };
                let refundable = if known { self.model.refundable(charge) } else { 0 };
                Call::Refund { charge, amount: dice.index(refundable + 2) }
            }
            _ => Call::Allow { amount: dice.index(4) },
        }
    }

    /// The call as HTTP has it. What nobody has an id of gets one that nobody has.
    pub(super) fn asked(&self, keyed: &Keyed) -> Asked {
        let hold = |id: u8| self.holds.get(&id).cloned().unwrap_or_else(|| "ho_none".into());
        let (method, path, more) = match keyed.call {
            Call::Grant { amount, expires, .. } => {
                ("POST", "/v1/grants".into(), json!({"credits": credits(amount), "expires": instant(expires)}))
            }
            Call::Debit { amount } => ("POST", "/v1/debits".into(), json!({"credits": credits(amount)})),
            Call::Hold { amount, expires, .. } => {
                ("POST", "/v1/holds".into(), json!({"credits": credits(amount), "expires": instant(expires)}))
            }
            Call::Settle { id, amount } => ("POST", format!("/v1/holds/{}/settle", hold(id)), json!({"credits": credits(amount)})),
            Call::Release { id } => ("POST", format!("/v1/holds/{}/release", hold(id)), json!({})),
            Call::Void { batch } => ("POST", format!("/v1/batches/{}/void", self.batch(batch)), json!({})),
            Call::Refund { charge, amount } => {
                let sequence = self.charges.get(charge).copied().unwrap_or(1_000_000);
                ("POST", "/v1/refunds".into(), json!({"sequence": sequence, "credits": credits(amount)}))
            }
            Call::Allow { amount } => ("PUT", format!("/v1/accounts/{}/allowance", self.account), json!({"credits": credits(amount)})),
        };
        let mut body = more;
        if !matches!(keyed.call, Call::Allow { .. }) {
            body["account_id"] = json!(self.account);
        }
        Asked { method, path, body: Some(body), key: Some(format!("key-{}", keyed.key)), bearer: None, now: keyed.now }
    }

    pub(super) fn batch(&self, name: Name) -> String {
        match name {
            Name::Given(id) => self.batches.get(&id).cloned().unwrap_or_else(|| "ba_none".into()),
            Name::Day(day) => {
                let day = DateTime::from_timestamp_millis(day * DAY).expect("a day");
                day.format("renewal-%Y-%m-%d").to_string()
            }
        }
    }

    /// Takes in an answer that is final: the first one of its key moves the model, a later one must be the same.
    pub(super) fn take_in(&mut self, keyed: &Keyed, answer: &Answered) -> Result<(), String> {
        if let Some((_, first)) = self.answered.get(&keyed.key) {
            return equal(&format!("{keyed:?} repeated"), answer, first);
        }
        let wrong = |why: String| format!("{keyed:?} is answered {} {}: {why}", answer.status, answer.body);
        let body: Value = serde_json::from_str(&answer.body).map_err(|e| wrong(e.to_string()))?;
        match self.model.call(keyed.now, &keyed.call) {
            Err(reasons) => {
                let code = body["code"].as_str().unwrap_or_default();
                let known = reasons.iter().any(|reason| code_of(*reason) == code);
                // A refusal does not take the key.
                if known && answer.status >= 400 { Ok(()) } else { Err(wrong(format!("the model refuses it: {reasons:?}"))) }
            }
            Ok(_) if answer.status >= 300 => Err(wrong("the model posts it".into())),
            Ok(model) => {
                self.post(keyed, model, &body).map_err(wrong)?;
                self.answered.insert(keyed.key, (*keyed, answer.clone()));
                Ok(())
            }
        }
    }

    /// Moves the model by a call that is there although nobody was told; its ids are learnt when it is made again.
    pub(super) fn posted_unseen(&mut self, keyed: &Keyed) -> Result<(), String> {
        self.model = self.model.call(keyed.now, &keyed.call).map_err(|why| format!("{keyed:?} is there, the model refuses it: {why:?}"))?;
        Ok(())
    }

    /// The answer to a call that was posted unseen and is made again.
    pub(super) fn learn(&mut self, keyed: &Keyed, answer: &Answered) -> Result<(), String> {
        let wrong = |why: String| format!("{keyed:?} was posted and is answered {} {}: {why}", answer.status, answer.body);
        let body: Value = serde_json::from_str(&answer.body).map_err(|e| wrong(e.to_string()))?;
        if answer.status >= 300 {
            return Err(wrong("it is refused".into()));
        }
        self.note_ids(keyed, &body).map_err(wrong)?;
        self.answered.insert(keyed.key, (*keyed, answer.clone()));
        Ok(())
    }

    fn post(&mut self, keyed: &Keyed, model: Model, body: &Value) -> Result<(), String> {
        self.model = model;
        for (field, wanted) in
            [("available_credits", self.model.available()), ("held_credits", self.model.held()), ("debt_credits", self.model.debt())]
        {
            equal(field, nanos(&body[field])?, wanted)?;
        }
        self.note_ids(keyed, body)
    }

    fn note_ids(&mut self, keyed: &Keyed, body: &Value) -> Result<(), String> {
        let text = |field: &str| body[field].as_str().map(str::to_owned).ok_or_else(|| format!("there is no {field}"));
        let sequence = body["sequence"].as_u64().ok_or("there is no sequence")?;
        match keyed.call {
            Call::Grant { id, .. } => drop(self.batches.insert(id, text("batch_id")?)),
            Call::Hold { id, .. } => drop(self.holds.insert(id, text("hold_id")?)),
            Call::Debit { .. } | Call::Settle { .. } => self.charges.push(sequence),
            Call::Release { .. } | Call::Void { .. } | Call::Refund { .. } | Call::Allow { .. } => {}
        }
        let doubled = self.entries.insert(i64::try_from(sequence).map_err(|e| e.to_string())?, text("entry_id")?);
        doubled.map_or(Ok(()), |other| Err(format!("entry {sequence} was answered before, as {other}")))
    }

    /// What the account must show at an instant.
    pub(super) fn agrees(&self, answer: &Answered, now: i64) -> Result<(), String> {
        let mut model = self.model.clone();
        model.pass(now.max(model.clock));
        let seen: Value = serde_json::from_str(&answer.body).map_err(|e| format!("{e}: {answer:?}"))?;
        let wrong = |why: String| format!("{why} at {now}: {}", answer.body);
        for (field, wanted) in [("available_credits", model.available()), ("held_credits", model.held()), ("debt_credits", model.debt())] {
            nanos(&seen[field]).and_then(|found| equal(field, found, wanted)).map_err(wrong)?;
        }
        let holds = seen["holds"].as_array().map_or(0, Vec::len);
        equal("pending holds", holds, model.pending_holds().len()).map_err(wrong)?;
        let allowance = seen["allowance_credits_per_day"].as_str().map(|_| nanos(&seen["allowance_credits_per_day"])).transpose()?;
        equal("the allowance", allowance, model.allowance.map(|(amount, _)| amount)).map_err(wrong)
    }

    pub(super) fn is_answered(&self, key: u64) -> bool {
        self.answered.contains_key(&key)
    }

    /// The keys that must be kept.
    pub(super) fn answered_keys(&self) -> BTreeSet<u64> {
        self.answered.keys().copied().collect()
    }

    pub(super) fn now(&self) -> i64 {
        self.now
    }
}

pub(super) fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: the service says {found:?}, the model says {wanted:?}")) }
}

fn number(drawn: u64) -> i64 {
    i64::try_from(drawn).unwrap_or(i64::MAX)
}

fn credits(nanos: usize) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

pub(super) fn nanos(amount: &Value) -> Result<usize, String> {
    let text = amount.as_str().ok_or_else(|| format!("{amount} is no amount"))?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<9}").parse().map_err(|e| format!("{text}: {e}"))
}

fn instant(at: Option<i64>) -> Option<String> {
    at.and_then(DateTime::from_timestamp_millis).map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn code_of(reason: Reason) -> &'static str {
    match reason {
        Reason::Insufficient => "insufficient_credits",
        Reason::InvalidAmount => "invalid_amount",
        Reason::InvalidExpiry => "invalid_expiry",
        Reason::UnknownBatch => "unknown_batch",
        Reason::BatchClosed => "batch_closed",
        Reason::UnknownHold => "unknown_hold",
        Reason::HoldClosed => "hold_closed",
        Reason::HoldExpired => "hold_expired",
        Reason::UnknownEntry => "unknown_entry",
        Reason::RefundExceeds => "refund_exceeds",
        // The service makes the ids itself.
        Reason::DuplicateBatch | Reason::DuplicateHold => "",
    }
}
