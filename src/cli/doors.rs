//! Scenario file in, every way in to its deployment out, with a token and without.

use std::sync::Arc;

use super::args::{self, Listing};
use super::attendant::attendant;
use super::doctor::{ended, means, print};
use super::run::in_runtime;
use super::{Context, loading, signals};
use crate::exit::Exit;
use crate::report::doors;
use crate::run::survey::{Survey, survey};
use crate::run::{Means, Stop, Unready};
use crate::scenario::{Missing, Scenario};

/// Prints every way in; exits 1 when one is open without a token, 3 when that could not be told of one.
pub(super) fn doors(arguments: &args::Doctor, context: &Context) -> Exit {
    let scenario = loading::load(
        &arguments.scenario,
        &arguments.values,
        Missing::Refused,
        context,
    );
    let survey = scenario.and_then(|scenario| {
        let survey = conduct(&scenario, arguments, context)?;
        Ok((scenario, survey))
    });
    match survey {
        Ok((scenario, survey)) => close(&scenario.name, &survey, arguments.format, context),
        Err(exit) => exit,
    }
}

fn conduct(
    scenario: &Arc<Scenario>,
    arguments: &args::Doctor,
    context: &Context,
) -> Result<Survey, Exit> {
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
    let survey = in_runtime(context, async {
        tokio::select! {
            biased;
            () = signals::watch(&stop, &|| {}) => None,
            survey = survey(Arc::clone(scenario), &means) => Some(survey),
        }
    })?;
    match (survey, stop.reason()) {
        (Some(Ok(survey)), None) => Ok(survey),
        (Some(Err(Unready(why))), _) => {
            context.terminal.say(format!("error: {why}"));
            Err(Exit::Usage)
        }
        (_, Some(reason)) => Err(ended(reason)),
        (None, None) => Err(Exit::Unproven),
    }
}

fn close(scenario: &str, survey: &Survey, format: Listing, context: &Context) -> Exit {
    let text = match format {
        Listing::Text => doors::table(scenario, survey, context.terminal.look),
        Listing::Json => format!("{:#}\n", doors::document(scenario, survey)),
    };
    let found = if doors::open(survey).next().is_some() {
        Exit::Failed
    } else if doors::is_clear(survey) {
        Exit::Conforms
    } else {
        Exit::Unproven
    };
    found.worst(print(&text, context))
}
