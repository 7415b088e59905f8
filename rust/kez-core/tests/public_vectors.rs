//! Public vectors of others: Wycheproof, BIP-340, BIP-39, RFC 8785, JSONTestSuite, naughty strings. They are data of their
//! projects and not kept here; without the folder each test says so, and checks nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod support;

use kez_core::envelope::{decode_any, sign};
use kez_core::mnemonic::{format_mnemonic, parse_mnemonic};
use kez_core::suite::{sign_bip340, verify_bip340};
use kez_core::{Claim, Code, Identity, Json, Kind, SecretKey, Suite, canonical, encoding, hex, json};
use serde_json::Value;
use support::{bytes, plain, public, public_folder};
use zeroize::Zeroizing;

#[test]
fn wycheproof_ed25519() {
    let Some(file) = public("wycheproof/ed25519_test.json") else { return };
    let file: Value = serde_json::from_slice(&file).unwrap();
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = bytes(group["publicKey"]["pk"].as_str().unwrap());
        for test in group["tests"].as_array().unwrap() {
            let [message, signature] = ["msg", "sig"].map(|name| bytes(test[name].as_str().unwrap()));
            let got = Suite::Ed25519.verify(&key, &message, &signature);
            assert_eq!(got.is_ok(), test["result"] == "valid", "{test}");
            count += 1;
        }
    }
    assert!(count >= 151);
}

#[test]
fn bip340() {
    let Some(file) = public("bip-0340/test-vectors.csv") else { return };
    let file = String::from_utf8(file).unwrap();
    let mut count = 0;
    for line in file.lines().skip(1) {
        let fields: Vec<&str> = line.splitn(8, ',').collect();
        let [secret, key, aux, message, signature] = [1, 2, 3, 4, 5].map(|at| bytes(fields[at]));
        assert_eq!(verify_bip340(&key, &message, &signature).is_ok(), fields[6] == "TRUE", "{line}");
        if !secret.is_empty() {
            let secret = Zeroizing::new(<[u8; 32]>::try_from(secret).unwrap());
            let signed = sign_bip340(&secret, &message, &aux.try_into().unwrap()).unwrap();
            assert_eq!(signed.as_slice(), signature, "{line}");
            assert_eq!(Suite::Nostr.public_key(&secret).unwrap().as_slice(), key, "{line}");
        }
        count += 1;
    }
    assert!(count >= 19);
}

/// KEZ takes 12 and 24 words: those of the vectors that have so many give their entropy, the others are refused.
#[test]
fn bip39() {
    let Some(file) = public("bip-0039/vectors.json") else { return };
    let file: Value = serde_json::from_slice(&file).unwrap();
    for vector in file["english"].as_array().unwrap() {
        let [entropy, words] = [0, 1].map(|at| vector[at].as_str().unwrap());
        let got = parse_mnemonic(words);
        match words.split(' ').count() {
            24 => {
                let secret = got.unwrap();
                assert_eq!(hex::encode(secret.as_slice()), entropy);
                assert_eq!(format_mnemonic(&secret).unwrap().as_str(), words);
            }
            12 => {
                let hashed = kez_core::digest::sha256([b"kez-bip39-12-v1".as_slice(), &bytes(entropy)].concat());
                assert_eq!(got.unwrap().as_slice(), hashed);
            }
            _ => assert_eq!(got.unwrap_err().code(), Code::MnemonicLength),
        }
    }
}

#[test]
fn rfc8785() {
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let Some(input) = public(&format!("rfc8785/input/{name}.json")) else { return };
        let output = public(&format!("rfc8785/output/{name}.json")).unwrap();
        let value: Value = serde_json::from_slice(&input).unwrap();
        let got = canonical::canonicalize(&plain(&value)).unwrap();
        assert_eq!(got, String::from_utf8(output).unwrap().trim_end_matches('\n'), "{name}");
    }
}

/// RFC 8785, Appendix B: bits of doubles and their texts.
#[test]
fn rfc8785_appendix_b() {
    let numbers = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, text) in numbers {
        assert_eq!(canonical::canonicalize(&Json::Number(f64::from_bits(bits))).unwrap(), text);
    }
    for bits in [0x7fff_ffff_ffff_ffff, 0x7ff0_0000_0000_0000] {
        let refused = canonical::canonicalize(&Json::Number(f64::from_bits(bits)));
        assert_eq!(refused.unwrap_err().code(), Code::JsonNotPlain);
    }
}

/// What is JSON is taken or refused for a reason of our own; what is not JSON is never taken.
#[test]
fn json_test_suite() {
    let Ok(folder) = std::fs::read_dir(public_folder().join("json-test-suite/test_parsing")) else {
        public("json-test-suite/test_parsing");
        return;
    };
    let stricter = [
        Code::JsonNumber,
        Code::JsonControl,
        Code::JsonDuplicate,
        Code::JsonSurrogate,
        Code::LimitDepth,
        Code::LimitMembers,
    ];
    let mut taken = 0;
    for file in folder {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let input = std::fs::read(&path).unwrap();
        match (json::parse(&input), serde_json::from_slice::<Value>(&input)) {
            (Ok(value), other) => {
                assert!(!name.starts_with("n_"), "{name} was taken");
                assert_eq!(value, plain(&other.unwrap()), "{name} means something else");
                taken += 1;
            }
            (Err(error), _) if name.starts_with("y_") => {
                assert!(stricter.contains(&error.code()), "{name}: {error}");
            }
            (Err(_), _) => {}
        }
    }
    assert!(taken > 40, "only {taken} were taken");
}

/// No function panics on them, and none takes one for what it is not.
#[test]
fn naughty_strings() {
    let Some(file) = public("naughty-strings/blns.json") else { return };
    let strings: Vec<String> = serde_json::from_slice(&file).unwrap();
    let signer = SecretKey::from_bytes(Suite::Ed25519, Zeroizing::new([1; 32])).unwrap();
    for string in &strings {
        let _ = json::parse(string.as_bytes());
        let _ = parse_mnemonic(string);
        let _ = encoding::decode_proof(string.as_bytes());
        let _ = encoding::dns::parse_zone_line(string);
        for kind in Kind::ALL {
            assert!(decode_any(string.as_bytes(), kind).is_err());
        }
        if let Ok(identity) = Identity::parse(string) {
            assert_eq!(Identity::parse_canonical(identity.as_str()), Ok(identity));
        }
        let text = canonical::canonicalize(&Json::from(string.as_str())).unwrap();
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), *string);
        let members = [("subject", string.as_str().into()), ("primary", string.as_str().into())];
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert!(sign::<Claim>(members, &signer).is_err());
    }
    assert!(strings.len() > 500);
}
