//! Who stands between caller and data, one name each.

use serde::{Deserialize, Serialize};

/// Where to look first for the reason of a finding.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// This side: the scenario, its credentials, a missing key, a wrong path.
    Client,
    /// The sign-in service.
    IdentityProvider,
    /// The API gateway.
    Gateway,
    /// What stands before the gateway: firewall, CDN, reverse proxy.
    Edge,
    /// What stands behind the gateway.
    Backend,
    /// Whoever is to check roles: from outside nobody can tell which of the two does it.
    Unknown,
}

impl Layer {
    /// Every layer.
    pub const ALL: [Self; 6] = [
        Self::Client,
        Self::IdentityProvider,
        Self::Gateway,
        Self::Edge,
        Self::Backend,
        Self::Unknown,
    ];

    /// The layer in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::IdentityProvider => "identity provider",
            Self::Gateway => "gateway",
            Self::Edge => "edge",
            Self::Backend => "backend",
            Self::Unknown => "unknown: gateway or backend",
        }
    }
}
