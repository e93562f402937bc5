//! Azure's own identities in, their tokens out: managed identity, and whoever is signed in to the Azure command line.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use url::{Host, Url};

use super::denial::{Denial, aadsts_number};
use super::discovery::guarded;
use super::endpoint::{self, whole_seconds};
use super::visit::{Issued, Visit};
use super::{aadsts, grant, program};
use crate::scenario::Provider;
use crate::scenario::sign_in::{Command, IdentityService};
use crate::secret::Secret;
use crate::wire::Call;

/// The identity of this machine (Microsoft's pages on managed identities for virtual machines and for App Service).
///
/// # Errors
/// Why there is no token.
pub(super) async fn managed_identity(
    visit: &Visit<'_>,
    client_id: Option<&str>,
    service: &IdentityService,
) -> Result<Issued, Denial> {
    let Provider::Entra { resource, .. } = &visit.identity.provider else {
        return Err(unusable("a managed identity needs an entra identity"));
    };
    let mut query = vec![("resource", resource.as_str())];
    query.extend(client_id.map(|id| ("client_id", id)));
    let (url, headers) = match service {
        IdentityService::Metadata { endpoint } => {
            query.insert(0, ("api-version", "2018-02-01"));
            let url = format!("{endpoint}/metadata/identity/oauth2/token");
            (url, header("metadata", HeaderValue::from_static("true")))
        }
        IdentityService::App {
            endpoint,
            header: value,
        } => {
            query.insert(0, ("api-version", "2019-08-01"));
            let value = HeaderValue::from_str(value.expose())
                .map_err(|_unsendable| unusable("IDENTITY_HEADER cannot be put in a header"))?;
            (endpoint.clone(), header("x-identity-header", value))
        }
    };
    let call = Call {
        method: Method::GET,
        url: nearby(&url, &query)?,
        headers,
        body: bytes::Bytes::new(),
    };
    let answer = endpoint::token(call, visit.wire(), visit.patience())
        .await
        .map_err(not_here)?;
    grant::read(&answer)
}

fn header(name: &'static str, mut value: HeaderValue) -> HeaderMap {
    value.set_sensitive(true);
    HeaderMap::from_iter([(HeaderName::from_static(name), value)])
}

/// The services listen on loopback or on a link-local address, in the clear; the header is a secret and goes nowhere else.
fn nearby(url: &str, query: &[(&str, &str)]) -> Result<String, Denial> {
    let mut url = Url::parse(url)
        .map_err(|_unparsable| unusable("the managed identity's endpoint is not a URL"))?;
    let on_the_link = matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local());
    if !on_the_link {
        guarded(url.as_str(), "the managed identity's endpoint").map_err(Denial::Unusable)?;
    }
    url.query_pairs_mut().extend_pairs(query);
    Ok(url.into())
}

fn not_here(denial: Denial) -> Denial {
    match denial {
        Denial::Silent(silence) => Denial::Unusable(format!(
            "{silence}: no managed identity service answers. Run it on a machine or app of Azure that has an identity."
        )),
        other => other,
    }
}

/// Whoever is signed in to the Azure command line.
///
/// # Errors
/// Why there is no token.
pub(super) async fn azure_cli(visit: &Visit<'_>, scope: Option<&str>) -> Result<Issued, Denial> {
    let Provider::Entra {
        resource, tenant, ..
    } = &visit.identity.provider
    else {
        return Err(unusable("the Azure command line needs an entra identity"));
    };
    let scope = scope
        .or(visit.identity.scope.as_deref())
        .map_or_else(|| format!("{resource}/.default"), str::to_owned);
    let words = [
        "account",
        "get-access-token",
        "--output",
        "json",
        "--scope",
        &scope,
        "--tenant",
        tenant,
    ];
    let command = Command {
        program: visit.desk.azure_cli.to_string(),
        arguments: words.map(str::to_owned).to_vec(),
        folder: PathBuf::new(),
    };
    let printed = program::run(&command, visit.patience().azure)
        .await
        .map_err(Denial::Unusable)?;
    visit.redactor_learns(&printed.output);
    if !printed.status.success() {
        return Err(signed_out(printed.errors.expose()));
    }
    let answer: Value = serde_json::from_str(printed.output.expose())
        .map_err(|_unparsable| unusable("`az` printed something that is no JSON. Update it"))?;
    printed_token(&answer)
}

/// What `az` writes on its standard error is long and may hold anything; the number in it is enough.
fn signed_out(errors: &str) -> Denial {
    let number = aadsts_number(errors);
    let meaning = number.and_then(|number| Some((number, aadsts::explain(number)?)));
    match (meaning, number) {
        (Some((number, meaning)), _) => Denial::Unusable(format!(
            "`az` says AADSTS{number}: {}. {}",
            meaning.what, meaning.remedy
        )),
        (None, Some(number)) => Denial::Unusable(format!(
            "`az` says AADSTS{number}. Run `az account get-access-token` by hand to see why"
        )),
        (None, None) => unusable("`az` gave no token. Sign in to it with `az login`"),
    }
}

fn printed_token(answer: &Value) -> Result<Issued, Denial> {
    let token = answer.get("accessToken").and_then(Value::as_str);
    let token = token.ok_or_else(|| unusable("`az` printed no accessToken. Update it"))?;
    Ok(Issued {
        token: Secret::new(token.to_owned()),
        lifetime: answer.get("expires_on").and_then(left),
        refresh: None,
    })
}

/// How long it is until a time in seconds since 1970.
fn left(stated: &Value) -> Option<Duration> {
    let end = UNIX_EPOCH.checked_add(Duration::from_secs(whole_seconds(stated)?))?;
    end.duration_since(SystemTime::now()).ok()
}

fn unusable(why: &str) -> Denial {
    Denial::Unusable(why.to_owned())
}
