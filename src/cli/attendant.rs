//! Words for a person in, words on stderr out; says when nobody is there to read them.

use std::process::{Command, Stdio};
use std::sync::Arc;

use super::Context;
use super::args::People;
use super::terminal::Terminal;
use crate::report::sanitizer;
use crate::token::Attendant;

/// Speaks on stderr.
#[derive(Debug)]
struct AtTerminal {
    terminal: Terminal,
    absent: Option<&'static str>,
    opens: bool,
}

/// Whoever sits at this terminal.
pub(super) fn attendant(people: &People, context: &Context) -> Arc<dyn Attendant> {
    let absent = if people.no_input {
        Some("--no-input says that none is to be asked")
    } else if !context.environment.stderr_is_terminal {
        Some("there is no terminal to ask one at")
    } else {
        None
    };
    Arc::new(AtTerminal {
        terminal: context.terminal,
        absent,
        opens: people.open_browser,
    })
}

impl Attendant for AtTerminal {
    fn absent(&self) -> Option<&str> {
        self.absent
    }

    fn tell(&self, words: &str) {
        self.terminal
            .say(format!("rolecall: {}", sanitizer::clean_block(words)));
    }

    /// A browser that does not open is no error: the address was told.
    fn open(&self, url: &str) {
        if !self.opens {
            return;
        }
        let opener = if cfg!(target_os = "macos") {
            "open"
        } else {
            "xdg-open"
        };
        let mut command = Command::new(opener);
        command
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _opened = command.spawn().is_ok();
    }
}
