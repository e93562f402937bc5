//! Personas in, each one's way in or the reason why it has none out.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::join_all;
use serde_json::Value;

use super::event::Event;
use super::{Means, asking};
use crate::door::Entrance;
use crate::judge::{Code, Gap};
use crate::scenario::{Persona, Scenario};
use crate::token::claims::Claims;
use crate::token::preflight::{self, Mismatch};
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

/// Signs every persona in at once and compares each token with its persona's declaration.
pub(super) async fn sign_in(scenario: &Scenario, means: &Means<'_>) -> Vec<Standing> {
    let desk = Desk::new(&scenario.personas, means.wire, means.redactor)
        .with_attendant(Arc::clone(means.attendant));
    let attempts = scenario
        .personas
        .iter()
        .enumerate()
        .map(|(index, persona)| {
            let desk = &desk;
            async move {
                tokio::select! {
                    issued = desk.issue(index) => stand(scenario, persona, issued, means),
                    () = means.stop.hurried() => interrupted(),
                }
            }
        });
    join_all(attempts).await
}

fn stand(
    scenario: &Scenario,
    persona: &Persona,
    issued: Result<Credential, Refusal>,
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
    let faults: Vec<(Code, String)> = preflight::compare(persona, &credential, SystemTime::now())
        .iter()
        .map(|mismatch| (code(mismatch), format!(": {mismatch}")))
        .collect();
    if faults.is_empty() {
        let entrance = entrance(scenario, credential, means);
        Standing {
            entrance: Some(entrance),
            gap: None,
            faults,
            event,
        }
    } else {
        Standing {
            event,
            ..barred(Gap::PersonaStopped, faults)
        }
    }
}

fn after_name(persona: &Persona, said: &str) -> String {
    said.strip_prefix(persona.name.as_str())
        .map_or_else(|| format!(": {said}"), str::to_owned)
}

/// What is sent to open an MCP door carries the door's headers too; one that needs a call's own values stays away.
fn entrance(scenario: &Scenario, credential: Credential, means: &Means<'_>) -> Entrance {
    let deployment = &scenario.deployment;
    let bindings = asking::bindings(&means.settings.run_id, "door");
    let headers = asking::door_headers(deployment.mcp.as_ref(), &bindings).unwrap_or_default();
    Entrance::new(deployment, means.wire, credential, headers, means.redactor)
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

fn code(mismatch: &Mismatch) -> Code {
    match mismatch {
        Mismatch::RolesMissing(_) | Mismatch::RolesNowhere { .. } => Code::TokenRolesMissing,
        Mismatch::RolesExtra(_) => Code::TokenRolesExtra,
        Mismatch::Audience { .. } => Code::TokenAudience,
        Mismatch::Issuer { .. } => Code::TokenIssuer,
        Mismatch::Tenant { .. } => Code::TokenTenant,
        Mismatch::Expired(_) => Code::TokenExpired,
        Mismatch::Opaque => Code::TokenOpaque,
    }
}
