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

/// What a device asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The application id of its client.
    pub(crate) client: &'static str,
    /// The scope or resource parameter as it was sent.
    pub(crate) text: String,
    /// The generation of the endpoint that it was sent to.
    pub(crate) endpoint: Endpoint,
}

/// All attempts that are remembered.
#[derive(Default)]
pub(crate) struct Devices(Mutex<Vec<Attempt>>);

#[derive(Clone)]
struct Attempt {
    device: String,
    user: String,
    asked: Asked,
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
    /// Begins an attempt at `now`, in seconds of the Unix clock.
    pub(crate) fn begin(&self, asked: Asked, now: i64) -> Pair {
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
            asked,
            began_at: now,
            decision: Decision::Pending,
        });
        pair
    }

    /// Returns what is asked by an attempt that still waits for the user who types `code`.
    pub(crate) fn awaiting(&self, code: &str, now: i64) -> Option<Asked> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts
            .iter()
            .find(|attempt| attempt.awaits(code, now))
            .map(|attempt| attempt.asked.clone())
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
            .position(|attempt| attempt.device == device && attempt.asked.client == client)
            .ok_or_else(Refusal::device_unknown)?;
        match attempts[place].decision.clone() {
            Decision::Declined => Err(Refusal::device_declined()),
            _ if now - attempts[place].began_at >= LIFETIME => Err(Refusal::device_expired()),
            Decision::Pending => Err(Refusal::device_pending()),
            Decision::Granted(user) => {
                let asked = attempts.swap_remove(place).asked;
                Ok(Delegation {
                    client: asked.client,
                    user,
                    text: asked.text,
                    endpoint: asked.endpoint,
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

    fn asked() -> Asked {
        Asked {
            client: "tv",
            text: "scope".to_owned(),
            endpoint: Endpoint::V2,
        }
    }

    #[test]
    fn a_device_gets_the_user_s_decision_once() {
        let devices = Devices::default();
        let poll = |pair: &Pair, client: &str, now| {
            let polled = devices.poll(&pair.device, client, now);
            polled.map(|one| one.user).map_err(|refusal| refusal.error)
        };
        let pair = devices.begin(asked(), 0);
        assert_eq!(poll(&pair, "tv", 1), Err("authorization_pending"));
        assert_eq!(poll(&pair, "other", 1), Err("bad_verification_code"));
        assert!(devices.awaiting("XXXXXXXXX", 1).is_none());
        let typed = format!(" {} ", pair.user.to_lowercase());
        assert_eq!(devices.awaiting(&typed, 1), Some(asked()));
        devices.decide(&typed, Some("reader"), 1);
        assert_eq!(poll(&pair, "tv", 2), Ok("reader".to_owned()));
        assert_eq!(poll(&pair, "tv", 2), Err("bad_verification_code"));
    }

    #[test]
    fn a_code_runs_out_and_a_refusal_stays() {
        let devices = Devices::default();
        let (slow, declined) = (devices.begin(asked(), 0), devices.begin(asked(), 0));
        devices.decide(&declined.user, None, 1);
        devices.decide(&slow.user, Some("reader"), 900);
        let error = |pair: &Pair, now| devices.poll(&pair.device, "tv", now).unwrap_err().error;
        assert_eq!(error(&slow, 899), "authorization_pending");
        assert_eq!(error(&slow, 900), "expired_token");
        assert_eq!(error(&declined, 900), "authorization_declined");
        devices.begin(asked(), 1800);
        assert_eq!(error(&slow, 1800), "bad_verification_code");
    }
}
