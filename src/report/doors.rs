//! A survey of doors in, a table or a JSON document out.

use comfy_table::Table;
use serde_json::{Value, json};

use super::Look;
use super::sanitizer::{clean, excerpt};
use super::table::grid::BOX;
use super::table::paint::{self, marker};
use super::table::{self, NARROWEST};
use crate::cell::PersonaName;
use crate::door::{Heard, Said};
use crate::judge::{Code, VerdictKind};
use crate::run::survey::{Survey, WayIn};

/// The schema of the JSON document; additive within its number.
pub const SCHEMA: &str = "rolecall.doors/1";

/// Widest table; beyond it the eye loses the line.
const WIDEST: usize = 100;
/// Characters of a request or an answer in the table.
const CELL: usize = 80;

const LEGEND: [(Option<VerdictKind>, &str); 4] = [
    (Some(VerdictKind::Pass), "as it must be"),
    (Some(VerdictKind::Fail), "open without a token"),
    (
        Some(VerdictKind::Unproven),
        "unclear, or refused with a token",
    ),
    (None, "no such door"),
];

/// The survey for a terminal: a table, what its signs mean, what to do.
pub fn table(scenario: &str, survey: &Survey, look: Look) -> String {
    let width = look.width.clamp(NARROWEST, WIDEST);
    let mut text = table::wrapped(&clean(scenario), width);
    text.push_str("\n\n");
    if !survey.ways.is_empty() {
        text.push_str(&grid(survey, width));
        text.push_str(&table::wrapped(&legend(survey), width));
        text.push('\n');
    }
    for sentence in closing(survey) {
        text.push('\n');
        text.push_str(&table::wrapped(&sentence, width));
        text.push('\n');
    }
    paint::paint(text, look.colour)
}

fn grid(survey: &Survey, width: usize) -> String {
    let mut grid = Table::new();
    grid.load_style(BOX);
    grid.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    grid.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    let mut header = vec!["door".to_owned(), "asked".to_owned()];
    header.extend(survey.persona.as_ref().map(|name| format!("as {name}")));
    header.push("without a token".to_owned());
    grid.set_header(header);
    let mut last = "";
    for way in &survey.ways {
        let door = if way.door == last { "" } else { way.door };
        last = way.door;
        let mut row = vec![door.to_owned(), excerpt(&way.request, CELL).into_owned()];
        if survey.persona.is_some() {
            row.push(cell(way.with_token.as_ref(), with_token));
        }
        row.push(cell(way.without.as_ref(), |heard| without(way, heard)));
        grid.add_row(row);
    }
    format!("{grid}\n")
}

fn cell(heard: Option<&Heard>, sign: impl Fn(&Heard) -> Option<VerdictKind>) -> String {
    heard.map_or_else(String::new, |heard| {
        let words = excerpt(&heard.detail, CELL);
        format!("{} {words}", marker(sign(heard)))
    })
}

fn with_token(heard: &Heard) -> Option<VerdictKind> {
    match heard.said {
        Said::Open => Some(VerdictKind::Pass),
        Said::Refused | Said::Unclear => Some(VerdictKind::Unproven),
        Said::Absent => None,
    }
}

fn without(way: &WayIn, heard: &Heard) -> Option<VerdictKind> {
    match heard.said {
        _ if way.open => Some(VerdictKind::Fail),
        Said::Open | Said::Refused => Some(VerdictKind::Pass),
        Said::Unclear => Some(VerdictKind::Unproven),
        Said::Absent => None,
    }
}

/// What the signs in the table mean.
fn legend(survey: &Survey) -> String {
    let signs = survey.ways.iter().flat_map(|way| {
        let with_token = way.with_token.as_ref().map(with_token);
        let without = way.without.as_ref().map(|heard| without(way, heard));
        with_token.into_iter().chain(without)
    });
    let signs: Vec<Option<VerdictKind>> = signs.collect();
    let seen = LEGEND.iter().filter(|(sign, _)| signs.contains(sign));
    let words = seen.map(|(sign, words)| format!("{} {words}", marker(*sign)));
    words.collect::<Vec<_>>().join("  ")
}

fn closing(survey: &Survey) -> Vec<String> {
    let mut sentences = Vec::new();
    if !survey.barred.is_empty() {
        let names: Vec<&str> = survey.barred.iter().map(PersonaName::as_str).collect();
        sentences.push(format!(
            "No usable token: {}. rolecall doctor says why.",
            names.join(", ")
        ));
    }
    let unlisted = survey.ways.iter().find(|way| way.is_unlisted());
    sentences.extend(unlisted.map(|way| {
        format!(
            "{} answers at {}: no cell of the matrix is called there.",
            way.door,
            clean(&way.request)
        )
    }));
    let open: Vec<&WayIn> = open(survey).collect();
    sentences.push(match open.first() {
        None if is_clear(survey) => "Nothing is open without a token.".to_owned(),
        None => "Not every door gave a clear answer.".to_owned(),
        Some(first) => format!(
            "{} open without a token, the first: {}, {}. {}",
            ways(open.len()),
            first.door,
            clean(&first.request),
            Code::OpenWithoutToken.remedy()
        ),
    });
    sentences
}

fn ways(count: usize) -> String {
    match count {
        1 => "1 way in is".to_owned(),
        count => format!("{count} ways in are"),
    }
}

/// What is open without a token and must not be.
pub fn open(survey: &Survey) -> impl Iterator<Item = &WayIn> {
    survey.ways.iter().filter(|way| way.open)
}

/// Whether it is known of every way in whether it is open without a token, and somebody with a token was there to ask.
pub fn is_clear(survey: &Survey) -> bool {
    let unclear = |way: &WayIn| {
        let heard = way.without.as_ref();
        heard.is_some_and(|heard| heard.said == Said::Unclear)
    };
    let nobody = survey.persona.is_none() && !survey.barred.is_empty();
    !survey.ways.is_empty() && !nobody && !survey.ways.iter().any(unclear)
}

/// The survey for machines.
pub fn document(scenario: &str, survey: &Survey) -> Value {
    json!({
        "schema": SCHEMA,
        "scenario": scenario,
        "persona": survey.persona,
        "barred": survey.barred,
        "open": open(survey).count(),
        "ways": survey.ways,
    })
}
