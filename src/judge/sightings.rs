//! What was seen of every cell in, the same of any of them out; what was seen alike is kept once.

use std::collections::HashMap;
use std::ops::Index;

use foldhash::fast::RandomState;

use super::roll::Sight;

/// What was seen of every cell, by matrix index. Of many cells most were seen alike.
#[derive(Clone, Debug)]
pub struct Sightings {
    kinds: Vec<Sight>,
    /// Every cell is looked up here, by many small numbers.
    known: HashMap<Sight, u32, RandomState>,
    /// By matrix index: which of the kinds.
    of: Vec<u32>,
}

/// What was seen of every cell, to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Sights<'s> {
    kinds: &'s [Sight],
    /// By matrix index: which of the kinds; `None` where each cell has its own.
    of: Option<&'s [u32]>,
}

impl Sightings {
    /// So many cells, all seen alike.
    pub fn all(sight: Sight, count: usize) -> Self {
        Self {
            kinds: vec![sight],
            known: [(sight, 0)].into_iter().collect(),
            of: vec![0; count],
        }
    }

    /// Keeps what was seen of a cell; nothing where there is no such cell.
    pub fn set(&mut self, index: usize, sight: Sight) {
        let next = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
        let kind = *self.known.entry(sight).or_insert(next);
        if kind == next {
            self.kinds.push(sight);
        }
        if let Some(of) = self.of.get_mut(index) {
            *of = kind;
        }
    }

    /// Whether some cell may have been seen so; where not, none was.
    pub fn may_hold(&self, is_so: impl FnMut(&Sight) -> bool) -> bool {
        self.kinds.iter().any(is_so)
    }

    /// All of them.
    pub fn view(&self) -> Sights<'_> {
        Sights {
            kinds: &self.kinds,
            of: Some(&self.of),
        }
    }
}

impl Index<usize> for Sightings {
    type Output = Sight;

    fn index(&self, index: usize) -> &Sight {
        &self.kinds[self.of[index] as usize]
    }
}

impl<'s> Sights<'s> {
    /// These, by matrix index.
    pub const fn of(sights: &'s [Sight]) -> Self {
        Self {
            kinds: sights,
            of: None,
        }
    }

    /// What was seen of a cell; `None` where the run does not know of it.
    pub fn get(&self, index: usize) -> Option<Sight> {
        let kind = match self.of {
            Some(of) => *of.get(index)? as usize,
            None => index,
        };
        self.kinds.get(kind).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(status: u16) -> Sight {
        Sight {
            status,
            ..Sight::default()
        }
    }

    #[test]
    fn each_cell_has_what_was_seen_of_it_last_and_kinds_are_kept_once() {
        let mut sightings = Sightings::all(sight(0), 5);
        for (index, status) in [(0, 200), (1, 403), (2, 200), (3, 403), (3, 200), (9, 401)] {
            sightings.set(index, sight(status));
        }
        let seen: Vec<u16> = (0..5).map(|index| sightings[index].status).collect();
        assert_eq!(seen, [200, 403, 200, 200, 0]);
        assert_eq!(sightings.kinds.len(), 4);
        assert!(sightings.may_hold(|sight| sight.status == 401));
        assert!(!sightings.may_hold(|sight| sight.status == 404));
        let view = sightings.view();
        assert_eq!(view.get(1), Some(sight(403)));
        assert_eq!(view.get(5), None);
        let own = [sight(1), sight(2)];
        assert_eq!(Sights::of(&own).get(1), Some(sight(2)));
        assert_eq!(Sights::of(&own).get(2), None);
    }
}
