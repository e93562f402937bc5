//! Every code that a finding can have: its class, its words, its likely cause and its fix.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::layer::Layer;
use crate::page::Page;

/// What a finding does to the run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Proven wrong: the gate closes.
    Fail,
    /// Could not be judged: never green.
    Unproven,
    /// Something of the run's own remains at the deployment.
    Residue,
    /// Worth knowing.
    Note,
}

impl Class {
    /// The class's one spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unproven => "unproven",
            Self::Residue => "residue",
            Self::Note => "note",
        }
    }
}

/// What a waiver names beside a finding's code, so that it covers no more than its owner has seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// The cells of the finding.
    Cells,
    /// The tools or redirects that the finding is about.
    Names,
}

/// A finding's code, the gravest first; the order carries meaning.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A call that must be refused got through.
    Leak,
    /// Calls got through without a token that no cell of the matrix makes.
    OpenWithoutToken,
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
    /// A MUST of the MCP authorization chapter is not kept.
    SpecMust,
    /// A tool that no operation names lets a persona through that may do nothing.
    DenyList,
    /// There are tools that no operation names.
    UndeclaredTool,
    /// There are routes that no operation is on.
    UndeclaredRoute,
    /// The owner waives what is not wrong any more.
    StaleWaiver,
    /// A waiver has run out.
    ExpiredWaiver,
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
    /// A token names another client than the one that signed in.
    TokenClient,
    /// A token is of another account than its persona declares.
    TokenWrongUser,
    /// A token is a user's where an application's is declared, or the reverse.
    TokenFidelity,
    /// A token lacks a scope that its persona declares.
    TokenScopes,
    /// No published key of its provider signed a token.
    TokenSignature,
    /// A token has expired, or is not valid yet.
    TokenExpired,
    /// A token is of an account with a role in the directory itself.
    TokenIsDirectoryAdmin,
    /// Two personas are the same account with the same rights.
    PersonasShareAccount,
    /// A provider does not know a client's redirect.
    RedirectUnregistered,
    /// A token cannot be read, so its roles cannot be compared.
    TokenOpaque,
    /// The provider's clock and this machine's differ.
    ClockSkew,
    /// A persona could not sign in.
    SignInFailed,
    /// Whether a provider knows a client's redirect could not be told.
    RedirectUnproven,
    /// A token ran out within the run, and no other took its place.
    TokenRanOut,
    /// Answered by something that is not authorization.
    Intercepted,
    /// No answer at all.
    NoAnswer,
    /// What a write did could not be read back.
    EffectUnread,
    /// An object that the run needs could not be made.
    FixtureFailed,
    /// A door that the scenario names does not answer.
    DoorClosed,
    /// What tools there are could not be read.
    ListUnread,
    /// What routes there are could not be read.
    CoverageUnread,
    /// A MUST of the MCP authorization chapter could not be judged.
    SpecUnproven,
    /// Refused, but so is everyone.
    NoControl,
    /// Refused, but nobody is allowed it, and nothing shows that it exists.
    NotShown,
    /// The run ended before its time.
    Incomplete,
    /// An object of the run could not be removed.
    LeftBehind,
    /// A token is older than a change of roles may be, or ends soon.
    TokenStale,
    /// A token leaves its account's groups out.
    TokenGroupsOverage,
    /// A SHOULD of the MCP authorization chapter is not kept.
    SpecShould,
    /// A waiver runs out soon.
    WaiverEnds,
    /// Before the run, the deployment did not answer as demanded yet.
    SettledLate,
    /// A door answers whose cells nobody tests.
    DoorUnlisted,
    /// A tool that an operation names is in nobody's list.
    DeclaredToolMissing,
    /// The document does not know the route of an operation.
    DeclaredRouteMissing,
    /// There are tools that no operation names, or may be, and the author has said so.
    UndeclaredToolNoted,
    /// There are routes that no operation is on, or may be, and the author has said so.
    UndeclaredRouteNoted,
    /// An operation is tested at one door, and stands at the other as well.
    DoorForgotten,
    /// A persona may call a tool that it is not shown.
    HiddenButCallable,
    /// A persona is shown tools that it may not call.
    ListedButRefused,
}

/// The one place that words findings: a `##` heading a code, then its headline and labelled paragraphs.
const PAGE: Page = Page(include_str!("../docs/findings.md"));

