//! Record in, what the reports say of how much of the deployment its operations name out.

use super::record::Record;
use super::sanitizer::{clean, excerpt};
use crate::judge::Share;

/// The section's name in every report.
pub(super) const NAME: &str = "Coverage";

/// Characters of a name or a reason in a line.
const CAP: usize = 160;

/// How much is named: "6 of 7 routes and 6 of 6 tools are named by an operation."; empty where nothing was compared.
pub(super) fn line(record: &Record) -> String {
    let Some(covered) = record.coverage() else {
        return String::new();
    };
    let shares = [(covered.routes, "routes"), (covered.tools, "tools")];
    let shares = shares
        .into_iter()
        .filter_map(|(share, noun)| Some((share?, noun)));
    let shares: Vec<String> = shares.map(|(share, noun)| told(share, noun)).collect();
    if shares.is_empty() {
        return String::new();
    }
    format!("{} are named by an operation.", shares.join(" and "))
}

fn told(share: Share, noun: &str) -> String {
    format!("{} of {} {noun}", share.named, share.all)
}

/// What the owner leaves out, and why: one line each.
pub(super) fn left_out(record: &Record) -> Vec<String> {
    let left_out = record.coverage().map(|covered| covered.left_out.as_slice());
    let lines = left_out.unwrap_or_default().iter().map(|one| {
        let stale = one.stale.as_deref().map(|why| format!(" (stale: {why})"));
        format!(
            "{}: {}{}",
            excerpt(&one.name, CAP),
            excerpt(&one.reason, CAP),
            clean(&stale.unwrap_or_default())
        )
    });
    lines.collect()
}
