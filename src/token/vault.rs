//! Where a secret comes from in, the secret out: programs run once a run, files are read at each use.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::program;
use crate::scenario::sign_in::{Command, SecretSource};
use crate::secret::Secret;

/// Fetches secrets when they are needed, and not before.
#[derive(Debug, Default)]
pub(super) struct Vault {
    printed: Mutex<HashMap<Command, Printing>>,
}

/// What a program printed, for everyone who waits for it.
type Printing = Arc<OnceCell<Result<Secret, String>>>;

impl Vault {
    /// A secret that stays the same for the run.
    ///
    /// # Errors
    /// Why there is none, with the remedy.
    pub(super) async fn once(
        &self,
        source: &SecretSource,
        deadline: Duration,
    ) -> Result<Secret, String> {
        let SecretSource::Command(command) = source else {
            return self.fresh(source, deadline).await;
        };
        let cell = {
            let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(printed.entry(command.clone()).or_default())
        };
        cell.get_or_init(|| program::print(command, deadline))
            .await
            .clone()
    }

    /// A secret as it is now: what others renew is fetched again.
    ///
    /// # Errors
    /// Why there is none, with the remedy.
    pub(super) async fn fresh(
        &self,
        source: &SecretSource,
        deadline: Duration,
    ) -> Result<Secret, String> {
        match source {
            SecretSource::Value(secret) => Ok(secret.clone()),
            SecretSource::File(path) => file(path),
            SecretSource::Command(command) => program::print(command, deadline).await,
        }
    }
}

fn file(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("the file {shown} is gone"),
        kind => format!("the file {shown} cannot be read: {kind}"),
    })?;
    match text.trim() {
        "" => Err(format!("the file {shown} is empty")),
        secret => Ok(Secret::new(secret.to_owned())),
    }
}
