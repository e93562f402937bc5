//! The lists that personas are shown in, whether one that differs is kept from caches that others read out.

use super::checked::Place;
use super::reading::Site;
use crate::cell::Door;
use crate::door::Ended;
use crate::judge::Listed;

/// What C-24 comes to. Only the modern era says whether an answer may be kept for others.
pub(super) fn list_private(site: &Site) -> Place {
    let door = Door::Mcp;
    if !site.visits.iter().any(|visit| visit.door == door) {
        return Place::not_applicable(format!("there is no door {door}"));
    }
    let lists = site.lists.iter().filter(|listed| listed.door == door);
    let whole: Vec<&Listed> = lists
        .filter(|listed| listed.shown.ended == Ended::Whole)
        .collect();
    compared(&whole).at(door)
}

fn compared(lists: &[&Listed]) -> Place {
    let Some((first, others)) = lists.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Place::not_applicable("there are no two lists to compare");
    };
    let names = first.shown.names();
    let other = others.iter().find(|other| other.shown.names() != names);
    let public = lists.iter().find(|listed| listed.shown.public);
    match (other, public) {
        (None, _) => Place::not_applicable("everybody is shown the same tools"),
        (Some(_), None) => Place::held("lists differ, and none is public"),
        (Some(other), Some(public)) => Place::violated(
            format!(
                "{} and {} are shown different tools, and the answer to {} says cacheScope public",
                first.persona, other.persona, public.persona
            ),
            None,
        ),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::checked::State;
    use super::super::reading::tests::site;
    use super::*;
    use crate::cell::PersonaName;
    use crate::door::{Shown, Tool};

    /// What a persona is shown.
    pub(in crate::probe) fn listed(
        persona: &str,
        door: Door,
        names: &[&str],
        public: bool,
    ) -> Listed {
        let tool = |name: &&str| Tool {
            name: (*name).to_owned(),
            read_only: None,
            destructive: None,
        };
        Listed {
            persona: PersonaName::new(persona),
            door,
            shown: Shown {
                tools: names.iter().map(tool).collect(),
                public,
                ended: Ended::Whole,
                why: String::new(),
            },
        }
    }

    #[test]
    fn a_list_that_differs_must_not_be_public() {
        let modern = |persona, names: &[&str], public| listed(persona, Door::Mcp, names, public);
        let legacy = |persona, names: &[&str]| listed(persona, Door::McpLegacy, names, true);
        let cut = Listed {
            shown: Shown {
                ended: Ended::Cut,
                ..modern("b", &["y"], true).shown
            },
            ..modern("b", &[], true)
        };
        let table = [
            (vec![], State::NotApplicable),
            (vec![modern("a", &["x"], true)], State::NotApplicable),
            (
                vec![
                    modern("a", &["x", "y"], true),
                    modern("b", &["y", "x"], true),
                ],
                State::NotApplicable,
            ),
            (
                vec![modern("a", &["x"], false), modern("b", &["y"], false)],
                State::Held,
            ),
            (
                vec![modern("a", &["x"], false), modern("b", &["y"], true)],
                State::Violated,
            ),
            (
                vec![modern("a", &["x"], true), modern("b", &[], false)],
                State::Violated,
            ),
            (vec![modern("a", &["x"], true), cut], State::NotApplicable),
            (
                vec![legacy("a", &["x"]), legacy("b", &["y"])],
                State::NotApplicable,
            ),
        ];
        for (lists, expected) in table {
            let site = Site { lists, ..site() };
            assert_eq!(list_private(&site).state, expected, "{:?}", site.lists);
        }
    }
}
