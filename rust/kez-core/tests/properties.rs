//! What must hold of every input, tried with random ones.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod support;

use kez_core::encoding::{
    self, Proof, base64url, compress_chain, decode_proof, decompress_chain, encode_compact, encode_dns, encode_json,
    encode_markdown,
};
use kez_core::envelope::decode_any;
use kez_core::mnemonic::{format_mnemonic, parse_mnemonic};
use kez_core::{
    Claim, ClaimDraft, Code, Identity, Json, KeyIdentity, Kind, SecretKey, Signer as _, Suite, Time, Verified,
    canonical, json, sign_claim,
};
use proptest::prelude::*;
use support::plain;
use zeroize::Zeroizing;

fn claim_of(subject: &str, seed: u8) -> Verified<Claim> {
    let signer = SecretKey::from_bytes(Suite::Ed25519, Zeroizing::new([seed; 32])).unwrap();
    let created_at = Time::from_unix_seconds(1_767_225_600).unwrap();
    let draft = ClaimDraft { subject: Identity::parse(subject).unwrap(), created_at, expires_at: None };
    sign_claim(&draft, &signer).unwrap()
}

/// Values that the decoder takes: no control characters, integers, at most 3 deep.
fn json_value() -> impl Strategy<Value = Json> {
    let string = "[ -~¡-\u{d7ff}\u{e000}-\u{10ffff}]{0,12}";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(|number| Json::Number(number as f64)),
        string.prop_map(Json::String),
    ];
    leaf.prop_recursive(3, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            prop::collection::btree_map(string, inner, 0..6).prop_map(Json::Object),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_text_is_read_back_as_the_same_value(value in json_value()) {
        let text = canonical::canonicalize(&value).unwrap();
        let read = json::parse_text(&text).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(canonical::canonicalize(&read).unwrap(), text);
    }

    #[test]
    fn canonical_numbers_are_read_back_as_the_same_double(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let text = canonical::canonicalize(&Json::Number(number));
        prop_assert_eq!(text.is_ok(), number.is_finite());
        if let Ok(text) = text {
            prop_assert_eq!(text.parse::<f64>().unwrap(), number);
        }
    }

    #[test]
    fn json_taken_here_means_the_same_elsewhere(text in r#"[\[\]{}:,"\\u0-9a-fA-F+\-. \ttruefalsn\u{7f}é]{0,24}"#) {
        if let Ok(value) = json::parse_text(&text) {
            prop_assert_eq!(value, plain(&serde_json::from_str(&text).unwrap()));
        }
    }

    #[test]
    fn bytes_make_nothing_panic(input in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = json::parse(&input);
        let _ = decode_proof(&input);
        for kind in Kind::ALL {
            prop_assert!(decode_any(&input, kind).is_err());
        }
        let compact = format!("kez:z1:{}", base64url::encode(&[&[0x28, 0xb5, 0x2f, 0xfd], input.as_slice()].concat()));
        prop_assert!(decode_proof(compact.as_bytes()).is_err());
    }

    #[test]
    fn text_makes_nothing_panic(text in "(kez:(z1|r1|zc1):|```kez\n|_kez\\.|Chain: https://|[ -~\n\r\té]){0,60}") {
        let _ = decode_proof(text.as_bytes());
        let _ = parse_mnemonic(&text);
        let _ = encoding::dns::parse_zone_line(&text);
    }

    #[test]
    fn base64url_has_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..40), text in "[A-Za-z0-9_=+/-]{0,12}") {
        prop_assert_eq!(base64url::decode(&base64url::encode(&bytes)).unwrap(), bytes);
        if let Ok(decoded) = base64url::decode(&text) {
            prop_assert_eq!(base64url::encode(&decoded), text);
        }
    }

    #[test]
    fn identities_are_canonical_after_one_reading(typed in "(ed25519|nostr|DNS|github|bluesky|ap|mastodon|kez):@?[A-Za-z0-9@._-]{1,40}") {
        if let Ok(identity) = Identity::parse(&typed) {
            prop_assert_eq!(Identity::parse_canonical(identity.as_str()).unwrap(), identity);
        }
    }

    #[test]
    fn key_identities_hold_their_bytes(bytes in any::<[u8; 32]>(), is_nostr in any::<bool>()) {
        let suite = if is_nostr { Suite::Nostr } else { Suite::Ed25519 };
        let key = KeyIdentity::from_public_key(suite, bytes);
        prop_assert_eq!(KeyIdentity::parse_canonical(key.as_str()).unwrap(), key);
    }

    #[test]
    fn times_are_written_as_they_are_read(seconds in 0..=253_402_300_799_u64) {
        let time = Time::from_unix_seconds(seconds).unwrap();
        prop_assert_eq!(Time::parse(&time.to_string()).unwrap(), time);
        prop_assert_eq!(Time::parse_in_claim(&time.to_string()).unwrap(), time);
    }

    #[test]
    fn words_give_their_secret_back(secret in any::<[u8; 32]>()) {
        let words = format_mnemonic(&Zeroizing::new(secret)).unwrap();
        prop_assert_eq!(*parse_mnemonic(&words.to_uppercase()).unwrap(), secret);
    }

    #[test]
    fn chain_texts_hold_their_document(document in prop::collection::vec(any::<u8>(), 1..3_000)) {
        let text = compress_chain(&document).unwrap();
        prop_assert_eq!(decompress_chain(&format!("{text}\n")).unwrap(), document);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_form_of_a_claim_decodes_to_it(label in "[a-z]{1,20}", seed in any::<u8>()) {
        let claim = claim_of(&format!("dns:{label}.example"), seed);
        let hint = format!("https://{label}.example/chain.jsonl");
        let forms = [
            encode_json(&claim).unwrap(),
            encode_compact(&claim).unwrap(),
            encode_dns(&claim).unwrap(),
            encode_markdown(&claim, None).unwrap(),
            encode_markdown(&claim, Some(&hint)).unwrap(),
        ];
        for form in forms {
            let decoded = decode_proof(form.as_bytes()).unwrap();
            match decoded.proof {
                Proof::Claim(read) => prop_assert_eq!(read.verify().unwrap().digest(), claim.digest()),
                Proof::Reference(_) => prop_assert!(false),
            }
        }
    }

    #[test]
    fn a_changed_bit_of_a_signature_is_seen(bit in 0..512_usize, is_nostr in any::<bool>(), seed in 1..=254_u8) {
        let suite = if is_nostr { Suite::Nostr } else { Suite::Ed25519 };
        let signer = SecretKey::from_bytes(suite, Zeroizing::new([seed; 32])).unwrap();
        let mut signature = signer.sign(b"message").unwrap();
        prop_assert!(suite.verify(signer.key().public_key(), b"message", &signature).is_ok());
        signature[bit / 8] ^= 1 << (bit % 8);
        let refused = suite.verify(signer.key().public_key(), b"message", &signature).unwrap_err();
        prop_assert_eq!(refused.code(), Code::SignatureInvalid);
    }
}
