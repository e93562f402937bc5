//! A persona's declaration and its claims in, every difference out, before any call is fired.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Credential;
use super::claims::Claims;
use crate::scenario::{Identity, Persona};

/// Seconds by which clocks may differ before a token counts as not valid yet (RFC 7519 §4.1.5 allows for some).
const LEEWAY: i64 = 60;

/// One difference between a declaration and a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mismatch {
    /// Declared roles that the token lacks.
    RolesMissing(Vec<String>),
    /// Declared roles that the token lacks because it has nothing at all where roles are looked for.
    RolesNowhere {
        /// Where they are looked for, an RFC 6901 pointer.
        pointer: String,
        /// Those that were declared.
        missing: Vec<String>,
    },
    /// Roles that nobody declared.
    RolesExtra(Vec<String>),
    /// Another audience than the API's.
    Audience {
        /// The `aud` values of the token; empty when it has none.
        found: Vec<String>,
        /// Those of which one is expected.
        expected: Vec<String>,
    },
    /// Another issuer than the provider's.
    Issuer {
        /// The `iss` of the token; empty when it has none.
        found: String,
        /// Those of which one is expected.
        expected: Vec<String>,
    },
    /// Another tenant than the scenario's.
    Tenant {
        /// The `tid` of the token; empty when it has none.
        found: String,
        /// The one expected.
        expected: String,
    },
    /// `exp` has passed, or `nbf` lies ahead.
    Expired(String),
    /// No claims to compare with the declaration.
    Opaque,
}

/// Compares a credential with its persona's declaration. A persona that does not sign in has nothing to compare;
/// the signature is not checked, for that is the deployment's part.
pub fn compare(persona: &Persona, credential: &Credential, now: SystemTime) -> Vec<Mismatch> {
    let Some(identity) = persona
        .identity
        .as_ref()
        .filter(|_| credential.authorization.is_some())
    else {
        return Vec::new();
    };
    let Some(claims) = &credential.claims else {
        return opaque(persona, identity, credential);
    };
    let roles = persona
        .roles
        .iter()
        .flat_map(|declared| roles(declared, claims, identity));
    roles
        .chain(audience(claims, &identity.audiences))
        .chain(issuer(claims, &credential.issuers))
        .chain(
            identity
                .tenant
                .as_deref()
                .and_then(|expected| tenant(claims, expected)),
        )
        .chain(validity(claims, now))
        .collect()
}

fn opaque(persona: &Persona, identity: &Identity, credential: &Credential) -> Vec<Mismatch> {
    let nothing_declared =
        persona.roles.is_none() && identity.audiences.is_empty() && credential.issuers.is_empty();
    if nothing_declared {
        Vec::new()
    } else {
        vec![Mismatch::Opaque]
    }
}

/// Exact equality of sets, ignored roles aside: a role too many makes every allowed cell of its column meaningless.
fn roles(declared: &[String], claims: &Claims, identity: &Identity) -> Vec<Mismatch> {
    let pointer = &identity.roles_pointer;
    let Some(found) = claims.words(pointer) else {
        return nowhere(pointer, declared);
    };
    let missing = without(declared, &found);
    let extra = without(&without(&found, declared), &identity.ignored_roles);
    let missing = (!missing.is_empty()).then_some(Mismatch::RolesMissing(missing));
    let extra = (!extra.is_empty()).then_some(Mismatch::RolesExtra(extra));
    missing.into_iter().chain(extra).collect()
}

fn nowhere(pointer: &str, declared: &[String]) -> Vec<Mismatch> {
    if declared.is_empty() {
        return Vec::new();
    }
    vec![Mismatch::RolesNowhere {
        pointer: pointer.to_owned(),
        missing: declared.to_vec(),
    }]
}

fn without(all: &[String], taken: &[String]) -> Vec<String> {
    all.iter()
        .filter(|word| !taken.contains(word))
        .cloned()
        .collect()
}

fn audience(claims: &Claims, expected: &[String]) -> Option<Mismatch> {
    let found = claims.audiences();
    let same =
        |one: &String, other: &String| one.trim_end_matches('/') == other.trim_end_matches('/');
    let meets = expected
        .iter()
        .any(|expected| found.iter().any(|found| same(found, expected)));
    (!expected.is_empty() && !meets).then(|| Mismatch::Audience {
        found,
        expected: expected.to_vec(),
    })
}

