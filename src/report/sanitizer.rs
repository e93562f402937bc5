//! Any text that a server had a hand in, the same text without what terminals, CI agents and XML parsers execute out.

use std::borrow::Cow;

/// Characters that a cleaned line holds at most; the last is `…` where more was said.
pub const LINE_CAP: usize = 2_048;

/// Characters that a cleaned block holds at most; the last is `…` where more was said.
pub const BLOCK_CAP: usize = 8_192;

/// Stands where a character was that must not reach a reader.
const REPLACED: char = '\u{fffd}';

/// Put between two characters that a CI agent would take for a command; visible, so that nothing is changed in secret.
const BREAKER: char = '·';

/// Combining marks that may follow each other; more only serve to smear over neighbouring lines.
const MARKS: usize = 3;

/// One line of text: controls become visible signs, line breaks and tabs become spaces, and what a CI agent
/// would execute is broken by `·`. At most [`LINE_CAP`] characters. Cleaning twice changes nothing more.
///
/// Broken everywhere, not only at the start of a line, because a report may wrap a line at any place:
/// `##` (Azure Pipelines `##vso[` and `##[`, `TeamCity`), `::` (GitHub Actions), `[[` before a letter
/// (Azure's and Jenkins' attachments) and `section_` before `start:` or `end:` (GitLab).
pub fn clean(text: &str) -> Cow<'_, str> {
    scrub(text, LINE_CAP, Breaks::Flattened)
}

/// A block of text: as [`clean`], but line breaks stay and at most [`BLOCK_CAP`] characters are kept.
pub fn clean_block(text: &str) -> Cow<'_, str> {
    scrub(text, BLOCK_CAP, Breaks::Kept)
}

/// The first `cap` characters of a cleaned line, `…` last where more was said.
pub fn excerpt(text: &str, cap: usize) -> Cow<'_, str> {
    scrub(text, cap, Breaks::Flattened)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Breaks {
    Flattened,
    Kept,
}

fn scrub(text: &str, cap: usize, breaks: Breaks) -> Cow<'_, str> {
    if text.len() <= cap && text.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        return Cow::Borrowed(text);
    }
    let mut page = Page {
        text: String::with_capacity(text.len().min(cap * 2)),
        ..Page::default()
    };
    for (at, raw) in text.char_indices() {
        let shown = shown(raw, breaks);
        if must_break(page.last, shown, &text[at..]) {
            page.push(BREAKER);
        }
        page.push(shown);
        if page.length > cap {
            break;
        }
    }
    if page.length > cap {
        page.cut(cap);
    }
    if page.text == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(page.text)
    }
}

/// What was written so far.
#[derive(Default)]
struct Page {
    text: String,
    length: usize,
    last: Option<char>,
    marks: usize,
}

impl Page {
    fn push(&mut self, character: char) {
        self.marks = if is_mark(character) {
            self.marks + 1
        } else {
            0
        };
        if self.marks > MARKS {
            return;
        }
        self.text.push(character);
        self.length += 1;
        self.last = Some(character);
    }

    fn cut(&mut self, cap: usize) {
        let end = self
            .text
            .char_indices()
            .nth(cap.saturating_sub(1))
            .map_or(self.text.len(), |(at, _)| at);
        self.text.truncate(end);
        self.text.push('…');
        self.length = cap;
    }
}

/// Whether a byte, by its value, can be neither dangerous nor part of anything dangerous.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        plain[byte as usize] = !matches!(byte, b'#' | b':' | b'[');
        byte += 1;
    }
    plain
};

fn must_break(last: Option<char>, next: char, rest: &str) -> bool {
    match (last, next) {
        (Some('#'), '#') | (Some(':'), ':') => true,
        (Some('['), '[') => rest[1..].starts_with(|after: char| after.is_ascii_alphabetic()),
        (Some('n'), '_') => ["_start:", "_end:"]
            .iter()
            .any(|word| rest.starts_with(word)),
        _ => false,
    }
}

fn shown(raw: char, breaks: Breaks) -> char {
    match raw {
        '\n' if breaks == Breaks::Kept => '\n',
        '\n' | '\t' => ' ',
        // The control pictures show which control it was.
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(raw)).unwrap_or(REPLACED),
        '\u{7f}' => '\u{2421}',
        _ if is_unseen(raw) => REPLACED,
        _ => raw,
    }
}

