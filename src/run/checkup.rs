//! Scenario in, the way to its deployment out, station by station: names, TLS, provider, tokens, doors, one call each.

mod arrival;
mod passage;
pub mod station;
mod way;

use std::sync::Arc;
use std::time::Instant;

use super::Means;
use super::doors;
use super::errand::{self, Unready};
use super::hall::Hall;
use super::redirects;
use super::standing;
use crate::judge::Layer;
use crate::plan::{Plan, Selection};
use crate::scenario::Scenario;
use crate::token::Desk;

pub use station::{Health, Station};

/// Examines the way in the order in which a call goes it, and tells each station as it is reached. A branch ends at its
/// first broken station; nothing that could change anything is called.
///
/// # Errors
/// What every call needs cannot be had; nothing was sent and nothing told.
pub async fn examine(
    mut scenario: Arc<Scenario>,
    means: Means<'_>,
    tell: &mut dyn FnMut(Station),
) -> Result<(), Unready> {
    let deadline = means.stop.at(means.settings.deadline);
    let desk = Desk::new(&scenario.personas, means.wire, means.redactor)
        .with_attendant(Arc::clone(means.attendant));
    errand::fetch(&mut scenario, &desk).await?;
    let providers = arrival::providers(&desk, means.wire, tell).await;
    let ways = way::to_doors(&scenario, means.wire, tell).await;
    let at_open_provider = |persona: usize| {
        let provider = desk.authority_of(persona);
        provider.is_none_or(|provider| providers.get(provider).copied().unwrap_or(false))
    };
    let standings = standing::sign_in(&scenario, &desk, &means, at_open_provider).await;
    arrival::tell_personas(&scenario, &standings, tell);
    for sought in redirects::sought(&scenario) {
        let provider = desk.authority_at(&sought.identity.provider);
        let open = provider.is_none_or(|provider| providers.get(provider) == Some(&true));
        arrival::tell_redirect(&sought, open, &desk, tell).await;
    }
    let selection = Selection {
        doors: ways,
        read_only: true,
        ..Selection::default()
    };
    if !selection.doors.is_empty() {
        let plan = Plan::lay(scenario, selection);
        let found = doors::find(&plan, &standings, means.stop).await;
        passage::tell_eras(&plan, &found, tell);
        let mut unheard = |_event| {};
        let hall = Hall::open(
            plan.through(&found.open),
            desk,
            standings,
            found,
            &means,
            Instant::now(),
            &mut unheard,
        );
        passage::call_each(&hall, tell).await;
        hall.end_sessions().await;
    }
    deadline.abort();
    Ok(())
}

/// Where to look first when the way itself is broken.
const fn layer_of(is_provider: bool) -> Layer {
    if is_provider {
        Layer::IdentityProvider
    } else {
        Layer::Edge
    }
}
