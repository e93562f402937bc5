//! A user who has signed in on a page in, a ticket by which their next answer is known as theirs out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::reference::chance;

/// How long a user may think, in seconds.
const LIFETIME: i64 = 600;

/// All users who were asked something after they had signed in.
#[derive(Default)]
pub(crate) struct Sittings(Mutex<HashMap<String, Sitting>>);

struct Sitting {
    user: String,
    about: String,
    began_at: i64,
}

impl Sittings {
    /// Returns a ticket for a user, by object id, who is asked at `now` about what `about` names.
    pub(crate) fn begin(&self, user: &str, about: &str, now: i64) -> String {
        let ticket = chance::secret();
        let sitting = Sitting {
            user: user.to_owned(),
            about: about.to_owned(),
            began_at: now,
        };
        let mut sittings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sittings.retain(|_, sitting| now - sitting.began_at < LIFETIME);
        sittings.insert(ticket.clone(), sitting);
        ticket
    }

    /// Returns the user whose ticket this is, once, and only if they were asked about the same.
    pub(crate) fn end(&self, ticket: &str, about: &str, now: i64) -> Option<String> {
        let mut sittings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sitting = sittings.remove(ticket)?;
        (sitting.about == about && now - sitting.began_at < LIFETIME).then_some(sitting.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_for_what_was_asked_and_not_for_ever() {
        let sittings = Sittings::default();
        let begin = || sittings.begin("reader", "this", 0);
        let (first, elsewhere, late) = (begin(), begin(), begin());
        assert_eq!(sittings.end(&first, "this", 599).as_deref(), Some("reader"));
        assert_eq!(sittings.end(&first, "this", 599), None);
        assert_eq!(sittings.end(&elsewhere, "that", 1), None);
        assert_eq!(sittings.end(&elsewhere, "this", 1), None);
        assert_eq!(sittings.end(&late, "this", 600), None);
    }
}
