//! How many cells each operation has in, which operations a shard calls out: deterministic, and balanced by cells.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;

/// One of the parts into which a plan is divided so that several machines can call it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// Shards that a plan is divided into at most.
    pub const MOST: u32 = 10_000;

    /// The shard with that number, from 1; `None` where there is none such, or too many of them.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        ((1..=of).contains(&number) && of <= Self::MOST).then_some(Self { number, of })
    }

    /// Which one, from 1.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Of how many.
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Which operations are this shard's: each operation with cells is exactly one shard's, whole, and those without any are
    /// everybody's. The largest are dealt first, each to the shard that has the fewest cells by then, so that no two shards
    /// differ by more than the largest operation has. Nothing but the plan decides.
    pub fn share(self, cells: &[usize]) -> Vec<bool> {
        let mut operations: Vec<usize> = (0..cells.len()).filter(|at| cells[*at] > 0).collect();
        operations.sort_by_key(|at| Reverse(cells[*at]));
        let mut shards: BinaryHeap<Reverse<(usize, u32)>> =
            (1..=self.of).map(|number| Reverse((0, number))).collect();
        let mut share: Vec<bool> = cells.iter().map(|cells| *cells == 0).collect();
        for operation in operations {
            let Some(Reverse((held, number))) = shards.pop() else {
                break;
            };
            share[operation] = number == self.number;
            shards.push(Reverse((held + cells[operation], number)));
        }
        share
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.number, self.of)
    }
}

/// Text that names no shard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoShard;

impl fmt::Display for NoShard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "say which shard of how many, from 1/1 to {0}/{0}, such as 2/5",
            Shard::MOST
        )
    }
}

impl std::error::Error for NoShard {}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (number, of) = text.split_once('/').ok_or(NoShard)?;
        let number = number.trim().parse().ok();
        let of = of.trim().parse().ok();
        number
            .zip(of)
            .and_then(|(number, of)| Self::new(number, of))
            .ok_or(NoShard)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(cells: &[usize], of: u32) -> Vec<Vec<bool>> {
        (1..=of)
            .map(|number| Shard::new(number, of).unwrap().share(cells))
            .collect()
    }

    #[test]
    fn a_shard_is_a_number_of_a_number() {
        let shard: Shard = "2/5".parse().unwrap();
        assert_eq!((shard.number(), shard.of()), (2, 5));
        assert_eq!(shard.to_string(), "shard 2 of 5");
        for wrong in [
            "", "2", "0/3", "4/3", "/3", "2/", "a/b", "1/10001", "-1/3", "1/2/3",
        ] {
            assert_eq!(wrong.parse::<Shard>(), Err(NoShard), "{wrong}");
        }
    }

    #[test]
    fn operations_of_one_size_are_dealt_in_turn() {
        let shares = shares(&[12; 6], 4);
        let held: Vec<Vec<usize>> = shares
            .iter()
            .map(|share| (0..6).filter(|at| share[*at]).collect())
            .collect();
        assert_eq!(held, [vec![0, 4], vec![1, 5], vec![2], vec![3]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// X01 and X02: the shards' shares are the plan, disjoint, and no operation is split.
        #[test]
        fn every_operation_is_exactly_one_shards(cells in proptest::collection::vec(0_usize..20, 0..120)) {
            for of in 1..=50 {
                let shares = shares(&cells, of);
                for (operation, cells) in cells.iter().enumerate() {
                    let holders = shares.iter().filter(|share| share[operation]).count();
                    let demanded = if *cells > 0 { 1 } else { shares.len() };
                    prop_assert_eq!(holders, demanded);
                }
            }
        }

        #[test]
        fn no_two_shards_differ_by_more_than_the_largest_operation(
            cells in proptest::collection::vec(0_usize..20, 0..120),
            of in 1_u32..=50,
        ) {
            let held = |share: Vec<bool>| -> usize {
                cells.iter().zip(share).filter(|(_, own)| *own).map(|(cells, _)| *cells).sum()
            };
            let loads: Vec<usize> = shares(&cells, of).into_iter().map(held).collect();
            let (most, fewest) = (loads.iter().max().unwrap(), loads.iter().min().unwrap());
            prop_assert!(most - fewest <= cells.iter().max().copied().unwrap_or(0), "{loads:?}");
        }
    }
}
