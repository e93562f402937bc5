//! Client ids, user names and resources in, what the tenant's directory holds on them out.

use crate::reference::chance;
use crate::reference::fault::{Fault, Faults};
use crate::reference::policy::{ADMIN, READ, WRITE, WRITE_ONLY};

const TENANT: &str = "5d1f1cc4-7a30-4b8e-9e5c-1f2d3a4b5c6d";
const API: &str = "0b6a3c1e-58f4-4b0a-a5d7-c2e1f0a9b8c7";
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const GRAPH_URI: &str = "https://graph.microsoft.com";

/// An API that tokens can be asked for.
pub(crate) struct Resource {
    /// Its application id.
    pub(crate) id: &'static str,
    /// Its identifier URI.
    pub(crate) uri: String,
    /// `requestedAccessTokenVersion` of its manifest: 1 or 2.
    pub(crate) token_version: u8,
    /// The delegated scope that it exposes.
    pub(crate) scope: &'static str,
    /// The values of its app roles.
    roles: &'static [&'static str],
}

/// An app registration together with its service principal.
pub(crate) struct Client {
    /// The persona's word in variable names; empty for the public client.
    pub(crate) label: &'static str,
    /// The application id.
    pub(crate) id: String,
    /// The object id of the service principal.
    pub(crate) principal: String,
    /// None for a public client.
    pub(crate) secret: Option<String>,
}

/// A member of the tenant.
pub(crate) struct User {
    /// The persona's word in variable names.
    pub(crate) label: &'static str,
    /// The object id.
    pub(crate) id: String,
    /// The user principal name.
    pub(crate) upn: &'static str,
    /// The password.
    pub(crate) password: String,
}

struct Group {
    id: String,
    members: Vec<String>,
}

/// A role that a user, a group or a service principal was given on the API.
struct Assignment {
    principal: String,
    role: &'static str,
    /// It was made after a token for its principal had been cached.
    late: bool,
}

/// One tenant with its registrations, users, groups and app role assignments.
pub(crate) struct Directory {
    /// The tenant's id.
    pub(crate) tenant: &'static str,
    resources: [Resource; 2],
    /// All registrations.
    pub(crate) clients: Vec<Client>,
    /// All members.
    pub(crate) users: Vec<User>,
    groups: Vec<Group>,
    assignments: Vec<Assignment>,
    faults: Faults,
}

impl Directory {
    /// Returns the article's tenant; secrets and passwords are new each time.
    pub(crate) fn new(faults: Faults) -> Self {
        let mut directory = Self {
            tenant: TENANT,
            resources: resources(&faults),
            clients: clients(),
            users: users(),
            groups: Vec::new(),
            assignments: Vec::new(),
            faults,
        };
        directory.assign_services();
        directory.assign_groups();
        if directory.faults.contains(Fault::AdminInReaderGroup) {
            directory.promote_reader();
        }
        directory
    }

    /// Returns the Product Catalog's registration.
    pub(crate) fn api(&self) -> &Resource {
        &self.resources[0]
    }

    /// Returns the other API of the tenant, whose tokens the gateway must not take.
    pub(crate) fn other(&self) -> &Resource {
        &self.resources[1]
    }

    /// Finds an API by its identifier URI or its application id.
    pub(crate) fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .find(|resource| resource.uri == name || resource.id == name)
    }

    /// Finds a registration by its application id.
    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// Finds a user by principal name, without regard to case.
    pub(crate) fn user(&self, upn: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.upn.eq_ignore_ascii_case(upn))
    }

    /// Returns the app roles on `resource` of a user or service principal, in the order of the manifest.
    ///
    /// Group membership counts; only users are members of groups here, because Entra gives a service principal
    /// no role through a group.
    pub(crate) fn roles(&self, principal: &str, resource: &Resource) -> Vec<&'static str> {
        let holds = |role: &str| {
            self.assignments.iter().any(|assignment| {
                assignment.role == role
                    && self.in_force(assignment)
                    && self.covers(assignment, principal)
            })
        };
        resource
            .roles
            .iter()
            .copied()
            .filter(|role| holds(role))
            .collect()
    }

    /// A cached token is from before the late assignments.
    fn in_force(&self, assignment: &Assignment) -> bool {
        !(assignment.late && self.faults.contains(Fault::StaleRoles))
    }

    fn covers(&self, assignment: &Assignment, principal: &str) -> bool {
        let is_member = |group: &Group| {
            group.id == assignment.principal
                && group.members.iter().any(|member| member == principal)
        };
        assignment.principal == principal || self.groups.iter().any(is_member)
    }

    fn assign_services(&mut self) {
        let held = [
            ("READER", READ),
            ("WRITER", WRITE),
            ("ADMIN", ADMIN),
            ("NEARMISS", READ),
            ("NEARMISS", WRITE_ONLY),
        ];
        for (label, role) in held {
            let principal = self.service(label);
            self.assign(principal, role, label == "WRITER");
        }
    }

    fn assign_groups(&mut self) {
        for (label, role) in [("READER", READ), ("WRITER", WRITE), ("ADMIN", ADMIN)] {
            let group = Group {
                id: chance::guid(),
                members: vec![self.member(label)],
            };
            self.assign(group.id.clone(), role, label == "WRITER");
            self.groups.push(group);
        }
    }

    /// Someone put the reader among the administrators, as a user and as a service.
    fn promote_reader(&mut self) {
        let reader = self.member("READER");
        if let Some(admins) = self.groups.last_mut() {
            admins.members.push(reader);
        }
        let service = self.service("READER");
        self.assign(service, ADMIN, false);
    }

    fn assign(&mut self, principal: String, role: &'static str, late: bool) {
        self.assignments.push(Assignment {
            principal,
            role,
            late,
        });
    }

    fn service(&self, label: &str) -> String {
        let client = self.clients.iter().find(|client| client.label == label);
        client
            .map(|client| client.principal.clone())
            .expect("the label is one of this file's")
    }

    fn member(&self, label: &str) -> String {
        let user = self.users.iter().find(|user| user.label == label);
        user.map(|user| user.id.clone())
            .expect("the label is one of this file's")
    }
}

