//! A scenario whose headers name programs in, the same with what they print out.

use std::sync::Arc;

use crate::scenario::sign_in::{Command, SecretSource};
use crate::scenario::{HeaderText, Scenario};
use crate::secret::Secret;
use crate::token::Desk;

/// Why a run could not begin, in one redacted sentence with its remedy. Nothing was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unready(pub String);

/// Runs the programs that headers name, each once a run: the same program may print a secret of a sign-in, too.
///
/// # Errors
/// A header has no value that could be sent.
pub(super) async fn fetch(scenario: &mut Arc<Scenario>, desk: &Desk) -> Result<(), Unready> {
    let names_program = |(_, text): &(String, HeaderText)| matches!(text, HeaderText::Command(_));
    if !scenario.headers().any(names_program) {
        return Ok(());
    }
    for (name, text) in Arc::make_mut(scenario).headers_mut() {
        if let HeaderText::Command(command) = text {
            let printed = print(command, desk).await;
            let secret =
                printed.map_err(|why| Unready(format!("header `{name}` has no value: {why}")))?;
            *text = HeaderText::Secret(secret);
        }
    }
    Ok(())
}

async fn print(command: &Command, desk: &Desk) -> Result<Secret, String> {
    let source = SecretSource::Command(command.clone());
    let secret = desk.secret(&source).await?;
    if HeaderText::can_hold(secret.expose()) {
        return Ok(secret);
    }
    let program = &command.program;
    Err(format!(
        "what `{program}` printed has characters that no header can carry. Have it print visible ASCII on one line"
    ))
}
