//! Personas in, each one's way in or the reason why it has none out.

use std::time::SystemTime;

use futures_util::future::join_all;
use serde_json::Value;

use super::event::Event;
use super::{Means, asking};
use crate::door::Entrance;
use crate::judge::{Class, Code, Gap};
use crate::scenario::{Persona, Scenario};
use crate::token::claims::Claims;
use crate::token::preflight::{self, Mismatch, account};
use crate::token::{Credential, Desk, Refusal};

/// Where a persona stands before any call.
#[derive(Debug)]
pub(super) struct Standing {
    /// Its way in; `None` when it must not call.
    pub(super) entrance: Option<Entrance>,
    /// Why its cells cannot be judged.
    pub(super) gap: Option<Gap>,
    /// What is wrong with its token or its sign-in, with the code that it is filed under; its name goes before.
    pub(super) faults: Vec<(Code, String)>,
    /// What is told of its token.
    pub(super) event: Option<Event>,
}

/// Signs every persona in at once, compares each token with its persona's declaration, and all of them with each other.
/// Those that are not wanted are told as not reached.
pub(super) async fn sign_in(
    scenario: &Scenario,
    desk: &Desk,
    means: &Means<'_>,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Standing> {
    let wanted = &wanted;
    let attempts = (0..scenario.personas.len()).map(|persona| async move {
        if !wanted(persona) {
            return None;
        }
        tokio::select! {
            issued = desk.issue(persona) => Some(issued),
            () = means.stop.hurried() => None,
        }
    });
    let issued = join_all(attempts).await;
    let credentials: Vec<Option<&Credential>> = issued
        .iter()
        .map(|issued| issued.as_ref()?.as_ref().ok())
        .collect();
    let shared = account::shared(&scenario.personas, &credentials);
    let arrivals = scenario.personas.iter().zip(issued).zip(shared);
    arrivals
        .map(|((persona, issued), shared)| match issued {
            Some(issued) => stand(scenario, persona, issued, shared.as_ref(), means),
            None => interrupted(),
        })
        .collect()
}

fn stand(
    scenario: &Scenario,
    persona: &Persona,
    issued: Result<Credential, Refusal>,
    shared: Option<&Mismatch>,
    means: &Means<'_>,
) -> Standing {
    let credential = match issued {
        Ok(credential) => credential,
        Err(refusal) => {
            let fault = (Code::SignInFailed, after_name(persona, &refusal.0));
            return barred(Gap::SignInFailed, vec![fault]);
        }
    };
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
            ..barred(Gap::PersonaStopped, faults)
        };
    }
    Standing {
        entrance: Some(entrance(scenario, persona, credential, means)),
        gap: None,
        faults,
        event,
    }
}

fn after_name(persona: &Persona, said: &str) -> String {
    said.strip_prefix(persona.name.as_str())
        .map_or_else(|| format!(": {said}"), str::to_owned)
}

/// What is sent to open an MCP door carries the door's headers too; one that needs a call's own values stays away.
fn entrance(
    scenario: &Scenario,
    persona: &Persona,
    credential: Credential,
    means: &Means<'_>,
) -> Entrance {
    let deployment = &scenario.deployment;
    let bindings = asking::bindings(&means.settings.run_id, "door");
    let headers = asking::door_headers(deployment.mcp.as_ref(), &bindings).unwrap_or_default();
    let client = persona
        .client
        .and_then(|client| scenario.clients.get(client));
    // They hold no other run-time value than the run's id, so they can always be filled.
    let carried = client.and_then(|client| asking::client_headers(client, &bindings).ok());
    Entrance::new(deployment, means.wire, credential, headers, means.redactor)
        .carrying(carried.unwrap_or_default())
}

fn barred(gap: Gap, faults: Vec<(Code, String)>) -> Standing {
    Standing {
        entrance: None,
        gap: Some(gap),
        faults,
        event: None,
    }
}

fn interrupted() -> Standing {
    barred(Gap::NotReached, Vec::new())
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
        Mismatch::RolesMissing(_) | Mismatch::RolesNowhere { .. } => Code::TokenRolesMissing,
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
        Mismatch::Stale(_) | Mismatch::EndsSoon(_) => Code::TokenStale,
        Mismatch::GroupsLeftOut => Code::TokenGroupsOverage,
    }
}
