//! What an ended run left in, events of its removal out: as the owners, and nothing that does not show whose it is.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::Means;
use super::doors;
use super::errand::{self, Unready};
use super::event::Event;
use super::hall::Hall;
use super::standing;
use crate::cell::Door;
use crate::judge::{Code, Finding};
use crate::plan::{Plan, Selection};
use crate::scenario::{Scenario, Step};
use crate::token::Desk;

/// Something that an ended run made, or may have made, and that is not known to be gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Remnant {
    /// The run that made it.
    pub run_id: String,
    /// Which fixture.
    pub fixture: String,
    /// What its call was tagged with.
    pub tag: String,
    /// What it shows when it is read.
    pub mark: String,
    /// Its captured values by name; empty where the run did not come to know them.
    pub values: Vec<(String, Value)>,
    /// Whether reading it ever showed it.
    pub seen: bool,
}

/// Removes what is left, tells of each what became of it, and returns what still is, one line each. The run's id is the
/// ended run's.
///
/// # Errors
/// What every call needs cannot be had; nothing was sent and nothing told.
pub async fn clean_up(
    mut scenario: Arc<Scenario>,
    selection: Selection,
    remnants: &[Remnant],
    means: Means<'_>,
    tell: &mut dyn FnMut(Event),
) -> Result<Vec<String>, Unready> {
    let deadline = means.stop.at(means.settings.deadline);
    let desk = Desk::new(&scenario.personas, means.wire, means.redactor)
        .with_attendant(Arc::clone(means.attendant));
    errand::fetch(&mut scenario, &desk).await?;
    let owners = owners(&scenario, remnants);
    let wanted = |persona: usize| owners.contains(&persona);
    let standings = standing::sign_in(&scenario, &desk, &means, wanted).await;
    let selection = Selection {
        doors: steps_doors(&scenario, remnants),
        ..selection
    };
    let plan = Plan::lay(scenario, selection);
    let found = doors::find(&plan, &standings, means.stop).await;
    let started = Instant::now();
    let hall = Hall::open(plan, desk, standings, found, &means, started, tell);
    hall.tell(Event::CleanupStarted {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    });
    hall.objects.inherit(&hall, remnants);
    hall.objects.remove_all(&hall).await;
    hall.end_sessions().await;
    let left = hall.objects.left_behind();
    for words in &left {
        let finding = Finding::new(Code::LeftBehind, words.as_str(), Vec::new());
        hall.tell(Event::FindingMade(finding));
    }
    deadline.abort();
    Ok(left)
}

/// The personas that own what is left.
fn owners(scenario: &Scenario, remnants: &[Remnant]) -> Vec<usize> {
    let fixtures = scenario.fixtures.iter();
    let left = fixtures.filter(|fixture| remnants.iter().any(|one| one.fixture == fixture.name));
    left.map(|fixture| fixture.owner).collect()
}

/// The doors through which the fixtures' steps can be taken: an MCP door that none needs is not opened.
fn steps_doors(scenario: &Scenario, remnants: &[Remnant]) -> Vec<Door> {
    let left = |name: &str| remnants.iter().any(|one| one.fixture == name);
    let fixtures = scenario.fixtures.iter().filter(|one| left(&one.name));
    let speaks_mcp = |step: &&Step| step.mcp.is_some();
    let mut steps = fixtures.flat_map(|fixture| {
        let sought = [&fixture.read, &fixture.find].into_iter().flatten();
        sought.chain([&fixture.remove])
    });
    if steps.any(|step| speaks_mcp(&step)) {
        Vec::new()
    } else {
        vec![Door::Rest]
    }
}
