//! The `personas` map in, everyone with a way to sign in and a place to do so out.

use super::complaint::{Kind, Span};
use super::raw::Value;
use super::reader::{Fields, Named, Reader};
use super::{EntraEndpoint, Identity, Persona, Provider, SignIn, declaration, identity};
use crate::cell::PersonaName;
use crate::secret::Secret;

/// The scenario's own identity, as far as it can be read.
pub(super) enum Default {
    /// There is none.
    Absent,
    /// There is one, and it is wrong: nobody else is to be blamed for that.
    Wrong,
    /// There is one.
    Read(Box<Identity>),
}

/// Reads who attempts the operations.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>, default: &Default) -> Vec<Persona> {
    let personas = reader.names(named.node, "`personas`", "a persona");
    if personas.as_ref().is_some_and(Vec::is_empty) {
        reader.complain(named.at, Kind::Empty { what: "personas" });
    }
    personas
        .unwrap_or_default()
        .into_iter()
        .filter_map(|named| persona(reader, named, default))
        .collect()
}

fn persona(reader: &mut Reader<'_>, named: Named<'_>, default: &Default) -> Option<Persona> {
    let fields = reader.fields(
        named.at,
        named.node,
        "this persona",
        &[
            "roles", "sign_in", "identity", "fidelity", "scopes", "user", "tenant",
        ],
    )?;
    let roles = fields
        .get("roles")
        .and_then(|roles| reader.texts(roles.node, "`roles`", "role"));
    let declared = declaration::read(reader, &fields);
    let own = fields
        .get("identity")
        .map(|own| identity::read(reader, own));
    let sign_in = fields
        .need(reader, "sign_in")
        .and_then(|named| sign_in(reader, named));
    let (sign_in, endpoint) = sign_in?;
    let name = PersonaName::new(named.name);
    let line = named.at.line;
    if matches!(sign_in, SignIn::None) {
        for key in ["roles", "identity"].into_iter().chain(declaration::KEYS) {
            if let Some(field) = fields.get(key) {
                reader.complain(field.at, Kind::Anonymous { key });
            }
        }
        return Some(Persona {
            name,
            roles: None,
            declared: declaration::Declaration::default(),
            sign_in,
            identity: None,
            line,
        });
    }
    let identity = match (own, default) {
        (Some(own), _) => own?,
        (None, Default::Read(identity)) => (**identity).clone(),
        (None, Default::Wrong) => return None,
        (None, Default::Absent) => {
            reader.complain(
                named.at,
                Kind::NoIdentity {
                    persona: named.name.to_owned(),
                },
            );
            return None;
        }
    };
    if let Some(field) = fields.get("roles") {
        let declared = roles.as_deref().unwrap_or_default();
        none_ignored(reader, field.node.span, declared, &identity);
    }
    let identity = Some(at_endpoint(reader, identity, endpoint)?);
    Some(Persona {
        name,
        roles,
        declared,
        sign_in,
        identity,
        line,
    })
}

/// A role that somebody declares decides something: ignored, it would hide that another persona carries it, too.
fn none_ignored(reader: &mut Reader<'_>, at: Span, declared: &[String], identity: &Identity) {
    let ignored = |role: &&String| identity.ignored_roles.contains(role);
    for role in declared.iter().filter(ignored) {
        let at = reader.narrow(at, role);
        reader.complain(at, Kind::RoleIgnored { role: role.clone() });
    }
}

/// The endpoint that a sign-in states, with its place.
type Endpoint = Option<(Span, EntraEndpoint)>;

fn at_endpoint(
    reader: &mut Reader<'_>,
    mut identity: Identity,
    stated: Endpoint,
) -> Option<Identity> {
    let Some((at, stated)) = stated else {
        return Some(identity);
    };
    match &mut identity.provider {
        Provider::Entra { endpoint, .. } => *endpoint = stated,
        Provider::Oidc { .. } | Provider::Endpoints { .. } => {
            reader.complain(at, Kind::EndpointWithoutEntra);
            return None;
        }
    }
    Some(identity)
}

fn sign_in(reader: &mut Reader<'_>, named: Named<'_>) -> Option<(SignIn, Endpoint)> {
    if matches!(named.node.value, Value::Text(_)) {
        return reader
            .word(named.node, "way to sign in", &[("none", ())])
            .map(|()| (SignIn::None, None));
    }
    let fields = reader.fields(
        named.at,
        named.node,
        "`sign_in`",
        &["client_credentials", "password"],
    )?;
    let client = fields
        .get("client_credentials")
        .map(|way| client_credentials(reader, way));
    let user = fields.get("password").map(|way| password(reader, way));
    match (client, user) {
        (Some(way), None) | (None, Some(way)) => way,
        (None, None) => {
            reader.complain(named.at, Kind::SignIns { count: 0 });
            None
        }
        (Some(_), Some(_)) => {
            reader.complain(named.at, Kind::SignIns { count: 2 });
            None
        }
    }
}

fn client_credentials(reader: &mut Reader<'_>, named: Named<'_>) -> Option<(SignIn, Endpoint)> {
    let known = &["client_id", "client_secret", "scope", "endpoint"];
    let fields = reader.fields(named.at, named.node, "`client_credentials`", known)?;
    let client_id = needed(reader, &fields, "client_id");
    let client_secret = fields
        .need(reader, "client_secret")
        .and_then(|secret| kept(reader, secret));
    let scope = scope(reader, &fields);
    let endpoint = endpoint(reader, &fields);
    let (client_id, client_secret) = (client_id?, client_secret?);
    Some((
        SignIn::ClientCredentials {
            client_id,
            client_secret,
            scope,
        },
        endpoint,
    ))
}

fn password(reader: &mut Reader<'_>, named: Named<'_>) -> Option<(SignIn, Endpoint)> {
    let known = &[
        "client_id",
        "client_secret",
        "username",
        "password",
        "scope",
        "endpoint",
    ];
    let fields = reader.fields(named.at, named.node, "`password`", known)?;
    let client_id = needed(reader, &fields, "client_id");
    let client_secret = fields
        .get("client_secret")
        .and_then(|secret| kept(reader, secret));
    let username = needed(reader, &fields, "username");
    let password = fields
        .need(reader, "password")
        .and_then(|secret| kept(reader, secret));
    let scope = scope(reader, &fields);
    let endpoint = endpoint(reader, &fields);
    let (client_id, username, password) = (client_id?, username?, password?);
    Some((
        SignIn::Password {
            client_id,
            client_secret,
            username,
            password,
            scope,
        },
        endpoint,
    ))
}

fn kept(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Secret> {
    reader.secret(named.node, format!("`{}`", named.name))
}

fn needed(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let field = fields.need(reader, key)?;
    reader.plain(field.node, format!("`{key}`"))
}

fn scope(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let scope = fields.get("scope")?;
    reader.plain(scope.node, "`scope`")
}

fn endpoint(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Endpoint {
    let stated = fields.get("endpoint")?;
    let endpoint = reader.word(stated.node, "endpoint", &identity::ENDPOINTS)?;
    Some((stated.at, endpoint))
}
