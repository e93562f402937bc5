//! Where a scenario's OpenAPI document is in, its routes or why they could not be read out.

use std::io::ErrorKind;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};
use url::Url;

use super::errand::Unready;
use super::standing::Standing;
use super::{Means, asking};
use crate::cell::Door;
use crate::openapi::{Document, MOST_BYTES, Matching};
use crate::plan::Plan;
use crate::scenario::{Location, Scenario};
use crate::wire::Call;

/// What is known of the routes of the REST door.
#[derive(Debug, Default)]
pub(super) enum Routes {
    /// No document is named, or the REST door is not tested.
    #[default]
    Unasked,
    /// The document, with the operations that are on its routes.
    Read(Document, Matching),
    /// Why it could not be read.
    Unread(String),
}

impl Routes {
    fn of(document: Document, scenario: &Scenario) -> Self {
        let entry = scenario.deployment.rest.as_ref();
        let url = entry.map_or("", |entry| entry.url.as_str());
        let matching = document.matching(url, &scenario.operations);
        Self::Read(document, matching)
    }

    /// The document with the operations on it, where it was read.
    pub(super) fn known(&self) -> Option<(&Document, &Matching)> {
        match self {
            Self::Read(document, matching) => Some((document, matching)),
            Self::Unasked | Self::Unread(_) => None,
        }
    }
}

/// Reads a document that is a file.
///
/// # Errors
/// It cannot be read; nothing was sent.
pub(super) fn at_hand(plan: &Plan) -> Result<Routes, Unready> {
    let Some(Location::File(path)) = wanted(plan) else {
        return Ok(Routes::Unasked);
    };
    let why = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        kind => kind.to_string(),
    };
    let unready = |why: String| Unready(format!("OpenAPI document {}: {why}", path.display()));
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    if size > MOST_BYTES as u64 {
        return Err(unready("it is too large".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unready(why(error)))?;
    let document = Document::read(&text).map_err(|error| unready(error.to_string()))?;
    Ok(Routes::of(document, &plan.scenario))
}

/// Fetches a document that has a URL, as nobody; the REST door's headers go along where it is the same origin. What is at
/// hand stays. Where no persona may call, the deployment is not called at all.
pub(super) async fn fetched(
    plan: &Plan,
    standings: &[Standing],
    means: &Means<'_>,
    at_hand: Routes,
) -> Routes {
    let may_call = standings.iter().any(|one| one.entrance.is_some());
    match wanted(plan) {
        Some(Location::Url(url)) if may_call => fetched_from(url, plan, means).await,
        Some(_) | None => at_hand,
    }
}

/// Fetches the document from its URL.
pub(super) async fn fetched_from(url: &str, plan: &Plan, means: &Means<'_>) -> Routes {
    let read = tokio::select! {
        read = fetch(&plan.scenario, url, means) => read,
        () = means.stop.hurried() => Err("the run ended first".to_owned()),
    };
    match read {
        Ok(document) => Routes::of(document, &plan.scenario),
        Err(why) => Routes::Unread(why),
    }
}

/// The document that a plan asks for: one of a REST door that is not tested is none, one of a door that only no operation
/// has a shape for is.
pub(super) fn wanted(plan: &Plan) -> Option<&Location> {
    let openapi = plan.scenario.deployment.extent.openapi.as_ref();
    openapi.filter(|_| plan.wants(Door::Rest))
}

async fn fetch(scenario: &Scenario, url: &str, means: &Means<'_>) -> Result<Document, String> {
    let call = Call {
        method: Method::GET,
        url: url.to_owned(),
        headers: headers(scenario, url, means),
        body: Bytes::new(),
    };
    let reply = means.wire.download(call, MOST_BYTES).await;
    let reply = reply.map_err(|silence| silence.to_string())?;
    if reply.status != 200 {
        return Err(format!("it answers {}", reply.status));
    }
    if reply.truncated {
        return Err("it did not come to its end, or is too large".to_owned());
    }
    Document::read(&String::from_utf8_lossy(&reply.body)).map_err(|error| error.to_string())
}

fn headers(scenario: &Scenario, url: &str, means: &Means<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let accept = "application/json, application/yaml;q=0.9, */*;q=0.1";
    headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
    let entry = scenario.deployment.rest.as_ref();
    let entry = entry.filter(|entry| is_same_origin(&entry.url, url));
    let bindings = asking::bindings(means.settings, "openapi");
    for (name, value) in asking::door_headers(entry, &bindings).unwrap_or_default() {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            headers.append(name, value);
        }
    }
    headers
}

/// Scheme, host and port (RFC 6454 §5).
fn is_same_origin(one: &str, other: &str) -> bool {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    origin(one).is_some() && origin(one) == origin(other)
}

#[cfg(test)]
mod tests {
    use super::is_same_origin;

    #[test]
    fn headers_of_a_door_go_to_its_own_origin_alone() {
        for (one, other, same) in [
            (
                "https://a.example/api",
                "https://a.example:443/openapi.json",
                true,
            ),
            ("https://a.example", "http://a.example/openapi.json", false),
            (
                "https://a.example",
                "https://a.example.evil.example/",
                false,
            ),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", false),
            ("", "", false),
        ] {
            assert_eq!(is_same_origin(one, other), same, "{one} {other}");
        }
    }
}
