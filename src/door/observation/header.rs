//! A reply's headers in, those that tell who answered and why, or that a fingerprint looks at, out: scrubbed and capped.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};

use super::readable;
use crate::door::scrubber::Scrubber;

/// A header's name; of those that are known, no copy.
type Name = Cow<'static, str>;

const MOST: usize = 32;
const VALUE_CAP: usize = 512;
const FAMILIES: [&str; 5] = ["x-ms-", "apim-", "x-amzn-", "x-kong-", "x-envoy-"];
/// App Service's own sign-in names the user and passes tokens on in these; an echoing backend would hand them to us.
const IDENTITIES: [&str; 2] = ["x-ms-token-", "x-ms-client-principal"];

/// Names that tell in whoever's answer.
const TELLING: [&str; 11] = [
    "content-type",
    "www-authenticate",
    "server",
    "via",
    "location",
    "retry-after",
    "allow",
    "x-azure-ref",
    "cf-ray",
    "cf-mitigated",
    "apigw-requestid",
];

/// The headers worth keeping, in the order received, at most 32 with values of at most 512 bytes. The first
/// `content-type` is always among them, however many others a server sends before it.
pub(super) fn kept(headers: &HeaderMap, scrubber: &Scrubber<'_>) -> Vec<(Name, String)> {
    let scrub = |(told, (name, value)): (Name, (&HeaderName, &HeaderValue))| {
        (told, scrubber.text(&text(name, value), VALUE_CAP))
    };
    let mut telling = headers
        .iter()
        .filter_map(|header| Some((telling(header.0, scrubber)?, header)));
    let mut kept = Vec::with_capacity(headers.len().min(MOST));
    kept.extend(telling.by_ref().take(MOST).map(scrub));
    if kept.len() == MOST
        && kept.iter().all(|(name, _)| name != CONTENT_TYPE.as_str())
        && let Some(first_type) = telling.find(|(name, _)| name == CONTENT_TYPE.as_str())
    {
        kept[MOST - 1] = scrub(first_type);
    }
    kept
}

/// The name of a header that is kept. Nearly all of them are known, and cost no copy.
fn telling(name: &HeaderName, scrubber: &Scrubber<'_>) -> Option<Name> {
    let name = name.as_str();
    let is_of = |families: &[&str]| families.iter().any(|family| name.starts_with(family));
    match TELLING.into_iter().find(|known| *known == name) {
        Some(known) => Some(Name::Borrowed(known)),
        None => (is_of(&FAMILIES) && !is_of(&IDENTITIES) || scrubber.keeps(name))
            .then(|| Name::Owned(name.to_owned())),
    }
}

fn text<'v>(name: &HeaderName, value: &'v HeaderValue) -> Cow<'v, str> {
    let text = readable(value.as_bytes());
    if *name == LOCATION {
        Cow::Owned(bare_location(&text))
    } else {
        text
    }
}

/// A redirect's target tells where; its user information, query values and fragment may carry codes and tokens.
fn bare_location(location: &str) -> String {
    let (location, _) = location.split_once('#').unwrap_or((location, ""));
    match location.split_once('?') {
        Some((place, query)) => format!("{}?{}", without_user(place), names_only(query)),
        None => without_user(location),
    }
}

fn without_user(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("//") else {
        return place.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}//{host}{path}")
}

fn names_only(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => "…".to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Redactor;

    fn kept_of(pairs: &[(&'static str, &str)]) -> Vec<(Name, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        kept(&headers, &Scrubber::new(&Redactor::default()))
    }

    #[test]
    fn only_telling_headers_are_kept() {
        let pairs = [
            ("date", "today"),
            ("server", "gateway"),
            ("set-cookie", "session=1"),
            ("mcp-session-id", "abc"),
            ("x-ms-request-id", "r"),
            ("x-ms-token-aad-access-token", "t"),
            ("x-ms-client-principal-name", "me"),
            ("cf-ray", "7"),
            ("www-authenticate", "Bearer"),
            ("www-authenticate", "Basic"),
        ];
        let names: Vec<Name> = kept_of(&pairs).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "server",
                "x-ms-request-id",
                "cf-ray",
                "www-authenticate",
                "www-authenticate"
            ]
        );
    }

    #[test]
    fn many_headers_do_not_crowd_out_the_content_type() {
        let mut pairs = vec![("x-ms-flood", "1"); 100];
        pairs.push(("content-type", "text/html"));
        let kept = kept_of(&pairs);
        assert_eq!(kept.len(), MOST);
        assert_eq!(
            kept[MOST - 1],
            ("content-type".into(), "text/html".to_owned())
        );
    }

    #[test]
    fn what_comes_after_the_first_content_type_and_beyond_the_most_is_left_out() {
        let mut pairs = vec![("content-type", "text/html")];
        pairs.extend([("x-ms-flood", "1"); 100]);
        pairs.push(("content-type", "text/plain"));
        let kept = kept_of(&pairs);
        let types = kept.iter().filter(|(name, _)| name == "content-type");
        assert_eq!((kept.len(), types.count()), (MOST, 2));
        let few = kept_of(&[("server", "a"), ("via", "b")]);
        assert_eq!(few.len(), 2);
    }

    #[test]
    fn values_are_capped() {
        assert_eq!(
            kept_of(&[("server", &"x".repeat(9000))])[0].1.len(),
            VALUE_CAP
        );
    }

    #[test]
    fn a_location_keeps_the_place_and_the_names_of_its_query() {
        let table = [
            ("/login", "/login"),
            (
                "https://idp/a?client_id=1&state=s",
                "https://idp/a?client_id=…&state=…",
            ),
            ("https://idp/a?bare-token", "https://idp/a?…"),
            ("https://idp/a#access_token=t", "https://idp/a"),
            ("https://me:pw@idp/a@b", "https://idp/a@b"),
            ("//me:pw@idp", "//idp"),
            ("https://idp?next=https://me:pw@x", "https://idp?next=…"),
        ];
        for (sent, stands) in table {
            assert_eq!(bare_location(sent), stands);
        }
    }
}
