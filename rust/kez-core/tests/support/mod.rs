//! Reading vector files, and telling every case that fails. Used by the tests beside this folder.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::fmt::Debug;
use std::io::Write as _;
use std::path::PathBuf;

use kez_core::{Json, KezError};
use serde_json::Value;

/// A file of `vectors/` at the root of the project.
pub fn vectors(name: &str) -> Vec<Value> {
    let path = root().join("vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// A file of the public vectors of others, or none, said plainly, where the folder is missing.
pub fn public(name: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(public_folder().join(name));
    if bytes.is_err() {
        // Not eprintln!, which the test runner keeps to itself where a test passes.
        let folder = public_folder();
        let _ = writeln!(std::io::stderr(), "SKIPPED: {name} is not in {}; set KEZ_PUBLIC_VECTORS", folder.display());
    }
    bytes.ok()
}

/// Where the public vectors are.
pub fn public_folder() -> PathBuf {
    std::env::var_os("KEZ_PUBLIC_VECTORS").map_or_else(|| root().join("../shared/vectors"), PathBuf::from)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A member of a case that must be text.
pub fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {case}"))
}

/// Bytes of hex of any length.
pub fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The code that a case expects, or none.
pub fn expected_code(case: &Value) -> Option<String> {
    case.get("code").map(|code| code.as_str().unwrap().to_owned())
}

/// The code of a refusal.
pub fn code_of(error: KezError) -> String {
    error.code().to_string()
}

/// Collects what went wrong, and fails at the end with all of it.
#[derive(Default)]
pub struct Report {
    faults: Vec<String>,
    cases: usize,
}

impl Report {
    /// One expectation of a case.
    pub fn check<T: PartialEq + Debug>(&mut self, case: &Value, expected: T, got: T) {
        self.cases += 1;
        if expected != got {
            let (id, why) = (&case["id"], &case["why"]);
            self.faults.push(format!("{id} ({why}): expected {expected:?}, got {got:?}"));
        }
    }

    /// Fails with every fault, and where nothing was checked.
    pub fn finish(self) {
        assert!(self.cases > 0, "no case was checked");
        assert!(self.faults.is_empty(), "{} of {}:\n{}", self.faults.len(), self.cases, self.faults.join("\n"));
    }
}

/// A value of a test file, fractions included.
pub fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(it) => Json::Bool(*it),
        Value::Number(number) => Json::Number(number.as_f64().unwrap()),
        Value::String(text) => Json::String(text.clone()),
        Value::Array(list) => Json::Array(list.iter().map(plain).collect()),
        Value::Object(map) => Json::Object(map.iter().map(|(name, value)| (name.clone(), plain(value))).collect()),
    }
}
