//! The `personas` map in, everyone with a way to sign in and a place to do so out.

use super::complaint::{Kind, Span};
use super::reader::{Named, Reader};
use super::register::Register;
use super::sign_in::{self, SignIn, Way};
use super::{Identity, Persona, Provider, identity};
use crate::cell::PersonaName;

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
pub(super) fn read(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    default: &Default,
    register: &Register<'_>,
) -> Vec<Persona> {
    let entries = reader.names(named.node, "`personas`", "a persona");
    if entries.as_ref().is_some_and(Vec::is_empty) {
        reader.complain(named.at, Kind::Empty { what: "personas" });
    }
    let entries = entries.unwrap_or_default();
    let personas: Vec<Option<Persona>> = entries
        .iter()
        .map(|named| persona(reader, *named, default, register))
        .collect();
    let places: Vec<Span> = entries.iter().map(|named| named.at).collect();
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

fn persona(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    default: &Default,
    register: &Register<'_>,
) -> Option<Persona> {
    let fields = reader.fields(
        named.at,
        named.node,
        "this persona",
        &["roles", "sign_in", "identity"],
    )?;
    let roles = fields
        .get("roles")
        .and_then(|roles| reader.texts(roles.node, "`roles`", "role"));
    let own = fields
        .get("identity")
        .map(|own| identity::read(reader, own));
    let sign_in = fields
        .need(reader, "sign_in")
        .and_then(|named| sign_in::read(reader, named, register));
    let way = sign_in?;
    let name = PersonaName::new(named.name);
    let line = named.at.line;
    if matches!(way.sign_in, SignIn::None) {
        for key in ["roles", "identity"] {
            if let Some(field) = fields.get(key) {
                reader.complain(field.at, Kind::Anonymous { key });
            }
        }
        return Some(Persona {
            name,
            roles: None,
            sign_in: way.sign_in,
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
    let identity = Some(settled(reader, identity, &way)?);
    Some(Persona {
        name,
        roles,
        sign_in: way.sign_in,
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

/// The identity with the endpoint that the sign-in states, when the method and the provider go together.
fn settled(reader: &mut Reader<'_>, mut identity: Identity, way: &Way) -> Option<Identity> {
    let is_entra = matches!(identity.provider, Provider::Entra { .. });
    let suits = way.suits(reader, is_entra);
    if let Some((at, stated)) = way.endpoint {
        let Provider::Entra { endpoint, .. } = &mut identity.provider else {
            reader.complain(at, Kind::EndpointWithoutEntra);
            return None;
        };
        *endpoint = stated;
    }
    suits.then_some(identity)
}
