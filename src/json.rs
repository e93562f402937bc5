//! A value in, its JSON at the end of a text out: for what is written so often that serde's way is felt.

use serde::Serialize;
use serde_json::{Result, Value};

/// Puts a text, quoted.
pub fn put_text(json: &mut String, text: &str) {
    if text.bytes().all(is_plain) {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        json.push_str(&Value::from(text).to_string());
    }
}

/// Puts a number.
pub fn put_number(json: &mut String, number: impl itoa::Integer) {
    json.push_str(itoa::Buffer::new().format(number));
}

/// Puts any value.
///
/// # Errors
/// Those of its serializer.
pub fn put(json: &mut String, value: &(impl Serialize + ?Sized)) -> Result<()> {
    json.push_str(&serde_json::to_string(value)?);
    Ok(())
}

/// Whether a string of JSON may hold a byte of a text as it is (RFC 8259 §7).
const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_as_serde_does_it() {
        let every: String = ('\u{0}'..='\u{ff}')
            .chain(['€', '\u{2028}', '😀'])
            .collect();
        let singles = every.chars().map(String::from);
        for text in singles.chain([String::new(), every.clone(), "a/b c~".to_owned()]) {
            let mut json = "[".to_owned();
            put_text(&mut json, &text);
            assert_eq!(json[1..], serde_json::to_string(&text).unwrap());
        }
    }
}
