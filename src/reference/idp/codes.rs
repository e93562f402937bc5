//! What a user agreed to on a page in, a code that buys it once out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::aadsts::Refusal;
use super::ask::Endpoint;
use super::form::Form;
use super::redirect::Platform;
use crate::reference::chance;

/// How long a code can be redeemed, in seconds.
const LIFETIME: i64 = 600;
/// How long a code is remembered, in seconds, so that a late or second redemption is told apart from nonsense.
const MEMORY: i64 = 3600;

/// What a user let a client do.
#[derive(Clone, Debug)]
pub(crate) struct Delegation {
    /// The application id of the client.
    pub(crate) client: &'static str,
    /// The object id of the user.
    pub(crate) user: String,
    /// The scope or resource parameter as it was sent.
    pub(crate) text: String,
    /// The generation of the endpoint that it was sent to.
    pub(crate) endpoint: Endpoint,
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// What the user agreed to.
    pub(crate) delegation: Delegation,
    /// The redirect URI that the code went to.
    pub(crate) redirect: String,
    /// The platform under which that URI is registered.
    pub(crate) platform: Platform,
    /// The client's challenge, if it sent one.
    pub(crate) challenge: Option<Challenge>,
    /// What the ID token must repeat.
    pub(crate) nonce: Option<String>,
}

/// What a verifier must turn into (RFC 7636 section 4.2).
#[derive(Clone, Debug)]
pub(crate) enum Challenge {
    /// The verifier itself.
    Plain(String),
    /// The base64url of the verifier's SHA-256.
    S256(String),
}

/// All codes that are remembered.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<String, Entry>>);

struct Entry {
    code: Code,
    issued_at: i64,
    redeemed: bool,
}

impl Challenge {
    /// Reads the challenge of an authorization request; one without a method is plain.
    pub(crate) fn read(form: &Form) -> Result<Option<Self>, Refusal> {
        let Some(text) = form.find("code_challenge") else {
            return Ok(None);
        };
        match form.find("code_challenge_method").unwrap_or("plain") {
            "plain" => Ok(Some(Self::Plain(text.to_owned()))),
            "S256" => Ok(Some(Self::S256(text.to_owned()))),
            other => Err(Refusal::challenge_method(other)),
        }
    }

    /// Tells whether this is the verifier that the challenge was made from.
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(text) => text == verifier,
            Self::S256(text) => *text == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        }
    }
}

impl Codes {
    /// Returns a new code, issued at `now` in seconds of the Unix clock.
    pub(crate) fn issue(&self, code: Code, now: i64) -> String {
        let name = format!("1.{}", chance::secret());
        let entry = Entry {
            code,
            issued_at: now,
            redeemed: false,
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| now - entry.issued_at < MEMORY);
        entries.insert(name.clone(), entry);
        name
    }

    /// Returns what the code stands for if `check` accepts it, and uses it up then.
    pub(crate) fn redeem(
        &self,
        name: &str,
        now: i64,
        check: impl FnOnce(&Code) -> Result<(), Refusal>,
    ) -> Result<Code, Refusal> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get_mut(name).ok_or_else(Refusal::code_unread)?;
        if entry.redeemed {
            return Err(Refusal::code_redeemed());
        }
        if now - entry.issued_at >= LIFETIME {
            return Err(Refusal::code_expired());
        }
        check(&entry.code)?;
        entry.redeemed = true;
        Ok(entry.code.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> Code {
        Code {
            delegation: Delegation {
                client: "client",
                user: "user".to_owned(),
                text: "openid".to_owned(),
                endpoint: Endpoint::V2,
            },
            redirect: "http://localhost:1".to_owned(),
            platform: Platform::Native,
            challenge: None,
            nonce: None,
        }
    }

    #[test]
    fn a_code_is_good_once_and_for_ten_minutes() {
        let codes = Codes::default();
        let redeem = |name: &str, now| {
            let redeemed = codes.redeem(name, now, |_| Ok(()));
            redeemed
                .map(|code| code.redirect)
                .map_err(|refusal| refusal.code)
        };
        let (first, second) = (codes.issue(code(), 0), codes.issue(code(), 0));
        assert_eq!(redeem("nonsense", 0), Err(9_002_313));
        assert_eq!(redeem(&first, 599).unwrap(), "http://localhost:1");
        assert_eq!(redeem(&first, 599), Err(54005));
        assert_eq!(redeem(&second, 600), Err(70008));
        codes.issue(code(), 3600);
        assert_eq!(redeem(&second, 3600), Err(9_002_313));
    }

    #[test]
    fn a_code_that_is_refused_is_not_used_up() {
        let codes = Codes::default();
        let name = codes.issue(code(), 0);
        let refused = codes.redeem(&name, 0, |_| Err(Refusal::verifier()));
        assert_eq!(refused.unwrap_err().code, 501_481);
        assert!(codes.redeem(&name, 0, |_| Ok(())).is_ok());
    }

    #[test]
    fn a_verifier_meets_the_challenge_that_was_made_from_it() {
        // RFC 7636 appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let hashed = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(Challenge::S256(hashed.to_owned()).is_met_by(verifier));
        assert!(!Challenge::S256(hashed.to_owned()).is_met_by(hashed));
        assert!(Challenge::Plain(verifier.to_owned()).is_met_by(verifier));
    }
}
