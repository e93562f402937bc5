//! Nothing in, unguessable names and secrets out.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Returns `N` bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .expect("an operating system that can open sockets has random bytes");
    bytes
}

/// Returns a random version 4 UUID in lower case (RFC 9562 section 5.4).
pub(crate) fn guid() -> String {
    let mut bytes: [u8; 16] = bytes();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut guid = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            guid.push('-');
        }
        write!(guid, "{byte:02x}").expect("a String takes every write");
    }
    guid
}

/// Returns 256 random bits in base64url: a client secret, a password or a session id.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// Returns a lifetime in seconds between 60 and 90 minutes, less one, as Entra gives its access tokens.
pub(crate) fn lifetime() -> u32 {
    3599 + u32::from(u16::from_be_bytes(bytes())) % 1800
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_have_the_shape_of_version_four() {
        let guid = guid();
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&guid.as_bytes()[19]));
        assert_ne!(guid, super::guid());
    }

    #[test]
    fn lifetimes_stay_between_sixty_and_ninety_minutes() {
        assert!((0..64).all(|_| (3599..5400).contains(&lifetime())));
    }
}