fn issuer(claims: &Claims, expected: &[String]) -> Option<Mismatch> {
    let found = claims.text("iss").unwrap_or_default().to_owned();
    let differs = !expected.is_empty() && !expected.contains(&found);
    differs.then(|| Mismatch::Issuer {
        found,
        expected: expected.to_vec(),
    })
}

/// A tenant that is stated by its domain is not comparable with `tid`, which is a GUID.
fn tenant(claims: &Claims, expected: &str) -> Option<Mismatch> {
    let found = claims.text("tid").unwrap_or_default();
    let differs = is_guid(expected) && !found.eq_ignore_ascii_case(expected);
    differs.then(|| Mismatch::Tenant {
        found: found.to_owned(),
        expected: expected.to_owned(),
    })
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn validity(claims: &Claims, now: SystemTime) -> Option<Mismatch> {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    });
    if let Some(end) = claims.seconds("exp").filter(|end| *end <= now) {
        return Some(Mismatch::Expired(format!(
            "its exp passed {} s ago",
            now.saturating_sub(end)
        )));
    }
    let start = claims
        .seconds("nbf")
        .filter(|start| *start > now.saturating_add(LEEWAY))?;
    Some(Mismatch::Expired(format!(
        "its nbf lies {} s ahead",
        start.saturating_sub(now)
    )))
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolesMissing(roles) => write!(
                f,
                "the token lacks {}: assign it to the persona itself on the API's app (not the client's); nested groups \
                 are not followed, a service principal gets no roles from a group, and a token from before the change \
                 must be renewed",
                listed(roles)
            ),
            Self::RolesNowhere { pointer, missing } => write!(
                f,
                "the token has nothing at {pointer}, so it lacks {}: either it carries no role at all, and one must be \
                 assigned to the persona itself on the API's app, or its roles stand elsewhere, and `roles` of the \
                 identity must say where",
                listed(missing)
            ),
            Self::RolesExtra(roles) => write!(
                f,
                "the token carries {} beyond the declaration: take it away from the persona and its groups, or declare \
                 it; what an over-privileged persona is allowed proves nothing (roles that a provider gives to everybody \
                 go into `ignore_roles` of the identity)",
                listed(roles)
            ),
            Self::Audience { found, expected } => write!(
                f,
                "the token is for {}, not for {}: check the resource or scope that is asked for, or the client's audience \
                 mapper; Entra's v2 tokens name the API by its GUID, its v1 tokens by the App ID URI",
                listed(found),
                either(expected)
            ),
            Self::Issuer { found, expected } => write!(
                f,
                "the token was issued by {}, not by {}: v1 and v2 tokens have different issuers, and the API's manifest \
                 decides which it gets",
                named(found),
                either(expected)
            ),
            Self::Tenant { found, expected } => write!(
                f,
                "the token is of tenant {}, not of {expected}: sign in at the tenant of the API; a guest's home tenant \
                 issues another token",
                named(found)
            ),
            Self::Expired(how) => write!(f, "the token is not valid now: {how}; check the clock of this machine"),
            Self::Opaque => f.write_str(
                "the token is no readable JWT, so nothing of what is declared can be compared: ask for a token of the \
                 API itself (scope, resource or audience), or declare neither roles nor audience",
            ),
        }
    }
}

fn listed(words: &[String]) -> String {
    if words.is_empty() {
        "(none)".to_owned()
    } else {
        words.join(", ")
    }
}

fn either(words: &[String]) -> String {
    words.join(" or ")
}

