//! Scenario files in, runs out: load, lay, open the outputs, run, render, exit.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::answers;
use super::args::{self, Pace, People};
use super::attendant::attendant;
use super::loading::{self, reason};
use super::outputs::{self, Outputs};
use super::progress::Progress;
use super::recorder::{self, Recorder};
use super::summary::Summary;
use super::{Context, guard, log, shard, signals};
use crate::exit::{Exit, Signal};
use crate::plan::{Plan, Selection, Shard};
use crate::report::record::Tally;
use crate::report::summary::Row;
use crate::report::{self, Kind, Record};
use crate::run::stop::Reason;
use crate::run::{self, Course, Gallery, Means, Settings, Stop, Unready};
use crate::scenario::{Missing, Scenario};
use crate::wire::{self, Wire};

/// Bytes of an answer's body that are read at most.
const BODY_CAP: usize = 1 << 20;

/// Runs every scenario that was named, for every environment that was named, one after the other; all are read before the
/// first is run.
pub(super) fn run(arguments: &args::Run, context: &Context) -> Exit {
    match errands(arguments, context) {
        Ok(errands) => one_after_the_other(errands, arguments, context),
        Err(exit) => exit,
    }
}

/// What is to be run, each with the files that it writes.
fn errands<'a>(arguments: &'a args::Run, context: &Context) -> Result<Vec<Errand<'a>>, Exit> {
    let scenarios = scenarios(arguments, context)?;
    loading::known(&arguments.selection.only, &scenarios, context)?;
    let selection = admitted(&scenarios, &arguments.selection, context)?;
    let authorities = authorities(&arguments.wire, context)?;
    let shard = shard::wanted(arguments.selection.shard, context)?;
    let several = scenarios.len() > 1;
    if let Some(clash) = several
        .then(|| clash(&scenarios, &arguments.outputs))
        .flatten()
    {
        context.terminal.say(format!("error: {clash}"));
        return Err(Exit::Usage);
    }
    if let Some(folder) = &arguments.record_answers {
        answers::prepare(folder, context)?;
    }
    outputs::sweep(&arguments.outputs, shard, context)?;
    let errand = |scenario: Arc<Scenario>| {
        let named = several || scenario.environment.is_some();
        let slug = named.then(|| slug(&scenario));
        Errand {
            outputs: Outputs::plan(&arguments.outputs, slug.as_deref(), shard),
            shard,
            scenario,
            selection: selection.clone(),
            pace: &arguments.pace,
            course: arguments.course.read(),
            authorities: authorities.clone(),
            people: &arguments.people,
            format: arguments.outputs.format,
            answers: arguments.record_answers.as_deref(),
        }
    };
    Ok(scenarios.into_iter().map(errand).collect())
}

/// Every scenario for every environment.
fn scenarios(arguments: &args::Run, context: &Context) -> Result<Vec<Arc<Scenario>>, Exit> {
    let mut scenarios = Vec::with_capacity(arguments.scenarios.len());
    for path in &arguments.scenarios {
        let mut known: Vec<(String, BTreeMap<String, String>)> = Vec::new();
        for values in each(&arguments.values, &arguments.each_env) {
            let (scenario, variables) =
                loading::load_with_variables(path, &values, Missing::Refused, context)?;
            let environment = values.environment.unwrap_or_default();
            if let Some((other, _)) = known.iter().find(|(_, same)| *same == variables) {
                context.terminal.say(format!(
                    "error: {}: {other} and {environment} have the same variables, so the same deployment would be tested twice",
                    path.display()
                ));
                return Err(Exit::Usage);
            }
            known.push((environment, variables));
            scenarios.push(scenario);
        }
    }
    Ok(scenarios)
}

/// The values for each of the environments; as they are where none is named.
fn each(values: &args::Values, environments: &[String]) -> Vec<args::Values> {
    let of = |name: &String| args::Values {
        environment: Some(name.clone()),
        ..values.clone()
    };
    if environments.is_empty() {
        vec![values.clone()]
    } else {
        environments.iter().map(of).collect()
    }
}

/// What is to be run, where no scenario would change production that the user did not name.
fn admitted(
    scenarios: &[Arc<Scenario>],
    typed: &args::Selection,
    context: &Context,
) -> Result<Selection, Exit> {
    let selection = guard::selection(typed, context)?;
    for scenario in scenarios {
        guard::admit(scenario, &selection, context)?;
    }
    Ok(selection)
}

