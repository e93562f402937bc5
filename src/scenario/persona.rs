//! The `personas` map in, everyone with a way to sign in and a place to do so out.

use super::complaint::{Kind, Span};
use super::profile::Stated;
use super::reader::{Fields, Named, Reader};
use super::register::{Declared, Register};
use super::sign_in::{self, Setting, SignIn, Way};
use super::{Declaration, Identity, Persona, Provider, declaration, identity};
use crate::cell::PersonaName;

/// The identity of the scenario, or of a persona, as far as it can be read.
pub(super) enum Default {
    /// There is none.
    Absent,
    /// There is one, and it is wrong: nobody else is to be blamed for that.
    Wrong,
    /// There is one.
    Read(Box<Identity>),
}

impl Default {
    /// One that is stated.
    pub(super) fn of(read: Option<Identity>) -> Self {
        read.map_or(Self::Wrong, |identity| Self::Read(Box::new(identity)))
    }
}

/// Reads who attempts the operations.
pub(super) fn read(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    default: &Default,
    register: &Register<'_>,
    clients: &[Option<Stated>],
) -> Vec<Persona> {
    let entries = reader.names(named.node, "`personas`", "a persona");
    if entries.as_ref().is_some_and(Vec::is_empty) {
        reader.complain(named.at, Kind::Empty { what: "personas" });
    }
    let entries = entries.unwrap_or_default();
    let mut personas = Vec::new();
    let mut places = Vec::new();
    for named in entries {
        let before = personas.len();
        personas.extend(rows(reader, named, default, register, clients));
        places.resize(places.len() + personas.len() - before, named.at);
    }
    leads_somewhere(reader, &personas, &places);
    personas.into_iter().flatten().collect()
}

/// Complains of personas that each need the next one's token, and the last one the first's.
fn leads_somewhere(reader: &mut Reader<'_>, personas: &[Option<Persona>], places: &[Span]) {
    let subject = |index: usize| personas.get(index)?.as_ref()?.sign_in.subject();
    for (start, at) in places.iter().enumerate() {
        let mut circle = vec![start];
        let mut next = subject(start);
        while let Some(index) = next.filter(|index| !circle.contains(index)) {
            circle.push(index);
            next = subject(index);
        }
        // Each circle is told once, at the first of its members.
        if next == Some(start) && circle.iter().min() == Some(&start) {
            let names = circle.iter().filter_map(|index| personas[*index].as_ref());
            let names: Vec<&str> = names.map(|persona| persona.name.as_str()).collect();
            reader.complain(
                *at,
                Kind::SubjectCircle {
                    personas: names.join(", "),
                },
            );
        }
    }
}

const KEYS: &[&str] = &[
    "roles", "clients", "sign_in", "identity", "fidelity", "scopes", "user", "tenant",
];

/// A persona as far as it is the same by every client.
struct Entry<'f, 'n> {
    named: Named<'n>,
    fields: &'f Fields<'n>,
    roles: Option<Vec<String>>,
    declared: Declaration,
    /// Its own identity, or else the scenario's.
    identity: &'f Default,
}

/// One persona for each client that it signs in by; one where it has none. `None` stands for one that is wrong.
fn rows(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    default: &Default,
    register: &Register<'_>,
    clients: &[Option<Stated>],
) -> Vec<Option<Persona>> {
    let rows: Vec<&Declared<'_>> = register.rows_of(named.name).collect();
    let Some(fields) = reader.fields(named.at, named.node, "this persona", KEYS) else {
        return rows.iter().map(|_| None).collect();
    };
    if let Some(stated) = fields.get("clients") {
        known_clients(reader, stated, register);
    }
    let roles = fields
        .get("roles")
        .and_then(|roles| reader.texts(roles.node, "`roles`", "role"));
    let declared = declaration::read(reader, &fields);
    let own = fields
        .get("identity")
        .map(|own| Default::of(identity::read(reader, own)));
    let sign_in = fields.need(reader, "sign_in");
    let entry = Entry {
        named,
        fields: &fields,
        roles,
        declared,
        identity: own.as_ref().unwrap_or(default),
    };
    let row = |row: &Declared<'_>| {
        // Clients that cannot be read are one mistake; that the sign-in has no client then is no other.
        if row.client.is_none() && fields.get("clients").is_some() {
            return None;
        }
        let client = row.client.map(|name| register.place_of_client(name));
        let profile = match client {
            Some(place) => Some(clients.get(place?)?.as_ref()?),
            None => None,
        };
        let setting = Setting { register, profile };
        let way = sign_in::read(reader, sign_in?, setting)?;
        entry.row(reader, row.row.clone(), client.flatten(), way)
    };
    rows.into_iter().map(row).collect()
}

