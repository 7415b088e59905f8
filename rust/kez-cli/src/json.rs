//! Building the JSON that commands print: docs/json.md.

use kez_core::{Code, Digest, Identity, Json, KeyIdentity, Time};

/// What has one form in JSON.
pub trait ToJson {
    /// That form.
    fn to_json(&self) -> Json;
}

impl ToJson for Json {
    fn to_json(&self) -> Json {
        self.clone()
    }
}

impl ToJson for bool {
    fn to_json(&self) -> Json {
        Json::Bool(*self)
    }
}

impl ToJson for u64 {
    fn to_json(&self) -> Json {
        Json::Number(*self as f64)
    }
}

impl ToJson for usize {
    fn to_json(&self) -> Json {
        Json::Number(*self as f64)
    }
}

macro_rules! texts {
    ($($name:ty),+) => { $(impl ToJson for $name {
        fn to_json(&self) -> Json {
            Json::String(self.to_string())
        }
    })+ };
}

texts!(str, String, Code, Digest, Identity, KeyIdentity, Time);

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self) -> Json {
        (**self).to_json()
    }
}

/// Null where nothing is known.
impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Json {
        self.as_ref().map_or(Json::Null, ToJson::to_json)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Json {
        Json::Array(self.iter().map(ToJson::to_json).collect())
    }
}

/// An object: `object! { "name" => value, … }`.
macro_rules! object {
    ($($name:literal => $value:expr),* $(,)?) => {
        kez_core::Json::object([$(($name, $crate::json::ToJson::to_json(&$value))),*])
    };
}
pub(crate) use object;

/// The object with one more member.
pub fn with(mut object: Json, name: &str, value: impl ToJson) -> Json {
    if let Json::Object(members) = &mut object {
        members.insert(name.to_owned(), value.to_json());
    }
    object
}