/// Whoever interrupts a run wants none of those that follow it.
fn one_after_the_other(errands: Vec<Errand<'_>>, arguments: &args::Run, context: &Context) -> Exit {
    let summary = match summary(&errands, arguments, context) {
        Ok(summary) => summary,
        Err(exit) => return exit,
    };
    let mut worst = Exit::Conforms;
    let mut interrupted = false;
    let mut rows = Vec::with_capacity(errands.len());
    for (place, errand) in errands.into_iter().enumerate() {
        let mut row = errand.row();
        if interrupted {
            let path = &errand.scenario.path;
            context
                .terminal
                .say(format!("rolecall: {path} was not run"));
            rows.push(row);
            continue;
        }
        if place > 0 && errand.format != Kind::Json {
            worst = worst.worst(to_stdout(b"\n", context));
        }
        let ended = errand.do_it(context);
        (worst, interrupted) = (worst.worst(ended.exit), ended.interrupted);
        (row.tally, row.exit) = (ended.tally, Some(ended.exit.code()));
        rows.push(row);
    }
    if let Some(summary) = summary {
        worst = worst.worst(summary.tell(&rows, worst, context));
    }
    worst
}

/// Where several runs are told together. All that earlier ones left is gone before the first begins: nobody knows how many of
/// them it comes to.
fn summary<'a>(
    errands: &[Errand<'_>],
    arguments: &'a args::Run,
    context: &Context,
) -> Result<Option<Summary<'a>>, Exit> {
    let [first, _, ..] = errands else {
        return Ok(None);
    };
    let summary = Summary::plan(&arguments.outputs, first.shard);
    summary.clear(context)?;
    for errand in errands {
        errand.outputs.clear(context)?;
    }
    Ok(Some(summary))
}

/// Why the outputs of several scenarios would get in each other's way, when they would.
fn clash(scenarios: &[Arc<Scenario>], outputs: &args::Outputs) -> Option<String> {
    if outputs.reports.iter().any(|report| report.path.is_some()) {
        return Some(
            "--report KIND=PATH names one file, and there are several scenarios; use --report-dir"
                .to_owned(),
        );
    }
    if outputs.format == Kind::Junit {
        return Some("--format junit prints one document, and there are several scenarios; take the files of --report junit".to_owned());
    }
    let slugs: Vec<String> = scenarios.iter().map(|scenario| slug(scenario)).collect();
    let twice = (1..slugs.len()).find(|place| slugs[..*place].contains(&slugs[*place]))?;
    Some(format!(
        "{}: another scenario of this command has a `name` with the same letters and digits, and their reports would share a file; give it a name of its own",
        scenarios[twice].path
    ))
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
    pub(super) shard: Option<Shard>,
    pub(super) pace: &'a Pace,
    pub(super) course: Course,
    pub(super) authorities: Vec<Vec<u8>>,
    pub(super) people: &'a People,
    pub(super) outputs: Outputs,
    pub(super) format: Kind,
    /// Where answers are saved that nobody is known for, when somebody asked for it.
    pub(super) answers: Option<&'a Path>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    /// Whether a signal ended it.
    interrupted: bool,
    /// How many checks got which word; `None` where nothing was run.
    tally: Option<Tally>,
}

impl From<Exit> for Ended {
    fn from(exit: Exit) -> Self {
        Self {
            exit,
            interrupted: false,
            tally: None,
        }
    }
}

