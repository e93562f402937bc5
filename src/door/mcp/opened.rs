//! Sessions as they are opened in, those that nobody has ended yet out.

use std::sync::{Mutex, PoisonError};

use super::legacy::Session;

/// Sessions that one persona opened and that the server still keeps, as far as anyone knows. One without an id is kept by
/// nobody and needs no end.
#[derive(Debug, Default)]
pub(in crate::door) struct Opened(Mutex<Vec<Session>>);

impl Opened {
    /// Remembers a session that a handshake opened.
    pub(in crate::door) fn note(&self, session: &Session) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if session.id.is_some() && !opened.contains(session) {
            opened.push(session.clone());
        }
    }

    /// Forgets a session that the server has forgotten, or that was ended.
    pub(in crate::door) fn forget(&self, session: &Session) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|known| known != session);
    }

    /// Hands out every session that is left; each one once.
    pub(in crate::door) fn take(&self) -> Vec<Session> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    fn session(id: Option<&'static str>) -> Session {
        Session {
            version: HeaderValue::from_static("2025-06-18"),
            id: id.map(HeaderValue::from_static),
        }
    }

    #[test]
    fn what_is_kept_by_a_server_is_handed_out_once() {
        let opened = Opened::default();
        for id in [Some("a"), None, Some("b"), Some("a"), Some("c")] {
            opened.note(&session(id));
        }
        opened.forget(&session(Some("b")));
        assert_eq!(opened.take(), [session(Some("a")), session(Some("c"))]);
        assert_eq!(opened.take(), []);
    }
}
