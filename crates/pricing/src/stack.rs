//! The factors on a run's cost: fields of the request, channel (group), user.

use crate::{
    Discount, QuoteError, Run, Terms,
    card::{Model, RateCard},
};
use aispace_units::{Exact, UnitError};

/// The factors that apply to a run, in the order they are applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stack {
    /// One line of the explanation each.
    pub factors: Vec<Factor>,
}

/// One factor and what chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// What kind.
    pub kind: FactorKind,
    /// What the card calls it: `Channel discount`.
    pub name: String,
    /// What was chosen: `vip`, `priority`.
    pub value: String,
    /// What the cost is multiplied by.
    pub factor: Exact,
}

crate::words::words! {
    /// Where a factor comes from.
    FactorKind {
        /// A field of the request.
        Field = "field",
        /// The channel (group).
        Channel = "channel",
        /// The user.
        User = "user",
    }
}

impl Stack {
    /// All factors together.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 38 digits.
    pub fn product(&self) -> Result<Exact, UnitError> {
        self.factors.iter().try_fold(Exact::ONE, |product, f| product.mul(f.factor))
    }
}

impl RateCard {
    /// The factors that apply to a run.
    ///
    /// # Errors
    /// [`QuoteError::Impossible`] for a field value, a channel or a user level that the card does not have, or a channel that does not serve
    /// the model.
    pub fn stack(&self, model: &Model, run: &Run, terms: &Terms) -> Result<Stack, QuoteError> {
        let mut factors = self.field_factors(model, run)?;
        let (channel, channel_id) = self.channel_factor(model, &terms.channel)?;
        let (user, replaced) = self.user_factor(model, &terms.user, channel_id.as_deref())?;
        factors.extend(channel.map(|own| Factor { factor: replaced.unwrap_or(own.factor), ..own }));
        factors.extend(user);
        Ok(Stack { factors })
    }

    fn field_factors(&self, model: &Model, run: &Run) -> Result<Vec<Factor>, QuoteError> {
        let known: Vec<_> = self.file().fields.iter().filter(|f| f.covers(&model.id)).collect();
        if let Some(given) = run.fields.keys().find(|name| !known.iter().any(|f| f.field == **name)) {
            let allowed = known.iter().map(|f| f.field.clone()).collect();
            return Err(impossible(model, "field", given, allowed));
        }
        let factor_of = |field: &&crate::FieldFactor| {
            let value = run.fields.get(&field.field).unwrap_or(&field.default);
            let factor =
                field.values.get(value).ok_or_else(|| impossible(model, &field.field, value, field.values.keys().cloned().collect()))?;
            Ok(Factor { kind: FactorKind::Field, name: field.name().to_owned(), value: value.clone(), factor: *factor })
        };
        known.iter().map(factor_of).collect()
    }

    pub(crate) fn channel_factor(&self, model: &Model, asked: &Discount) -> Result<(Option<Factor>, Option<String>), QuoteError> {
        let channels = self.file().channels.as_ref();
        let name = channels.map_or("Channel", |c| c.name.as_str());
        let id = match (asked, channels) {
            (Discount::Given(factor), _) => {
                let value = "given".to_owned();
                return Ok((Some(Factor { kind: FactorKind::Channel, name: name.to_owned(), value, factor: *factor }), None));
            }
            (Discount::Recharged(_), _) => return Err(impossible(model, "channel", "recharged", Vec::new())),
            (Discount::Named(id), _) => id,
            (Discount::Default, None) => return Ok((None, None)),
            // A model that its default channel does not serve is billed through the first that does.
            (Discount::Default, Some(channels)) => match model.channels.first() {
                Some(first) if !model.channels.contains(&channels.default) => first,
                Some(_) | None => &channels.default,
            },
        };
        let served = |id: &String| model.channels.is_empty() || model.channels.contains(id);
        let found = channels.and_then(|c| c.get(id)).filter(|c| served(&c.id)).ok_or_else(|| {
            let allowed = channels.iter().flat_map(|c| &c.values).map(|c| c.id.clone()).filter(served).collect();
            impossible(model, "channel", id, allowed)
        })?;
        let factor = Factor { kind: FactorKind::Channel, name: name.to_owned(), value: found.id.clone(), factor: found.factor };
        Ok((Some(factor), Some(found.id.clone())))
    }

    /// The user's factor, and the one that replaces the channel's for this user.
    fn user_factor(&self, model: &Model, asked: &Discount, channel: Option<&str>) -> Result<(Option<Factor>, Option<Exact>), QuoteError> {
        let users = self.file().users.as_ref();
        let name = users.map_or("User", |u| u.name.as_str()).to_owned();
        let found = match (asked, users) {
            (Discount::Given(factor), _) => {
                return Ok((Some(Factor { kind: FactorKind::User, name, value: "given".to_owned(), factor: *factor }), None));
            }
            (Discount::Default, None) => return Ok((None, None)),
            (Discount::Default, Some(users)) => users.get(&users.default),
            (Discount::Named(id), users) => users.and_then(|u| u.get(id)),
            (Discount::Recharged(usd), users) => users.and_then(|u| u.reached(*usd)),
        };
        let given = match asked {
            Discount::Named(id) => id.as_str(),
            Discount::Recharged(_) => "recharged",
            Discount::Default | Discount::Given(_) => "default",
        };
        let allowed = || users.iter().flat_map(|u| &u.values).map(|u| u.id.clone()).collect();
        let found = found.ok_or_else(|| impossible(model, "user", given, allowed()))?;
        let replaced = channel.and_then(|id| found.channels.get(id)).copied();
        Ok((Some(Factor { kind: FactorKind::User, name, value: found.id.clone(), factor: found.factor }), replaced))
    }
}

fn impossible(model: &Model, parameter: &str, given: &str, allowed: Vec<String>) -> QuoteError {
    QuoteError::Impossible { model_id: model.id.clone(), parameter: parameter.to_owned(), given: given.to_owned(), allowed }
}