fn known_clients(reader: &mut Reader<'_>, stated: Named<'_>, register: &Register<'_>) {
    let Some(items) = reader.list(stated.node, "`clients`") else {
        return;
    };
    if items.is_empty() {
        reader.complain(stated.node.span, Kind::Empty { what: "clients" });
    }
    let mut seen: Vec<&str> = Vec::with_capacity(items.len());
    for item in items {
        let Some(name) = item.as_text() else {
            reader.wrong(item, "this client", "text");
            continue;
        };
        if seen.contains(&name) {
            let (noun, name) = ("client", name.to_owned());
            reader.complain(item.span, Kind::Repeated { noun, name });
            continue;
        }
        seen.push(name);
        register.client(reader, item.span, name);
    }
}

impl Entry<'_, '_> {
    fn row(
        &self,
        reader: &mut Reader<'_>,
        name: PersonaName,
        client: Option<usize>,
        way: Way,
    ) -> Option<Persona> {
        let line = self.named.at.line;
        if matches!(way.sign_in, SignIn::None) {
            self.needs_no_token(reader);
            return Some(Persona {
                name,
                roles: None,
                declared: Declaration::default(),
                client: None,
                sign_in: way.sign_in,
                identity: None,
                line,
            });
        }
        let identity = self.identity(reader)?;
        if let Some(field) = self.fields.get("roles") {
            let declared = self.roles.as_deref().unwrap_or_default();
            none_ignored(reader, field.node.span, declared, &identity);
        }
        let identity = Some(settled(reader, identity, &way)?);
        Some(Persona {
            name,
            roles: self.roles.clone(),
            declared: self.declared.clone(),
            client,
            sign_in: way.sign_in,
            identity,
            line,
        })
    }

    fn needs_no_token(&self, reader: &mut Reader<'_>) {
        let keys = ["roles", "clients", "identity"];
        for key in keys.into_iter().chain(declaration::KEYS) {
            if let Some(field) = self.fields.get(key) {
                reader.complain(field.at, Kind::Anonymous { key });
            }
        }
    }

    fn identity(&self, reader: &mut Reader<'_>) -> Option<Identity> {
        match self.identity {
            Default::Read(identity) => Some((**identity).clone()),
            Default::Wrong => None,
            Default::Absent => {
                let persona = self.named.name.to_owned();
                reader.complain(self.named.at, Kind::NoIdentity { persona });
                None
            }
        }
    }
}

/// A role that somebody declares decides something: ignored, it would hide that another persona carries it, too.
fn none_ignored(reader: &mut Reader<'_>, at: Span, declared: &[String], identity: &Identity) {
    let ignored = |role: &&String| identity.ignored_roles.contains(role);
    for role in declared.iter().filter(ignored) {
        let at = reader.narrow(at, role);
        reader.complain(at, Kind::RoleIgnored { role: role.clone() });
    }
}

/// The identity with the endpoint that the sign-in or its client states, when the method and the provider go together.
fn settled(reader: &mut Reader<'_>, identity: Identity, way: &Way) -> Option<Identity> {
    let is_entra = matches!(identity.provider, Provider::Entra { .. });
    let suits = way.suits(reader, is_entra);
    let identity = identity::at_endpoint(reader, identity, way.endpoint)?;
    suits.then_some(identity)
}
