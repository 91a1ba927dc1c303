//! What the OpenAPI document says of fields whose text has a grammar of its own: the same as [`crate::strict`] reads.

use crate::SealedSecret;
use serde_json::json;
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// Text without ASCII control characters: some databases cannot store them.
const PLAIN: &str = "^[^\\u0000-\\u001f\\u007f]*$";
const NAME: &str = "^[a-z][a-z0-9_]*$";
/// RFC 3339 in upper case, to the millisecond.
const INSTANT: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,3})?\
(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";
/// The same in whole seconds.
const WHOLE_SECOND: &str =
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn maybe_text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

/// An id in a request.
pub fn id() -> Schema {
    text().min_length(Some(1)).max_length(Some(64)).pattern(Some("^[A-Za-z0-9_.:-]+$")).description(Some("An opaque id.")).into()
}

pub(crate) fn maybe_word() -> Schema {
    maybe_text().max_length(Some(200)).pattern(Some(PLAIN)).into()
}

pub(crate) fn word() -> Schema {
    text().min_length(Some(1)).max_length(Some(200)).pattern(Some(PLAIN)).into()
}

pub(crate) fn maybe_rule() -> Schema {
    maybe_text().max_length(Some(1000)).pattern(Some(PLAIN)).into()
}

pub(crate) fn name() -> Schema {
    text().max_length(Some(64)).pattern(Some(NAME)).into()
}

pub(crate) fn hex_32() -> Schema {
    text().min_length(Some(64)).max_length(Some(64)).pattern(Some("^[0-9A-Fa-f]*$")).into()
}

/// A hash in a request.
pub fn hash_32() -> Schema {
    text().min_length(Some(66)).max_length(Some(66)).pattern(Some("^0x[0-9A-Fa-f]*$")).description(Some("A transaction's hash.")).into()
}

pub(crate) fn signature() -> Schema {
    text().min_length(Some(4)).max_length(Some(16_386)).pattern(Some("^0x([0-9A-Fa-f]{2})*$")).into()
}

pub(crate) fn maybe_address() -> Schema {
    maybe_text().min_length(Some(42)).max_length(Some(42)).pattern(Some("^0x[0-9A-Fa-f]*$")).into()
}

pub(crate) fn maybe_position() -> Schema {
    let number = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::Null]));
    number.minimum(Some(0)).maximum(Some(u32::MAX)).into()
}

pub(crate) fn maybe_price() -> Schema {
    maybe_text().pattern(Some("^[1-9][0-9]{0,6}([.][0-9]{1,8})?$")).examples(["3018.26"]).into()
}

pub(crate) fn whole_second() -> Schema {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    text().format(Some(format)).pattern(Some(WHOLE_SECOND)).examples(["2026-12-21T12:00:00Z"]).into()
}

fn instant() -> Schema {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    text().format(Some(format)).pattern(Some(INSTANT)).examples(["2026-12-21T12:00:00.000Z"]).into()
}

pub(crate) fn maybe_instant() -> Schema {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    maybe_text().format(Some(format)).pattern(Some(INSTANT)).examples(["2026-12-21T12:00:00.000Z"]).into()
}

pub(crate) fn meters() -> Schema {
    let counts = ObjectBuilder::new().property_names(Some(name())).max_properties(Some(64));
    let count: Schema = text().pattern(Some("^[0-9]{1,20}([.][0-9]{1,18})?$")).into();
    counts.additional_properties(Some(count)).examples([json!({"input_tokens": "500"})]).into()
}

impl PartialSchema for SealedSecret {
    fn schema() -> RefOr<Schema> {
        text().description(Some("A secret: it is shown once and kept nowhere.")).into()
    }
}

impl ToSchema for SealedSecret {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Secret")
    }
}

/// An instant in a query.
pub enum Instant {}

/// A word in a query.
pub enum Word {}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        instant().into()
    }
}

impl PartialSchema for Word {
    fn schema() -> RefOr<Schema> {
        word().into()
    }
}

impl ToSchema for Instant {}
impl ToSchema for Word {}
