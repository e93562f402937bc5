//! An `identity` map in, a provider with what a good token of it looks like out.

mod claim;

use super::address::{self, Bounds};
use super::complaint::{Kind, Span};
use super::raw::{Node, Value};
use super::reader::{Fields, Named, Reader};

/// An identity provider, and what a good token of it looks like.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Where tokens come from.
    pub provider: Provider,
    /// Accepted `aud` values; empty means the audience is not compared.
    pub audiences: Vec<String>,
    /// Where in the claims the roles stand, an RFC 6901 pointer such as `/roles` or `/realm_access/roles`.
    pub roles_pointer: String,
    /// Roles that a provider gives to everybody, such as Keycloak's `offline_access`; a token may carry them undeclared.
    pub ignored_roles: Vec<String>,
    /// The `tid` that tokens must carry, when the provider has tenants.
    pub tenant: Option<String>,
    /// Scope asked for, unless the sign-in states its own.
    pub scope: Option<String>,
    /// Further form parameters of the token request, such as `audience` or `resource`.
    pub parameters: Vec<(String, String)>,
    /// How the client authenticates at the token endpoint (RFC 6749 §2.3.1).
    pub client_auth: ClientAuth,
}

/// Where tokens come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Provider {
    /// Microsoft Entra ID.
    Entra {
        /// Authority without a slash at its end, such as `https://login.microsoftonline.com`.
        authority: String,
        /// Tenant GUID or domain.
        tenant: String,
        /// App ID URI or GUID of the API.
        resource: String,
        /// Which token endpoint is asked.
        endpoint: EntraEndpoint,
    },
    /// Any OIDC provider, found by discovery.
    Oidc {
        /// The issuer, exactly as its discovery document must state it.
        issuer: String,
        /// Token endpoint that replaces the discovered one.
        token_endpoint: Option<String>,
    },
    /// Endpoints given by hand.
    Endpoints {
        /// Token endpoint.
        token_endpoint: String,
        /// The `iss` that tokens must carry, when it is to be compared.
        issuer: Option<String>,
    },
}

/// Entra's two generations of token endpoint. The endpoint does not decide the token's version; the API's manifest does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EntraEndpoint {
    /// `/oauth2/token`, which takes `resource`.
    V1,
    /// `/oauth2/v2.0/token`, which takes `scope`.
    #[default]
    V2,
}

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the form body.
    #[default]
    Post,
    /// HTTP Basic.
    Basic,
}

/// The words for Entra's endpoints.
pub(super) const ENDPOINTS: [(&str, EntraEndpoint); 2] =
    [("v1", EntraEndpoint::V1), ("v2", EntraEndpoint::V2)];

/// The identity asked at the Entra endpoint that somebody states; only Entra has a choice of them.
pub(super) fn at_endpoint(
    reader: &mut Reader<'_>,
    mut identity: Identity,
    stated: Option<(Span, EntraEndpoint)>,
) -> Option<Identity> {
    let Some((at, stated)) = stated else {
        return Some(identity);
    };
    let Provider::Entra { endpoint, .. } = &mut identity.provider else {
        reader.complain(at, Kind::EndpointWithoutEntra);
        return None;
    };
    *endpoint = stated;
    Some(identity)
}

/// Reads where tokens come from: exactly one provider.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Identity> {
    let fields = reader.fields(
        named.at,
        named.node,
        "this identity",
        &["entra", "oidc", "endpoints"],
    )?;
    let given: Vec<Named<'_>> = PROVIDERS
        .iter()
        .filter_map(|(name, _)| fields.get(name))
        .collect();
    let read = |reader: &mut Reader<'_>, provider: &Named<'_>| {
        let (_, read) = PROVIDERS.iter().find(|(name, _)| *name == provider.name)?;
        read(reader, *provider)
    };
    let identities: Vec<Option<Identity>> = given
        .iter()
        .map(|provider| read(reader, provider))
        .collect();
    if given.len() != 1 {
        reader.complain(named.at, Kind::Providers { count: given.len() });
        return None;
    }
    identities.into_iter().next().flatten()
}

type Read = fn(&mut Reader<'_>, Named<'_>) -> Option<Identity>;

const PROVIDERS: [(&str, Read); 3] = [("entra", entra), ("oidc", oidc), ("endpoints", endpoints)];