fn resources(faults: &Faults) -> [Resource; 2] {
    let api = Resource {
        id: API,
        uri: format!("api://{API}"),
        token_version: if faults.contains(Fault::V2Audience) {
            2
        } else {
            1
        },
        scope: "access_as_user",
        roles: &[READ, WRITE, ADMIN, WRITE_ONLY],
    };
    let graph = Resource {
        id: GRAPH,
        uri: GRAPH_URI.to_owned(),
        token_version: 1,
        scope: "User.Read",
        roles: &[],
    };
    [api, graph]
}

fn clients() -> Vec<Client> {
    let registered = [
        ("READER", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a01"),
        ("WRITER", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a02"),
        ("ADMIN", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a03"),
        ("STRANGER", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a04"),
        ("NEARMISS", "a1e0c5d2-3b44-4f6a-8c01-5e9d7f2b1a05"),
    ];
    let confidential = registered.map(|(label, id)| client(label, id, Some(chance::secret())));
    let public = client("", "c7d80f3e-1c55-4f1b-9f0a-6b2e4d8c9a10", None);
    confidential.into_iter().chain([public]).collect()
}

fn client(label: &'static str, id: &str, secret: Option<String>) -> Client {
    Client {
        label,
        id: id.to_owned(),
        principal: chance::guid(),
        secret,
    }
}

fn users() -> Vec<User> {
    let members = [
        ("READER", "reader@catalog.example"),
        ("WRITER", "writer@catalog.example"),
        ("ADMIN", "admin@catalog.example"),
    ];
    let user = |(label, upn)| User {
        label,
        id: chance::guid(),
        upn,
        password: chance::secret(),
    };
    members.map(user).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(directory: &Directory, label: &str) -> (Vec<&'static str>, Vec<&'static str>) {
        let api = directory.api();
        let user = directory.users.iter().find(|user| user.label == label);
        (
            directory.roles(&directory.service(label), api),
            user.map_or_else(Vec::new, |user| directory.roles(&user.id, api)),
        )
    }

    #[test]
    fn services_hold_roles_directly_and_users_through_groups() {
        let directory = Directory::new(Faults::default());
        assert_eq!(roles(&directory, "READER"), (vec![READ], vec![READ]));
        assert_eq!(roles(&directory, "WRITER"), (vec![WRITE], vec![WRITE]));
        assert_eq!(roles(&directory, "ADMIN"), (vec![ADMIN], vec![ADMIN]));
        assert_eq!(roles(&directory, "STRANGER"), (vec![], vec![]));
        assert_eq!(
            roles(&directory, "NEARMISS"),
            (vec![READ, WRITE_ONLY], vec![])
        );
    }

    #[test]
    fn a_reader_among_the_administrators_holds_both_roles() {
        let directory = Directory::new(Faults::new(&[Fault::AdminInReaderGroup]));
        assert_eq!(
            roles(&directory, "READER"),
            (vec![READ, ADMIN], vec![READ, ADMIN])
        );
        assert_eq!(roles(&directory, "ADMIN"), (vec![ADMIN], vec![ADMIN]));
    }

    #[test]
    fn a_stale_writer_holds_nothing() {
        let directory = Directory::new(Faults::new(&[Fault::StaleRoles]));
        assert_eq!(roles(&directory, "WRITER"), (vec![], vec![]));
        assert_eq!(roles(&directory, "READER"), (vec![READ], vec![READ]));
    }

    #[test]
    fn no_role_of_one_api_counts_at_another() {
        let directory = Directory::new(Faults::default());
        assert!(
            directory
                .roles(&directory.service("ADMIN"), directory.other())
                .is_empty()
        );
    }
}
