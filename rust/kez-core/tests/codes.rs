//! The closed list of codes is that of SPEC §12, in its order.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kez_core::Code;

const SPEC: &str = include_str!("../../../SPEC.md");

#[test]
fn the_codes_are_those_of_the_specification() {
    let (_, after) = SPEC.split_once("\n## 12 Codes").expect("SPEC has a section of codes");
    let (section, _) = after.split_once("\n## 13").expect("and one after it");
    let listed: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(code, _)| code).collect();
    let known: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(known, listed);
}
