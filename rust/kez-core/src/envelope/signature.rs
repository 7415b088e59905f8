//! The signature object. SPEC §2, ENV-2, ENV-3, DEC-1 step 8.

use super::schema::{self, Fields, Member, required};
use crate::error::{Code, Result, refuse};
use crate::hex;
use crate::identity::KeyIdentity;
use crate::json::Json;

const TABLE: &[Member] = &[required("alg"), required("key"), required("sig")];

/// Who signed, and what came of it. Whether it is right is known only after it was checked (DEC-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureObject {
    /// The key that is said to have signed.
    pub key: KeyIdentity,
    /// The 64 bytes.
    pub sig: [u8; 64],
}

impl SignatureObject {
    /// Types in the order of the table, then `alg` (`signature.alg`), then `sig` (`signature.encoding`). DEC-1 step 8.
    pub fn parse(value: &Json) -> Result<SignatureObject> {
        let fields = Fields::open(value, TABLE)?;
        let alg = fields.required("alg", schema::string)?;
        let key = fields.required("key", schema::key_identity)?;
        fields.required("sig", schema::string)?;
        if alg != key.suite().alg() {
            return refuse(Code::SignatureAlg, format!("expected alg {}", key.suite().alg()));
        }
        let sig = fields.required("sig", schema::signature)?;
        Ok(SignatureObject { key, sig })
    }

    /// As it is written.
    pub fn to_json(&self) -> Json {
        Json::object([
            ("alg", self.key.suite().alg().into()),
            ("key", self.key.as_str().into()),
            ("sig", hex::encode(&self.sig).into()),
        ])
    }
}
