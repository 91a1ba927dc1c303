//! A second reading of `docs/rate-card.md`, in fractions of whole numbers of any size: slow, simple, and without a line of the engine's.
//!
//! It takes a card's fields, a run and its terms as they are written, and never asks the engine which rate holds.

use aispace_pricing::{
    AUDIO, AudioRule, Bounds, CardFile, Condition, Discount, Meter, Model, Price, RESOLUTION, Rate, RateUnit, Run, Switch, Terms,
};
use aispace_units::{Exact, Rounding};
use chrono::Timelike;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use std::cell::Cell;

/// Why there is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NoPrice,
    InstantNeeded,
    Impossible,
}

/// What a run costs.
#[derive(Debug)]
pub struct Answer {
    /// In the unit of account: one a meter in the order of meters, then the extras.
    pub charges: Vec<BigRational>,
    /// One run's cost after each factor.
    pub factors: Vec<BigRational>,
    pub total: BigRational,
    pub posted: BigRational,
}

/// The fraction that a decimal is.
pub fn fraction(number: Exact) -> BigRational {
    BigRational::new(number.mantissa().into(), BigInt::from(10).pow(number.scale()))
}

/// Prices a run.
pub fn price(card: &CardFile, run: &Run, terms: &Terms) -> Result<Answer, Refusal> {
    Reader::new(card, run, terms).answer()
}

/// Whether any step on the way needs more than 38 digits.
pub fn needs_more_digits(card: &CardFile, run: &Run, terms: &Terms) -> bool {
    let reader = Reader { widest: Some(Cell::new(0)), ..Reader::new(card, run, terms) };
    let _ = reader.answer();
    reader.widest.is_some_and(|digits| digits.get() > 38)
}

struct Reader<'a> {
    card: &'a CardFile,
    model: &'a Model,
    run: &'a Run,
    terms: &'a Terms,
    // The most digits of any step, where somebody asks.
    widest: Option<Cell<usize>>,
}

impl<'a> Reader<'a> {
    fn new(card: &'a CardFile, run: &'a Run, terms: &'a Terms) -> Self {
        let model = card.models.iter().find(|m| m.id == run.model_id).expect("a model of the card");
        Self { card, model, run, terms, widest: None }
    }

    fn answer(&self) -> Result<Answer, Refusal> {
        let factors = self.factors()?;
        let (mut charges, mut total) = (Vec::new(), BigRational::zero());
        for (meter, _) in self.run.usage.iter() {
            let charge = self.charge(meter)?;
            total = self.plus(&total, &charge);
            charges.push(charge);
        }
        for extra in &self.run.extras {
            total = self.plus(&total, &fraction(extra.amount));
            charges.push(fraction(extra.amount));
        }
        let mut after = Vec::new();
        for factor in factors {
            total = self.times(&total, &factor);
            after.push(total.clone());
        }
        total = self.times(&total, &BigRational::from_integer(self.run.runs.into()));
        Ok(Answer { charges, factors: after, posted: self.posted(&total), total })
    }

    /// Fields, then the channel, then the user.
    fn factors(&self) -> Result<Vec<BigRational>, Refusal> {
        let mut factors = Vec::new();
        for field in self.card.fields.iter().filter(|f| f.models.iter().any(|pattern| stands_for(pattern, &self.model.id))) {
            let value = self.run.fields.get(&field.field).unwrap_or(&field.default);
            factors.push(fraction(*field.values.get(value).ok_or(Refusal::Impossible)?));
        }
        let mut channel_id = None;
        match &self.terms.channel {
            Discount::Given(factor) => factors.push(fraction(*factor)),
            Discount::Recharged(_) => return Err(Refusal::Impossible),
            Discount::Default | Discount::Named(_) => channel_id = self.channel_id()?,
        }
        let level = self.level()?;
        if let (Some(id), Some(channels)) = (channel_id, &self.card.channels) {
            let own = channels.values.iter().find(|c| c.id == id).ok_or(Refusal::Impossible)?.factor;
            factors.push(fraction(level.and_then(|l| l.channels.get(&id)).copied().unwrap_or(own)));
        }
        match &self.terms.user {
            Discount::Given(factor) => factors.push(fraction(*factor)),
            Discount::Default | Discount::Named(_) | Discount::Recharged(_) => factors.extend(level.map(|l| fraction(l.factor))),
        }
        Ok(factors)
    }