fn entra(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Identity> {
    let known = &[
        "tenant",
        "resource",
        "cloud",
        "authority",
        "endpoint",
        "scope",
    ];
    let fields = reader.fields(named.at, named.node, "`entra`", known)?;
    let tenant = needed(reader, &fields, "tenant", "the tenant");
    let resource = needed(reader, &fields, "resource", "the resource");
    let authority = authority(reader, &fields);
    let endpoint = fields
        .get("endpoint")
        .and_then(|word| reader.word(word.node, "endpoint", &ENDPOINTS));
    let scope = optional(reader, &fields, "scope");
    let (tenant, resource) = (tenant?, resource?);
    Some(Identity {
        audiences: audiences(&resource),
        roles_pointer: "/roles".to_owned(),
        ignored_roles: Vec::new(),
        tenant: Some(tenant.clone()),
        scope: Some(scope.unwrap_or_else(|| format!("{resource}/.default"))),
        parameters: Vec::new(),
        client_auth: ClientAuth::Post,
        provider: Provider::Entra {
            authority: authority?,
            tenant,
            resource,
            endpoint: endpoint.unwrap_or_default(),
        },
    })
}

fn authority(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let cloud = fields
        .get("cloud")
        .map(|word| reader.word(word.node, "cloud", &CLOUDS));
    match (cloud, fields.get("authority")) {
        (None, None) => Some(CLOUDS[0].1.to_owned()),
        (Some(cloud), None) => cloud.map(str::to_owned),
        (None, Some(stated)) => address::read(reader, stated.node, "the authority", Bounds::Base),
        (Some(_), Some(stated)) => {
            reader.complain(stated.at, Kind::CloudAndAuthority);
            None
        }
    }
}

/// Entra's authorities by cloud (Microsoft's page on national clouds; the last three from the list of known
/// authorities in MSAL Python).
const CLOUDS: [(&str, &str); 6] = [
    ("public", "https://login.microsoftonline.com"),
    ("usgov", "https://login.microsoftonline.us"),
    ("china", "https://login.partner.microsoftonline.cn"),
    ("bleu", "https://login.sovcloud-identity.fr"),
    ("delos", "https://login.sovcloud-identity.de"),
    ("singapore", "https://login.sovcloud-identity.sg"),
];

/// A v1 token's `aud` is the App ID URI, a v2 token's the bare application id
/// (Microsoft identity platform, access token claims reference).
fn audiences(resource: &str) -> Vec<String> {
    let bare = resource.strip_prefix("api://").filter(|rest| is_guid(rest));
    std::iter::once(resource)
        .chain(bare)
        .map(str::to_owned)
        .collect()
}

/// Whether a text is a GUID in its plain form: 8-4-4-4-12 hex digits (RFC 9562 §4).
pub fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.chars().all(|c| c.is_ascii_hexdigit()))
}

