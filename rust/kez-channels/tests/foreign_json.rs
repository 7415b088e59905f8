//! JSON of platforms against another parser. SPEC §7.5.
#![allow(clippy::unwrap_used, clippy::panic)]

use kez_channels::json::{Value, parse};
use kez_channels::limits::MAX_FOREIGN_JSON_DEPTH;

#[test]
fn parse_takes_what_rfc_8259_takes() {
    for text in ["0", "-0", "1.5e+3", "1e999", "[]", " { } ", "\"\\u0041\\ud83d\\ude00\"", "[1,[2],{\"a\":null}]"] {
        assert!(parse(text).is_some(), "{text}");
    }
    for text in ["", "01", "+1", ".5", "1.", "1e", "[1,]", "{\"a\":1,}", "{a:1}", "\"\t\"", "\"\\x\"", "[1] 2", "tru"] {
        assert!(parse(text).is_none(), "{text}");
    }
}

#[test]
fn half_a_pair_is_no_text_and_leaves_the_rest_whole() {
    let value =
        parse("{\"a\":\"\\ud83dx\",\"b\":\"\\ude00\",\"c\":\"\\ud83d\\u0041\",\"d\":\"ok\",\"d\":\"later\"}").unwrap();
    assert_eq!((value.text("a"), value.text("b"), value.text("c"), value.text("d")), (None, None, None, Some("later")));
}

#[test]
fn of_two_members_with_one_name_the_later_counts_in_the_place_of_the_first() {
    let Some(Value::Object(members)) = parse("{\"a\":1,\"b\":2,\"\\u0061\":3}") else { panic!() };
    let names: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), value.as_integer())).collect();
    assert_eq!(names, [("a", Some(3)), ("b", Some(2))]);
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(MAX_FOREIGN_JSON_DEPTH)).is_some());
    assert!(parse(&nested(MAX_FOREIGN_JSON_DEPTH + 1)).is_none());
    assert!(parse(&"[".repeat(1_000_000)).is_none());
}

proptest::proptest! {
    #[test]
    fn parse_agrees_with_another_parser(text in "[\\[\\]{}:,\"0-9eE.+\\- \\\\untrfalsb/]{0,40}") {
        let other = serde_json::from_str::<serde_json::Value>(&text);
        match (parse(&text), other) {
            (Some(_), Ok(_)) | (None, Err(_)) => {}
            // serde_json refuses half pairs and numbers beyond a double.
            (Some(_), Err(error)) => assert!(
                error.to_string().contains("surrogate") || error.to_string().contains("out of range"), "{text} {error}"),
            (None, Ok(_)) => panic!("{text}"),
        }
    }
}
