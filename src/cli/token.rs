//! A persona's name in, what its tokens say of themselves out, one for each of its clients; never a token.

use std::time::SystemTime;

use futures_util::future::join_all;

use super::args::{self, Listing, Pace};
use super::attendant::attendant;
use super::run::{authorities, in_runtime, wire};
use super::{Context, loading};
use crate::exit::Exit;
use crate::report::tokens::{self, Sheet};
use crate::scenario::{Missing, Persona, Scenario};
use crate::token::preflight::{self, account};
use crate::token::{Credential, Desk, Refusal};

/// Signs in as one persona or as all, and prints claims and what differs from the declaration.
pub(super) fn token(arguments: &args::Token, context: &Context) -> Exit {
    let path = arguments.scenario();
    let scenario = match loading::load(&path, &arguments.values, Missing::Refused, context) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    let personas = match chosen(&scenario, arguments) {
        Ok(personas) => personas,
        Err(sentence) => {
            context.terminal.say(sentence);
            return Exit::Usage;
        }
    };
    let issued = match acquire(&scenario, &personas, arguments, context) {
        Ok(issued) => issued,
        Err(exit) => return exit,
    };
    let sheets = sheets(&scenario, &personas, issued, arguments.all);
    match &sheets[..] {
        [one] if !arguments.all => show_one(one, arguments.format, context),
        several => show(several, arguments.format, context),
    }
}

fn chosen(scenario: &Scenario, arguments: &args::Token) -> Result<Vec<usize>, String> {
    let personas = scenario.personas.iter();
    if arguments.all {
        return Ok((0..personas.len()).collect());
    }
    let name = arguments.persona.as_deref().unwrap_or_default();
    let meant = |persona: &Persona| persona.name.as_str() == name || persona.name.persona() == name;
    let personas: Vec<usize> = personas
        .enumerate()
        .filter_map(|(place, persona)| meant(persona).then_some(place))
        .collect();
    if personas.is_empty() {
        return Err(unknown(scenario, name));
    }
    Ok(personas)
}

fn acquire(
    scenario: &Scenario,
    personas: &[usize],
    arguments: &args::Token,
    context: &Context,
) -> Result<Vec<Result<Credential, Refusal>>, Exit> {
    let wire = wire(
        &Pace::for_providers(),
        authorities(&arguments.wire, context)?,
        context,
    )?;
    let desk = Desk::new(&scenario.personas, &wire, &context.redactor)
        .with_attendant(attendant(&arguments.people, context));
    let issues = personas.iter().map(|persona| desk.issue(*persona));
    in_runtime(context, join_all(issues))
}

/// Whether two personas are one account can only be said of all.
fn sheets<'s>(
    scenario: &'s Scenario,
    personas: &[usize],
    issued: Vec<Result<Credential, Refusal>>,
    all: bool,
) -> Vec<Sheet<'s>> {
    let credentials: Vec<Option<&Credential>> =
        issued.iter().map(|issued| issued.as_ref().ok()).collect();
    let mut shared = if all {
        account::shared(&scenario.personas, &credentials)
    } else {
        Vec::new()
    }
    .into_iter();
    let now = SystemTime::now();
    let mut sheets = Vec::with_capacity(issued.len());
    for (persona, issued) in personas.iter().zip(issued) {
        let persona = &scenario.personas[*persona];
        let credential = issued.map_err(|refusal| refusal.said);
        let mut comparisons = credential
            .as_ref()
            .map(|credential| preflight::examine(persona, credential, now))
            .unwrap_or_default();
        let shared = shared.next();
        if !comparisons.is_empty() {
            comparisons.extend(shared.map(account::comparison));
        }
        sheets.push(Sheet {
            persona,
            credential,
            comparisons,
        });
    }
    sheets
}

fn show_one(sheet: &Sheet<'_>, format: Listing, context: &Context) -> Exit {
    match &sheet.credential {
        Err(why) => {
            context.terminal.say(format!("error: {why}"));
            Exit::Unproven
        }
        Ok(credential) if credential.authorization.is_none() => {
            context
                .terminal
                .say(format!("{} does not sign in", sheet.persona.name));
            Exit::Conforms
        }
        Ok(_) => show(std::slice::from_ref(sheet), format, context),
    }
}

fn show(sheets: &[Sheet<'_>], format: Listing, context: &Context) -> Exit {
    let look = context.terminal.look;
    let text = match (format, sheets) {
        (Listing::Json, _) => format!("{:#}\n", tokens::document(sheets)),
        (Listing::Text, [one]) => tokens::one(one, look),
        (Listing::Text, several) => tokens::all(several, look),
    };
    let redacted = context.redactor.redact(&text);
    if context.terminal.print(redacted.as_bytes()).is_err() {
        return Exit::ReportUnwritten;
    }
    sheets.iter().map(exit_of).fold(Exit::Conforms, Exit::worst)
}

fn exit_of(sheet: &Sheet<'_>) -> Exit {
    if sheet.credential.is_err() {
        Exit::Unproven
    } else if sheet.is_stopped() {
        Exit::Failed
    } else {
        Exit::Conforms
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