impl Code {
    /// Every code, the gravest first.
    pub const ALL: [Self; 60] = [
        Self::Leak,
        Self::OpenWithoutToken,
        Self::EffectDespiteRefusal,
        Self::CrashedNotRefused,
        Self::Lockout,
        Self::Broken,
        Self::NoEffect,
        Self::DoorsDisagree,
        Self::Flips,
        Self::WrongRefusal,
        Self::SpecMust,
        Self::DenyList,
        Self::UndeclaredTool,
        Self::UndeclaredRoute,
        Self::StaleWaiver,
        Self::ExpiredWaiver,
        Self::TokenRolesMissing,
        Self::TokenRolesExtra,
        Self::TokenAudience,
        Self::TokenIssuer,
        Self::TokenTenant,
        Self::TokenClient,
        Self::TokenWrongUser,
        Self::TokenFidelity,
        Self::TokenScopes,
        Self::TokenSignature,
        Self::TokenExpired,
        Self::TokenIsDirectoryAdmin,
        Self::PersonasShareAccount,
        Self::RedirectUnregistered,
        Self::TokenOpaque,
        Self::ClockSkew,
        Self::SignInFailed,
        Self::RedirectUnproven,
        Self::TokenRanOut,
        Self::Intercepted,
        Self::NoAnswer,
        Self::EffectUnread,
        Self::FixtureFailed,
        Self::DoorClosed,
        Self::ListUnread,
        Self::CoverageUnread,
        Self::SpecUnproven,
        Self::NoControl,
        Self::NotShown,
        Self::Incomplete,
        Self::LeftBehind,
        Self::TokenStale,
        Self::TokenGroupsOverage,
        Self::SpecShould,
        Self::WaiverEnds,
        Self::SettledLate,
        Self::DoorUnlisted,
        Self::DeclaredToolMissing,
        Self::DeclaredRouteMissing,
        Self::UndeclaredToolNoted,
        Self::UndeclaredRouteNoted,
        Self::DoorForgotten,
        Self::HiddenButCallable,
        Self::ListedButRefused,
    ];

