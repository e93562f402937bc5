//! A persona's way in, its one handshake and the calls in its session out.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::legacy::{self, Session};
use super::{Inquiry, Spoken, Way};
use crate::scenario::McpMethod;

/// Handshakes that pass away (silence, 429, 502–504) are tried anew by later calls, this often in all.
const ATTEMPTS: u32 = 3;

/// How `initialize` ended.
#[derive(Debug)]
pub(in crate::door) enum Handshake {
    /// With a session.
    Open(Session),
    /// Without one; what came back.
    Refused(Box<Spoken>),
}

/// A persona's session: opened once, shared by all calls that wait for it, replaced when it expires.
#[derive(Debug, Default)]
pub(in crate::door) struct Sessions {
    current: Mutex<Arc<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    handshake: OnceCell<Arc<Handshake>>,
    attempts: AtomicU32,
}

impl Sessions {
    /// The persona's handshake; the first to ask makes it.
    pub(in crate::door) async fn handshake(&self, way: &Way<'_>) -> Arc<Handshake> {
        self.slot().handshake(way).await
    }

    /// Makes the call in the session. A session that has expired is opened anew, once, and the call is made once more,
    /// also one that changes something: whoever does not know the session has executed nothing in it.
    pub(in crate::door) async fn call(&self, way: &Way<'_>, inquiry: &Inquiry<'_>) -> Spoken {
        if inquiry.method == McpMethod::Initialize {
            return way.open(legacy::inquiry(None, inquiry)).await;
        }
        let slot = self.slot();
        let handshake = slot.handshake(way).await;
        let spoken = handshake.call(way, inquiry).await;
        match &*handshake {
            Handshake::Open(session) if legacy::has_expired(session, inquiry.name, &spoken) => {
                way.opened.forget(session);
                self.replace(&slot);
                self.handshake(way).await.call(way, inquiry).await
            }
            Handshake::Open(_) | Handshake::Refused(_) => spoken,
        }
    }

    /// The session that a handshake has opened; `None` where none has, or it was refused.
    pub(in crate::door) fn agreed(&self) -> Option<Session> {
        let slot = self.slot();
        match slot.handshake.get().map(Arc::as_ref) {
            Some(Handshake::Open(session)) => Some(session.clone()),
            Some(Handshake::Refused(_)) | None => None,
        }
    }

    fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Of all calls that find the same session expired, the first replaces it.
    fn replace(&self, expired: &Arc<Slot>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, expired) {
            *current = Arc::default();
        }
    }
}

impl Slot {
    async fn handshake(&self, way: &Way<'_>) -> Arc<Handshake> {
        let made = self.handshake.get_or_try_init(|| async {
            let handshake = Arc::new(Handshake::make(way).await);
            let last = self.attempts.fetch_add(1, Ordering::Relaxed) + 1 >= ATTEMPTS;
            if handshake.passes_away() && !last {
                Err(handshake)
            } else {
                Ok(handshake)
            }
        });
        match made.await {
            Ok(handshake) => Arc::clone(handshake),
            Err(handshake) => handshake,
        }
    }
}

impl Handshake {
    /// Opens a session. A persona that signs in and is refused asks once more on a fresh connection: its whole column
    /// hangs on this answer, and one intermittent 401 must not colour it.
    async fn make(way: &Way<'_>) -> Self {
        let first = Self::attempt(way).await;
        let Self::Refused(refusal) = first else {
            return first;
        };
        if !way.signed_in() {
            return Self::Refused(refusal);
        }
        let line = way.wire.line();
        match Self::attempt(&Way {
            line: &line,
            ..way.clone()
        })
        .await
        {
            Self::Refused(second) if second.status().is_none() => Self::Refused(refusal),
            second => second,
        }
    }

    async fn attempt(way: &Way<'_>) -> Self {
        let spoken = way.open(legacy::initialize()).await;
        let Some(session) = Session::of(&spoken) else {
            return Self::Refused(Box::new(spoken));
        };
        way.notify(legacy::initialized(Some(&session))).await;
        Self::Open(session)
    }

    /// Makes the call. Without a session the call is made all the same, because the door's answer to the call is what is
    /// asked; where that is only about the missing session, the refusal of the handshake is the door's answer.
    async fn call(&self, way: &Way<'_>, inquiry: &Inquiry<'_>) -> Spoken {
        match self {
            Self::Open(session) => way.ask(legacy::inquiry(Some(session), inquiry)).await,
            Self::Refused(refusal) => {
                let spoken = way.ask(legacy::inquiry(None, inquiry)).await;
                if legacy::is_about_the_session(inquiry.name, &spoken) {
                    (**refusal).clone()
                } else {
                    spoken
                }
            }
        }
    }

    fn passes_away(&self) -> bool {
        match self {
            Self::Open(_) => false,
            Self::Refused(refusal) => matches!(refusal.status(), None | Some(429 | 502..=504)),
        }
    }
}
