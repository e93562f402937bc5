//! What was kept of an exchange in, the words that reports show of it out.

use super::Record;
use super::record::Entry;
use super::sanitizer::{clean, clean_block, excerpt};
use super::wording;
use crate::door::{Answer, Observation};
use crate::judge::Effect;

/// Characters of a body that stand in one line.
const BODY_EXCERPT: usize = 120;

/// Request and answer in one line: `DELETE /api/products/7 → 200 {"deleted":true}`.
pub(super) fn line(observation: &Observation) -> String {
    let request = excerpt(&observation.request, 2 * BODY_EXCERPT);
    match &observation.answer {
        Answer::Http(answer) => {
            let body = excerpt(answer.body.trim(), BODY_EXCERPT);
            let gap = if body.is_empty() { "" } else { " " };
            format!("{request} → {}{gap}{body}", answer.status)
        }
        Answer::None(silence) => format!("{request} → {silence}"),
    }
}

/// Request, status, headers and body, one under the other.
pub(super) fn page(observation: &Observation) -> String {
    let mut lines = vec![format!("> {}", clean(&observation.request))];
    match &observation.answer {
        Answer::Http(answer) => {
            lines.push(format!("< {}", answer.status));
            lines.extend(
                answer
                    .headers
                    .iter()
                    .map(|(name, value)| format!("< {}: {}", clean(name), clean(value))),
            );
            lines.push(clean_block(&answer.body).into_owned());
        }
        Answer::None(silence) => lines.push(format!("< {silence}")),
    }
    lines.join("\n")
}

/// What one persona and operation got at each door: `reader/deleteProduct: rest 403 (forbidden) · mcp 200 (granted)`.
pub(super) fn side_by_side(record: &Record, entry: &Entry<'_>) -> String {
    let matrix = record.matrix();
    let cell = matrix.cell(&entry.check);
    let doors = (0..matrix.doors.len())
        .filter_map(|door| {
            let index = matrix.index(entry.check.operation, door, entry.check.persona);
            record.entry(index)
        })
        .map(|entry| format!("{} {}", entry.check.door, got(&entry)));
    let answers = doors.collect::<Vec<_>>().join(" · ");
    clean(&format!("{}/{}: {answers}", cell.persona, cell.operation)).into_owned()
}

/// What came back in a few words: `403 (forbidden)`, with what reading back showed.
pub(super) fn got(entry: &Entry<'_>) -> String {
    let sight = entry.heard.sight();
    let mut words = match (sight.reading, sight.gap) {
        (Some(reading), _) if sight.status == 0 => reading.outcome.name().to_owned(),
        (Some(reading), _) => format!("{} ({})", sight.status, reading.outcome.name()),
        (None, Some(gap)) => format!("nothing ({})", wording::word(gap)),
        (None, None) => "nothing".to_owned(),
    };
    if let Some(second) = sight.second {
        words = format!("{words}, then {}", second.outcome.name());
    }
    if sight.repeats.are_worth_telling() {
        words = format!("{words}; {} not as demanded", sight.repeats);
    }
    match sight.effect {
        Effect::Unchecked => words,
        Effect::Unread => format!("{words}; read back: no telling"),
        Effect::Unchanged => format!("{words}; read back: unchanged"),
        Effect::Changed => format!("{words}; read back: changed"),
    }
}
