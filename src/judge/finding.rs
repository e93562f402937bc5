//! One coded reason with its cells and its evidence.

use serde::{Deserialize, Serialize};

use super::code::Code;
use super::signature::Signature;

/// One defect, one finding.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// Which kind.
    pub code: Code,
    /// One sentence about this very case, naming personas, operations or doors; redacted.
    pub detail: String,
    /// The recognised signature behind it, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Matrix indices of the cells that it covers, ascending; empty when it is about no cell.
    pub cells: Vec<usize>,
}
