//! A persona's declaration and its token in, every comparison and every difference out, before any call is fired.

pub mod account;
mod comparison;
mod directory;
mod mismatch;

use std::time::{SystemTime, UNIX_EPOCH};

use super::claims::Claims;
use super::{Credential, Form, Signature, fidelity, lifetime};
use crate::scenario::{Declaration, Identity, Persona, Provider, is_guid};

pub use comparison::{Compared, Comparison, Subject};
pub use mismatch::Mismatch;
use mismatch::listed;

/// Seconds by which clocks may differ before a token counts as not valid yet (RFC 7519 §4.1.5 allows for some).
const LEEWAY: i64 = 60;
/// Seconds after which a token may be older than a change of roles that somebody has just made.
const FRESH: i64 = 5 * 60;
/// Seconds by which the provider's clock may differ from this machine's; beyond it nothing that is said of time holds.
pub const SKEW: u64 = 120;
/// Seconds that a token must at least be valid for.
const SHORTEST: i64 = 60;

/// Compares a credential with its persona's declaration: every difference, in a fixed order.
pub fn compare(persona: &Persona, credential: &Credential, now: SystemTime) -> Vec<Mismatch> {
    examine(persona, credential, now)
        .iter()
        .flat_map(Comparison::differences)
        .cloned()
        .collect()
}

/// The same, with what was found alike and what was not compared. A persona that does not sign in has nothing to compare.
pub fn examine(persona: &Persona, credential: &Credential, now: SystemTime) -> Vec<Comparison> {
    let Some(identity) = persona
        .identity
        .as_ref()
        .filter(|_| credential.authorization.is_some())
    else {
        return Vec::new();
    };
    let Some(claims) = &credential.claims else {
        return vec![
            unreadable(persona, identity, credential),
            compare_clocks(credential.skew),
        ];
    };
    let clocks = Clocks::new(seconds(now), credential.skew);
    let declared = &persona.declared;
    let mut comparisons = identities(persona, identity, credential, claims);
    comparisons.extend([
        compare_user(claims, declared),
        compare_fidelity(claims, persona),
        compare_scopes(claims, declared),
        compare_signature(&credential.signature),
        compare_validity(claims, &clocks),
        compare_directory(claims),
        compare_groups(claims),
        compare_age(claims, &clocks),
        compare_clocks(credential.skew),
    ]);
    comparisons
}

/// What a gateway looks at, too.
fn identities(
    persona: &Persona,
    identity: &Identity,
    credential: &Credential,
    claims: &Claims,
) -> Vec<Comparison> {
    let sealed = (credential.form == Form::Sealed).then_some(Mismatch::Unreadable(Form::Sealed));
    vec![
        Comparison::made(Subject::Form, "JWT", sealed),
        compare_roles(persona.roles.as_deref(), claims, identity),
        compare_audience(claims, &identity.audiences),
        compare_issuer(claims, &credential.issuers),
        compare_tenant(claims, persona, identity),
        compare_client(claims, persona.sign_in.client_id()),
    ]
}

fn unreadable(persona: &Persona, identity: &Identity, credential: &Credential) -> Comparison {
    let nothing_declared = persona.roles.is_none()
        && persona.declared == Declaration::default()
        && identity.audiences.is_empty()
        && !issuer_declared(identity, credential);
    let form = match credential.form {
        Form::Encrypted => "encrypted",
        Form::Opaque | Form::Sealed | Form::Signed => "opaque",
    };
    if nothing_declared {
        Comparison::not_made(Subject::Form, form)
    } else {
        Comparison::made(Subject::Form, form, [Mismatch::Unreadable(credential.form)])
    }
}

/// At an `OpenID` provider the issuer is the address to sign in at, and no word on what the token has to say.
fn issuer_declared(identity: &Identity, credential: &Credential) -> bool {
    !matches!(identity.provider, Provider::Oidc { .. }) && !credential.issuers.is_empty()
}

