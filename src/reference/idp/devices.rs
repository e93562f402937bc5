//! A device's request in, a code for its user to type, and in time the user's decision, out.

use std::sync::{Mutex, PoisonError};

use super::aadsts::Refusal;
use super::ask::Endpoint;
use super::codes::Delegation;
use crate::reference::chance;

/// How long a user has to type the code, in seconds.
pub(crate) const LIFETIME: i64 = 900;
/// The letters of user codes, without vowels and without those that look like others.
const LETTERS: &[u8; 24] = b"BCDFGHJKLMNPQRSTVWXZ2346";

/// The two codes of one attempt to sign in (RFC 8628 section 3.2).
pub(crate) struct Pair {
    /// What the device polls with.
    pub(crate) device: String,
    /// What the user types.
    pub(crate) user: String,
}

/// All attempts that are remembered.
#[derive(Default)]
pub(crate) struct Devices(Mutex<Vec<Attempt>>);

#[derive(Clone)]
struct Attempt {
    device: String,
    user: String,
    client: &'static str,
    text: String,
    began_at: i64,
    decision: Decision,
}

#[derive(Clone)]
enum Decision {
    Pending,
    Granted(String),
    Declined,
}

impl Devices {
    /// Begins an attempt of a client at `now`, in seconds of the Unix clock, for what `text`, a scope, asks.
    pub(crate) fn begin(&self, client: &'static str, text: &str, now: i64) -> Pair {
        let pair = Pair {
            device: format!("{}{}", chance::secret(), chance::secret()),
            user: user_code(),
        };
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // An expired one is remembered as long again, so that a late poll is told why.
        attempts.retain(|attempt| now - attempt.began_at < 2 * LIFETIME);
        attempts.push(Attempt {
            device: pair.device.clone(),
            user: pair.user.clone(),
            client,
            text: text.to_owned(),
            began_at: now,
            decision: Decision::Pending,
        });
        pair
    }

    /// Returns the client and the scope of an attempt that still waits for the user who types `code`.
    pub(crate) fn awaiting(&self, code: &str, now: i64) -> Option<(&'static str, String)> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts
            .iter()
            .find(|attempt| attempt.awaits(code, now))
            .map(|attempt| (attempt.client, attempt.text.clone()))
    }

    /// Writes down the decision of the user who typed `code`: the object id, or nothing if they declined.
    pub(crate) fn decide(&self, code: &str, user: Option<&str>, now: i64) {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempt) = attempts
            .iter_mut()
            .find(|attempt| attempt.awaits(code, now))
        {
            attempt.decision = user.map_or(Decision::Declined, |user| {
                Decision::Granted(user.to_owned())
            });
        }
    }

    /// Returns what the user agreed to, once; before that and after that the reason why there is nothing.
    pub(crate) fn poll(&self, device: &str, client: &str, now: i64) -> Result<Delegation, Refusal> {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = attempts
            .iter()
            .position(|attempt| attempt.device == device && attempt.client == client)
            .ok_or_else(Refusal::device_unknown)?;
        match attempts[place].decision.clone() {
            Decision::Declined => Err(Refusal::device_declined()),
            _ if now - attempts[place].began_at >= LIFETIME => Err(Refusal::device_expired()),
            Decision::Pending => Err(Refusal::device_pending()),
            Decision::Granted(user) => {
                let attempt = attempts.swap_remove(place);
                Ok(Delegation {
                    client: attempt.client,
                    user,
                    text: attempt.text,
                    endpoint: Endpoint::V2,
                })
            }
        }
    }
}

impl Attempt {
    /// People type in small letters and with spaces around.
    fn awaits(&self, code: &str, now: i64) -> bool {
        self.user.eq_ignore_ascii_case(code.trim())
            && now - self.began_at < LIFETIME
            && matches!(self.decision, Decision::Pending)
    }
}

fn user_code() -> String {
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    chance::bytes::<9>().iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_gets_the_user_s_decision_once() {
        let devices = Devices::default();
        let poll = |pair: &Pair, client: &str, now| {
            let polled = devices.poll(&pair.device, client, now);
            polled.map(|one| one.user).map_err(|refusal| refusal.error)
        };
        let pair = devices.begin("tv", "scope", 0);
        assert_eq!(poll(&pair, "tv", 1), Err("authorization_pending"));
        assert_eq!(poll(&pair, "other", 1), Err("bad_verification_code"));
        assert!(devices.awaiting("XXXXXXXXX", 1).is_none());
        let typed = format!(" {} ", pair.user.to_lowercase());
        assert_eq!(
            devices.awaiting(&typed, 1),
            Some(("tv", "scope".to_owned()))
        );
        devices.decide(&typed, Some("reader"), 1);
        assert_eq!(poll(&pair, "tv", 2), Ok("reader".to_owned()));
        assert_eq!(poll(&pair, "tv", 2), Err("bad_verification_code"));
    }

    #[test]
    fn a_code_runs_out_and_a_refusal_stays() {
        let devices = Devices::default();
        let (slow, declined) = (
            devices.begin("tv", "scope", 0),
            devices.begin("tv", "scope", 0),
        );
        devices.decide(&declined.user, None, 1);
        devices.decide(&slow.user, Some("reader"), 900);
        let error = |pair: &Pair, now| devices.poll(&pair.device, "tv", now).unwrap_err().error;
        assert_eq!(error(&slow, 899), "authorization_pending");
        assert_eq!(error(&slow, 900), "expired_token");
        assert_eq!(error(&declined, 900), "authorization_declined");
        devices.begin("tv", "scope", 1800);
        assert_eq!(error(&slow, 1800), "bad_verification_code");
    }
}
