//! What a user agreed to in, refresh tokens that renew it, each followed by another, out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::aadsts::Refusal;
use super::codes::Delegation;
use super::redirect::Platform;
use crate::reference::chance;

/// How long a refresh token is good for, in seconds; each that follows is good for as long again.
const LIFETIME: i64 = 90 * 24 * 3600;
/// How long all refresh tokens of one sign-in at a single-page application are good for, in seconds.
const LIFETIME_OF_PAGE: i64 = 24 * 3600;
/// How many are remembered before those that ran out are forgotten.
const MOST: usize = 4096;

/// What a refresh token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Renewal {
    /// What the user agreed to.
    pub(crate) delegation: Delegation,
    /// The platform that the user signed in on.
    pub(crate) platform: Platform,
    /// The second after which it is refused.
    expires_at: i64,
    /// How often the user's sign-ins had been revoked when this one took place.
    revocations: u32,
}

/// All refresh tokens.
#[derive(Default)]
pub(crate) struct Renewals(Mutex<Book>);

#[derive(Default)]
struct Book {
    tokens: HashMap<String, Renewal>,
    /// How often each user's sign-ins were revoked.
    revocations: HashMap<String, u32>,
}

impl Renewal {
    /// Returns what a sign-in at `now`, in seconds of the Unix clock, can be renewed by.
    pub(crate) fn new(delegation: Delegation, platform: Platform, now: i64) -> Self {
        let lifetime = match platform {
            Platform::Spa => LIFETIME_OF_PAGE,
            Platform::Web | Platform::Native => LIFETIME,
        };
        Self {
            delegation,
            platform,
            expires_at: now + lifetime,
            revocations: 0,
        }
    }

    /// Returns its successor; that of a single-page application lives no longer than it does.
    fn next(self, now: i64) -> Self {
        match self.platform {
            Platform::Spa => self,
            Platform::Web | Platform::Native => Self {
                expires_at: now + LIFETIME,
                ..self
            },
        }
    }

    fn check(&self, revocations: u32, now: i64) -> Result<(), Refusal> {
        if self.revocations < revocations {
            return Err(Refusal::revoked());
        }
        match self.platform {
            _ if now < self.expires_at => Ok(()),
            Platform::Spa => Err(Refusal::refresh_of_page()),
            Platform::Web | Platform::Native => Err(Refusal::refresh_idle()),
        }
    }
}

impl Renewals {
    /// Returns a refresh token for a sign-in.
    pub(crate) fn issue(&self, renewal: Renewal) -> String {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let revocations = book.revocations(&renewal.delegation.user);
        book.add(Renewal {
            revocations,
            ..renewal
        })
    }

    /// Returns what the token of this client stands for, and the token that follows it. The old one stays good.
    pub(crate) fn redeem(
        &self,
        token: &str,
        client: &str,
        now: i64,
    ) -> Result<(Renewal, String), Refusal> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = book.tokens.get(token).cloned();
        let renewal = found
            .filter(|renewal| renewal.delegation.client == client)
            .ok_or_else(Refusal::refresh_unread)?;
        renewal.check(book.revocations(&renewal.delegation.user), now)?;
        if book.tokens.len() >= MOST {
            book.tokens.retain(|_, renewal| now < renewal.expires_at);
        }
        let next = book.add(renewal.clone().next(now));
        Ok((renewal, next))
    }

    /// Revokes what came of all sign-ins of a user so far.
    pub(crate) fn revoke(&self, user: &str) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let revocations = book.revocations(user) + 1;
        book.revocations.insert(user.to_owned(), revocations);
    }
}

impl Book {
    fn revocations(&self, user: &str) -> u32 {
        self.revocations.get(user).copied().unwrap_or_default()
    }

    fn add(&mut self, renewal: Renewal) -> String {
        let token = format!("1.{}{}", chance::secret(), chance::secret());
        self.tokens.insert(token.clone(), renewal);
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::idp::ask::Endpoint;

    const DAY: i64 = 24 * 3600;

    fn renewal(platform: Platform) -> Renewal {
        let delegation = Delegation {
            client: "client",
            user: "user".to_owned(),
            text: "openid".to_owned(),
            endpoint: Endpoint::V2,
        };
        Renewal::new(delegation, platform, 0)
    }

    fn code(answer: Result<(Renewal, String), Refusal>) -> u32 {
        answer.unwrap_err().code
    }

    #[test]
    fn a_token_is_followed_by_another_and_stays_good() {
        let renewals = Renewals::default();
        let first = renewals.issue(renewal(Platform::Native));
        let (_, second) = renewals.redeem(&first, "client", 89 * DAY).unwrap();
        assert_ne!(first, second);
        assert!(renewals.redeem(&first, "client", 89 * DAY).is_ok());
        assert_eq!(code(renewals.redeem(&first, "client", 90 * DAY)), 700_082);
        assert!(renewals.redeem(&second, "client", 178 * DAY).is_ok());
        assert_eq!(code(renewals.redeem(&second, "other", 0)), 70000);
        assert_eq!(code(renewals.redeem("nonsense", "client", 0)), 70000);
    }

    #[test]
    fn a_page_s_tokens_all_end_with_its_day() {
        let renewals = Renewals::default();
        let first = renewals.issue(renewal(Platform::Spa));
        let (_, second) = renewals.redeem(&first, "client", DAY - 1).unwrap();
        assert_eq!(code(renewals.redeem(&second, "client", DAY)), 700_084);
    }

    #[test]
    fn a_revocation_reaches_every_token_of_the_sign_in() {
        let renewals = Renewals::default();
        let first = renewals.issue(renewal(Platform::Native));
        let (_, second) = renewals.redeem(&first, "client", 1).unwrap();
        renewals.revoke("user");
        assert_eq!(code(renewals.redeem(&first, "client", 2)), 50173);
        assert_eq!(code(renewals.redeem(&second, "client", 2)), 50173);
        let again = renewals.issue(renewal(Platform::Native));
        assert!(renewals.redeem(&again, "client", 2).is_ok());
    }
}