fn named(word: &str) -> &str {
    if word.is_empty() { "(none)" } else { word }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use http::HeaderValue;
    use serde_json::{Value, json};

    use super::*;
    use crate::cell::PersonaName;
    use crate::scenario::sign_in::{Client, Proof};
    use crate::scenario::{ClientAuth, Provider, SignIn};

    const NOW: u64 = 1_800_000_000;
    const TENANT: &str = "0a1b2c3d-0000-4000-8000-00000000ABCD";

    fn persona(roles: Option<&[&str]>) -> Persona {
        Persona {
            name: PersonaName::new("reader"),
            roles: roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect()),
            sign_in: SignIn::ClientCredentials {
                client: Client {
                    id: "c".to_owned(),
                    proof: Proof::None,
                },
                scope: None,
            },
            identity: Some(Identity {
                provider: Provider::Endpoints {
                    token_endpoint: "https://idp.example/t".to_owned(),
                    issuer: None,
                },
                audiences: vec!["api://catalog".to_owned(), "guid".to_owned()],
                roles_pointer: "/roles".to_owned(),
                ignored_roles: Vec::new(),
                tenant: Some(TENANT.to_owned()),
                scope: None,
                parameters: Vec::new(),
                client_auth: ClientAuth::Post,
            }),
            line: 1,
        }
    }

    fn good() -> Value {
        json!({
            "aud": "api://catalog/", "iss": "https://v1/", "tid": TENANT.to_lowercase(), "roles": ["A", "B"],
            "exp": NOW + 1, "nbf": NOW + 60,
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = good();
        claims[name] = value;
        claims
    }

    fn credential(claims: Option<&Value>) -> Credential {
        let claims =
            claims.map(|claims| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string())));
        Credential {
            authorization: Some(HeaderValue::from_static("Bearer x")),
            claims: claims.and_then(|token| Claims::read(&token)),
            fingerprint: String::new(),
            issuers: vec!["https://v2".to_owned(), "https://v1/".to_owned()],
            took: Duration::ZERO,
            expires_at: None,
        }
    }

    fn compared(persona: &Persona, claims: &Value) -> Vec<Mismatch> {
        compare(
            persona,
            &credential(Some(claims)),
            UNIX_EPOCH + Duration::from_secs(NOW),
        )
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn each_difference_is_found_alone() {
        let expected_audiences = words(&["api://catalog", "guid"]);
        let expected_issuers = words(&["https://v2", "https://v1/"]);
        let audience = |found: &[&str]| {
            vec![Mismatch::Audience {
                found: words(found),
                expected: expected_audiences.clone(),
            }]
        };
        let issuer = |found: &str| {
            vec![Mismatch::Issuer {
                found: found.to_owned(),
                expected: expected_issuers.clone(),
            }]
        };
        let tenant = |found: &str| {
            vec![Mismatch::Tenant {
                found: found.to_owned(),
                expected: TENANT.to_owned(),
            }]
        };
        let cases = [
            (good(), vec![]),
            (with("roles", json!("B A")), vec![]),
            (
                with("roles", json!(["A"])),
                vec![Mismatch::RolesMissing(words(&["B"]))],
            ),
            (
                with("roles", Value::Null),
                vec![Mismatch::RolesNowhere {
                    pointer: "/roles".to_owned(),
                    missing: words(&["A", "B"]),
                }],
            ),
            (
                with("roles", json!(["B", "A", "C"])),
                vec![Mismatch::RolesExtra(words(&["C"]))],
            ),
            (
                with("roles", json!(["A", "b"])),
                vec![
                    Mismatch::RolesMissing(words(&["B"])),
                    Mismatch::RolesExtra(words(&["b"])),
                ],
            ),
            (with("aud", json!(["other", "guid"])), vec![]),
            (
                with("aud", json!("api://other")),
                audience(&["api://other"]),
            ),
            (with("aud", Value::Null), audience(&[])),
            (with("iss", json!("https://v1")), issuer("https://v1")),
            (with("iss", Value::Null), issuer("")),
            (with("tid", json!("other")), tenant("other")),
            (with("tid", Value::Null), tenant("")),
            (
                with("exp", json!(NOW)),
                vec![Mismatch::Expired("its exp passed 0 s ago".to_owned())],
            ),
            (with("exp", Value::Null), vec![]),
            (
                with("nbf", json!(NOW + 61)),
                vec![Mismatch::Expired("its nbf lies 61 s ahead".to_owned())],
            ),
        ];
        for (claims, expected) in cases {
            assert_eq!(
                compared(&persona(Some(&["A", "B"])), &claims),
                expected,
                "{claims}"
            );
        }
    }

    #[test]
    fn differences_come_in_a_fixed_order() {
        let claims = json!({"exp": 0});
        let kinds: Vec<String> = compared(&persona(Some(&["A"])), &claims)
            .iter()
            .map(|one| format!("{one:?}"))
            .collect();
        let starts = ["RolesNowhere", "Audience", "Issuer", "Tenant", "Expired"];
        assert!(
            kinds
                .iter()
                .zip(starts)
                .all(|(kind, start)| kind.starts_with(start))
                && kinds.len() == 5,
            "{kinds:?}"
        );
    }

    #[test]
    fn what_is_not_declared_is_not_compared() {
        assert_eq!(compared(&persona(None), &with("roles", json!(["Any"]))), []);
        let mut persona = persona(None);
        let identity = persona.identity.as_mut().unwrap();
        (identity.audiences, identity.tenant) = (Vec::new(), Some("contoso.example".to_owned()));
        assert_eq!(compared(&persona, &with("aud", Value::Null)), []);
    }

    #[test]
    fn an_ignored_role_may_be_carried_and_need_not_be() {
        let mut persona = persona(Some(&["A", "B"]));
        let identity = persona.identity.as_mut().unwrap();
        identity.ignored_roles = words(&["offline_access"]);
        for roles in [json!(["A", "B"]), json!(["offline_access", "B", "A"])] {
            assert_eq!(compared(&persona, &with("roles", roles)), []);
        }
        assert_eq!(
            compared(
                &persona,
                &with("roles", json!(["A", "offline_access", "C"]))
            ),
            [
                Mismatch::RolesMissing(words(&["B"])),
                Mismatch::RolesExtra(words(&["C"]))
            ]
        );
    }

    #[test]
    fn no_roles_anywhere_is_fine_for_a_persona_that_declares_none() {
        assert_eq!(
            compared(&persona(Some(&[])), &with("roles", Value::Null)),
            []
        );
    }

    #[test]
    fn an_opaque_token_matters_only_where_something_is_declared() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        assert_eq!(
            compare(&persona(Some(&[])), &credential(None), now),
            [Mismatch::Opaque]
        );
        let mut undeclared = persona(None);
        undeclared.identity.as_mut().unwrap().audiences.clear();
        let silent = Credential {
            issuers: Vec::new(),
            ..credential(None)
        };
        assert_eq!(compare(&undeclared, &silent, now), []);
        let anonymous = Credential {
            authorization: None,
            ..credential(None)
        };
        assert_eq!(compare(&persona(Some(&["A"])), &anonymous, now), []);
    }

    #[test]
    fn sentences_name_the_cause_and_the_remedy() {
        let cases = [
            (
                Mismatch::RolesMissing(words(&["A", "B"])),
                "the token lacks A, B: assign",
                "nested groups",
            ),
            (
                Mismatch::RolesNowhere {
                    pointer: "/realm/roles".to_owned(),
                    missing: words(&["A"]),
                },
                "the token has nothing at /realm/roles, so it lacks A:",
                "`roles` of the identity",
            ),
            (
                Mismatch::RolesExtra(words(&["C"])),
                "the token carries C beyond",
                "`ignore_roles`",
            ),
            (
                Mismatch::Audience {
                    found: vec![],
                    expected: words(&["x", "y"]),
                },
                "the token is for (none), not for x or y:",
                "scope",
            ),
            (
                Mismatch::Issuer {
                    found: "i".to_owned(),
                    expected: words(&["j"]),
                },
                "the token was issued by i, not by j:",
                "manifest",
            ),
            (
                Mismatch::Tenant {
                    found: String::new(),
                    expected: "t".to_owned(),
                },
                "the token is of tenant (none), not of t:",
                "guest",
            ),
            (
                Mismatch::Expired("its exp passed 3 s ago".to_owned()),
                "the token is not valid now: its exp",
                "clock",
            ),
            (Mismatch::Opaque, "the token is no readable JWT", "scope"),
        ];
        for (mismatch, start, within) in cases {
            let sentence = mismatch.to_string();
            assert!(
                sentence.starts_with(start) && sentence.contains(within),
                "{sentence}"
            );
        }
    }
}
