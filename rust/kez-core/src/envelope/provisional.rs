//! The kinds of chat and files, fixed as contexts now; their members may still change. SPEC §2.3.

use super::decode::Payload;
use super::head::check_lifetime;
use super::kind::Kind;
use super::schema::{self, Fields, Member, optional, required};
use crate::error::{Code, Result, refuse};
use crate::json::{Json, Object};
use crate::limits::{MAX_CREDENTIAL_SECONDS, MAX_PRESENCE_ADDRESSES, MAX_PRESENCE_SECONDS, MAX_SHORT_TEXT_CHARS};
use crate::names;

/// A payload that was checked, and is used by parts of the system that are not here.
#[derive(Clone, Debug, PartialEq)]
pub struct Provisional(pub Object);

/// What a member holds.
#[derive(Clone, Copy)]
enum Form {
    Digest,
    Key,
    Count,
    Time,
    Hex32,
    Text,
    Handle,
    Host,
    Addresses,
}

/// A line of a table of SPEC §2.3.
#[derive(Clone, Copy)]
struct Row {
    member: Member,
    form: Form,
}

const fn row(name: &'static str, form: Form) -> Row {
    Row { member: required(name), form }
}

const fn optional_row(name: &'static str, form: Form) -> Row {
    Row { member: optional(name), form }
}

const CHAIN: Row = row("chain", Form::Digest);
const CREATED: Row = row("created_at", Form::Time);
const EXPIRES: Row = row("expires_at", Form::Time);
const HANDLE: Row = row("handle", Form::Handle);
const HOST: Row = row("host", Form::Host);
const SESSION: Row = row("session", Form::Key);

const fn rows(kind: Kind) -> &'static [Row] {
    match kind {
        Kind::DeviceCredential => {
            const { &[CHAIN, row("nats", Form::Key), row("mls", Form::Key), row("hpke", Form::Hex32), CREATED, EXPIRES] }
        }
        Kind::ArchiveKey => const { &[CHAIN, row("epoch", Form::Count), row("public_key", Form::Hex32), CREATED] },
        Kind::ArchiveEpoch => {
            const { &[CHAIN, row("epoch", Form::Count), row("head", Form::Digest), row("keys", Form::Digest), CREATED] }
        }
        Kind::HandleRegistration => const { &[HANDLE, HOST, row("primary", Form::Key), CHAIN, CREATED] },
        Kind::HandleMove => {
            const { &[HANDLE, HOST, row("new_handle", Form::Handle), row("new_host", Form::Host), CHAIN, CREATED] }
        }
        Kind::HandleRelease => const { &[HANDLE, HOST, CHAIN, CREATED] },
        Kind::ConversationState => {
            const {
                &[
                    CHAIN,
                    optional_row("group", Form::Digest),
                    row("number", Form::Count),
                    optional_row("prev", Form::Digest),
                    row("state", Form::Digest),
                    CREATED,
                ]
            }
        }
        Kind::Presence => {
            const {
                &[
                    CHAIN,
                    row("endpoint", Form::Hex32),
                    row("counter", Form::Count),
                    row("addresses", Form::Addresses),
                    optional_row("relay", Form::Text),
                    CREATED,
                    EXPIRES,
                ]
            }
        }
        Kind::NatsConnect => const { &[row("audience", Form::Host), row("nonce", Form::Text), SESSION, CREATED] },
        Kind::NatsSession => const { &[row("audience", Form::Host), CHAIN, SESSION, CREATED, EXPIRES] },
        Kind::ServerAnswer => {
            const { &[row("audience", Form::Key), row("request", Form::Digest), row("code", Form::Text), CREATED] }
        }
        Kind::FileManifest => {
            const {
                &[
                    CHAIN,
                    row("seq", Form::Count),
                    optional_row("prev", Form::Digest),
                    row("root", Form::Digest),
                    row("size", Form::Count),
                    CREATED,
                ]
            }
        }
        Kind::Claim | Kind::SigchainEvent | Kind::ChainHead => &[],
    }
}

impl Payload for Provisional {
    fn parse(kind: Kind, payload: &Object) -> Result<Provisional> {
        let rows = rows(kind);
        let mut table = vec![required("type"), required("version")];
        table.extend(rows.iter().map(|row| row.member));
        let fields = Fields::of_object(payload, &table)?;
        for row in rows {
            fields.optional(row.member.name(), |value| check_form(row.form, value))?;
        }
        check_rules(kind, &fields)?;
        Ok(Provisional(payload.clone()))
    }
}

fn check_form(form: Form, value: &Json) -> Result<()> {
    match form {
        Form::Digest => schema::digest(value).map(drop),
        Form::Key => schema::key_identity(value).map(drop),
        Form::Count => schema::count(value).map(drop),
        Form::Time => schema::time(value).map(drop),
        Form::Hex32 => schema::hex32(value).map(drop),
        Form::Text => text(value).map(drop),
        Form::Handle => schema::string_where(value, "a handle", names::is_handle).map(drop),
        Form::Host => schema::string_where(value, "a host", names::is_host).map(drop),
        Form::Addresses => schema::list(value, 0..=MAX_PRESENCE_ADDRESSES, text).map(drop),
    }
}

/// *text*: 1 to 512 characters from U+0020 to U+007E.
fn text(value: &Json) -> Result<&str> {
    let is_printable = |byte: u8| matches!(byte, b' '..=b'~');
    let fits = |text: &str| (1..=MAX_SHORT_TEXT_CHARS).contains(&text.len()) && text.bytes().all(is_printable);
    schema::string_where(value, "1 to 512 printable characters", fits)
}

/// The rules between members.
fn check_rules(kind: Kind, fields: &Fields<'_>) -> Result<()> {
    match kind {
        Kind::DeviceCredential | Kind::NatsSession => check_times(fields, MAX_CREDENTIAL_SECONDS),
        Kind::Presence => check_times(fields, MAX_PRESENCE_SECONDS),
        Kind::ConversationState => check_absent_at_zero(fields, "number", &["group", "prev"]),
        Kind::FileManifest => check_absent_at_zero(fields, "seq", &["prev"]),
        _ => Ok(()),
    }
}

fn check_times(fields: &Fields<'_>, max_seconds: u64) -> Result<()> {
    let created_at = fields.required("created_at", schema::time)?;
    check_lifetime(created_at, fields.required("expires_at", schema::time)?, max_seconds)
}

/// Absent exactly at 0, else `schema.value`.
fn check_absent_at_zero(fields: &Fields<'_>, counter: &str, names: &[&str]) -> Result<()> {
    let is_first = fields.required(counter, schema::count)? == 0;
    match names.iter().all(|name| fields.has(name) != is_first) {
        true => Ok(()),
        false => {
            refuse(Code::SchemaValue, format!("expected {} exactly where {counter} is above 0", names.join(" and ")))
        }
    }
}
