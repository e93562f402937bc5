//! The word on a cell, with its reason.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code::Code;

/// The word on a cell.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verdict {
    /// Pass, fail, unproven, skipped or waived.
    pub kind: VerdictKind,
    /// The finding that it belongs to; `None` for a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// One sentence: why. Empty for a pass.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The waiver that accepts it, by its place among those of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<u16>,
}

impl Verdict {
    /// What is said of every cell that passed.
    pub const PASS: Self = Self {
        kind: VerdictKind::Pass,
        code: None,
        reason: String::new(),
        waiver: None,
    };
}

/// The five words.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// The demand is met, and a control proves that it means something.
    Pass,
    /// The demand is proven not to be met.
    Fail,
    /// Could not be judged; never green.
    Unproven,
    /// Left out on the user's word.
    Skipped,
    /// A failure that the owner has accepted.
    Waived,
}

impl VerdictKind {
    /// The word's one spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unproven => "unproven",
            Self::Skipped => "skipped",
            Self::Waived => "waived",
        }
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_spelt_as_in_the_record_and_fills_its_column() {
        for (kind, word) in [
            (VerdictKind::Pass, "pass"),
            (VerdictKind::Fail, "fail"),
            (VerdictKind::Unproven, "unproven"),
            (VerdictKind::Skipped, "skipped"),
            (VerdictKind::Waived, "waived"),
        ] {
            assert_eq!(kind.name(), word);
            assert_eq!(serde_json::to_value(kind).unwrap(), word);
            assert_eq!(format!("{kind:9}|"), format!("{word:9}|"));
        }
    }
}
