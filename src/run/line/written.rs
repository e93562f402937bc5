//! An event and its place in the record in, the JSON of its line out.

use serde::Serialize;
use serde_json::Result;

use crate::json;
use crate::judge::Reading;
use crate::run::Beginning;
use crate::run::event::{Event, Observed, SCHEMA};

/// A line of the record while it is written.
#[derive(Clone, Copy, Debug)]
pub struct Written<'l> {
    /// What all lines of the run begin with.
    pub head: &'l Head,
    /// Position in the record, from 0.
    pub seq: u64,
    /// When it was said.
    pub at: &'l Moment,
    /// What happened.
    pub event: &'l Event,
}

/// What all lines of a run begin with.
#[derive(Clone, Debug)]
pub struct Head(String);

impl Head {
    /// That of the run with this id.
    pub fn of(run_id: &str) -> Self {
        let mut json = format!(r#"{{"schema":"{SCHEMA}","run_id":"#);
        json::put_text(&mut json, run_id);
        json.push_str(r#","seq":"#);
        Self(json)
    }
}

/// When lines are said: many are within the same millisecond.
#[derive(Clone, Debug, Default)]
pub struct Moment(String);

impl Moment {
    /// That of an RFC 3339 time in UTC, milliseconds.
    pub fn of(at: &str) -> Self {
        let mut moment = Self::default();
        moment.set(at);
        moment
    }

    /// Takes another time, in the room of the last.
    pub fn set(&mut self, at: &str) {
        self.0.clear();
        put_text(&mut self.0, r#","at":"#, at);
    }
}

impl Written<'_> {
    /// Puts the line's JSON, without a line break.
    ///
    /// # Errors
    /// None: an event has string keys and no failing serializer.
    pub fn put(&self, json: &mut String) -> Result<()> {
        json.push_str(&self.head.0);
        json::put_number(json, self.seq);
        json.push_str(&self.at.0);
        match self.event {
            Event::CellObserved(seen) => put_observed(json, seen),
            Event::RunStarted(beginning) => put_beginning(json, beginning),
            event => {
                let joint = json.len();
                json::put(json, event)?;
                // The event's object goes on where that of the line has stopped.
                json.replace_range(joint..=joint, ",");
                Ok(())
            }
        }
    }
}

fn put_observed(json: &mut String, seen: &Observed) -> Result<()> {
    // Named one by one, so that a field more cannot be forgotten.
    let Observed {
        persona,
        operation,
        door,
        status,
        reading,
        second,
        effect,
        gap,
        retries,
        took_ms,
        evidence,
    } = seen;
    json.push_str(r#","type":"cell.observed","persona":""#);
    json::put_escaped(json, persona.as_str());
    json.push_str(r#"","operation":""#);
    json::put_escaped(json, operation.as_str());
    json.push_str(r#"","door":""#);
    json.push_str(door.name());
    json.push_str(r#"","status":"#);
    json::put_number(json, *status);
    put_reading(json, r#","reading":"#, reading.as_ref())?;
    if second.is_some() {
        put_reading(json, r#","second":"#, second.as_ref())?;
    }
    json.push_str(r#","effect":""#);
    json.push_str(effect.name());
    json.push('"');
    put_some(json, r#","gap":"#, gap.as_ref())?;
    put_some(json, r#","retries":"#, some(retries))?;
    json.push_str(r#","took_ms":"#);
    json::put_number(json, *took_ms);
    put_some(json, r#","evidence":"#, some(evidence))?;
    json.push('}');
    Ok(())
}

#[inline]
fn put_reading(json: &mut String, before: &str, reading: Option<&Reading>) -> Result<()> {
    match reading {
        // Named one by one here, too.
        Some(Reading {
            outcome,
            signature: None,
            fingerprint: None,
        }) => {
            json.push_str(before);
            json.push_str(r#"{"outcome":""#);
            json.push_str(outcome.name());
            json.push_str(r#""}"#);
            Ok(())
        }
        reading => put_some(json, before, reading),
    }
}

fn put_beginning(json: &mut String, beginning: &Beginning) -> Result<()> {
    let Beginning {
        tool,
        scenario,
        path,
        digest,
        matrix,
        mcp_refuses,
        fixtures,
        rounds,
        only,
        partial,
        shards,
        environment,
        deployment,
        tools,
        undeclared,
        left_out,
    } = beginning;
    put_text(json, r#","type":"run.started","tool":"#, tool);
    put_text(json, r#","scenario":"#, scenario);
    put_text(json, r#","path":"#, path);
    put_text(json, r#","digest":"#, digest);
    json.push_str(r#","matrix":"#);
    matrix.put(json)?;
    put_some(json, r#","mcp_refuses":"#, Some(mcp_refuses))?;
    put_some(
        json,
        r#","fixtures":"#,
        Some(fixtures).filter(|it| !it.is_empty()),
    )?;
    put_some(
        json,
        r#","rounds":"#,
        Some(rounds).filter(|rounds| **rounds != 1),
    )?;
    put_some(json, r#","only":"#, some(only))?;
    put_some(
        json,
        r#","partial":"#,
        Some(partial).filter(|partial| **partial),
    )?;
    put_some(json, r#","shards":"#, shards.as_ref())?;
    put_some(json, r#","environment":"#, environment.as_ref())?;
    put_text(json, r#","deployment":"#, deployment);
    put_some(json, r#","tools":"#, some(tools))?;
    put_some(json, r#","undeclared":"#, Some(undeclared))?;
    put_some(json, r#","left_out":"#, some(left_out))?;
    json.push('}');
    Ok(())
}

fn some<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

/// Puts what stands before the value of a field, and the value, where there is one.
#[inline]
fn put_some(
    json: &mut String,
    before: &str,
    value: Option<&(impl Serialize + ?Sized)>,
) -> Result<()> {
    value.map_or(Ok(()), |value| {
        json.push_str(before);
        json::put(json, value)
    })
}

/// The same of a text.
#[inline]
fn put_text(json: &mut String, before: &str, text: &str) {
    json.push_str(before);
    json::put_text(json, text);
}
