//! Scenario files in, runs out: load, lay, open the outputs, run, render, exit.

use std::path::Path;
use std::sync::Arc;

use super::args::{self, Pace};
use super::loading::{self, reason};
use super::outputs::Outputs;
use super::progress::Progress;
use super::recorder::Recorder;
use super::{Context, signals};
use crate::exit::{Exit, Signal};
use crate::plan::{Plan, Selection};
use crate::report::{self, Kind, Record};
use crate::run::stop::Reason;
use crate::run::{self, Means, Settings, Stop};
use crate::scenario::{Missing, Scenario};
use crate::wire::{self, Wire};

/// Bytes of an answer's body that are read at most.
const BODY_CAP: usize = 1 << 20;

/// Runs every scenario that was named, one after the other; all are read before the first is run.
pub(super) fn run(arguments: &args::Run, context: &Context) -> Exit {
    let mut scenarios = Vec::with_capacity(arguments.scenarios.len());
    for path in &arguments.scenarios {
        match loading::load(path, &arguments.values, Missing::Refused, context) {
            Ok(scenario) => scenarios.push(scenario),
            Err(exit) => return exit,
        }
    }
    let selection = Selection {
        doors: arguments.selection.doors.clone(),
        read_only: arguments.selection.read_only,
    };
    let authorities = match authorities(&arguments.wire, context) {
        Ok(authorities) => authorities,
        Err(exit) => return exit,
    };
    if scenarios.len() > 1
        && arguments
            .outputs
            .reports
            .iter()
            .any(|report| report.path.is_some())
    {
        context.terminal.say("error: --report KIND=PATH names one file, and there are several scenarios; use --report-dir");
        return Exit::Usage;
    }
    let several = scenarios.len() > 1;
    scenarios
        .into_iter()
        .fold(Exit::Conforms, |exit, scenario| {
            let slug = several.then(|| slug(&scenario.name));
            let outputs = Outputs::plan(
                &arguments.outputs.report_dir,
                &arguments.outputs.reports,
                slug.as_deref(),
            );
            let errand = Errand {
                scenario,
                selection: selection.clone(),
                pace: &arguments.pace,
                authorities: authorities.clone(),
                outputs,
                format: arguments.outputs.format,
            };
            exit.worst(errand.do_it(context))
        })
}

/// PEM files of private authorities, read.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn authorities(arguments: &args::Wire, context: &Context) -> Result<Vec<Vec<u8>>, Exit> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| {
            context.terminal.say(format!(
                "error: cannot read {}: {}",
                path.display(),
                reason(&error)
            ));
            Exit::Usage
        })
    };
    arguments.cacert.iter().map(read).collect()
}

/// The wire that a command's flags and environment ask for.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn wire(
    pace: &Pace,
    authorities: Vec<Vec<u8>>,
    context: &Context,
) -> Result<Wire, Exit> {
    let proxies = context.environment.proxies();
    for secret in proxies.secrets() {
        context.redactor.learn(&secret);
    }
    let settings = wire::Settings {
        connect: pace.connect_timeout,
        request: pace.timeout,
        body_cap: BODY_CAP,
        authorities,
        proxies,
    };
    Wire::new(&settings).map_err(|error| {
        context.terminal.say(format!("error: {error}"));
        Exit::Usage
    })
}

/// One scenario to be run.
pub(super) struct Errand<'a> {
    pub(super) scenario: Arc<Scenario>,
    pub(super) selection: Selection,
    pub(super) pace: &'a Pace,
    pub(super) authorities: Vec<Vec<u8>>,
    pub(super) outputs: Outputs,
    pub(super) format: Kind,
}

