//! Laid-out text with markers in, the same text with signs and, where wanted, colour out.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::judge::VerdictKind;

/// Ends a painted stretch before the end of its cell.
const STOP: &str = "  ";

/// A noncharacter that holds a sign's place while the text is laid out: one column wide, and never part of data,
/// because the sanitizer lets none through (Unicode §23.7 keeps them for such internal use).
pub(in crate::report) const fn marker(kind: Option<VerdictKind>) -> char {
    match kind {
        Some(VerdictKind::Pass) => '\u{fdd0}',
        Some(VerdictKind::Fail) => '\u{fdd1}',
        Some(VerdictKind::Unproven) => '\u{fdd2}',
        Some(VerdictKind::Waived) => '\u{fdd3}',
        Some(VerdictKind::Skipped) | None => '\u{fdd4}',
    }
}

/// Puts the signs in their places. With colour, a sign and the words after it are painted up to the cell's border,
/// two spaces or the line's end.
pub(in crate::report) fn paint(text: String, colour: bool) -> String {
    if !text.as_bytes().contains(&LEAD) {
        return text;
    }
    let mut painted = String::with_capacity(text.len() + text.len() / 4);
    for line in text.split_inclusive('\n') {
        paint_line(line, colour, &mut painted);
    }
    painted
}

fn paint_line(line: &str, colour: bool, painted: &mut String) {
    let mut rest = line;
    while let Some((at, (shown, style))) = first(rest) {
        painted.push_str(&rest[..at]);
        let words = &rest[at + MARKER..];
        if colour {
            let end = stretch(words);
            let _ = write!(
                painted,
                "{}{shown}{}{}",
                style.render(),
                &words[..end],
                style.render_reset()
            );
            rest = &words[end..];
        } else {
            painted.push(shown);
            rest = words;
        }
    }
    painted.push_str(rest);
}

/// Bytes of a marker.
const MARKER: usize = '\u{fdd0}'.len_utf8();

/// Where the first marker stands, and what it holds the place of.
fn first(text: &str) -> Option<(usize, (char, Style))> {
    let mut from = 0;
    loop {
        let mut bytes = text.as_bytes()[from..].iter();
        let at = from + bytes.position(|byte| *byte == LEAD)?;
        if let Some(sign) = text[at..].chars().next().and_then(sign) {
            return Some((at, sign));
        }
        from = at + 1;
    }
}

/// The first byte of every marker in UTF-8, where only few other characters have it.
const LEAD: u8 = 0xef;

fn stretch(words: &str) -> usize {
    let border = words.find(['│', '\n']).unwrap_or(words.len());
    let marker = first(words).map_or(words.len(), |(at, _)| at);
    let gap = words.find(STOP).unwrap_or(words.len());
    border.min(marker).min(gap)
}

fn sign(marker: char) -> Option<(char, Style)> {
    let coloured = |colour: AnsiColor| colour.on_default();
    match marker {
        '\u{fdd0}' => Some(('✓', coloured(AnsiColor::Green))),
        '\u{fdd1}' => Some(('✗', coloured(AnsiColor::Red).bold())),
        '\u{fdd2}' => Some(('?', coloured(AnsiColor::Yellow))),
        '\u{fdd3}' => Some(('w', coloured(AnsiColor::Cyan))),
        '\u{fdd4}' => Some(('–', Style::new().dimmed())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_only_the_signs_are_put_in() {
        assert_eq!(
            paint(
                "│ \u{fdd0} 200  \u{fdd1} 403≠allow │\n\u{fdd4}".to_owned(),
                false
            ),
            "│ ✓ 200  ✗ 403≠allow │\n–"
        );
    }

    #[test]
    fn colour_ends_with_the_words_it_belongs_to() {
        let painted = paint("│ \u{fdd1} 200≠403  x │\n".to_owned(), true);
        assert_eq!(painted, "│ \u{1b}[1m\u{1b}[31m✗ 200≠403\u{1b}[0m  x │\n");
    }
}
