//! Record in, what somebody accepts for a while out: what, where, why, who and until when.

use super::record::{Entry, Record, WaiverFacts};
use super::sanitizer::clean;
use crate::judge::VerdictKind;
use crate::waiver::Fate;

/// The section's name in every report.
pub(super) const NAME: &str = "Waived";

/// The verdict that what became of a waiver weighs like.
pub(super) fn weight(waiver: &WaiverFacts) -> VerdictKind {
    match waiver.fate {
        Fate::Used => VerdictKind::Waived,
        Fate::Stale | Fate::Expired => VerdictKind::Fail,
        Fate::Idle => VerdictKind::Skipped,
    }
}

/// What it accepts: `leak at reader/deleteProduct/mcp`.
pub(super) fn subject(waiver: &WaiverFacts) -> String {
    let stated = &waiver.dated.waiver;
    clean(&stated.what(&stated.places())).into_owned()
}

/// What became of it, in a few words.
pub(super) fn told(record: &Record, waiver: &WaiverFacts) -> String {
    match waiver.fate {
        Fate::Used => match covered(record, waiver).count() {
            0 => "in use".to_owned(),
            1 => "in use, 1 cell".to_owned(),
            count => format!("in use, {count} cells"),
        },
        Fate::Stale => "no longer needed".to_owned(),
        Fate::Expired => "has run out".to_owned(),
        Fate::Idle => "not judged in this run".to_owned(),
    }
}

/// The cells that it covers.
pub(super) fn covered<'r>(
    record: &'r Record,
    waiver: &'r WaiverFacts,
) -> impl Iterator<Item = Entry<'r>> {
    let is_own = |entry: &Entry<'_>| {
        let verdict = entry.heard.verdict();
        let place = verdict.and_then(|verdict| verdict.waiver);
        record
            .waiver(place)
            .is_some_and(|known| std::ptr::eq(known, waiver))
    };
    record.entries().filter(is_own)
}

/// How long it holds: `35 days left`, `the last day`, `ran out 3 days ago`.
pub(super) fn time_left(waiver: &WaiverFacts) -> String {
    let days = |count: u64| format!("{count} day{}", if count == 1 { "" } else { "s" });
    let left = waiver.dated.days_left;
    match left {
        0 => "the last day".to_owned(),
        1.. => format!("{} left", days(left.unsigned_abs())),
        _ => format!("ran out {} ago", days(left.unsigned_abs())),
    }
}
