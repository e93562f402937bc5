//! Client ids, user names and resources in, what the tenant's directory holds on them out.

use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use super::client::{Client, Trust, clients};
use super::resource::{DuplicateValue, MEMBERSHIP, Resource, resources};
use super::user::{User, users};
use crate::reference::chance;
use crate::reference::fault::{Fault, Faults};
use crate::reference::policy::{ADMIN, READ, WRITE, WRITE_ONLY};

const TENANT: &str = "5d1f1cc4-7a30-4b8e-9e5c-1f2d3a4b5c6d";
/// The role on the guarded API.
const ORDERS: &str = "Orders.Read";

struct Group {
    id: String,
    /// The role that its members have through it.
    role: &'static str,
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
    resources: Vec<Resource>,
    /// All registrations.
    pub(crate) clients: Vec<Client>,
    /// All members.
    pub(crate) users: Vec<User>,
    /// Membership is what changes while a deployment runs.
    groups: RwLock<Vec<Group>>,
    assignments: Vec<Assignment>,
    faults: Faults,
}

/// The template of Global Administrator (Microsoft Entra built-in roles).
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

impl Directory {
    /// Returns the article's tenant, in which `trusts` are the workload's federated credentials; secrets and
    /// passwords are new each time.
    pub(crate) fn new(faults: Faults, trusts: Vec<Trust>) -> Self {
        let resources = resources(&faults);
        Self::holding(resources, trusts, faults)
            .expect("no manifest of the tenant holds a value twice")
    }

    /// Refuses APIs whose manifest Entra would not save.
    fn holding(
        resources: Vec<Resource>,
        trusts: Vec<Trust>,
        faults: Faults,
    ) -> Result<Self, DuplicateValue> {
        resources.iter().try_for_each(Resource::check)?;
        let mut directory = Self {
            tenant: TENANT,
            resources,
            clients: clients(trusts),
            users: users(),
            groups: RwLock::default(),
            assignments: Vec::new(),
            faults,
        };
        directory.assign_services();
        directory.assign_groups();
        if directory.faults.contains(Fault::AdminInReaderGroup) {
            directory.promote_reader();
        }
        if directory.faults.contains(Fault::RedirectRemoved) {
            directory.forget_redirect();
        }
        Ok(directory)
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
            .find(|resource| resource.is_called(name))
    }

    /// Finds a registration by its application id.
    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// Finds a registration by the persona's word in variable names.
    pub(crate) fn labelled(&self, label: &str) -> &Client {
        let mut clients = self.clients.iter();
        clients
            .find(|client| client.label == label)
            .expect("the label is one of the tenant's")
    }

