//! A `sign_in` value in, one way to get a token out.

pub(super) mod client;
mod method;
pub(super) mod origin;
mod redirect;

use std::path::PathBuf;

use super::EntraEndpoint;
use super::complaint::{Kind, Span};
use super::profile::Stated;
use super::raw::Value;
use super::reader::{Named, Reader};
use super::register::Register;
use crate::secret::Secret;

/// A way to get a token.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Does not sign in: calls carry no credential.
    None,
    /// OAuth 2.0 client credentials (RFC 6749 §4.4).
    ClientCredentials {
        /// The client.
        client: Client,
        /// Scope that replaces the identity's.
        scope: Option<String>,
    },
    /// OAuth 2.0 resource owner password credentials (RFC 6749 §4.3), for test tenants.
    Password {
        /// The client.
        client: Client,
        /// The user's name.
        username: String,
        /// The user's password.
        password: SecretSource,
        /// Scope that replaces the identity's.
        scope: Option<String>,
    },
    /// A person confirms a code on another device (RFC 8628).
    DeviceCode {
        /// The client.
        client: Client,
        /// Scope that replaces the identity's.
        scope: Option<String>,
        /// Device authorization endpoint that replaces the discovered one.
        device_endpoint: Option<String>,
    },
    /// A person signs in with a browser: authorization code (RFC 6749 §4.1) with PKCE (RFC 7636) and a loopback redirect
    /// (RFC 8252 §7.3).
    AuthorizationCode {
        /// The client.
        client: Client,
        /// Where the browser is sent back to.
        redirect: Redirect,
        /// Scope that replaces the identity's.
        scope: Option<String>,
        /// What the provider is to ask of the user (`OpenID` Connect Core 1.0 §3.1.2.1); `None` leaves it to the provider.
        prompt: Option<String>,
        /// Authorization endpoint that replaces the discovered one.
        authorization_endpoint: Option<String>,
    },
    /// A refresh token that somebody obtained before (RFC 6749 §6).
    RefreshToken {
        /// The client.
        client: Client,
        /// The refresh token.
        token: SecretSource,
        /// File that takes the token that replaces it.
        write_back: Option<PathBuf>,
        /// Scope that replaces the identity's.
        scope: Option<String>,
    },
    /// Microsoft Entra's on-behalf-of flow: another persona's token is exchanged by the API that it was issued for.
    OnBehalfOf {
        /// The client: the API that the other persona's token is for.
        client: Client,
        /// Index of the persona whose token is the assertion.
        of: usize,
        /// Scope that replaces the identity's.
        scope: Option<String>,
    },
    /// OAuth 2.0 token exchange (RFC 8693).
    TokenExchange {
        /// The client.
        client: Client,
        /// Index of the persona whose token is the subject.
        of: usize,
        /// Logical name of the target service.
        audience: Option<String>,
        /// URI of the target service.
        resource: Option<String>,
        /// What the subject token is, a URI (RFC 8693 §3).
        subject_token_type: String,
        /// Scope that replaces the identity's.
        scope: Option<String>,
    },
    /// The identity that Azure gives to the machine on which rolecall runs.
    ManagedIdentity {
        /// Client id of a user-assigned identity; `None` for the system-assigned one.
        client_id: Option<String>,
        /// Who answers.
        service: IdentityService,
    },
    /// Whoever is signed in to the Azure command line.
    AzureCli {
        /// Scope that replaces the identity's.
        scope: Option<String>,
    },
    /// A token that somebody else obtained.
    Token(SecretSource),
}

impl SignIn {
    /// The client that a token of this method was issued to, where the scenario says it.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::ClientCredentials { client, .. }
            | Self::Password { client, .. }
            | Self::DeviceCode { client, .. }
            | Self::AuthorizationCode { client, .. }
            | Self::RefreshToken { client, .. }
            | Self::OnBehalfOf { client, .. }
            | Self::TokenExchange { client, .. } => Some(&client.id),
            Self::ManagedIdentity { client_id, .. } => client_id.as_deref(),
            Self::None | Self::AzureCli { .. } | Self::Token(_) => None,
        }
    }

    /// Index of the persona whose token this method needs.
    pub fn subject(&self) -> Option<usize> {
        match self {
            Self::OnBehalfOf { of, .. } | Self::TokenExchange { of, .. } => Some(*of),
            Self::None
            | Self::ClientCredentials { .. }
            | Self::Password { .. }
            | Self::DeviceCode { .. }
            | Self::AuthorizationCode { .. }
            | Self::RefreshToken { .. }
            | Self::ManagedIdentity { .. }
            | Self::AzureCli { .. }
            | Self::Token(_) => None,
        }
    }

    /// The method as a scenario spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientCredentials { .. } => "client_credentials",
            Self::Password { .. } => "password",
            Self::DeviceCode { .. } => "device_code",
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::RefreshToken { .. } => "refresh_token",
            Self::OnBehalfOf { .. } => "on_behalf_of",
            Self::TokenExchange { .. } => "token_exchange",
            Self::ManagedIdentity { .. } => "managed_identity",
            Self::AzureCli { .. } => "azure_cli",
            Self::Token(_) => "token",
        }
    }

    /// Whether only Microsoft Entra ID serves it.
    fn is_entras(&self) -> bool {
        matches!(
            self,
            Self::OnBehalfOf { .. } | Self::ManagedIdentity { .. } | Self::AzureCli { .. }
        )
    }
}

