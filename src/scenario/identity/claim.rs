//! A provider's word or an RFC 6901 pointer in, the pointer of the claim that holds the roles out.

use super::super::complaint::Kind;
use super::super::raw::{Node, Value};
use super::super::reader::Reader;

/// Where the usual providers put what an API calls roles.
const PLACES: [(&str, &str); 6] = [
    // Entra ID's app roles, and the plain choice elsewhere.
    ("roles", "/roles"),
    // Keycloak's realm roles.
    ("realm", "/realm_access/roles"),
    // Auth0's permissions with role-based access control on.
    ("permissions", "/permissions"),
    // Okta's and Entra ID's scopes.
    ("scp", "/scp"),
    ("groups", "/groups"),
    ("cognito", "/cognito:groups"),
];

/// Keycloak's roles of one client: `resource:CLIENT`.
const OF_CLIENT: &str = "resource:";

/// Reads which claim holds the roles.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<String> {
    let Value::Text(text) = &node.value else {
        reader.wrong(node, "`roles`", "text");
        return None;
    };
    let stated = reader.expand(node, text)?.text;
    let pointer = pointer(&stated);
    if pointer.is_none() {
        reader.complain(node.span, Kind::RolesClaim);
    }
    pointer
}

fn pointer(stated: &str) -> Option<String> {
    let place = PLACES.iter().find(|(word, _)| *word == stated);
    let client = stated
        .strip_prefix(OF_CLIENT)
        .filter(|client| !client.is_empty());
    match (place, client) {
        (Some((_, pointer)), _) => Some((*pointer).to_owned()),
        (None, Some(client)) => Some(format!(
            "/resource_access/{}/roles",
            client.replace('~', "~0").replace('/', "~1")
        )),
        (None, None) => {
            let fits = stated.starts_with('/') && super::is_escaped(stated);
            fits.then(|| stated.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_usual_providers_are_pointers() {
        let table = [
            ("roles", Some("/roles")),
            ("realm", Some("/realm_access/roles")),
            ("resource:loans", Some("/resource_access/loans/roles")),
            ("resource:a/b~c", Some("/resource_access/a~1b~0c/roles")),
            ("permissions", Some("/permissions")),
            ("scp", Some("/scp")),
            ("groups", Some("/groups")),
            ("cognito", Some("/cognito:groups")),
            ("/https:~1~1ns~1roles", Some("/https:~1~1ns~1roles")),
            ("/a~2", None),
            ("resource:", None),
            ("Realm", None),
            ("", None),
        ];
        for (stated, expected) in table {
            assert_eq!(pointer(stated).as_deref(), expected, "{stated}");
        }
    }
}
