//! The `clients` map in, the programs by which users sign in out, each with its redirects.

mod redirect;

use super::address::{self, Bounds};
use super::complaint::{Kind, Span};
use super::persona::Default as DefaultIdentity;
use super::reader::{Named, Reader};
use super::register::Register;
use super::sign_in::Client;
use super::sign_in::client::{self, Kept};
use super::{EntraEndpoint, HeaderText, Identity, Persona, header, identity};

pub use redirect::RedirectUri;

/// A program by which users sign in: an OAuth client, what it asks for, and what its calls carry.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The client.
    pub client: Client,
    /// Scope that replaces the sign-in's and the identity's.
    pub scope: Option<String>,
    /// Authorization endpoint that replaces the discovered one.
    pub authorization_endpoint: Option<String>,
    /// Headers of every call with a token of this client; values may be secrets, and of run-time values hold the run's id alone.
    pub headers: Vec<(String, HeaderText)>,
    /// Where its provider must be ready to send browsers back to.
    pub redirects: Vec<RedirectUri>,
    /// Where personas sign in by it, each provider once; the scenario's identity where none does.
    pub identities: Vec<Identity>,
    /// Line in the file, from 1.
    pub line: u32,
}

/// A profile with what its personas have to settle.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    pub(super) profile: Profile,
    /// The Entra endpoint that it states.
    pub(super) endpoint: Option<(Span, EntraEndpoint)>,
    at: Span,
    /// Whether it states redirects, right or wrong.
    has_redirects: bool,
}

const KEYS: &[&str] = &[
    "client_id",
    "client_secret",
    "certificate",
    "assertion",
    "scope",
    "endpoint",
    "authorization_endpoint",
    "headers",
    "redirects",
];

/// Reads them, in the order of the file; `None` stands for one that is wrong.
pub(super) fn read(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
) -> Vec<Option<Stated>> {
    let entries = reader.names(named.node, "`clients`", "a client");
    if entries.as_ref().is_some_and(Vec::is_empty) {
        reader.complain(named.at, Kind::Empty { what: "clients" });
    }
    let entries = entries.unwrap_or_default();
    let read = entries
        .into_iter()
        .map(|named| profile(reader, named, register));
    read.collect()
}

fn profile(reader: &mut Reader<'_>, named: Named<'_>, register: &Register<'_>) -> Option<Stated> {
    let fields = reader.fields(named.at, named.node, "this client", KEYS)?;
    let client = client::read(reader, &fields, Kept::Either, None);
    let scope = fields
        .get("scope")
        .and_then(|scope| reader.plain(scope.node, "`scope`"));
    let endpoint = fields.get("endpoint").and_then(|stated| {
        let endpoint = reader.word(stated.node, "endpoint", &identity::ENDPOINTS)?;
        Some((stated.at, endpoint))
    });
    let authorization_endpoint = fields.get("authorization_endpoint").and_then(|stated| {
        let place = "the authorization endpoint";
        address::read(reader, stated.node, place, Bounds::Endpoint)
    });
    let headers = fields
        .get("headers")
        .map(|headers| header::read(reader, headers.node, &register.run_scope()))
        .unwrap_or_default();
    let redirects = fields
        .get("redirects")
        .map(|redirects| redirect::read(reader, redirects))
        .unwrap_or_default();
    Some(Stated {
        profile: Profile {
            name: named.name.to_owned(),
            client: client?,
            scope,
            authorization_endpoint,
            headers,
            redirects,
            identities: Vec::new(),
            line: named.at.line,
        },
        endpoint,
        at: named.at,
        has_redirects: fields.get("redirects").is_some(),
    })
}

/// The profiles with the identities at which their redirects are asked for. One that nobody uses, and that has no redirect,
/// is a complaint.
pub(super) fn settled(
    reader: &mut Reader<'_>,
    stated: Vec<Option<Stated>>,
    register: &Register<'_>,
    personas: &[Persona],
    default: &DefaultIdentity,
) -> Vec<Profile> {
    let stated = stated.into_iter().enumerate();
    stated
        .filter_map(|(place, stated)| {
            let mut stated = stated?;
            if register.is_signed_in_by(&stated.profile.name) {
                let users = personas.iter();
                let users: Vec<&Persona> = users
                    .filter(|persona| persona.client == Some(place))
                    .collect();
                stated.profile.identities = each_once(&users);
            } else {
                stated.at_default(reader, default);
            }
            Some(stated.profile)
        })
        .collect()
}

fn each_once(users: &[&Persona]) -> Vec<Identity> {
    let mut identities: Vec<Identity> = Vec::new();
    for identity in users.iter().filter_map(|persona| persona.identity.as_ref()) {
        if !identities
            .iter()
            .any(|known| known.provider == identity.provider)
        {
            identities.push(identity.clone());
        }
    }
    identities
}

impl Stated {
    fn at_default(&mut self, reader: &mut Reader<'_>, default: &DefaultIdentity) {
        if !self.has_redirects {
            reader.complain(self.at, Kind::ClientUnused);
            return;
        }
        // An empty or wrong list is told already.
        if self.profile.redirects.is_empty() {
            return;
        }
        match default {
            DefaultIdentity::Read(identity) => {
                let identity = identity::at_endpoint(reader, (**identity).clone(), self.endpoint);
                self.profile.identities.extend(identity);
            }
            DefaultIdentity::Absent => reader.complain(self.at, Kind::RedirectsNowhere),
            DefaultIdentity::Wrong => {}
        }
    }
}
