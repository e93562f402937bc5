//! Record in, one JSON document out (`rolecall.report/1`), streamed in matrix order.

mod page;

use std::io;

use serde_json::{Value, json};

use super::record::{Entry, Record, Tally, WaiverFacts};
use super::sanitizer::{clean, clean_block};
use super::{hand, lists, waivers, wording};
use crate::cell::Door;
use crate::door::{Answer, Observation, Rpc, Tool};
use crate::judge::{Code, Effect, Finding, Hint};
use crate::plan::{Check, Matrix, Row};
use crate::probe::{Checked, Place};
use crate::run::ShardRun;
use crate::run::settling::Settled;
use page::{Escaped, Fields, Page, name, word};

/// The document's schema; additive within its number.
const SCHEMA: &str = "rolecall.report/1";

/// Writes the document, with a line break at its end.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let matrix = record.matrix();
    let standing = record.standing();
    let personas = matrix.personas.iter().enumerate();
    let personas = personas.map(|(at, row)| persona(record, at, row));
    let left_behind = record.left_behind().map(
        |left| json!({"fixture": clean(left.fixture), "object": clean(left.object), "detail": clean(left.detail)}),
    );
    let mut page = Page::open(out)?;
    page.field("schema", SCHEMA)?;
    page.field(
        "tool",
        &json!({"name": "rolecall", "version": clean(record.tool())}),
    )?;
    page.field("scenario", &scenario(record))?;
    page.field("run", &run(record))?;
    page.field("summary", &summary(record))?;
    page.field("standing", standing.name())?;
    page.field("exit_code", &standing.code())?;
    page.field("banner", &banner(record))?;
    page.field("personas", &personas.collect::<Vec<_>>())?;
    page.field(
        "doors",
        &matrix
            .doors
            .iter()
            .map(|door| self::door(record, *door))
            .collect::<Vec<_>>(),
    )?;
    let mut names = Names::of(matrix);
    page.list("cells", record.entries(), |entry, fields| {
        cell(record, &entry, &mut names, fields)
    })?;
    page.field(
        "requirements",
        &record
            .requirements()
            .iter()
            .map(requirement)
            .collect::<Vec<_>>(),
    )?;
    page.field(
        "lists",
        &lists::groups(record).iter().map(list).collect::<Vec<_>>(),
    )?;
    page.field("coverage", &coverage(record))?;
    page.field(
        "findings",
        &record
            .findings()
            .iter()
            .map(|finding| self::finding(record, finding))
            .collect::<Vec<_>>(),
    )?;
    page.field(
        "waivers",
        &record
            .waivers()
            .iter()
            .map(|one| waiver(record, one))
            .collect::<Vec<_>>(),
    )?;
    page.field("left_behind", &left_behind.collect::<Vec<_>>())?;
    page.close()
}

fn scenario(record: &Record) -> Value {
    let mut scenario = json!({"name": clean(record.scenario()), "path": clean(record.path())});
    if let Some(environment) = record.environment() {
        scenario["environment"] = clean(environment).into();
    }
    scenario
}

fn run(record: &Record) -> Value {
    let mut run = json!({
        "id": clean(record.run_id()),
        "started_at": clean(record.started_at()),
        "took_ms": record.took_ms(),
        "complete": record.complete(),
        "settled": record.settled().map(settled),
        "rounds": record.rounds(),
        "only": record.only().iter().map(|text| clean(text)).collect::<Vec<_>>(),
        "ended_after_failures": record.enough(),
        "digest": clean(record.digest()),
    });
    if let Some(shards) = record.shards() {
        let one = |run: &ShardRun| json!({"number": run.number, "run_id": clean(&run.run_id)});
        run["shards"] = json!({
            "of": shards.of,
            "runs": shards.runs.iter().map(one).collect::<Vec<_>>(),
        });
    }
    run
}

fn settled(settled: &Settled) -> Value {
    let late = settled.late.iter().map(
        |late| json!({"cell": clean(&late.cell), "gave": clean(&late.gave), "until_ms": late.until_ms}),
    );
    json!({
        "ready": settled.ready,
        "looks": settled.looks,
        "asked": settled.asked,
        "took_ms": settled.took_ms,
        "late": late.collect::<Vec<_>>(),
    })
}

fn summary(record: &Record) -> Value {
    let mut summary = counts(record.tally());
    summary["controls"] = record.matrix().controls.len().into();
    summary
}

/// How many checks got which word.
pub(super) fn counts(tally: Tally) -> Value {
    json!({
        "checks": tally.checks(),
        "pass": tally.pass,
        "fail": tally.fail,
        "unproven": tally.unproven,
        "skipped": tally.skipped,
        "waived": tally.waived,
    })
}

/// What makes the run as a whole suspect; null where nothing does.
fn banner(record: &Record) -> Value {
    record.uniform().map_or(
        Value::Null,
        |uniform| json!({"kind": uniform.name(), "words": uniform.words()}),
    )
}

