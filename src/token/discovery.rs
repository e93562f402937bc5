//! An identity provider in, its token endpoint, its issuers and its keys out.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{AGE, DATE};
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::sync::OnceCell;
use url::{Host, Url};

use super::signature::KeySet;
use crate::scenario::{EntraEndpoint, Provider};
use crate::wire::{Call, Reply, Silence, Wire};

/// Bytes of an issuer that is shown.
const LONGEST: usize = 200;

/// One provider, asked for its documents at most once a run.
#[derive(Debug)]
pub(super) struct Guide {
    provider: Provider,
    found: OnceCell<Result<Found, String>>,
    keys: OnceCell<Result<Arc<KeySet>, String>>,
    newer_keys: OnceCell<Result<Arc<KeySet>, String>>,
}

/// Where tokens are asked for, and who will have issued them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    /// Token endpoint, `https` or loopback.
    pub(super) token_endpoint: String,
    /// Accepted `iss` values; empty when the issuer is not to be compared.
    pub(super) issuers: Vec<String>,
    /// Where its keys are published, likeliest first; empty when no document says so.
    pub(super) key_sets: Vec<String>,
    /// Seconds by which its clock is ahead of this machine's; `None` when no document came with a date.
    pub(super) skew: Option<i64>,
    /// Where a person signs in with a browser, when the provider says.
    pub(super) authorization_endpoint: Option<String>,
    /// Where a code for another device is asked for, when the provider says.
    pub(super) device_endpoint: Option<String>,
}

impl Found {
    /// A token endpoint, and nothing else that the provider says.
    pub(super) fn at(token_endpoint: String, issuers: Vec<String>) -> Self {
        Self {
            token_endpoint,
            issuers,
            key_sets: Vec::new(),
            skew: None,
            authorization_endpoint: None,
            device_endpoint: None,
        }
    }
}

/// A discovery document.
struct Document {
    json: Value,
    skew: Option<i64>,
}

impl Document {
    /// `OpenID` Connect Discovery 1.0 §4.3 and RFC 8414 §3.3: the issuer must be the one that was asked, letter by letter.
    fn is_of(&self, issuer: &str) -> bool {
        self.json.get("issuer").and_then(Value::as_str) == Some(issuer)
    }

    /// The issuer that it names in place of the one that was asked. Others' words, so an address in plain ASCII or nothing.
    fn issuer(&self) -> String {
        let named = self.json.get("issuer").and_then(Value::as_str);
        let shown = named.filter(|named| {
            let plain = named.len() <= LONGEST && named.bytes().all(|byte| byte.is_ascii_graphic());
            plain && Url::parse(named).is_ok()
        });
        match shown {
            Some(shown) => format!("another issuer ({shown})"),
            None => "another issuer".to_owned(),
        }
    }
}

impl Guide {
    pub(super) fn new(provider: Provider) -> Self {
        Self {
            provider,
            found: OnceCell::new(),
            keys: OnceCell::new(),
            newer_keys: OnceCell::new(),
        }
    }

    /// Whether it is the guide to this provider.
    pub(super) fn knows(&self, provider: &Provider) -> bool {
        self.provider == *provider
    }

    /// The provider as the scenario states it.
    pub(super) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Whether both lead to the same place: Entra's two token endpoints are one provider.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        match (&self.provider, &other.provider) {
            (
                Provider::Entra {
                    authority, tenant, ..
                },
                Provider::Entra {
                    authority: other_authority,
                    tenant: other_tenant,
                    ..
                },
            ) => authority == other_authority && tenant == other_tenant,
            (one, other) => one == other,
        }
    }

    /// URL that is called first.
    pub(super) fn address(&self) -> &str {
        match &self.provider {
            Provider::Entra { authority, .. } => authority,
            Provider::Oidc {
                issuer,
                token_endpoint,
            } => token_endpoint.as_ref().unwrap_or(issuer),
            Provider::Endpoints { token_endpoint, .. } => token_endpoint,
        }
    }

    /// Host to name in messages.
    pub(super) fn host(&self) -> String {
        let host = Url::parse(self.address()).ok().and_then(|url| {
            let host = url.host_str()?;
            let port = url.port().map(|port| format!(":{port}"));
            Some(format!("{host}{}", port.unwrap_or_default()))
        });
        host.unwrap_or_else(|| "its identity provider".to_owned())
    }

    /// Where to ask for tokens; the same answer for everyone who asks. A secret must not be posted when it is an error.
    ///
    /// # Errors
    /// Why the provider is not trusted, with the remedy.
    pub(super) async fn find(&self, wire: &Wire) -> Result<Found, String> {
        self.found
            .get_or_init(|| find(&self.provider, wire))
            .await
            .clone()
    }

    /// The provider's keys. A key id that is not among them has them fetched once more, since keys are rolled over.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn keys(&self, id: Option<&str>, wire: &Wire) -> Result<Arc<KeySet>, String> {
        let found = self.find(wire).await?;
        let (Some(first), Some(last)) = (found.key_sets.first(), found.key_sets.last()) else {
            return Err("no discovery document names the provider's keys".to_owned());
        };
        let keys = self.keys.get_or_init(|| key_set(first, wire)).await;
        if let (Ok(keys), Some(id)) = (keys, id)
            && !keys.knows(id)
        {
            return self
                .newer_keys
                .get_or_init(|| key_set(last, wire))
                .await
                .clone();
        }
        keys.clone()
    }
}

