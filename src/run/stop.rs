//! A signal or a deadline in, the end of the run out: first no new calls, then none awaited.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Why a run ended before its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The run's deadline passed.
    Deadline,
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// How long a call under way is still awaited after the run was stopped.
const GRACE: Duration = Duration::from_secs(2);

/// Ends a run early. Clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<Reason>>,
}

impl Stop {
    /// Ends the run; only the first reason counts.
    pub fn now(&self, reason: Reason) {
        self.reason.get_or_init(|| reason);
        self.token.cancel();
    }

    /// Why the run was ended; `None` while it was not.
    pub fn reason(&self) -> Option<Reason> {
        self.reason.get().copied()
    }

    /// Whether the run was ended.
    pub fn is_stopped(&self) -> bool {
        self.reason.get().is_some()
    }

    /// Ends the run after a while, unless the returned task is aborted before.
    pub fn at(&self, after: Duration) -> JoinHandle<()> {
        let stop = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            stop.now(Reason::Deadline);
        })
    }

    /// Waits until the run is ended.
    pub async fn ended(&self) {
        self.token.cancelled().await;
    }

    /// Waits until calls under way are no longer awaited.
    pub async fn hurried(&self) {
        self.token.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }
}
