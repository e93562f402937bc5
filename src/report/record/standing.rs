//! A record in, what it says as a whole out.

use super::Record;
use crate::judge::Class;

/// What a record says as a whole, with the exit code that it alone would give as its number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Standing {
    /// Every check passed, or was left out or waived on the owner's word. A shard that has no checks conforms as well:
    /// the others have them.
    Conforms = 0,
    /// At least one check or token is proven wrong.
    Failed = 1,
    /// Nothing is proven wrong, but not everything could be judged, or the run is incomplete.
    Unproven = 3,
    /// There was nothing to check.
    NothingSelected = 4,
    /// Nothing is proven wrong, but objects of the run are not known to be gone.
    LeftBehind = 5,
}

impl Standing {
    /// Weighs a record, the gravest first.
    pub(super) fn of(record: &Record) -> Self {
        let tally = record.tally();
        let found = |class: Class| {
            record
                .findings()
                .iter()
                .any(|finding| finding.code.class() == class && finding.waiver.is_none())
        };
        if tally.fail > 0 || found(Class::Fail) {
            Self::Failed
        } else if record.left_behind().next().is_some() {
            Self::LeftBehind
        } else if tally.unproven > 0 || found(Class::Unproven) || !record.complete() {
            Self::Unproven
        } else if tally.pass + tally.waived == 0 && !record.is_part() {
            Self::NothingSelected
        } else {
            Self::Conforms
        }
    }

    /// The word in machine-readable reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Failed => "failed",
            Self::Unproven => "unproven",
            Self::NothingSelected => "nothing-selected",
            Self::LeftBehind => "left-behind",
        }
    }

    /// The exit code that the record alone would give.
    pub const fn code(self) -> u8 {
        self as u8
    }
}