/// Whoever can change the keys on their way can sign any token, so they come over `https` or from this machine.
async fn key_set(url: &str, wire: &Wire) -> Result<Arc<KeySet>, String> {
    let body = key_document(url, wire).await?;
    KeySet::read(&body).map(Arc::new)
}

async fn key_document(url: &str, wire: &Wire) -> Result<Bytes, String> {
    guarded(url, "the address of its keys")?;
    let reply = wire
        .exchange(get(url.to_owned()))
        .await
        .map_err(|silence| format!("its keys could not be had: {silence}"))?;
    if reply.status != 200 {
        return Err(format!("its keys answer HTTP {}", reply.status));
    }
    if reply.truncated {
        return Err("its keys did not end within their limits".to_owned());
    }
    Ok(reply.body)
}

/// The keys that an issuer publishes, as the document has them; the rules are those for a provider of a scenario.
///
/// # Errors
/// Why they are not to be trusted, or none.
pub(super) async fn published(issuer: &str, wire: &Wire) -> Result<Value, String> {
    guarded(issuer, "the issuer")?;
    let document = document(issuer, wire).await?;
    if !document.is_of(issuer) {
        return Err(format!(
            "its discovery document names {}. Spell the issuer exactly as the document does.",
            document.issuer()
        ));
    }
    let address = keys_of(&document).ok_or("its discovery document names no jwks_uri")?;
    let body = key_document(&address, wire).await?;
    KeySet::read(&body)?;
    serde_json::from_slice(&body).map_err(|_unparsable| "its key set is not JSON".to_owned())
}

impl Guide {
    /// What [`Found::skew`] says, once the provider was asked.
    pub(super) fn skew(&self) -> Option<i64> {
        self.found.get()?.as_ref().ok()?.skew
    }

    /// The issuers alone, for tokens that come from elsewhere. What is stated needs no document; a missing one leaves them out.
    pub(super) async fn issuers(&self, wire: &Wire) -> Vec<String> {
        match &self.provider {
            Provider::Entra { .. } => self
                .find(wire)
                .await
                .map(|found| found.issuers)
                .unwrap_or_default(),
            Provider::Oidc { issuer, .. } => vec![issuer.clone()],
            Provider::Endpoints { issuer, .. } => issuer.iter().cloned().collect(),
        }
    }
}

async fn find(provider: &Provider, wire: &Wire) -> Result<Found, String> {
    let found = match provider {
        Provider::Entra {
            authority,
            tenant,
            endpoint,
            ..
        } => entra(authority, tenant, *endpoint, wire).await?,
        Provider::Oidc {
            issuer,
            token_endpoint: Some(stated),
        } => Found::at(stated.clone(), vec![issuer.clone()]),
        Provider::Oidc {
            issuer,
            token_endpoint: None,
        } => oidc(issuer, wire).await?,
        Provider::Endpoints {
            token_endpoint,
            issuer,
        } => Found::at(token_endpoint.clone(), issuer.iter().cloned().collect()),
    };
    guarded(&found.token_endpoint, "the token endpoint")?;
    Ok(found)
}

/// Entra's v1 issuer is on another host than its authority, so both documents' issuers are taken as they stand. The endpoint is
/// built from the authority that the author stated: no document can send a secret elsewhere.
async fn entra(
    authority: &str,
    tenant: &str,
    endpoint: EntraEndpoint,
    wire: &Wire,
) -> Result<Found, String> {
    let base = format!("{authority}/{tenant}");
    guarded(&base, "the authority")?;
    let newer = format!("{base}/v2.0");
    let (v2, v1) = tokio::join!(document(&newer, wire), document(&base, wire));
    // One document is enough; without either the token endpoint itself says what is wrong, with its AADSTS number.
    let documents: Vec<Document> = [v2, v1].into_iter().flatten().collect();
    let issuers = documents
        .iter()
        .filter_map(|document| issuer_of(&document.json, tenant))
        .collect();
    let generation = match endpoint {
        EntraEndpoint::V1 => "oauth2",
        EntraEndpoint::V2 => "oauth2/v2.0",
    };
    let place = |name: &str| format!("{base}/{generation}/{name}");
    Ok(Found {
        key_sets: documents.iter().filter_map(keys_of).collect(),
        skew: documents.iter().find_map(|document| document.skew),
        authorization_endpoint: Some(place("authorize")),
        device_endpoint: Some(place("devicecode")),
        ..Found::at(place("token"), issuers)
    })
}

