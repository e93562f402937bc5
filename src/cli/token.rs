//! A persona's name in, what its token says of itself out; never the token.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::args::{self, Pace};
use super::attendant::attendant;
use super::run::{authorities, in_runtime, wire};
use super::{Context, loading};
use crate::exit::Exit;
use crate::scenario::{Missing, Persona, Scenario};
use crate::token::{Credential, Desk, claims::Claims, preflight};

/// Signs in as one persona and prints its claims and what differs from its declaration.
pub(super) fn token(arguments: &args::Token, context: &Context) -> Exit {
    let scenario = match loading::load(
        &arguments.scenario,
        &arguments.values,
        Missing::Refused,
        context,
    ) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    let Some(index) = scenario
        .personas
        .iter()
        .position(|persona| persona.name.as_str() == arguments.persona)
    else {
        context.terminal.say(unknown(&scenario, &arguments.persona));
        return Exit::Usage;
    };
    match acquire(&scenario, index, arguments, context) {
        Ok(credential) => show(&scenario.personas[index], &credential, context),
        Err(exit) => exit,
    }
}

fn acquire(
    scenario: &Scenario,
    index: usize,
    arguments: &args::Token,
    context: &Context,
) -> Result<Credential, Exit> {
    let pace = Pace {
        jobs: 1,
        rate: None,
        retries: 0,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        run_timeout: Duration::from_secs(60),
    };
    let wire = wire(&pace, authorities(&arguments.wire, context)?, context)?;
    let desk = Desk::new(&scenario.personas, &wire, &context.redactor)
        .with_attendant(attendant(&arguments.people, context));
    in_runtime(context, desk.issue(index))?.map_err(|refusal| {
        context.terminal.say(format!("error: {}", refusal.0));
        Exit::Unproven
    })
}

fn show(persona: &Persona, credential: &Credential, context: &Context) -> Exit {
    if credential.authorization.is_none() {
        context
            .terminal
            .say(format!("{} does not sign in", persona.name));
        return Exit::Conforms;
    }
    let differences: Vec<String> = preflight::compare(persona, credential, SystemTime::now())
        .iter()
        .map(ToString::to_string)
        .collect();
    let document = json!({
        "persona": persona.name,
        "declared_roles": persona.roles,
        "claims": credential.claims.as_ref().map(Claims::shown),
        "signature": "not verified",
        "fingerprint": credential.fingerprint,
        "differs": differences,
    });
    let text = format!("{document:#}\n");
    if context
        .terminal
        .print(context.redactor.redact(&text).as_bytes())
        .is_err()
    {
        return Exit::ReportUnwritten;
    }
    if differences.is_empty() {
        Exit::Conforms
    } else {
        Exit::Failed
    }
}

fn unknown(scenario: &Scenario, name: &str) -> String {
    let names: Vec<&str> = scenario
        .personas
        .iter()
        .map(|persona| persona.name.as_str())
        .collect();
    format!(
        "error: {} has no persona `{name}`; it has {}",
        scenario.path,
        names.join(", ")
    )
}
