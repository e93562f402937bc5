//! Record in, Markdown out: the grid and the findings, without anything that changes from run to run.

/// The matrix.
mod grid;

use std::borrow::Cow;
use std::io;

use super::record::{Entry, Record};
use super::sanitizer::clean;
use super::{chapter, extent, hand, lists, waivers, wording};
use crate::cell::Door;
use crate::judge::Finding;

/// Cells that a finding lists by name.
const CELLS: usize = 24;

/// Writes the report. Times, the run's id, requests and bodies are left out, so that a committed file changes only
/// when access does.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "# {}\n", escape(&record.title()))?;
    if let Some(uniform) = record.uniform() {
        writeln!(out, "> **{}**\n", escape(uniform.words()))?;
    }
    writeln!(out, "{}\n", summary(record))?;
    grid::write(record, out)?;
    writeln!(out, "\n{LEGEND}")?;
    requirements(record, out)?;
    shown(record, out)?;
    extent(record, out)?;
    let open = record.findings().iter();
    let open: Vec<&Finding> = open.filter(|one| one.waiver.is_none()).collect();
    if !open.is_empty() {
        writeln!(out, "\n## Findings")?;
    }
    for finding in open {
        told(record, finding, out)?;
    }
    waived(record, out)?;
    left_behind(record, out)
}

const LEGEND: &str =
    "✓ as demanded · ✗ got≠demanded · ? unproven · w waived, got≠demanded · – not called";

fn summary(record: &Record) -> String {
    let tally = record.tally();
    let mut lines = vec![format!("**{tally}**")];
    if let Some(shards) = record.shards().filter(|_| record.is_part()) {
        lines.push(format!("**A part:** this is {shards}."));
    }
    lines.extend(wording::chosen(record).map(|words| escape(&words)));
    if !record.complete() {
        lines.push(format!("**Incomplete:** {}.", wording::cut_short(record)));
    }
    lines.join("\n\n")
}

/// A table of all of them: whoever commits the file sees what was held once.
fn requirements(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    if record.requirements().is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n", chapter::NAME)?;
    writeln!(out, "| requirement | level | state | |\n|---|---|---|---|")?;
    for checked in record.requirements() {
        writeln!(
            out,
            "| {} {} | {} | {} | {} |",
            checked.requirement,
            escape(checked.requirement.title()),
            checked.requirement.level().name(),
            chapter::word(checked.state()),
            escape(&chapter::why(checked))
        )?;
    }
    Ok(())
}

/// Who is shown what: whoever commits the file sees a new tool the day it comes.
fn shown(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let groups = lists::groups(record);
    if !groups.is_empty() {
        writeln!(out, "\n## {}\n", lists::NAME)?;
    }
    for group in groups {
        writeln!(out, "- {}", escape(&lists::line(&group)))?;
    }
    Ok(())
}

/// How much is named, and what is left out on the owner's word.
fn extent(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let line = extent::line(record);
    let left_out = extent::left_out(record);
    if line.is_empty() && left_out.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n", extent::NAME)?;
    if !line.is_empty() {
        writeln!(out, "{}", escape(&line))?;
    }
    if !left_out.is_empty() {
        writeln!(out, "\nLeft out:\n")?;
    }
    for line in left_out {
        writeln!(out, "- {}", escape(&line))?;
    }
    Ok(())
}

fn told(record: &Record, finding: &Finding, out: &mut impl io::Write) -> io::Result<()> {
    let code = finding.code.name();
    writeln!(out, "\n- **{code}** – {}", escape(finding.code.headline()))?;
    if record.is_told_beside(finding) {
        return writeln!(out, "  - {}", escape(&finding.detail));
    }
    let parts = [
        ("", escape(&finding.detail)),
        ("Cells: ", cells(record, finding)),
        ("Layer: ", finding.layer().name().to_owned()),
        ("Cause: ", escape(finding.cause())),
        ("Fix: ", escape(finding.remedy())),
        ("By hand: ", by_hand(record, finding)),
    ];
    for (label, text) in parts.iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "  - {label}{text}")?;
    }
    Ok(())
}

