//! `requirements`, `waive`, `expired_token` and `undeclared` of the MCP door in, what is demanded of it besides the matrix out.

use serde::{Deserialize, Serialize};

use super::complaint::Kind;
use super::raw::Node;
use super::reader::Reader;
use crate::requirement::Requirement;
use crate::secret::Secret;

/// What a tool or a route is to the author that the deployment has and no operation names.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undeclared {
    /// A hole in the matrix.
    #[default]
    Fail,
    /// Worth a note.
    Warn,
    /// Nothing.
    Ignore,
}

/// Which requirements of the MCP authorization chapter are checked, and which of them the owner waives; what a tool is
/// that the matrix does not know.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    ignored: bool,
    waivers: Vec<(Requirement, String)>,
    /// A token of this deployment that has run out.
    pub expired: Option<Secret>,
    /// What tools are that no operation names.
    pub undeclared: Undeclared,
}

impl Terms {
    /// Whether the author leaves it at what is checked anyway.
    pub fn is_usual(&self) -> bool {
        !self.ignored
            && self.waivers.is_empty()
            && self.expired.is_none()
            && self.undeclared == Undeclared::Fail
    }

    /// Whether a requirement is checked: calls without a token always are.
    pub fn checks(&self, requirement: Requirement) -> bool {
        !self.ignored || requirement == Requirement::TokenDemanded
    }

    /// Why the owner accepts that a requirement is not kept; `None` where it is to be kept.
    pub fn waiver(&self, requirement: Requirement) -> Option<&str> {
        let mut waivers = self.waivers.iter();
        let (_, reason) = waivers.find(|(waived, _)| *waived == requirement)?;
        Some(reason)
    }
}

/// Reads them from the map of the MCP door.
pub(super) fn read(reader: &mut Reader<'_>, mcp: &Node<'_>) -> Terms {
    let words = [("check", false), ("ignore", true)];
    let ignored = mcp
        .get("requirements")
        .and_then(|node| reader.word(node, "word for `requirements`", &words))
        .unwrap_or_default();
    let waivers = mcp
        .get("waive")
        .map(|node| waivers(reader, node))
        .unwrap_or_default();
    let expired = mcp
        .get("expired_token")
        .and_then(|node| reader.secret(node, "`expired_token`"));
    let stated = mcp.get("undeclared");
    let undeclared = stated
        .and_then(|node| undeclared(reader, node))
        .unwrap_or_default();
    Terms {
        ignored,
        waivers,
        expired,
        undeclared,
    }
}

/// Reads what becomes of what no operation names.
pub(super) fn undeclared(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Undeclared> {
    let words = [
        ("fail", Undeclared::Fail),
        ("warn", Undeclared::Warn),
        ("ignore", Undeclared::Ignore),
    ];
    reader.word(node, "word for `undeclared`", &words)
}

fn waivers(reader: &mut Reader<'_>, node: &Node<'_>) -> Vec<(Requirement, String)> {
    let entries = reader.entries(node, "`waive`").unwrap_or_default();
    let mut waivers: Vec<(Requirement, String)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Ok(requirement) = entry.name.parse::<Requirement>() else {
            let ids: Vec<&str> = Requirement::ALL.iter().map(|known| known.id()).collect();
            reader.unknown(entry.at, "requirement", entry.name, &ids);
            continue;
        };
        if waivers.iter().any(|(known, _)| *known == requirement) {
            let name = entry.name.to_owned();
            let noun = "requirement";
            reader.complain(entry.at, Kind::Repeated { noun, name });
            continue;
        }
        if let Some(reason) = reader.plain(entry.node, "the reason") {
            waivers.push((requirement, reason));
        }
    }
    waivers
}
