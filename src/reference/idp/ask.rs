//! A scope or resource parameter in, the API that is meant and what is asked of it out.

use super::aadsts::Refusal;
use super::client::Client;
use super::directory::Directory;
use super::form::Form;
use super::resource::{GRAPH, Resource};

/// The generation of an endpoint. It decides the form of request and answer, not the version of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/oauth2/…`, which takes `resource`.
    V1,
    /// `/oauth2/v2.0/…`, which takes `scope`.
    V2,
}

/// What is asked for on behalf of a user.
pub(crate) struct Ask<'a> {
    /// The API.
    pub(crate) resource: &'a Resource,
    /// The name by which it was asked for, which a v1 token repeats as its audience.
    pub(crate) asked_for: String,
    /// The scopes that were named; none means all that the client was given, as `.default` does.
    named: Vec<String>,
    /// Whether an ID token is wanted.
    pub(crate) openid: bool,
    /// Whether a refresh token is wanted.
    pub(crate) offline: bool,
}

impl Endpoint {
    /// Returns the name of the parameter that says what is asked for.
    pub(crate) fn parameter(self) -> &'static str {
        match self {
            Self::V1 => "resource",
            Self::V2 => "scope",
        }
    }
}

impl<'a> Ask<'a> {
    /// Reads the endpoint's parameter; at v2 a `resource` next to it must mean the same API.
    pub(crate) fn read(
        form: &Form,
        endpoint: Endpoint,
        directory: &'a Directory,
    ) -> Result<Self, Refusal> {
        let text = text(form, endpoint)?;
        let ask = Self::parse(text, endpoint, directory)?;
        match form.find("resource") {
            Some(named) if !ask.resource.is_called(named) => Err(Refusal::target(named)),
            _ => Ok(ask),
        }
    }

    /// Reads what the parameter of this endpoint said.
    pub(crate) fn parse(
        text: &str,
        endpoint: Endpoint,
        directory: &'a Directory,
    ) -> Result<Self, Refusal> {
        match endpoint {
            Endpoint::V1 => Ok(Self {
                resource: enabled(directory, text)?,
                asked_for: text.to_owned(),
                named: Vec::new(),
                openid: true,
                offline: true,
            }),
            Endpoint::V2 => scopes(text, directory),
        }
    }

    /// Returns the scopes that the client asks for: those that it named, else all that its registration lists.
    pub(crate) fn wanted(&self, client: &Client) -> Result<Vec<&str>, Refusal> {
        self.exist(client)?;
        match client.permission(self.resource.id) {
            _ if !self.named.is_empty() => Ok(self.named.iter().map(String::as_str).collect()),
            Some(permission) => Ok(permission.scopes.to_vec()),
            None => Err(Refusal::undeclared(client.id, &self.asked_for)),
        }
    }

    /// Tells whether an administrator agreed to the scope for everybody.
    pub(crate) fn is_administered(&self, client: &Client, scope: &str) -> bool {
        let permission = client.permission(self.resource.id);
        permission
            .is_some_and(|permission| permission.consented && permission.scopes.contains(&scope))
    }

    fn exist(&self, client: &Client) -> Result<(), Refusal> {
        let unknown = |name: &&String| !self.resource.scopes.contains(&name.as_str());
        match self.named.iter().find(unknown) {
            None => Ok(()),
            Some(name) => Err(Refusal::scope_unknown(client.id, name, self.resource.id)),
        }
    }
}

/// Finds an API by its identifier URI or id; a disabled one is refused.
pub(crate) fn enabled<'a>(directory: &'a Directory, name: &str) -> Result<&'a Resource, Refusal> {
    let resource = directory
        .resource(name)
        .ok_or_else(|| Refusal::resource(name))?;
    if resource.enabled {
        Ok(resource)
    } else {
        Err(Refusal::resource_disabled(name))
    }
}

/// Returns the text of the parameter; v2 does not take the one of v1 in its place.
pub(crate) fn text(form: &Form, endpoint: Endpoint) -> Result<&str, Refusal> {
    let text = form.get(endpoint.parameter());
    if text.is_err() && form.find("resource").is_some() {
        return Err(Refusal::resource_parameter());
    }
    text
}

/// Scopes of one resource, next to those of `OpenID` Connect that name none.
fn scopes<'a>(text: &str, directory: &'a Directory) -> Result<Ask<'a>, Refusal> {
    let words = || text.split_ascii_whitespace();
    let wanted = |name: &str| words().any(|word| word == name);
    let mut named = Vec::new();
    let mut asked_for: Option<&str> = None;
    for word in words().filter(|word| !is_of_oidc(word)) {
        // A bare word is a scope of Graph.
        let (resource, scope) = word.rsplit_once('/').unwrap_or((GRAPH, word));
        if asked_for.is_some_and(|other| other != resource) {
            return Err(Refusal::scopes_of_several(text));
        }
        asked_for = Some(resource);
        named.push(scope.to_owned());
    }
    let asked_for = asked_for.ok_or_else(|| Refusal::scope(text))?;
    let default = named.iter().any(|scope| scope == ".default");
    if default && named.len() > 1 {
        return Err(Refusal::scope(text));
    }
    Ok(Ask {
        resource: enabled(directory, asked_for)?,
        asked_for: asked_for.to_owned(),
        named: if default { Vec::new() } else { named },
        openid: wanted("openid"),
        offline: wanted("offline_access"),
    })
}

fn is_of_oidc(word: &str) -> bool {
    ["openid", "profile", "email", "offline_access"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::fault::Faults;
    use crate::reference::idp::consents::Consents;
    use crate::reference::idp::resource::API;

    #[test]
    fn scopes_are_those_of_one_api_that_the_client_was_given() {
        let directory = Directory::new(Faults::default(), Vec::new());
        let api = format!("api://{API}");
        let consents = Consents::default();
        let granted = |client: &str, text: &str| {
            let ask = Ask::parse(&text.replace("API", &api), Endpoint::V2, &directory);
            let user = &directory.users[0];
            ask.and_then(|ask| consents.granted(directory.labelled(client), user, &ask))
                .map_err(|refusal| refusal.code)
        };
        let table: [(&str, &str, Result<&str, u32>); 14] = [
            (
                "CLIENT_APP",
                "openid API/access_as_user",
                Ok("access_as_user"),
            ),
            (
                "CLIENT_APP",
                "API/.default offline_access",
                Ok("access_as_user"),
            ),
            (
                "CONNECTOR",
                "API/.default",
                Ok("access_as_user Products.Admin.Delegated"),
            ),
            (
                "CONNECTOR",
                "API/Products.Admin.Delegated",
                Ok("Products.Admin.Delegated"),
            ),
            ("CLIENT_APP", "API/Products.Admin.Delegated", Err(65001)),
            ("CLIENT_APP", "User.Read", Ok("User.Read")),
            ("CLIENT_APP", "groups", Err(650_053)),
            ("CLIENT_APP", "API/access_as_user User.Read", Err(700_022)),
            ("CLIENT_APP", "API/.default API/access_as_user", Err(70011)),
            ("CLIENT_APP", "openid", Err(70011)),
            ("CLIENT_APP", "api://else/read", Err(500_011)),
            ("UNCONSENTED", "API/.default", Err(65001)),
            ("SPA", "https://graph.microsoft.com/.default", Err(650_057)),
            ("SPA", "User.Read", Err(65001)),
        ];
        for (client, text, expected) in table {
            assert_eq!(granted(client, text), expected.map(str::to_owned), "{text}");
        }
    }
}
