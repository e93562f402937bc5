//! Session ids in the order in which they were opened in, why they could be guessed out.

/// Random bits below which an id can be guessed online (OWASP, Session Management Cheat Sheet).
const FEWEST_BITS: u32 = 64;

/// Why somebody could guess the next id; `None` where nothing of it can be seen.
pub(super) fn guessable(ids: &[&str]) -> Option<String> {
    if ids
        .iter()
        .any(|id| !id.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return Some("an id is not visible ASCII".to_owned());
    }
    let twice = |at: usize| ids[..at].contains(&ids[at]);
    if (1..ids.len()).any(twice) {
        return Some("two sessions have the same id".to_owned());
    }
    let bits = varying_bits(ids);
    (bits < FEWEST_BITS)
        .then(|| format!("ids differ in no more than {bits} bits; {FEWEST_BITS} are the least"))
}

/// At most so many bits are in the places where the ids differ.
fn varying_bits(ids: &[&str]) -> u32 {
    let shortest = ids.iter().map(|id| id.len()).min().unwrap_or_default();
    let varies = |place: &usize| {
        let mut letters = ids.iter().map(|id| id.as_bytes()[*place]);
        let first = letters.next();
        letters.any(|letter| Some(letter) != first)
    };
    let places: Vec<usize> = (0..shortest).filter(varies).collect();
    let letters: Vec<u8> = places
        .iter()
        .flat_map(|place| ids.iter().map(|id| id.as_bytes()[*place]))
        .collect();
    u32::try_from(places.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(bits_a_letter(&letters))
}

/// What one letter can hold, by the smallest usual alphabet that has all of them; rounded down.
fn bits_a_letter(letters: &[u8]) -> u32 {
    if letters.iter().all(u8::is_ascii_digit) {
        3
    } else if letters.iter().all(u8::is_ascii_hexdigit) {
        4
    } else {
        5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_times_are_guessable_and_random_ids_are_not() {
        let table: [(&[&str], bool); 7] = [
            (&["session-1", "session-2", "session-3"], true),
            (&["1790000000123", "1790000000150", "1790000000188"], true),
            (&["a\u{7f}1", "b22", "c33"], true),
            (&["same", "same", "other"], true),
            (
                &[
                    "0d0fbd1c-8aa4-4b6e-9f0e-1c6f5b0f0a01",
                    "7a53b2b0-52fb-4f3e-8c9a-aa25e0b3f6d2",
                    "c2f14b0a-16b5-4e29-b7f1-50d5f2c4c833",
                ],
                false,
            ),
            (
                &[
                    "u0aVbXq1LrJ2c4cS8oQk3zT7yN5mW9pD",
                    "Zp8nB6vH2kX4jS0qR7wE1tY3uI5oP9aL",
                    "mQ2wN8eB4rV6tC1yX3uZ5iL7oK9pJ0aH",
                ],
                false,
            ),
            (&["a", "b"], true),
        ];
        for (ids, expected) in table {
            assert_eq!(guessable(ids).is_some(), expected, "{ids:?}");
        }
    }
}