fn keys_of(document: &Document) -> Option<String> {
    document.json.get("jwks_uri")?.as_str().map(str::to_owned)
}

/// Documents of `common` and `organizations` hold a template in place of the tenant.
fn issuer_of(document: &Value, tenant: &str) -> Option<String> {
    Some(
        document
            .get("issuer")?
            .as_str()?
            .replace("{tenantid}", tenant),
    )
}

async fn oidc(issuer: &str, wire: &Wire) -> Result<Found, String> {
    guarded(issuer, "the issuer")?;
    let document = document(issuer, wire).await?;
    if !document.is_of(issuer) {
        return Err(format!(
            "its discovery document names {} than the scenario. \
             Spell the issuer exactly as the document does; nothing secret was sent.",
            document.issuer()
        ));
    }
    let endpoint = document.json.get("token_endpoint").and_then(Value::as_str);
    let endpoint =
        endpoint.ok_or("its discovery document names no token endpoint. State token_endpoint.")?;
    if !same_origin(endpoint, issuer) {
        return Err(
            "its discovery document names a token endpoint at another origin than the issuer's. \
                    If that is right, state it as token_endpoint; nothing secret was sent."
                .to_owned(),
        );
    }
    let beside = |name: &str| {
        let stated = document.json.get(name).and_then(Value::as_str)?;
        same_origin(stated, issuer).then(|| stated.to_owned())
    };
    Ok(Found {
        key_sets: keys_of(&document).into_iter().collect(),
        skew: document.skew,
        authorization_endpoint: beside("authorization_endpoint"),
        device_endpoint: beside("device_authorization_endpoint"),
        ..Found::at(endpoint.to_owned(), vec![issuer.to_owned()])
    })
}

async fn document(issuer: &str, wire: &Wire) -> Result<Document, String> {
    // OpenID Connect Discovery 1.0 §4.1: a slash at the end goes first.
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let reply = wire.exchange(get(url)).await.map_err(unanswered)?;
    if reply.status != 200 {
        return Err(format!(
            "its discovery document answers HTTP {}. Check the issuer, or state token_endpoint.",
            reply.status
        ));
    }
    let json: Option<Value> = serde_json::from_slice(&reply.body)
        .ok()
        .filter(Value::is_object);
    let json = json
        .filter(|_| !reply.truncated)
        .ok_or_else(|| "its discovery document is not JSON. Check the issuer.".to_owned())?;
    Ok(Document {
        json,
        skew: skew(&reply, SystemTime::now()),
    })
}

/// RFC 9110 §6.6.1: the time at which the answer was made, to the second. A cache says for how long it had it (RFC 9111 §5.1).
fn skew(reply: &Reply, now: SystemTime) -> Option<i64> {
    let date = httpdate::parse_http_date(reply.headers.get(DATE)?.to_str().ok()?).ok()?;
    let seconds = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    let age = reply.headers.get(AGE).and_then(|age| age.to_str().ok());
    let age: i64 = age.and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    seconds(date)?
        .checked_add(age.max(0))?
        .checked_sub(seconds(now)?)
}

fn get(url: String) -> Call {
    Call {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

fn unanswered(silence: Silence) -> String {
    format!("its discovery document could not be had: {silence}")
}

/// Secrets travel over `https` alone; this machine is the exception (RFC 8252 §8.3 reasons alike).
///
/// # Errors
/// The URL would show them to others; names what it is the URL of.
pub(super) fn guarded(url: &str, what: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|_unparsable| format!("{what} is not a URL"))?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        _ => Err(format!(
            "{what} is not https, so nothing secret was sent to it"
        )),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn same_origin(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one.origin().is_tuple() && one.origin() == other.origin(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_over_https_or_loopback_alone() {
        for url in [
            "https://idp.example/token",
            "http://127.0.0.1:1/t",
            "http://[::1]:1/t",
            "http://localhost/t",
        ] {
            assert_eq!(guarded(url, "x"), Ok(()), "{url}");
        }
        for url in [
            "http://idp.example/t",
            "http://localhost.example/t",
            "ftp://127.0.0.1/",
            "/token",
            "http://127.0.0.1.example/",
        ] {
            assert!(guarded(url, "x").is_err(), "{url}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(same_origin(
            "https://idp.example/token",
            "https://idp.example:443/realms/x"
        ));
        for other in [
            "https://idp.example:444/",
            "http://idp.example/",
            "https://idp.example.evil/",
            "data:x",
            "x",
        ] {
            assert!(!same_origin("https://idp.example/token", other), "{other}");
        }
    }

    #[test]
    fn a_template_issuer_is_filled_in() {
        let document = serde_json::json!({"issuer": "https://login.example/{tenantid}/v2.0"});
        assert_eq!(
            issuer_of(&document, "t1").as_deref(),
            Some("https://login.example/t1/v2.0")
        );
    }
}
