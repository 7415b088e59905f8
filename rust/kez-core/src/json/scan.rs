//! The scan from left to right: the first fault gives the code. SPEC JSON-1 to JSON-3.

use std::collections::btree_map::Entry;

use super::strings::read_string;
use super::{Json, Object};
use crate::error::{Code, KezError, Result, refuse};
use crate::limits::{MAX_INTEGER, MAX_JSON_DEPTH, MAX_JSON_MEMBERS};
use crate::text::is_white_space;

/// A place in a text.
pub struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub const fn new(text: &'a str) -> Scanner<'a> {
        Scanner { rest: text }
    }

    /// One value with white space around it, and nothing after.
    pub fn document(mut self) -> Result<Json> {
        self.skip_white_space();
        let value = self.value(0)?;
        self.skip_white_space();
        match self.rest.is_empty() {
            true => Ok(value),
            false => syntax("expected nothing after the JSON value"),
        }
    }

    /// `depth` is how many arrays and objects are open. Their number is bounded, and so is the recursion.
    fn value(&mut self, depth: usize) -> Result<Json> {
        match self.rest.chars().next() {
            Some('{') => self.object(depth + 1),
            Some('[') => self.array(depth + 1),
            Some('"') => Ok(Json::String(self.string()?)),
            Some('-' | '0'..='9') => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json> {
        self.open(depth)?;
        let mut members = Object::new();
        if self.take('}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.member(&mut members, depth)?;
            if !self.more('}')? {
                return Ok(Json::Object(members));
            }
        }
    }

    /// JSON-2: the count where the name begins, the duplicate after the name.
    fn member(&mut self, members: &mut Object, depth: usize) -> Result<()> {
        if !self.rest.starts_with('"') {
            return syntax("expected the name of a member");
        }
        if members.len() >= MAX_JSON_MEMBERS {
            return refuse(Code::LimitMembers, "expected at most 64 members in an object");
        }
        let Entry::Vacant(place) = members.entry(self.string()?) else {
            return refuse(Code::JsonDuplicate, "expected each member once in an object");
        };
        self.skip_white_space();
        if !self.take(':') {
            return syntax("expected a colon after the name of a member");
        }
        self.skip_white_space();
        place.insert(self.value(depth)?);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<Json> {
        self.open(depth)?;
        let mut elements = Vec::new();
        if self.take(']') {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth)?);
            if !self.more(']')? {
                return Ok(Json::Array(elements));
            }
        }
    }

    /// The bracket that opens, and white space after it.
    fn open(&mut self, depth: usize) -> Result<()> {
        if depth > MAX_JSON_DEPTH {
            return refuse(Code::LimitDepth, "expected JSON nested at most 8 deep");
        }
        self.skip(1);
        self.skip_white_space();
        Ok(())
    }

    /// After an element: whether another follows, and then the place is where it begins.
    fn more(&mut self, close: char) -> Result<bool> {
        self.skip_white_space();
        if self.take(close) {
            return Ok(false);
        }
        if !self.take(',') {
            return syntax("expected a comma or the closing bracket");
        }
        self.skip_white_space();
        Ok(true)
    }

    fn string(&mut self) -> Result<String> {
        let (text, rest) = read_string(self.rest)?;
        self.rest = rest;
        Ok(text)
    }

    /// JSON-3: the longest run of these characters is the number, whatever it is.
    fn number(&mut self) -> Result<Json> {
        let is_part = |character: char| matches!(character, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
        let rest = self.rest.trim_start_matches(is_part);
        let run = self.rest.strip_suffix(rest).unwrap_or_default();
        self.rest = rest;
        integer(run)
            .map(Json::Number)
            .ok_or_else(|| KezError::new(Code::JsonNumber, "expected an integer within 2^53 - 1 in its only spelling"))
    }

    fn word(&mut self) -> Result<Json> {
        for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        syntax("expected a JSON value")
    }

    fn take(&mut self, expected: char) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn skip_white_space(&mut self) {
        self.rest = self.rest.trim_start_matches(is_white_space);
    }
}

fn integer(run: &str) -> Option<f64> {
    let (sign, digits) = match run.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, run),
    };
    let only_spelling =
        digits == "0" && sign > 0.0 || !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|&number| only_spelling && number <= MAX_INTEGER)?;
    Some(sign * number as f64)
}

fn syntax<T>(message: &'static str) -> Result<T> {
    refuse(Code::JsonSyntax, message)
}
