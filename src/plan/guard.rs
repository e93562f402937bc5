//! Scenario and selection in, the production hosts among its addresses out, and whether they may be changed.

use super::conduct::{self, Conduct};
use super::{Selection, doors_of};
use crate::cell::Door;
use crate::scenario::production::{HostPattern, host_of};
use crate::scenario::{Entry, Scenario};

/// The production hosts that a scenario's deployment has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Guard {
    /// Each with the pattern that says so, REST before MCP.
    pub hosts: Vec<Guarded>,
    changes: bool,
}

/// A production host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Guarded {
    /// Its name.
    pub host: String,
    /// Line of its URL in the scenario, from 1.
    pub line: u32,
    /// The pattern that it matches.
    pub pattern: HostPattern,
    /// Whether the user named it, and so means it.
    pub meant: bool,
}

impl Guard {
    /// Looks at the addresses of the deployment, whichever doors are selected: what is changed through one door is changed
    /// behind all of them.
    pub fn of(scenario: &Scenario, selection: &Selection) -> Self {
        let deployment = &scenario.deployment;
        let entries = [&deployment.rest, &deployment.mcp].into_iter().flatten();
        let mut hosts: Vec<Guarded> = Vec::new();
        for guarded in entries.filter_map(|entry| guarded(scenario, selection, entry)) {
            if !hosts.iter().any(|known| known.host == guarded.host) {
                hosts.push(guarded);
            }
        }
        Self {
            changes: !hosts.is_empty() && changes(scenario, selection),
            hosts,
        }
    }

    /// Whether nothing may be changed: a production host was not named by the user.
    pub fn holds(&self) -> bool {
        self.unmeant().next().is_some()
    }

    /// The hosts that keep this run from being made, because it would change something there; none where it may be.
    pub fn forbids(&self) -> impl Iterator<Item = &Guarded> {
        self.unmeant().filter(|_| self.changes)
    }

    fn unmeant(&self) -> impl Iterator<Item = &Guarded> {
        self.hosts.iter().filter(|guarded| !guarded.meant)
    }
}

fn guarded(scenario: &Scenario, selection: &Selection, entry: &Entry) -> Option<Guarded> {
    let host = host_of(&entry.url)?;
    let own = scenario.deployment.production.iter();
    let mut patterns = own.chain(&selection.production);
    let pattern = patterns.find(|pattern| pattern.matches(&host))?.clone();
    let meant = selection
        .meant
        .iter()
        .any(|meant| meant.eq_ignore_ascii_case(&host));
    Some(Guarded {
        host,
        line: entry.line,
        pattern,
        meant,
    })
}

/// Whether a run of the selection would change anything: a decoy that is not refused may, too.
fn changes(scenario: &Scenario, selection: &Selection) -> bool {
    let doors: Vec<Door> = doors_of(scenario, selection).collect();
    let selected = scenario
        .operations
        .iter()
        .filter(|operation| doors.iter().any(|door| operation.has(*door)));
    selected.into_iter().any(|operation| {
        match conduct::of(scenario, operation, selection.read_only) {
            Conduct::Live => true,
            Conduct::Decoy => operation.mutates,
            // It reads an object that the run has to make first.
            Conduct::Plain => !operation.uses.is_empty(),
            Conduct::Withheld => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{CATALOG, plan};

    fn guard(text: &str, host: &str, selection: Selection) -> Guard {
        let rest = format!("https://{host}/v1");
        let variables = [
            ("CATALOG_REST_URL", rest.as_str()),
            ("CATALOG_MCP_URL", "https://staging.example/mcp"),
        ];
        plan(text, &variables, selection).guard
    }

    fn guarding(patterns: &str) -> String {
        let line = format!("  disposable: true\n  production: {patterns}\n");
        CATALOG.replacen(
            "  disposable: true # rolecall may create products here, and removes them again\n",
            &line,
            1,
        )
    }

    #[test]
    fn a_production_host_is_changed_only_where_it_is_named_exactly() {
        let named = |host: &str| Selection {
            meant: vec![host.to_owned()],
            ..Selection::default()
        };
        let reading = Selection {
            read_only: true,
            ..Selection::default()
        };
        let text = guarding("[\"*.contoso.com\", api.fabrikam.com]");
        for (host, selection, holds, forbidden) in [
            ("api.contoso.com", Selection::default(), true, true),
            ("API.contoso.com.", Selection::default(), true, true),
            ("api.contoso.com", named("API.contoso.com"), false, false),
            ("api.contoso.com", named("contoso.com"), true, true),
            ("api.contoso.com", named("*.contoso.com"), true, true),
            ("api.contoso.com", reading, true, false),
            ("api.fabrikam.com", Selection::default(), true, true),
            ("dev.fabrikam.com", Selection::default(), false, false),
        ] {
            let guard = guard(&text, host, selection.clone());
            let got = (guard.holds(), guard.forbids().next().is_some());
            assert_eq!(got, (holds, forbidden), "{host} {selection:?}");
        }
    }

    #[test]
    fn a_company_guards_all_its_scenarios_and_a_host_behind_either_door_guards_both() {
        let company = Selection {
            production: vec![HostPattern::parse("staging.*").unwrap()],
            doors: vec![Door::Rest],
            ..Selection::default()
        };
        let guard = guard(CATALOG, "dev.example", company);
        let hosts: Vec<&str> = guard.forbids().map(|one| one.host.as_str()).collect();
        assert_eq!(hosts, ["staging.example"]);
    }

    #[test]
    fn decoys_of_writes_are_held_back_and_reads_are_not() {
        let kept = guarding("\"*\"").replace("disposable: true", "disposable: false");
        assert_eq!(
            guard(&kept, "a.example", Selection::default())
                .forbids()
                .count(),
            2
        );
        let (head, operations) = kept.split_once("operations:\n").unwrap();
        let (reads, _) = operations.split_once("  createProduct:").unwrap();
        let reads = format!("{head}operations:\n{reads}");
        let guard = guard(&reads, "a.example", Selection::default());
        assert_eq!((guard.holds(), guard.forbids().count()), (true, 0));
    }

    #[test]
    fn whatever_is_guarded_is_planned_without_a_change() {
        let laid = plan(
            &guarding("\"*\""),
            &[
                ("CATALOG_REST_URL", "https://a.example"),
                ("CATALOG_MCP_URL", "https://a.example/mcp"),
            ],
            Selection::default(),
        );
        assert!(laid.is_read_only() && !laid.may_make_objects());
        let harmless =
            |conduct| matches!(conduct, Conduct::Plain | Conduct::Withheld | Conduct::Decoy);
        assert!(laid.groups.iter().all(|group| harmless(group.conduct)));
        let writes = |operation: usize| laid.scenario.operations[operation].mutates;
        let withheld = laid.groups.iter().filter(|group| writes(group.operation));
        assert!(
            withheld
                .into_iter()
                .all(|group| group.conduct == Conduct::Withheld)
        );
    }
}
