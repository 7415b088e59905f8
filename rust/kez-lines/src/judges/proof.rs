//! SPEC §4 and §9: texts of proofs, recovery words.

use kez_core::encoding::{Proof, find_candidates, pick_proof};
use kez_core::mnemonic::parse_mnemonic;
use kez_core::{SecretKey, Signer as _, Suite, hex};
use serde_json::{Value, json};

use crate::outcome::{Answer, of, refused};
use crate::question::{input, text};

pub fn encoding(case: &Value) -> Answer {
    Ok(match find_candidates(&input(case)?) {
        Ok(found) => json!({ "proof": of(pick_proof(&found.candidates).map(proof)), "hints": found.hints }),
        Err(error) => json!({ "proof": refused(&error), "hints": [] }),
    })
}

pub fn mnemonic(case: &Value) -> Answer {
    let restored = parse_mnemonic(text(case, "words")?).and_then(|secret| {
        let key = SecretKey::from_bytes(Suite::Ed25519, secret)?;
        Ok(json!({ "secret": hex::encode(key.expose().as_slice()), "ed25519": key.key().as_str() }))
    });
    Ok(of(restored))
}

fn proof(proof: Proof) -> Value {
    match proof {
        Proof::Claim(claim) => json!({ "claim": claim.digest().to_string() }),
        Proof::Reference(reference) => json!({ "reference": reference.chain.to_string(), "host": reference.host }),
    }
}
