//! The tokens of all personas in, those that are the same account twice out.

use super::{Comparison, Mismatch, Subject};
use crate::scenario::Persona;
use crate::token::Credential;
use crate::token::claims::Claims;

/// Claims that name an account, the most readable first.
const SHOWN: [&str; 4] = ["upn", "preferred_username", "oid", "sub"];
/// Those that are compared, but are on no list of what may be shown.
const UNSHOWN: [&str; 2] = ["email", "unique_name"];

/// Every name that a token has for its account.
pub(super) fn names(claims: &Claims) -> Vec<String> {
    let all = SHOWN.iter().chain(&UNSHOWN);
    all.filter_map(|name| claims.text(name))
        .map(str::to_owned)
        .collect()
}

/// The names that may be shown, each once.
pub(super) fn shown(claims: &Claims) -> Vec<String> {
    let mut names: Vec<String> = SHOWN
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
/// nothing of each other. One account that asks for different rights, one persona by several clients, and personas whose
/// author declares one `user` for both, are two columns on purpose. Credentials stand in the order of the personas.
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

/// What [`shared`] says of one persona, as a comparison.
pub fn comparison(shared: Option<Mismatch>) -> Comparison {
    let found = if shared.is_some() {
        "shared"
    } else {
        "its own"
    };
    Comparison::made(Subject::Account, found, shared)
}

fn told(same: &[&Holder<'_>]) -> Mismatch {
    let mut names: Vec<&str> = same
        .iter()
        .map(|holder| holder.persona.name.persona())
        .collect();
    // A persona's rows stand side by side.
    names.dedup();
    let account = same.first().map_or("", |holder| holder.account.1);
    Mismatch::Shared(format!(
        "the account {account} is that of {}, with the same rights: give each persona an account of its own, or \
         declare the same `user` for them if that is meant",
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
        let by_another_client = self.persona.name != other.persona.name
            && self.persona.name.persona() == other.persona.name.persona();
        self.account == other.account && self.rights == other.rights && !meant && !by_another_client
    }
}

/// Entra ID's `sub` differs from API to API, its `oid` does not.
fn account(claims: &Claims) -> Option<(&str, &str)> {
    let of = |place, name| Some((claims.text(place)?, claims.text(name)?));
    of("tid", "oid").or_else(|| of("iss", "sub"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cell::PersonaName;
    use crate::scenario::{ClientAuth, Declaration, Identity, Provider, SignIn};

    fn persona(name: &str, user: Option<&str>) -> Persona {
        Persona {
            name: PersonaName::new(name),
            roles: None,
            declared: Declaration {
                user: user.map(str::to_owned),
                ..Declaration::default()
            },
            client: None,
            sign_in: SignIn::None,
            identity: Some(Identity {
                provider: Provider::Endpoints {
                    token_endpoint: String::new(),
                    issuer: None,
                },
                audiences: Vec::new(),
                roles_pointer: "/roles".to_owned(),
                ignored_roles: Vec::new(),
                tenant: None,
                scope: None,
                parameters: Vec::new(),
                client_auth: ClientAuth::Post,
            }),
            line: 1,
        }
    }

    fn who_shares(claims: &[Value], users: [Option<&str>; 2]) -> Vec<bool> {
        let personas = [persona("one", users[0]), persona("two", users[1])];
        let credentials: Vec<Credential> = claims
            .iter()
            .map(|claims| Credential {
                claims: Some(Claims::from(claims)),
                ..Credential::default()
            })
            .collect();
        let credentials: Vec<Option<&Credential>> = credentials.iter().map(Some).collect();
        shared(&personas, &credentials)
            .iter()
            .map(Option::is_some)
            .collect()
    }

    #[test]
    fn one_account_in_two_personas_is_told_to_both() {
        let of = |tid: &str, oid: &str, roles: &[&str]| json!({"tid": tid, "oid": oid, "roles": roles, "sub": "s", "iss": "i"});
        let table = [
            (vec![of("t", "o", &["A"]), of("t", "o", &["A"])], true),
            (
                vec![of("t", "o", &["A", "B"]), of("t", "o", &["B", "A"])],
                true,
            ),
            (vec![of("t", "o", &["A"]), of("t", "p", &["A"])], false),
            (vec![of("t", "o", &["A"]), of("u", "o", &["A"])], false),
            (vec![of("t", "o", &["A"]), of("t", "o", &["B"])], false),
            (
                vec![
                    json!({"iss": "i", "sub": "s"}),
                    json!({"iss": "i", "sub": "s"}),
                ],
                true,
            ),
            (
                vec![
                    json!({"iss": "i", "sub": "s"}),
                    json!({"iss": "j", "sub": "s"}),
                ],
                false,
            ),
            (
                vec![
                    json!({"iss": "i", "sub": "s", "scope": "a"}),
                    json!({"iss": "i", "sub": "s", "scope": "a b"}),
                ],
                false,
            ),
            (vec![json!({}), json!({})], false),
        ];
        for (claims, expected) in table {
            assert_eq!(
                who_shares(&claims, [None, None]),
                [expected; 2],
                "{claims:?}"
            );
        }
    }

    #[test]
    fn one_account_may_be_meant_twice() {
        let same = [
            json!({"iss": "i", "sub": "s"}),
            json!({"iss": "i", "sub": "s"}),
        ];
        assert_eq!(who_shares(&same, [Some("s"), Some("s")]), [false; 2]);
        assert_eq!(who_shares(&same, [Some("s"), None]), [true; 2]);
    }

    #[test]
    fn one_persona_by_several_clients_shares_with_others_alone() {
        let names = ["reader@a", "reader@b", "writer@a", "other"];
        let personas = names.map(|name| persona(name, None));
        let of = |account: &str| Credential {
            claims: Some(Claims::from(&json!({"iss": "i", "sub": account}))),
            ..Credential::default()
        };
        let told = |accounts: [&str; 4]| {
            let credentials = accounts.map(of);
            let credentials: Vec<Option<&Credential>> = credentials.iter().map(Some).collect();
            let told = shared(&personas, &credentials);
            told.into_iter()
                .map(|one| one.map(|one| one.to_string()))
                .collect::<Vec<_>>()
        };
        assert!(told(["r", "r", "w", "o"]).iter().all(Option::is_none));
        let clash = told(["r", "r", "r", "o"]);
        let words = clash[0].as_ref().unwrap();
        assert!(words.contains("is that of reader and writer,"), "{words}");
        assert!(clash[..3].iter().all(|one| one.as_ref() == Some(words)));
        assert_eq!(clash[3], None);
    }

    #[test]
    fn both_are_told_in_the_same_words() {
        let personas = [persona("one", None), persona("two", None)];
        let credential = Credential {
            claims: Some(Claims::from(&json!({"iss": "i", "sub": "s"}))),
            ..Credential::default()
        };
        let told = shared(&personas, &[Some(&credential), Some(&credential)]);
        assert_eq!(told[0], told[1]);
        let words = told[0].as_ref().unwrap().to_string();
        assert!(
            words.starts_with("the account s is that of one and two,"),
            "{words}"
        );
        assert_eq!(shared(&personas, &[Some(&credential), None]), [None, None]);
    }
}
