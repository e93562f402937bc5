//! A good token's `Authorization` in, the same with one thing wrong out: what a door must not believe.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde_json::{Value, json};

use super::header::Form;
use crate::secret::Secret;

/// What is no token of anybody's.
pub const GARBAGE: HeaderValue = HeaderValue::from_static("Bearer rolecall-is-no-token");

/// The token with the first letter of its signature changed; `None` where it is no signed JWT.
pub fn edited(authorization: &HeaderValue) -> Option<Secret> {
    let token = bearer(authorization)?;
    let (signed, signature) = token.expose().rsplit_once('.')?;
    let mut letters = signature.chars();
    let other = if letters.next()? == 'A' { 'B' } else { 'A' };
    Some(Secret::new(format!("{signed}.{other}{}", letters.as_str())))
}

/// The same claims with `alg: none` and no signature (RFC 7519 §6.1); `None` where it is no signed JWT.
pub fn unsigned(authorization: &HeaderValue) -> Option<Secret> {
    let token = bearer(authorization)?;
    let mut parts = token.expose().split('.');
    let (head, claims) = (parts.next()?, parts.next()?);
    let head = URL_SAFE_NO_PAD.decode(head).ok()?;
    let mut head: Value = serde_json::from_slice(&head).ok()?;
    *head.get_mut("alg")? = json!("none");
    let head = URL_SAFE_NO_PAD.encode(head.to_string());
    Some(Secret::new(format!("{head}.{claims}.")))
}

/// The token of an `Authorization` value, signed JWT or not.
pub fn token(authorization: &HeaderValue) -> Option<Secret> {
    let (_, token) = authorization.to_str().ok()?.split_once(' ')?;
    Some(Secret::new(token.trim().to_owned()))
}

/// The `Authorization` value that presents a token.
pub fn presented(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn bearer(authorization: &HeaderValue) -> Option<Secret> {
    token(authorization).filter(|token| Form::of(token.expose()) == Form::Signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> HeaderValue {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let token = format!(
            "{}.{}.AQAB",
            part(r#"{"alg":"RS256","kid":"k"}"#),
            part(r#"{"sub":"me"}"#)
        );
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap()
    }

    #[test]
    fn each_forgery_has_one_thing_wrong() {
        let whole = token(&good()).unwrap();
        let (signed, _) = whole.expose().rsplit_once('.').unwrap();
        assert_eq!(edited(&good()).unwrap().expose(), format!("{signed}.BQAB"));
        let unsigned = unsigned(&good()).unwrap();
        let parts: Vec<&str> = unsigned.expose().split('.').collect();
        let head: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
        assert_eq!(head, json!({"alg": "none", "kid": "k"}));
        assert_eq!(Some(parts[1]), whole.expose().split('.').nth(1));
        assert_eq!((parts.len(), parts[2]), (3, ""));
        assert!(presented(&unsigned).unwrap().is_sensitive());
    }

    #[test]
    fn what_is_no_signed_token_cannot_be_forged() {
        for text in ["Bearer opaque", "Bearer a.b.c", "Bearer"] {
            let value = HeaderValue::from_static(text);
            assert!(
                edited(&value).is_none() && unsigned(&value).is_none(),
                "{text}"
            );
        }
    }
}
