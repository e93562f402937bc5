//! Record of a run in, the deployment without what the run left out, and the record with what became of it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::args::{self, Pace};
use super::attendant::attendant;
use super::loading::{self, reason};
use super::outputs::is_held;
use super::recorder::Recorder;
use super::run::{authorities, expiry, in_runtime, wire};
use super::{Context, guard, log, signals};
use crate::exit::Exit;
use crate::plan::{Plan, Selection};
use crate::report::{Record, sanitizer};
use crate::run::cleanup::{Remnant, clean_up};
use crate::run::{Course, Event, Means, Settings, Stop, Unready};
use crate::scenario::{Missing, Scenario};

/// Removes what the record says is left. Exits 5 when something still is.
pub(super) fn cleanup(arguments: &args::Cleanup, context: &Context) -> Exit {
    let record = match read(&arguments.record, context) {
        Ok(record) => record,
        Err(exit) => return exit,
    };
    let remnants = record.remnants();
    if remnants.is_empty() {
        return print(
            &format!("nothing is left of run {}\n", record.run_id()),
            context,
        );
    }
    let prepared = prepare(arguments, &record, context);
    let (scenario, selection) = match prepared {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    match conduct(arguments, record, &remnants, scenario, selection, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn read(path: &Path, context: &Context) -> Result<Record, Exit> {
    let shown = path.display();
    let refused = |words: String| {
        context.terminal.say(format!("error: {words}"));
        Exit::Usage
    };
    let file = File::open(path)
        .map_err(|error| refused(format!("cannot read record {shown}: {}", reason(&error))))?;
    if is_held(path) {
        return Err(refused(format!(
            "{shown}: the run is still under way; let it end, or end it"
        )));
    }
    Record::read(BufReader::new(file)).map_err(|unreadable| {
        refused(format!(
            "{shown}: {unreadable}; a run's record is its .jsonl file"
        ))
    })
}

/// The scenario that the run was made with, where it may be used.
fn prepare(
    arguments: &args::Cleanup,
    record: &Record,
    context: &Context,
) -> Result<(Arc<Scenario>, Selection), Exit> {
    let named = || PathBuf::from(record.path());
    let path = arguments.scenario.clone().unwrap_or_else(named);
    let scenario = loading::load(&path, &arguments.values, Missing::Refused, context)?;
    let selection = Selection {
        production: guard::production(context)?,
        meant: arguments.meant.hosts.clone(),
        ..Selection::default()
    };
    let digest = Plan::lay(Arc::clone(&scenario), selection.clone()).fixtures_digest();
    if digest != record.fixtures() {
        let why = if record.fixtures().is_empty() {
            "the record does not say how its objects were made; an older rolecall wrote it"
        } else {
            "its addresses or fixtures are not those of the run; give the scenario and the variables of that time"
        };
        context
            .terminal
            .say(format!("error: {}: {why}", path.display()));
        return Err(Exit::Usage);
    }
    guard::admit_removal(&scenario, &selection, context)?;
    Ok((scenario, selection))
}

fn conduct(
    arguments: &args::Cleanup,
    record: Record,
    remnants: &[Remnant],
    scenario: Arc<Scenario>,
    selection: Selection,
    context: &Context,
) -> Result<Exit, Exit> {
    let pace = Pace {
        timeout: arguments.timeout,
        retries: 2,
        run_timeout: Duration::from_secs(15 * 60),
        ..Pace::for_providers()
    };
    let wire = wire(&pace, authorities(&arguments.wire, context)?, context)?;
    let settings = Settings {
        run_id: record.run_id().to_owned(),
        expires: expiry(pace.run_timeout),
        jobs: usize::from(pace.jobs),
        rate: pace.rate,
        retries: pace.retries,
        deadline: pace.run_timeout,
        today: context.environment.today,
        course: Course::default(),
    };
    let path = &arguments.record;
    let unwritable = |error: &std::io::Error| {
        let words = format!("error: cannot write {}: {}", path.display(), reason(error));
        context.terminal.say(words);
    };
    let mut recorder = Recorder::resume(path, record, &context.redactor).map_err(|error| {
        unwritable(&error);
        Exit::Usage
    })?;
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
    let mut lines = String::new();
    let ended = in_runtime(context, async {
        let mut tell = |event: Event| {
            log::tell(&event);
            lines.extend(line(&event));
            recorder.hear(&event, SystemTime::now());
        };
        tokio::select! {
            biased;
            () = signals::watch(&stop, &|| {}) => Ok(None),
            left = clean_up(scenario, selection, remnants, means, &mut tell) => left.map(Some),
        }
    })?;
    let (record, failure) = recorder.finish();
    let left = ended.map_err(|Unready(why)| {
        context.terminal.say(format!("error: {why}"));
        Exit::Usage
    })?;
    let still = record.remnants().len();
    let printed = print(&format!("{lines}{}", closing(still)), context);
    let unrecorded = failure.map_or(Exit::Conforms, |error| {
        unwritable(&error);
        Exit::ReportUnwritten
    });
    let clean = still == 0 && left.is_some_and(|left| left.is_empty());
    let exit = if clean {
        Exit::Conforms
    } else {
        Exit::LeftBehind
    };
    Ok(exit.worst(printed).worst(unrecorded))
}

fn closing(still: usize) -> String {
    match still {
        0 => "Nothing is left.\n".to_owned(),
        1 => "1 object is left: remove it by hand, or mend what keeps it and clean up again.\n"
            .to_owned(),
        many => format!(
            "{many} objects are left: remove them by hand, or mend what keeps them and clean up again.\n"
        ),
    }
}

fn line(event: &Event) -> Option<String> {
    let words = match event {
        Event::Cleanup {
            fixture,
            object,
            removed: true,
            ..
        } => format!("removed  {fixture} {object}"),
        Event::Cleanup {
            fixture,
            object,
            detail,
            ..
        } => format!("left     {fixture} {object}: {detail}"),
        Event::FixtureUnmade { fixture, tag } => {
            format!("nothing  {fixture} {tag}: it was never made")
        }
        _ => return None,
    };
    Some(format!("{}\n", sanitizer::clean(&words)))
}

fn print(text: &str, context: &Context) -> Exit {
    let redacted = context.redactor.redact(text);
    match context.terminal.print(redacted.as_bytes()) {
        Ok(()) => Exit::Conforms,
        Err(_unwritten) => Exit::ReportUnwritten,
    }
}
