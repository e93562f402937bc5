//! Plan in, ordered events out: sign in, find the doors, call, read back, clean up, judge.

mod beginning;
pub mod checkup;
pub mod cleanup;
pub mod conclusion;
pub mod event;
pub mod line;
mod pace;
pub mod passes;
mod pauses;
mod retry;
pub mod settling;
pub mod shards;
pub mod stock;
pub mod stop;
pub mod survey;
pub mod unlisted;

mod asking;
mod bell;
mod beside;
mod calling;
mod document;
mod doors;
mod ending;
mod errand;
mod gallery;
mod hall;
mod harmless;
mod inquiry;
mod limit;
mod listing;
mod live;
mod object;
mod redirects;
mod renewal;
mod standing;
mod step;
mod watch;
mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::day::Day;
use crate::plan::Plan;
use crate::secret::Redactor;
use crate::token::{Attendant, Desk};
use crate::wire::Wire;

pub use beginning::Beginning;
pub use conclusion::{Evidence, is_concluded};
pub use errand::Unready;
pub use event::Event;
pub use gallery::{Gallery, Piece};
pub use shards::{ShardRun, Shards};
pub use standing::{code_of, stops};
pub use stop::Stop;

use hall::Hall;

/// How a run goes about its work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The run's id: tags its objects and its record.
    pub run_id: String,
    /// RFC 3339 time in UTC after which nobody needs the run's objects any more: tags them, too.
    pub expires: String,
    /// Calls under way at once, at least 1.
    pub jobs: usize,
    /// Calls a second at most; `None` for as fast as the wire allows.
    pub rate: Option<f64>,
    /// Further attempts after a transport failure or 429/502/503/504.
    pub retries: u32,
    /// Longest time for everything but the clean-up.
    pub deadline: Duration,
    /// The day of the run, in UTC: waivers run out.
    pub today: Day,
    /// How often, and how far.
    pub course: Course,
}

/// How often a run calls its cells, and how far it goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Course {
    /// How often every cell is called, at least 1: one round after the other.
    pub rounds: u32,
    /// Failing cells after which no other is called; `None` for no such number.
    pub max_failures: Option<usize>,
    /// How long the deployment may take before the run to answer as demanded; `None` for a run at once.
    pub settle: Option<Duration>,
}

impl Default for Course {
    fn default() -> Self {
        Self {
            rounds: 1,
            max_failures: None,
            settle: None,
        }
    }
}

/// What a run needs besides its plan.
#[derive(Debug)]
pub struct Means<'r> {
    /// Makes connections.
    pub wire: &'r Wire,
    /// Learns every token.
    pub redactor: &'r Arc<Redactor>,
    /// How the run goes about its work.
    pub settings: &'r Settings,
    /// Ends the run early.
    pub stop: &'r Stop,
    /// Speaks to whoever must sign in in person.
    pub attendant: &'r Arc<dyn Attendant>,
    /// Where answers are hung up that nobody is known for; `None` where nobody asked for them.
    pub gallery: Option<&'r Gallery>,
}

/// Runs the plan and tells what happens, in order. A wrong answer of the deployment is an event, never an error.
///
/// # Errors
/// What every call needs cannot be had; nothing was sent and nothing told.
pub async fn run(
    mut plan: Plan,
    means: Means<'_>,
    tell: &mut dyn FnMut(Event),
) -> Result<(), Unready> {
    let started = Instant::now();
    // A shard without cells asks nobody anything.
    if plan.checks() == 0 {
        ending::tell_nothing(&plan, means.settings, tell);
        return Ok(());
    }
    let desk = Desk::new(&plan.scenario.personas, means.wire, means.redactor)
        .with_attendant(Arc::clone(means.attendant));
    errand::fetch(&mut plan.scenario, &desk).await?;
    let routes = document::at_hand(&plan)?;
    let unsettled = match means.settings.course.settle {
        Some(most) => settling::settle(&plan, &means, most, tell).await,
        None => None,
    };
    let deadline = means.stop.at(means.settings.deadline);
    let nobody = standing::nobody(&plan.scenario, &means);
    let standings = standing::sign_in_dialling(&plan, &desk, &means, &nobody).await;
    let found = match beside::doors(&plan, means.settings) {
        Some(doors) => doors,
        None => doors::find(&plan, &standings, means.stop).await,
    };
    let hall = Hall::open(
        plan.through(&found.open),
        desk,
        standings,
        found,
        &means,
        started,
        tell,
    )
    .with_nobody(nobody);
    hall.tell_opening();
    let ((), beside, redirects, routes) = tokio::join!(
        work::call_rounds(&hall),
        beside::ask(&hall),
        redirects::check(&hall.plan, &hall.desk, &means),
        document::fetched(&hall.plan, &hall.standings, &means, routes),
    );
    let hall = hall.knowing(routes);
    let unlisted = beside::look_around(&hall, beside).await;
    hall.objects.remove_all(&hall).await;
    hall.end_sessions().await;
    ending::judge_and_tell(
        &hall,
        [redirects, unlisted, unsettled.into_iter().collect()].concat(),
    );
    deadline.abort();
    Ok(())
}