fn compare_roles(declared: Option<&[String]>, claims: &Claims, identity: &Identity) -> Comparison {
    let found = listed(&claims.words(&identity.roles_pointer).unwrap_or_default());
    match declared {
        Some(declared) => {
            Comparison::made(Subject::Roles, found, roles(declared, claims, identity))
        }
        None => Comparison::not_made(Subject::Roles, found),
    }
}

fn compare_audience(claims: &Claims, expected: &[String]) -> Comparison {
    let found = listed(&claims.audiences());
    if expected.is_empty() {
        return Comparison::not_made(Subject::Audience, found);
    }
    Comparison::made(Subject::Audience, found, audience(claims, expected))
}

fn compare_issuer(claims: &Claims, expected: &[String]) -> Comparison {
    let version = claims
        .text("ver")
        .map(|version| format!(" (version {version})"))
        .unwrap_or_default();
    let found = format!("{}{version}", claims.text("iss").unwrap_or("(none)"));
    if expected.is_empty() {
        return Comparison::not_made(Subject::Issuer, found);
    }
    Comparison::made(Subject::Issuer, found, issuer(claims, expected))
}

fn compare_tenant(claims: &Claims, persona: &Persona, identity: &Identity) -> Comparison {
    let found = claims.text("tid").unwrap_or("(none)");
    let own = persona.declared.tenant.as_deref();
    let usual = identity.tenant.as_deref();
    // A tenant that is stated by its domain is not comparable with `tid`, which is a GUID.
    match own.or_else(|| usual.filter(|tenant| is_guid(tenant))) {
        Some(expected) => Comparison::made(Subject::Tenant, found, tenant(claims, expected)),
        None if usual.is_some() => Comparison::not_made(
            Subject::Tenant,
            format!("{found}; the scenario states it by its domain"),
        ),
        None => Comparison::not_made(Subject::Tenant, found),
    }
}

fn compare_client(claims: &Claims, expected: Option<&str>) -> Comparison {
    match (fidelity::client(claims), expected) {
        (Some(found), Some(expected)) => {
            let other = !found.eq_ignore_ascii_case(expected);
            let difference = other.then(|| Mismatch::Client {
                found: found.to_owned(),
                expected: expected.to_owned(),
            });
            Comparison::made(Subject::Client, found, difference)
        }
        (Some(found), None) => Comparison::not_made(Subject::Client, found),
        (None, _) => Comparison::not_made(Subject::Client, "the token names none"),
    }
}

fn compare_user(claims: &Claims, declared: &Declaration) -> Comparison {
    let found = account::shown(claims);
    let Some(expected) = &declared.user else {
        return Comparison::not_made(Subject::User, listed(&found));
    };
    let other = !account::names(claims)
        .iter()
        .any(|name| name.eq_ignore_ascii_case(expected));
    let difference = other.then(|| Mismatch::User {
        found: found.clone(),
        expected: expected.clone(),
    });
    Comparison::made(Subject::User, listed(&found), difference)
}

/// Where the token does not say, the way in which it was asked for does.
fn compare_fidelity(claims: &Claims, persona: &Persona) -> Comparison {
    let stated = fidelity::of(claims);
    let found = stated.or_else(|| fidelity::of_method(&persona.sign_in));
    let shown = match (stated, found) {
        (None, Some(found)) => format!("{}, by its sign-in", fidelity::name(found)),
        (_, found) => found.map_or("unknown", fidelity::name).to_owned(),
    };
    let Some(expected) = persona.declared.fidelity else {
        return Comparison::not_made(Subject::Fidelity, shown);
    };
    let other = found != Some(expected);
    Comparison::made(
        Subject::Fidelity,
        shown,
        other.then_some(Mismatch::Fidelity { found, expected }),
    )
}

fn compare_scopes(claims: &Claims, declared: &Declaration) -> Comparison {
    let found = account::scopes(claims);
    if declared.scopes.is_empty() {
        return Comparison::not_made(Subject::Scopes, listed(&found));
    }
    let missing = without(&declared.scopes, &found);
    let difference = (!missing.is_empty()).then_some(Mismatch::ScopesMissing(missing));
    Comparison::made(Subject::Scopes, listed(&found), difference)
}

