//! A persona's `fidelity`, `scopes`, `user` and `tenant` in, what its token must say of itself out.

use super::complaint::Kind;
use super::reader::{Fields, Reader};

/// What a persona's token must say of itself, besides its roles; what is absent is not compared.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Declaration {
    /// Whether it acts for a user or for the application itself.
    pub fidelity: Option<Fidelity>,
    /// Scopes that it must carry, word for word (RFC 6749 §3.3); more are no difference. Empty when none is declared.
    pub scopes: Vec<String>,
    /// The account that it must be of: a principal name, e-mail address, object id or subject.
    pub user: Option<String>,
    /// The `tid` that it must carry, where that is not the identity's tenant.
    pub tenant: Option<String>,
}

/// On whose behalf a token acts. An application's token takes another path through most policies than a user's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fidelity {
    /// Delegated by a user.
    User,
    /// The application alone.
    App,
}

/// The keys of a persona that only a token can answer.
pub(super) const KEYS: [&str; 4] = ["fidelity", "scopes", "user", "tenant"];

/// Reads them.
pub(super) fn read(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Declaration {
    let words = [("user", Fidelity::User), ("app", Fidelity::App)];
    let fidelity = fields
        .get("fidelity")
        .and_then(|word| reader.word(word.node, "fidelity", &words));
    Declaration {
        fidelity,
        scopes: scopes(reader, fields),
        user: plain(reader, fields, "user"),
        tenant: plain(reader, fields, "tenant"),
    }
}

fn scopes(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<String> {
    let Some(stated) = fields.get("scopes") else {
        return Vec::new();
    };
    let scopes = reader.texts(stated.node, "`scopes`", "scope");
    if scopes.as_ref().is_some_and(Vec::is_empty) {
        reader.complain(stated.node.span, Kind::Empty { what: "scopes" });
    }
    scopes.unwrap_or_default()
}

fn plain(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let stated = fields.get(key)?;
    reader.plain(stated.node, format!("`{key}`"))
}