fn coverage(record: &Record) -> Value {
    let Some(covered) = record.coverage() else {
        return Value::Null;
    };
    let left_out = covered.left_out.iter().map(|one| {
        let stale = one.stale.as_deref().map(clean);
        json!({"name": clean(&one.name), "reason": clean(&one.reason), "stale": stale})
    });
    json!({
        "document": covered.document.as_deref().map(clean),
        "routes": covered.routes,
        "tools": covered.tools,
        "left_out": left_out.collect::<Vec<_>>(),
    })
}

fn persona(record: &Record, index: usize, row: &Row) -> Value {
    let roles = row
        .roles
        .as_ref()
        .map(|roles| roles.iter().map(|role| clean(role)).collect::<Vec<_>>());
    let token = record.token(index).map(
        |token| json!({"fingerprint": clean(&token.fingerprint), "claims": cleaned(&token.claims)}),
    );
    json!({"name": clean(row.name.as_str()), "roles": roles, "signs_in": row.signs_in, "token": token})
}

fn door(record: &Record, door: Door) -> Value {
    let facts = record.doors().iter().find(|facts| facts.door == door);
    json!({
        "door": door,
        "answers": facts.and_then(|facts| facts.answers),
        "detail": facts.map(|facts| clean(&facts.detail)),
    })
}

/// The names of the matrix as cells carry them, with all that stands between them; that of an operation is spelt when its first
/// cell is written.
struct Names<'r> {
    matrix: &'r Matrix,
    /// By persona.
    before: Vec<String>,
    /// By door and persona, what stands between an operation's name in the address and as a field.
    between: [Vec<String>; 3],
    /// By door, up to what is demanded.
    after: [String; 3],
    /// The operation that the last cell was of, and its name.
    operation: Option<usize>,
    spelt: Escaped,
}

impl<'r> Names<'r> {
    fn of(matrix: &'r Matrix) -> Self {
        let personas = matrix.personas.iter();
        let personas: Vec<Escaped> = personas
            .map(|row| Escaped::of(&clean(row.name.as_str())))
            .collect();
        let (id, who) = (word!("id"), word!("persona"));
        let (what, place, expected) = (word!("operation"), word!("door"), word!("expected"));
        let before = personas.iter().map(|persona| format!("{id}{persona}/"));
        let between = |door: Door| {
            let personas = personas.iter();
            let between = personas.map(|persona| format!("/{door}\"{who}{persona}\"{what}"));
            between.collect()
        };
        Self {
            matrix,
            before: before.collect(),
            between: Door::ALL.map(between),
            after: Door::ALL.map(|door| format!("\"{place}{door}\"{expected}")),
            operation: None,
            spelt: Escaped::default(),
        }
    }

    /// Puts who, what and where, what is demanded, and where that is stated.
    fn put(&mut self, check: &Check<'_>, fields: &mut Fields) {
        if self.operation != Some(check.operation) {
            let column = &self.matrix.operations[check.operation];
            self.operation = Some(check.operation);
            self.spelt = Escaped::of(&clean(column.name.as_str()));
        }
        let (persona, door) = (check.persona, check.door.index());
        fields.put_stretch(&[
            &self.before[persona],
            self.spelt.as_str(),
            &self.between[door][persona],
            self.spelt.as_str(),
            &self.after[door],
            &check.demand.expectation.word(),
            concat!("\"", name!("line")),
        ]);
        fields.put_digits(check.demand.line);
    }
}

/// One cell; what there is nothing to say of is left out.
fn cell(
    record: &Record,
    entry: &Entry<'_>,
    names: &mut Names<'_>,
    fields: &mut Fields,
) -> io::Result<()> {
    let matrix = record.matrix();
    let (check, heard) = (entry.check, entry.heard);
    let (sight, verdict) = (heard.sight(), heard.verdict());
    names.put(&check, fields);
    if let Some(reading) = sight.reading {
        fields.put_word(word!("outcome"), reading.outcome.name());
    }
    fields.put_some(
        name!("signature"),
        sight.reading.and_then(|reading| reading.signature),
    )?;
    let mark = sight.reading.and_then(|reading| reading.fingerprint);
    fields.put_some(
        name!("fingerprint"),
        mark.map(|mark| clean(&mark.name()).into_owned()),
    )?;
    fields.put_some(
        name!("second"),
        sight.second.map(|reading| reading.outcome.name()),
    )?;
    if sight.repeats.are_worth_telling() {
        let repeats = json!({"asked": sight.repeats.asked, "astray": sight.repeats.astray});
        fields.put_nested(name!("repeats"), &repeats)?;
    }
    fields.put_some(
        name!("control"),
        matrix.is_control(check.index).then_some(true),
    )?;
    fields.put_some(name!("gap"), sight.gap)?;
    fields.put_number(name!("status"), sight.status);
    fields.put_word(word!("verdict"), heard.kind().name());
    if let Some(verdict) = verdict {
        fields.put_some(name!("code"), verdict.code.map(Code::name))?;
        let reason = Some(verdict.reason.as_str()).filter(|reason| !reason.is_empty());
        fields.put_some(name!("reason"), reason.map(clean))?;
        fields.put_some(name!("waiver"), verdict.waiver)?;
    }
    let effect = Some(sight.effect).filter(|effect| *effect != Effect::Unchecked);
    fields.put_some(name!("effect"), effect)?;
    fields.put_number(name!("took_ms"), heard.took_ms());
    if !heard.retries().is_empty() {
        let retries = heard.retries().iter().map(|retry| clean(retry));
        let retries: Vec<_> = retries.collect();
        fields.put_nested(name!("retries"), &retries)?;
    }
    if !heard.evidence().is_empty() {
        let evidence: Vec<Value> = heard.evidence().iter().map(observation).collect();
        fields.put_nested(name!("evidence"), &evidence)?;
    }
    Ok(())
}