/// C1 controls, bidirectional controls, everything of no width, fillers, tags, private use and noncharacters.
fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}')
        || u32::from(character) & 0xfffe == 0xfffe
}

fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_harmless_stays_as_it_is_without_a_copy() {
        for text in [
            "",
            "GET /api/products/7?q=1",
            "naïve — 製品",
            "[[1,2],[3]]",
            "a: b",
            "e\u{301}",
        ] {
            assert!(
                matches!(clean(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn each_danger_is_made_visible() {
        let table = [
            ("\u{1b}[31mred", "␛[31mred"),
            ("a\nb\tc\rd", "a b c␍d"),
            ("\u{0}\u{7}\u{8}\u{7f}", "␀␇␈␡"),
            ("a\u{85}\u{9b}31m", "a\u{fffd}\u{fffd}31m"),
            (
                "pay\u{202e}lap\u{2066}\u{200b}",
                "pay\u{fffd}lap\u{fffd}\u{fffd}",
            ),
            ("a\u{2028}b\u{2029}c", "a\u{fffd}b\u{fffd}c"),
            (
                "\u{fffe}\u{ffff}\u{1fffe}\u{fdd0}\u{e001}",
                "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
            ),
            ("hi\u{e0041}\u{e0042}", "hi\u{fffd}\u{fffd}"),
            ("##vso[task.setvariable]x", "#·#vso[task.setvariable]x"),
            ("  ##[error]x", "  #·#[error]x"),
            ("##teamcity[x]", "#·#teamcity[x]"),
            ("::error::x", ":·:error:·:x"),
            ("  ::add-mask::x", "  :·:add-mask:·:x"),
            (":::", ":·:·:"),
            ("[[ATTACHMENT|/etc/passwd]]", "[·[ATTACHMENT|/etc/passwd]]"),
            ("[[property|a=b]]", "[·[property|a=b]]"),
            ("section_start:1:x", "section·_start:1:x"),
            ("section_end:1:x", "section·_end:1:x"),
            (
                "z\u{301}\u{301}\u{301}\u{301}\u{301}",
                "z\u{301}\u{301}\u{301}",
            ),
        ];
        for (raw, wanted) in table {
            assert_eq!(clean(raw), wanted, "{raw:?}");
        }
    }

    #[test]
    fn a_block_keeps_its_lines_and_nothing_else() {
        assert_eq!(clean_block("a\r\n\tb\n::error::"), "a␍\n b\n:·:error:·:");
    }

    #[test]
    fn a_flood_is_cut_where_the_cap_is() {
        let flood = "ab".repeat(LINE_CAP);
        assert_eq!(clean(&flood).chars().count(), LINE_CAP);
        assert!(clean(&flood).ends_with('…'));
        assert_eq!(excerpt("abcdef", 4), "abc…");
        assert_eq!(excerpt("abcd", 4), "abcd");
        assert_eq!(
            clean_block(&"#".repeat(BLOCK_CAP)).chars().count(),
            BLOCK_CAP
        );
    }

    fn commands() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            any::<String>(),
            proptest::sample::select(vec![
                "##",
                "#",
                "::",
                ":",
                "[[",
                "[",
                "A",
                "vso[",
                "section",
                "_start:",
                "_end:",
                " ",
                "\n",
                "\u{1b}[0m",
                "\u{301}",
                "\u{202e}",
                "\u{ffff}",
            ])
            .prop_map(str::to_owned),
        ];
        proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_more(text in commands(), cap in 1_usize..40) {
            let once = clean(&text).into_owned();
            prop_assert_eq!(&clean(&once), &once);
            let block = clean_block(&text).into_owned();
            prop_assert_eq!(&clean_block(&block), &block);
            let short = excerpt(&text, cap).into_owned();
            prop_assert_eq!(&excerpt(&short, cap), &short);
        }

        #[test]
        fn no_executable_character_or_command_comes_out(text in commands()) {
            let line = clean(&text);
            prop_assert!(!line.chars().any(|character| character.is_control() || is_unseen(character)));
            prop_assert!(!clean_block(&text).chars().any(|it| (it.is_control() && it != '\n') || is_unseen(it)));
            for command in ["##", "::", "[[A", "section_start:", "section_end:"] {
                prop_assert!(!line.contains(command), "{} in {}", command, line);
            }
        }
    }
}
