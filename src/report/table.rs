//! Record and look in, the table for a terminal out: grid, legend, findings, summary, next step. Only this file and its parts name comfy-table.

mod band;
pub(super) mod grid;
pub(super) mod paint;

use std::collections::BTreeSet;
use std::{io, iter};

use comfy_table::{Table, presets};

use super::mark::sign;
use super::record::{Entry, Record, Standing, WaiverFacts};
use super::sanitizer::{clean, excerpt};
use super::{Look, chapter, extent, hand, lists, sight, waivers, wording};
use crate::door::Observation;
use crate::judge::{Code, Finding, VerdictKind};
use crate::probe::{Checked, State};

/// Fewest columns that a table is laid out for.
pub(super) const NARROWEST: usize = 40;

/// Widest text; beyond it the eye loses the line. The grid may be wider.
const WIDEST_TEXT: usize = 100;

/// Columns of the labels before a finding's paragraphs, indentation included.
const LABEL: usize = 9;

/// Columns of a requirement's sign and id.
const ID: usize = 9;

/// Characters of the reason that a requirement's line shows.
const WHY: usize = 300;

/// Cells that a finding lists by name.
const CELLS: usize = 6;

/// Writes the table.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(record: &Record, look: Look, out: &mut impl io::Write) -> io::Result<()> {
    let width = look.width.max(NARROWEST);
    let text = width.min(WIDEST_TEXT);
    let mut put = |part: String| -> io::Result<()> {
        out.write_all(paint::paint(part, look.colour).as_bytes())
    };
    put(format!("{}\n\n", wrapped(&title(record), text)))?;
    put(banner(record, text))?;
    if has_cells(record) {
        let sign = if look.colour { paint::marker } else { sign };
        let grid = grid::Grid::of(record, width, sign);
        for block in grid.blocks() {
            put(block)?;
        }
        put(format!("{}\n\n", wrapped(&legend(grid.seen()), text)))?;
    }
    put(requirements(record, look.all, text))?;
    put(shown(record, look.all, text))?;
    put(extent(record, look.all, text))?;
    let told_below = |finding: &Finding| {
        finding.waiver.is_some()
            || finding.code == Code::LeftBehind && record.left_behind().next().is_some()
    };
    for finding in record
        .findings()
        .iter()
        .filter(|finding| !told_below(finding))
    {
        put(format!("{}\n", told(record, finding, text)))?;
    }
    put(waived(record, text))?;
    put(left_behind(record, text))?;
    if !record.complete() {
        put(format!(
            "{}\n\n",
            wrapped(&wording::incomplete(record), text)
        ))?;
    }
    put(format!(
        "{}\n{}{}\n",
        wrapped(&summary(record, text), text),
        chosen_line(record, text) + &second_line(record, text),
        wrapped(&next_step(record), text)
    ))
}

/// A shard has none where there are more shards than operations.
fn has_cells(record: &Record) -> bool {
    record.entries().next().is_some()
}

fn title(record: &Record) -> String {
    let mut title = format!("{} · {}", clean(&record.title()), clean(record.path()));
    if let Some(shards) = record.shards() {
        title.push_str(" · ");
        title.push_str(&shards.to_string());
    }
    title
}

/// What makes the run as a whole suspect, before everything else.
fn banner(record: &Record, width: usize) -> String {
    let Some(uniform) = record.uniform() else {
        return String::new();
    };
    let sign = paint::marker(Some(VerdictKind::Fail));
    let words = format!("{sign} {}", uniform.words());
    format!("{}\n\n", wrapped(&words, width))
}

fn legend(grid::Seen { kinds, glosses }: &grid::Seen) -> String {
    let words = [
        (VerdictKind::Pass, "as demanded"),
        (VerdictKind::Fail, "got≠demanded"),
        (VerdictKind::Unproven, "unproven"),
        (VerdictKind::Waived, "waived"),
        (VerdictKind::Skipped, "not called"),
    ];
    let signs = words.into_iter().filter(|(kind, _)| kinds.contains(kind));
    let signs = signs.map(|(kind, word)| format!("{} {word}", paint::marker(Some(kind))));
    let first = signs.collect::<Vec<_>>().join("  ");
    let lines = iter::once(first).chain(glosses.iter().map(|gloss| format!("  {gloss}")));
    lines.collect::<Vec<_>>().join("\n")
}

