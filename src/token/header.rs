//! A token in, what its first part says of form, key and algorithm out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Bytes of base64url that a header may have.
const CAP: usize = 8 * 1024;

/// What kind of token it is, as far as its outside tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Form {
    /// A JWS in compact form (RFC 7515 §3.1), which is what an API can read.
    Signed,
    /// A JWE of five parts (RFC 7516 §3.1): only its audience can read it.
    Encrypted,
    /// A token whose header carries a `nonce`, as those for Microsoft Graph do: only Graph can verify it.
    Sealed,
    /// No JWT at all.
    #[default]
    Opaque,
}

/// The header of a signed token (RFC 7515 §4), not trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Header {
    /// `alg`; empty when there is none.
    pub(super) algorithm: String,
    /// `kid`.
    pub(super) key_id: Option<String>,
    /// Whether there is a `nonce`.
    pub(super) sealed: bool,
}

impl Form {
    /// Looks at a token's parts and header.
    pub(super) fn of(token: &str) -> Self {
        match token.split('.').count() {
            5 => Self::Encrypted,
            3 => match Header::read(token) {
                Some(header) if header.sealed => Self::Sealed,
                Some(_) => Self::Signed,
                None => Self::Opaque,
            },
            _ => Self::Opaque,
        }
    }
}

impl Header {
    /// Reads the first part; `None` when it is no JSON object in base64url, or beyond 8 KiB.
    pub(super) fn read(token: &str) -> Option<Self> {
        let (first, _) = token.split_once('.')?;
        if first.len() > CAP {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(first.trim_end_matches('=')).ok()?;
        let header: Value = serde_json::from_slice(&json).ok()?;
        let header = header.as_object()?;
        let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            algorithm: text("alg").unwrap_or_default(),
            key_id: text("kid"),
            sealed: header.contains_key("nonce"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn a_form_is_told_by_parts_and_header() {
        let deep = format!(r#"{{"a":{}}}"#, "[".repeat(5_000));
        let table = [
            (token(r#"{"alg":"RS256"}"#), Form::Signed),
            (token("{}"), Form::Signed),
            (token(r#"{"alg":"RS256","nonce":"n"}"#), Form::Sealed),
            ("a.b.c.d.e".to_owned(), Form::Encrypted),
            ("....".to_owned(), Form::Encrypted),
            (token("[]"), Form::Opaque),
            (token(&deep), Form::Opaque),
            ("!.e30.c".to_owned(), Form::Opaque),
            ("a.b.c.d.e.f".to_owned(), Form::Opaque),
            ("opaque".to_owned(), Form::Opaque),
            (String::new(), Form::Opaque),
            (
                token(&format!(r#"{{"a":"{}"}}"#, "x".repeat(CAP))),
                Form::Opaque,
            ),
        ];
        for (token, form) in table {
            assert_eq!(Form::of(&token), form, "{token:.60}");
        }
    }

    #[test]
    fn a_header_without_words_has_none() {
        let header = Header::read(&token(r#"{"alg":7,"kid":["k"]}"#)).unwrap();
        assert_eq!((header.algorithm.as_str(), header.key_id), ("", None));
    }
}
