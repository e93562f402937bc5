//! Record in, what `tools/list` shows to whom out: those that are shown the same stand together.

use super::record::Record;
use super::sanitizer::{clean, excerpt};
use crate::cell::Door;
use crate::door::{Ended, Shown};

/// The section's name in every report.
pub(super) const NAME: &str = "What tools/list shows";

/// Names that a line shows before it counts the rest.
const NAMES: usize = 24;

/// Characters of a name in a line.
const NAME_CAP: usize = 64;

/// Personas that are shown the same at the same doors.
pub(super) struct Group<'r> {
    /// Who, in the order of the scenario.
    pub(super) personas: Vec<&'r str>,
    /// Where, in matrix order.
    pub(super) doors: Vec<Door>,
    /// What.
    pub(super) shown: &'r Shown,
}

/// Everything that was listed, grouped; empty where nothing was.
pub(super) fn groups(record: &Record) -> Vec<Group<'_>> {
    let mut by_persona: Vec<Group<'_>> = Vec::new();
    for listed in record.lists() {
        let persona = listed.persona.as_str();
        let known = by_persona
            .iter_mut()
            .find(|group| group.personas == [persona] && *group.shown == listed.shown);
        match known {
            Some(group) => group.doors.push(listed.door),
            None => by_persona.push(Group {
                personas: vec![persona],
                doors: vec![listed.door],
                shown: &listed.shown,
            }),
        }
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for one in by_persona {
        let same = |group: &&mut Group<'_>| group.doors == one.doors && group.shown == one.shown;
        match groups.iter_mut().find(same) {
            Some(group) => group.personas.extend(one.personas),
            None => groups.push(one),
        }
    }
    groups
}

/// A group in one line: "reader and admin at mcp: 2 tools: a, b".
pub(super) fn line(group: &Group<'_>) -> String {
    let doors: Vec<&str> = group.doors.iter().map(|door| door.name()).collect();
    let personas: Vec<String> = group
        .personas
        .iter()
        .map(|name| clean(name).into_owned())
        .collect();
    format!(
        "{} at {}: {}",
        personas.join(", "),
        doors.join(", "),
        told(group.shown)
    )
}

fn told(shown: &Shown) -> String {
    let count = shown.tools.len();
    let noun = if count == 1 { "tool" } else { "tools" };
    let first = shown.tools.iter().take(NAMES);
    let mut names: Vec<String> = first
        .map(|tool| excerpt(&tool.name, NAME_CAP).into_owned())
        .collect();
    if count > names.len() {
        names.push(format!("and {} more", count - names.len()));
    }
    let names = if names.is_empty() {
        String::new()
    } else {
        format!(": {}", names.join(", "))
    };
    let why = clean(&shown.why);
    match shown.ended {
        Ended::Whole => format!("{count} {noun}{names}"),
        Ended::Cut => format!("{count} {noun}, and maybe more, because {why}{names}"),
        Ended::Refused => format!("refused ({why})"),
        Ended::Absent => format!("no list ({why})"),
        Ended::Unread => format!("not read ({why})"),
    }
}
