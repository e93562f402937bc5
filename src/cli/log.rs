//! Log events in, redacted and sanitized lines on stderr out.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::{Level, debug, info};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::report::sanitizer;
use crate::run::Event;
use crate::run::event::Observed;
use crate::secret::Redactor;

/// Starts logging: the targets and levels of `RUST_LOG` when it is set (`rolecall=debug,hyper=info`), else what `-v` asks for;
/// warnings without either.
pub(super) fn start(verbose: u8, stated: Option<&str>, redactor: &Arc<Redactor>) {
    let level = match verbose {
        0 => Targets::new().with_default(Level::WARN),
        1 => Targets::new().with_target("rolecall", Level::INFO),
        2 => Targets::new()
            .with_target("rolecall", Level::DEBUG)
            .with_targets([("hyper", Level::INFO), ("reqwest", Level::INFO)]),
        _ => Targets::new().with_default(Level::TRACE),
    };
    let filter = stated.and_then(|text| text.parse().ok()).unwrap_or(level);
    let lines = fmt::layer()
        .with_ansi(false)
        .with_writer(Muted(Arc::clone(redactor)))
        .with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(lines);
    // A second start in one process keeps the first subscriber.
    let _kept = tracing::subscriber::set_global_default(subscriber).is_err();
}

/// Tells an event of a run: what happened to the run as a whole at `info`, each cell at `debug`.
pub(super) fn tell(event: &Event) {
    match event {
        Event::RunStarted(run) => info!(path = run.path, digest = run.digest, "run started"),
        Event::DoorFound { door, detail, .. } => info!(%door, detail, "door asked"),
        Event::TokenAcquired {
            persona,
            fingerprint,
            took_ms,
            ..
        } => info!(%persona, fingerprint, took_ms, "token acquired"),
        Event::TokenRenewed {
            persona,
            fingerprint,
            took_ms,
            ..
        } => info!(%persona, fingerprint, took_ms, "token renewed"),
        Event::FixtureMaking { fixture, tag, .. } => debug!(fixture, tag, "object to be made"),
        Event::FixtureUnmade { fixture, tag } => debug!(fixture, tag, "no object made"),
        Event::FixtureMade {
            fixture, object, ..
        } => info!(fixture, object, "object made"),
        Event::CleanupStarted { .. } => info!("clean-up started"),
        Event::CellObserved(Observed {
            persona,
            operation,
            door,
            status,
            took_ms,
            ..
        }) => debug!(%persona, %operation, %door, status, took_ms, "cell called"),
        Event::Looked { asked, astray } => info!(asked, astray = astray.len(), "looked at"),
        Event::Settled(settled) => info!(ready = settled.ready, looks = settled.looks, "settled"),
        Event::RoundStarted { round } => info!(round, "round started"),
        Event::CellRepeated {
            persona,
            operation,
            door,
            round,
            status,
            ..
        } => debug!(%persona, %operation, %door, round, status, "cell differs"),
        Event::CellSettled {
            persona,
            operation,
            door,
            effect,
            ..
        } => debug!(%persona, %operation, %door, ?effect, "effect settled"),
        Event::CellFinished {
            persona,
            operation,
            door,
            verdict,
            ..
        } => debug!(%persona, %operation, %door, verdict = %verdict.kind, "cell judged"),
        Event::CellsPassed { cells } => {
            let cells: usize = cells.iter().map(ExactSizeIterator::len).sum();
            debug!(cells, "cells passed");
        }
        Event::ToolsListed(listed) => info!(
            persona = %listed.persona,
            door = %listed.door,
            tools = listed.shown.tools.len(),
            "tools listed"
        ),
        Event::ToolTried(attempt) => info!(
            persona = %attempt.persona,
            door = %attempt.door,
            tool = attempt.tool,
            outcome = %attempt.reading.outcome.name(),
            "undeclared tool called"
        ),
        Event::RoutesKnown { operations } => info!(routed = operations.len(), "routes known"),
        Event::CoverageCompared(covered) => info!(
            routes = covered.routes.map(|share| share.all),
            tools = covered.tools.map(|share| share.all),
            "operations compared with what there is"
        ),
        Event::RequirementChecked(checked) => {
            info!(requirement = %checked.requirement, state = %checked.state(), "requirement checked");
        }
        Event::WaiverStated(dated) => {
            let waiver = &dated.waiver;
            info!(finding = %waiver.finding, until = %waiver.until, "waiver stated");
        }
        Event::WaiverWeighed { waiver, fate } => {
            debug!(waiver, fate = fate.name(), "waiver weighed");
        }
        Event::FindingMade(finding) => {
            info!(code = %finding.code, detail = finding.detail, "finding made");
        }
        Event::Cleanup {
            fixture,
            object,
            removed,
            detail,
        } => info!(fixture, object, removed, detail, "object cleaned up"),
        Event::RunFinished {
            complete, took_ms, ..
        } => info!(complete, took_ms, "run finished"),
    }
}

struct Muted(Arc<Redactor>);

impl<'w> MakeWriter<'w> for Muted {
    type Writer = MutedLine;

    fn make_writer(&'w self) -> MutedLine {
        MutedLine {
            redactor: Arc::clone(&self.0),
            bytes: Vec::new(),
        }
    }
}

/// One log event; written when it is whole, so that no secret is cut in two.
struct MutedLine {
    redactor: Arc<Redactor>,
    bytes: Vec<u8>,
}

impl Write for MutedLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for MutedLine {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.bytes);
        let redacted = self.redactor.redact(text.trim_end());
        let _unheard = writeln!(io::stderr().lock(), "{}", sanitizer::clean(&redacted)).is_err();
    }
}
