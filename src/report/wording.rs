//! A value of the record in, the word that reports put for it out.

use serde::Serialize;
use serde_json::Value;

use super::record::Record;
use super::sanitizer::clean;
use crate::judge::{Class, Finding, Signature, VerdictKind};
use crate::plan::Row;

/// The verdict that a finding weighs like.
pub(super) fn weight(finding: &Finding) -> VerdictKind {
    match finding.code.class() {
        _ if finding.waiver.is_some() => VerdictKind::Waived,
        Class::Fail | Class::Residue => VerdictKind::Fail,
        Class::Unproven => VerdictKind::Unproven,
        Class::Note => VerdictKind::Skipped,
    }
}

/// Who gave an answer that is not authorization's, and who is known to answer so.
pub(super) fn answerer(signature: Signature) -> String {
    format!(
        "{} (known from {})",
        signature.words(),
        signature.products()
    )
}

/// What a run of chosen cells says, and what it does not; `None` where all were chosen.
pub(super) fn chosen(record: &Record) -> Option<String> {
    let controls = match record.matrix().controls.len() {
        0 => String::new(),
        1 => ", + 1 control cell without which refusals would prove nothing".to_owned(),
        many => format!(", + {many} control cells without which refusals would prove nothing"),
    };
    let only: Vec<_> = record.only().iter().map(|text| clean(text)).collect();
    (!only.is_empty()).then(|| {
        format!(
            "Only {}{controls}. Requirements, lists of tools, redirects and other ways in were not looked at.",
            only.join(" and ")
        )
    })
}

/// How a run ended that is not complete.
pub(super) fn cut_short(record: &Record) -> String {
    let turns = "before every cell had its turn and its verdict";
    match record.enough() {
        None if record.is_joined() => {
            format!("a shard is missing, or its run ended {turns}")
        }
        None => format!("the run ended {turns}"),
        Some(1) => format!("the run ended at the first failing cell, as it was told, {turns}"),
        Some(most) => {
            format!("the run ended at {most} failing cells, as it was told, {turns}")
        }
    }
}

/// The same with what it means.
pub(super) fn incomplete(record: &Record) -> String {
    format!(
        "INCOMPLETE: {}; what is missing is unproven.",
        cut_short(record)
    )
}

/// The roles as the scenario declares them, each shown as its place wants it; empty where it does not say.
pub(super) fn roles(row: &Row, show: impl Fn(&str) -> String) -> String {
    match &row.roles {
        _ if !row.signs_in => "no token".to_owned(),
        None => String::new(),
        Some(roles) if roles.is_empty() => "no roles".to_owned(),
        Some(roles) => {
            let words: Vec<String> = roles.iter().map(|role| show(role)).collect();
            words.join(", ")
        }
    }
}

/// The kebab-case word under which a value stands in a record.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
