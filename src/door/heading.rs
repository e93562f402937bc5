//! A credential, a client's and a scenario's headers in, the headers that a call carries out.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

/// What rolecall calls itself in `user-agent`.
pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("rolecall/", env!("CARGO_PKG_VERSION")));

/// Headers that every call has: `user-agent` and `authorization`.
const OWN: usize = 2;

/// The headers of a call before its door adds its own: `user-agent`, the scenario's, the client's, `authorization`.
///
/// A header of the persona's client takes the place of the door's and the call's. A scenario's header takes the place of a default; a name that it states twice is sent twice. `authorization` is the
/// credential's alone: a persona that does not sign in must not be signed in by a header. Names that are no header
/// names are left out; the scenario room has refused them before. There is room for so many `others`: a map that grows is
/// laid anew.
pub(super) fn heading(
    headers: &[(String, HeaderValue)],
    carried: &[(String, HeaderValue)],
    authorization: Option<&HeaderValue>,
    others: usize,
) -> HeaderMap {
    let mut heading = HeaderMap::with_capacity(headers.len() + carried.len() + OWN + others);
    for (name, value) in headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            heading.append(name, value.clone());
        }
    }
    for (name, value) in carried {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            heading.insert(name, value.clone());
        }
    }
    heading.remove(AUTHORIZATION);
    if !heading.contains_key(USER_AGENT) {
        heading.insert(USER_AGENT, AGENT);
    }
    if let Some(value) = authorization {
        heading.insert(AUTHORIZATION, value.clone());
    }
    heading
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(headers: &[(&str, &'static str)]) -> Vec<(String, HeaderValue)> {
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_credential_alone_signs_in() {
        let stated = pairs(&[
            ("Authorization", "Basic x"),
            ("X-Env", "a"),
            ("x-env", "b"),
            ("no name", "c"),
        ]);
        let anonymous = heading(&stated, &[], None, 0);
        assert!(!anonymous.contains_key("authorization"));
        assert_eq!(
            anonymous.get_all("x-env").iter().collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(anonymous.len(), 3);
        let bearer = HeaderValue::from_static("Bearer t");
        let signed_in = heading(&stated, &[], Some(&bearer), 0);
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
        let heading = heading(&stated, &carried, None, 0);
        assert_eq!(heading.get_all("x-env").iter().collect::<Vec<_>>(), ["c"]);
        assert_eq!(heading["user-agent"], "inspector");
        assert_eq!(heading.len(), 2);
    }

    #[test]
    fn a_scenario_may_state_another_user_agent() {
        assert_eq!(
            heading(&pairs(&[("user-agent", "mine")]), &[], None, 0)["user-agent"],
            "mine"
        );
        assert_eq!(heading(&[], &[], None, 0)["user-agent"], AGENT);
    }
}
