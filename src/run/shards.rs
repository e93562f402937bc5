//! The runs that called the shards of a plan in, which of them are there and which are missing out.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::plan::Shard;

/// Which shards of a plan a record tells of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Shards {
    /// How many shards the plan is divided into.
    pub of: u32,
    /// Those that the record tells of, in order.
    pub runs: Vec<ShardRun>,
}

/// The run that called a shard.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ShardRun {
    /// Which shard, from 1.
    pub number: u32,
    /// The run's id.
    pub run_id: String,
}

impl Shards {
    /// The one shard that a run calls.
    pub fn of_run(shard: Shard, run_id: &str) -> Self {
        let run = ShardRun {
            number: shard.number(),
            run_id: run_id.to_owned(),
        };
        Self {
            of: shard.of(),
            runs: vec![run],
        }
    }

    /// Whether all shards of the plan are there.
    pub fn is_whole(&self) -> bool {
        self.missing().next().is_none()
    }

    /// The shards that are not there, in order.
    pub fn missing(&self) -> impl Iterator<Item = u32> + use<> {
        let held: BTreeSet<u32> = self.runs.iter().map(|run| run.number).collect();
        (1..=self.of).filter(move |number| !held.contains(number))
    }
}

/// "shard 2 of 5", "shards 1 and 2 of 5", "all 5 shards".
impl fmt::Display for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.runs.iter().map(|run| run.number).collect::<Vec<_>>();
        if self.is_whole() && self.of > 1 {
            write!(f, "all {} shards", self.of)
        } else {
            write!(f, "{} of {}", named(&numbers), self.of)
        }
    }
}

/// "shard 2", "shards 1 and 2", "shards 1, 2 and 7".
pub fn named(numbers: &[u32]) -> String {
    let words: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, [])) => format!("shard {last}"),
        Some((last, others)) => format!("shards {} and {last}", others.join(", ")),
        None => "no shard".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(of: u32, numbers: &[u32]) -> Shards {
        let run = |number: &u32| ShardRun {
            number: *number,
            run_id: String::new(),
        };
        Shards {
            of,
            runs: numbers.iter().map(run).collect(),
        }
    }

    #[test]
    fn what_is_there_is_told_in_words() {
        assert_eq!(shards(5, &[2]).to_string(), "shard 2 of 5");
        assert_eq!(shards(5, &[1, 2, 4]).to_string(), "shards 1, 2 and 4 of 5");
        assert_eq!(shards(2, &[1, 2]).to_string(), "all 2 shards");
        assert_eq!(shards(1, &[1]).to_string(), "shard 1 of 1");
    }

    #[test]
    fn what_is_missing_is_known() {
        assert!(shards(3, &[1, 2, 3]).is_whole());
        assert_eq!(shards(4, &[1, 3]).missing().collect::<Vec<_>>(), [2, 4]);
    }
}
