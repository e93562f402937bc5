//! Words in, bytes on stdout and stderr out: colour and width decided once, a closed pipe no disaster.

use std::io::{self, Write};

use super::args::{Colour, Shared};
use super::environment::Environment;
use crate::report::Look;

/// The process's two outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    /// How reports for stdout look.
    pub(super) look: Look,
    /// Whether a progress bar may be drawn on stderr.
    pub(super) may_draw: bool,
    /// Whether hints and progress are unwanted.
    pub(super) quiet: bool,
}

/// Columns of a stdout that is no terminal: the article's table fits.
const PLAIN_WIDTH: usize = 100;

impl Terminal {
    /// Decides colour (flag, then `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`, then whether it is a terminal) and width.
    pub(super) fn new(environment: &Environment, shared: &Shared) -> Self {
        let quiet = shared.quiet;
        Self {
            look: Look {
                colour: colours(environment, shared.color, environment.stdout_is_terminal),
                width: width(environment),
                all: shared.verbose > 0,
            },
            may_draw: environment.stderr_is_terminal
                && !quiet
                && environment.variable("TERM") != Some("dumb"),
            quiet,
        }
    }

    /// Writes data on stdout. A reader that has gone away is no error.
    pub(super) fn print(&self, bytes: &[u8]) -> io::Result<()> {
        self.print_with(|stdout| stdout.write_all(bytes))
    }

    #[expect(
        clippy::unused_self,
        reason = "whoever speaks to the terminal holds it, whether or not these words depend on it"
    )]
    /// The same for what is written while it is made.
    pub(super) fn print_with(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        let written = write(&mut stdout).and_then(|()| stdout.flush());
        written.or_else(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                Ok(())
            } else {
                Err(error)
            }
        })
    }

    #[expect(
        clippy::unused_self,
        reason = "whoever speaks to the terminal holds it, whether or not these words depend on it"
    )]
    /// Writes one message line on stderr; nobody is left to tell when that fails.
    pub(super) fn say(&self, words: impl std::fmt::Display) {
        let _unheard = writeln!(io::stderr().lock(), "{words}").is_err();
    }

    /// The same, unless hints are unwanted.
    pub(super) fn hint(&self, words: impl std::fmt::Display) {
        if !self.quiet {
            self.say(words);
        }
    }
}

fn colours(environment: &Environment, flag: Colour, terminal: bool) -> bool {
    match flag {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            let forced = environment
                .variable("CLICOLOR_FORCE")
                .is_some_and(|value| value != "0");
            let declined = environment.variable("CLICOLOR") == Some("0")
                || matches!(environment.variable("TERM"), Some("dumb") | None);
            environment.variable("NO_COLOR").is_none() && (forced || (terminal && !declined))
        }
    }
}

fn width(environment: &Environment) -> usize {
    let stated = environment
        .variable("COLUMNS")
        .and_then(|columns| columns.parse().ok());
    let measured =
        || terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| usize::from(columns.0));
    stated
        .or_else(measured)
        .filter(|columns| *columns > 0)
        .unwrap_or(PLAIN_WIDTH)
        .clamp(40, 400)
}