    /// The code's one spelling, as in records, reports and `rolecall explain`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::EffectDespiteRefusal => "effect-despite-refusal",
            Self::CrashedNotRefused => "crashed-not-refused",
            Self::Lockout => "lockout",
            Self::Broken => "broken",
            Self::NoEffect => "no-effect",
            Self::DoorsDisagree => "doors-disagree",
            Self::Flips => "flips",
            Self::WrongRefusal => "wrong-refusal",
            Self::TokenRolesMissing => "token-roles-missing",
            Self::TokenRolesExtra => "token-roles-extra",
            Self::TokenAudience => "token-audience",
            Self::TokenIssuer => "token-issuer",
            Self::TokenTenant => "token-tenant",
            Self::TokenClient => "token-client",
            Self::TokenWrongUser => "token-wrong-user",
            Self::TokenFidelity => "token-fidelity",
            Self::TokenScopes => "token-scopes",
            Self::TokenSignature => "token-signature",
            Self::TokenExpired => "token-expired",
            Self::TokenIsDirectoryAdmin => "token-is-directory-admin",
            Self::PersonasShareAccount => "personas-share-account",
            Self::RedirectUnregistered => "redirect-unregistered",
            Self::TokenOpaque => "token-opaque",
            Self::ClockSkew => "clock-skew",
            Self::SignInFailed => "sign-in-failed",
            Self::RedirectUnproven => "redirect-unproven",
            Self::TokenRanOut => "token-ran-out",
            Self::Intercepted => "intercepted",
            Self::NoAnswer => "no-answer",
            Self::EffectUnread => "effect-unread",
            Self::FixtureFailed => "fixture-failed",
            Self::DoorClosed => "door-closed",
            Self::NoControl => "no-control",
            Self::NotShown => "not-shown",
            Self::Incomplete => "incomplete",
            Self::LeftBehind => "left-behind",
            Self::TokenStale => "token-stale",
            Self::TokenGroupsOverage => "token-groups-overage",
            Self::DenyList => "deny-list",
            Self::UndeclaredTool => "undeclared-tool",
            Self::UndeclaredRoute => "undeclared-route",
            Self::ListUnread => "list-unread",
            Self::CoverageUnread => "coverage-unread",
            Self::DeclaredToolMissing => "declared-tool-missing",
            Self::DeclaredRouteMissing => "declared-route-missing",
            Self::UndeclaredToolNoted => "undeclared-tool-noted",
            Self::UndeclaredRouteNoted => "undeclared-route-noted",
            Self::DoorForgotten => "door-forgotten",
            Self::HiddenButCallable => "hidden-but-callable",
            Self::ListedButRefused => "listed-but-refused",
            Self::SpecShould => "spec-should",
            Self::SettledLate => "settled-late",
            Self::SpecUnproven => "spec-unproven",
            Self::StaleWaiver => "stale-waiver",
            Self::ExpiredWaiver => "expired-waiver",
            Self::WaiverEnds => "waiver-ends",
            Self::SpecMust => "spec-must",
            Self::DoorUnlisted => "door-unlisted",
            Self::OpenWithoutToken => "open-without-token",
        }
    }

    /// What a finding with this code does to the run.
    pub const fn class(self) -> Class {
        match self {
            Self::Leak
            | Self::OpenWithoutToken
            | Self::SpecMust
            | Self::DenyList
            | Self::UndeclaredRoute
            | Self::UndeclaredTool
            | Self::StaleWaiver
            | Self::ExpiredWaiver
            | Self::EffectDespiteRefusal
            | Self::CrashedNotRefused
            | Self::Lockout
            | Self::Broken
            | Self::NoEffect
            | Self::DoorsDisagree
            | Self::Flips
            | Self::WrongRefusal
            | Self::TokenRolesMissing
            | Self::TokenRolesExtra
            | Self::TokenAudience
            | Self::TokenIssuer
            | Self::TokenTenant
            | Self::TokenClient
            | Self::TokenWrongUser
            | Self::TokenFidelity
            | Self::TokenScopes
            | Self::TokenSignature
            | Self::TokenExpired
            | Self::TokenIsDirectoryAdmin
            | Self::PersonasShareAccount
            | Self::RedirectUnregistered => Class::Fail,
            Self::TokenOpaque
            | Self::ClockSkew
            | Self::SignInFailed
            | Self::RedirectUnproven
            | Self::TokenRanOut
            | Self::Intercepted
            | Self::NoAnswer
            | Self::EffectUnread
            | Self::FixtureFailed
            | Self::DoorClosed
            | Self::CoverageUnread
            | Self::ListUnread
            | Self::SpecUnproven
            | Self::NotShown
            | Self::NoControl
            | Self::Incomplete => Class::Unproven,
            Self::LeftBehind => Class::Residue,
            Self::TokenStale
            | Self::TokenGroupsOverage
            | Self::SpecShould
            | Self::WaiverEnds
            | Self::SettledLate
            | Self::DoorUnlisted
            | Self::DeclaredRouteMissing
            | Self::DeclaredToolMissing
            | Self::DoorForgotten
            | Self::UndeclaredRouteNoted
            | Self::UndeclaredToolNoted
            | Self::HiddenButCallable
            | Self::ListedButRefused => Class::Note,
        }
    }

    /// Where to look first, as far as the code alone tells; a finding's own layer goes before it.
    pub const fn layer(self) -> Layer {
        match self {
            Self::UndeclaredTool
            | Self::UndeclaredRoute
            | Self::CoverageUnread
            | Self::NotShown
            | Self::UndeclaredRouteNoted
            | Self::DoorForgotten
            | Self::StaleWaiver
            | Self::ExpiredWaiver
            | Self::WaiverEnds
            | Self::TokenAudience
            | Self::TokenWrongUser
            | Self::TokenFidelity
            | Self::TokenScopes
            | Self::PersonasShareAccount
            | Self::ClockSkew
            | Self::TokenRanOut
            | Self::EffectUnread
            | Self::FixtureFailed
            | Self::DoorClosed
            | Self::NoControl
            | Self::Incomplete
            | Self::UndeclaredToolNoted => Layer::Client,
            Self::TokenRolesMissing
            | Self::TokenRolesExtra
            | Self::TokenIssuer
            | Self::TokenTenant
            | Self::TokenClient
            | Self::TokenSignature
            | Self::TokenExpired
            | Self::TokenIsDirectoryAdmin
            | Self::RedirectUnregistered
            | Self::TokenOpaque
            | Self::SignInFailed
            | Self::RedirectUnproven
            | Self::TokenStale
            | Self::TokenGroupsOverage => Layer::IdentityProvider,
            Self::Intercepted => Layer::Edge,
            Self::NoAnswer | Self::DeclaredToolMissing | Self::DeclaredRouteMissing => {
                Layer::Backend
            }
            Self::Leak
            | Self::OpenWithoutToken
            | Self::EffectDespiteRefusal
            | Self::CrashedNotRefused
            | Self::Lockout
            | Self::Broken
            | Self::NoEffect
            | Self::DoorsDisagree
            | Self::Flips
            | Self::WrongRefusal
            | Self::SpecMust
            | Self::DenyList
            | Self::ListUnread
            | Self::SpecUnproven
            | Self::LeftBehind
            | Self::SpecShould
            | Self::DoorUnlisted
            | Self::HiddenButCallable
            | Self::SettledLate
            | Self::ListedButRefused => Layer::Unknown,
        }
    }

    /// What a waiver of it names; `None` where no waiver can accept it: what is unproven is never green, a token that is
    /// not the declared one leaves everything unproven, and a note closes no gate.
    pub const fn reach(self) -> Option<Reach> {
        match self {
            Self::Leak
            | Self::EffectDespiteRefusal
            | Self::CrashedNotRefused
            | Self::Lockout
            | Self::Broken
            | Self::NoEffect
            | Self::Flips
            | Self::WrongRefusal => Some(Reach::Cells),
            Self::DenyList | Self::UndeclaredTool | Self::RedirectUnregistered => {
                Some(Reach::Names)
            }
            _ => None,
        }
    }

    /// One sentence: what a finding with this code says.
    pub fn headline(self) -> &'static str {
        PAGE.headline(self.name())
    }

    /// The likely cause, one or two sentences.
    pub fn cause(self) -> &'static str {
        self.paragraph("Likely cause")
    }

    /// The first thing to do about it, one or two sentences.
    pub fn remedy(self) -> &'static str {
        self.paragraph("First step")
    }

    /// The full text, Markdown: what was seen, why it matters, likely causes, how to fix it. It is the code's section of `docs/findings.md`.
    pub fn explain(self) -> &'static str {
        PAGE.section(self.name())
    }

    fn paragraph(self, label: &str) -> &'static str {
        PAGE.paragraph(self.name(), label)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .into_iter()
            .find(|code| code.name() == text)
            .ok_or_else(|| UnknownCode::new(text))
    }
}