/// A finding: its code and headline, then what is known of it, labelled.
fn told(record: &Record, finding: &Finding, width: usize) -> String {
    let code = finding.code.name();
    if finding.code == Code::ListedButRefused {
        return in_a_line(record, finding, width);
    }
    if record.is_told_beside(finding) {
        return beside(record, finding, width);
    }
    let heading = format!(
        "{} {code}  {}",
        paint::marker(Some(wording::weight(finding))),
        finding.code.headline()
    );
    let evidence = record
        .covered(finding)
        .find_map(|entry| entry.heard.evidence().first())
        .or_else(|| violation(record, finding));
    let both = record
        .covered(finding)
        .next()
        .filter(|_| finding.code == Code::DoorsDisagree)
        .map(|entry| sight::side_by_side(record, &entry));
    let answerer = finding.signature.map(wording::answerer).unwrap_or_default();
    let paragraphs = [
        ("", clean(&finding.detail).into_owned()),
        ("cells", cells(record, finding)),
        ("doors", both.unwrap_or_default()),
        ("seen", evidence.map(sight::line).unwrap_or_default()),
        ("by", clean(&answerer).into_owned()),
        ("layer", finding.layer().name().to_owned()),
        ("cause", clean(finding.cause()).into_owned()),
        ("fix", clean(finding.remedy()).into_owned()),
    ];
    format!(
        "{}\n{}\n{}",
        wrapped(&heading, width),
        labelled(&paragraphs, width),
        by_hand(record, finding)
    )
}

/// Lines to be copied: never wrapped.
fn by_hand(record: &Record, finding: &Finding) -> String {
    let lines = hand::of_finding(record, finding).unwrap_or_default();
    let labels = iter::once("hand").chain(iter::repeat(""));
    let labelled = lines.lines().zip(labels);
    labelled.fold(String::new(), |text, (line, label)| {
        text + &format!("  {label:<width$}{line}\n", width = LABEL - 2)
    })
}

/// A finding all of whose cells another one tells: what it adds, and nothing twice.
fn beside(record: &Record, finding: &Finding, width: usize) -> String {
    let heading = format!(
        "{} {}  {}",
        paint::marker(Some(wording::weight(finding))),
        finding.code,
        finding.code.headline()
    );
    let both = record
        .covered(finding)
        .next()
        .map(|entry| sight::side_by_side(record, &entry));
    let paragraphs = [
        ("", clean(&finding.detail).into_owned()),
        ("doors", both.unwrap_or_default()),
    ];
    format!(
        "{}\n{}\n",
        wrapped(&heading, width),
        labelled(&paragraphs, width)
    )
}

/// What is so at every door behind a gateway that refuses calls and filters no list: one line, in the tone of one.
fn in_a_line(record: &Record, finding: &Finding, width: usize) -> String {
    let sign = paint::marker(Some(wording::weight(finding)));
    let words = format!(
        "{sign} {}  {} ({})",
        finding.code,
        finding.code.headline().trim_end_matches('.'),
        count(record.covered(finding).count(), "cell"),
    );
    format!("{}\n", wrapped(&words, width))
}

/// The requirements of the MCP authorization chapter that are not held, or all of them.
fn requirements(record: &Record, all: bool, width: usize) -> String {
    let told = |checked: &&Checked| {
        all || !matches!(checked.state(), State::Held | State::NotApplicable) || checked.is_stale()
    };
    let rows: Vec<&Checked> = record.requirements().iter().filter(told).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for group in alike(&rows, all) {
        let checked = group[0];
        let sign = paint::marker(Some(chapter::weight(checked)));
        let outcome = format!(
            "{}: {}",
            chapter::word(checked.state()),
            excerpt(&chapter::why(checked), WHY)
        );
        let level = checked.requirement.level().name();
        let ids: Vec<&str> = group.iter().map(|one| one.requirement.id()).collect();
        table.add_row(match &ids[..] {
            [id] => [
                format!("  {sign} {id}"),
                format!("{} ({level}) {outcome}", checked.requirement.title()),
            ],
            several => [
                format!("  {sign}"),
                format!("{} ({level}) {outcome}", several.join(", ")),
            ],
        });
    }
    table.set_constraints([grid::fixed(ID), grid::fixed(width - ID)]);
    format!("{}\n{}\n\n", chapter::NAME, unpadded(&mut table))
}

