//! Nothing in, how long is waited for providers, programs and people out.

use std::time::Duration;

/// How long is waited, and for whom.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// For a provider that asks for it, in all, one request.
    pub(super) waiting: Duration,
    /// For a provider that is busy and does not say how long.
    pub(super) unstated: Duration,
    /// The shortest wait between two requests.
    pub(super) least: Duration,
    /// For a person.
    pub(super) person: Duration,
    /// For a program that prints a secret.
    pub(super) program: Duration,
    /// For the Azure command line, which asks Entra ID itself.
    pub(super) azure: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            waiting: Duration::from_secs(60),
            unstated: Duration::from_secs(5),
            least: Duration::from_secs(1),
            person: Duration::from_secs(300),
            program: Duration::from_secs(10),
            azure: Duration::from_secs(30),
        }
    }
}
