//! Any text in, the same text with every known secret masked out, in whatever encoding it stands.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::sieve::Sieve;
use super::{Secret, encoding};

/// What stands in a secret's place.
const MASK: &str = "[redacted]";

/// Knows every secret of the run; new ones (tokens) are added as they are acquired.
///
/// A secret is masked as far as the text agrees with it, so that one that a body cap cut in two does not leave its first half.
/// Secrets of fewer than four characters are not learnt. 1 MiB against 50 secrets, half of them tokens of 1.6 kB, takes 5 ms
/// (release build, one core of a small virtual machine).
#[derive(Default)]
pub struct Redactor {
    known: RwLock<Known>,
}

/// Every secret, and what finds them, built when it is first needed: secrets are learnt many at a time.
#[derive(Default)]
struct Known {
    units: Vec<Arc<Unit>>,
    finder: OnceLock<Option<Finder>>,
}

/// What of a secret may stand in a text on its own. Its encodings are many times its length, so they are made when the
/// beginning of one is first met.
struct Unit {
    text: Secret,
    forms: OnceLock<Vec<String>>,
}

/// Finds where an encoding of a secret may begin, and how far it goes.
struct Finder {
    sieve: Sieve,
    /// How encodings begin, each with its unit.
    anchors: Vec<(Vec<u8>, Arc<Unit>)>,
}

impl Unit {
    fn new(text: &str) -> Self {
        Self {
            text: Secret::new(text.to_owned()),
            forms: OnceLock::new(),
        }
    }

    /// Bytes, after a hit of an anchor, that the text has in common with the encodings that begin so.
    fn agreement(&self, text: &str, anchor: usize) -> usize {
        let forms = self
            .forms
            .get_or_init(|| encoding::forms(self.text.expose()).into_iter().collect());
        let begun = forms
            .iter()
            .map(|form| agreement(form, text))
            .filter(|agreed| *agreed >= anchor);
        begun.max().unwrap_or_default()
    }
}

impl Redactor {
    /// Learns a secret in all its encodings: raw, percent, base64 and base64url at three offsets, hex, JSON- and HTML-escaped,
    /// decimal bytes, UTF-16; of a JWT also its payload and its signature on their own.
    pub fn learn(&self, secret: &Secret) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = |text: &&str| known.units.iter().all(|unit| unit.text.expose() != *text);
        let units = encoding::units(secret.expose());
        let new: Vec<_> = units.into_iter().filter(is_new).map(Unit::new).collect();
        if !new.is_empty() {
            let mut units = known.units.clone();
            units.extend(new.into_iter().map(Arc::new));
            *known = Known {
                units,
                finder: OnceLock::new(),
            };
        }
    }

    /// The text with every known secret replaced by `[redacted]`; borrowed when there was none in it.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(finder) = known.finder.get_or_init(|| Finder::of(&known.units)) else {
            return Cow::Borrowed(text);
        };
        let found = finder.find(text);
        if found.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(mask(text, &found))
        }
    }
}

impl Finder {
    fn of(known: &[Arc<Unit>]) -> Option<Self> {
        let anchors = known.iter().flat_map(|unit| {
            let anchors = encoding::anchors(unit.text.expose()).into_iter();
            anchors.map(move |anchor| (anchor, Arc::clone(unit)))
        });
        let anchors: Vec<_> = anchors.collect();
        let bytes: Vec<&[u8]> = anchors
            .iter()
            .map(|(anchor, _)| anchor.as_slice())
            .collect();
        let sieve = (!bytes.is_empty()).then(|| Sieve::of(&bytes));
        sieve.map(|sieve| Self { sieve, anchors })
    }

    /// Where secrets stand, in order and disjoint. Matches may overlap, so all of them are looked at and joined.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        self.sieve.suspect(text.as_bytes(), |start, anchor| {
            let (anchor, unit) = &self.anchors[anchor];
            if text.as_bytes()[start..].starts_with(anchor) {
                let agreed = unit.agreement(&text[start..], anchor.len());
                found.push(start..start + agreed);
            }
        });
        if found.is_empty() {
            return found;
        }
        found.retain(|range| !range.is_empty());
        found.sort_unstable_by_key(|range| range.start);
        join(found)
    }
}

