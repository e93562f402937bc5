//! Laid-out text with markers in, the same text with signs and, where wanted, colour out.

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
pub(in crate::report) fn paint(text: &str, colour: bool) -> String {
    let mut painted = String::with_capacity(text.len() + text.len() / 4);
    for line in text.split_inclusive('\n') {
        paint_line(line, colour, &mut painted);
    }
    painted
}

fn paint_line(line: &str, colour: bool, painted: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find(|character| sign(character).is_some()) {
        painted.push_str(&rest[..at]);
        let mut after = rest[at..].chars();
        let (shown, style) = after.next().and_then(sign).unwrap_or((' ', Style::new()));
        let words = after.as_str();
        let end = stretch(words);
        let style = if colour { style } else { Style::new() };
        painted.extend([style.render().to_string(), shown.to_string()]);
        painted.push_str(&words[..end]);
        painted.push_str(&style.render_reset().to_string());
        rest = &words[end..];
    }
    painted.push_str(rest);
}

fn stretch(words: &str) -> usize {
    let border = words.find(['│', '\n']).unwrap_or(words.len());
    let marker = words
        .find(|character| sign(character).is_some())
        .unwrap_or(words.len());
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
            paint("│ \u{fdd0} 200  \u{fdd1} 403≠allow │\n\u{fdd4}", false),
            "│ ✓ 200  ✗ 403≠allow │\n–"
        );
    }

    #[test]
    fn colour_ends_with_the_words_it_belongs_to() {
        let painted = paint("│ \u{fdd1} 200≠403  x │\n", true);
        assert_eq!(painted, "│ \u{1b}[1m\u{1b}[31m✗ 200≠403\u{1b}[0m  x │\n");
    }
}