/// A word that names no code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownCode {
    /// The word.
    pub word: String,
    /// The code whose name is most like it, when one is like it at all.
    pub nearest: Option<Code>,
}

impl UnknownCode {
    fn new(word: &str) -> Self {
        let likeness = |code: Code| strsim::jaro_winkler(&word.to_lowercase(), code.name());
        let best = Code::ALL
            .into_iter()
            .max_by(|left, right| likeness(*left).total_cmp(&likeness(*right)));
        Self {
            word: word.to_owned(),
            nearest: best.filter(|code| likeness(*code) > 0.75),
        }
    }
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no finding code", self.word)?;
        if let Some(code) = self.nearest {
            return write!(f, "; did you mean `{code}`?");
        }
        let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        write!(f, "; the codes are {}", names.join(", "))
    }
}

impl std::error::Error for UnknownCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_section_and_every_section_a_code() {
        let headings: Vec<&str> = PAGE.headings().collect();
        let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(headings, names);
    }

    #[test]
    fn every_section_has_all_its_parts() {
        for code in Code::ALL {
            let text = code.explain();
            assert!(
                code.headline().ends_with('.') && !code.headline().starts_with('*'),
                "{code}"
            );
            assert!(code.cause().ends_with('.'), "{code}: cause");
            assert!(code.remedy().ends_with('.'), "{code}: first step");
            for part in ["**Seen.** ", "**Why it matters.** ", "**How to fix it.**"] {
                assert_eq!(text.matches(part).count(), 1, "{code}: {part}");
            }
            assert_eq!(code.paragraph("Class"), code.class().name(), "{code}");
            assert_eq!(code.paragraph("Layer"), code.layer().name(), "{code}");
        }
    }

    #[test]
    fn names_are_those_of_the_record_and_read_back() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{code}\""));
            assert_eq!(code.name().parse(), Ok(code));
        }
        assert!(Code::ALL.is_sorted());
    }

    #[test]
    fn a_misspelt_code_is_answered_with_the_nearest() {
        assert_eq!(
            "lekage".parse::<Code>().unwrap_err().nearest,
            Some(Code::Leak)
        );
        assert_eq!(
            "wrong_refusal".parse::<Code>().unwrap_err().nearest,
            Some(Code::WrongRefusal)
        );
        let error = "zzz".parse::<Code>().unwrap_err();
        assert_eq!(error.nearest, None);
        assert!(
            error
                .to_string()
                .starts_with("`zzz` is no finding code; the codes are leak, ")
        );
    }
}
