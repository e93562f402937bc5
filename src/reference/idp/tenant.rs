//! An address and faults in, the one tenant with its directory and all that was issued in it out.

use super::ask::Endpoint;
use super::client::Trust;
use super::codes::Codes;
use super::consents::Consents;
use super::devices::Devices;
use super::directory::Directory;
use super::renewals::Renewals;
use super::sittings::Sittings;
use super::token::{issuer_v1, issuer_v2};
use crate::reference::chance;
use crate::reference::fault::Faults;

/// The tenant.
pub(crate) struct Tenant {
    /// The address of the provider, without a slash at the end.
    pub(crate) base: String,
    /// Its registrations, users, groups and assignments.
    pub(crate) directory: Directory,
    /// What its users let clients do.
    pub(crate) consents: Consents,
    /// Its users who are being asked.
    pub(crate) sittings: Sittings,
    /// Its authorization codes.
    pub(crate) codes: Codes,
    /// Its devices that wait for a user.
    pub(crate) devices: Devices,
    /// Its refresh tokens.
    pub(crate) renewals: Renewals,
    /// Seconds that its access tokens live, when it is not left to chance.
    lifetime: Option<u32>,
}

impl Tenant {
    /// Takes the address of the provider and the workload's federated credentials.
    pub(crate) fn new(
        base: String,
        trusts: Vec<Trust>,
        faults: Faults,
        lifetime: Option<u32>,
    ) -> Self {
        Self {
            lifetime,
            base,
            directory: Directory::new(faults, trusts),
            consents: Consents::default(),
            sittings: Sittings::default(),
            codes: Codes::default(),
            devices: Devices::default(),
            renewals: Renewals::default(),
        }
    }

    /// Returns how many seconds the next access token lives.
    pub(crate) fn lifetime(&self) -> u32 {
        self.lifetime.unwrap_or_else(chance::lifetime)
    }

    /// Returns the address that all of the tenant's endpoints begin with.
    pub(crate) fn root(&self) -> String {
        format!("{}/{}", self.base, self.directory.tenant)
    }

    /// Returns the issuer that the metadata of this generation names and tokens of this version carry.
    pub(crate) fn issuer(&self, endpoint: Endpoint) -> String {
        match endpoint {
            Endpoint::V1 => issuer_v1(&self.base, self.directory.tenant),
            Endpoint::V2 => issuer_v2(&self.base, self.directory.tenant),
        }
    }

    /// Tells whether a client's assertion is meant for this tenant: either token endpoint or either issuer.
    pub(crate) fn is_own_audience(&self, audience: &str) -> bool {
        let root = self.root();
        audience == format!("{root}/oauth2/v2.0/token")
            || audience == format!("{root}/oauth2/token")
            || audience == self.issuer(Endpoint::V1)
            || audience == self.issuer(Endpoint::V2)
    }
}
