//! Verdicts of a run in, the stretches of its matrix that simply passed out: of those there is no more to tell.

use std::ops::Range;

use crate::judge::{Sight, Verdict};
use crate::plan::Matrix;

/// Whether there is no more to tell of a cell than that it passed.
pub fn simply_passed(verdict: &Verdict, sight: &Sight) -> bool {
    *verdict == Verdict::PASS && !sight.repeats.are_worth_telling()
}

/// The cells that `passes` picks by their index, as stretches of the matrix: what is no cell breaks none.
pub fn stretches(matrix: &Matrix, passes: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut broken = true;
    for check in matrix.checks() {
        let passes = passes(check.index);
        match stretches.last_mut() {
            Some(last) if passes && !broken => last.end = check.index + 1,
            _ if passes => stretches.push(check.index..check.index + 1),
            _ => {}
        }
        broken = !passes;
    }
    stretches
}
