//! A program with its arguments in, what it printed out.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process;

use crate::scenario::sign_in::Command;
use crate::secret::Secret;

/// Bytes of a program's output that are read at most.
const CAP: u64 = 1 << 18;

/// What a program left behind.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) status: ExitStatus,
    /// Standard output: a secret, as far as anyone here knows.
    pub(super) output: Secret,
    /// Standard error: to be searched for numbers, never to be shown.
    pub(super) errors: Secret,
}

/// Runs a program and takes what it prints for a secret. Its environment is ours; its standard input is empty.
///
/// # Errors
/// Why there is no secret, with the remedy. Nothing that the program printed is in it.
pub(super) async fn print(command: &Command, deadline: Duration) -> Result<Secret, String> {
    let name = &command.program;
    let printed = run(command, deadline).await?;
    if !printed.status.success() {
        return Err(format!(
            "`{name}` {}, so there is no secret. Run it by hand to see why",
            ending(printed.status)
        ));
    }
    match printed.output.expose().trim() {
        "" => Err(format!(
            "`{name}` printed nothing. Run it by hand to see why"
        )),
        secret => Ok(Secret::new(secret.to_owned())),
    }
}

/// Runs a program to its end.
///
/// # Errors
/// It could not be started, printed something that is no text, or was not done in time.
pub(super) async fn run(command: &Command, deadline: Duration) -> Result<Printed, String> {
    let name = &command.program;
    let mut child = start(command).map_err(|error| unstarted(name, error.kind()))?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let ending = async {
        let (output, errors) = tokio::join!(read(output), read(errors));
        Ok::<_, io::Error>((child.wait().await?, output?, errors.unwrap_or_default()))
    };
    let ended = tokio::time::timeout(deadline, ending).await;
    let (status, output, errors) = ended
        .map_err(|_late| format!("`{name}` was not done within {} s", deadline.as_secs()))?
        .map_err(|error| format!("`{name}` could not be listened to: {}", error.kind()))?;
    let output = String::from_utf8(output)
        .map_err(|_binary| format!("`{name}` printed something that is no text"))?;
    Ok(Printed {
        status,
        output: Secret::new(output),
        errors: Secret::new(String::from_utf8_lossy(&errors).into_owned()),
    })
}

fn start(command: &Command) -> io::Result<process::Child> {
    let mut start = process::Command::new(place(command)?);
    start.args(&command.arguments);
    if !command.folder.as_os_str().is_empty() {
        start.current_dir(&command.folder);
    }
    start
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// A path is one from the scenario's folder; a bare name is looked for in `PATH`.
fn place(command: &Command) -> io::Result<std::path::PathBuf> {
    if command.program.contains('/') {
        std::path::absolute(command.folder.join(&command.program))
    } else {
        Ok(command.program.clone().into())
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(CAP).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

fn unstarted(name: &str, kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => {
            format!("there is no program `{name}`. Install it, or state its path")
        }
        io::ErrorKind::PermissionDenied => format!("`{name}` may not be run. Make it executable"),
        kind => format!("`{name}` could not be started: {kind}"),
    }
}

fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "was killed".to_owned(),
    }
}
