//! Personas in, each one's way in or the reason why it has none out.

use std::pin::pin;
use std::time::SystemTime;

use futures_util::future::{FutureExt as _, join_all};
use serde_json::Value;

use super::event::Event;
use super::{Means, asking, beside, work};
use crate::door::Entrance;
use crate::judge::{Class, Code, Gap};
use crate::plan::Plan;
use crate::scenario::{Persona, Scenario};
use crate::token::claims::Claims;
use crate::token::preflight::{self, Mismatch, account};
use crate::token::{Credential, Desk, Lifetime, Refusal};

/// Where a persona stands before any call.
#[derive(Debug)]
pub(super) struct Standing {
    /// Its way in; `None` when it must not call.
    pub(super) entrance: Option<Entrance>,
    /// What it presents; `None` when it has nothing to present.
    pub(super) credential: Option<Credential>,
    /// Why its cells cannot be judged.
    pub(super) gap: Option<Gap>,
    /// What is wrong with its token or its sign-in, with the code that it is filed under; its name goes before.
    pub(super) faults: Vec<(Code, String)>,
    /// Whether it is this side that had nothing to sign in with.
    pub(super) here: bool,
    /// What is told of its token.
    pub(super) event: Option<Event>,
}

impl Standing {
    /// Of a persona that must not call, and why.
    pub(super) fn barred(gap: Gap, faults: Vec<(Code, String)>) -> Self {
        Self {
            entrance: None,
            credential: None,
            gap: Some(gap),
            faults,
            here: false,
            event: None,
        }
    }

    /// Whether its token is known to have run out.
    pub(super) fn has_run_out(&self, now: SystemTime) -> bool {
        let lifetime = self.lifetime();
        self.gap == Some(Gap::TokenRanOut)
            || lifetime.is_some_and(|lifetime| lifetime.has_run_out(now))
    }

    /// Whether its token may be refused for its time.
    pub(super) fn may_have_run_out(&self, now: SystemTime) -> bool {
        let lifetime = self.lifetime();
        lifetime.is_some_and(|lifetime| lifetime.may_have_run_out(now))
    }

    fn lifetime(&self) -> Option<Lifetime> {
        self.credential.as_ref()?.lifetime
    }
}

/// Signs every persona in at once, compares each token with its persona's declaration, and all of them with each other.
/// Those that are not wanted are told as not reached.
pub(super) async fn sign_in(
    scenario: &Scenario,
    desk: &Desk,
    means: &Means<'_>,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Standing> {
    let ways = ways(scenario, means, wanted);
    let issued = issue(&ways, desk, means).await;
    stand_together(scenario, ways, issued)
}

/// Everybody whom the plan calls, likewise; and as soon as somebody's sign-in takes its time, connections are opened for the
/// first calls of each, and for those of `nobody`.
pub(super) async fn sign_in_dialling(
    plan: &Plan,
    desk: &Desk,
    means: &Means<'_>,
    nobody: &Entrance,
) -> Vec<Standing> {
    let callers = plan.callers();
    let ways = ways(&plan.scenario, means, |persona| callers[persona]);
    let issued = {
        let mut issuing = pin!(issue(&ways, desk, means));
        if let Some(issued) = issuing.as_mut().now_or_never() {
            issued
        } else {
            let jobs = means.settings.jobs;
            let first = work::first_calls(plan, jobs);
            let wanted = ways.iter().zip(first);
            let wanted = wanted.filter_map(|(way, calls)| Some((way.as_ref()?, calls)));
            for (way, calls) in wanted.chain([(nobody, beside::first_calls(plan, jobs))]) {
                way.dial_ahead(calls);
            }
            issuing.await
        }
    };
    stand_together(&plan.scenario, ways, issued)
}

/// A way in for everybody who is wanted, whose token is still to come.
fn ways(
    scenario: &Scenario,
    means: &Means<'_>,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Option<Entrance>> {
    let personas = scenario.personas.iter().enumerate();
    let way = |(at, persona)| wanted(at).then(|| entrance(scenario, persona, means));
    personas.map(way).collect()
}

/// What each of those ways is to be gone with; `None` where nobody asked, or the run ended first.
async fn issue(
    ways: &[Option<Entrance>],
    desk: &Desk,
    means: &Means<'_>,
) -> Vec<Option<Result<Credential, Refusal>>> {
    let attempts = ways.iter().enumerate().map(|(persona, way)| async move {
        way.as_ref()?;
        tokio::select! {
            issued = desk.issue(persona) => Some(issued),
            () = means.stop.hurried() => None,
        }
    });
    join_all(attempts).await
}

