//! A token in, what it says of itself out; the signature is not looked at.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Bytes of base64url that a payload may have.
const CAP: usize = 64 * 1024;
/// Characters of one shown string.
const SHOWN_CHARS: usize = 200;
/// Elements of one shown list or object.
const SHOWN_ELEMENTS: usize = 50;
/// Objects within objects in which words are looked for.
const DEEP: usize = 3;
/// Places that are named.
const PLACES: usize = 3;
/// Claims that describe a token without identifying more than the test persona.
const SHOWN: [&str; 29] = [
    "typ",
    "ver",
    "iss",
    "aud",
    "iat",
    "nbf",
    "exp",
    "tid",
    "idtyp",
    "roles",
    "scp",
    "scope",
    "permissions",
    "realm_access",
    "resource_access",
    "cognito:groups",
    "token_use",
    "appid",
    "azp",
    "client_id",
    "cid",
    "sub",
    "oid",
    "upn",
    "preferred_username",
    "amr",
    "wids",
    "acct",
    "hasgroups",
];

/// The payload of a JWT (RFC 7519), unverified.
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the payload; `None` when the text is no JWT of three parts with a JSON object in the middle, or a payload beyond 64 KiB.
    pub fn read(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let [_, payload, _] = parts[..] else {
            return None;
        };
        if payload.len() > CAP {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        match serde_json::from_slice(&json).ok()? {
            Value::Object(claims) => Some(Self(claims)),
            _ => None,
        }
    }

    /// Whether a claim is there and not null.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|claim| !claim.is_null())
    }

    /// Whether a claim is said to stand elsewhere (`OpenID` Connect Core 1.0 §5.6.2).
    pub fn names_elsewhere(&self, name: &str) -> bool {
        let elsewhere = self.0.get("_claim_names").and_then(Value::as_object);
        elsewhere.is_some_and(|names| names.contains_key(name))
    }

    /// The claims that may be shown, by allow-list, with long values cut; of `groups` only how many there are.
    pub fn shown(&self) -> Value {
        let listed = SHOWN
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), cut(self.0.get(*name)?, 3))));
        let mut shown: Map<String, Value> = listed.collect();
        if let Some(Value::Array(groups)) = self.0.get("groups") {
            shown.insert("groups".to_owned(), groups.len().into());
        }
        Value::Object(shown)
    }

    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a time, in whole seconds since 1970 (RFC 7519 §2, `NumericDate`).
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let number = self.0.get(name)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a NumericDate may have a fraction; beyond i64 it saturates"
        )]
        number
            .as_i64()
            .or_else(|| number.as_f64().map(|seconds| seconds as i64))
    }

    /// Values at an RFC 6901 pointer: a list of strings, or one string of words apart by spaces (RFC 6749 §3.3); `None` when nothing stands there.
    pub fn words(&self, pointer: &str) -> Option<Vec<String>> {
        words(self.at(pointer)?)
    }

    /// Where all of these words stand, as RFC 6901 pointers; at most three, scopes last, for those are asked for and not held.
    /// The names come from the token, so long ones and those that are no plain ASCII are left out.
    pub fn places_of(&self, wanted: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        for (name, value) in &self.0 {
            search(&pointer("", name), value, DEEP, wanted, &mut found);
        }
        found.retain(|place| {
            place.len() <= SHOWN_CHARS && place.bytes().all(|b| b.is_ascii_graphic())
        });
        found.sort_by_key(|place| matches!(place.as_str(), "/scope" | "/scp"));
        found.truncate(PLACES);
        found
    }

    /// The `aud` claim: one string or several (RFC 7519 §4.1.3); empty when there is none.
    pub fn audiences(&self) -> Vec<String> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        let path = pointer.strip_prefix('/')?;
        let (first, rest) = path
            .split_once('/')
            .map_or((path, ""), |(first, _)| (first, &path[first.len()..]));
        self.0
            .get(&first.replace("~1", "/").replace("~0", "~"))?
            .pointer(rest)
    }
}

fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => Some(
            values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        ),
        Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        _ => None,
    }
}

