//! The name of a sign-in method with its keys in, the method out.

use super::client::{self, Kept};
use super::{IdentityService, Setting, SignIn, Way, origin, redirect};
use crate::scenario::address::{self, Bounds};
use crate::scenario::complaint::{Kind, Span};
use crate::scenario::identity::{self, EntraEndpoint};
use crate::scenario::reader::{Fields, Named, Reader};
use crate::scenario::register::Register;

/// Every method but `none`.
pub(super) const NAMES: &[&str] = &[
    "client_credentials",
    "password",
    "device_code",
    "authorization_code",
    "refresh_token",
    "on_behalf_of",
    "token_exchange",
    "managed_identity",
    "azure_cli",
    "token",
];

/// A method that is a map of keys.
struct Method {
    name: &'static str,
    place: &'static str,
    known: &'static [&'static str],
    read: fn(&mut Reader<'_>, &Fields<'_>, Setting<'_>) -> Option<SignIn>,
}

impl Method {
    /// Whether a client of the scenario's choice asks for the token.
    fn has_client(&self) -> bool {
        self.known.contains(&"client_secret")
    }
}

#[rustfmt::skip]
const METHODS: [Method; 9] = [
    Method { name: "client_credentials", place: "`client_credentials`", known: CLIENT, read: client_credentials },
    Method { name: "password", place: "`password`", known: PASSWORD, read: password },
    Method { name: "device_code", place: "`device_code`", known: DEVICE, read: device_code },
    Method { name: "authorization_code", place: "`authorization_code`", known: CODE, read: authorization_code },
    Method { name: "refresh_token", place: "`refresh_token`", known: REFRESH, read: refresh_token },
    Method { name: "on_behalf_of", place: "`on_behalf_of`", known: BEHALF, read: on_behalf_of },
    Method { name: "token_exchange", place: "`token_exchange`", known: EXCHANGE, read: token_exchange },
    Method { name: "managed_identity", place: "`managed_identity`", known: &["client_id", "endpoint"], read: managed_identity },
    Method { name: "azure_cli", place: "`azure_cli`", known: &["scope"], read: azure_cli },
];

/// Reads one method.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>, setting: Setting<'_>) -> Option<Way> {
    let method = METHODS.iter().find(|method| method.name == named.name);
    if setting.profile.is_some() && !method.is_some_and(Method::has_client) {
        reader.complain(
            named.at,
            Kind::NoClient {
                method: named.name.to_owned(),
            },
        );
        return None;
    }
    let Some(method) = method else {
        let sign_in = SignIn::Token(origin::read_renewed(reader, named)?);
        return Some(Way {
            sign_in,
            endpoint: None,
            at: named.at,
        });
    };
    let fields = reader.fields(named.at, named.node, method.place, method.known)?;
    let sign_in = (method.read)(reader, &fields, setting);
    // A managed identity's endpoint is a machine's, not one of Entra's two.
    let own = match method.name {
        "managed_identity" => None,
        _ => endpoint(reader, &fields),
    };
    let endpoint = setting.profile.and_then(|client| client.endpoint).or(own);
    Some(Way {
        sign_in: sign_in?,
        endpoint,
        at: named.at,
    })
}

const CLIENT: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "scope",
    "endpoint",
];
const PASSWORD: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "username",
    "password",
    "scope",
    "endpoint",
];
const DEVICE: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "scope",
    "endpoint",
    "device_endpoint",
];
const CODE: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "redirect",
    "prompt",
    "scope",
    "endpoint",
    "authorization_endpoint",
];
const REFRESH: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "token",
    "write_back",
    "scope",
    "endpoint",
];
const BEHALF: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "of",
    "scope",
    "endpoint",
];
const EXCHANGE: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "of",
    "audience",
    "resource",
    "subject_token_type",
    "scope",
];

fn client_credentials(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    setting: Setting<'_>,
) -> Option<SignIn> {
    let client = client::read(reader, fields, Kept::Confidential, setting.profile);
    let scope = scope(reader, fields, setting);
    Some(SignIn::ClientCredentials {
        client: client?,
        scope,
    })
}

fn password(reader: &mut Reader<'_>, fields: &Fields<'_>, setting: Setting<'_>) -> Option<SignIn> {
    let client = client::read(reader, fields, Kept::Either, setting.profile);
    let username = needed(reader, fields, "username");
    let password = fields
        .need(reader, "password")
        .and_then(|secret| origin::read(reader, secret));
    let scope = scope(reader, fields, setting);
    Some(SignIn::Password {
        client: client?,
        username: username?,
        password: password?,
        scope,
    })
}

fn device_code(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    setting: Setting<'_>,
) -> Option<SignIn> {
    let client = client::read(reader, fields, Kept::Either, setting.profile);
    let scope = scope(reader, fields, setting);
    let device_endpoint = url(
        reader,
        fields,
        "device_endpoint",
        "the device authorization endpoint",
    );
    Some(SignIn::DeviceCode {
        client: client?,
        scope,
        device_endpoint,
    })
}

fn authorization_code(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    setting: Setting<'_>,
) -> Option<SignIn> {
    let client = client::read(reader, fields, Kept::Either, setting.profile);
    let redirect = fields
        .need(reader, "redirect")
        .and_then(|named| redirect::read(reader, named));
    let scope = scope(reader, fields, setting);
    let prompt = match fields.get("prompt") {
        Some(prompt) => reader.word(prompt.node, "prompt", &PROMPTS),
        None => Some(Some("login")),
    };
    let authorization_endpoint = url(
        reader,
        fields,
        "authorization_endpoint",
        "the authorization endpoint",
    );
    let of_client = setting
        .profile
        .and_then(|client| client.profile.authorization_endpoint.clone());
    Some(SignIn::AuthorizationCode {
        client: client?,
        redirect: redirect?,
        scope,
        prompt: prompt?.map(str::to_owned),
        authorization_endpoint: authorization_endpoint.or(of_client),
    })
}

