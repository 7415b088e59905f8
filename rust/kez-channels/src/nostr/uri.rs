//! Names of keys and events as people see them. NIP-19, NIP-21, SPEC NOSTR-4.

use bech32::{Bech32, Hrp};

use super::event::APPLICATION_DATA;

/// `nostr:naddr1…` of application data: identifier, author, kind, no relays.
pub fn application_data(name: &str, key: &[u8; 32]) -> String {
    let mut fields = Vec::new();
    let kind = u32::try_from(APPLICATION_DATA).unwrap_or_default().to_be_bytes();
    for (kind_of_field, bytes) in [(0, name.as_bytes()), (2, key.as_slice()), (3, kind.as_slice())] {
        fields.push(kind_of_field);
        fields.push(u8::try_from(bytes.len()).unwrap_or_default());
        fields.extend_from_slice(bytes);
    }
    uri("naddr", &fields)
}

/// `nostr:note1…` of an event.
pub fn note(id: &[u8; 32]) -> String {
    uri("note", id)
}

fn uri(prefix: &str, bytes: &[u8]) -> String {
    let text = Hrp::parse(prefix).ok().and_then(|prefix| bech32::encode::<Bech32>(prefix, bytes).ok());
    format!("nostr:{}", text.unwrap_or_default())
}