impl Errand<'_> {
    /// Its line in the summary of several, as long as it was not run.
    fn row(&self) -> Row {
        let Scenario {
            name, environment, ..
        } = self.scenario.as_ref();
        let title = match environment {
            Some(environment) => format!("{name} · {environment}"),
            None => name.clone(),
        };
        Row {
            title,
            path: self.scenario.path.to_string(),
            environment: environment.clone(),
            tally: None,
            exit: None,
        }
    }

    /// Runs it, writes its reports, prints one of them.
    pub(super) fn do_it(self, context: &Context) -> Ended {
        let mut plan = Plan::lay(Arc::clone(&self.scenario), self.selection.clone());
        if plan.checks() == 0 {
            context.terminal.say(format!(
                "error: {}: nothing selected; `rolecall plan {0}` lists the checks",
                self.scenario.path
            ));
            return Exit::NothingSelected.into();
        }
        if let Some(shard) = self.shard {
            plan = plan.part(shard);
        }
        let wire = match wire(self.pace, self.authorities.clone(), context) {
            Ok(wire) => wire,
            Err(exit) => return exit.into(),
        };
        if let Err(exit) = self.outputs.clear(context) {
            return exit.into();
        }
        match self.conduct(plan, &wire, context) {
            Ok((record, ended)) => Ended {
                exit: self.close(&record, ended.exit, context),
                tally: Some(record.tally()),
                ..ended
            },
            Err(exit) => exit.into(),
        }
    }

    fn conduct(&self, plan: Plan, wire: &Wire, context: &Context) -> Result<(Record, Ended), Exit> {
        let settings = self.settings(context)?;
        let recorder = Recorder::create(&self.outputs.record, &settings.run_id, &context.redactor);
        let recorder = RefCell::new(recorder.map_err(|error| {
            context
                .terminal
                .say(unwritable(&self.outputs.record, &error));
            Exit::Usage
        })?);
        let stop = Stop::default();
        let gallery = self.answers.map(|_| Gallery::default());
        let attendant = attendant(self.people, context);
        let mut progress = Progress::new(&context.terminal);
        let voice = progress.voice();
        let stopping = || {
            voice.hint(
                "rolecall: stopping: what this run made is removed first; once more stops at once",
            );
        };
        let means = Means {
            wire,
            redactor: &context.redactor,
            settings: &settings,
            stop: &stop,
            attendant: &attendant,
            gallery: gallery.as_ref(),
        };
        let ready = in_runtime(context, async {
            let mut tell = |event| {
                // One look at the clock serves both: there is one a check.
                let now = SystemTime::now();
                log::tell(&event);
                progress.hear(&event, now);
                recorder.borrow_mut().hear(&event, now);
            };
            // The signals first: one that comes before anybody listens for it would end the process as it stands.
            tokio::select! {
                biased;
                () = signals::watch(&stop, &stopping) => Ok(()),
                ready = run::run(plan, means, &mut tell) => ready,
                never = recorder::keep_up(&recorder) => match never {},
            }
        })?;
        let (record, failure) = recorder.into_inner().finish();
        if let Err(Unready(why)) = ready {
            context.terminal.say(format!("error: {why}"));
            return Err(Exit::Usage);
        }
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
        let saved = match (self.answers, &gallery) {
            (Some(folder), Some(gallery)) => {
                answers::save(folder, gallery, &record, &self.scenario, context)
            }
            _ => Exit::Conforms,
        };
        let ended = Ended {
            exit: exit.worst(written).worst(saved),
            interrupted: matches!(stop.reason(), Some(Reason::Interrupt | Reason::Terminate)),
            tally: None,
        };
        Ok((record, ended))
    }

    fn settings(&self, context: &Context) -> Result<Settings, Exit> {
        Ok(Settings {
            run_id: run_id(context)?,
            expires: expiry(self.pace.run_timeout + self.course.settle.unwrap_or_default()),
            jobs: usize::from(self.pace.jobs),
            rate: self.pace.rate,
            retries: self.pace.retries,
            deadline: self.pace.run_timeout,
            today: context.environment.today,
            course: self.course,
        })
    }

    fn close(&self, record: &Record, exit: Exit, context: &Context) -> Exit {
        let exit = exit.worst(self.outputs.write(record, context));
        let exit = exit.worst(print(self.format, record, context));
        self.outputs.tell(context);
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

/// When nobody needs the objects of a run any more that may take so long and begins now: a day after its end, at the full
/// hour.
pub(super) fn expiry(longest: Duration) -> String {
    const HOUR: u64 = 60 * 60;
    let end = SystemTime::now() + longest + Duration::from_secs(24 * HOUR);
    let seconds = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let full = UNIX_EPOCH + Duration::from_secs(seconds.div_ceil(HOUR) * HOUR);
    humantime::format_rfc3339_seconds(full).to_string()
}

/// Prints a report on stdout.
pub(super) fn print(kind: Kind, record: &Record, context: &Context) -> Exit {
    let look = context.terminal.look;
    let printed = context
        .terminal
        .print_with(|out| report::render(kind, record, look, out));
    printed.map_or_else(|error| unprintable(&error, context), |()| Exit::Conforms)
}

pub(super) fn to_stdout(bytes: &[u8], context: &Context) -> Exit {
    let printed = context.terminal.print(bytes);
    printed.map_or_else(|error| unprintable(&error, context), |()| Exit::Conforms)
}

fn unprintable(error: &std::io::Error, context: &Context) -> Exit {
    context
        .terminal
        .say(format!("error: cannot write to stdout: {}", reason(error)));
    Exit::ReportUnwritten
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

/// A scenario's name and environment as part of a file name: lower case, one dash for all that is no letter or digit.
fn slug(scenario: &Scenario) -> String {
    let environment = scenario.environment.as_deref().unwrap_or_default();
    let name = format!("{} {environment}", scenario.name);
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let kept: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    kept.join("-")
}
