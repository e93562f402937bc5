//! Nothing in, the tenant's app registrations out, each with its credentials, redirects and consents.

use super::redirect::{Platform, Redirect};
use super::resource::{API, GRAPH, GUARDED, MIDDLE, RETIRED};
use crate::reference::chance;

/// What the client that users sign in with is told to redirect to.
pub(crate) const LOOPBACK: &str = "http://localhost";
/// The redirect URI of the connector, in the form that Copilot Studio gives them.
pub(crate) const CONNECTOR_REDIRECT: &str =
    "https://global.consent.azure-apim.net/redirect/product-20catalog-5f0a1b2c3d";
/// The redirect URI of MCP Inspector, which it has on every machine.
pub(crate) const INSPECTOR_REDIRECT: &str = "http://localhost:6274/oauth/callback";
/// The redirect URI of Insomnia.
pub(crate) const INSOMNIA_REDIRECT: &str = "https://app.insomnia.rest/oauth/redirect";
/// The redirect URI of the single-page application.
pub(crate) const SPA_REDIRECT: &str = "https://spa.catalog.example/signed-in";

/// An app registration together with its service principal.
pub(crate) struct Client {
    /// The persona's word in variable names.
    pub(crate) label: &'static str,
    /// The names of the variables for the application id and the secret.
    pub(crate) variables: [&'static str; 2],
    /// The application id.
    pub(crate) id: &'static str,
    /// The object id of the service principal.
    pub(crate) principal: String,
    /// How it proves itself.
    pub(crate) credential: Credential,
    /// Whether its service principal is enabled.
    pub(crate) enabled: bool,
    /// Where browsers may be sent back to.
    pub(crate) redirects: &'static [Redirect],
    /// What it may ask for on behalf of a user.
    pub(crate) permissions: &'static [Permission],
}

/// How a client proves itself.
pub(crate) enum Credential {
    /// Not at all: it is public.
    None,
    /// By this secret.
    Secret(String),
    /// By a secret that ran out.
    ExpiredSecret(String),
    /// By an assertion that its certificate signed.
    Certificate,
    /// By an assertion of an outside issuer.
    Federated(Vec<Trust>),
    /// The platform vouches for it: it is a managed identity.
    Managed,
}

/// A federated identity credential: whose assertions count for the client.
pub(crate) struct Trust {
    /// The issuer, to the letter.
    pub(crate) issuer: String,
    /// The subject, to the letter.
    pub(crate) subject: &'static str,
    /// The audience, to the letter.
    pub(crate) audience: &'static str,
}

/// A delegated permission of a registration.
pub(crate) struct Permission {
    /// The application id of the API.
    pub(crate) resource: &'static str,
    /// The scopes that it lists.
    pub(crate) scopes: &'static [&'static str],
    /// Whether an administrator consented to them.
    pub(crate) consented: bool,
}

impl Client {
    /// Returns its secret, whether it is still in force or not.
    pub(crate) fn secret(&self) -> Option<&str> {
        match &self.credential {
            Credential::Secret(secret) | Credential::ExpiredSecret(secret) => Some(secret),
            _ => None,
        }
    }

    /// Tells whether it has nothing to prove itself with.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self.credential, Credential::None)
    }

    /// Returns its permission on an API, by the API's application id.
    pub(crate) fn permission(&self, resource: &str) -> Option<&Permission> {
        let mut permissions = self.permissions.iter();
        permissions.find(|permission| permission.resource == resource)
    }

    /// Returns the registered redirect URI that `asked` matches.
    pub(crate) fn redirect(&self, asked: &str) -> Option<&Redirect> {
        self.redirects
            .iter()
            .find(|redirect| redirect.matches(asked))
    }

    fn with(self, credential: Credential) -> Self {
        Self { credential, ..self }
    }

    fn disabled(self) -> Self {
        Self {
            enabled: false,
            ..self
        }
    }

    fn of_users(self, redirects: &'static [Redirect], permissions: &'static [Permission]) -> Self {
        Self {
            redirects,
            permissions,
            ..self
        }
    }
}

/// A registration with a secret; its variables are named after its label.
macro_rules! client {
    ($label:literal, $id:literal) => {
        Client {
            label: $label,
            variables: [concat!($label, "_ID"), concat!($label, "_SECRET")],
            id: $id,
            principal: chance::guid(),
            credential: Credential::Secret(chance::secret()),
            enabled: true,
            redirects: &[],
            permissions: &[],
        }
    };
}