    /// Returns the role that a principal holds in the directory itself, by its template's id: of nobody, but for a fault.
    pub(crate) fn directory_role(&self, principal: &str) -> Option<&'static str> {
        let is_reader =
            principal == self.labelled("READER").principal || principal == self.user_id("READER");
        let holds = is_reader && self.faults.contains(Fault::ReaderIsDirectoryAdmin);
        holds.then_some(GLOBAL_ADMINISTRATOR)
    }

    /// Finds a user by object id.
    pub(crate) fn member(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
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

    /// Tells whether an API that demands assignment has one for this principal; others admit everyone.
    pub(crate) fn admits(&self, principal: &str, resource: &Resource) -> bool {
        !resource.assignment_required || !self.roles(principal, resource).is_empty()
    }

    /// Returns the object id of a user by the persona's word in variable names.
    pub(crate) fn user_id(&self, label: &str) -> String {
        let user = self.users.iter().find(|user| user.label == label);
        user.map(|user| user.id.clone())
            .expect("the label is one of the tenant's")
    }

    /// Returns the object id of the group that gives its members this role.
    pub(crate) fn group_id(&self, role: &str) -> String {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        let group = groups.iter().find(|group| group.role == role);
        group
            .map(|group| group.id.clone())
            .expect("the role is one of the tenant's")
    }

    /// Makes a user a member of a group, or no longer one, both by object id; tells whether that changed anything.
    pub(crate) fn set_member(&self, group: &str, user: &str, belongs: bool) -> bool {
        let mut groups = self.groups_mut();
        let Some(group) = groups.iter_mut().find(|one| one.id == group) else {
            return false;
        };
        let did_belong = group.members.iter().any(|member| member == user);
        group.members.retain(|member| member != user);
        if belongs {
            group.members.push(user.to_owned());
        }
        did_belong != belongs
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
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        assignment.principal == principal || groups.iter().any(is_member)
    }

    fn assign_services(&mut self) {
        let held = [
            ("READER", READ),
            ("WRITER", WRITE),
            ("ADMIN", ADMIN),
            ("NEARMISS", READ),
            ("NEARMISS", WRITE_ONLY),
            ("CERTIFICATE", READ),
            ("WORKLOAD", WRITE),
            ("HOST", READ),
            ("MANAGED", WRITE),
            // The article's recipe, by which the connector is an administrator in its own right.
            ("CONNECTOR", ADMIN),
            ("READER", ORDERS),
            ("OPERATOR", MEMBERSHIP),
        ];
        for (label, role) in held {
            let principal = self.labelled(label).principal.clone();
            self.assign(principal, role, label == "WRITER");
        }
    }

    fn assign_groups(&mut self) {
        let groups: [(&str, &[&str]); 4] = [
            (READ, &["READER", "MFA"]),
            (WRITE, &["WRITER"]),
            (ADMIN, &["ADMIN"]),
            (ORDERS, &["READER"]),
        ];
        for (role, labels) in groups {
            let members = labels.iter().map(|label| self.user_id(label));
            let group = Group {
                id: chance::guid(),
                role,
                members: members.collect(),
            };
            self.assign(group.id.clone(), role, role == WRITE);
            self.groups_mut().push(group);
        }
    }

    /// Someone put the reader among the administrators, as a user and as a service.
    fn promote_reader(&mut self) {
        let reader = self.user_id("READER");
        for group in self.groups_mut().iter_mut() {
            if group.role == ADMIN {
                group.members.push(reader.clone());
            }
        }
        let service = self.labelled("READER").principal.clone();
        self.assign(service, ADMIN, false);
    }

    /// Somebody tidied up the connector's registration.
    fn forget_redirect(&mut self) {
        let mut clients = self.clients.iter_mut();
        if let Some(connector) = clients.find(|client| client.label == "CONNECTOR") {
            let [_, others @ ..] = connector.redirects else {
                return;
            };
            connector.redirects = others;
        }
    }

    fn assign(&mut self, principal: String, role: &'static str, late: bool) {
        self.assignments.push(Assignment {
            principal,
            role,
            late,
        });
    }

    fn groups_mut(&self) -> RwLockWriteGuard<'_, Vec<Group>> {
        self.groups.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::idp::client::{CONNECTOR_REDIRECT, INSOMNIA_REDIRECT};
    use crate::reference::idp::resource::GUARDED;

    fn roles(directory: &Directory, label: &str) -> (Vec<&'static str>, Vec<&'static str>) {
        let api = directory.api();
        let user = directory.users.iter().find(|user| user.label == label);
        (
            directory.roles(&directory.labelled(label).principal, api),
            user.map_or_else(Vec::new, |user| directory.roles(&user.id, api)),
        )
    }

    #[test]
    fn services_hold_roles_directly_and_users_through_groups() {
        let directory = Directory::new(Faults::default(), Vec::new());
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
        let directory = Directory::new(Faults::new(&[Fault::AdminInReaderGroup]), Vec::new());
        assert_eq!(
            roles(&directory, "READER"),
            (vec![READ, ADMIN], vec![READ, ADMIN])
        );
        assert_eq!(roles(&directory, "ADMIN"), (vec![ADMIN], vec![ADMIN]));
    }

    #[test]
    fn a_connector_without_its_redirect_keeps_the_others() {
        let directory = Directory::new(Faults::new(&[Fault::RedirectRemoved]), Vec::new());
        let connector = directory.labelled("CONNECTOR");
        assert!(connector.redirect(CONNECTOR_REDIRECT).is_none());
        assert!(connector.redirect(INSOMNIA_REDIRECT).is_some());
    }

    #[test]
    fn a_stale_writer_holds_nothing() {
        let directory = Directory::new(Faults::new(&[Fault::StaleRoles]), Vec::new());
        assert_eq!(roles(&directory, "WRITER"), (vec![], vec![]));
        assert_eq!(roles(&directory, "READER"), (vec![READ], vec![READ]));
    }

    #[test]
    fn a_tenant_whose_manifest_uses_a_value_twice_is_not_built() {
        let mut resources = resources(&Faults::default());
        resources[0].scopes = &["access_as_user", ADMIN];
        let refused = Directory::holding(resources, Vec::new(), Faults::default());
        let refused = refused.err().unwrap().to_string();
        assert!(
            refused.ends_with("holds the value Products.Admin twice"),
            "{refused}"
        );
    }

    #[test]
    fn only_those_with_a_role_are_admitted_where_assignment_is_required() {
        let directory = Directory::new(Faults::default(), Vec::new());
        let guarded = directory.resource(GUARDED).unwrap();
        let admits = |label| directory.admits(&directory.user_id(label), guarded);
        assert!(admits("READER") && !admits("WRITER"));
        assert!(directory.admits(&directory.user_id("STRANGER"), directory.api()));
    }

    #[test]
    fn no_role_of_one_api_counts_at_another() {
        let directory = Directory::new(Faults::default(), Vec::new());
        assert!(
            directory
                .roles(&directory.labelled("ADMIN").principal, directory.other())
                .is_empty()
        );
    }
}
