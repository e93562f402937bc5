//! Every code that a finding can have: its class, its words, its likely cause and its fix.

use serde::{Deserialize, Serialize};

/// What a finding does to the run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Proven wrong: the gate closes.
    Fail,
    /// Could not be judged: never green.
    Unproven,
    /// Worth knowing.
    Note,
}

/// A finding's code, the gravest first; the order carries meaning.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A call that must be refused got through.
    Leak,
    /// A write was refused, and happened all the same.
    EffectDespiteRefusal,
    /// A refusal by crashing.
    CrashedNotRefused,
    /// A call that must get through was refused.
    Lockout,
    /// A call that must get through failed for another reason.
    Broken,
    /// A write was accepted, and did not happen.
    NoEffect,
    /// The same persona and operation got through one door and was refused at another.
    DoorsDisagree,
    /// The same call gave two different answers.
    Flips,
    /// Refused, but not as demanded.
    WrongRefusal,
    /// A token lacks a role that its persona declares.
    TokenRolesMissing,
    /// A token carries a role that its persona does not declare.
    TokenRolesExtra,
    /// A token is meant for another audience.
    TokenAudience,
    /// A token comes from another issuer.
    TokenIssuer,
    /// A token comes from another tenant.
    TokenTenant,
    /// A token has expired, or is not valid yet.
    TokenExpired,
    /// A token cannot be read, so its roles cannot be compared.
    TokenOpaque,
    /// A persona could not sign in.
    SignInFailed,
    /// Answered by something that is not authorization.
    Intercepted,
    /// No answer at all.
    NoAnswer,
    /// An object that the run needs could not be made.
    FixtureFailed,
    /// A door that the scenario names does not answer.
    DoorClosed,
    /// Refused, but so is everyone.
    NoControl,
    /// The run ended before its time.
    Incomplete,
    /// An object of the run could not be removed.
    LeftBehind,
}