impl Errand<'_> {
    /// Runs it, writes its reports, prints one of them.
    pub(super) fn do_it(self, context: &Context) -> Exit {
        let plan = Plan::lay(Arc::clone(&self.scenario), self.selection.clone());
        if plan.checks() == 0 {
            context.terminal.say(format!(
                "error: {}: nothing selected; `rolecall plan {0}` lists the checks",
                self.scenario.path
            ));
            return Exit::NothingSelected;
        }
        let wire = match wire(self.pace, self.authorities.clone(), context) {
            Ok(wire) => wire,
            Err(exit) => return exit,
        };
        if let Err(exit) = self.outputs.clear(context) {
            return exit;
        }
        match self.conduct(plan, &wire, context) {
            Ok((record, exit)) => self.close(&record, exit, context),
            Err(exit) => exit,
        }
    }

    fn conduct(&self, plan: Plan, wire: &Wire, context: &Context) -> Result<(Record, Exit), Exit> {
        let settings = self.settings(context)?;
        let recorder = Recorder::create(&self.outputs.record, &settings.run_id, &context.redactor);
        let mut recorder = recorder.map_err(|error| {
            context
                .terminal
                .say(unwritable(&self.outputs.record, &error));
            Exit::Usage
        })?;
        let stop = Stop::default();
        let mut progress = Progress::new(&context.terminal);
        let means = Means {
            wire,
            redactor: &context.redactor,
            settings: &settings,
            stop: &stop,
        };
        in_runtime(context, async {
            let mut tell = |event| {
                progress.hear(&event);
                recorder.hear(event);
            };
            // Signals are listened for before the first connection is opened.
            tokio::select! {
                biased;
                () = signals::watch(&stop) => {}
                () = run::run(plan, means, &mut tell) => {}
            }
        })?;
        let (record, failure) = recorder.finish();
        let exit = match stop.reason() {
            Some(Reason::Interrupt) => Exit::of_interrupted(&record, Signal::Interrupt),
            Some(Reason::Terminate) => Exit::of_interrupted(&record, Signal::Terminate),
            Some(Reason::Deadline) | None => Exit::of(&record),
        };
        let written = failure.map_or(Exit::Conforms, |error| {
            context
                .terminal
                .say(unwritable(&self.outputs.record, &error));
            Exit::ReportUnwritten
        });
        Ok((record, exit.worst(written)))
    }

    fn settings(&self, context: &Context) -> Result<Settings, Exit> {
        Ok(Settings {
            run_id: run_id(context)?,
            jobs: usize::from(self.pace.jobs),
            rate: self.pace.rate,
            retries: self.pace.retries,
            deadline: self.pace.run_timeout,
        })
    }

    fn close(&self, record: &Record, exit: Exit, context: &Context) -> Exit {
        let exit = exit.worst(self.outputs.write(record, context));
        let exit = exit.worst(print(self.format, record, context));
        let paths: Vec<String> = self
            .outputs
            .paths()
            .map(|path| path.display().to_string())
            .collect();
        context.terminal.hint(format!(
            "rolecall: wrote {} and {}",
            paths.join(", "),
            self.outputs.record.display()
        ));
        exit
    }
}

/// An id that no other run has: 8 hex digits.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn run_id(context: &Context) -> Result<String, Exit> {
    let mut id = [0_u8; 4];
    getrandom::fill(&mut id).map_err(|_no_entropy| {
        context
            .terminal
            .say("error: the system has no random numbers for a run id");
        Exit::Usage
    })?;
    Ok(format!("{:08x}", u32::from_be_bytes(id)))
}

/// Prints a report on stdout.
pub(super) fn print(kind: Kind, record: &Record, context: &Context) -> Exit {
    let mut bytes = Vec::new();
    let rendered = report::render(kind, record, context.terminal.look(), &mut bytes);
    match rendered.and_then(|()| context.terminal.print(&bytes)) {
        Ok(()) => Exit::Conforms,
        Err(error) => {
            context
                .terminal
                .say(format!("error: cannot write to stdout: {}", reason(&error)));
            Exit::ReportUnwritten
        }
    }
}

/// Drives a future on this thread.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn in_runtime<T>(context: &Context, work: impl Future<Output = T>) -> Result<T, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .map(|runtime| runtime.block_on(work))
        .map_err(|error| {
            context.terminal.say(format!(
                "error: the system gives no event loop: {}",
                reason(&error)
            ));
            Exit::Usage
        })
}

fn unwritable(path: &Path, error: &std::io::Error) -> String {
    format!("error: cannot write {}: {}", path.display(), reason(error))
}

/// A scenario's name as part of a file name: lower case, one dash for all that is no letter or digit.
fn slug(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let kept: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    kept.join("-")
}
