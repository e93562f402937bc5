//! Irregular calls in, which requirement of the MCP authorization chapter holds out.
#![warn(clippy::wildcard_enum_match_arm)]

mod challenge;
mod checked;
mod finding;
mod foreigner;
mod guess;
mod listing;
mod metadata;
mod private;
mod published;
mod reading;
mod trick;
mod visit;

pub use checked::{Checked, Place, State};
pub use finding::{fate, findings};
pub use foreigner::foreigner;
pub use listing::planned;
pub use metadata::{Hosts, Metadata, Tried, addresses_of_issuer, addresses_of_resource};
pub use reading::{Site, check};
pub use trick::{Party, Trick, Voice};
pub use visit::{Answer, Carrier, SESSIONS, Visit};
