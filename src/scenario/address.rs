//! Text in, a URL that suits its place out, or what is wrong with it.

use url::Url;

use super::complaint::Kind;
use super::raw::Node;
use super::reader::Reader;

/// What a URL may carry at its place.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Bounds {
    /// Paths are appended: no query; slashes at its end are taken off.
    Base,
    /// It is called as it stands.
    Endpoint,
    /// It is compared as it stands, and discovery appends to it: no query.
    Issuer,
}

/// Reads an absolute http(s) URL without user information and fragment; user information would be a secret in the file
/// (RFC 3986 §3.2.1), and a fragment is never sent (§3.5).
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    place: &'static str,
    bounds: Bounds,
) -> Option<String> {
    let expanded = reader.text(node, place)?;
    reader.untemplated(node, &expanded.text, place)?;
    if expanded.whole
        && let Err(kind) = check(&expanded.text, bounds)
    {
        if expanded.text.contains('@') {
            reader.hidden.extend(node.span.line..=node.last_line);
        }
        reader.complain(node.span, kind);
        return None;
    }
    Some(match bounds {
        Bounds::Base => expanded.text.trim_end_matches('/').to_owned(),
        Bounds::Endpoint | Bounds::Issuer => expanded.text.into_owned(),
    })
}

fn check(text: &str, bounds: Bounds) -> Result<(), Kind> {
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(Kind::Url(
            "this URL holds a space, a backslash or a control character",
        ));
    }
    let url = Url::parse(text).map_err(|_invalid| Kind::Url("this is no absolute URL"))?;
    // The parser forgives a missing or a third slash and an empty user name; what is sent verbatim must not depend on that.
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !matches!(url.scheme(), "http" | "https") || authority.is_empty() {
        return Err(Kind::Url("this is no http or https URL"));
    }
    if authority.contains('@') {
        return Err(Kind::Url("this URL holds a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(Kind::Url("this URL has a fragment, which is never sent"));
    }
    if bounds != Bounds::Endpoint && url.query().is_some() {
        return Err(Kind::Url(
            "this URL has a query, and a path would be appended to it",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_absolute_and_carries_only_what_is_sent() {
        for (text, base, endpoint) in [
            ("https://api.example.com/v1", true, true),
            ("http://127.0.0.1:8080", true, true),
            ("http://[::1]:8080/mcp?x=1", false, true),
            ("api.example.com", false, false),
            ("/api", false, false),
            ("https:/api.example.com", false, false),
            ("https:///api.example.com", false, false),
            ("ftp://api.example.com", false, false),
            ("https://user:pass@api.example.com", false, false),
            ("https://@api.example.com", false, false),
            ("https://api.example.com/#x", false, false),
            ("https://api.example.com/ x", false, false),
            ("https://api.example.com\\x", false, false),
        ] {
            assert_eq!(check(text, Bounds::Base).is_ok(), base, "{text}");
            assert_eq!(check(text, Bounds::Endpoint).is_ok(), endpoint, "{text}");
        }
    }
}
