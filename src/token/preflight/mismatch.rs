//! One difference between a declaration and a token in, the sentence that says it with its remedy out.

use std::fmt;

use super::Form;
use crate::scenario::Fidelity;

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
        /// Where all of them stand instead, RFC 6901 pointers.
        elsewhere: Vec<String>,
    },
    /// Declared roles that the token lacks, while it carries scopes that are spelled like them.
    RolesAsScopes {
        /// Those that were declared.
        missing: Vec<String>,
        /// What the token carries.
        scopes: Vec<String>,
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
    /// Another client than the one that signed in.
    Client {
        /// The client that the token names.
        found: String,
        /// The one expected.
        expected: String,
    },
    /// Another account than the declared one.
    User {
        /// The names that the token has for its account; empty when it has none.
        found: Vec<String>,
        /// The one expected.
        expected: String,
    },
    /// A user's token where an application's is declared, or the reverse.
    Fidelity {
        /// What the token is; `None` when it does not say.
        found: Option<Fidelity>,
        /// What is declared.
        expected: Fidelity,
    },
    /// Declared scopes that the token lacks.
    ScopesMissing(Vec<String>),
    /// No published key of the provider signed it; says how that was seen.
    Signature(String),
    /// `exp` has passed, or `nbf` lies ahead.
    Expired(String),
    /// Roles in the directory itself, by name where they are known here.
    DirectoryRoles(Vec<String>),
    /// The groups are left out of the token because there are too many.
    GroupsLeftOut,
    /// Issued this many seconds ago.
    Stale(i64),
    /// Valid for so few seconds that it ends within the run.
    EndsSoon(i64),
    /// The provider's clock is this many seconds ahead of this machine's, or behind it.
    ClockSkew(i64),
    /// Another persona has the same account and the same rights; says which and how that was seen.
    Shared(String),
    /// Not for this API to read; its form says why. [`Form::Signed`] never stands here.
    Unreadable(Form),
}

impl fmt::Display for Mismatch {
    #[expect(clippy::too_many_lines, reason = "one sentence a variant")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolesMissing(roles) => write!(
                f,
                "the token lacks {}: assign it to the persona itself on the API's app (not the client's); nested groups \
                 are not followed, a service principal gets no roles from a group, and a token from before the change \
                 must be renewed",
                listed(roles)
            ),
            Self::RolesNowhere {
                pointer,
                missing,
                elsewhere,
            } if !elsewhere.is_empty() => write!(
                f,
                "the token has nothing at {pointer}, so it lacks {}; such words stand at {}: where the API reads its \
                 roles there, write `roles: {}` in the identity",
                listed(missing),
                elsewhere.join(" and "),
                elsewhere[0]
            ),
            Self::RolesNowhere {
                pointer, missing, ..
            } => write!(
                f,
                "the token has nothing at {pointer}, so it lacks {}: either it carries no role at all, and one must be \
                 assigned to the persona itself on the API's app, or its roles stand elsewhere, and `roles` of the \
                 identity must say where",
                listed(missing)
            ),
            Self::RolesAsScopes { missing, scopes } => write!(
                f,
                "the token lacks {}, and carries the scope {}: a scope is no role. Entra ID takes one value for either an \
                 app role or a scope, never for both (its duplicate value rule), so name the scope otherwise, such as \
                 {}.Delegated, and assign the app role to the persona",
                listed(missing),
                listed(scopes),
                missing.first().map_or("", String::as_str)
            ),
            Self::RolesExtra(roles) => write!(
                f,
                "the token carries {} beyond the declaration: take it away from the persona and its groups (of an \
                 application's own token: from its API permissions, for whoever has its secret holds that role), or declare \
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
            Self::Client { found, expected } => write!(
                f,
                "the token names client {found}, not {expected}, which signed in: a broker or a cache gave another \
                 client's token"
            ),
            Self::User { found, expected } => write!(
                f,
                "the token is of {}, not of {expected}: the credentials belong to another account, or a session of \
                 another user was still open",
                listed(found)
            ),
            Self::Fidelity { found, expected } => write!(
                f,
                "the token is {}, and {} is declared: sign in another way, or declare what it is",
                found.map_or("of neither user nor application, as far as it says", spoken),
                spoken(*expected)
            ),
            Self::ScopesMissing(scopes) => write!(
                f,
                "the token lacks scope {}: ask for it, and grant consent; an application's token carries no scopes \
                 at all at Entra ID",
                listed(scopes)
            ),
            Self::Signature(how) => write!(
                f,
                "the token's signature is wrong: {how}; a proxy or another issuer made it, or the provider keeps \
                 the key for this API elsewhere"
            ),
            Self::DirectoryRoles(names) => write!(
                f,
                "the account holds {} in the directory: what an administrator is allowed or refused proves nothing, \
                 use a plain account",
                listed(names)
            ),
            Self::GroupsLeftOut => f.write_str(
                "the account is in too many groups, so the token names none of them: a policy that reads groups has \
                 to look them up, or refuses",
            ),
            Self::Stale(age) => write!(
                f,
                "the token was issued {age} s ago: roles that were changed since are not in it; sign in afresh, and \
                 compare this machine's clock with the provider's"
            ),
            Self::EndsSoon(left) => write!(
                f,
                "the token ends in {left} s, within the first minute of a run: later refusals may be about time"
            ),
            Self::ClockSkew(seconds) => write!(
                f,
                "the provider's clock is {} s {} this machine's: synchronise them; a gateway that goes by either of them \
                 refuses tokens for their time",
                seconds.unsigned_abs(),
                if *seconds < 0 { "behind" } else { "ahead of" }
            ),
            Self::Shared(how) => f.write_str(how),
            Self::Unreadable(Form::Opaque | Form::Signed) => f.write_str(
                "the token is no readable JWT, so nothing of what is declared can be compared: ask for a token of the \
                 API itself (scope, resource or audience), or declare nothing of it: neither roles nor audience",
            ),
            Self::Unreadable(Form::Encrypted) => f.write_str(
                "the token is encrypted, so only the API that it is for can read it: ask for a token of this API, or \
                 have the provider leave its tokens unencrypted",
            ),
            Self::Unreadable(Form::Sealed) => f.write_str(
                "the token's header carries a nonce, as those for Microsoft Graph do, and no other API can verify \
                 it: ask for a token of this API (scope or resource)",
            ),
        }
    }
}

pub(super) fn listed(words: &[String]) -> String {
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

fn spoken(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::User => "a user's",
        Fidelity::App => "the application's own",
    }
}
