//! A record and a cell's address in, all that is known of the cell out.

use super::record::{Entry, Record};
use super::sanitizer::clean;
use super::{hand, sight};
use crate::judge::Finding;

/// What was demanded of a cell, what came back, what it means and how to see it by hand; `None` where the record has no
/// cell of that address. Addresses are persona/operation/door.
pub fn of_cell(record: &Record, address: &str) -> Option<String> {
    let matrix = record.matrix();
    let entry = record
        .entries()
        .find(|entry| matrix.cell(&entry.check).to_string() == address)?;
    let mut parts = vec![facts(record, &entry)];
    parts.extend(entry.heard.evidence().iter().map(sight::page));
    let about = |finding: &&Finding| finding.cells.binary_search(&entry.check.index).is_ok();
    parts.extend(record.findings().iter().filter(about).map(told));
    parts.extend(hand::of_entry(record, &entry).map(|lines| format!("by hand\n{lines}")));
    Some(parts.join("\n\n") + "\n")
}

fn facts(record: &Record, entry: &Entry<'_>) -> String {
    let demand = entry.check.demand;
    let verdict = entry.heard.verdict();
    let reason = verdict.map_or("", |verdict| verdict.reason.as_str());
    let mut lines = vec![
        clean(&record.matrix().cell(&entry.check).to_string()).into_owned(),
        String::new(),
        format!(
            "demanded  {} ({}:{})",
            demand.expectation,
            clean(record.path()),
            demand.line
        ),
        format!("got       {}", sight::got(entry)),
        format!("verdict   {}", entry.heard.kind().name()),
    ];
    if !reason.is_empty() {
        lines.push(format!("because   {}", clean(reason)));
    }
    let waiver = verdict.and_then(|verdict| verdict.waiver);
    if let Some(waiver) = record.waiver(waiver) {
        let words = waiver.dated.waiver.words();
        lines.push(format!("waived    {}", clean(&words)));
    }
    lines.join("\n")
}

fn told(finding: &Finding) -> String {
    let lines = [
        format!("{}  {}", finding.code, finding.code.headline()),
        format!("layer     {}", finding.layer().name()),
        format!("cause     {}", clean(finding.cause())),
        format!("fix       {}", clean(finding.remedy())),
    ];
    lines.join("\n")
}
