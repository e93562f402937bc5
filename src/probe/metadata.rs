//! An MCP URL, a challenge or an issuer in, where its metadata may stand out (RFC 9728 §3, RFC 8414 §3).

use url::{Host, Url};

use super::challenge::Challenge;
use super::visit::{Answer, Visit};
use crate::door::Exchange;
use crate::scenario::{Provider, Scenario};

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
/// A document that names more servers than this names them to no purpose.
pub(super) const MOST_SERVERS: usize = 3;

/// The hosts that a scenario names: no other is asked for anything.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Those of the deployment and of its identity providers.
    pub fn of(scenario: &Scenario) -> Self {
        let deployment = &scenario.deployment;
        let doors = deployment.rest.iter().chain(&deployment.mcp);
        let providers = scenario
            .personas
            .iter()
            .filter_map(|persona| persona.identity.as_ref())
            .flat_map(|identity| addresses(&identity.provider));
        let urls = doors.map(|entry| entry.url.as_str()).chain(providers);
        Self(urls.filter_map(host).collect())
    }

    /// Whether a URL stands at one of them.
    pub fn name(&self, url: &str) -> bool {
        let fits = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        fits && host(url).is_some_and(|host| self.0.contains(&host))
    }
}

fn addresses(provider: &Provider) -> Vec<&str> {
    match provider {
        Provider::Entra { authority, .. } => vec![authority],
        Provider::Oidc {
            issuer,
            token_endpoint,
        } => [Some(issuer), token_endpoint.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect(),
        Provider::Endpoints {
            token_endpoint,
            issuer,
        } => [Some(token_endpoint), issuer.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect(),
    }
}

fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// A document that was looked for at one address.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Where.
    pub url: String,
    /// What came back; `None` where the scenario names no such host.
    pub came: Option<Exchange>,
}

impl Tried {
    /// The document, where there is one.
    pub fn document(&self) -> Option<&serde_json::Map<String, serde_json::Value>> {
        let came = self.came.as_ref()?;
        (came.status() == Some(200))
            .then_some(came.document.as_ref()?)
            .and_then(serde_json::Value::as_object)
    }
}

/// Documents that were looked for.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// The protected resource metadata, address by address until one answered.
    pub resource: Vec<Tried>,
    /// Each authorization server's issuer, with its metadata likewise.
    pub servers: Vec<(String, Vec<Tried>)>,
}

impl Metadata {
    /// The issuers that the resource metadata names, as far as they are text and few.
    pub fn issuers(&self) -> Vec<String> {
        let named = self
            .resource
            .iter()
            .find_map(Tried::document)
            .and_then(|document| document.get("authorization_servers")?.as_array());
        let texts = named.into_iter().flatten().filter_map(|one| one.as_str());
        texts.take(MOST_SERVERS).map(str::to_owned).collect()
    }
}

/// Where the protected resource metadata may stand: as the challenges say, then at the well-known address with the path
/// of the MCP URL, then without.
pub fn addresses_of_resource(mcp_url: &str, visits: &[Visit]) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for visit in visits {
        let challenges = visit.answers.values().filter_map(|answer| match answer {
            Answer::Came(exchange) if exchange.status() == Some(401) => {
                Challenge::of(&exchange.headers)
            }
            Answer::Came(_) | Answer::Unsent(_) => None,
        });
        addresses.extend(challenges.filter_map(|challenge| {
            let pointer = challenge.get("resource_metadata")?;
            Url::parse(pointer).ok().map(|_url| pointer.to_owned())
        }));
    }
    if let Some((origin, path)) = origin_and_path(mcp_url) {
        addresses.push(format!("{origin}{RESOURCE}{path}"));
        addresses.push(format!("{origin}{RESOURCE}"));
    }
    deduplicated(addresses)
}

/// Where an authorization server's metadata may stand, in the specification's order.
pub fn addresses_of_issuer(issuer: &str) -> Vec<String> {
    let Some((origin, path)) = origin_and_path(issuer) else {
        return Vec::new();
    };
    deduplicated(vec![
        format!("{origin}{OAUTH}{path}"),
        format!("{origin}{OPENID}{path}"),
        format!("{origin}{path}{OPENID}"),
    ])
}

/// The path without a slash at its end; empty at the root.
pub(super) fn origin_and_path(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok()?;
    let origin = url.origin().ascii_serialization();
    Some((origin, url.path().trim_end_matches('/').to_owned()))
}

/// Whether a URL is `https`, or on this machine.
pub(super) fn is_secured(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && loopback
}

fn deduplicated(addresses: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for address in addresses {
        if !kept.contains(&address) {
            kept.push(address);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_rfcs_put_it() {
        assert_eq!(
            addresses_of_resource("https://h:8/a/mcp/", &[]),
            [
                "https://h:8/.well-known/oauth-protected-resource/a/mcp",
                "https://h:8/.well-known/oauth-protected-resource"
            ]
        );
        assert_eq!(
            addresses_of_issuer("https://id/t/v2.0"),
            [
                "https://id/.well-known/oauth-authorization-server/t/v2.0",
                "https://id/.well-known/openid-configuration/t/v2.0",
                "https://id/t/v2.0/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            addresses_of_issuer("https://id"),
            [
                "https://id/.well-known/oauth-authorization-server",
                "https://id/.well-known/openid-configuration"
            ]
        );
        assert!(addresses_of_issuer("no url").is_empty());
    }

    #[test]
    fn only_hosts_that_the_scenario_names_are_asked() {
        let hosts = Hosts(vec!["h".to_owned(), "127.0.0.1".to_owned()]);
        for (url, named) in [
            ("https://h/x", true),
            ("http://127.0.0.1:99/", true),
            ("https://other/", false),
            ("file://h/etc/passwd", false),
            ("nothing", false),
        ] {
            assert_eq!(hosts.name(url), named, "{url}");
        }
    }

    #[test]
    fn plain_http_is_only_for_this_machine() {
        for (url, secured) in [
            ("https://id.example/", true),
            ("http://id.example/", false),
            ("http://127.0.0.1:1/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("ftp://localhost/", false),
            ("/relative", false),
        ] {
            assert_eq!(is_secured(url), secured, "{url}");
        }
    }
}
