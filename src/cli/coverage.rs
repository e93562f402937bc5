//! Scenario file in, how much of its deployment its operations name out.

use std::sync::Arc;

use super::args::{self, Sheets};
use super::attendant::attendant;
use super::doctor::{ended, means, print};
use super::run::in_runtime;
use super::{Context, loading, signals};
use crate::exit::Exit;
use crate::report::coverage::{self, Result as Comes, Sheet};
use crate::run::stock::{self, Stock};
use crate::run::{Means, Stop, Unready};
use crate::scenario::{Location, Missing, Scenario};

/// Prints what there is and who names it; exits 1 when less is named than asked for, 3 when not all could be read.
pub(super) fn coverage(arguments: &args::Coverage, context: &Context) -> Exit {
    let loaded = loading::load(
        &arguments.scenario,
        &arguments.values,
        Missing::Refused,
        context,
    );
    let taken = loaded.and_then(|mut scenario| {
        if let Some(place) = &arguments.openapi {
            let extent = &mut Arc::make_mut(&mut scenario).deployment.extent;
            extent.openapi = Some(Location::of(place));
        }
        let tools = wanted(&scenario, arguments, context)?;
        let stock = conduct(&scenario, tools, arguments, context)?;
        Ok((scenario, stock))
    });
    let (scenario, stock) = match taken {
        Ok(taken) => taken,
        Err(exit) => return exit,
    };
    let sheet = Sheet {
        scenario: &scenario,
        stock: &stock,
        at_least: arguments.at_least,
    };
    let text = match arguments.format {
        Sheets::Table => coverage::table(&sheet, context.terminal.look),
        Sheets::Markdown => coverage::markdown(&sheet),
        Sheets::Json => format!("{:#}\n", coverage::document(&sheet)),
    };
    let found = match sheet.result() {
        Comes::Enough => Exit::Conforms,
        Comes::Short => Exit::Failed,
        Comes::Unread => Exit::Unproven,
    };
    found.worst(print(&text, context))
}

/// Whether lists of tools are asked for; there must be something to compare with.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
fn wanted(
    scenario: &Scenario,
    arguments: &args::Coverage,
    context: &Context,
) -> Result<bool, Exit> {
    let deployment = &scenario.deployment;
    let has = |speaks_mcp: bool| {
        let mut doors = deployment.doors.iter();
        doors.any(|door| door.speaks_mcp() == speaks_mcp)
    };
    let tools = !arguments.no_tools && has(true);
    let document = deployment.extent.openapi.is_some() && has(false);
    let why = if arguments.tools && !has(true) {
        "--tools: the scenario has no MCP door"
    } else if arguments.openapi.is_some() && !has(false) {
        "--openapi: the scenario has no REST door whose routes the document could name"
    } else if !tools && !document {
        "there is nothing to compare with: name an OpenAPI document with --openapi FILE or URL, or as `openapi` beside the URL of the REST door"
    } else {
        return Ok(tools);
    };
    context.terminal.say(format!("error: {why}"));
    Err(Exit::Usage)
}

fn conduct(
    scenario: &Arc<Scenario>,
    tools: bool,
    arguments: &args::Coverage,
    context: &Context,
) -> Result<Stock, Exit> {
    let (wire, settings) = means(arguments.timeout, &arguments.wire, context)?;
    let stop = Stop::default();
    let attendant = attendant(&arguments.people, context);
    let means = Means {
        wire: &wire,
        redactor: &context.redactor,
        settings: &settings,
        stop: &stop,
        attendant: &attendant,
        gallery: None,
    };
    let taken = in_runtime(context, async {
        tokio::select! {
            biased;
            () = signals::watch(&stop, &|| {}) => None,
            taken = stock::take(Arc::clone(scenario), tools, &means) => Some(taken),
        }
    })?;
    match (taken, stop.reason()) {
        (Some(Err(Unready(why))), _) => {
            context.terminal.say(format!("error: {why}"));
            Err(Exit::Usage)
        }
        (Some(Ok(stock)), None) => Ok(stock),
        (_, Some(reason)) => Err(ended(reason)),
        (None, None) => Err(Exit::Unproven),
    }
}
