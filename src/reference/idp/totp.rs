//! The clock in, the one-time password that an authenticator shows out.

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

use crate::reference::chance;

/// How long a password is shown, in seconds.
const STEP: i64 = 30;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that an authenticator and the provider share.
pub(crate) struct Seed([u8; 20]);

impl Seed {
    /// Returns a new one.
    pub(crate) fn new() -> Self {
        Self(chance::bytes())
    }

    /// Returns it in base32 (RFC 4648 section 6), as it is typed into an authenticator.
    pub(crate) fn base32(&self) -> String {
        let groups = self.0.chunks_exact(5).flat_map(|group| {
            let bits = group
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8).rev().map(move |at| bits >> (5 * at) & 31)
        });
        let letter = |value| usize::try_from(value).ok().and_then(|at| BASE32.get(at));
        groups
            .filter_map(letter)
            .map(|letter| char::from(*letter))
            .collect()
    }

    /// Tells whether `given` is the password of this moment, in seconds of the Unix clock, or of the step before
    /// or after it (RFC 6238 section 5.2).
    pub(crate) fn shows(&self, given: &str, now: i64) -> bool {
        [-STEP, 0, STEP]
            .iter()
            .any(|skew| self.password(now + skew) == given)
    }

    /// Six digits (RFC 6238 section 4, with the truncation of RFC 4226 section 5.3).
    fn password(&self, now: i64) -> String {
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = sign(&key, &(now / STEP).to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[tag.len() - 1] & 15);
        let digits = tag[offset..offset + 4]
            .iter()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (digits & 0x7fff_ffff) % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_those_of_the_specification() {
        let seed = Seed(*b"12345678901234567890");
        assert_eq!(seed.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (now, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(seed.password(now), expected);
            assert!(seed.shows(expected, now) && seed.shows(expected, now + STEP));
            assert!(!seed.shows(expected, now + 2 * STEP));
        }
    }
}
