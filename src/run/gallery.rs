//! Answers that nobody is known for in, one of each shape with the cells that got it out.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::calling::Called;
use crate::cell::Door;
use crate::door::{Answer, HttpAnswer, Observation};
use crate::judge::Outcome;

/// Where a run hangs up what it could not place. It grows with the shapes of such answers, and only where somebody asked for it.
#[derive(Debug, Default)]
pub struct Gallery {
    pieces: RefCell<BTreeMap<Shape, Piece>>,
}

/// One answer, and what it was an answer to.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where.
    pub door: Door,
    /// Whether a token came with the call.
    pub signed_in: bool,
    /// Whether the call named what cannot exist.
    pub decoy: bool,
    /// What it was read as.
    pub outcome: Outcome,
    /// The answer.
    pub observation: Observation,
    /// Matrix indices of the cells that got such an answer.
    cells: Vec<u32>,
}

/// What two answers have in common that differ in numbers and names alone.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Shape {
    speaks_mcp: bool,
    decoy: bool,
    status: u16,
    media_type: String,
    headers: Vec<String>,
    body: String,
}

/// Shapes that are kept at most: a server that never says the same twice is no exhibition.
const MOST: usize = 100;

impl Gallery {
    /// Keeps an answer to a cell, unless it is recognised, came from behind the guard, or is none.
    pub(super) fn note(&self, index: usize, door: Door, signed_in: bool, called: &Called) {
        let Answer::Http(answer) = &called.answered.observation.answer else {
            return;
        };
        if called.reading.is_recognised() || is_from_behind(called.reading.outcome) {
            return;
        }
        let shape = Shape::of(answer, door, called.decoy);
        let cell = u32::try_from(index).unwrap_or(u32::MAX);
        let mut pieces = self.pieces.borrow_mut();
        if pieces.len() >= MOST && !pieces.contains_key(&shape) {
            return;
        }
        let hung = || Piece {
            door,
            signed_in,
            decoy: called.decoy,
            outcome: called.reading.outcome,
            observation: called.answered.observation.clone(),
            cells: Vec::new(),
        };
        let piece = pieces.entry(shape).or_insert_with(hung);
        // Of several the one to the first cell, so that the order of arrival decides nothing.
        if piece.cells.iter().all(|known| cell < *known) {
            let cells = std::mem::take(&mut piece.cells);
            *piece = Piece { cells, ..hung() };
        }
        piece.cells.push(cell);
    }

    /// The answers that some cell got which proves nothing or is not what was demanded; `passed` says whether a cell, by its matrix
    /// index, passed.
    pub fn unproven(&self, passed: impl Fn(usize) -> bool) -> Vec<Piece> {
        let pieces = self.pieces.borrow();
        let worth = |piece: &&Piece| piece.cells.iter().any(|cell| !passed(*cell as usize));
        pieces.values().filter(worth).cloned().collect()
    }
}

/// Whether the answer holds what the backend gave: that is somebody's data, and no riddle.
const fn is_from_behind(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Granted | Outcome::PastTheGuard | Outcome::ToolError
    )
}

impl Shape {
    fn of(answer: &HttpAnswer, door: Door, decoy: bool) -> Self {
        let mut headers: Vec<String> = answer
            .headers
            .iter()
            .map(|(name, value)| match &**name {
                "www-authenticate" | "server" => format!("{name}: {}", without_numbers(value)),
                _ => name.to_string(),
            })
            .collect();
        headers.sort_unstable();
        headers.dedup();
        Self {
            speaks_mcp: door.speaks_mcp(),
            decoy,
            status: answer.status,
            media_type: answer.media_type(),
            headers,
            body: without_numbers(&answer.body),
        }
    }
}

/// A text with one sign for each word that holds a digit: ids, times, addresses.
fn without_numbers(text: &str) -> String {
    let mut shape = String::with_capacity(text.len());
    for piece in text.split_inclusive(|sign: char| !sign.is_alphanumeric()) {
        let word = piece.trim_end_matches(|sign: char| !sign.is_alphanumeric());
        let end = &piece[word.len()..];
        let is_number = word.contains(|sign: char| sign.is_ascii_digit());
        shape.push_str(if is_number { "0" } else { word });
        shape.push_str(end);
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::{Answered, Payload};
    use crate::judge::{Reading, Signature};

    fn called(status: u16, body: &str, reading: Reading) -> Called {
        let answer = HttpAnswer {
            status,
            body: body.to_owned(),
            ..HttpAnswer::default()
        };
        Called {
            answered: Answered {
                observation: Observation {
                    request: "GET /x".into(),
                    answer: Answer::Http(answer),
                    took_ms: 1,
                    recipe: None,
                },
                payload: Payload::default(),
            },
            reading,
            retries: Vec::new(),
            gap: None,
            decoy: false,
        }
    }

    fn body(piece: &Piece) -> String {
        match &piece.observation.answer {
            Answer::Http(answer) => answer.body.clone(),
            Answer::None(_) => String::new(),
        }
    }

    #[test]
    fn answers_that_differ_in_numbers_alone_hang_once_and_the_first_cell_s_is_shown() {
        let gallery = Gallery::default();
        let odd = Reading::plain(Outcome::Forbidden);
        for (index, text) in [(7, "ticket a12-9"), (3, "ticket b7-1"), (9, "ticket c3-3")] {
            gallery.note(index, Door::Rest, true, &called(403, text, odd));
        }
        gallery.note(1, Door::Rest, true, &called(403, "other words", odd));
        gallery.note(2, Door::Rest, true, &called(401, "other words", odd));
        let shown: Vec<String> = gallery.unproven(|_| false).iter().map(body).collect();
        assert_eq!(shown.len(), 3);
        assert!(shown.contains(&"ticket b7-1".to_owned()), "{shown:?}");
    }

    #[test]
    fn what_every_cell_passed_by_is_not_shown() {
        let gallery = Gallery::default();
        let refused = Reading::plain(Outcome::Forbidden);
        gallery.note(1, Door::Rest, true, &called(403, "no", refused));
        gallery.note(2, Door::Rest, true, &called(403, "no", refused));
        assert!(gallery.unproven(|_| true).is_empty());
        assert_eq!(gallery.unproven(|index| index != 2).len(), 1);
    }

    #[test]
    fn neither_data_nor_what_is_known_is_kept() {
        let gallery = Gallery::default();
        for reading in [
            Reading::plain(Outcome::Granted),
            Reading::plain(Outcome::PastTheGuard),
            Reading::plain(Outcome::ToolError),
            Reading {
                signature: Some(Signature::EdgePage),
                ..Reading::plain(Outcome::Intercepted)
            },
        ] {
            gallery.note(1, Door::Rest, true, &called(200, "data", reading));
        }
        assert!(gallery.unproven(|_| false).is_empty());
    }

    #[test]
    fn a_server_that_never_says_the_same_twice_does_not_fill_the_memory() {
        let gallery = Gallery::default();
        for index in 0..3 * MOST {
            let words = "x".repeat(index + 1);
            let odd = Reading::plain(Outcome::Rejected);
            gallery.note(index, Door::Rest, true, &called(400, &words, odd));
        }
        assert_eq!(gallery.unproven(|_| false).len(), MOST);
    }
}