/// An OAuth client and what proves that it is asked by itself.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client's id.
    pub id: String,
    /// How it proves itself.
    pub proof: Proof,
}

/// What a client proves itself with (RFC 6749 §2.3).
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing: a public client.
    None,
    /// A secret.
    Secret(SecretSource),
    /// A private key (`private_key_jwt`, RFC 7523 §2.2).
    Certificate(Certificate),
    /// Another issuer's token about this workload (RFC 7523 §2.2).
    Assertion(Assertion),
}

/// A private key with the certificate that the provider knows it by.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The private key, PEM.
    pub key: SecretSource,
    /// The certificate, PEM; its thumbprint goes into the assertion.
    pub certificate: Option<SecretSource>,
    /// Signature algorithm; `None` for the provider's usual one.
    pub algorithm: Option<Algorithm>,
    /// Key id for the assertion's header, where the provider has given one.
    pub key_id: Option<String>,
}

/// A signature algorithm (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// RSA PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// Where another issuer's token about this workload comes from; asked right before each exchange, for it lives minutes.
#[derive(Clone, Debug)]
pub enum Assertion {
    /// A variable, a file or a program.
    Given(SecretSource),
    /// GitHub Actions' token service.
    Github {
        /// Value of `ACTIONS_ID_TOKEN_REQUEST_URL`.
        url: String,
        /// Value of `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        token: Secret,
        /// The audience to ask for.
        audience: String,
    },
    /// Azure Pipelines' token service.
    AzurePipelines {
        /// Value of `SYSTEM_OIDCREQUESTURI`.
        url: String,
        /// Value of `SYSTEM_ACCESSTOKEN`.
        token: Secret,
        /// Id of the service connection.
        service_connection: String,
    },
}

/// Who answers for a managed identity.
#[derive(Clone, Debug)]
pub enum IdentityService {
    /// The instance metadata service of a virtual machine.
    Metadata {
        /// Its address without a path.
        endpoint: String,
    },
    /// The service beside an app of App Service, Functions or Container Apps.
    App {
        /// Value of `IDENTITY_ENDPOINT`.
        endpoint: String,
        /// Value of `IDENTITY_HEADER`.
        header: Secret,
    },
}

/// Where a browser is sent back to, on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redirect {
    /// `localhost` or `127.0.0.1`, as it is registered.
    pub host: String,
    /// Port; 0 for any that is free.
    pub port: u16,
    /// Path, as it is registered; may be empty.
    pub path: String,
}

/// Where a secret comes from. The scenario never holds one.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Read together with the scenario: a variable, or a file.
    Value(Secret),
    /// A file that somebody else renews, read at each use.
    File(PathBuf),
    /// A program that prints it.
    Command(Command),
}

/// A program with its arguments. Runs in the scenario's folder.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Command {
    /// The program: a name to be found in `PATH`, or a path.
    pub program: String,
    /// Its arguments; they are no secret, for every process of the machine can read them.
    pub arguments: Vec<String>,
    /// The folder in which it runs; empty for the current one.
    pub folder: PathBuf,
}

/// A way to sign in, with what its persona has to settle.
pub(super) struct Way {
    pub(super) sign_in: SignIn,
    /// The Entra endpoint that it states.
    pub(super) endpoint: Option<(Span, EntraEndpoint)>,
    /// Where the method stands.
    pub(super) at: Span,
}

impl Way {
    /// Complains when the method is Entra's alone and the persona signs in elsewhere.
    pub(super) fn suits(&self, reader: &mut Reader<'_>, entra: bool) -> bool {
        let suits = entra || !self.sign_in.is_entras();
        if !suits {
            let method = self.sign_in.name();
            reader.complain(self.at, Kind::MethodWithoutEntra { method });
        }
        suits
    }
}

/// What a way to sign in refers to: the file's names, and the client that its persona signs in by.
#[derive(Clone, Copy)]
pub(super) struct Setting<'s> {
    pub(super) register: &'s Register<'s>,
    /// The client of `clients`; `None` where the method states its own.
    pub(super) profile: Option<&'s Stated>,
}

/// Reads how a persona signs in: `none`, or a map with exactly one method.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>, setting: Setting<'_>) -> Option<Way> {
    if matches!(named.node.value, Value::Text(_)) {
        return reader
            .word(named.node, "way to sign in", &[("none", ())])
            .map(|()| Way {
                sign_in: SignIn::None,
                endpoint: None,
                at: named.at,
            });
    }
    let fields = reader.fields(named.at, named.node, "`sign_in`", method::NAMES)?;
    let given: Vec<Named<'_>> = method::NAMES
        .iter()
        .filter_map(|name| fields.get(name))
        .collect();
    let ways: Vec<Option<Way>> = given
        .iter()
        .map(|named| method::read(reader, *named, setting))
        .collect();
    if given.len() != 1 {
        reader.complain(named.at, Kind::SignIns { count: given.len() });
        return None;
    }
    ways.into_iter().next().flatten()
}