fn pointer(above: &str, name: &str) -> String {
    format!("{above}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn search(place: &str, value: &Value, depth: usize, wanted: &[String], found: &mut Vec<String>) {
    match value {
        Value::Object(members) if depth > 0 => {
            for (name, value) in members {
                search(&pointer(place, name), value, depth - 1, wanted, found);
            }
        }
        value => {
            let there = words(value).unwrap_or_default();
            if !wanted.is_empty() && wanted.iter().all(|word| there.contains(word)) {
                found.push(place.to_owned());
            }
        }
    }
}

fn cut(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) => text.chars().take(SHOWN_CHARS).collect::<String>().into(),
        Value::Array(_) | Value::Object(_) if depth == 0 => Value::Null,
        Value::Array(values) => values
            .iter()
            .take(SHOWN_ELEMENTS)
            .map(|value| cut(value, depth - 1))
            .collect(),
        Value::Object(members) => {
            let short = |name: &String| name.chars().take(SHOWN_CHARS).collect::<String>();
            members
                .iter()
                .take(SHOWN_ELEMENTS)
                .map(|(name, value)| (short(name), cut(value, depth - 1)))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claims").field(&self.shown()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    impl From<&Value> for Claims {
        fn from(payload: &Value) -> Self {
            Self(payload.as_object().cloned().unwrap_or_default())
        }
    }

    fn token(payload: &str) -> String {
        format!(
            "eyJhbGciOiJub25lIn0.{}.c2ln",
            URL_SAFE_NO_PAD.encode(payload)
        )
    }

    fn claims(payload: &Value) -> Claims {
        Claims::read(&token(&payload.to_string())).unwrap()
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        let deep = format!(r#"{{"a":{}}}"#, "[".repeat(10_000));
        let cases = [
            String::new(),
            "opaque".to_owned(),
            "a.b".to_owned(),
            "a.b.c.d.e".to_owned(),
            "a.!.c".to_owned(),
            "e30.Zm9v.c".to_owned(),
            token("[1]"),
            token("\u{0}"),
            token(&deep),
            token(&format!(r#"{{"a":"{}"}}"#, "x".repeat(CAP))),
        ];
        for case in cases {
            assert_eq!(Claims::read(&case), None, "{case:.40}");
        }
    }

    #[test]
    fn words_are_found_by_pointer_in_lists_and_in_strings() {
        let claims = claims(&json!({
            "roles": ["A", "B"], "scope": "read  write", "realm_access": {"roles": ["K"]},
            "https://ns/roles": ["N"], "tilde~": "T", "number": 1, "empty": [],
        }));
        let cases: [(&str, Option<&[&str]>); 9] = [
            ("/roles", Some(&["A", "B"])),
            ("/scope", Some(&["read", "write"])),
            ("/realm_access/roles", Some(&["K"])),
            ("/https:~1~1ns~1roles", Some(&["N"])),
            ("/tilde~0", Some(&["T"])),
            ("/empty", Some(&[])),
            ("/number", None),
            ("/missing/roles", None),
            ("roles", None),
        ];
        for (pointer, expected) in cases {
            let expected =
                expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
            assert_eq!(claims.words(pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn words_are_looked_for_wherever_they_may_stand() {
        let claims = claims(&json!({
            "scope": "openid A B", "https://ns/a~b": ["B", "A"], "realm_access": {"roles": ["A", "B", "C"]},
            "one": ["A"], "other": "AB", "n\u{f6}n": ["A", "B"], "bad name": ["A", "B"],
            "deep": {"a": {"b": {"c": {"d": ["A", "B"]}}}}, "x".repeat(SHOWN_CHARS): ["A", "B"],
        }));
        let wanted = ["A".to_owned(), "B".to_owned()];
        let expected = ["/https:~1~1ns~1a~0b", "/realm_access/roles", "/scope"];
        assert_eq!(claims.places_of(&wanted), expected);
        assert_eq!(claims.places_of(&[]), Vec::<String>::new());
        assert_eq!(claims.places_of(&["D".to_owned()]), Vec::<String>::new());
    }

    #[test]
    fn only_listed_claims_are_shown_and_long_ones_are_cut() {
        let claims = claims(&json!({
            "aud": "api", "nonce": "n", "email": "e", "groups": ["a", "b"], "sub": "s".repeat(999),
            "wids": vec!["w"; 99], "realm_access": {"roles": ["r", [[["deep"]]]]},
        }));
        let expected = json!({
            "aud": "api", "realm_access": {"roles": ["r", [null]]}, "sub": "s".repeat(SHOWN_CHARS),
            "wids": vec!["w"; SHOWN_ELEMENTS], "groups": 2,
        });
        assert_eq!(claims.shown(), expected);
        assert!(!format!("{claims:?}").contains("nonce"));
    }

    #[test]
    fn times_may_have_fractions_and_audiences_may_be_lists() {
        let claims = claims(&json!({"exp": 5.9, "nbf": 7, "iat": "8", "aud": ["a", 1, "b"]}));
        let times = ["exp", "nbf", "iat"].map(|name| claims.seconds(name));
        assert_eq!(times, [Some(5), Some(7), None]);
        assert_eq!(claims.audiences(), ["a", "b"]);
    }
}
