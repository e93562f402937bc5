//! Names in, addresses out: doors, personas, operations and the cell where the three meet.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An entry point of the deployment. One MCP URL can be two doors, one for each protocol era that it answers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// Plain HTTP calls: method, path, JSON.
    Rest,
    /// MCP over Streamable HTTP, revision 2026-07-28: stateless, one POST a call.
    Mcp,
    /// MCP over Streamable HTTP, revision 2025-11-25 and older: `initialize` and a session.
    McpLegacy,
}

impl Door {
    /// Every door, in matrix order.
    pub const ALL: [Self; 3] = [Self::Rest, Self::Mcp, Self::McpLegacy];

    /// The door's one spelling, as in scenario files and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Mcp => "mcp",
            Self::McpLegacy => "mcp-legacy",
        }
    }

    /// Whether calls through this door are JSON-RPC messages.
    pub const fn speaks_mcp(self) -> bool {
        match self {
            Self::Rest => false,
            Self::Mcp | Self::McpLegacy => true,
        }
    }

    /// The door's place in [`Door::ALL`], for tables indexed by door.
    pub const fn index(self) -> usize {
        match self {
            Self::Rest => 0,
            Self::Mcp => 1,
            Self::McpLegacy => 2,
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Door {
    type Err = UnknownDoor;

    fn from_str(text: &str) -> Result<Self, UnknownDoor> {
        Self::ALL
            .into_iter()
            .find(|door| door.name() == text)
            .ok_or_else(|| UnknownDoor(text.to_owned()))
    }
}

/// A word that names no door; it holds the word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownDoor(pub String);

impl fmt::Display for UnknownDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no door; the doors are rest, mcp and mcp-legacy",
            self.0
        )
    }
}

impl std::error::Error for UnknownDoor {}

/// A persona's name as the scenario spells it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct PersonaName(Arc<str>);

/// An operation's name as the scenario spells it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct OperationName(Arc<str>);

macro_rules! name {
    ($name:ident) => {
        impl $name {
            /// Takes the name as it stands in the scenario.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text itself, for others that are called the same.
            pub fn to_shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        /// Names are found by their text in a map.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(PersonaName);
name!(OperationName);

impl PersonaName {
    /// The name of a persona's row by one of its clients. No name in a scenario holds an `@`.
    pub fn by(persona: &str, client: &str) -> Self {
        Self::new(format!("{persona}@{client}"))
    }

    /// The persona as the scenario spells it, without its client.
    pub fn persona(&self) -> &str {
        self.0
            .split_once('@')
            .map_or(&self.0, |(persona, _)| persona)
    }
}

/// The address of one square of the matrix.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Cell {
    /// Who attempts it.
    pub persona: PersonaName,
    /// What is attempted.
    pub operation: OperationName,
    /// Where.
    pub door: Door,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.persona, self.operation, self.door)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_door_reads_back_from_its_name() {
        for door in Door::ALL {
            assert_eq!(door.name().parse(), Ok(door));
            assert_eq!(Door::ALL[door.index()], door);
            assert_eq!(serde_json::to_string(&door).unwrap(), format!("\"{door}\""));
        }
        let unknown = "grpc".parse::<Door>().unwrap_err();
        assert!(unknown.to_string().starts_with("`grpc` is no door"));
    }

    #[test]
    fn every_door_but_rest_speaks_mcp() {
        assert_eq!(Door::ALL.map(Door::speaks_mcp), [false, true, true]);
    }

    #[test]
    fn a_row_tells_its_persona() {
        let row = PersonaName::by("reader", "inspector");
        assert_eq!(
            (row.as_str(), row.persona()),
            ("reader@inspector", "reader")
        );
        assert_eq!(PersonaName::new("reader").persona(), "reader");
    }

    #[test]
    fn a_cell_is_addressed_persona_operation_door() {
        let cell = Cell {
            persona: PersonaName::new("reader"),
            operation: OperationName::new("deleteProduct"),
            door: Door::McpLegacy,
        };
        assert_eq!(cell.to_string(), "reader/deleteProduct/mcp-legacy");
    }
}
