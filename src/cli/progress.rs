//! Events in, a moving line on a terminal or a few quiet lines elsewhere out; stderr only.

use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::Terminal;
use crate::report::sanitizer;
use crate::run::Event;

/// Between two quiet lines.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Tells how far a run is.
pub(super) struct Progress<'t> {
    terminal: &'t Terminal,
    /// Where it is drawn.
    bar: Option<ProgressBar>,
    done: usize,
    total: usize,
    spoke: SystemTime,
}

/// Words in, a line above the bar out.
pub(super) struct Voice<'t> {
    terminal: &'t Terminal,
    bar: Option<ProgressBar>,
}

impl Voice<'_> {
    /// Says something, unless hints are unwanted.
    pub(super) fn hint(&self, words: impl std::fmt::Display) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.terminal.hint(words)),
            None => self.terminal.hint(words),
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

impl<'t> Progress<'t> {
    /// Speaks while the progress is drawn.
    pub(super) fn voice(&self) -> Voice<'t> {
        Voice {
            terminal: self.terminal,
            bar: self.bar.clone(),
        }
    }

    /// Nothing is drawn before the run has started.
    pub(super) fn new(terminal: &'t Terminal) -> Self {
        let stderr = ProgressDrawTarget::stderr;
        let bar = || ProgressBar::with_draw_target(None, stderr());
        let bar = terminal.may_draw.then(bar);
        Self {
            terminal,
            bar,
            done: 0,
            total: 0,
            spoke: SystemTime::now(),
        }
    }

    /// Takes the next event and the time of it.
    pub(super) fn hear(&mut self, event: &Event, now: SystemTime) {
        match event {
            Event::RunStarted(run) => {
                let matrix = &run.matrix;
                self.start(&run.scenario, matrix.checks().count(), matrix.doors.len());
            }
            Event::CellObserved(_) => self.step(now),
            Event::Looked { asked, astray } => self.look(*asked, astray),
            Event::RoundStarted { round } => self.next_round(*round, now),
            Event::RunFinished { .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
            Event::WaiverStated(_)
            | Event::WaiverWeighed { .. }
            | Event::DoorFound { .. }
            | Event::TokenAcquired { .. }
            | Event::TokenRenewed { .. }
            | Event::FixtureMaking { .. }
            | Event::FixtureUnmade { .. }
            | Event::FixtureMade { .. }
            | Event::CleanupStarted { .. }
            | Event::Settled(_)
            | Event::CellRepeated { .. }
            | Event::CellSettled { .. }
            | Event::CellFinished { .. }
            | Event::CellsPassed { .. }
            | Event::ToolsListed(_)
            | Event::ToolTried(_)
            | Event::RoutesKnown { .. }
            | Event::CoverageCompared(_)
            | Event::RequirementChecked(_)
            | Event::FindingMade(_)
            | Event::Cleanup { .. } => {}
        }
    }

    fn start(&mut self, scenario: &str, checks: usize, doors: usize) {
        self.total = checks;
        // Said first: setting the length draws the bar, and words over a drawn bar leave a piece of it behind.
        self.terminal.hint(format!(
            "rolecall: {scenario}: {} at {}",
            counted(checks, "check"),
            counted(doors, "door")
        ));
        let Some(bar) = &self.bar else {
            return;
        };
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {pos}/{len} checks  {elapsed}  {msg}")
        {
            bar.set_style(style);
        }
        bar.set_length(checks as u64);
    }

    fn look(&self, asked: usize, astray: &[String]) {
        let asked = counted(asked, "cell");
        match astray {
            [] => self
                .terminal
                .hint(format!("rolecall: {asked} as demanded before the run")),
            [first, ..] => self.terminal.hint(format!(
                "rolecall: not settled yet, of {asked}: {}",
                sanitizer::clean(first)
            )),
        }
    }

    fn next_round(&mut self, round: u32, now: SystemTime) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("round {round}")),
            None if self.is_due(now) => {
                self.spoke = now;
                self.terminal.hint(format!("rolecall: round {round}"));
            }
            None => {}
        }
    }

    /// Whether nothing was said for long, or nobody can tell, because the clock was put back.
    fn is_due(&self, now: SystemTime) -> bool {
        let since = now.duration_since(self.spoke);
        !since.is_ok_and(|since| since < HEARTBEAT)
    }

    fn step(&mut self, now: SystemTime) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if self.is_due(now) => {
                self.spoke = now;
                self.terminal
                    .hint(format!("rolecall: {} of {} checks", self.done, self.total));
            }
            None => {}
        }
    }
}
