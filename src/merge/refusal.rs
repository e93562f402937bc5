//! Why records cannot be joined, in words.

use std::error::Error;
use std::fmt;
use std::io;

use crate::report::record::Unreadable;
use crate::report::sanitizer::clean;

/// Why records cannot be joined.
#[derive(Debug)]
pub enum Refusal {
    /// There is nothing to join.
    Nothing,
    /// One of them is no record.
    Unreadable {
        /// Which.
        name: String,
        /// Why.
        cause: Unreadable,
    },
    /// A line of a record is of a run that the record does not name.
    Foreign {
        /// Which.
        name: String,
        /// The line, from 1.
        number: u64,
    },
    /// One of them names shards that cannot be.
    NoShards {
        /// Which.
        name: String,
    },
    /// Two of them are not of the same plan, deployment or tool.
    Differ {
        /// What differs.
        what: Difference,
        /// The one.
        one: Told,
        /// The other.
        other: Told,
    },
    /// The same shard was called by two runs.
    Twice {
        /// Which shard.
        number: u32,
        /// The one: its run.
        one: Told,
        /// The other.
        other: Told,
    },
    /// Two shards tell of the same operation.
    Overlap {
        /// Which one told of it second.
        name: String,
    },
    /// What was joined could not be written.
    Unwritten(io::Error),
}

/// What two records do not agree about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Difference {
    /// What is sent or demanded.
    Plan,
    /// The scenario's name.
    Scenario,
    /// The addresses of the doors.
    Deployment,
    /// The environment that the scenario was read for.
    Environment,
    /// How many shards the plan is divided into.
    Shards,
    /// How often every cell is called.
    Rounds,
    /// What somebody accepts for a while.
    Waivers,
    /// The version of rolecall.
    Tool,
    /// Who the personas are.
    Personas,
}

impl Difference {
    fn words(self) -> &'static str {
        match self {
            Self::Plan => "are of different plans, so they sent or demanded different things",
            Self::Scenario => "are of different scenarios",
            Self::Deployment => "are of different deployments: the addresses of their doors differ",
            Self::Environment => "are of different environments",
            Self::Shards => "divide the plan into different numbers of shards",
            Self::Rounds => "call their cells in different numbers of rounds",
            Self::Waivers => "state different waivers",
            Self::Tool => "were written by different versions of rolecall",
            Self::Personas => "know different personas",
        }
    }
}

/// What one of two records says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// Which record.
    pub name: String,
    /// What it says.
    pub says: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no record to join"),
            Self::Unreadable { name, cause } => write!(f, "{name}: {cause}"),
            Self::Foreign { name, number } => {
                write!(f, "{name}: line {number} is of another run than the record")
            }
            Self::NoShards { name } => write!(f, "{name}: it names shards that cannot be"),
            Self::Differ { what, one, other } => write!(
                f,
                "{} and {} {} ({} and {})",
                one.name,
                other.name,
                what.words(),
                clean(&one.says),
                clean(&other.says)
            ),
            Self::Twice { number, one, other } => write!(
                f,
                "shard {number} is there twice, as run {} ({}) and as run {} ({}); leave one of them out",
                clean(&one.says),
                one.name,
                clean(&other.says),
                other.name
            ),
            Self::Overlap { name } => {
                write!(f, "{name}: it tells of cells that another shard has, too")
            }
            Self::Unwritten(_) => f.write_str("the joined record could not be written"),
        }
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { cause, .. } => Some(cause),
            Self::Unwritten(cause) => Some(cause),
            Self::Nothing
            | Self::Foreign { .. }
            | Self::NoShards { .. }
            | Self::Differ { .. }
            | Self::Twice { .. }
            | Self::Overlap { .. } => None,
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}