    /// The channel asked for; else the card's own; else, where that does not serve the model, the first that does.
    fn channel_id(&self) -> Result<Option<String>, Refusal> {
        let serves = |id: &String| self.model.channels.is_empty() || self.model.channels.contains(id);
        match (&self.terms.channel, &self.card.channels) {
            (Discount::Named(id), Some(_)) => {
                if serves(id) {
                    Ok(Some(id.clone()))
                } else {
                    Err(Refusal::Impossible)
                }
            }
            (Discount::Named(_), None) => Err(Refusal::Impossible),
            (_, Some(channels)) if serves(&channels.default) => Ok(Some(channels.default.clone())),
            (_, Some(_)) => Ok(self.model.channels.first().cloned()),
            (_, None) => Ok(None),
        }
    }

    fn level(&self) -> Result<Option<&aispace_pricing::UserFactor>, Refusal> {
        let Some(users) = &self.card.users else {
            let needs_list = matches!(self.terms.user, Discount::Named(_) | Discount::Recharged(_));
            return if needs_list { Err(Refusal::Impossible) } else { Ok(None) };
        };
        let by_id = |id: &String| users.values.iter().find(|u| u.id == *id).ok_or(Refusal::Impossible).map(Some);
        match &self.terms.user {
            Discount::Given(_) => Ok(None),
            Discount::Default => by_id(&users.default),
            Discount::Named(id) => by_id(id),
            Discount::Recharged(usd) => {
                let mut best: Option<&aispace_pricing::UserFactor> = None;
                for level in users.values.iter().filter(|u| u.recharged_usd_at_least.is_some_and(|least| fraction(least) <= fraction(*usd)))
                {
                    let threshold = |u: &aispace_pricing::UserFactor| u.recharged_usd_at_least.map(fraction);
                    if best.is_none_or(|b| threshold(level) >= threshold(b)) {
                        best = Some(level);
                    }
                }
                if best.is_some() { Ok(best) } else { by_id(&users.default) }
            }
        }
    }

    fn charge(&self, meter: Meter) -> Result<BigRational, Refusal> {
        let count = self.count(meter);
        if let (Some(rules), Meter::VideoSeconds) = (&self.model.video, meter) {
            self.check_clip(rules)?;
            return match self.last(self.model, &[Meter::VideoSeconds, Meter::Generations])? {
                Some(rate) if rate.meter == Meter::Generations => self.cost(self.model, rate, BigRational::one(), BigRational::zero()),
                Some(rate) => self.cost(self.model, rate, count, BigRational::zero()),
                None => self.printed(rules),
            };
        }
        let (owner, rate) = self.rate_for(meter)?;
        // Of what is included, each meter that this rate prices takes its part, in the order of meters.
        let mut before = BigRational::zero();
        for (other, _) in self.run.usage.iter().take_while(|(other, _)| *other != meter) {
            if self.rate_for(other).is_ok_and(|(_, same)| std::ptr::eq(same, rate))
                && other.parent().or(Some(other)) == meter.parent().or(Some(meter))
            {
                before += self.count(other);
            }
        }
        self.cost(owner, rate, count, before)
    }

    /// The model's own rate, else an add-on's, else that of what the meter is a part of.
    fn rate_for(&self, meter: Meter) -> Result<(&Model, &Rate), Refusal> {
        if let Some(rate) = self.last(self.model, &[meter])? {
            return Ok((self.model, rate));
        }
        let mut add_on = None;
        for candidate in self.card.add_ons.iter().filter(|a| a.meter == meter) {
            if candidate.group.is_none() || candidate.group == self.model.group {
                add_on = Some(candidate);
            }
        }
        if let Some(add_on) = add_on {
            let owner = self.card.models.iter().find(|m| m.id == add_on.rates_of).expect("a checked card");
            if let Some(rate) = self.last(owner, &[meter])? {
                return Ok((owner, rate));
            }
        }
        if let Some(whole) = meter.parent()
            && let Some(rate) = self.last(self.model, &[whole])?
        {
            return Ok((self.model, rate));
        }
        Err(Refusal::NoPrice)
    }

    /// Rate × (count - included) ÷ per, rounded where the card says so, in the unit of account.
    fn cost(&self, owner: &Model, rate: &Rate, count: BigRational, before: BigRational) -> Result<BigRational, Refusal> {
        let included = BigRational::from_integer(rate.included.into());
        let free = (included - before).max(BigRational::zero());
        let quantity = if free.is_zero() { count } else { self.minus(&count, &free) };
        let (amount, unit, per) = match rate.price {
            Price::Amount { amount, unit, per } => (fraction(amount), unit, per),
            Price::Times { times, of } => match self.last(owner, &[of])?.ok_or(Refusal::NoPrice)?.price {
                Price::Amount { amount, unit, per } => (self.times(&fraction(amount), &fraction(times)), unit, per),
                Price::Times { .. } => panic!("a multiple of a multiple"),
            },
        };
        let mut cost = self.times(&amount, &quantity) / BigRational::from_integer(per.count().into());
        if let Some(rounding) = self.card.rounding.iter().find(|r| r.meter == rate.meter) {
            let unit = BigRational::new(BigInt::one(), BigInt::from(10).pow(rounding.decimals));
            cost = rounded(&cost, &unit, rounding.rule);
        }
        Ok(match unit {
            RateUnit::Credits => cost,
            RateUnit::Usd => self.times(&cost, &fraction(self.card.unit.per_usd)),
        })
    }

