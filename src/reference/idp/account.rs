//! A name and a password in, the user who signed in out, or what stands in the way.

use super::aadsts::Refusal;
use super::ask::Ask;
use super::directory::Directory;
use super::form::Form;
use super::user::{Standing, User};

/// How much a way of signing in can ask of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A name and a password, and nobody to ask for more.
    Password,
    /// A page, which can ask for a second factor.
    Page,
}

/// Reads the credentials of `way` from the form and checks them at `now`, then everything that stands between the
/// user and the API.
pub(crate) fn sign_in<'a>(
    directory: &'a Directory,
    form: &Form,
    ask: &Ask<'_>,
    way: Way,
    now: i64,
) -> Result<&'a User, Refusal> {
    let (name, password) = match way {
        Way::Password => ("username", "password"),
        Way::Page => ("loginfmt", "passwd"),
    };
    let (upn, given) = (form.get(name)?, form.get(password)?);
    let user = directory.user(upn).ok_or_else(|| Refusal::user(upn))?;
    first_factor(user, given)?;
    if !has_second_factor(user, form, way, now) {
        return Err(Refusal::factor(ask.resource.id));
    }
    still_welcome(user)?;
    admitted(directory, user, ask)?;
    Ok(user)
}

/// What is looked at again whenever a user's token is renewed.
pub(crate) fn still_welcome(user: &User) -> Result<(), Refusal> {
    match user.standing {
        Standing::Disabled => Err(Refusal::user_disabled()),
        Standing::Blocked => Err(Refusal::conditional_access()),
        _ => Ok(()),
    }
}

/// An API that demands assignment admits only users who have a role on it.
pub(crate) fn admitted(directory: &Directory, user: &User, ask: &Ask<'_>) -> Result<(), Refusal> {
    if directory.admits(&user.id, ask.resource) {
        Ok(())
    } else {
        Err(Refusal::unassigned(ask.resource.id))
    }
}

/// A locked account does not tell whether the password is right.
fn first_factor(user: &User, given: &str) -> Result<(), Refusal> {
    match user.standing {
        Standing::Locked => return Err(Refusal::locked()),
        Standing::Passwordless => return Err(Refusal::no_password()),
        _ if user.password != given => return Err(Refusal::password()),
        Standing::PasswordExpired => return Err(Refusal::password_expired()),
        Standing::FactorUnregistered => return Err(Refusal::factor_unregistered(user.upn)),
        Standing::Good | Standing::Factor | Standing::Disabled | Standing::Blocked => {}
    }
    Ok(())
}

fn has_second_factor(user: &User, form: &Form, way: Way, now: i64) -> bool {
    user.standing != Standing::Factor
        || (way == Way::Page
            && form
                .find("totp")
                .is_some_and(|given| user.seed.shows(given, now)))
}
