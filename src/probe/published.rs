//! Metadata documents in, what they make of the requirements about them out. Pure.

use serde_json::{Map, Value};

use super::challenge::Challenge;
use super::checked::{Place, State};
use super::metadata::{Tried, is_secured, origin_and_path};
use super::reading::Site;
use super::visit::Answer;
use crate::door::Exchange;
use crate::requirement::Requirement;

type Document = Map<String, Value>;

/// C-03.
pub(super) fn metadata_served(site: &Site) -> Place {
    match resource(site) {
        Ok((_, tried)) => Place::held(format!("{} answers", place_of(tried, site))),
        Err(place) => place,
    }
}

fn of_resource(site: &Site, read: fn(&Document, &Tried, &Site) -> Place) -> Place {
    match resource(site) {
        Ok((document, tried)) => read(document, tried, site),
        Err(place) => blamed(
            &place,
            Requirement::MetadataServed,
            "there is no resource metadata",
        ),
    }
}

/// A requirement about a document that is not there: told by the requirement that asks for it.
fn blamed(place: &Place, on: Requirement, why: &str) -> Place {
    if place.state == State::NotApplicable {
        place.clone()
    } else {
        Place {
            blamed: place.blamed.or(Some(on)),
            ..Place::blamed_on(on, why)
        }
    }
}

fn resource(site: &Site) -> Result<(&Document, &Tried), Place> {
    let tried = &site.metadata.resource;
    let found = tried.iter().find_map(|one| Some((one.document()?, one)));
    found.ok_or_else(|| absent(tried, site, "the resource metadata"))
}

/// Why a document is not there: nobody may ask for it, nobody answered, or it is not served.
fn absent(tried: &[Tried], site: &Site, what: &str) -> Place {
    let asked: Vec<&Tried> = tried.iter().filter(|one| one.came.is_some()).collect();
    if tried.is_empty() {
        return Place::explained(format!("{what} was not looked for"));
    }
    if tried.iter().any(|one| one.came.is_none()) {
        return Place::not_applicable(format!(
            "{what} stands at a host that the scenario does not name"
        ));
    }
    let unclear = |one: &&Tried| {
        let status = one.came.as_ref().and_then(Exchange::status);
        matches!(status, None | Some(429 | 502..=504))
    };
    if asked.iter().any(unclear) {
        let why = format!("{what} could not be had");
        let alive = site.visits.iter().any(|visit| visit.alive);
        return if alive {
            Place::unproven(why)
        } else {
            Place::explained(why)
        };
    }
    let told = asked.iter().map(|one| {
        let status = one.came.as_ref().and_then(Exchange::status);
        match status {
            Some(200) => format!("{} is no JSON object", place_of(one, site)),
            status => format!("{} got {}", place_of(one, site), status.unwrap_or_default()),
        }
    });
    let why = told.collect::<Vec<_>>().join(", ");
    let seen = asked.first().and_then(|one| one.came.as_ref());
    Place::violated(why, seen.map(|exchange| &exchange.observation))
}

/// An address in words that do not change with the port.
fn place_of(tried: &Tried, site: &Site) -> &'static str {
    let path = origin_and_path(&tried.url).map(|(_, path)| path);
    let path = path.unwrap_or_default();
    let mcp = origin_and_path(&site.url).map(|(_, path)| path);
    let with_path = format!(
        "/.well-known/oauth-protected-resource{}",
        mcp.unwrap_or_default()
    );
    if path == with_path {
        "the well-known address with the path"
    } else if path == "/.well-known/oauth-protected-resource" {
        "the well-known address without the path"
    } else if path.contains("/.well-known/oauth-authorization-server") {
        "the address of RFC 8414"
    } else if path.contains("/.well-known/openid-configuration") {
        "an address of OpenID Connect"
    } else {
        "the address in the challenge"
    }
}

/// C-04.
pub(super) fn servers_named(site: &Site) -> Place {
    of_resource(site, servers)
}

fn servers(document: &Document, tried: &Tried, _: &Site) -> Place {
    let named = document
        .get("authorization_servers")
        .and_then(Value::as_array);
    let seen = tried.came.as_ref().map(|exchange| &exchange.observation);
    match named.map(Vec::as_slice) {
        None | Some([]) => Place::violated("authorization_servers names none", seen),
        Some(servers) => {
            let secured = |server: &Value| server.as_str().is_some_and(is_secured);
            if servers.iter().all(secured) {
                Place::held(format!("{} named", servers.len()))
            } else {
                Place::violated("an authorization server is no https URL", seen)
            }
        }
    }
}

/// C-05.
pub(super) fn resource_named(site: &Site) -> Place {
    of_resource(site, own_name)
}

fn own_name(document: &Document, tried: &Tried, site: &Site) -> Place {
    let seen = tried.came.as_ref().map(|exchange| &exchange.observation);
    let Some(named) = document.get("resource").and_then(Value::as_str) else {
        return Place::violated("resource is missing", seen);
    };
    let plain = |url: &str| url.trim_end_matches('/').to_owned();
    let without_path = tried.url.ends_with("/.well-known/oauth-protected-resource");
    let origin = origin_and_path(&site.url).map(|(origin, _)| origin);
    if named == site.url {
        Place::held("resource is the MCP URL")
    } else if plain(named) == plain(&site.url) {
        Place::held("resource is the MCP URL but for a slash at its end")
    } else if without_path && Some(plain(named)) == origin {
        Place::held("resource is the origin, as its address says")
    } else {
        Place::violated(format!("resource is {named}"), seen)
    }
}