    fn check_clip(&self, rules: &aispace_pricing::VideoRules) -> Result<(), Refusal> {
        let seconds = rules.seconds.iter().any(|s| self.count(Meter::VideoSeconds) == BigRational::from_integer((*s).into()));
        let resolution = self.run.options.get(RESOLUTION).is_none_or(|r| rules.resolutions.contains(r));
        let audio = match (rules.audio, self.option(AUDIO)) {
            (AudioRule::Always, Some(audio)) => audio == "on",
            (AudioRule::Never, Some(audio)) => audio == "off",
            (AudioRule::Choice, _) | (_, None) => true,
        };
        if seconds && resolution && audio { Ok(()) } else { Err(Refusal::Impossible) }
    }

    fn printed(&self, rules: &aispace_pricing::VideoRules) -> Result<BigRational, Refusal> {
        let clip = rules.printed.as_ref().ok_or(Refusal::NoPrice)?;
        let length = self.count(Meter::VideoSeconds) == BigRational::from_integer(clip.seconds.into());
        let resolution = clip.resolutions.is_empty() || clip.resolutions.iter().any(|r| self.option(RESOLUTION) == Some(r));
        let sound = self.sound() == Some(Switch::from_bool(clip.audio));
        if length && resolution && sound { Ok(fraction(clip.credits)) } else { Err(Refusal::NoPrice) }
    }

    fn count(&self, meter: Meter) -> BigRational {
        BigRational::new(self.run.usage.get(meter).into(), BigInt::from(10).pow(meter.places()))
    }

    fn option(&self, name: &str) -> Option<&str> {
        let own = |model: &'a Model| model.options.get(name).and_then(|o| o.default.as_ref()).or_else(|| model.base.options.get(name));
        self.run.options.get(name).or_else(|| own(self.model)).map(String::as_str)
    }

    /// The sound asked for, else the model's own, else none if a clip may be without.
    fn sound(&self) -> Option<Switch> {
        match (self.option(AUDIO), self.model.video.as_ref().map(|v| v.audio)) {
            (Some(word), _) => word.parse().ok(),
            (None, Some(AudioRule::Always)) => Some(Switch::On),
            (None, Some(AudioRule::Never | AudioRule::Choice)) => Some(Switch::Off),
            (None, None) => None,
        }
    }

    /// The last rate of some meters that holds.
    fn last<'m>(&self, model: &'m Model, meters: &[Meter]) -> Result<Option<&'m Rate>, Refusal> {
        let mut last = Ok(None);
        for rate in model.rates.iter().filter(|r| meters.contains(&r.meter)) {
            match rate.when.as_deref() {
                None => last = Ok(Some(rate)),
                Some(when) if !self.fits(when) => {}
                Some(when) if !is_timed(when) => last = Ok(Some(rate)),
                Some(when) => match self.terms.at {
                    Some(at) if is_at(when, at) => last = Ok(Some(rate)),
                    Some(_) => {}
                    None => last = Err(Refusal::InstantNeeded),
                },
            }
        }
        last
    }

    /// Whether all of a condition but its time holds.
    fn fits(&self, when: &Condition) -> bool {
        let prompt: BigRational =
            Meter::ALL.iter().filter(|m| **m == Meter::InputTokens || m.parent() == Some(Meter::InputTokens)).map(|m| self.count(*m)).sum();
        let seconds = self.count(Meter::VideoSeconds).max(self.count(Meter::AudioSeconds));
        when.prompt_tokens.is_none_or(|b| within(b, &prompt))
            && when.seconds.is_none_or(|b| within(b, &seconds))
            && when.tier.is_none_or_same(self.run.tier.as_deref())
            && when.resolution.is_none_or_same(self.option(RESOLUTION))
            && when.audio.is_none_or(|audio| self.sound() == Some(audio))
            && when.options.iter().all(|(name, value)| self.option(name) == Some(value))
    }

    fn posted(&self, cost: &BigRational) -> BigRational {
        let posting = self.card.posting;
        let unit = match (posting.step, posting.decimals) {
            (Some(step), _) => fraction(step),
            (None, decimals) => BigRational::new(BigInt::one(), BigInt::from(10).pow(decimals.unwrap_or(0))),
        };
        self.seen(&[cost, &unit]);
        let posted = rounded(cost, &unit, posting.rule);
        match posting.minimum.map(fraction) {
            Some(least) if !cost.is_zero() && posted < least => least,
            Some(_) | None => posted,
        }
    }

    fn times(&self, a: &BigRational, b: &BigRational) -> BigRational {
        if let Some(widest) = &self.widest {
            let digits = (mantissa(a, scale(a)) * mantissa(b, scale(b))).to_string().len();
            widest.set(widest.get().max(digits));
        }
        a * b
    }

    fn plus(&self, a: &BigRational, b: &BigRational) -> BigRational {
        let sum = a + b;
        self.seen(&[a, b, &sum]);
        sum
    }

    /// What is left, or nothing.
    fn minus(&self, a: &BigRational, b: &BigRational) -> BigRational {
        self.seen(&[a, b]);
        (a - b).max(BigRational::zero())
    }

    /// Takes note of how many digits these have when they are written one below the other.
    fn seen(&self, numbers: &[&BigRational]) {
        if let Some(widest) = &self.widest {
            let scale = numbers.iter().map(|n| scale(n)).max().unwrap_or(0);
            let digits = numbers.iter().map(|n| mantissa(n, scale).to_string().len()).max().unwrap_or(0);
            widest.set(widest.get().max(digits));
        }
    }
}

