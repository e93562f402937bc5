//! What was compared and what it showed.

use super::Mismatch;

/// One thing that was compared, or could have been.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Comparison {
    /// What.
    pub subject: Subject,
    /// What the token says of it; why nothing was compared, where nothing was.
    pub found: String,
    /// How it ended.
    pub result: Compared,
}

/// How a comparison ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Compared {
    /// As declared, or as it must be.
    Same,
    /// Not so; each way in which it is not.
    Differs(Vec<Mismatch>),
    /// Nothing is declared, or the token does not say.
    Not,
}

/// What a token is compared on, in the order in which it is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// Whether it can be read at all.
    Form,
    /// Roles, exactly.
    Roles,
    /// `aud`.
    Audience,
    /// `iss`.
    Issuer,
    /// `tid`.
    Tenant,
    /// The client that asked for it.
    Client,
    /// The account that it is of.
    User,
    /// User's or application's.
    Fidelity,
    /// Scopes, word for word.
    Scopes,
    /// The provider's signature.
    Signature,
    /// `exp` and `nbf` against the clock.
    Validity,
    /// Roles in the directory itself.
    Directory,
    /// Whether groups were left out.
    Groups,
    /// When it was issued.
    Age,
    /// The provider's clock against this machine's.
    Clock,
    /// Whether another persona has the same account.
    Account,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 16] = [
        Self::Form,
        Self::Roles,
        Self::Audience,
        Self::Issuer,
        Self::Tenant,
        Self::Client,
        Self::User,
        Self::Fidelity,
        Self::Scopes,
        Self::Signature,
        Self::Validity,
        Self::Directory,
        Self::Groups,
        Self::Age,
        Self::Clock,
        Self::Account,
    ];

    /// The subject's one spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Roles => "roles",
            Self::Audience => "audience",
            Self::Issuer => "issuer",
            Self::Tenant => "tenant",
            Self::Client => "client",
            Self::User => "user",
            Self::Fidelity => "fidelity",
            Self::Scopes => "scopes",
            Self::Signature => "signature",
            Self::Validity => "validity",
            Self::Directory => "directory roles",
            Self::Groups => "groups",
            Self::Age => "age",
            Self::Clock => "clock",
            Self::Account => "account",
        }
    }
}

impl Comparison {
    /// A comparison that was made: no difference means the same.
    pub(super) fn made(
        subject: Subject,
        found: impl Into<String>,
        differences: impl IntoIterator<Item = Mismatch>,
    ) -> Self {
        let differences: Vec<Mismatch> = differences.into_iter().collect();
        Self {
            subject,
            found: found.into(),
            result: if differences.is_empty() {
                Compared::Same
            } else {
                Compared::Differs(differences)
            },
        }
    }

    /// A comparison that was not made; says why, or what the token says anyway.
    pub(super) fn not_made(subject: Subject, why: impl Into<String>) -> Self {
        Self {
            subject,
            found: why.into(),
            result: Compared::Not,
        }
    }

    /// The differences; empty when there is none.
    pub fn differences(&self) -> &[Mismatch] {
        match &self.result {
            Compared::Differs(differences) => differences,
            Compared::Same | Compared::Not => &[],
        }
    }
}
