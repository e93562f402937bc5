//! Scenario file in, the way to its deployment examined step by step out.

use std::sync::Arc;
use std::time::Duration;

use super::args::{self, Listing, Pace};
use super::attendant::attendant;
use super::run::{authorities, expiry, in_runtime, run_id, wire};
use super::{Context, loading, signals};
use crate::exit::{Exit, Signal};
use crate::report::checkup::{self, Lines};
use crate::run::checkup::{Station, examine};
use crate::run::stop::Reason;
use crate::run::{Course, Means, Settings, Stop, Unready};
use crate::scenario::{Missing, Scenario};
use crate::wire::Wire;

/// Examines the way; exits 1 when something on it is broken.
pub(super) fn doctor(arguments: &args::Doctor, context: &Context) -> Exit {
    let scenario = loading::load(
        &arguments.scenario,
        &arguments.values,
        Missing::Refused,
        context,
    );
    let scenario = match scenario {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    match conduct(&scenario, arguments, context) {
        Ok((stations, None)) => close(&scenario, &stations, arguments.format, context),
        Ok((_, Some(reason))) => ended(reason),
        Err(exit) => exit,
    }
}

fn conduct(
    scenario: &Arc<Scenario>,
    arguments: &args::Doctor,
    context: &Context,
) -> Result<(Vec<Station>, Option<Reason>), Exit> {
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
    let mut stations = Vec::new();
    let mut lines = Lines::new(context.terminal.look);
    let mut unwritten = false;
    let mut tell = |station: Station| {
        if arguments.format == Listing::Text {
            unwritten |= print(&lines.write(&station), context) != Exit::Conforms;
        }
        stations.push(station);
    };
    let ready = in_runtime(context, async {
        tokio::select! {
            biased;
            () = signals::watch(&stop, &|| {}) => Ok(()),
            ready = examine(Arc::clone(scenario), means, &mut tell) => ready,
        }
    })?;
    if let Err(Unready(why)) = ready {
        context.terminal.say(format!("error: {why}"));
        return Err(Exit::Usage);
    }
    if unwritten {
        return Err(Exit::ReportUnwritten);
    }
    Ok((stations, stop.reason()))
}

/// What an examination needs of the command line: one call at a time, patient as told, tried once.
pub(super) fn means(
    timeout: Duration,
    trust: &args::Wire,
    context: &Context,
) -> Result<(Wire, Settings), Exit> {
    let pace = Pace {
        jobs: 1,
        rate: None,
        retries: 0,
        connect_timeout: Duration::from_secs(5),
        timeout,
        run_timeout: Duration::from_secs(15 * 60),
    };
    let wire = wire(&pace, authorities(trust, context)?, context)?;
    let settings = Settings {
        run_id: run_id(context)?,
        expires: expiry(pace.run_timeout),
        jobs: usize::from(pace.jobs),
        rate: pace.rate,
        retries: pace.retries,
        deadline: pace.run_timeout,
        today: context.environment.today,
        course: Course::default(),
    };
    Ok((wire, settings))
}

fn close(scenario: &Scenario, stations: &[Station], format: Listing, context: &Context) -> Exit {
    let text = match format {
        Listing::Text => checkup::closing(stations),
        Listing::Json => format!("{:#}\n", checkup::document(&scenario.name, stations)),
    };
    let found = if checkup::broken(stations).next().is_some() {
        Exit::Failed
    } else {
        Exit::Conforms
    };
    found.worst(print(&text, context))
}

pub(super) fn ended(reason: Reason) -> Exit {
    match reason {
        Reason::Interrupt => Exit::Interrupted(Signal::Interrupt),
        Reason::Terminate => Exit::Interrupted(Signal::Terminate),
        Reason::Deadline => Exit::Unproven,
    }
}

pub(super) fn print(text: &str, context: &Context) -> Exit {
    let redacted = context.redactor.redact(text);
    match context.terminal.print(redacted.as_bytes()) {
        Ok(()) => Exit::Conforms,
        Err(_unwritten) => Exit::ReportUnwritten,
    }
}
