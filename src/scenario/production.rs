//! Patterns for host names in, whether a host is one of production out.

use std::fmt;

use super::complaint::Kind;
use super::raw::{Node, Value};
use super::reader::{Named, Reader};

/// Which hosts are production: a name with `*` for any characters. `*.example.com` is `example.com` itself, too, because
/// whoever guards a domain means all of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPattern {
    text: String,
    /// Line in the file, from 1; `None` where it is not from the file.
    pub line: Option<u32>,
}

/// Text that is no host pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoHostPattern;

impl HostPattern {
    /// Reads a pattern: a host name without scheme, port and path, in ASCII, as certificates spell it (RFC 5890 §2.3.2.1).
    ///
    /// # Errors
    /// The text holds what no host name holds.
    pub fn parse(text: &str) -> Result<Self, NoHostPattern> {
        let bare = text.strip_suffix('.').unwrap_or(text);
        let address = bare.starts_with('[') && bare.ends_with(']');
        let fits = |c: char| {
            c.is_ascii_alphanumeric()
                || matches!(c, '-' | '_' | '.' | '*')
                || address && "[:]".contains(c)
        };
        if bare.is_empty() || !bare.chars().all(fits) {
            return Err(NoHostPattern);
        }
        Ok(Self {
            text: bare.to_lowercase(),
            line: None,
        })
    }

    /// Whether a host, in the form in which [`host_of`] gives it, is meant.
    pub fn matches(&self, host: &str) -> bool {
        let apex = self.text.strip_prefix("*.");
        covers(self.text.as_bytes(), host.as_bytes()) || apex.is_some_and(|apex| apex == host)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The host of a URL: lower case, without port and without a dot at its end; `None` where the URL is not known.
pub fn host_of(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(host.strip_suffix('.').unwrap_or(host).to_lowercase())
}

/// Reads one pattern or a list of them.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>) -> Vec<HostPattern> {
    let items = if let Value::List(items) = &named.node.value {
        items.as_slice()
    } else {
        std::slice::from_ref(named.node)
    };
    items
        .iter()
        .filter_map(|item| pattern(reader, item))
        .collect()
}

fn pattern(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<HostPattern> {
    let expanded = reader.text(node, "this host pattern")?;
    match HostPattern::parse(&expanded.text) {
        Ok(pattern) => Some(HostPattern {
            line: Some(node.span.line),
            ..pattern
        }),
        // A variable without a value is known only to the run.
        Err(NoHostPattern) if !expanded.whole => None,
        Err(NoHostPattern) => {
            reader.complain(node.span, Kind::HostPattern);
            None
        }
    }
}

/// Whether a pattern covers the whole of a text; a `*` stands for any characters, also none.
fn covers(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last `*` stands, and how far what it stands for reaches.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, from));
            at += 1;
        } else if pattern.get(at) == Some(&text[from]) {
            at += 1;
            from += 1;
        } else if let Some((place, reach)) = star {
            star = Some((place, reach + 1));
            at = place + 1;
            from = reach + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_whole_names_in_any_case() {
        for (pattern, host, meant) in [
            ("api.contoso.com", "api.contoso.com", true),
            ("API.Contoso.com.", "api.contoso.com", true),
            ("api.contoso.com", "api.contoso.com.evil.example", false),
            ("api.contoso.com", "xapi.contoso.com", false),
            ("*.contoso.com", "api.contoso.com", true),
            ("*.contoso.com", "a.b.contoso.com", true),
            ("*.contoso.com", "contoso.com", true),
            ("*.contoso.com", "evilcontoso.com", false),
            ("*prod*", "api-prod-weu.azure-api.net", true),
            ("*prod*.azure-api.net", "api-dev.azure-api.net", false),
            ("api-*.net", "api-.net", true),
            ("*", "127.0.0.1", true),
            ("10.*", "10.1.2.3", true),
            ("[::1]", "[::1]", true),
        ] {
            let read = HostPattern::parse(pattern).unwrap();
            assert_eq!(read.matches(host), meant, "{pattern} and {host}");
        }
    }

    #[test]
    fn what_is_no_host_is_no_pattern() {
        for text in [
            "",
            ".",
            "https://api.contoso.com",
            "api.contoso.com:443",
            "a/b",
            "a b",
            "ä.example",
            "a,b",
        ] {
            assert_eq!(HostPattern::parse(text), Err(NoHostPattern), "{text}");
        }
    }

    #[test]
    fn the_host_of_a_url_is_compared_however_it_is_written() {
        for (url, host) in [
            ("https://API.contoso.com/v1", Some("api.contoso.com")),
            ("https://api.contoso.com.:8443", Some("api.contoso.com")),
            ("http://0x7f.1/", Some("127.0.0.1")),
            ("http://[0:0::1]:80/mcp", Some("[::1]")),
            ("${CATALOG_REST_URL}", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }
}
