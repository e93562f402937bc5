//! How each of several runs ended in, one line a run out: as text, Markdown or JSON.

use std::fmt::Write as _;

use comfy_table::Table;
use serde_json::{Value, json};

use super::Look;
use super::json::counts;
use super::markdown::escape;
use super::record::Tally;
use super::sanitizer::{clean, excerpt};
use super::table::NARROWEST;
use super::table::grid::{self, BOX};
use super::table::paint::{self, marker};
use crate::judge::VerdictKind;

/// The document's schema; additive within its number.
const SCHEMA: &str = "rolecall.summary/1";

/// Characters of a title in the terminal.
const TITLE: usize = 80;
/// Columns of the exit codes; the heading fills them.
const EXIT: usize = 6;
/// What a column takes besides its text.
const PADDING: usize = 2;
/// Columns of the four borders.
const BORDERS: usize = 4;

/// How one of several runs ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The scenario's name, with its environment.
    pub title: String,
    /// The scenario's path.
    pub path: String,
    /// Which environment it was read for.
    pub environment: Option<String>,
    /// How many checks got which word; `None` where it was not run.
    pub tally: Option<Tally>,
    /// Its exit code; `None` where it was not run.
    pub exit: Option<u8>,
}

impl Row {
    /// The words about how it ended.
    fn ended(&self) -> String {
        match (&self.tally, self.exit) {
            (Some(tally), _) => tally.to_string(),
            (None, Some(_)) => "could not be run".to_owned(),
            (None, None) => "was not run".to_owned(),
        }
    }

    fn weight(&self) -> VerdictKind {
        match self.exit {
            Some(0) => VerdictKind::Pass,
            Some(1 | 5) => VerdictKind::Fail,
            Some(_) => VerdictKind::Unproven,
            None => VerdictKind::Skipped,
        }
    }

    fn exit(&self) -> String {
        self.exit
            .map_or_else(|| "–".to_owned(), |exit| exit.to_string())
    }

    fn document(&self) -> Value {
        json!({
            "scenario": clean(&self.title),
            "path": clean(&self.path),
            "environment": self.environment.as_deref().map(clean),
            "summary": self.tally.map(counts),
            "exit_code": self.exit,
        })
    }
}

/// For a terminal: a line a run, and the exit code of all.
pub fn text(rows: &[Row], exit: u8, look: Look) -> String {
    let width = look.width.max(NARROWEST);
    let longest = |words: &dyn Fn(&Row) -> String| {
        let lengths = rows.iter().map(|row| words(row).chars().count());
        lengths.max().unwrap_or(0) + PADDING
    };
    let title = |row: &Row| {
        let sign = marker(Some(row.weight()));
        format!("{sign} {}", excerpt(&row.title, TITLE))
    };
    let titles = longest(&title).min(width / 3);
    let room = width.saturating_sub(titles + EXIT + BORDERS);
    let mut table = Table::new();
    table.load_style(BOX);
    table.set_header(["scenario", "checks", "exit"]);
    for row in rows {
        table.add_row([title(row), row.ended(), row.exit()]);
    }
    let ended = longest(&Row::ended).max(EXIT).min(room);
    table.set_constraints([titles, ended, EXIT].map(grid::fixed));
    paint::paint(
        format!("{table}\nAll of them together: exit {exit}\n"),
        look.colour,
    )
}

/// For a page: a table.
pub fn markdown(rows: &[Row], exit: u8) -> String {
    let mut page = "| scenario | checks | exit |\n|---|---|---|\n".to_owned();
    for row in rows {
        let title = escape(&row.title);
        let _infallible = writeln!(page, "| {title} | {} | {} |", row.ended(), row.exit());
    }
    let _infallible = writeln!(page, "\nAll of them together: exit {exit}");
    page
}

/// For a machine.
pub fn document(rows: &[Row], exit: u8) -> String {
    let runs: Vec<Value> = rows.iter().map(Row::document).collect();
    let document = json!({ "schema": SCHEMA, "runs": runs, "exit_code": exit });
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look {
        colour: false,
        width: 80,
        all: false,
    };

    fn rows() -> Vec<Row> {
        let row = |environment: &str, tally, exit| Row {
            title: format!("Product Catalog · {environment}"),
            path: "catalog.yaml".to_owned(),
            environment: Some(environment.to_owned()),
            tally,
            exit,
        };
        let sound = Tally {
            pass: 72,
            ..Tally::default()
        };
        let leaky = Tally {
            pass: 70,
            fail: 2,
            ..Tally::default()
        };
        vec![
            row("prod-eu", Some(sound), Some(0)),
            row("prod-us", Some(leaky), Some(1)),
            row("prod-ap", None, Some(2)),
            row("test", None, None),
        ]
    }

    #[test]
    fn every_run_has_its_line_in_a_terminal() {
        insta::assert_snapshot!(text(&rows(), 2, LOOK));
    }

    #[test]
    fn a_narrow_terminal_gets_narrow_columns() {
        let table = text(&rows(), 2, Look { width: 40, ..LOOK });
        let widest = table.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(40), "{table}");
    }

    #[test]
    fn every_run_has_its_line_on_a_page() {
        insta::assert_snapshot!(markdown(&rows(), 2));
    }

    #[test]
    fn a_machine_reads_the_same() {
        let document: Value = serde_json::from_str(&document(&rows(), 2)).unwrap();
        assert_eq!(document["exit_code"], 2);
        assert_eq!(document["runs"][1]["summary"]["fail"], 2);
        assert_eq!(document["runs"][3]["exit_code"], Value::Null);
    }
}
