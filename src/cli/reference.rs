//! Faults in, a served reference deployment and its variables out.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::run::in_runtime;
use super::{Context, args, loading};
use crate::exit::Exit;
use crate::reference::{Deployment, Fault};

/// Serves until it is interrupted.
pub(super) fn reference(arguments: &args::Reference, context: &Context) -> Exit {
    let deployment = match start(&arguments.faults, context) {
        Ok(deployment) => deployment,
        Err(exit) => return exit,
    };
    let variables = deployment.variables();
    let text = variables.iter().fold(String::new(), |text, (name, value)| {
        text + &format!("{name}={value}\n")
    });
    let told = match &arguments.env_file {
        Some(path) => write_privately(path, &text),
        None => context.terminal.print(text.as_bytes()),
    };
    if let Err(error) = told {
        context.terminal.say(format!(
            "error: cannot write the variables: {}",
            loading::reason(&error)
        ));
        return Exit::ReportUnwritten;
    }
    let file = arguments
        .env_file
        .as_deref()
        .unwrap_or_else(|| Path::new("FILE"));
    context.terminal.hint(format!(
        "rolecall: serving until Ctrl-C; in another terminal: rolecall run --env-file {} scenarios/product-catalog.yaml",
        file.display()
    ));
    match in_runtime(context, tokio::signal::ctrl_c()) {
        Ok(_) => Exit::Conforms,
        Err(exit) => exit,
    }
}

/// Starts the reference deployment.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn start(faults: &[Fault], context: &Context) -> Result<Deployment, Exit> {
    Deployment::start(faults).map_err(|error| {
        context.terminal.say(format!(
            "error: the reference deployment cannot start: {}",
            loading::reason(&error)
        ));
        Exit::Usage
    })
}

fn write_privately(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}
