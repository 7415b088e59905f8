//! Objects and lists checked by a table of members, in the one order that gives the code. SPEC OBJ-1, OBJ-2.
//!
//! [`Fields::open`] checks the names; each reader then checks one member, first its JSON type, then its value. Read the
//! members in the order of the table, then check the rules between them.

use crate::error::{Code, KezError, Result, refuse};
use crate::hex;
use crate::identity::{Identity, KeyIdentity, Subject};
use crate::json::{Json, Object};
use crate::limits::{MAX_INTEGER, MAX_LIST_ENTRIES};
use crate::{Digest, Time};

/// A line of a table: a name, and whether the member may be absent.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    name: &'static str,
    is_optional: bool,
}

impl Member {
    /// How it is called.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// A member that must be there.
pub const fn required(name: &'static str) -> Member {
    Member { name, is_optional: false }
}

/// A member that may be absent; `null` is not absent (ENV-6).
pub const fn optional(name: &'static str) -> Member {
    Member { name, is_optional: true }
}

/// An object whose names have been checked against a table.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a Object);

impl<'a> Fields<'a> {
    /// Not an object → `schema.type`; a name outside the table → `schema.unknown_member`; one that must be there and is
    /// not → `schema.missing_member`.
    pub fn open(value: &'a Json, table: &[Member]) -> Result<Fields<'a>> {
        let object = value.as_object().ok_or_else(|| type_error("an object"))?;
        Fields::of_object(object, table)
    }

    /// As [`Fields::open`], of what is known to be an object.
    pub fn of_object(object: &'a Object, table: &[Member]) -> Result<Fields<'a>> {
        if let Some(name) = object.keys().find(|name| !table.iter().any(|member| member.name == name.as_str())) {
            return refuse(Code::SchemaUnknownMember, format!("expected no member {name:?}"));
        }
        match table.iter().find(|member| !member.is_optional && !object.contains_key(member.name)) {
            Some(member) => refuse(Code::SchemaMissingMember, format!("expected a member {}", member.name)),
            None => Ok(Fields(object)),
        }
    }

    /// The member, absent → `schema.missing_member`.
    pub fn value(&self, name: &str) -> Result<&'a Json> {
        self.0.get(name).ok_or_else(|| KezError::new(Code::SchemaMissingMember, format!("expected a member {name}")))
    }

    /// Whether the member is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The member as `read` gives it, or none where it is absent.
    pub fn optional<T>(&self, name: &str, read: impl FnOnce(&'a Json) -> Result<T>) -> Result<Option<T>> {
        self.0.get(name).map(|value| in_member(name, read(value))).transpose()
    }

    /// The member as `read` gives it.
    pub fn required<T>(&self, name: &str, read: impl FnOnce(&'a Json) -> Result<T>) -> Result<T> {
        in_member(name, read(self.value(name)?))
    }
}

fn in_member<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| KezError::new(error.code(), format!("{name}: {}", error.message())))
}

fn type_error(expected: &str) -> KezError {
    KezError::new(Code::SchemaType, format!("expected {expected}"))
}

fn value_error<T>(expected: impl std::fmt::Display) -> Result<T> {
    refuse(Code::SchemaValue, format!("expected {expected}"))
}

/// Any string, else `schema.type`.
pub fn string(value: &Json) -> Result<&str> {
    value.as_str().ok_or_else(|| type_error("a string"))
}

/// Any object, else `schema.type`.
pub fn object(value: &Json) -> Result<&Object> {
    value.as_object().ok_or_else(|| type_error("an object"))
}

/// *count*: an integer from 0 to 2^53−1; not a number → `schema.type`, out of range → `schema.value`. SPEC §2.3.
pub fn count(value: &Json) -> Result<u64> {
    let Json::Number(number) = *value else {
        return Err(type_error("a number"));
    };
    if !(0.0..=MAX_INTEGER as f64).contains(&number) || number.fract() != 0.0 {
        return value_error("an integer from 0 to 2^53 - 1");
    }
    Ok(number as u64)
}

/// `sha256:` and 64 hex digits, else `schema.value`.
pub fn digest(value: &Json) -> Result<Digest> {
    Digest::parse(string(value)?)
}

/// A time of TIME-1, else `time.syntax`.
pub fn time(value: &Json) -> Result<Time> {
    Time::parse(string(value)?)
}

/// A time of TIME-2, as claims have it, else `time.syntax`.
pub fn claim_time(value: &Json) -> Result<Time> {
    Time::parse_in_claim(string(value)?)
}

/// A canonical identity, by ID-2 and ID-6.
pub fn identity(value: &Json) -> Result<Identity> {
    Identity::parse_canonical(string(value)?)
}

/// A canonical key identity, by ID-2, ID-6 and ID-7.
pub fn key_identity(value: &Json) -> Result<KeyIdentity> {
    KeyIdentity::parse_canonical(string(value)?)
}

/// The subject of a claim, by ID-5.
pub fn subject(value: &Json) -> Result<Subject> {
    Subject::parse(string(value)?)
}

/// 64 bytes in 128 hex digits, else `signature.encoding`. ENV-3.
pub fn signature(value: &Json) -> Result<[u8; 64]> {
    hex::decode(string(value)?)
        .ok_or_else(|| KezError::new(Code::SignatureEncoding, "expected a signature of 128 lower-case hex digits"))
}

/// 32 bytes in 64 hex digits, else `schema.value`.
pub fn hex32(value: &Json) -> Result<[u8; 32]> {
    match hex::decode(string(value)?) {
        Some(bytes) => Ok(bytes),
        None => value_error("64 lower-case hex digits"),
    }
}

/// A string that fits, else `schema.value`; `expected` says what would.
pub fn string_where<'a>(value: &'a Json, expected: &str, fits: impl FnOnce(&str) -> bool) -> Result<&'a str> {
    let text = string(value)?;
    if fits(text) { Ok(text) } else { value_error(expected) }
}

/// OBJ-2: an array (`schema.type`), its length in range (`schema.value`), each element by `read`, no element twice
/// (`schema.value`).
pub fn list<'a, T: PartialEq>(
    value: &'a Json,
    lengths: std::ops::RangeInclusive<usize>,
    read: impl Fn(&'a Json) -> Result<T>,
) -> Result<Vec<T>> {
    let Json::Array(elements) = value else {
        return Err(type_error("an array"));
    };
    if !lengths.contains(&elements.len()) {
        return value_error(format!("{} to {} elements", lengths.start(), lengths.end()));
    }
    let values = elements.iter().map(read).collect::<Result<Vec<T>>>()?;
    let is_repeated = values.iter().enumerate().any(|(index, value)| values.iter().take(index).any(|it| it == value));
    if is_repeated { value_error("no element twice") } else { Ok(values) }
}

/// A list of 1 to 32, as `keys`, `keep` and `reject` are. SPEC §5.2.
pub fn short_list<'a, T: PartialEq>(value: &'a Json, read: impl Fn(&'a Json) -> Result<T>) -> Result<Vec<T>> {
    list(value, 1..=MAX_LIST_ENTRIES, read)
}
