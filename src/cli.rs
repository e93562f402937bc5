//! Arguments, environment and files in, words on the terminal and an exit code out. The only room that prints.

mod answers;
mod args;
mod attendant;
mod coverage;
mod cleanup;
#[cfg(feature = "reference")]
mod demo;
mod doctor;
mod doors;
mod environment;
mod explain;
mod guard;
mod loading;
mod log;
mod merge;
mod outputs;
mod plan;
mod progress;
mod recorder;
#[cfg(feature = "reference")]
mod reference;
mod report;
mod run;
mod shard;
mod signals;
mod summary;
mod terminal;
mod token;
mod variables;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

use crate::exit::Exit;
use crate::secret::Redactor;
use args::{Arguments, Command};
use environment::Environment;
use terminal::Terminal;

/// Runs the command line and returns the process's exit code (see [`Exit`]).
pub fn main() -> ExitCode {
    let environment = Environment::read();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let redactor = Arc::new(Redactor::default());
    let terminal = Terminal::new(&environment, &arguments.shared);
    log::start(
        arguments.shared.verbose,
        environment.variable("RUST_LOG"),
        &redactor,
    );
    let context = Context {
        environment,
        redactor,
        terminal,
    };
    ExitCode::from(obey(arguments.command, &context).code())
}

/// What every command works with.
#[derive(Debug)]
struct Context {
    environment: Environment,
    redactor: Arc<Redactor>,
    terminal: Terminal,
}

fn obey(command: Command, context: &Context) -> Exit {
    match command {
        #[cfg(feature = "reference")]
        Command::Demo(arguments) => demo::demo(&arguments, context),
        Command::Run(arguments) => run::run(&arguments, context),
        Command::Plan(arguments) => plan::plan(&arguments, context),
        Command::Report(arguments) => report::report(&arguments, context),
        Command::Cleanup(arguments) => cleanup::cleanup(&arguments, context),
        Command::Merge(arguments) => merge::merge(&arguments, context),
        Command::Explain(arguments) => explain::explain(&arguments, context),
        Command::Token(arguments) => token::token(&arguments, context),
        Command::Doctor(arguments) => doctor::doctor(&arguments, context),
        Command::Coverage(arguments) => coverage::coverage(&arguments, context),
        Command::Doors(arguments) => doors::doors(&arguments, context),
        #[cfg(feature = "reference")]
        Command::Reference(arguments) => reference::reference(&arguments, context),
    }
}

/// clap words its own errors and its help; only the exit code is ours.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    let asked_for = !error.use_stderr() && printed.is_ok();
    ExitCode::from(
        if asked_for {
            Exit::Conforms
        } else {
            Exit::Usage
        }
        .code(),
    )
}
