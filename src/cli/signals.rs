//! SIGINT and SIGTERM in, a stopped run out; the second one does not wait for the clean-up.

use tokio::signal::unix::{SignalKind, signal};

use super::progress::Voice;
use crate::run::Stop;
use crate::run::stop::Reason;

/// Waits for signals: the first stops the run, the second returns.
pub(super) async fn watch(stop: &Stop, voice: &Voice<'_>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    for last in [false, true] {
        let reason = tokio::select! {
            _ = interrupt.recv() => Reason::Interrupt,
            _ = terminate.recv() => Reason::Terminate,
        };
        stop.now(reason);
        if !last {
            voice.hint(
                "rolecall: stopping: what this run made is removed first; once more stops at once",
            );
        }
    }
}
