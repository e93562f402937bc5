//! Faults in, a served reference deployment and its variables out.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::run::{authorities, in_runtime, wire};
use super::{Context, args, loading};
use crate::exit::Exit;
use crate::reference::{Deployment, Fault, Trusted};
use crate::report::sanitizer;
use crate::token::provider;

/// Serves until it is interrupted.
pub(super) fn reference(arguments: &args::Reference, context: &Context) -> Exit {
    let trusted = match trusted(&arguments.trust, &arguments.wire, context) {
        Ok(trusted) => trusted,
        Err(exit) => return exit,
    };
    let deployment = match start(trusted, &arguments.faults, context) {
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

/// The other provider that the gateway is to trust, asked for its keys.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
fn trusted(
    trust: &args::Trust,
    trusts: &args::Wire,
    context: &Context,
) -> Result<Option<Trusted>, Exit> {
    let Some(issuer) = &trust.issuer else {
        return Ok(None);
    };
    let wire = wire(
        &args::Pace::for_providers(),
        authorities(trusts, context)?,
        context,
    )?;
    let keys = in_runtime(context, provider::published_keys(issuer, &wire))?;
    let trusted = keys.and_then(|keys| {
        let (audiences, roles) = (trust.audiences.clone(), trust.roles.clone());
        Trusted::new(issuer.clone(), audiences, roles, &keys)
    });
    trusted.map(Some).map_err(|why| {
        let issuer = sanitizer::clean(issuer);
        context
            .terminal
            .say(format!("error: --trust {issuer}: {why}"));
        Exit::Usage
    })
}

/// Starts the reference deployment.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn start(
    trusted: Option<Trusted>,
    faults: &[Fault],
    context: &Context,
) -> Result<Deployment, Exit> {
    Deployment::trusting(trusted, faults).map_err(|error| {
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
