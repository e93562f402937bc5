//! The `redirects` of a client in, addresses that its provider must know to the letter out.

use url::{Host, Url};

use crate::scenario::complaint::Kind;
use crate::scenario::raw::Node;
use crate::scenario::reader::{Named, Reader};

/// A redirect URI as it is registered, or must be. Port 0 on this machine stands for any port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RedirectUri(String);

/// The first of the ports that nobody can have registered for good (RFC 6335 §6); nothing listens there.
const ANY: u16 = 49152;

impl RedirectUri {
    /// As the scenario states it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a client asks for it: with a port where any will do.
    pub fn asked(&self) -> String {
        self.with_port(&format!(":{ANY}"))
    }

    /// As it is registered: without a port where any will do (RFC 8252 §7.3).
    pub fn registered(&self) -> String {
        self.with_port("")
    }

    /// Whether it leads to the machine that the browser runs on.
    pub fn is_loopback(&self) -> bool {
        let url = Url::parse(&self.0).ok();
        url.is_some_and(|url| url.scheme() == "http" && is_this_machine(&url))
    }

    /// Text is put in, not a URL written anew: a slash that nobody registered would be one too many.
    fn with_port(&self, port: &str) -> String {
        let any = self.is_loopback().then(|| any_port(&self.0)).flatten();
        any.map_or_else(
            || self.0.clone(),
            |(before, after)| format!("{before}{port}{after}"),
        )
    }
}

/// What stands before and after `:0` in the authority.
fn any_port(uri: &str) -> Option<(&str, &str)> {
    let start = uri.find("://")? + 3;
    let end = uri[start..]
        .find(['/', '?'])
        .map_or(uri.len(), |end| start + end);
    let host = uri[..end].strip_suffix(":0")?;
    Some((host, &uri[end..]))
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads the list.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>) -> Vec<RedirectUri> {
    let Some(items) = reader.list(named.node, "`redirects`") else {
        return Vec::new();
    };
    if items.is_empty() {
        reader.complain(named.node.span, Kind::Empty { what: "redirects" });
    }
    let mut redirects: Vec<RedirectUri> = Vec::with_capacity(items.len());
    for item in items {
        let Some(redirect) = one(reader, item) else {
            continue;
        };
        if redirects.contains(&redirect) {
            let name = item.as_text().unwrap_or_default().to_owned();
            let noun = "redirect";
            reader.complain(item.span, Kind::Repeated { noun, name });
        } else {
            redirects.push(redirect);
        }
    }
    redirects
}

fn one(reader: &mut Reader<'_>, item: &Node<'_>) -> Option<RedirectUri> {
    let expanded = reader.text(item, "this redirect")?;
    reader.untemplated(item, &expanded.text, "this redirect")?;
    if expanded.whole
        && let Err(why) = check(&expanded.text)
    {
        if expanded.text.contains('@') {
            reader.hidden.extend(item.span.line..=item.last_line);
        }
        reader.complain(item.span, Kind::RedirectUri(why));
        return None;
    }
    Some(RedirectUri(expanded.text.into_owned()))
}

/// An absolute URI without a fragment (RFC 6749 §3.1.2); apps register schemes of their own, too (RFC 8252 §7.1).
fn check(text: &str) -> Result<(), &'static str> {
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("this redirect holds a space, a backslash or a control character");
    }
    let url = Url::parse(text).map_err(|_invalid| "this redirect is no absolute URI")?;
    if url.fragment().is_some() {
        return Err("this redirect has a fragment, which none can have");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("this redirect holds a user name or password");
    }
    if matches!(url.scheme(), "http" | "https") && !text.contains("://") {
        return Err("this redirect is no absolute URI");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_absolute_and_has_no_fragment() {
        for (text, fits) in [
            ("https://app.example.com/callback?tenant=1", true),
            ("http://localhost", true),
            ("http://127.0.0.1:0/back", true),
            ("com.example.app:/callback", true),
            ("vscode://vendor.extension/callback", true),
            ("/callback", false),
            ("app.example.com/callback", false),
            ("https:/app.example.com", false),
            ("https://app.example.com/#x", false),
            ("https://user@app.example.com/", false),
            ("https://app.example.com/ x", false),
        ] {
            assert_eq!(check(text).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn port_zero_of_this_machine_stands_for_any() {
        for (text, asked, registered) in [
            (
                "http://localhost:0",
                "http://localhost:49152",
                "http://localhost",
            ),
            (
                "http://127.0.0.1:0/back?x=:0",
                "http://127.0.0.1:49152/back?x=:0",
                "http://127.0.0.1/back?x=:0",
            ),
            ("http://[::1]:0/", "http://[::1]:49152/", "http://[::1]/"),
            (
                "http://localhost:6274/x",
                "http://localhost:6274/x",
                "http://localhost:6274/x",
            ),
            (
                "https://app.example.com:0/",
                "https://app.example.com:0/",
                "https://app.example.com:0/",
            ),
        ] {
            let redirect = RedirectUri(text.to_owned());
            assert_eq!(redirect.asked(), asked);
            assert_eq!(redirect.registered(), registered);
        }
    }
}
