//! Open doors in, what no cell's answer shows of them out: asked beside the cells as far as none of those is needed for it.

use super::doors::{self, Doors};
use super::hall::Hall;
use super::{Settings, inquiry, listing, unlisted};
use crate::judge::{Finding, Listed};
use crate::plan::Plan;
use crate::probe::Visit;

/// Calls at once that nobody begins with: those of [`inquiry::approach`], and of [`unlisted::look`].
const NOBODYS: usize = 8;

/// What was clear beside the cells; all else is asked after them.
#[derive(Debug, Default)]
pub(super) struct Beside {
    lists: Vec<Listed>,
    visits: Vec<Visit>,
    unlisted: Option<Vec<Finding>>,
}

/// Whether anything is asked beside the cells. Who wants to hear of few failures only is told them before anything else is
/// asked; who wants one call at a time gets that; and where calls are paced nothing is gained, while tokens run out.
pub(super) fn is_wanted(settings: &Settings) -> bool {
    let paced = settings.rate.is_some() || settings.course.max_failures.is_some();
    settings.jobs > 1 && !paced
}

/// The doors that need not be found before any cell is called, because the call of [`ask`] is early enough.
pub(super) fn doors(plan: &Plan, settings: &Settings) -> Option<Doors> {
    doors::stated(plan).filter(|_| is_wanted(settings))
}

/// By door, how many connections whoever presents nothing begins with, where so many jobs call.
pub(super) fn first_calls(plan: &Plan, jobs: usize) -> [usize; 3] {
    if jobs > 1 && plan.is_whole() && plan.matrix.doors.iter().any(|door| door.speaks_mcp()) {
        [0, NOBODYS, 0]
    } else {
        [0; 3]
    }
}

/// Asks what needs no cell's answer.
pub(super) async fn ask(hall: &Hall<'_>) -> Beside {
    if !is_wanted(hall.settings) {
        return Beside::default();
    }
    let (beside, ()) = tokio::join!(look_ahead(hall), find_doors(hall));
    beside
}

/// Finds those of [`doors`]; nothing where they were found before.
async fn find_doors(hall: &Hall<'_>) {
    if hall.doors.found.is_empty() && doors::stated(&hall.plan).is_some() {
        doors::find_stated(hall).await;
    }
}

async fn look_ahead(hall: &Hall<'_>) -> Beside {
    if !hall.plan.is_whole() {
        return Beside::default();
    }
    let (lists, visits, unlisted) = tokio::join!(
        listing::list_beside(hall),
        inquiry::approach(hall),
        unlisted::look(hall),
    );
    Beside {
        lists,
        visits,
        unlisted: Some(unlisted),
    }
}

/// Asks everything else; nothing once enough has failed, or where only some cells were chosen.
pub(super) async fn look_around(hall: &Hall<'_>, beside: Beside) -> Vec<Finding> {
    if hall.limit.is_reached() || !hall.plan.is_whole() {
        return Vec::new();
    }
    listing::list_everything(hall, beside.lists).await;
    inquiry::inquire(hall, beside.visits).await;
    match beside.unlisted {
        Some(findings) => findings,
        None => unlisted::look(hall).await,
    }
}