/// C-31.
pub(super) fn no_offline_access(site: &Site) -> Place {
    const SCOPE: &str = "offline_access";
    let asks = |scopes: &str| scopes.split_whitespace().any(|scope| scope == SCOPE);
    let answers = site.visits.iter().flat_map(|visit| visit.answers.values());
    let challenges = answers.filter_map(|answer| match answer {
        Answer::Came(exchange) if exchange.status() == Some(401) => {
            let challenge = Challenge::of(&exchange.headers)?;
            Some((challenge.get("scope")?.to_owned(), exchange))
        }
        Answer::Came(_) | Answer::Unsent(_) => None,
    });
    let challenges: Vec<_> = challenges.collect();
    let document = resource(site).ok();
    let listed = document.and_then(|(document, tried)| {
        let scopes = document.get("scopes_supported")?.as_array()?;
        Some((scopes, tried))
    });
    if let Some((_, exchange)) = challenges.iter().find(|(scopes, _)| asks(scopes)) {
        return Place::violated("the challenge asks for it", Some(&exchange.observation));
    }
    if let Some((scopes, tried)) = listed
        && scopes.iter().any(|scope| scope == SCOPE)
    {
        let seen = tried.came.as_ref().map(|exchange| &exchange.observation);
        return Place::violated("scopes_supported lists it", seen);
    }
    if challenges.is_empty() && listed.is_none() {
        Place::not_applicable("nothing names a scope")
    } else {
        Place::held("nothing asks for it")
    }
}

/// C-06.
pub(super) fn issuer_served(site: &Site) -> Place {
    if let Err(place) = resource(site) {
        return blamed(
            &place,
            Requirement::MetadataServed,
            "there is no resource metadata",
        );
    }
    let servers = &site.metadata.servers;
    if servers.is_empty() {
        return Place::blamed_on(
            Requirement::ServersNamed,
            "no authorization server is named",
        );
    }
    let mut elsewhere = None;
    for (issuer, tried) in servers {
        let Some((document, one)) = tried.iter().find_map(|one| Some((one.document()?, one)))
        else {
            let place = absent(tried, site, "the authorization server's metadata");
            if place.state == State::NotApplicable {
                elsewhere = Some(place);
                continue;
            }
            return place;
        };
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            let named = document.get("issuer").and_then(Value::as_str);
            let seen = one.came.as_ref().map(|exchange| &exchange.observation);
            return Place::violated(
                format!(
                    "the metadata of {issuer} names {}",
                    named.unwrap_or("no issuer")
                ),
                seen,
            );
        }
    }
    elsewhere.unwrap_or_else(|| Place::held(format!("{} found", servers.len())))
}

/// What the metadata of every authorization server comes to: the first that violates decides.
fn of_servers(site: &Site, read: fn(&Document) -> Result<String, String>) -> Place {
    let documents: Vec<(&Document, &Tried)> = site
        .metadata
        .servers
        .iter()
        .filter_map(|(_, tried)| tried.iter().find_map(|one| Some((one.document()?, one))))
        .collect();
    if documents.is_empty() {
        let place = issuer_served(site);
        return blamed(
            &place,
            Requirement::IssuerServed,
            "there is no metadata of an authorization server",
        );
    }
    let mut held = String::new();
    for (document, tried) in documents {
        match read(document) {
            Ok(words) => held = words,
            Err(why) => {
                let seen = tried.came.as_ref().map(|exchange| &exchange.observation);
                return Place::violated(why, seen);
            }
        }
    }
    Place::held(held)
}

/// C-07.
pub(super) fn pkce_offered(site: &Site) -> Place {
    of_servers(site, pkce)
}

/// C-08.
pub(super) fn addresses_secured(site: &Site) -> Place {
    of_servers(site, addresses)
}

/// C-28.
pub(super) fn issuer_in_answers(site: &Site) -> Place {
    of_servers(site, issuer)
}

/// C-30.
pub(super) fn registration(site: &Site) -> Place {
    of_servers(site, register)
}

fn pkce(document: &Document) -> Result<String, String> {
    let methods = document
        .get("code_challenge_methods_supported")
        .and_then(Value::as_array);
    match methods {
        Some(methods) if methods.iter().any(|method| method == "S256") => {
            Ok("S256 is advertised".to_owned())
        }
        Some(_) => Err("code_challenge_methods_supported lacks S256".to_owned()),
        None => Err("code_challenge_methods_supported is missing".to_owned()),
    }
}

fn addresses(document: &Document) -> Result<String, String> {
    let is_address = |name: &str| name.ends_with("_endpoint") || name.ends_with("_uri");
    let mut plain: Vec<&str> = document
        .iter()
        .filter(|(name, _)| is_address(name))
        .filter(|(_, value)| !value.as_str().is_none_or(is_secured))
        .map(|(name, _)| name.as_str())
        .collect();
    plain.sort_unstable();
    if plain.is_empty() {
        Ok("every address is https or on this machine".to_owned())
    } else {
        Err(format!("not https: {}", plain.join(", ")))
    }
}

fn issuer(document: &Document) -> Result<String, String> {
    if document.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)) {
        Ok("iss is in every answer".to_owned())
    } else {
        Err("authorization_response_iss_parameter_supported is not true".to_owned())
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "read like the others, although nothing of it can be wrong"
)]
fn register(document: &Document) -> Result<String, String> {
    let dynamic = document.contains_key("registration_endpoint");
    let documents =
        document.get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
    Ok(match (dynamic, documents) {
        (true, true) => "client ID metadata documents, and dynamic registration (deprecated)",
        (true, false) => "dynamic registration (deprecated)",
        (false, true) => "client ID metadata documents",
        (false, false) => "clients are registered beforehand",
    }
    .to_owned())
}