/// Requirements in groups, each of which could not be judged for one and the same reason; every one alone where all are to
/// be told.
fn alike<'r>(rows: &[&'r Checked], all: bool) -> Vec<Vec<&'r Checked>> {
    let reasons = |checked: &Checked| -> BTreeSet<String> {
        let places = checked.at(State::Unproven);
        places.map(|place| place.why.clone()).collect()
    };
    let mut groups: Vec<Vec<&Checked>> = Vec::new();
    for checked in rows {
        let fits = |group: &&mut Vec<&Checked>| {
            let first = group[0];
            !all && checked.state() == State::Unproven
                && first.state() == State::Unproven
                && first.requirement.level() == checked.requirement.level()
                && reasons(first) == reasons(checked)
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(checked),
            None => groups.push(vec![checked]),
        }
    }
    groups
}

/// Who is shown which tools, for whoever wants to see all.
fn shown(record: &Record, all: bool, width: usize) -> String {
    let groups = lists::groups(record);
    if !all || groups.is_empty() {
        return String::new();
    }
    let lines: Vec<(&str, String)> = groups
        .iter()
        .map(|group| ("", lists::line(group)))
        .collect();
    format!("{}\n{}\n\n", lists::NAME, labelled(&lines, width))
}

/// What is left out, and for whoever wants to see all how much is named.
fn extent(record: &Record, all: bool, width: usize) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    let line = extent::line(record);
    lines.extend((all && !line.is_empty()).then_some(("", line)));
    let left_out = extent::left_out(record).into_iter();
    lines.extend(left_out.map(|line| ("", format!("left out: {line}"))));
    if lines.is_empty() {
        return String::new();
    }
    format!("{}\n{}\n\n", extent::NAME, labelled(&lines, width))
}

/// What was chosen, where not everything was.
fn chosen_line(record: &Record, width: usize) -> String {
    wording::chosen(record)
        .map_or_else(String::new, |words| format!("{}\n", wrapped(&words, width)))
}

/// The tally of the requirements, where there are any.
fn second_line(record: &Record, width: usize) -> String {
    let tally = chapter::tally(record);
    if tally.is_empty() {
        return String::new();
    }
    format!("{}\n", wrapped(&tally, width))
}

fn cells(record: &Record, finding: &Finding) -> String {
    names(record, record.covered(finding))
}

/// The first cells by name, and how many more there are.
fn names<'r>(record: &'r Record, entries: impl Iterator<Item = Entry<'r>>) -> String {
    let mut entries = entries.fuse();
    let first = entries.by_ref().take(CELLS);
    let mut names: Vec<String> = first
        .map(|entry| excerpt(&record.matrix().cell(&entry.check).to_string(), 120).into_owned())
        .collect();
    let more = entries.count();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

/// The answer that violates the requirement that a finding is about.
fn violation<'r>(record: &'r Record, finding: &Finding) -> Option<&'r Observation> {
    let requirement = finding.requirement?;
    let mut checked = record.requirements().iter();
    let own = checked.find(|one| one.requirement == requirement)?;
    own.places.iter().find_map(|place| place.seen.as_deref())
}

/// Each waiver with what became of it, also one that nothing needed: what is accepted is never out of sight.
fn waived(record: &Record, width: usize) -> String {
    if record.waivers().is_empty() {
        return String::new();
    }
    let one = |waiver: &WaiverFacts| {
        let stated = &waiver.dated.waiver;
        let sign = paint::marker(Some(waivers::weight(waiver)));
        let told = waivers::told(record, waiver);
        let heading = format!("{sign} {}  {told}", stated.finding);
        let label = if stated.about.is_empty() {
            "cells"
        } else {
            "about"
        };
        let left = waivers::time_left(waiver);
        let paragraphs = [
            (label, clean(&stated.places()).into_owned()),
            ("covers", covered(record, waiver)),
            ("until", format!("{} ({left})", stated.until)),
            ("owner", clean(&stated.owner).into_owned()),
            ("reason", clean(&stated.reason).into_owned()),
        ];
        let (heading, rest) = (wrapped(&heading, width), labelled(&paragraphs, width));
        format!("{heading}\n{rest}\n\n")
    };
    let all: String = record.waivers().iter().map(one).collect();
    format!("{}\n\n{all}", waivers::NAME)
}

/// The cells that a waiver covers, where it does not name just those.
fn covered(record: &Record, waiver: &WaiverFacts) -> String {
    if waivers::covered(record, waiver).count() == waiver.dated.waiver.cells.len() {
        return String::new();
    }
    names(record, waivers::covered(record, waiver))
}

