//! Reads JSON as a documented type and says which field is not as documented. What was sent is not repeated: it may be a secret.

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Number, Value};
use std::fmt;

/// Longest name of a field that is repeated, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Up to here a whole number that is read as a double is that number.
const EXACT_MAX: f64 = 1e12;

/// Why a body is not as documented, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// From the outermost field inwards; empty for the body as a whole.
    path: Vec<String>,
    problem: String,
}

impl FieldError {
    fn new(problem: impl Into<String>) -> Self {
        Self { path: Vec::new(), problem: problem.into() }
    }

    fn expected(expected: &dyn Expected) -> Self {
        Self::new(format!("{expected} is expected"))
    }

    /// The same error, of a value in a field.
    pub(crate) fn within(mut self, name: &str) -> Self {
        self.path.insert(0, name.chars().take(NAME_CHARS_MAX).collect());
        self
    }

    /// The field's name with those around it, such as `run.kind`.
    pub(crate) fn field(&self) -> String {
        self.path.join(".")
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => write!(f, "the body: {}", self.problem),
            false => write!(f, "{}: {}", self.field(), self.problem),
        }
    }
}

impl std::error::Error for FieldError {}

impl de::Error for FieldError {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::new(problem.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("one of {} is expected", known.join(", ")))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new("this call has no such field").within(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("the field is missing").within(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new("the field is there twice").within(field)
    }
}

/// Reads a value as its documented type.
///
/// # Errors
/// [`FieldError`] with the first field that is not as documented.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, FieldError> {
    T::deserialize(Fields(value))
}

struct Fields<'a>(&'a Value);

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => visit_number(number, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter(), at: 0 }),
            Value::Object(members) => visitor.visit_map(Members { members: members.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// A derived reader would take a list of the fields' values, in their order.
    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, FieldError> {
        if self.0.is_object() { self.deserialize_any(visitor) } else { Err(FieldError::new("an object is expected")) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(IntoDeserializer::<FieldError>::into_deserializer(text.as_str())),
            Value::Object(members) => visitor.visit_enum(MapAccessDeserializer::new(Members { members: members.iter(), value: None })),
            _ => Err(de::Error::unknown_variant("", known)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        identifier ignored_any
    }
}

/// A whole number may be written `2.0`: JSON has one kind of numbers.
fn visit_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, FieldError> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(whole), _, _) => visitor.visit_u64(whole),
        (None, Some(whole), _) => visitor.visit_i64(whole),
        (None, None, Some(real)) if real.fract() == 0.0 && real.abs() <= EXACT_MAX => match format!("{real:.0}").parse() {
            Ok(whole) => visitor.visit_i64(whole),
            Err(_) => visitor.visit_f64(real),
        },
        (None, None, Some(real)) => visitor.visit_f64(real),
        (None, None, None) => Err(FieldError::new("the number is out of range")),
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FieldError> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let read = seed.deserialize(Fields(item)).map_err(|error| error.within(&self.at.to_string()))?;
        self.at = self.at.saturating_add(1);
        Ok(Some(read))
    }
}

struct Members<'a> {
    members: serde_json::map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        self.value = Some((name, value));
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, FieldError> {
        let (name, value) = self.value.take().ok_or_else(|| FieldError::new("a value before its name"))?;
        seed.deserialize(Fields(value)).map_err(|error| error.within(name))
    }
}

/// JSON of which no object has a name twice: readers differ in which of the two they take.
pub(crate) struct Unambiguous(pub(crate) Value);

impl<'de> de::Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnambiguousVisitor).map(Self)
    }
}

struct UnambiguousVisitor;

impl<'de> Visitor<'de> for UnambiguousVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(read.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Unambiguous(value) = members.next_value()?;
            if read.insert(name, value).is_some() {
                return Err(de::Error::custom("a name is there twice"));
            }
        }
        Ok(read.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_api::{DebitRequest, GrantRequest, OrderRequest, TestClockRequest};
    use serde_json::json;

    fn refused<T: DeserializeOwned>(value: &Value) -> String {
        read::<T>(value).map(|_| ()).expect_err("refused").to_string()
    }

    #[test]
    fn the_field_is_named_and_what_was_sent_is_not() {
        let good = json!({"account_id": "ac_1", "credits": "1", "run": {"model_id": "m", "model_name": "M", "kind": "chat"}});
        let run = read::<DebitRequest>(&good).expect("reads").run.expect("a run");
        assert_eq!((run.kind.as_str(), run.rule), ("chat", None));
        for (path, value, said) in [
            ("/credits", json!(1), "credits: a string is expected"),
            ("/account_id", json!("a b"), "account_id: an id of 1 to 64 letters, digits and _-.:"),
            ("/account_id", Value::Null, "account_id: a string is expected"),
            ("/run/kind", json!("Chat"), "run.kind: 1 to 64 lower-case letters, digits and _, a letter first"),
            ("/run/model_id", json!(["secret"]), "run.model_id: a string is expected"),
            ("/run", json!("secret"), "run: an object is expected"),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(path).expect("there") = value;
            assert_eq!(refused::<DebitRequest>(&bad), said);
        }
        assert_eq!(refused::<GrantRequest>(&json!({"account_id": "ac_1"})), "credits: the field is missing");
        assert_eq!(refused::<DebitRequest>(&json!([])), "the body: an object is expected");
        assert_eq!(refused::<TestClockRequest>(&json!([null])), "the body: an object is expected");
        let mut more = good;
        more["secret"] = json!("secret");
        assert_eq!(refused::<DebitRequest>(&more), "secret: this call has no such field");
        more["run"]["x".repeat(100)] = json!(1);
        assert_eq!(read::<DebitRequest>(&more).map(|_| ()).expect_err("refused").field(), format!("run.{}", "x".repeat(64)));
        let order = json!({"usd": "1", "method": "gold", "tag": "0".repeat(64)});
        assert_eq!(refused::<OrderRequest>(&order), "method: one of eth, card is expected");
    }

    #[test]
    fn a_whole_number_may_have_a_point() {
        for (written, whole) in [("2", 2), ("2.0", 2), ("2e0", 2), ("-0.0", 0), ("1000000000000.0", 1_000_000_000_000u64)] {
            assert_eq!(read::<u64>(&serde_json::from_str(written).expect("JSON")), Ok(whole), "{written}");
        }
        for written in ["2.5", "-1", "-1.0", "1e300", "18446744073709551616", "\"2\"", "true", "null"] {
            assert!(read::<u64>(&serde_json::from_str(written).expect("JSON")).is_err(), "{written}");
        }
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused() {
        let read = |text: &str| serde_json::from_str::<Unambiguous>(text).map(|read| read.0);
        for text in ["null", "[true, -1, 1.5, \"a\"]", r#"{"a": {"b": 1}, "b": {"a": 1}}"#] {
            assert_eq!(read(text).expect("reads"), serde_json::from_str::<Value>(text).expect("JSON"));
        }
        assert!(read(r#"{"a": 1, "a": 1}"#).is_err() && read(r#"[{"a": {"b": 1, "\u0062": 2}}]"#).is_err());
    }
}