trait Asked {
    fn is_none_or_same(&self, given: Option<&str>) -> bool;
}

impl Asked for Option<String> {
    fn is_none_or_same(&self, given: Option<&str>) -> bool {
        self.is_none() || self.as_deref() == given
    }
}

fn stands_for(pattern: &str, id: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    match parts.as_slice() {
        ["", middle, ""] => id.contains(middle),
        ["", end] => id.ends_with(end),
        [start, ""] => id.starts_with(start),
        _ => id == pattern,
    }
}

fn within(bounds: Bounds, count: &BigRational) -> bool {
    let whole = |bound: u64| BigRational::from_integer(bound.into());
    !(bounds.over.is_some_and(|b| *count <= whole(b))
        || bounds.at_least.is_some_and(|b| *count < whole(b))
        || bounds.under.is_some_and(|b| *count >= whole(b))
        || bounds.at_most.is_some_and(|b| *count > whole(b)))
}

fn is_timed(when: &Condition) -> bool {
    when.from.is_some() || when.until.is_some() || when.daily.is_some() || !when.weekdays.is_empty()
}

/// In milliseconds since 1970, which began on a Thursday.
fn is_at(when: &Condition, at: chrono::DateTime<chrono::Utc>) -> bool {
    const DAY: i64 = 86_400_000;
    let now = at.timestamp_millis();
    let time = now.rem_euclid(DAY);
    let weekday =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::try_from((now.div_euclid(DAY) + 3).rem_euclid(7)).expect("0 to 6")];
    let in_window = when.daily.is_none_or(|daily| {
        let [from, until] = [daily.from, daily.until].map(|t| i64::from(t.num_seconds_from_midnight()) * 1_000);
        if from <= until { from <= time && time < until } else { !(until <= time && time < from) }
    });
    when.from.is_none_or(|from| from.timestamp_millis() <= now)
        && when.until.is_none_or(|until| now < until.timestamp_millis())
        && in_window
        && (when.weekdays.is_empty() || when.weekdays.iter().any(|day| day.as_str() == weekday))
}

/// To a multiple of `unit`.
pub fn rounded(number: &BigRational, unit: &BigRational, rule: Rounding) -> BigRational {
    let units = number / unit;
    let (down, half) = (units.floor(), BigRational::new(1.into(), 2.into()));
    let left = &units - &down;
    let up = match rule {
        Rounding::Down => false,
        Rounding::Up => left.is_positive(),
        Rounding::HalfUp => left >= half,
        Rounding::HalfEven => left > half || (left == half && (down.to_integer() % BigInt::from(2)) != BigInt::zero()),
    };
    (if up { down + BigRational::one() } else { down }) * unit
}

/// The decimals of a number that has finitely many.
fn scale(number: &BigRational) -> u32 {
    let (mut left, mut scale) = (number.denom().clone(), 0);
    let ten = BigInt::from(10);
    while !left.is_one() {
        left = &left / common_divisor(&left, &ten);
        scale += 1;
    }
    scale
}

fn common_divisor(a: &BigInt, b: &BigInt) -> BigInt {
    let (mut a, mut b) = (a.clone(), b.clone());
    while !b.is_zero() {
        (a, b) = (b.clone(), a % b);
    }
    a
}

fn mantissa(number: &BigRational, scale: u32) -> BigInt {
    (number * BigRational::from_integer(BigInt::from(10).pow(scale))).to_integer()
}