fn requirement(checked: &Checked) -> Value {
    let place = |place: &Place| {
        json!({
            "door": place.door,
            "state": place.state,
            "why": clean(&place.why),
            "seen": place.seen.as_deref().map(observation),
        })
    };
    json!({
        "id": checked.requirement,
        "title": checked.requirement.title(),
        "level": checked.requirement.level().name(),
        "source": checked.requirement.source(),
        "state": checked.state(),
        "waived": checked.waived.as_deref().map(clean),
        "places": checked.places.iter().map(place).collect::<Vec<_>>(),
    })
}

fn list(group: &lists::Group<'_>) -> Value {
    let tool = |tool: &Tool| {
        json!({
            "name": clean(&tool.name),
            "read_only": tool.read_only,
            "destructive": tool.destructive,
        })
    };
    let shown = group.shown;
    json!({
        "personas": group.personas.iter().map(|name| clean(name)).collect::<Vec<_>>(),
        "doors": group.doors,
        "ended": shown.ended,
        "why": clean(&shown.why),
        "public": shown.public,
        "tools": shown.tools.iter().map(tool).collect::<Vec<_>>(),
    })
}

fn finding(record: &Record, finding: &Finding) -> Value {
    let cells = record
        .covered(finding)
        .map(|entry| clean(&record.matrix().cell(&entry.check).to_string()).into_owned());
    let mut told = json!({
        "code": finding.code.name(),
        "class": finding.code.class().name(),
        "headline": finding.code.headline(),
        "detail": clean(&finding.detail),
        "layer": finding.layer().name(),
        "hint": finding.hint.map(Hint::name),
        "cause": clean(finding.cause()),
        "remedy": clean(finding.remedy()),
        "signature": finding.signature.map(wording::word),
        "requirement": finding.requirement,
        "by_hand": hand::of_finding(record, finding),
        "about": finding.about.iter().map(|name| clean(name)).collect::<Vec<_>>(),
        "waiver": finding.waiver,
        "cells": cells.collect::<Vec<_>>(),
    });
    if let Some(mark) = finding.fingerprint {
        told["fingerprint"] = clean(&mark.name()).into();
    }
    told
}

/// Cells and findings name it by its place in the list.
fn waiver(record: &Record, waiver: &WaiverFacts) -> Value {
    let stated = &waiver.dated.waiver;
    json!({
        "finding": stated.finding,
        "cells": stated.cells.iter().map(|area| clean(&area.to_string()).into_owned()).collect::<Vec<_>>(),
        "about": stated.about.iter().map(|name| clean(name)).collect::<Vec<_>>(),
        "reason": clean(&stated.reason),
        "owner": clean(&stated.owner),
        "until": stated.until,
        "days_left": waiver.dated.days_left,
        "line": stated.line,
        "fate": waiver.fate,
        "covered": waivers::covered(record, waiver).count(),
    })
}

fn observation(observation: &Observation) -> Value {
    let answer = match &observation.answer {
        Answer::Http(answer) => json!({
            "status": answer.status,
            "headers": answer.headers.iter().map(|(name, value)| [clean(name), clean(value)]).collect::<Vec<_>>(),
            "body": clean_block(&answer.body),
            "body_bytes": answer.body_bytes,
            "truncated": answer.truncated,
            "rpc": answer.rpc.as_ref().map(rpc),
        }),
        Answer::None(silence) => json!({"silence": silence}),
    };
    json!({"request": clean(&observation.request), "answer": answer, "took_ms": observation.took_ms})
}

fn rpc(rpc: &Rpc) -> Value {
    match rpc {
        Rpc::Result { is_error, text } => {
            json!({"result": {"is_error": is_error, "text": clean_block(text)}})
        }
        Rpc::Error { code, message } => {
            json!({"error": {"code": code, "message": clean_block(message)}})
        }
        Rpc::Absent => json!("absent"),
    }
}

/// Every text in a value cleaned, names of fields included.
fn cleaned(value: &Value) -> Value {
    match value {
        Value::String(text) => clean(text).into(),
        Value::Array(values) => values.iter().map(cleaned).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (clean(name).into_owned(), cleaned(value)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
