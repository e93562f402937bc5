//! Text that a server sent in, the same text without secrets and within bounds out.

use std::borrow::Cow;
use std::sync::Arc;

use crate::secret::Redactor;

/// Cleans every text of one exchange before it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scrubber<'r> {
    redactor: &'r Redactor,
    /// In digits.
    id: Option<Id>,
    names: &'r [String],
}

impl<'r> Scrubber<'r> {
    /// For an exchange without a JSON-RPC id.
    pub(super) const fn new(redactor: &'r Redactor) -> Self {
        Self {
            redactor,
            id: None,
            names: &[],
        }
    }

    /// For the exchange whose request carried this JSON-RPC id. Where the server repeats the id, the text says `1`:
    /// ids are drawn by lot, and the same answer must give the same record.
    pub(super) fn of_message(redactor: &'r Redactor, id: u64) -> Self {
        Self {
            redactor,
            id: Some(Id::of(id)),
            names: &[],
        }
    }

    /// The same that keeps headers of these names (lower case), too.
    pub(super) const fn keeping(self, names: &'r [String]) -> Self {
        Self { names, ..self }
    }

    /// Whether headers of this name are kept besides the usual ones.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The text without known secrets, cut to `cap` bytes at most, on a character's border.
    pub(super) fn text(&self, text: &str, cap: usize) -> String {
        cut(self.clean(text), cap)
    }

    /// The same of a text that may be kept as it is.
    pub(super) fn own(&self, text: Arc<str>, cap: usize) -> Arc<str> {
        match self.clean(&text) {
            Cow::Borrowed(clean) if clean.len() <= cap => text,
            clean => cut(clean, cap).into(),
        }
    }

    /// The whole text is redacted before any cut, so that no half of a secret is left at its edge.
    fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let clean = self.redactor.redact(text);
        let without = self.id.as_ref().and_then(|id| id.struck_from(&clean));
        without.map_or(clean, Cow::Owned)
    }
}

/// A JSON-RPC id as it stands in a text.
#[derive(Clone, Copy, Debug)]
struct Id {
    digits: [u8; DIGITS],
    length: usize,
}

/// Digits of the largest id.
const DIGITS: usize = 20;

impl Id {
    fn of(id: u64) -> Self {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(id).as_bytes();
        let mut digits = [0; DIGITS];
        digits[..text.len()].copy_from_slice(text);
        let length = text.len();
        Self { digits, length }
    }

    /// The text with `1` wherever the id stands; `None` where it does not.
    fn struck_from(&self, text: &str) -> Option<String> {
        let mut at = self.find(text.as_bytes())?;
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        loop {
            told.push_str(&rest[..at]);
            told.push('1');
            rest = &rest[at + self.length..];
            let Some(next) = self.find(rest.as_bytes()) else {
                told.push_str(rest);
                return Some(told);
            };
            at = next;
        }
    }

    /// Where it stands first. Then one of its digits stands at every so many bytes as it has, and few other bytes are looked at.
    fn find(&self, text: &[u8]) -> Option<usize> {
        let id = &self.digits[..self.length];
        let mut at = id.len() - 1;
        while let Some(byte) = text.get(at) {
            if byte.is_ascii_digit() {
                let mut places = (0..id.len()).rev().filter(|place| id[*place] == *byte);
                let starts_there = |place: &usize| text[at - place..].starts_with(id);
                if let Some(place) = places.find(starts_there) {
                    return Some(at - place);
                }
            }
            at += id.len();
        }
        None
    }
}

fn cut(text: Cow<'_, str>, cap: usize) -> String {
    match text {
        Cow::Borrowed(text) => text[..border(text, cap)].to_owned(),
        Cow::Owned(mut text) => {
            text.truncate(border(&text, cap));
            text
        }
    }
}

fn border(text: &str, cap: usize) -> usize {
    if text.len() <= cap {
        return text.len();
    }
    (0..=cap)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_cut_falls_on_a_characters_border() {
        let redactor = Redactor::default();
        let scrubber = Scrubber::new(&redactor);
        assert_eq!(scrubber.text("añb", 3), "añ");
        assert_eq!(scrubber.text("añb", 2), "a");
        assert_eq!(scrubber.text("añb", 99), "añb");
        assert_eq!(scrubber.text("ñ", 0), "");
    }

    #[test]
    fn the_calls_own_id_reads_one() {
        let redactor = Redactor::default();
        let scrubber = Scrubber::of_message(&redactor, 123_456_789);
        assert_eq!(
            scrubber.text(r#"{"id":123456789,"n":12}"#, 99),
            r#"{"id":1,"n":12}"#
        );
        assert_eq!(scrubber.text("123456789: 123456789.", 99), "1: 1.");
        for before in 0..20 {
            let (before, after) = ("x".repeat(before), "y");
            let text = scrubber.text(&format!("{before}123456789{after}"), 99);
            assert_eq!(text, format!("{before}1{after}"));
        }
    }

    proptest! {
        #[test]
        fn an_id_is_found_wherever_it_stands(id in 0_u64..300, text in "[0-2ü]{0,24}") {
            let struck = Id::of(id).struck_from(&text);
            prop_assert_eq!(struck.unwrap_or_else(|| text.clone()), text.replace(&id.to_string(), "1"));
        }
    }

    #[test]
    fn a_text_of_ones_own_is_cleaned_and_cut_like_any_other() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("correct-horse-battery".to_owned()));
        let scrubber = Scrubber::of_message(&redactor, 123_456_789);
        for text in [
            "",
            "plain",
            "a\u{f1}b",
            "say correct-horse-battery",
            "id 123456789",
        ] {
            for cap in [0, 2, 4, 12, 99] {
                let own = scrubber.own(text.into(), cap);
                assert_eq!(*own, *scrubber.text(text, cap), "{text} {cap}");
            }
        }
    }

    #[test]
    fn no_part_of_a_secret_is_left_at_the_cut() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("correct-horse-battery".to_owned()));
        let kept = Scrubber::new(&redactor).text("say correct-horse-battery", 12);
        assert!(!kept.contains("correct"), "{kept}");
    }
}