const fn allowed(resource: &'static str, scopes: &'static [&'static str]) -> Permission {
    Permission {
        resource,
        scopes,
        consented: true,
    }
}

const NATIVE: &[Redirect] = &[
    Redirect {
        platform: Platform::Native,
        uri: LOOPBACK,
    },
    Redirect {
        platform: Platform::Native,
        uri: "http://localhost/callback",
    },
    Redirect {
        platform: Platform::Native,
        uri: "http://127.0.0.1/callback",
    },
];
const CONNECTOR: &[Redirect] = &[
    Redirect {
        platform: Platform::Web,
        uri: CONNECTOR_REDIRECT,
    },
    Redirect {
        platform: Platform::Web,
        uri: INSOMNIA_REDIRECT,
    },
    Redirect {
        platform: Platform::Web,
        uri: "http://localhost/signin-oidc",
    },
];
const INSPECTOR: &[Redirect] = &[Redirect {
    platform: Platform::Native,
    uri: INSPECTOR_REDIRECT,
}];
const INSOMNIA: &[Redirect] = &[Redirect {
    platform: Platform::Web,
    uri: INSOMNIA_REDIRECT,
}];
const SPA: &[Redirect] = &[Redirect {
    platform: Platform::Spa,
    uri: SPA_REDIRECT,
}];
const OWN_SCOPE: &[&str] = &["access_as_user"];
const EVERYTHING: &[Permission] = &[
    allowed(API, OWN_SCOPE),
    allowed(GRAPH, &["User.Read"]),
    allowed(MIDDLE, OWN_SCOPE),
    allowed(GUARDED, OWN_SCOPE),
    allowed(RETIRED, OWN_SCOPE),
];
const CATALOG: &[Permission] = &[allowed(API, OWN_SCOPE)];
const CATALOG_IN_FULL: &[Permission] = &[allowed(
    API,
    &["access_as_user", "Products.Admin.Delegated"],
)];
const UNCONSENTED: &[Permission] = &[Permission {
    resource: API,
    scopes: OWN_SCOPE,
    consented: false,
}];

/// Returns all registrations; `trusts` are the federated credentials of the workload.
pub(crate) fn clients(trusts: Vec<Trust>) -> Vec<Client> {
    let mut clients = services();
    clients.extend(of_users());
    clients.push(
        client!("CERTIFICATE", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a06")
            .with(Credential::Certificate),
    );
    clients.push(
        client!("WORKLOAD", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a07")
            .with(Credential::Federated(trusts)),
    );
    clients.extend([
        client!("HOST", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a08").with(Credential::Managed),
        client!("MANAGED", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a09").with(Credential::Managed),
    ]);
    clients
}

/// Those that act for themselves with a secret.
fn services() -> Vec<Client> {
    vec![
        client!("READER", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a01"),
        client!("WRITER", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a02"),
        client!("ADMIN", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a03"),
        client!("STRANGER", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a04"),
        client!("NEARMISS", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a05"),
        client!("EXPIRED", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a10")
            .with(Credential::ExpiredSecret(chance::secret())),
        client!("OPERATOR", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a12"),
        client!("DISABLED", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a11").disabled(),
    ]
}

/// Those that users sign in with.
fn of_users() -> Vec<Client> {
    let middle = Client {
        id: MIDDLE,
        ..client!("MIDDLE", "")
    };
    vec![
        client!("CLIENT_APP", "c7d80f3e-1c55-4f1b-9f0a-6b2e4d8c9a10")
            .with(Credential::None)
            .of_users(NATIVE, EVERYTHING),
        client!("SPA", "c7d80f3e-1c55-4f1b-9f0a-6b2e4d8c9a11")
            .with(Credential::None)
            .of_users(SPA, CATALOG),
        client!("UNCONSENTED", "c7d80f3e-1c55-4f1b-9f0a-6b2e4d8c9a12")
            .with(Credential::None)
            .of_users(NATIVE, UNCONSENTED),
        client!("CONNECTOR", "c7d80f3e-1c55-4f1b-9f0a-6b2e4d8c9a13")
            .of_users(CONNECTOR, CATALOG_IN_FULL),
        middle.of_users(&[], CATALOG),
        client!("INSPECTOR", "c7d80f3e-1c55-4f1b-9f0a-6b2e4d8c9a14")
            .with(Credential::None)
            .of_users(INSPECTOR, CATALOG),
        client!("INSOMNIA", "c7d80f3e-1c55-4f1b-9f0a-6b2e4d8c9a15").of_users(INSOMNIA, CATALOG),
    ]
}
