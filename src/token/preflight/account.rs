//! The tokens of all personas in, those that are the same account twice out.

use super::Mismatch;
use crate::scenario::Persona;
use crate::token::Credential;
use crate::token::claims::Claims;

/// Claims that name an account, the most readable first.
const NAMES: [&str; 6] = [
    "upn",
    "preferred_username",
    "email",
    "unique_name",
    "oid",
    "sub",
];

/// Every name that a token has for its account.
pub(super) fn names(claims: &Claims) -> Vec<String> {
    let mut names: Vec<String> = NAMES
        .iter()
        .filter_map(|name| claims.text(name))
        .map(str::to_owned)
        .collect();
    names.dedup();
    names
}

/// The scopes of a token: `scp` (Entra ID a string, Okta a list) or `scope` (RFC 9068 §2.2.3).
pub(super) fn scopes(claims: &Claims) -> Vec<String> {
    ["/scp", "/scope"]
        .iter()
        .find_map(|place| claims.words(place))
        .unwrap_or_default()
}

/// For each persona, whether another one is the same account with the same rights: two columns that cannot differ prove
/// nothing of each other. One account that asks for different rights, and personas whose author declares one `user` for
/// both, are two columns on purpose. Credentials stand in the order of the personas.
pub fn shared(personas: &[Persona], credentials: &[Option<&Credential>]) -> Vec<Option<Mismatch>> {
    let holders: Vec<Option<Holder<'_>>> = personas
        .iter()
        .zip(credentials)
        .map(|(persona, credential)| Holder::of(persona, (*credential)?))
        .collect();
    holders
        .iter()
        .map(|holder| {
            let holder = holder.as_ref()?;
            let same: Vec<&Holder<'_>> = holders
                .iter()
                .flatten()
                .filter(|other| holder.clashes(other))
                .collect();
            (same.len() > 1).then(|| told(&same))
        })
        .collect()
}

fn told(same: &[&Holder<'_>]) -> Mismatch {
    let names: Vec<&str> = same
        .iter()
        .map(|holder| holder.persona.name.as_str())
        .collect();
    let account = same.first().map_or("", |holder| holder.account.1);
    Mismatch::Shared(format!(
        "{} are one account ({account}) with the same rights: give each persona an account of its own, or declare \
         the same `user` for them if that is meant",
        names.join(" and ")
    ))
}

/// Who presents a token, and what it lets them do.
struct Holder<'p> {
    persona: &'p Persona,
    /// Directory or issuer, and account.
    account: (&'p str, &'p str),
    rights: (Vec<String>, Vec<String>),
}

impl<'p> Holder<'p> {
    fn of(persona: &'p Persona, credential: &'p Credential) -> Option<Self> {
        let claims = credential.claims.as_ref()?;
        let pointer = &persona.identity.as_ref()?.roles_pointer;
        let mut rights = (claims.words(pointer).unwrap_or_default(), scopes(claims));
        rights.0.sort();
        rights.1.sort();
        Some(Self {
            persona,
            account: account(claims)?,
            rights,
        })
    }

    /// A holder clashes with itself, too.
    fn clashes(&self, other: &Self) -> bool {
        let own = &self.persona.declared.user;
        let meant = own.is_some()
            && *own == other.persona.declared.user
            && self.persona.name != other.persona.name;
        self.account == other.account && self.rights == other.rights && !meant
    }
}

/// Entra ID's `sub` differs from API to API, its `oid` does not.
fn account(claims: &Claims) -> Option<(&str, &str)> {
    let of = |place, name| Some((claims.text(place)?, claims.text(name)?));
    of("tid", "oid").or_else(|| of("iss", "sub"))
}
