//! Secrets in, text without them out: a mute [`Secret`] and the [`Redactor`] that removes every known one.

mod encoding;
mod redactor;
mod sieve;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

pub use redactor::Redactor;

/// A value that must reach no output. Its `Debug` is mute and it has no `Display`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the value; the memory is wiped when the last copy goes.
    pub fn new(value: String) -> Self {
        Self(SecretString::from(value))
    }

    /// The value itself. `grep expose` is the audit of every place that may see one.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_says_that_it_is_there_and_nothing_else() {
        let secret = Secret::new("canary".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!(!secret.is_empty());
        assert!(Secret::new(String::new()).is_empty());
    }
}