fn oidc(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Identity> {
    let known = &[
        "issuer",
        "token_endpoint",
        "audience",
        "scope",
        "roles",
        "ignore_roles",
        "parameters",
        "client_auth",
    ];
    let fields = reader.fields(named.at, named.node, "`oidc`", known)?;
    let issuer = fields
        .need(reader, "issuer")
        .and_then(|url| issuer(reader, url));
    let token_endpoint = fields
        .get("token_endpoint")
        .and_then(|url| endpoint(reader, url));
    let provider = issuer.map(|issuer| Provider::Oidc {
        issuer,
        token_endpoint,
    });
    expected(reader, &fields, provider)
}

fn endpoints(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Identity> {
    let known = &[
        "token",
        "issuer",
        "audience",
        "scope",
        "roles",
        "ignore_roles",
        "parameters",
        "client_auth",
    ];
    let fields = reader.fields(named.at, named.node, "`endpoints`", known)?;
    let token_endpoint = fields
        .need(reader, "token")
        .and_then(|url| endpoint(reader, url));
    let issuer = fields
        .get("issuer")
        .and_then(|issuer| reader.plain(issuer.node, "the issuer"));
    let provider = token_endpoint.map(|token_endpoint| Provider::Endpoints {
        token_endpoint,
        issuer,
    });
    expected(reader, &fields, provider)
}

fn issuer(reader: &mut Reader<'_>, url: Named<'_>) -> Option<String> {
    address::read(reader, url.node, "the issuer", Bounds::Issuer)
}

fn endpoint(reader: &mut Reader<'_>, url: Named<'_>) -> Option<String> {
    address::read(reader, url.node, "the token endpoint", Bounds::Endpoint)
}

/// What `oidc` and `endpoints` say alike about their tokens.
fn expected(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    provider: Option<Provider>,
) -> Option<Identity> {
    let audiences = fields
        .get("audience")
        .and_then(|audience| audience_list(reader, audience.node));
    let roles_pointer = fields
        .get("roles")
        .and_then(|roles| claim::read(reader, roles.node));
    let ignored_roles = fields
        .get("ignore_roles")
        .and_then(|roles| reader.texts(roles.node, "`ignore_roles`", "role"));
    let scope = optional(reader, fields, "scope");
    let parameters = fields
        .get("parameters")
        .map(|parameters| form(reader, parameters.node))
        .unwrap_or_default();
    let words = [("post", ClientAuth::Post), ("basic", ClientAuth::Basic)];
    let client_auth = fields
        .get("client_auth")
        .and_then(|word| reader.word(word.node, "client authentication", &words));
    Some(Identity {
        provider: provider?,
        audiences: audiences.unwrap_or_default(),
        roles_pointer: roles_pointer.unwrap_or_else(|| "/roles".to_owned()),
        ignored_roles: ignored_roles.unwrap_or_default(),
        tenant: None,
        scope,
        parameters,
        client_auth: client_auth.unwrap_or_default(),
    })
}

fn audience_list(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Vec<String>> {
    if let Value::List(items) = &node.value {
        let audiences = reader.texts(node, "`audience`", "audience")?;
        if items.is_empty() {
            reader.complain(node.span, Kind::Empty { what: "audiences" });
        }
        return Some(audiences);
    }
    reader
        .plain(node, "the audience")
        .map(|audience| vec![audience])
}

fn form(reader: &mut Reader<'_>, node: &Node<'_>) -> Vec<(String, String)> {
    const OWN: [&str; 21] = [
        "grant_type",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "username",
        "password",
        "scope",
        "response_type",
        "state",
        "code",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "redirect_uri",
        "device_code",
        "refresh_token",
        "assertion",
        "requested_token_use",
        "subject_token",
        "subject_token_type",
    ];
    let entries = reader.entries(node, "`parameters`").unwrap_or_default();
    let mut form = Vec::with_capacity(entries.len());
    for entry in entries {
        if OWN.contains(&entry.name) {
            reader.complain(
                entry.at,
                Kind::OwnParameter {
                    name: entry.name.to_owned(),
                },
            );
        } else if let Some(value) = reader.plain(entry.node, format!("parameter `{}`", entry.name))
        {
            form.push((entry.name.to_owned(), value));
        }
    }
    form
}

/// An RFC 6901 pointer: empty, or beginning with a slash, with `~` only in `~0` and `~1`.
pub(super) fn pointer(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<String> {
    let Value::Text(text) = &node.value else {
        reader.wrong(node, "this pointer", "text");
        return None;
    };
    let pointer = reader.expand(node, text)?.text;
    if is_escaped(&pointer) && (pointer.is_empty() || pointer.starts_with('/')) {
        return Some(pointer.into_owned());
    }
    reader.complain(node.span, Kind::Pointer);
    None
}

/// Whether `~` stands only in `~0` and `~1` (RFC 6901 §3).
fn is_escaped(pointer: &str) -> bool {
    pointer
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']))
}

fn needed(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &'static str,
    place: &'static str,
) -> Option<String> {
    let field = fields.need(reader, key)?;
    reader.plain(field.node, place)
}

fn optional(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let field = fields.get(key)?;
    reader.plain(field.node, format!("`{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_id_uri_of_a_guid_is_also_accepted_bare() {
        let guid = "11111111-2222-3333-4444-55555555abcd";
        assert_eq!(
            audiences(&format!("api://{guid}")),
            [format!("api://{guid}"), guid.to_owned()]
        );
        assert_eq!(audiences("api://catalog"), ["api://catalog"]);
        assert_eq!(audiences(guid), [guid]);
    }
}