fn compare_signature(signature: &Signature) -> Comparison {
    match signature {
        Signature::Verified => Comparison::made(Subject::Signature, "verified", None),
        Signature::NotVerified(why) => {
            Comparison::not_made(Subject::Signature, format!("not verified: {why}"))
        }
        Signature::Wrong(how) => Comparison::made(
            Subject::Signature,
            "wrong",
            [Mismatch::Signature(how.clone())],
        ),
    }
}

fn compare_validity(claims: &Claims, clocks: &Clocks) -> Comparison {
    if clocks.differ {
        return Comparison::not_made(Subject::Validity, "the clocks differ");
    }
    let left = claims
        .seconds("exp")
        .map(|end| end.saturating_sub(clocks.earlier));
    let found = left.map_or_else(
        || "no end stated".to_owned(),
        |left| format!("ends in {left} s"),
    );
    let ends_soon = left
        .filter(|left| *left <= SHORTEST)
        .map(Mismatch::EndsSoon);
    Comparison::made(
        Subject::Validity,
        found,
        validity(claims, clocks).or(ends_soon),
    )
}

fn compare_directory(claims: &Claims) -> Comparison {
    let Some(held) = claims.words("/wids") else {
        return Comparison::not_made(Subject::Directory, "the token names none");
    };
    let names = directory::beyond_ordinary(&held);
    let difference = (!names.is_empty()).then(|| Mismatch::DirectoryRoles(names.clone()));
    Comparison::made(Subject::Directory, listed(&names), difference)
}

/// Entra ID leaves out more than 200 groups, and says so in one of two ways.
fn compare_groups(claims: &Claims) -> Comparison {
    let left_out = claims.has("hasgroups") || claims.names_elsewhere("groups");
    if left_out {
        return Comparison::made(Subject::Groups, "left out", [Mismatch::GroupsLeftOut]);
    }
    match claims.words("/groups") {
        Some(groups) => Comparison::made(Subject::Groups, format!("{} named", groups.len()), None),
        None => Comparison::not_made(Subject::Groups, "the token names none"),
    }
}

fn compare_age(claims: &Claims, clocks: &Clocks) -> Comparison {
    if clocks.differ {
        return Comparison::not_made(Subject::Age, "the clocks differ");
    }
    let Some(issued) = claims.seconds("iat") else {
        return Comparison::not_made(Subject::Age, "the token does not say when it was issued");
    };
    let age = clocks.earlier.saturating_sub(issued);
    let stale = (age > FRESH).then_some(Mismatch::Stale(age));
    Comparison::made(Subject::Age, format!("issued {age} s ago"), stale)
}

fn compare_clocks(skew: Option<i64>) -> Comparison {
    let Some(skew) = skew else {
        return Comparison::not_made(Subject::Clock, "the provider sent no date");
    };
    let differs = (skew.unsigned_abs() > SKEW).then_some(Mismatch::ClockSkew(skew));
    Comparison::made(Subject::Clock, format!("differs by {skew} s"), differs)
}

/// Exact equality of sets, ignored roles aside: a role too many makes every allowed cell of its column meaningless.
fn roles(declared: &[String], claims: &Claims, identity: &Identity) -> Vec<Mismatch> {
    let pointer = &identity.roles_pointer;
    let Some(found) = claims.words(pointer) else {
        return nowhere(declared, claims, identity);
    };
    let missing = without(declared, &found);
    let extra = without(&without(&found, declared), &identity.ignored_roles);
    let missing = (!missing.is_empty()).then_some(Mismatch::RolesMissing(missing));
    let extra = (!extra.is_empty()).then_some(Mismatch::RolesExtra(extra));
    missing.into_iter().chain(extra).collect()
}

