//! Nothing in, the tenant's members out, each with what stands in the way of its sign-in.

use super::totp::Seed;
use crate::reference::chance;

/// A member of the tenant.
pub(crate) struct User {
    /// The persona's word in variable names.
    pub(crate) label: &'static str,
    /// The names of the variables for the principal name and the password.
    pub(crate) variables: [&'static str; 2],
    /// The object id.
    pub(crate) id: String,
    /// The user principal name.
    pub(crate) upn: &'static str,
    /// The password.
    pub(crate) password: String,
    /// What stands in the way.
    pub(crate) standing: Standing,
    /// The secret of the authenticator that gives a second factor.
    pub(crate) seed: Seed,
}

/// What stands in the way of a user's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Good,
    /// A second factor is asked for, and registered.
    Factor,
    /// A second factor is asked for, and none is registered.
    FactorUnregistered,
    /// Too many wrong passwords were tried.
    Locked,
    /// The password ran out.
    PasswordExpired,
    /// There is no password: the user signs in elsewhere or without one.
    Passwordless,
    /// The account is disabled.
    Disabled,
    /// A Conditional Access policy blocks the user.
    Blocked,
}

/// A user whose variables are named after its label.
macro_rules! user {
    ($label:literal, $upn:literal, $standing:ident) => {
        User {
            label: $label,
            variables: [concat!($label, "_USER"), concat!($label, "_PASSWORD")],
            id: chance::guid(),
            upn: $upn,
            password: chance::secret(),
            standing: Standing::$standing,
            seed: Seed::new(),
        }
    };
}

/// Returns the article's three users, then one without a role, then one for each thing that can stand in the way.
pub(crate) fn users() -> Vec<User> {
    vec![
        user!("READER", "reader@catalog.example", Good),
        user!("WRITER", "writer@catalog.example", Good),
        user!("ADMIN", "admin@catalog.example", Good),
        user!("STRANGER", "stranger@catalog.example", Good),
        user!("MFA", "mfa@catalog.example", Factor),
        user!(
            "UNENROLLED",
            "unenrolled@catalog.example",
            FactorUnregistered
        ),
        user!("LOCKED", "locked@catalog.example", Locked),
        user!("EXPIRED", "expired@catalog.example", PasswordExpired),
        user!("PASSWORDLESS", "passwordless@catalog.example", Passwordless),
        user!("DISABLED", "disabled@catalog.example", Disabled),
        user!("BLOCKED", "blocked@catalog.example", Blocked),
    ]
}
