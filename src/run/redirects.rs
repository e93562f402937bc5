//! The scenario's clients in, what is wrong with their redirects out, asked while personas sign in.

use futures_util::future::join_all;

use super::Means;
use crate::judge::{Code, Finding};
use crate::plan::Plan;
use crate::scenario::{Identity, Profile, RedirectUri, Scenario};
use crate::token::{Desk, Registration};

/// A redirect of a client, and where it must be registered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought<'s> {
    pub(super) client: &'s Profile,
    pub(super) identity: &'s Identity,
    pub(super) redirect: &'s RedirectUri,
}

/// Every redirect of every client at each of its providers, in the order of the file.
pub(super) fn sought(scenario: &Scenario) -> Vec<Sought<'_>> {
    let mut sought = Vec::new();
    for client in &scenario.clients {
        for redirect in &client.redirects {
            sought.extend(client.identities.iter().map(|identity| Sought {
                client,
                identity,
                redirect,
            }));
        }
    }
    sought
}

/// Asks for all of them at once; a run that is stopped no longer waits for the answers.
pub(super) async fn check(plan: &Plan, desk: &Desk, means: &Means<'_>) -> Vec<Finding> {
    // Who chooses cells chooses what is asked.
    let all = plan.is_whole().then(|| sought(&plan.scenario));
    let asked = all.unwrap_or_default().into_iter().map(|one| async move {
        tokio::select! {
            said = desk.registration(one.client, one.identity, one.redirect) => told(one.redirect, said),
            () = means.stop.hurried() => None,
        }
    });
    join_all(asked).await.into_iter().flatten().collect()
}

fn told(redirect: &RedirectUri, said: Registration) -> Option<Finding> {
    let (code, words) = match said {
        Registration::Registered => return None,
        Registration::Unregistered(words) => (Code::RedirectUnregistered, words),
        Registration::Unproven(words) => (Code::RedirectUnproven, words),
    };
    Some(Finding::new(code, words, Vec::new()).about([redirect.as_str()]))
}
