//! A secret in, every text in which it may stand out.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter texts stand in too many innocent places.
pub(super) const SHORTEST: usize = 4;

/// Bytes of an encoding by which it is recognised. More would make whatever looks for them grow with the length of every token.
pub(super) const ANCHOR: usize = 24;

/// What of a secret may stand in a text on its own: all of it, without white space around it, and of a JWT its payload
/// and its signature.
///
/// The header of a JWT is not learnt on its own: it is the same for every token of an issuer.
pub(super) fn units(secret: &str) -> BTreeSet<&str> {
    let trimmed = secret.trim();
    let mut units = vec![secret, trimmed];
    units.extend(jwt_parts(trimmed));
    units.retain(|unit| is_long_enough(unit));
    units.into_iter().collect()
}

/// How the encodings of a unit begin. Each encoding goes from character to character, so the unit's first ones are enough.
pub(super) fn anchors(unit: &str) -> BTreeSet<Vec<u8>> {
    let end = unit
        .char_indices()
        .nth(ANCHOR)
        .map_or(unit.len(), |(at, _)| at);
    let forms = forms(&unit[..end]).into_iter();
    forms
        .map(|form| form.as_bytes()[..form.len().min(ANCHOR)].to_vec())
        .collect()
}

/// All encodings of a unit, each once.
pub(super) fn forms(unit: &str) -> BTreeSet<String> {
    encodings(unit)
        .into_iter()
        .filter(|form| is_long_enough(form))
        .collect()
}

fn is_long_enough(text: &str) -> bool {
    text.chars().nth(SHORTEST - 1).is_some()
}

/// Payload and signature (RFC 7515 §3.1), when the text looks like a signed token.
fn jwt_parts(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split('.').collect();
    let base64url = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    match parts[..] {
        [header, payload, signature]
            if header.starts_with("ey") && parts.iter().all(|part| base64url(part)) =>
        {
            vec![payload, signature]
        }
        _ => Vec::new(),
    }
}

fn encodings(unit: &str) -> Vec<String> {
    let bytes = unit.as_bytes();
    let mut forms = vec![
        unit.to_owned(),
        hex(bytes),
        hex(bytes).to_uppercase(),
        decimal(bytes, ", "),
        decimal(bytes, ","),
    ];
    forms.extend(percent(bytes));
    forms.extend(base64(bytes));
    forms.extend(json(unit));
    forms.extend(html(unit));
    forms.extend(wide(unit));
    forms
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend(digits(*byte, LOWER));
    }
    text
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

fn digits(byte: u8, alphabet: &[u8; 16]) -> [char; 2] {
    [byte >> 4, byte & 15].map(|digit| char::from(alphabet[usize::from(digit)]))
}

/// A byte list as languages print it; the brackets are nobody's secret.
fn decimal(bytes: &[u8], separator: &str) -> String {
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    numbers.join(separator)
}

/// Percent-encoding: strict (RFC 3986 §2.3), as browsers' `encodeURIComponent` does it, and as HTML forms do it, each with hex digits of both cases.
fn percent(bytes: &[u8]) -> impl Iterator<Item = String> {
    let kept: [(&[u8], &str); 3] = [(b"-._~", "%20"), (b"-._~!'()*", "%20"), (b"-._*", "+")];
    let texts = kept
        .map(|(kept, space)| [UPPER, LOWER].map(|alphabet| escapes(bytes, kept, space, alphabet)));
    texts.into_iter().flatten()
}

fn escapes(bytes: &[u8], kept: &[u8], space: &str, alphabet: &[u8; 16]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if *byte == b' ' {
            text.push_str(space);
        } else if byte.is_ascii_alphanumeric() || kept.contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            text.extend(digits(*byte, alphabet));
        }
    }
    text
}

/// Base64 in both alphabets, wherever in a longer text the secret begins: the characters that share bits with a neighbour are cut off.
fn base64(bytes: &[u8]) -> impl Iterator<Item = String> {
    let at_offset = |offset: usize| {
        let padded = [&[0; 2][..offset], bytes].concat();
        let stable = (8 * offset).div_ceil(6)..8 * padded.len() / 6;
        [
            STANDARD_NO_PAD.encode(&padded),
            URL_SAFE_NO_PAD.encode(&padded),
        ]
        .map(|text| text[stable.clone()].to_owned())
    };
    [0, 1, 2].map(at_offset).into_iter().flatten()
}

/// Inside a JSON string: as `serde_json` writes it, with escaped slashes (PHP), with HTML-safe escapes (Go, .NET), in pure ASCII (Python).
fn json(text: &str) -> Vec<String> {
    let plain = serde_json::Value::from(text).to_string();
    let plain = plain[1..plain.len() - 1].to_owned();
    let slashed = plain.replace('/', "\\/");
    let ascii = escaped(&plain, "", hex_escape);
    let go = escaped(&plain, "<>&", hex_escape);
    let dotnet = escaped(&plain.replace("\\\"", "\\u0022"), "<>&'+`", |unit| {
        format!("\\u{unit:04X}")
    });
    vec![plain, slashed, ascii, go, dotnet]
}

fn hex_escape(unit: u16) -> String {
    format!("\\u{unit:04x}")
}

fn escaped(text: &str, special: &str, escape: impl Fn(u16) -> String) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if char.is_ascii() && !special.contains(char) {
            out.push(char);
        } else {
            out.extend(
                char.encode_utf16(&mut [0; 2])
                    .iter()
                    .map(|unit| escape(*unit)),
            );
        }
    }
    out
}

fn html(text: &str) -> [String; 2] {
    let named = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    [named.replace('\'', "&#39;"), named.replace('\'', "&#x27;")]
}

/// UTF-16 that was read as bytes: little- and big-endian share everything but a NUL at one end.
fn wide(text: &str) -> Option<String> {
    let chars: Vec<String> = text.chars().map(String::from).collect();
    text.is_ascii().then(|| chars.join("\0"))
}