/// Bytes that text and form have in common from their start, up to a whole character of the text.
fn agreement(form: &str, text: &str) -> usize {
    let common = form
        .bytes()
        .zip(text.bytes())
        .take_while(|(form, text)| form == text)
        .count();
    (common..text.len())
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(text.len())
}

fn join(sorted: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn mask(text: &str, secrets: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut kept = 0;
    for secret in secrets {
        masked.push_str(&text[kept..secret.start]);
        masked.push_str(MASK);
        kept = secret.end;
    }
    masked.push_str(&text[kept..]);
    masked
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(…)")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "p@ss W0rd/+\"'&<~é>\\Q8~x";

    fn knowing(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        for secret in secrets {
            redactor.learn(&Secret::new((*secret).to_owned()));
        }
        redactor
    }

    fn hex(bytes: &[u8]) -> String {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat()
    }

    #[test]
    fn a_secret_is_masked_in_every_encoding() {
        let cases = [
            SECRET.to_owned(),
            "p%40ss%20W0rd%2F%2B%22%27%26%3C~%C3%A9%3E%5CQ8~x".to_owned(),
            "p%40ss%20W0rd%2f%2b%22%27%26%3c~%c3%a9%3e%5cQ8~x".to_owned(),
            "p%40ss%20W0rd%2F%2B%22'%26%3C~%C3%A9%3E%5CQ8~x".to_owned(),
            "p%40ss+W0rd%2F%2B%22%27%26%3C%7E%C3%A9%3E%5CQ8%7Ex".to_owned(),
            hex(SECRET.as_bytes()),
            hex(SECRET.as_bytes()).to_uppercase(),
            r#"p@ss W0rd/+\"'&<~é>\\Q8~x"#.to_owned(),
            r#"p@ss W0rd\/+\"'&<~é>\\Q8~x"#.to_owned(),
            r#"p@ss W0rd/+\"'&<~\u00e9>\\Q8~x"#.to_owned(),
            r"p@ss W0rd/\u002B\u0022\u0027\u0026\u003C~\u00E9\u003E\\Q8~x".to_owned(),
            "p@ss W0rd/+&quot;&#39;&amp;&lt;~é&gt;\\Q8~x".to_owned(),
        ];
        let redactor = knowing(&[SECRET]);
        for case in cases {
            assert_eq!(
                redactor.redact(&format!("a {case} b")),
                "a [redacted] b",
                "{case}"
            );
        }
    }

    #[test]
    fn byte_lists_are_masked_within_their_brackets() {
        let redactor = knowing(&["hunter2!"]);
        assert_eq!(
            redactor.redact("[104, 117, 110, 116, 101, 114, 50, 33]"),
            "[[redacted]]"
        );
        assert_eq!(
            redactor.redact("[104,117,110,116,101,114,50,33]"),
            "[[redacted]]"
        );
    }

    #[test]
    fn utf_16_read_as_bytes_is_masked() {
        let redactor = knowing(&["hunter2!"]);
        assert_eq!(
            redactor.redact("h\0u\0n\0t\0e\0r\x002\0!\0"),
            "[redacted]\0"
        );
        assert_eq!(
            redactor.redact("\0h\0u\0n\0t\0e\0r\x002\0!"),
            "\0[redacted]"
        );
    }

    #[test]
    fn base64_is_masked_wherever_the_secret_begins() {
        let redactor = knowing(&["correct-horse-battery"]);
        for before in ["", "a", "ab", "abc", "user:", "12345678"] {
            let text = format!("{before}correct-horse-battery, and more");
            for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                let redacted = redactor.redact(&encoded).into_owned();
                assert!(
                    redacted.contains(MASK) && redacted.len() <= encoded.len() - 16,
                    "{before}: {redacted}"
                );
            }
        }
    }

    #[test]
    fn parts_of_a_token_are_masked_but_its_header_alone_is_not() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZWFkZXIiLCJhdWQiOiJhcGkifQ.c2lnbmF0dXJlLWJ5dGVzLWhlcmU";
        let redactor = knowing(&[token]);
        let cases = [
            (
                "Bearer TOKEN!",
                format!("Bearer {token}!"),
                "Bearer [redacted]!".to_owned(),
            ),
            (
                "payload",
                "eyJzdWIiOiJyZWFkZXIiLCJhdWQiOiJhcGkifQ".to_owned(),
                MASK.to_owned(),
            ),
            (
                "signature",
                "c2lnbmF0dXJlLWJ5dGVzLWhlcmU".to_owned(),
                MASK.to_owned(),
            ),
            (
                "header",
                "eyJhbGciOiJSUzI1NiJ9".to_owned(),
                "eyJhbGciOiJSUzI1NiJ9".to_owned(),
            ),
        ];
        for (what, text, expected) in cases {
            assert_eq!(redactor.redact(&text), expected, "{what}");
        }
    }

    #[test]
    fn a_secret_with_dots_is_no_token_so_its_words_stay() {
        for secret in [
            "contoso.testing.password",
            "eyes.white space.password",
            "not.a+token.here",
        ] {
            let redactor = knowing(&[secret]);
            for word in secret.split('.') {
                assert_eq!(redactor.redact(word), word, "{secret}");
            }
            assert!(!redactor.redact(secret).contains(secret));
        }
    }

    #[test]
    fn a_secret_with_quotes_is_masked_in_the_middle_of_a_json_string() {
        let secret = "dou\"ble\"quote";
        let echo = serde_json::json!(format!("no such key: {secret} at all")).to_string();
        let redactor = knowing(&[secret]);
        assert!(!redactor.redact(&echo).contains("ble"), "{echo}");
    }

    #[test]
    fn a_secret_that_was_cut_off_does_not_leave_its_first_half() {
        let secret = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ";
        assert_eq!(
            knowing(&[secret]).redact(&format!("token={}", &secret[..40])),
            "token=[redacted]"
        );
    }

    #[test]
    fn overlapping_and_nested_secrets_become_one_mask() {
        let redactor = knowing(&["abcdef", "defghi", "cdef"]);
        assert_eq!(redactor.redact("<abcdefghi>"), "<[redacted]>");
    }

    #[test]
    fn tokens_with_a_common_beginning_are_each_masked_whole() {
        let [first, second] = ["A", "B"].map(|end| {
            format!(
                "{}{}",
                "same-beginning-of-both-tokens.".repeat(3),
                end.repeat(40)
            )
        });
        let redactor = knowing(&[&first, &second]);
        assert_eq!(
            redactor.redact(&format!("{second} {first}")),
            "[redacted] [redacted]"
        );
    }

    #[test]
    fn texts_without_secrets_are_borrowed() {
        assert!(matches!(
            Redactor::default().redact("text"),
            Cow::Borrowed("text")
        ));
        assert!(matches!(
            knowing(&["secret-1", "", "abc"]).redact("abc, text"),
            Cow::Borrowed("abc, text")
        ));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", knowing(&["hunter2!"])), "Redactor(…)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_learnt_secret_survives(
            secrets in prop::collection::vec("[ab+/é]{4,9}", 1..6),
            pieces in prop::collection::vec((0_usize..6, 0_usize..8, "[ab+/é]{0,3}"), 0..12),
        ) {
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let text: Vec<String> = pieces.iter().map(|(secret, form, between)| {
                let forms: Vec<String> = encoding::forms(secrets[secret % secrets.len()]).into_iter().collect();
                format!("{}{between}", forms[form % forms.len()])
            }).collect();
            let redacted = knowing(&secrets).redact(&text.concat()).into_owned();
            for secret in secrets {
                for form in encoding::forms(secret) {
                    prop_assert!(!redacted.contains(&form), "{form} in {redacted}");
                }
            }
        }

        #[test]
        fn any_text_is_survived(secret in "\\PC{4,40}", before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let redacted = knowing(&[&secret]).redact(&format!("{before}{secret}{after}")).into_owned();
            prop_assert!(redacted.contains(MASK));
        }
    }
}
