//! How amounts stand in an OpenAPI document: decimal strings, with the grammar that is really read or written.

use crate::{EthUsdPrice, Exact, NanoCreditSum, NanoCredits, Rounding, Usd, Wei};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! decimal_string {
    ($type:ty, $name:literal, $pattern:literal, $example:literal, $description:literal) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern));
                text.description(Some($description)).examples([$example]).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

decimal_string!(
    NanoCredits,
    "Credits",
    r"^[0-9]{1,10}(\.[0-9]{1,9})?$",
    "0.55",
    "An amount of AiSpace credits, exact to nine decimals; at most 9223372036.854775807. One credit is 0.0001 US dollars."
);
decimal_string!(
    NanoCreditSum,
    "CreditChange",
    r"^-?[0-9]{1,30}(\.[0-9]{1,9})?$",
    "-0.55",
    "A sum or difference of amounts of AiSpace credits; may be below zero."
);
decimal_string!(Usd, "Usd", r"^[0-9]{1,12}(\.[0-9]{1,18})?$", "25", "An amount of US dollars, exact.");
decimal_string!(EthUsdPrice, "UsdPerEth", r"^[0-9]{1,29}(\.[0-9]{1,18})?$", "3018.26", "US dollars for one ether; above zero.");
decimal_string!(Wei, "Wei", r"^[0-9]{1,39}$", "5127574042169169", "An amount of ether in wei, 10⁻¹⁸ ether.");
decimal_string!(
    Exact,
    "Decimal",
    r"^[0-9]{1,39}(\.[0-9]{1,255})?$",
    "0.0000031",
    "An exact number, never below zero, of at most 38 digits."
);

impl PartialSchema for Rounding {
    fn schema() -> RefOr<Schema> {
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["down", "up", "half_up", "half_even"]));
        word.description(Some("How an amount is rounded.")).into()
    }
}

impl ToSchema for Rounding {}
