//! Stations of the way to a deployment in, one line each or a JSON document out.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Look;
use super::sanitizer::clean;
use super::table::paint::{self, marker};
use super::table::{self, NARROWEST};
use crate::judge::{Layer, VerdictKind};
use crate::run::checkup::{Health, Station};

/// Columns of the steps' names.
const STEP: usize = 16;

/// The schema of the JSON document; additive within its number.
pub const SCHEMA: &str = "rolecall.doctor/1";

/// Writes stations as they come, with a heading where a branch begins.
#[derive(Debug)]
pub struct Lines {
    look: Look,
    branch: String,
}

impl Lines {
    /// Nothing written yet.
    pub fn new(look: Look) -> Self {
        Self {
            look,
            branch: String::new(),
        }
    }

    /// The station's lines: its branch where that is a new one, sign, step and detail, and for a broken one whose it is
    /// and what to do.
    pub fn write(&mut self, station: &Station) -> String {
        let mut text = String::new();
        if self.branch != station.branch {
            let gap = if self.branch.is_empty() { "" } else { "\n" };
            self.branch.clone_from(&station.branch);
            let _ = writeln!(text, "{gap}{}", clean(&station.branch));
        }
        let sign = marker(sign(station.health));
        let step = clean(&station.step);
        text.push_str(&self.wrapped(&format!(
            "  {sign} {step:<STEP$} {}",
            clean(&station.detail)
        )));
        if let Some(whose) = station.whose {
            let advice = format!("whose: {}. {}", whose.name(), clean(&station.fix));
            text.push_str(&self.wrapped(&format!("    {:<STEP$} {advice}", "")));
        }
        paint::paint(text, self.look.colour)
    }

    /// Further lines of a station stand under its detail.
    fn wrapped(&self, line: &str) -> String {
        let indent = 4 + STEP + 1;
        let width = self.look.width.max(NARROWEST).saturating_sub(indent);
        let cut = line
            .char_indices()
            .nth(indent)
            .map_or(line.len(), |(at, _)| at);
        let (label, words) = line.split_at(cut);
        let words = table::wrapped(words, width);
        let mut text = String::new();
        for (number, words) in words.lines().enumerate() {
            let before = if number == 0 { label } else { "" };
            let _ = writeln!(text, "{before:<indent$}{words}");
        }
        text
    }
}

fn sign(health: Health) -> Option<VerdictKind> {
    match health {
        Health::Whole => Some(VerdictKind::Pass),
        Health::Broken => Some(VerdictKind::Fail),
        Health::Passed => None,
    }
}

/// The last line: how many are broken, and whose the first is.
pub fn closing(stations: &[Station]) -> String {
    let broken: Vec<&Station> = broken(stations).collect();
    let Some(first) = broken.first() else {
        return "\nNothing is broken on the way.\n".to_owned();
    };
    let whose = first.whose.map_or("", Layer::name);
    format!(
        "\n{} broken. Start with {}, {}: it is the {whose}'s.\n",
        broken.len(),
        clean(&first.branch),
        clean(&first.step)
    )
}

/// The broken stations.
pub fn broken(stations: &[Station]) -> impl Iterator<Item = &Station> {
    stations
        .iter()
        .filter(|station| station.health == Health::Broken)
}

/// All stations, for machines.
pub fn document(scenario: &str, stations: &[Station]) -> Value {
    json!({
        "schema": SCHEMA,
        "scenario": scenario,
        "broken": broken(stations).count(),
        "stations": stations,
    })
}
