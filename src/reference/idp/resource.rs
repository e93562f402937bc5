//! An API's manifest in, what tokens for it hold out, or the value that it uses twice.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;

use crate::reference::fault::{Fault, Faults};
use crate::reference::policy::{ADMIN, READ, WRITE, WRITE_ONLY};

/// The application id of the Product Catalog.
pub(crate) const API: &str = "0b6a3c1e-58f4-4b0a-a5d7-c2e1f0a9b8c7";
/// The application id of Microsoft Graph, to which scopes belong that name no resource.
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The application id of the API that calls the Product Catalog on behalf of its users.
pub(crate) const MIDDLE: &str = "3d9e0b52-6a47-4c1d-8f35-b1c2d3e4f5a6";
/// The application id of the API that only assigned principals may call.
pub(crate) const GUARDED: &str = "7e2f4a90-1b6c-4d83-9a05-d4c3b2a19f80";
/// The application id of the API whose service principal is switched off.
pub(crate) const RETIRED: &str = "9c4b1d27-0e5a-4f68-b3c9-8a7f6e5d4c3b";

/// The role on Graph of those who may change who belongs to a group.
pub(crate) const MEMBERSHIP: &str = "GroupMember.ReadWrite.All";

/// An API that tokens can be asked for.
pub(crate) struct Resource {
    /// Its application id.
    pub(crate) id: &'static str,
    /// Its identifier URI.
    pub(crate) uri: String,
    /// `requestedAccessTokenVersion` of its manifest, which decides on the version of its tokens; none means 1.
    pub(crate) requested_access_token_version: Option<u8>,
    /// The values of its `oauth2PermissionScopes`, which users delegate.
    pub(crate) scopes: &'static [&'static str],
    /// Those of them that only an administrator can agree to.
    pub(crate) reserved: &'static [&'static str],
    /// The values of its `appRoles`.
    pub(crate) roles: &'static [&'static str],
    /// Whether only principals with a role get a token.
    pub(crate) assignment_required: bool,
    /// Whether its service principal is enabled.
    pub(crate) enabled: bool,
}

/// A value that a manifest uses twice among its roles and scopes, which Entra refuses to save.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DuplicateValue {
    resource: &'static str,
    value: &'static str,
}

impl Resource {
    /// Refuses a value that occurs twice, within `appRoles`, within `oauth2PermissionScopes` or across both.
    pub(crate) fn check(&self) -> Result<(), DuplicateValue> {
        let mut values = HashSet::new();
        let mut all = self.roles.iter().chain(self.scopes);
        let twice = all.find(|value| !values.insert(**value));
        twice.map_or(Ok(()), |value| {
            Err(DuplicateValue {
                resource: self.id,
                value,
            })
        })
    }

    /// Returns 1 or 2.
    pub(crate) fn token_version(&self) -> u8 {
        self.requested_access_token_version.unwrap_or(1)
    }

    /// Tells whether a request or a claim means this API by `name`.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.uri == name || self.id == name
    }

    fn of_tenant(id: &'static str, scopes: &'static [&'static str]) -> Self {
        Self {
            id,
            uri: format!("api://{id}"),
            requested_access_token_version: None,
            scopes,
            reserved: &[],
            roles: &[],
            assignment_required: false,
            enabled: true,
        }
    }
}

impl fmt::Display for DuplicateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the manifest of {} holds the value {} twice",
            self.resource, self.value
        )
    }
}

impl Error for DuplicateValue {}

/// Returns the Product Catalog, then Graph, then the tenant's other APIs.
pub(crate) fn resources(faults: &Faults) -> Vec<Resource> {
    let api = Resource {
        reserved: &["Products.Admin.Delegated"],
        roles: &[READ, WRITE, ADMIN, WRITE_ONLY],
        requested_access_token_version: faults.contains(Fault::V2Audience).then_some(2),
        ..Resource::of_tenant(API, &["access_as_user", "Products.Admin.Delegated"])
    };
    let graph = Resource {
        uri: "https://graph.microsoft.com".to_owned(),
        roles: &[MEMBERSHIP],
        ..Resource::of_tenant(GRAPH, &["User.Read"])
    };
    let middle = Resource {
        requested_access_token_version: Some(2),
        ..Resource::of_tenant(MIDDLE, &["access_as_user"])
    };
    let guarded = Resource {
        roles: &["Orders.Read"],
        assignment_required: true,
        ..Resource::of_tenant(GUARDED, &["access_as_user"])
    };
    let retired = Resource {
        enabled: false,
        ..Resource::of_tenant(RETIRED, &["access_as_user"])
    };
    vec![api, graph, middle, guarded, retired]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(roles: &'static [&'static str], scopes: &'static [&'static str]) -> Resource {
        Resource {
            roles,
            ..Resource::of_tenant(API, scopes)
        }
    }

    #[test]
    fn no_value_is_both_a_role_and_a_scope() {
        let refused = |value| {
            Err(DuplicateValue {
                resource: API,
                value,
            })
        };
        let table = [
            (manifest(&[ADMIN], &["Products.Admin.Delegated"]), Ok(())),
            (manifest(&[READ, ADMIN], &[ADMIN]), refused(ADMIN)),
            (manifest(&[READ, READ], &[]), refused(READ)),
            (manifest(&[], &["a", "b", "a"]), refused("a")),
        ];
        for (manifest, expected) in table {
            assert_eq!(manifest.check(), expected);
        }
    }

    #[test]
    fn a_manifest_that_is_silent_on_versions_gets_the_first() {
        assert_eq!(manifest(&[], &[]).token_version(), 1);
        let versions = resources(&Faults::default());
        let versions: Vec<u8> = versions.iter().map(Resource::token_version).collect();
        assert_eq!(versions, [1, 1, 2, 1, 1]);
    }
}
