//! A value in, its JSON at the end of a text out: for what is written so often that serde's way is felt.

use serde::Serialize;
use serde_json::{Result, Value};

/// Puts a text, quoted.
pub fn put_text(json: &mut String, text: &str) {
    json.push('"');
    put_escaped(json, text);
    json.push('"');
}

/// Puts a text as it stands between quotes.
#[inline]
pub fn put_escaped(json: &mut String, text: &str) {
    if is_plain(text) {
        json.push_str(text);
    } else {
        let quoted = Value::from(text).to_string();
        json.push_str(&quoted[1..quoted.len() - 1]);
    }
}

/// Puts a number.
#[inline]
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

/// Whether a string of JSON may hold a text as it is (RFC 8259 §7).
#[inline]
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    // The last eight bytes, or four, may hold some that were looked at before.
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        let mut words = words.iter().chain([last]);
        return words.all(|word| is_word_plain(u64::from_le_bytes(*word)));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
        return is_word_plain(first | last << 32);
    }
    let is_byte_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
    bytes.iter().all(is_byte_plain)
}

/// The same of eight bytes at once.
const fn is_word_plain(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The high bit of a byte is set where it is below a limit, or one above it is and had to lend: either way there is one.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word
    }
    let controls = below(word, b' ' as u64);
    let quotes = below(word ^ (ONES * b'"' as u64), 1);
    let slashes = below(word ^ (ONES * b'\\' as u64), 1);
    (controls | quotes | slashes) & HIGH == 0
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
        let short = (1..=8).flat_map(|length| {
            let places = (0..length).map(move |place| (length, place));
            places.flat_map(|(length, place)| {
                every.chars().map(move |one| {
                    let (before, after) = ("a".repeat(place), "b".repeat(length - place - 1));
                    format!("{before}{one}{after}")
                })
            })
        });
        let placed = (0..=8).flat_map(|place| {
            let before = "a".repeat(place);
            every
                .chars()
                .map(move |one| format!("{before}{one}é\u{7f}!~[]#bcd"))
        });
        let others = [String::new(), every.clone(), "a/b c~".to_owned()];
        for text in singles.chain(short).chain(placed).chain(others) {
            let mut json = "[".to_owned();
            put_text(&mut json, &text);
            assert_eq!(json[1..], serde_json::to_string(&text).unwrap());
        }
    }
}
