//! A scenario's headers and a call's own in, and then whoever makes it; the headers that the call carries out.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

/// What rolecall calls itself in `user-agent`.
pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("rolecall/", env!("CARGO_PKG_VERSION")));

/// Headers that every call has besides: `user-agent`, `authorization`, `host` and `content-length`.
const OTHERS: usize = 4;

/// Headers, each as often as it is sent.
pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

/// The headers with their names read. Names that are no header names are left out; the scenario room has refused them before.
pub(super) fn named(headers: Vec<(String, HeaderValue)>) -> Headers {
    let named = |(name, value): (String, HeaderValue)| Some((name.parse().ok()?, value));
    headers.into_iter().filter_map(named).collect()
}

/// Who makes a call, as its headers say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender<'e> {
    /// Headers of the client.
    pub(super) carried: &'e [(HeaderName, HeaderValue)],
    /// The credential.
    pub(super) authorization: Option<&'e HeaderValue>,
}

/// The headers of a call but for what its sender adds: the same for whoever makes it, and copied faster than made anew.
#[derive(Clone, Debug)]
pub(super) struct Heading {
    /// With a place for the credential.
    common: HeaderMap,
    /// Those that no client may change.
    fixed: Headers,
}

impl Heading {
    /// The scenario's headers, what is sent where it states nothing else, and what is sent in any case. A name that the
    /// scenario states twice is sent twice.
    pub(super) fn new(
        stated: &[(HeaderName, HeaderValue)],
        usual: &[(HeaderName, HeaderValue)],
        fixed: Headers,
    ) -> Self {
        let room = stated.len() + usual.len() + fixed.len() + OTHERS;
        let mut common = HeaderMap::with_capacity(room);
        for (name, value) in stated {
            common.append(name, value.clone());
        }
        for (name, value) in usual.iter().chain([&(USER_AGENT, AGENT)]) {
            common.entry(name).or_insert_with(|| value.clone());
        }
        for (name, value) in &fixed {
            common.insert(name, value.clone());
        }
        common.insert(AUTHORIZATION, HeaderValue::from_static(""));
        Self { common, fixed }
    }

    /// The headers of the call as somebody makes it. A header of the sender's client takes the place of the scenario's and of
    /// what is usual. `authorization` is the credential's alone: a persona that does not sign in must not be signed in by a
    /// header.
    pub(super) fn of(&self, sender: Sender<'_>) -> HeaderMap {
        let mut headers = self.common.clone();
        for (name, value) in sender.carried {
            if self.fixed.iter().all(|(fixed, _)| fixed != name) {
                headers.insert(name, value.clone());
            }
        }
        match sender.authorization {
            Some(value) => headers.insert(AUTHORIZATION, value.clone()),
            None => headers.remove(AUTHORIZATION),
        };
        headers
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::door) const NOBODY: Sender<'_> = Sender {
        carried: &[],
        authorization: None,
    };

    pub(in crate::door) fn pairs(headers: &[(&str, &'static str)]) -> Headers {
        let pair = |(name, value): &(&str, &'static str)| {
            ((*name).to_owned(), HeaderValue::from_static(value))
        };
        named(headers.iter().map(pair).collect())
    }

    fn plain(stated: &[(HeaderName, HeaderValue)]) -> Heading {
        Heading::new(stated, &[], Vec::new())
    }

    #[test]
    fn the_credential_alone_signs_in() {
        let stated = pairs(&[
            ("Authorization", "Basic x"),
            ("X-Env", "a"),
            ("x-env", "b"),
            ("no name", "c"),
        ]);
        let anonymous = plain(&stated).of(NOBODY);
        assert!(!anonymous.contains_key("authorization"));
        assert_eq!(
            anonymous.get_all("x-env").iter().collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(anonymous.len(), 3);
        let bearer = HeaderValue::from_static("Bearer t");
        let signed_in = plain(&stated).of(Sender {
            authorization: Some(&bearer),
            ..NOBODY
        });
        assert_eq!(
            signed_in
                .get_all("authorization")
                .iter()
                .collect::<Vec<_>>(),
            ["Bearer t"]
        );
    }

    #[test]
    fn a_clients_header_takes_the_place_of_others_and_never_signs_in() {
        let stated = pairs(&[("X-Env", "a"), ("x-env", "b"), ("User-Agent", "door")]);
        let carried = pairs(&[
            ("X-ENV", "c"),
            ("user-agent", "inspector"),
            ("authorization", "Basic x"),
        ]);
        let sender = Sender {
            carried: &carried,
            ..NOBODY
        };
        let heading = plain(&stated).of(sender);
        assert_eq!(heading.get_all("x-env").iter().collect::<Vec<_>>(), ["c"]);
        assert_eq!(heading["user-agent"], "inspector");
        assert_eq!(heading.len(), 2);
    }

    #[test]
    fn a_client_changes_what_is_usual_and_nothing_that_is_fixed() {
        let all = pairs(&[("accept", "text/csv"), ("x-era", "mine")]);
        let usual = pairs(&[("Accept", "application/json")]);
        let fixed = pairs(&[("X-Era", "new")]);
        let heading = Heading::new(&[], &usual, fixed.clone());
        let sender = Sender {
            carried: &all,
            ..NOBODY
        };
        for (heading, accept) in [
            (heading.of(NOBODY), "application/json"),
            (heading.of(sender), "text/csv"),
            (Heading::new(&all, &usual, fixed).of(NOBODY), "text/csv"),
        ] {
            assert_eq!(heading["accept"], accept);
            assert_eq!(heading.get_all("x-era").iter().collect::<Vec<_>>(), ["new"]);
        }
    }

    #[test]
    fn what_the_wire_adds_is_left_to_it_unless_somebody_states_it() {
        let mine = pairs(&[("host", "mine"), ("content-length", "7")]);
        for (stated, carried) in [(&mine[..], &[][..]), (&[], &mine)] {
            let heading = plain(stated).of(Sender { carried, ..NOBODY });
            assert_eq!(heading["host"], "mine");
            assert_eq!(heading["content-length"], "7");
        }
        let heading = plain(&[]).of(NOBODY);
        assert_eq!(heading.keys().collect::<Vec<_>>(), [USER_AGENT]);
    }

    #[test]
    fn a_scenario_may_state_another_user_agent() {
        let stated = pairs(&[("user-agent", "mine")]);
        assert_eq!(plain(&stated).of(NOBODY)["user-agent"], "mine");
        assert_eq!(plain(&[]).of(NOBODY)["user-agent"], AGENT);
    }
}