/// A browser that remembers one persona must not sign the next one in as it, so unless told otherwise everyone logs in.
/// Consent beside it is what `offline_access` needs (`OpenID` Connect Core 1.0 §11).
const PROMPTS: [(&str, Option<&str>); 5] = [
    ("login", Some("login")),
    ("login consent", Some("login consent")),
    ("select_account", Some("select_account")),
    ("consent", Some("consent")),
    ("none", None),
];

fn refresh_token(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    setting: Setting<'_>,
) -> Option<SignIn> {
    let client = client::read(reader, fields, Kept::Either, setting.profile);
    let token = fields
        .need(reader, "token")
        .and_then(|token| origin::read_renewed(reader, token));
    let write_back = fields.get("write_back").map(|named| {
        let fields = reader.fields(named.at, named.node, "`write_back`", &["file"])?;
        let file = fields.need(reader, "file")?;
        let path = reader.plain(file.node, "`file`")?;
        Some(reader.folder().join(path))
    });
    let scope = scope(reader, fields, setting);
    Some(SignIn::RefreshToken {
        client: client?,
        token: token?,
        write_back: match write_back {
            Some(read) => Some(read?),
            None => None,
        },
        scope,
    })
}

fn on_behalf_of(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    setting: Setting<'_>,
) -> Option<SignIn> {
    let client = client::read(reader, fields, Kept::Confidential, setting.profile);
    let of = subject(reader, fields, setting.register);
    let scope = scope(reader, fields, setting);
    Some(SignIn::OnBehalfOf {
        client: client?,
        of: of?,
        scope,
    })
}

fn token_exchange(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    setting: Setting<'_>,
) -> Option<SignIn> {
    let client = client::read(reader, fields, Kept::Either, setting.profile);
    let of = subject(reader, fields, setting.register);
    let audience = optional(reader, fields, "audience");
    let resource = optional(reader, fields, "resource");
    let subject_token_type = optional(reader, fields, "subject_token_type");
    let scope = scope(reader, fields, setting);
    Some(SignIn::TokenExchange {
        client: client?,
        of: of?,
        audience,
        resource,
        subject_token_type: subject_token_type
            .unwrap_or_else(|| "urn:ietf:params:oauth:token-type:access_token".to_owned()),
        scope,
    })
}

fn subject(reader: &mut Reader<'_>, fields: &Fields<'_>, register: &Register<'_>) -> Option<usize> {
    let of = fields.need(reader, "of")?;
    let Some(name) = of.node.as_text() else {
        reader.wrong(of.node, "`of`", "text");
        return None;
    };
    let subject = register.persona(reader, of.node.span, name)?;
    if register.personas.as_ref()?.get(subject)?.signs_in == Some(false) {
        reader.complain(
            of.node.span,
            Kind::SubjectAnonymous {
                persona: name.to_owned(),
            },
        );
        return None;
    }
    Some(subject)
}

/// Where the instance metadata service is on every virtual machine (Microsoft's page on acquiring tokens there).
const METADATA: &str = "http://169.254.169.254";

fn azure_cli(reader: &mut Reader<'_>, fields: &Fields<'_>, _: Setting<'_>) -> Option<SignIn> {
    let scope = match fields.get("scope") {
        Some(scope) => Some(reader.plain(scope.node, "`scope`")?),
        None => None,
    };
    Some(SignIn::AzureCli { scope })
}

fn managed_identity(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    _: Setting<'_>,
) -> Option<SignIn> {
    let client_id = optional(reader, fields, "client_id");
    let service = match fields.get("endpoint") {
        Some(stated) => IdentityService::Metadata {
            endpoint: address::read(reader, stated.node, "the endpoint", Bounds::Base)?,
        },
        None => match (
            reader.variable_or_none("IDENTITY_ENDPOINT"),
            reader.variable_or_none("IDENTITY_HEADER"),
        ) {
            (Some(endpoint), Some(header)) => IdentityService::App {
                endpoint,
                header: client::learnt(reader, header),
            },
            _ => IdentityService::Metadata {
                endpoint: METADATA.to_owned(),
            },
        },
    };
    Some(SignIn::ManagedIdentity { client_id, service })
}

fn needed(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let field = fields.need(reader, key)?;
    reader.plain(field.node, format!("`{key}`"))
}

fn optional(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let field = fields.get(key)?;
    reader.plain(field.node, format!("`{key}`"))
}

/// The client's scope goes before the method's: it is what sets one client apart from another.
fn scope(reader: &mut Reader<'_>, fields: &Fields<'_>, setting: Setting<'_>) -> Option<String> {
    let own = optional(reader, fields, "scope");
    let client = setting
        .profile
        .and_then(|client| client.profile.scope.clone());
    client.or(own)
}

fn url(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &'static str,
    place: &'static str,
) -> Option<String> {
    let stated = fields.get(key)?;
    address::read(reader, stated.node, place, Bounds::Endpoint)
}

fn endpoint(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<(Span, EntraEndpoint)> {
    let stated = fields.get("endpoint")?;
    let endpoint = reader.word(stated.node, "endpoint", &identity::ENDPOINTS)?;
    Some((stated.at, endpoint))
}