fn stand_together(
    scenario: &Scenario,
    ways: Vec<Option<Entrance>>,
    issued: Vec<Option<Result<Credential, Refusal>>>,
) -> Vec<Standing> {
    let credentials: Vec<Option<&Credential>> = issued
        .iter()
        .map(|issued| issued.as_ref()?.as_ref().ok())
        .collect();
    let shared = account::shared(&scenario.personas, &credentials);
    let arrivals = scenario.personas.iter().zip(ways.into_iter().zip(issued));
    arrivals
        .zip(shared)
        .map(|((persona, arrival), shared)| match arrival {
            (Some(way), Some(Ok(credential))) => {
                stand(persona, credential, shared.as_ref(), |credential| {
                    way.presenting(credential)
                })
            }
            (_, Some(Err(refusal))) => {
                let fault = (Code::SignInFailed, after_name(persona, &refusal.said));
                Standing {
                    here: refusal.here,
                    ..Standing::barred(Gap::SignInFailed, vec![fault])
                }
            }
            (_, Some(Ok(_)) | None) => Standing::barred(Gap::NotReached, Vec::new()),
        })
        .collect()
}

/// Compares a token with its persona's declaration, and opens a way in where nothing speaks against it.
pub(super) fn stand(
    persona: &Persona,
    credential: Credential,
    shared: Option<&Mismatch>,
    enter: impl FnOnce(Credential) -> Entrance,
) -> Standing {
    let event = told(persona, &credential);
    let own = preflight::compare(persona, &credential, SystemTime::now());
    let faults: Vec<(Code, String)> = own
        .iter()
        .chain(shared)
        .map(|mismatch| (code_of(mismatch), format!(": {mismatch}")))
        .collect();
    if faults.iter().any(|(code, _)| stops(*code)) {
        return Standing {
            event,
            credential: Some(credential),
            ..Standing::barred(Gap::PersonaStopped, faults)
        };
    }
    Standing {
        entrance: Some(enter(credential.clone())),
        credential: Some(credential),
        gap: None,
        faults,
        here: false,
        event,
    }
}

/// What is said of a persona, without its name.
pub(super) fn after_name(persona: &Persona, said: &str) -> String {
    said.strip_prefix(persona.name.as_str())
        .map_or_else(|| format!(": {said}"), str::to_owned)
}

/// What is sent to open an MCP door carries the door's headers too; one that needs a call's own values stays away.
fn bare(scenario: &Scenario, means: &Means<'_>) -> Entrance {
    let deployment = &scenario.deployment;
    let bindings = asking::bindings(means.settings, "door");
    let headers = asking::door_headers(deployment.mcp.as_ref(), &bindings).unwrap_or_default();
    let nothing = Credential::default();
    Entrance::new(deployment, means.wire, nothing, headers, means.redactor)
}

/// The same with what the persona's client carries.
fn entrance(scenario: &Scenario, persona: &Persona, means: &Means<'_>) -> Entrance {
    let bindings = asking::bindings(means.settings, "door");
    let client = persona
        .client
        .and_then(|client| scenario.clients.get(client));
    // They hold no other run-time value than those of the run, so they can always be filled.
    let carried = client.and_then(|client| asking::client_headers(client, &bindings).ok());
    bare(scenario, means).carrying(carried.unwrap_or_default())
}

/// A way in for whoever presents nothing.
pub(super) fn nobody(scenario: &Scenario, means: &Means<'_>) -> Entrance {
    bare(scenario, means)
}

/// The way in of whoever has a persona's client and not its token.
pub(super) fn without_token(scenario: &Scenario, persona: usize, means: &Means<'_>) -> Entrance {
    entrance(scenario, &scenario.personas[persona], means)
}

fn told(persona: &Persona, credential: &Credential) -> Option<Event> {
    credential.authorization.as_ref()?;
    Some(Event::TokenAcquired {
        persona: persona.name.clone(),
        claims: credential
            .claims
            .as_ref()
            .map_or(Value::Null, Claims::shown),
        fingerprint: credential.fingerprint.clone(),
        took_ms: u64::try_from(credential.took.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Whether a persona with such a fault is not called; one whose token is merely worth a note is.
pub fn stops(code: Code) -> bool {
    code.class() != Class::Note
}

/// The code that a difference is filed under.
pub fn code_of(mismatch: &Mismatch) -> Code {
    match mismatch {
        Mismatch::RolesMissing(_)
        | Mismatch::RolesNowhere { .. }
        | Mismatch::RolesAsScopes { .. } => Code::TokenRolesMissing,
        Mismatch::RolesExtra(_) => Code::TokenRolesExtra,
        Mismatch::Audience { .. } => Code::TokenAudience,
        Mismatch::Issuer { .. } => Code::TokenIssuer,
        Mismatch::Tenant { .. } => Code::TokenTenant,
        Mismatch::Client { .. } => Code::TokenClient,
        Mismatch::User { .. } => Code::TokenWrongUser,
        Mismatch::Fidelity { .. } => Code::TokenFidelity,
        Mismatch::ScopesMissing(_) => Code::TokenScopes,
        Mismatch::Signature(_) => Code::TokenSignature,
        Mismatch::Expired(_) => Code::TokenExpired,
        Mismatch::DirectoryRoles(_) => Code::TokenIsDirectoryAdmin,
        Mismatch::Shared(_) => Code::PersonasShareAccount,
        Mismatch::Unreadable(_) => Code::TokenOpaque,
        Mismatch::ClockSkew(_) => Code::ClockSkew,
        Mismatch::Stale(_) | Mismatch::EndsSoon(_) => Code::TokenStale,
        Mismatch::GroupsLeftOut => Code::TokenGroupsOverage,
    }
}
