//! Verdicts in, how many there are of each out.

use std::fmt;

use crate::judge::VerdictKind;

/// How many checks got which word.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Met, and proven so.
    pub pass: usize,
    /// Proven not to be met.
    pub fail: usize,
    /// Could not be judged.
    pub unproven: usize,
    /// Left out on the user's word.
    pub skipped: usize,
    /// Failures that the owner has accepted.
    pub waived: usize,
}

impl Tally {
    /// All of them.
    pub const fn checks(self) -> usize {
        self.pass + self.fail + self.unproven + self.skipped + self.waived
    }

    /// The count of one word.
    pub const fn of(self, kind: VerdictKind) -> usize {
        match kind {
            VerdictKind::Pass => self.pass,
            VerdictKind::Fail => self.fail,
            VerdictKind::Unproven => self.unproven,
            VerdictKind::Skipped => self.skipped,
            VerdictKind::Waived => self.waived,
        }
    }
}

impl FromIterator<VerdictKind> for Tally {
    fn from_iter<I: IntoIterator<Item = VerdictKind>>(kinds: I) -> Self {
        let mut tally = Self::default();
        for kind in kinds {
            match kind {
                VerdictKind::Pass => tally.pass += 1,
                VerdictKind::Fail => tally.fail += 1,
                VerdictKind::Unproven => tally.unproven += 1,
                VerdictKind::Skipped => tally.skipped += 1,
                VerdictKind::Waived => tally.waived += 1,
            }
        }
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = self.checks();
        let noun = if checks == 1 { "check" } else { "checks" };
        write!(
            f,
            "{checks} {noun}: {} pass · {} fail · {} unproven",
            self.pass, self.fail, self.unproven
        )?;
        for kind in [VerdictKind::Skipped, VerdictKind::Waived] {
            if self.of(kind) > 0 {
                write!(f, " · {} {kind}", self.of(kind))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rare_is_told_only_where_it_happens() {
        use VerdictKind::{Fail, Pass, Skipped, Unproven, Waived};
        let tally: Tally = [Pass, Pass, Fail, Unproven].into_iter().collect();
        assert_eq!(tally.to_string(), "4 checks: 2 pass · 1 fail · 1 unproven");
        let tally: Tally = [Pass, Skipped, Skipped, Waived].into_iter().collect();
        assert_eq!(
            tally.to_string(),
            "4 checks: 1 pass · 0 fail · 0 unproven · 2 skipped · 1 waived"
        );
        let tally: Tally = [Pass].into_iter().collect();
        assert_eq!(tally.to_string(), "1 check: 1 pass · 0 fail · 0 unproven");
    }
}
