//! Matrices of shards in, one after the other, the matrix of all of them out: no two are held at once.

use std::collections::BTreeSet;

use crate::cell::Door;
use crate::plan::Matrix;

/// The matrix of the shards so far.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// With every door that there can be.
    matrix: Matrix,
    doors: BTreeSet<Door>,
    /// How many calls of the whole plan each persona may make at each door.
    rights: Vec<[u32; 3]>,
    /// Indices of control cells.
    controls: BTreeSet<usize>,
}

/// Two shards tell of the same operation differently.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlap;

impl Shape {
    /// Takes the operations of one more shard of the same plan.
    ///
    /// # Errors
    /// Another shard tells of one of them differently.
    pub(super) fn take(&mut self, own: Matrix) -> Result<(), Overlap> {
        let rights = own.rights();
        self.rights.resize(rights.len(), [0; 3]);
        for (known, own) in self.rights.iter_mut().zip(rights) {
            *known = [0, 1, 2].map(|door| known[door].max(own[door]));
        }
        self.doors.extend(&own.doors);
        if self.matrix.doors.is_empty() {
            self.matrix.doors = Door::ALL.to_vec();
            self.matrix.personas.clone_from(&own.personas);
        }
        let checks = own.controls.iter().filter_map(|index| own.check(*index));
        self.controls
            .extend(checks.filter_map(|check| self.matrix.index_of(&check)));
        self.take_columns(own)
    }

    fn take_columns(&mut self, own: Matrix) -> Result<(), Overlap> {
        if self.matrix.operations.is_empty() {
            self.matrix.operations = own.operations;
            return Ok(());
        }
        let columns = self.matrix.operations.iter_mut().zip(own.operations);
        for (known, column) in columns.filter(|(_, column)| !column.is_elsewhere()) {
            if known.is_elsewhere() {
                *known = column;
            } else if *known != column {
                return Err(Overlap);
            }
        }
        Ok(())
    }

    /// Every operation from whoever calls it, at every door that one of them found.
    pub(super) fn matrix(self) -> Matrix {
        let (every, doors) = (self.matrix, self.doors.into_iter().collect());
        let mut joint = Matrix {
            personas: every.personas.clone(),
            operations: every.operations.clone(),
            doors,
            ..Matrix::default()
        };
        let controls = self.controls.iter();
        let controls = controls.filter_map(|index| joint.index_of(&every.check(*index)?));
        joint.controls = controls.collect();
        let own = joint.rights();
        let others = self.rights.iter().zip(own);
        let others =
            others.map(|(whole, own)| [0, 1, 2].map(|door| whole[door].saturating_sub(own[door])));
        let others: Vec<[u32; 3]> = others.collect();
        if others.iter().flatten().any(|count| *count > 0) {
            joint.elsewhere = others;
        }
        joint
    }
}