/// The command that prints the request: it differs from run to run.
fn by_hand(record: &Record, finding: &Finding) -> String {
    let shown = |entry: &Entry<'_>| hand::of_entry(record, entry).is_some();
    let first = record.covered(finding).find(shown);
    first.map_or_else(String::new, |entry| {
        let cell = record.matrix().cell(&entry.check).to_string();
        format!("`rolecall explain {}`", clean(&cell).replace('`', "'"))
    })
}

/// What somebody accepts for a while; how many days are left changes every day, and stands in other reports.
fn waived(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    if record.waivers().is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n", waivers::NAME)?;
    writeln!(
        out,
        "| what | | until | owner | reason |\n|---|---|---|---|---|"
    )?;
    for waiver in record.waivers() {
        let stated = &waiver.dated.waiver;
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            escape(&waivers::subject(waiver)),
            waivers::told(record, waiver),
            stated.until,
            escape(&stated.owner),
            escape(&stated.reason),
        )?;
    }
    Ok(())
}

fn cells(record: &Record, finding: &Finding) -> String {
    let name = |entry: Entry<'_>| {
        let cell = record.matrix().cell(&entry.check);
        let words = [
            cell.persona.as_str(),
            cell.operation.as_str(),
            Door::name(cell.door),
        ];
        words.map(escape).join(" / ")
    };
    let mut names: Vec<String> = record.covered(finding).take(CELLS).map(name).collect();
    let more = record.covered(finding).count() - names.len();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

/// How many objects of which fixture; their names differ from run to run.
fn left_behind(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let mut fixtures: Vec<(&str, usize)> = Vec::new();
    for left in record.left_behind() {
        match fixtures.iter_mut().find(|(name, _)| *name == left.fixture) {
            Some((_, count)) => *count += 1,
            None => fixtures.push((left.fixture, 1)),
        }
    }
    if !fixtures.is_empty() {
        writeln!(out, "\n## Left behind\n")?;
    }
    for (fixture, count) in fixtures {
        writeln!(out, "- {}: {count}", escape(fixture))?;
    }
    Ok(())
}

/// Text that Markdown shows as it stands, on one line. What GitHub would turn into a link, a mention or a reference
/// becomes code, where it does not look.
pub(super) fn escape(text: &str) -> String {
    let line = clean(text);
    let means_nothing = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-');
    if line.bytes().all(means_nothing) {
        return line.into_owned();
    }
    line.split(' ')
        .map(escape_word)
        .collect::<Vec<Cow<'_, str>>>()
        .join(" ")
}

fn escape_word(word: &str) -> Cow<'_, str> {
    if is_linked(word) {
        // Nothing inside a code span is read but its end and, in a table, the cell's.
        return Cow::Owned(format!("`{}`", word.replace('`', "'").replace('|', "¦")));
    }
    if !word.contains(SPECIAL) {
        return Cow::Borrowed(word);
    }
    let mut escaped = String::with_capacity(word.len() + 4);
    for character in word.chars() {
        if SPECIAL.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    Cow::Owned(escaped)
}

/// ASCII punctuation that means something inside a line (`CommonMark` §2.4 lets each be escaped).
const SPECIAL: [char; 14] = [
    '\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '$', '#', '!',
];

fn is_linked(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let reference = lower
        .match_indices('#')
        .any(|(at, _)| lower[at + 1..].starts_with(|it: char| it.is_ascii_digit()));
    let scheme = ["://", "www.", "mailto:", "xmpp:", "javascript:", "data:"]
        .iter()
        .any(|mark| lower.contains(mark));
    scheme || reference || lower.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_markdown_would_read_is_shown_as_it_stands() {
        let table = [
            ("Products.Read", "Products.Read"),
            ("a|b `c` <i>", r"a\|b \`c\` \<i\>"),
            ("![x](http://evil/b.png)", "`![x](http://evil/b.png)`"),
            (
                "see https://login.example/v2.0 now",
                "see `https://login.example/v2.0` now",
            ),
            ("ping @octocat about #12", "ping `@octocat` about `#12`"),
            ("a`b@c|d", "`a'b@c¦d`"),
            ("# heading\n- item", r"\# heading - item"),
            ("__init__ *x* ~~y~~", r"\_\_init\_\_ \*x\* \~\~y\~\~"),
            ("[a](b) &amp; $x$", r"\[a\](b) \&amp; \$x\$"),
        ];
        for (text, wanted) in table {
            assert_eq!(escape(text), wanted);
        }
    }
}