fn left_behind(record: &Record, width: usize) -> String {
    let objects: Vec<(&str, String)> = record
        .left_behind()
        .map(|left| {
            (
                "",
                format!(
                    "{} {}: {}",
                    clean(left.fixture),
                    clean(left.object),
                    clean(left.detail)
                ),
            )
        })
        .collect();
    if objects.is_empty() {
        return String::new();
    }
    let heading = format!(
        "{} left behind  Objects of this run that are not known to be gone",
        paint::marker(Some(VerdictKind::Fail))
    );
    format!(
        "{}\n{}\n\n",
        wrapped(&heading, width),
        labelled(&objects, width)
    )
}

/// The tally and, on the same line where there is room, who and how long.
fn summary(record: &Record, width: usize) -> String {
    let mut facts = vec![
        format!("{} signed in", count(record.signed_in(), "persona")),
        count(record.matrix().doors.len(), "door"),
    ];
    let settled = record.settled().filter(|settled| settled.ready);
    facts.extend(settled.map(|it| format!("settled in {}", seconds(it.took_ms))));
    facts.extend((record.rounds() > 1).then(|| format!("{} rounds", record.rounds())));
    facts.extend(record.took_ms().map(seconds));
    let (tally, facts) = (
        record.tally().to_string(),
        format!("({})", facts.join(", ")),
    );
    let room = tally.chars().count() + 2 + facts.chars().count() <= width;
    format!("{tally}{}{facts}", if room { "  " } else { "\n" })
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Seconds with one decimal; whole tenths, so that no rounding differs by platform.
fn seconds(took_ms: u64) -> String {
    let tenths = took_ms.saturating_add(50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// What somebody who sees such a table for the first time does next.
fn next_step(record: &Record) -> String {
    let tally = record.tally();
    let first = |weight: VerdictKind| {
        let finding = record
            .findings()
            .iter()
            .find(|finding| wording::weight(finding) == weight)?;
        let subject = match finding.requirement {
            Some(requirement) => requirement.id(),
            None => finding.code.name(),
        };
        Some(format!("rolecall explain {subject}"))
    };
    match record.standing() {
        Standing::Conforms if !has_cells(record) => {
            "This shard has nothing to call: the plan has more shards than operations.".to_owned()
        }
        Standing::Conforms if record.is_part() => {
            "This shard found nothing wrong; what its plan comes to is told by rolecall merge, with the records of all shards."
                .to_owned()
        }
        Standing::Conforms if waives(record) => {
            "Every role that was judged gets through exactly where it should, but for what is waived.".to_owned()
        }
        Standing::Conforms if tally.skipped + tally.waived == 0 && record.only().is_empty() => {
            "Every role gets through exactly where it should.".to_owned()
        }
        Standing::Conforms => {
            "Every role that was judged gets through exactly where it should.".to_owned()
        }
        Standing::Failed => match first(VerdictKind::Fail) {
            Some(command) => format!("Start with the first finding: {command}"),
            None => "Start with the first ✗ of the grid.".to_owned(),
        },
        Standing::LeftBehind => {
            "Remove what this run left behind (rolecall cleanup RECORD), then run it again."
                .to_owned()
        }
        Standing::Unproven if !record.complete() && record.is_joined() => {
            "Run the shards that are missing or did not end, and merge all records again.".to_owned()
        }
        Standing::Unproven if !record.complete() => {
            "Run it again to its end before you trust it.".to_owned()
        }
        Standing::Unproven => match first(VerdictKind::Unproven) {
            Some(command) => {
                format!("Nothing is proven wrong, but not everything is proven: {command}")
            }
            None => {
                "Nothing is proven wrong, but not everything is proven: see each ? of the grid."
                    .to_owned()
            }
        },
        Standing::NothingSelected => "Nothing was checked: widen the selection.".to_owned(),
    }
}

/// Whether anything is wrong that somebody accepts.
fn waives(record: &Record) -> bool {
    let mut findings = record.findings().iter();
    findings.any(|finding| finding.waiver.is_some()) || record.tally().waived > 0
}

/// Text in lines of at most `width` columns.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.add_row([text]);
    table.set_constraints([grid::fixed(width)]);
    unpadded(&mut table)
}

/// Paragraphs beside their labels; those without text are left out.
fn labelled(paragraphs: &[(&str, String)], width: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (label, text) in paragraphs.iter().filter(|(_, text)| !text.is_empty()) {
        table.add_row([format!("  {label}"), text.clone()]);
    }
    if table.row_count() == 0 {
        return String::new();
    }
    table.set_constraints([grid::fixed(LABEL), grid::fixed(width - LABEL)]);
    unpadded(&mut table)
}

pub(super) fn unpadded(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}
