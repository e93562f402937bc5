//! The pattern of a finding's cells in, the one cause that it points at out.

use serde::{Deserialize, Serialize};

use super::code::Code;
use super::outcome::Outcome;
use super::roll::Roll;
use crate::cell::Door;

/// A cause that a finding's pattern points at.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hint {
    /// Every token is refused with 401, everywhere: issuer or audience.
    IssuerOrAudience,
    /// Every allowed MCP call is answered 400: the policy has read the body away.
    BodyConsumed,
    /// MCP lets even a caller without a token through: it has no token check of its own.
    McpNotInherited,
    /// MCP asks for a token and lets every role through: the tool's name is not looked at.
    ToolNameUnread,
    /// The tools that could not be called are in nobody's list: they are not there, or have another name.
    ToolMissing,
}

impl Hint {
    /// Every hint.
    pub const ALL: [Self; 5] = [
        Self::IssuerOrAudience,
        Self::BodyConsumed,
        Self::McpNotInherited,
        Self::ToolNameUnread,
        Self::ToolMissing,
    ];

    /// Reads the pattern of a finding's cells (ascending, not empty); `None` when it points nowhere in particular.
    pub(super) fn of(roll: &Roll<'_>, code: Code, cells: &[usize]) -> Option<Self> {
        match code {
            Code::Lockout => every_token_refused(roll, cells).then_some(Self::IssuerOrAudience),
            Code::Broken => body_gone(roll, cells).then_some(Self::BodyConsumed),
            Code::Leak => mcp_leak(roll, cells),
            Code::EffectDespiteRefusal
            | Code::OpenWithoutToken
            | Code::SpecMust
            | Code::SpecShould
            | Code::SpecUnproven
            | Code::DenyList
            | Code::UndeclaredTool
            | Code::ListUnread
            | Code::DeclaredToolMissing
            | Code::UndeclaredToolNoted
            | Code::HiddenButCallable
            | Code::ListedButRefused
            | Code::StaleWaiver
            | Code::CrashedNotRefused
            | Code::NoEffect
            | Code::DoorsDisagree
            | Code::Flips
            | Code::WrongRefusal
            | Code::TokenRolesMissing
            | Code::TokenRolesExtra
            | Code::TokenAudience
            | Code::TokenIssuer
            | Code::TokenTenant
            | Code::TokenExpired
            | Code::TokenOpaque
            | Code::TokenClient
            | Code::TokenWrongUser
            | Code::TokenFidelity
            | Code::TokenScopes
            | Code::TokenSignature
            | Code::TokenIsDirectoryAdmin
            | Code::PersonasShareAccount
            | Code::TokenStale
            | Code::TokenGroupsOverage
            | Code::ClockSkew
            | Code::DoorUnlisted
            | Code::SignInFailed
            | Code::RedirectUnregistered
            | Code::RedirectUnproven
            | Code::TokenRanOut
            | Code::Intercepted
            | Code::NoAnswer
            | Code::EffectUnread
            | Code::FixtureFailed
            | Code::DoorClosed
            | Code::NoControl
            | Code::Incomplete
            | Code::LeftBehind => None,
        }
    }

    /// The likely cause, one or two sentences.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::IssuerOrAudience => {
                "Every token is refused, so the token check itself does not accept this issuer or audience. Entra ID has two issuers (v1 sts.windows.net and v2 login.microsoftonline.com/…/v2.0), and a v2 token carries the bare application GUID as its audience, not api://…."
            }
            Self::BodyConsumed => {
                "The policy reads the JSON-RPC body with Body.As<JObject>() and without preserveContent: true, so that the backend receives an empty request and answers 400."
            }
            Self::McpNotInherited => {
                "The MCP server does not inherit the API-level policy: <base /> does not bring validate-jwt, and without one of its own the endpoint serves callers without a token."
            }
            Self::ToolNameUnread => {
                "All MCP calls are one POST to one operation, so per-operation policies never fire: the tool's name stands inside the JSON-RPC body, and nothing looks at it."
            }
            Self::ToolMissing => {
                "No persona's tools/list shows the tool, and all of it was read: the server has no such tool, or has it under another name."
            }
        }
    }

    /// The first thing to do, one or two sentences.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::IssuerOrAudience => {
                "List both issuers in validate-jwt, and both api://{app-id} and {app-id} as audiences; compare them with the token's iss and aud."
            }
            Self::BodyConsumed => {
                "Read it with context.Request.Body.As<JObject>(preserveContent: true)."
            }
            Self::McpNotInherited => {
                "Put validate-jwt into the MCP server's own inbound policy, followed by the check of tool and role."
            }
            Self::ToolNameUnread => {
                "In the MCP policy read params.name from the body (preserveContent: true), compare it with an allow-list of tools and their roles, and refuse with 403 what the list does not name."
            }
            Self::ToolMissing => {
                "Compare the operation's `mcp` with the names in tools/list, letter by letter; names are case-sensitive."
            }
        }
    }
}

/// All cells answered 401, and no allowed cell that was answered is missing among them.
fn every_token_refused(roll: &Roll<'_>, cells: &[usize]) -> bool {
    let allowed = roll
        .matrix
        .checks()
        .filter(|check| check.demand.expectation.allows());
    let mut answered = allowed
        .filter(|check| roll.sight(check.index).reading.is_some())
        .map(|check| check.index);
    cells
        .iter()
        .all(|cell| outcome(roll, *cell) == Some(Outcome::Unauthenticated))
        && answered.all(|index| cells.binary_search(&index).is_ok())
}

/// All cells are MCP calls answered 400, several of them.
fn body_gone(roll: &Roll<'_>, cells: &[usize]) -> bool {
    cells.len() > 1
        && cells
            .iter()
            .all(|cell| at_mcp(roll, *cell) && roll.sight(*cell).status == 400)
}

fn mcp_leak(roll: &Roll<'_>, cells: &[usize]) -> Option<Hint> {
    if !cells.iter().all(|cell| at_mcp(roll, *cell)) {
        return None;
    }
    let unsigned = |cell: &usize| !roll.matrix.personas[cell % roll.matrix.personas.len()].signs_in;
    if cells.iter().any(unsigned) {
        return Some(Hint::McpNotInherited);
    }
    roll.matrix
        .doors
        .contains(&Door::Rest)
        .then_some(Hint::ToolNameUnread)
}

fn at_mcp(roll: &Roll<'_>, cell: usize) -> bool {
    roll.matrix
        .check(cell)
        .is_some_and(|check| check.door.speaks_mcp())
}

fn outcome(roll: &Roll<'_>, cell: usize) -> Option<Outcome> {
    roll.sight(cell).reading.map(|reading| reading.outcome)
}
