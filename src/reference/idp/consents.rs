//! What users let clients do in, whether a client may do what it asks, or what is still to be asked of the user, out.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::aadsts::Refusal;
use super::ask::Ask;
use super::client::Client;
use super::user::User;

/// All that users agreed to; what an administrator agreed to stands in the registrations.
#[derive(Default)]
pub(crate) struct Consents(Mutex<HashSet<Consent>>);

/// One user's word that one client may use one scope.
#[derive(PartialEq, Eq, Hash)]
struct Consent {
    client: &'static str,
    user: String,
    resource: &'static str,
    scope: String,
}

impl Consents {
    /// Returns the scopes of a user's token, separated by spaces, or AADSTS65001: nobody can be asked now.
    pub(crate) fn granted(
        &self,
        client: &Client,
        user: &User,
        ask: &Ask<'_>,
    ) -> Result<String, Refusal> {
        if self.missing(client, user, ask)?.is_empty() {
            Ok(ask.wanted(client)?.join(" "))
        } else {
            Err(Refusal::consent(client.id, &ask.asked_for))
        }
    }

    /// Returns the scopes that the user has still to agree to, or AADSTS90094 where only an administrator can.
    pub(crate) fn question(
        &self,
        client: &Client,
        user: &User,
        ask: &Ask<'_>,
    ) -> Result<Vec<String>, Refusal> {
        let missing = self.missing(client, user, ask)?;
        let reserved = |scope: &String| ask.resource.reserved.contains(&scope.as_str());
        if missing.iter().any(reserved) {
            return Err(Refusal::administrator(client.id));
        }
        Ok(missing)
    }

    /// Writes down that the user agreed to all that is asked.
    pub(crate) fn agree(&self, client: &Client, user: &User, ask: &Ask<'_>) -> Result<(), Refusal> {
        let missing = self.question(client, user, ask)?;
        let mut consents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        consents.extend(missing.into_iter().map(|scope| Consent {
            client: client.id,
            user: user.id.clone(),
            resource: ask.resource.id,
            scope,
        }));
        Ok(())
    }

    fn missing(&self, client: &Client, user: &User, ask: &Ask<'_>) -> Result<Vec<String>, Refusal> {
        let consents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let agreed = |scope: &str| {
            consents.contains(&Consent {
                client: client.id,
                user: user.id.clone(),
                resource: ask.resource.id,
                scope: scope.to_owned(),
            })
        };
        let wanted = ask.wanted(client)?.into_iter();
        let missing = wanted.filter(|scope| !ask.is_administered(client, scope) && !agreed(scope));
        Ok(missing.map(str::to_owned).collect())
    }
}
