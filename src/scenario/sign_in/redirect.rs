//! A redirect's text in, the loopback address that a browser is sent back to out.

use url::{Host, Url};

use super::Redirect;
use crate::scenario::complaint::Kind;
use crate::scenario::reader::{Named, Reader};

/// A loopback address (RFC 8252 §7.3), for nothing but this machine can take the answer.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Redirect> {
    let expanded = reader.text(named.node, "`redirect`")?;
    if !expanded.whole {
        return Some(Redirect {
            host: "localhost".to_owned(),
            port: 0,
            path: String::new(),
        });
    }
    let parsed = loopback(&expanded.text);
    if parsed.is_none() {
        reader.complain(named.node.span, Kind::Redirect);
    }
    parsed
}

fn loopback(text: &str) -> Option<Redirect> {
    let rest = text.strip_prefix("http://")?;
    let url = Url::parse(text).ok()?;
    let host = match url.host()? {
        Host::Domain("localhost") => "localhost",
        Host::Ipv4(address) if address.octets() == [127, 0, 0, 1] => "127.0.0.1",
        _ => return None,
    };
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // Whoever reads the URL must find the port in it, for 80 is not one that a test may open.
    let port = authority.strip_prefix(host)?.strip_prefix(':')?;
    plain.then_some(())?;
    Some(Redirect {
        host: host.to_owned(),
        port: port.parse().ok()?,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_on_this_machine_and_names_its_port() {
        for (text, expected) in [
            ("http://localhost:8400/", Some(("localhost", 8400, "/"))),
            ("http://localhost:0", Some(("localhost", 0, ""))),
            ("http://127.0.0.1:80/back", Some(("127.0.0.1", 80, "/back"))),
            ("http://localhost/back", None),
            ("https://localhost:8400/", None),
            ("http://localhost.example:8400/", None),
            ("http://127.0.0.2:8400/", None),
            ("http://localhost:8400/?x=1", None),
            ("http://user@localhost:8400/", None),
            ("http://localhost:99999/", None),
            ("localhost:8400", None),
        ] {
            let expected = expected.map(|(host, port, path)| Redirect {
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            });
            assert_eq!(loopback(text), expected, "{text}");
        }
    }
}
