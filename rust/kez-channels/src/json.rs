//! JSON of platforms, read by RFC 8259 alone: any number, any size, of two members with one name the later. SPEC §7.5.
//!
//! What KEZ signs is read by the strict scan of `kez_core::json` instead. A member of another type than the one that is
//! asked for is missing, and so is a string that holds half a surrogate pair, which no text is.

use std::collections::HashMap;

use crate::limits::MAX_FOREIGN_JSON_DEPTH;

/// A JSON value of a platform.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; what a double cannot hold is infinite.
    Number(f64),
    /// A string of well-formed Unicode.
    Text(String),
    /// A string with half a surrogate pair.
    IllFormed,
    /// An array
    List(Vec<Value>),
    /// The members of an object in their order.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Value::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The member of this name, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// The member of this name, if it is a list.
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        self.get(name)?.as_list()
    }

    /// The member of this name, if it is an integer within ±(2^53−1).
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_integer()
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The number, if it is an integer within ±(2^53−1).
    pub fn as_integer(&self) -> Option<i64> {
        const LIMIT: f64 = 9_007_199_254_740_991.0;
        match self {
            Value::Number(number) if number.fract() == 0.0 && number.abs() <= LIMIT => Some(*number as i64),
            _ => None,
        }
    }

    /// JSON-LD writes a list of one as the thing itself: the elements, or the one thing.
    pub fn one_or_many(&self) -> &[Value] {
        match self {
            Value::List(elements) => elements,
            one => std::slice::from_ref(one),
        }
    }

    /// Whether the member is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    /// Whether the member is `false`.
    pub fn is_false(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(false))
    }
}

/// The value that this text is; none where it is no JSON. A byte order mark before it is passed over (RFC 8259 §8.1).
pub fn parse(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text, depth: 0 };
    let value = reader.value()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches(kez_core::text::is_white_space);
    }

    /// Takes this text if it comes next.
    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes white space and then this text.
    fn take_after_space(&mut self, text: &str) -> bool {
        self.skip_space();
        self.take(text)
    }

    fn value(&mut self) -> Option<Value> {
        self.skip_space();
        match self.rest.bytes().next()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::list),
            b'"' => Some(self.string()?.map_or(Value::IllFormed, Value::Text)),
            b'-' | b'0'..=b'9' => self.number(),
            _ if self.take("true") => Some(Value::Bool(true)),
            _ if self.take("false") => Some(Value::Bool(false)),
            _ if self.take("null") => Some(Value::Null),
            _ => None,
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<Value>) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_FOREIGN_JSON_DEPTH {
            return None;
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Option<Value> {
        self.take("[");
        let mut elements = Vec::new();
        if self.take_after_space("]") {
            return Some(Value::List(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.take_after_space("]") {
                return Some(Value::List(elements));
            }
            self.take(",").then_some(())?;
        }
    }

    fn object(&mut self) -> Option<Value> {
        self.take("{");
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        if self.take_after_space("}") {
            return Some(Value::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.take_after_space(":").then_some(())?;
            let value = self.value()?;
            // Of two members with one name the later counts, in the place of the first.
            match name.as_ref().and_then(|name| places.get(name)).and_then(|place| members.get_mut(*place)) {
                Some(member) => member.1 = value,
                None => members.extend(name.map(|name| {
                    places.insert(name.clone(), places.len());
                    (name, value)
                })),
            }
            if self.take_after_space("}") {
                return Some(Value::Object(members));
            }
            self.take(",").then_some(())?;
        }
    }

    fn number(&mut self) -> Option<Value> {
        let length = number_length(self.rest.as_bytes())?;
        let (digits, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        digits.parse().ok().map(Value::Number)
    }

    /// The outer none: no JSON. The inner: half a surrogate pair.
    fn string(&mut self) -> Option<Option<String>> {
        self.take("\"").then_some(())?;
        let mut units = String::new();
        let mut well_formed = true;
        loop {
            let end = self.rest.find(|it: char| it == '"' || it == '\\' || it < ' ')?;
            let (plain, rest) = self.rest.split_at_checked(end)?;
            units.push_str(plain);
            self.rest = rest;
            if self.take("\"") {
                return Some(well_formed.then_some(units));
            }
            self.take("\\").then_some(())?;
            match self.escape()? {
                Some(character) => units.push(character),
                None => well_formed = false,
            }
        }
    }

    fn escape(&mut self) -> Option<Option<char>> {
        let mut rest = self.rest.chars();
        let kind = rest.next()?;
        self.rest = rest.as_str();
        let character = match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unit_escape(),
            _ => return None,
        };
        Some(Some(character))
    }

    fn unit_escape(&mut self) -> Option<Option<char>> {
        let high = self.unit()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Some(char::from_u32(high));
        }
        let before = self.rest;
        if self.take("\\u") {
            let low = self.unit()?;
            if (0xdc00..0xe000).contains(&low) {
                return Some(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
            }
            self.rest = before;
        }
        Some(None)
    }

    fn unit(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        digits.bytes().all(|it| it.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}

/// Bytes of the number at the beginning, RFC 8259 §6.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |at: usize| bytes.iter().skip(at).take_while(|it| it.is_ascii_digit()).count();
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|it| any.contains(it));
    let start = usize::from(is(0, b"-"));
    let whole = digits(start);
    if whole == 0 || whole > 1 && is(start, b"0") {
        return None;
    }
    let mut end = start + whole;
    if is(end, b".") {
        let fraction = digits(end + 1);
        (fraction > 0).then_some(())?;
        end += 1 + fraction;
    }
    if is(end, b"eE") {
        let sign = usize::from(is(end + 1, b"+-"));
        let exponent = digits(end + 1 + sign);
        (exponent > 0).then_some(())?;
        end += 1 + sign + exponent;
    }
    Some(end)
}
