//! Scenario and doors in, 16 hex digits out that change when anything sent or demanded changes.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{conduct, listing};
use crate::cell::Door;
use crate::scenario::{Declaration, Scenario};

/// The digest. Addresses and secrets are left out: the same scenario against two deployments is the same plan.
pub(super) fn of(scenario: &Scenario, doors: &[Door], read_only: bool) -> String {
    let mut hash = Sha256::new();
    for persona in &scenario.personas {
        hash.update(format!("persona {} {:?}\n", persona.name, persona.roles));
        if persona.declared != Declaration::default() {
            hash.update(format!("{:?}\n", persona.declared));
        }
    }
    for operation in &scenario.operations {
        let conduct = conduct::of(scenario, operation, read_only);
        for door in doors {
            let Some((request, json)) = listing::shown(operation, *door) else {
                continue;
            };
            hash.update(format!(
                "{} {door} {conduct:?} {request} {json:?}\n",
                operation.name
            ));
            for (persona, demands) in operation.demands.iter().enumerate() {
                let demand = demands[door.index()]
                    .as_ref()
                    .map(|demand| demand.expectation.to_string());
                hash.update(format!("{persona} {demand:?}\n"));
            }
        }
    }
    hash.finalize()
        .iter()
        .take(8)
        .fold(String::with_capacity(16), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}
