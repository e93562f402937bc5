//! A redirect URI in, the registered address that it matches out.

use url::Url;

/// The platform that a redirect URI is registered under, which decides how its codes are redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    /// A server: it proves itself and sends no `Origin`.
    Web,
    /// Mobile and desktop: it has no secret to prove itself with.
    Native,
    /// A single-page application: PKCE and an `Origin`, or nothing.
    Spa,
}

/// A registered redirect URI.
pub(crate) struct Redirect {
    /// Where it is registered.
    pub(crate) platform: Platform,
    /// The address as it was registered.
    pub(crate) uri: &'static str,
}

impl Redirect {
    /// Tells whether the address is the registered one to the letter; on `http://localhost` the port does not
    /// matter (RFC 8252 section 7.3, which Entra follows for this name and not for 127.0.0.1).
    pub(crate) fn matches(&self, asked: &str) -> bool {
        asked == self.uri
            || without_port(asked).is_some_and(|asked| without_port(self.uri) == Some(asked))
    }
}

fn without_port(uri: &str) -> Option<Url> {
    let mut uri = Url::parse(uri).ok()?;
    let is_loopback = uri.scheme() == "http" && uri.host_str() == Some("localhost");
    uri.set_port(None).ok()?;
    is_loopback.then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_matches_to_the_letter_but_for_the_port_of_localhost() {
        let table = [
            ("http://localhost", "http://localhost", true),
            ("http://localhost", "http://localhost:49152", true),
            ("http://localhost", "http://localhost:49152/", true),
            ("http://localhost", "http://localhost:49152/callback", false),
            ("http://localhost", "https://localhost:49152", false),
            ("http://localhost", "http://127.0.0.1:49152", false),
            ("http://localhost", "http://localhost.evil.example", false),
            ("http://localhost", "http://localhost@evil.example", false),
            ("http://localhost", "http://x@localhost:1", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb", false),
            ("https://a.example/cb", "https://a.example/cb", true),
            ("https://a.example/cb", "https://a.example/CB", false),
            ("https://a.example/cb", "https://a.example/cb/", false),
            ("https://a.example/cb", "https://a.example:8443/cb", false),
        ];
        for (uri, asked, expected) in table {
            let registered = Redirect {
                platform: Platform::Native,
                uri,
            };
            assert_eq!(registered.matches(asked), expected, "{uri} {asked}");
        }
    }
}
