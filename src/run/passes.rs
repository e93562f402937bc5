//! Verdicts of a run in, the stretches of its matrix that simply passed out: of those there is no more to tell.

use std::iter;
use std::ops::Range;

use crate::judge::{Sight, Verdict};
use crate::plan::{Check, Matrix};

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

/// The checks of the matrix that stand in none of these stretches of it, in matrix order.
pub fn others_than<'m>(
    stretches: &[Range<usize>],
    matrix: &'m Matrix,
) -> impl Iterator<Item = Check<'m>> {
    let starts = stretches.iter().map(|stretch| stretch.start);
    let ends = stretches.iter().map(|stretch| stretch.end);
    let between = iter::once(0).chain(ends).zip(starts.chain([matrix.len()]));
    let indices = between.flat_map(|(from, to)| from..to);
    indices.filter_map(|index| matrix.check(index))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Two personas at two doors; the second operation is at one door alone.
    fn matrix() -> Matrix {
        let demand = json!({"expectation": "allow", "line": 1});
        let row = |name: &str| json!({"name": name, "roles": null, "signs_in": true});
        let both = json!([demand, demand, null]);
        let one = json!([null, demand, null]);
        let matrix = json!({
            "personas": [row("reader"), row("admin")],
            "operations": [
                {"name": "list", "mutates": false, "demands": [both, both]},
                {"name": "purge", "mutates": false, "demands": [one, one]},
                {"name": "find", "mutates": false, "demands": [both, one]},
            ],
            "doors": ["rest", "mcp"],
        });
        serde_json::from_value(matrix).unwrap()
    }

    #[test]
    fn every_check_is_in_a_stretch_or_among_the_others() {
        let matrix = matrix();
        let all: Vec<usize> = matrix.checks().map(|check| check.index).collect();
        for pattern in 0..1_usize << matrix.len() {
            let passes = |index: usize| pattern >> index & 1 == 1;
            let stretches = stretches(&matrix, passes);
            let others = others_than(&stretches, &matrix).map(|check| check.index);
            let failing = all.iter().copied().filter(|index| !passes(*index));
            assert!(others.eq(failing), "{pattern:b}");
        }
    }
}