/// At Entra ID roles stand in one place, which no scenario can change.
fn nowhere(declared: &[String], claims: &Claims, identity: &Identity) -> Vec<Mismatch> {
    if declared.is_empty() {
        return Vec::new();
    }
    let scopes: Vec<String> = account::scopes(claims)
        .into_iter()
        .filter(|scope| declared.iter().any(|role| scope.starts_with(role.as_str())))
        .collect();
    if !scopes.is_empty() && matches!(identity.provider, Provider::Entra { .. }) {
        return vec![Mismatch::RolesAsScopes {
            missing: declared.to_vec(),
            scopes,
        }];
    }
    let elsewhere = match identity.provider {
        Provider::Entra { .. } => Vec::new(),
        Provider::Oidc { .. } | Provider::Endpoints { .. } => claims.places_of(declared),
    };
    vec![Mismatch::RolesNowhere {
        pointer: identity.roles_pointer.clone(),
        missing: declared.to_vec(),
        elsewhere,
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

fn tenant(claims: &Claims, expected: &str) -> Option<Mismatch> {
    let found = claims.text("tid").unwrap_or_default();
    let differs = !found.eq_ignore_ascii_case(expected);
    differs.then(|| Mismatch::Tenant {
        found: found.to_owned(),
        expected: expected.to_owned(),
    })
}

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// The two clocks by which a token can be looked at. It counts as too old or too new where both of them say so.
struct Clocks {
    earlier: i64,
    later: i64,
    /// By so much that neither says anything.
    differ: bool,
}

impl Clocks {
    fn new(now: i64, skew: Option<i64>) -> Self {
        let there = now.saturating_add(lifetime::ahead(skew));
        Self {
            earlier: now.min(there),
            later: now.max(there),
            differ: skew.is_some_and(|skew| skew.unsigned_abs() > SKEW),
        }
    }
}

fn validity(claims: &Claims, clocks: &Clocks) -> Option<Mismatch> {
    let passed = |end: &i64| *end <= clocks.earlier;
    if let Some(end) = claims.seconds("exp").filter(passed) {
        return Some(Mismatch::Expired(format!(
            "its exp passed {} s ago",
            clocks.earlier.saturating_sub(end)
        )));
    }
    let start = claims
        .seconds("nbf")
        .filter(|start| *start > clocks.later.saturating_add(LEEWAY))?;
    Some(Mismatch::Expired(format!(
        "its nbf lies {} s ahead",
        start.saturating_sub(clocks.later)
    )))
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
    use crate::scenario::{ClientAuth, Fidelity, SignIn};

    const NOW: u64 = 1_800_000_000;
    const TENANT: &str = "0a1b2c3d-0000-4000-8000-00000000ABCD";

    fn persona(roles: Option<&[&str]>) -> Persona {
        Persona {
            name: PersonaName::new("reader"),
            roles: roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect()),
            declared: Declaration::default(),
            client: None,
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
            "exp": NOW + 3600, "nbf": NOW + 60,
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
            form: claims.as_deref().map(Form::of).unwrap_or_default(),
            claims: claims.and_then(|token| Claims::read(&token)),
            issuers: vec!["https://v2".to_owned(), "https://v1/".to_owned()],
            ..Credential::default()
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
                    elsewhere: Vec::new(),
                }],
            ),
            (
                {
                    let mut claims = with("roles", Value::Null);
                    claims["https://ns/roles"] = json!(["B", "A"]);
                    claims
                },
                vec![Mismatch::RolesNowhere {
                    pointer: "/roles".to_owned(),
                    missing: words(&["A", "B"]),
                    elsewhere: words(&["/https:~1~1ns~1roles"]),
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

    fn declared(declared: Declaration) -> Persona {
        Persona {
            declared,
            ..persona(Some(&["A", "B"]))
        }
    }

    #[test]
    fn what_a_persona_declares_besides_roles_is_compared_word_for_word() {
        let wants = |fidelity, scopes: &[&str], user: Option<&str>| {
            declared(Declaration {
                fidelity,
                scopes: words(scopes),
                user: user.map(str::to_owned),
                tenant: None,
            })
        };
        let user_token = {
            let mut claims = good();
            claims["scp"] = json!("read access.all");
            claims["upn"] = json!("Reader@example");
            claims["oid"] = json!("o1");
            claims
        };
        let table: [(Persona, Vec<Mismatch>); 8] = [
            (
                wants(Some(Fidelity::User), &["read"], Some("reader@EXAMPLE")),
                vec![],
            ),
            (wants(None, &["access.all", "read"], Some("o1")), vec![]),
            (
                wants(Some(Fidelity::App), &[], None),
                vec![Mismatch::Fidelity {
                    found: Some(Fidelity::User),
                    expected: Fidelity::App,
                }],
            ),
            (
                wants(None, &["access"], None),
                vec![Mismatch::ScopesMissing(words(&["access"]))],
            ),
            (
                wants(None, &["READ"], None),
                vec![Mismatch::ScopesMissing(words(&["READ"]))],
            ),
            (
                wants(None, &[], Some("writer@example")),
                vec![Mismatch::User {
                    found: words(&["Reader@example", "o1"]),
                    expected: "writer@example".to_owned(),
                }],
            ),
            (wants(None, &[], None), vec![]),
            (
                declared(Declaration {
                    tenant: Some(TENANT.replace('0', "1")),
                    ..Declaration::default()
                }),
                vec![Mismatch::Tenant {
                    found: TENANT.to_lowercase(),
                    expected: TENANT.replace('0', "1"),
                }],
            ),
        ];
        for (persona, expected) in table {
            assert_eq!(
                compared(&persona, &user_token),
                expected,
                "{:?}",
                persona.declared
            );
        }
    }

    #[test]
    fn a_token_that_does_not_say_whose_it_is_is_what_its_sign_in_makes_it() {
        let client = || Client {
            id: "c".to_owned(),
            proof: Proof::None,
        };
        let by_a_person = SignIn::DeviceCode {
            client: client(),
            scope: None,
            device_endpoint: None,
        };
        let by_itself = SignIn::ClientCredentials {
            client: client(),
            scope: None,
        };
        let silent = with("sub", json!("s"));
        let says_app = with("idtyp", json!("app"));
        let table = [
            (&by_a_person, &silent, Some(Fidelity::User)),
            (&by_itself, &silent, Some(Fidelity::App)),
            (&SignIn::AzureCli { scope: None }, &silent, None),
            // What the token says goes before it.
            (&by_a_person, &says_app, Some(Fidelity::App)),
        ];
        for (sign_in, claims, found) in table {
            for expected in [Fidelity::User, Fidelity::App] {
                let declaration = Declaration {
                    fidelity: Some(expected),
                    ..Declaration::default()
                };
                let persona = Persona {
                    sign_in: sign_in.clone(),
                    ..declared(declaration)
                };
                let other = found != Some(expected);
                let difference = other.then_some(Mismatch::Fidelity { found, expected });
                let differences: Vec<Mismatch> = difference.into_iter().collect();
                assert_eq!(
                    compared(&persona, claims),
                    differences,
                    "{}",
                    sign_in.name()
                );
            }
        }
    }

    #[test]
    fn the_client_is_compared_where_the_token_names_one() {
        let other = || {
            vec![Mismatch::Client {
                found: "d".to_owned(),
                expected: "c".to_owned(),
            }]
        };
        for name in ["azp", "appid", "client_id", "cid"] {
            assert_eq!(
                compared(&persona(None), &with(name, json!("C"))),
                [],
                "{name}"
            );
            assert_eq!(
                compared(&persona(None), &with(name, json!("d"))),
                other(),
                "{name}"
            );
        }
    }

    #[test]
    fn times_groups_and_directory_roles_are_noticed() {
        let elsewhere = json!({"groups": "src1"});
        let table = [
            (with("exp", json!(NOW + 61)), vec![]),
            (with("exp", json!(NOW + 60)), vec![Mismatch::EndsSoon(60)]),
            (with("iat", json!(NOW - 300)), vec![]),
            (with("iat", json!(NOW - 301)), vec![Mismatch::Stale(301)]),
            (with("iat", json!(NOW + 300)), vec![]),
            (
                with("hasgroups", json!(true)),
                vec![Mismatch::GroupsLeftOut],
            ),
            (
                with("_claim_names", elsewhere),
                vec![Mismatch::GroupsLeftOut],
            ),
            (with("_claim_names", json!({"other": "src1"})), vec![]),
            (with("groups", json!(["g"])), vec![]),
            (
                with("wids", json!(["b79fbf4d-3ef9-4689-8143-76b194e85509"])),
                vec![],
            ),
            (
                with("wids", json!(["62e90394-69f5-4237-9190-012177145e10"])),
                vec![Mismatch::DirectoryRoles(words(&["Global Administrator"]))],
            ),
        ];
        for (claims, expected) in table {
            assert_eq!(compared(&persona(None), &claims), expected, "{claims}");
        }
    }

    #[test]
    fn a_token_is_too_old_or_too_new_where_both_clocks_say_so() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let timed = |name: &str, value: u64| {
            let mut claims = with("nbf", json!(NOW - 900));
            claims[name] = json!(value);
            claims
        };
        let table = [
            (None, timed("exp", NOW + 90), ""),
            (Some(-100), timed("exp", NOW - 50), "EndsSoon"),
            (Some(-100), timed("exp", NOW - 100), "Expired"),
            (Some(100), timed("exp", NOW + 90), ""),
            (Some(100), timed("exp", NOW), "Expired"),
            (Some(-100), timed("iat", NOW - 390), ""),
            (Some(100), timed("iat", NOW - 301), "Stale"),
            (Some(100), timed("nbf", NOW + 160), ""),
            (Some(100), timed("nbf", NOW + 161), "Expired"),
            (Some(-100), timed("nbf", NOW + 60), ""),
            (Some(2), timed("exp", NOW + 1), "EndsSoon"),
            (Some(120), timed("nbf", NOW), ""),
            (Some(121), timed("nbf", NOW), "ClockSkew"),
            (Some(-121), timed("nbf", NOW - 900), "ClockSkew"),
            (Some(600), timed("nbf", NOW + 600), "ClockSkew"),
            (Some(-600), timed("exp", NOW - 900), "ClockSkew"),
        ];
        for (skew, claims, expected) in table {
            let credential = Credential {
                skew,
                ..credential(Some(&claims))
            };
            let found: Vec<String> = compare(&persona(None), &credential, now)
                .iter()
                .map(|one| format!("{one:?}"))
                .collect();
            let alone = found.len() == usize::from(!expected.is_empty());
            assert!(
                alone && found.iter().all(|one| one.starts_with(expected)),
                "{skew:?} {claims}: {found:?}"
            );
        }
        let opaque = Credential {
            skew: Some(-500),
            ..credential(None)
        };
        assert!(compare(&persona(None), &opaque, now).contains(&Mismatch::ClockSkew(-500)));
    }

    #[test]
    fn a_wrong_signature_is_a_difference_and_an_unverified_one_is_not() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let how = || "another key".to_owned();
        let table = [
            (Signature::Verified, vec![]),
            (Signature::NotVerified(how()), vec![]),
            (Signature::Wrong(how()), vec![Mismatch::Signature(how())]),
        ];
        for (signature, expected) in table {
            let credential = Credential {
                signature,
                ..credential(Some(&good()))
            };
            assert_eq!(compare(&persona(None), &credential, now), expected);
        }
    }

    #[test]
    fn tokens_that_are_not_for_this_api_to_read_say_which_kind_they_are() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let sealed = Credential {
            form: Form::Sealed,
            ..credential(Some(&good()))
        };
        let encrypted = Credential {
            form: Form::Encrypted,
            ..credential(None)
        };
        for (credential, form) in [(sealed, Form::Sealed), (encrypted, Form::Encrypted)] {
            assert_eq!(
                compare(&persona(None), &credential, now),
                [Mismatch::Unreadable(form)]
            );
        }
    }

    #[test]
    fn a_token_that_cannot_be_read_stops_whoever_declares_something_of_it() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let oidc = || Provider::Oidc {
            issuer: "https://v2".to_owned(),
            token_endpoint: None,
        };
        let endpoints = || Provider::Endpoints {
            token_endpoint: "https://v2/token".to_owned(),
            issuer: Some("https://v2".to_owned()),
        };
        let (no_role, role) = (None, Some(&["A"][..]));
        let table = [
            (oidc(), no_role, vec![], false),
            (oidc(), role, vec![], true),
            (oidc(), no_role, vec!["api://catalog"], true),
            (endpoints(), no_role, vec![], true),
        ];
        for (provider, roles, audiences, stops) in table {
            let persona = Persona {
                identity: persona(None).identity.map(|identity| Identity {
                    provider: provider.clone(),
                    audiences: words(&audiences),
                    ..identity
                }),
                ..persona(roles)
            };
            let found = compare(&persona, &credential(None), now);
            let expected: Vec<Mismatch> = stops
                .then_some(Mismatch::Unreadable(Form::Opaque))
                .into_iter()
                .collect();
            assert_eq!(found, expected, "{provider:?} {roles:?} {audiences:?}");
        }
    }

    #[test]
    fn every_subject_is_examined_once_and_says_what_was_found() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let comparisons = examine(&persona(Some(&["A", "B"])), &credential(Some(&good())), now);
        let told: Vec<String> = comparisons
            .iter()
            .map(|one| {
                let sign = match one.result {
                    Compared::Same => '+',
                    Compared::Differs(_) => '!',
                    Compared::Not => '-',
                };
                format!("{sign} {}: {}", one.subject.name(), one.found)
            })
            .collect();
        let expected = [
            "+ form: JWT",
            "+ roles: A, B",
            "+ audience: api://catalog/",
            "+ issuer: https://v1/",
            &format!("+ tenant: {}", TENANT.to_lowercase()),
            "- client: the token names none",
            "- user: (none)",
            "- fidelity: app-only, by its sign-in",
            "- scopes: (none)",
            "- signature: not verified: there is no token",
            "+ validity: ends in 3600 s",
            "- directory roles: the token names none",
            "- groups: the token names none",
            "- age: the token does not say when it was issued",
            "- clock: the provider sent no date",
        ];
        assert_eq!(told, expected);
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
    fn a_scope_that_is_spelled_like_a_role_is_told_as_what_it_is() {
        let mut persona = persona(Some(&["A.Write"]));
        let mut claims = with("roles", Value::Null);
        claims["scp"] = json!("openid A.Write.Delegated");
        let nowhere = compared(&persona, &claims);
        assert!(matches!(nowhere[..], [Mismatch::RolesNowhere { .. }]));
        persona.identity.as_mut().unwrap().provider = Provider::Entra {
            authority: "https://login".to_owned(),
            tenant: TENANT.to_owned(),
            resource: "api://catalog".to_owned(),
            endpoint: crate::scenario::EntraEndpoint::V2,
        };
        let scope = Mismatch::RolesAsScopes {
            missing: words(&["A.Write"]),
            scopes: words(&["A.Write.Delegated"]),
        };
        assert_eq!(compared(&persona, &claims), [scope]);
        claims["scp"] = json!("openid");
        assert!(matches!(
            compared(&persona, &claims)[..],
            [Mismatch::RolesNowhere { .. }]
        ));
    }

    #[test]
    fn an_opaque_token_matters_only_where_something_is_declared() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        assert_eq!(
            compare(&persona(Some(&[])), &credential(None), now),
            [Mismatch::Unreadable(Form::Opaque)]
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
                    elsewhere: Vec::new(),
                },
                "the token has nothing at /realm/roles, so it lacks A:",
                "`roles` of the identity",
            ),
            (
                Mismatch::RolesNowhere {
                    pointer: "/roles".to_owned(),
                    missing: words(&["A"]),
                    elsewhere: words(&["/scope", "/x~1y"]),
                },
                "the token has nothing at /roles, so it lacks A; such words stand at /scope and /x~1y:",
                "`roles: /scope` in the identity",
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
            (
                Mismatch::Unreadable(Form::Opaque),
                "the token is no readable JWT",
                "scope",
            ),
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
