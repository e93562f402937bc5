//! Plans, answers and divisions at random in, what their joined records say beside the undivided one's out.

use std::io::Cursor;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cell::{Door, OperationName, PersonaName};
use crate::judge::{Code, Finding, Gap, Outcome, Reading, Sight, Verdict};
use crate::plan::{Column, Matrix, Row, Shard};
use crate::run::event::Observed;
use crate::run::line::Line;
use crate::run::{Beginning, Event, Shards};
use crate::scenario::{Demand, Expectation, RefusalShape, Undeclared};

const DIGEST: &str = "0123456789abcdef";

/// A plan with what every call of it gets.
#[derive(Clone, Debug)]
struct World {
    matrix: Matrix,
    sights: Vec<Sight>,
}

fn any_expectation() -> impl Strategy<Value = Option<Expectation>> {
    prop::sample::select(vec![
        Some(Expectation::Allow),
        Some(Expectation::Allow),
        Some(Expectation::Forbidden),
        Some(Expectation::Unauthenticated),
        Some(Expectation::Deny),
        None,
    ])
}

fn any_sight() -> impl Strategy<Value = Sight> {
    let outcome = prop::sample::select(&Outcome::ALL[..]);
    let second = prop::option::weighted(0.1, prop::sample::select(&Outcome::ALL[..]));
    let gap = prop::option::weighted(
        0.1,
        prop::sample::select(vec![
            Gap::SignInFailed,
            Gap::NotPermitted,
            Gap::FixtureFailed,
        ]),
    );
    let status = prop::sample::select(vec![200_u16, 401, 403, 404, 500]);
    (outcome, second, gap, status).prop_map(|(outcome, second, gap, status)| Sight {
        reading: gap.is_none().then(|| Reading::plain(outcome)),
        status,
        second: second.filter(|_| gap.is_none()).map(Reading::plain),
        gap,
        ..Sight::default()
    })
}

prop_compose! {
    fn any_world()(operations in 1_usize..12, personas in 1_usize..4)(
        demands in prop::collection::vec(any_expectation(), operations * personas * 3),
        sights in prop::collection::vec(any_sight(), operations * personas * 3),
        operations in Just(operations),
        personas in Just(personas),
    ) -> World {
        World { matrix: matrix(operations, personas, &demands), sights }
    }
}

fn matrix(operations: usize, personas: usize, demands: &[Option<Expectation>]) -> Matrix {
    let row = |index: usize| Row {
        name: PersonaName::new(format!("p{index}")),
        roles: None,
        signs_in: index > 0,
    };
    let demand = |at: usize| {
        demands[at].clone().map(|expectation| Demand {
            expectation,
            line: 1,
        })
    };
    let column = |operation: usize| Column {
        name: OperationName::new(format!("o{operation}")),
        mutates: false,
        demands: (0..personas)
            .map(|persona| {
                [0, 1, 2].map(|door| demand((operation * 3 + door) * personas + persona))
            })
            .collect(),
    };
    Matrix {
        personas: (0..personas).map(row).collect(),
        operations: (0..operations).map(column).collect(),
        doors: Door::ALL.to_vec(),
        ..Matrix::default()
    }
}

/// How a run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Whole,
    Stopped,
    Killed,
}

impl World {
    fn share(&self, shard: Shard) -> Matrix {
        let mut cells = vec![0; self.matrix.operations.len()];
        for check in self.matrix.checks() {
            cells[check.operation] += 1;
        }
        self.matrix.clone().part(&shard.share(&cells))
    }

    /// The record that a run of a shard leaves; `None` is the run of the whole plan.
    fn record(&self, shard: Option<Shard>, end: End) -> Vec<u8> {
        let matrix = shard.map_or_else(|| self.matrix.clone(), |shard| self.share(shard));
        let number = shard.map_or(0, Shard::number);
        let run_id = format!("run-{number}");
        let mut events = vec![Event::RunStarted(Box::new(Beginning {
            tool: "0".to_owned(),
            scenario: "s".to_owned(),
            path: "s.yaml".to_owned(),
            digest: DIGEST.to_owned(),
            matrix: Arc::new(matrix.clone()),
            mcp_refuses: RefusalShape::Http,
            shards: shard.map(|shard| Shards::of_run(shard, &run_id)),
            environment: None,
            deployment: "d".to_owned(),
            tools: vec![None; matrix.operations.len()],
            undeclared: Undeclared::Fail,
            fixtures: String::new(),
            left_out: Vec::new(),
            rounds: 1,
            only: Vec::new(),
            partial: false,
        }))];
        let reached = match end {
            End::Whole | End::Stopped => usize::MAX,
            End::Killed => matrix.checks().count() / 2,
        };
        events.extend(
            matrix
                .checks()
                .take(reached)
                .map(|check| observed(&matrix, check.index, self.sights[check.index])),
        );
        if end != End::Killed {
            // Verdicts of a shard are its own word alone.
            let cells = std::iter::once(0..matrix.len()).collect();
            events.push(Event::CellsPassed { cells });
            let stale = Finding::new(
                Code::TokenStale,
                "p1: old",
                matrix.checks().map(|check| check.index).collect(),
            );
            events.push(Event::FindingMade(stale));
            events.push(Event::RunFinished {
                complete: end == End::Whole,
                enough: None,
                took_ms: u64::from(number) * 1000,
            });
        }
        lines(&run_id, u64::from(number), events)
    }

    fn shards(&self, of: u32) -> Vec<Vec<u8>> {
        (1..=of)
            .map(|number| self.record(Shard::new(number, of), End::Whole))
            .collect()
    }
}

fn observed(matrix: &Matrix, index: usize, sight: Sight) -> Event {
    let cell = matrix.cell(&matrix.check(index).unwrap());
    Event::CellObserved(Observed {
        persona: cell.persona,
        operation: cell.operation,
        door: cell.door,
        status: sight.status,
        reading: sight.reading,
        second: sight.second,
        effect: sight.effect,
        gap: sight.gap,
        retries: Vec::new(),
        took_ms: 1,
        evidence: Vec::new(),
    })
}

fn lines(run_id: &str, minute: u64, events: Vec<Event>) -> Vec<u8> {
    let mut text = String::new();
    for (seq, event) in (0..).zip(events) {
        let line = Line {
            run_id: run_id.to_owned(),
            seq,
            at: format!("2026-01-01T00:{minute:02}:00.000Z"),
            event,
        };
        line.put(&mut text).unwrap();
        text.push('\n');
    }
    text.into_bytes()
}

fn joined(records: &[Vec<u8>]) -> Result<(Record, Vec<u8>), Refusal> {
    let source = |(at, text): (usize, &Vec<u8>)| Source {
        name: format!("{at}.jsonl"),
        lines: Cursor::new(text.clone()),
    };
    let mut sources: Vec<_> = records.iter().enumerate().map(source).collect();
    let mut out = Vec::new();
    let record = merge(&mut sources, &mut out)?;
    Ok((record, out))
}

/// Verdicts, and findings with their cells: what a record says.
fn said(record: &Record) -> (Vec<Option<Verdict>>, Vec<Finding>) {
    let verdicts = record.entries().map(|entry| entry.heard.verdict().cloned());
    (verdicts.collect(), record.findings().to_vec())
}

fn whole(world: &World) -> Record {
    let (record, _) = joined(&[world.record(None, End::Whole)]).unwrap();
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// X03: what the joined shards say is what the undivided run says, and the written record says it again.
    #[test]
    fn joined_shards_say_what_the_whole_run_says(world in any_world(), of in 1_u32..=50) {
        let (record, text) = joined(&world.shards(of)).unwrap();
        let expected = whole(&world);
        prop_assert_eq!(said(&record), said(&expected));
        prop_assert_eq!(record.standing(), expected.standing());
        let read = Record::read(text.as_slice()).unwrap();
        prop_assert_eq!(said(&read), said(&record));
        prop_assert_eq!((read.standing(), read.took_ms()), (record.standing(), record.took_ms()));
    }

    /// X04: neither the order nor what was joined before makes a difference to a byte.
    #[test]
    fn joining_knows_no_order(
        world in any_world(),
        of in 2_u32..=9,
        order in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        end in prop::sample::select(vec![End::Whole, End::Stopped, End::Killed]),
    ) {
        let mut shards = world.shards(of);
        let last = shards.len() - 1;
        shards[last] = world.record(Shard::new(of, of), end);
        let (_, at_once) = joined(&shards).unwrap();
        let turn = order.index(shards.len());
        shards.rotate_left(turn);
        let (_, turned) = joined(&shards).unwrap();
        prop_assert_eq!(&turned, &at_once);
        let (some, others) = shards.split_at(1 + cut.index(shards.len() - 1));
        let (_, first) = joined(some).unwrap();
        let (_, second) = joined(others).unwrap();
        let (_, twice) = joined(&[second, first.clone(), first]).unwrap();
        prop_assert_eq!(twice, at_once);
    }

    /// X05: what is missing or did not end is never green, and is told.
    #[test]
    fn without_one_shard_the_joined_run_is_incomplete(world in any_world(), of in 2_u32..=9) {
        let mut shards = world.shards(of);
        shards.remove(1);
        let (record, _) = joined(&shards).unwrap();
        prop_assert!(!record.complete());
        let told = record.findings().iter().any(|finding| {
            finding.code == Code::Incomplete && finding.detail == format!("shard 2 of {of} is missing")
        });
        prop_assert!(told, "{:?}", record.findings());
    }
}

/// One persona may, one may not; every answer is as demanded.
fn sound() -> World {
    let demands: Vec<Option<Expectation>> = (0..4)
        .flat_map(|_| {
            let row = [Expectation::Unauthenticated, Expectation::Allow];
            [row.clone(), row.clone(), row].concat()
        })
        .map(Some)
        .collect();
    let sights = demands.iter().map(|demand| {
        let (outcome, status) = match demand {
            Some(Expectation::Allow) => (Outcome::Granted, 200),
            _ => (Outcome::Unauthenticated, 401),
        };
        Sight {
            reading: Some(Reading::plain(outcome)),
            status,
            ..Sight::default()
        }
    });
    World {
        sights: sights.collect(),
        matrix: matrix(4, 2, &demands),
    }
}

fn refusal(records: &[Vec<u8>]) -> String {
    joined(records).unwrap_err().to_string()
}

fn shard(number: u32, of: u32, end: End) -> Vec<u8> {
    sound().record(Shard::new(number, of), end)
}

fn altered(record: &[u8], old: &str, new: &str) -> Vec<u8> {
    let text = String::from_utf8(record.to_vec()).unwrap();
    assert!(text.contains(old), "{old}");
    text.replace(old, new).into_bytes()
}

#[test]
fn the_shards_of_a_sound_run_conform() {
    let (record, _) = joined(&sound().shards(3)).unwrap();
    assert!(record.complete());
    assert_eq!(record.tally().pass, 24);
    assert_eq!(record.standing().code(), 0);
    assert_eq!(record.took_ms(), Some(120_000));
    let stale: Vec<_> = record
        .findings()
        .iter()
        .map(|one| one.cells.len())
        .collect();
    assert_eq!(stale, [24], "said by three, told once");
}

#[test]
fn records_that_do_not_belong_together_are_not_joined() {
    let (one, two) = (shard(1, 2, End::Whole), shard(2, 2, End::Whole));
    let again = altered(&one, "run-1", "run-9");
    let table = [
        (
            altered(&two, DIGEST, "f"),
            "0.jsonl and 1.jsonl are of different plans",
        ),
        (
            altered(&two, "\"deployment\":\"d\"", "\"deployment\":\"e\""),
            "are of different deployments",
        ),
        (
            altered(&two, "\"tool\":\"0\"", "\"tool\":\"1\""),
            "different versions of rolecall (0 and 1)",
        ),
        (
            altered(&two, "\"scenario\":\"s\"", "\"scenario\":\"t\""),
            "are of different scenarios",
        ),
        (altered(&two, "p1", "p2"), "know different personas"),
        (
            shard(2, 3, End::Whole),
            "different numbers of shards (2 and 3)",
        ),
        (
            again,
            "shard 1 is there twice, as run run-1 (0.jsonl) and as run run-9 (1.jsonl)",
        ),
        (altered(&one, "run-1", "run-2"), "shard 1 is there twice"),
        (
            altered(
                &altered(&one, "\"number\":1", "\"number\":2"),
                "run-1",
                "run-2",
            ),
            "tells of cells that another shard has",
        ),
        (
            altered(&two, "\"number\":2", "\"number\":7"),
            "it names shards that cannot be",
        ),
        (
            altered(&two, "\"of\":2", "\"of\":4000000000"),
            "it names shards that cannot be",
        ),
        (b"{}\n".to_vec(), "line 1 of the record is not an event"),
        (Vec::new(), "holds no `run.started` line"),
        ([two.clone(), two.clone()].concat(), "begins a second run"),
        (
            [two.clone(), b"nonsense\n".to_vec()].concat(),
            "of the record is not an event",
        ),
        (
            [two.clone(), altered(&one, "run-1", "run-7")].concat(),
            "is of another run than the record",
        ),
        (
            altered(&two, "rolecall.event/1", "rolecall.event/2"),
            "is not of schema",
        ),
    ];
    for (other, wanted) in table {
        let words = refusal(&[one.clone(), other]);
        assert!(words.contains(wanted), "{words}");
    }
    assert_eq!(refusal(&[]), "there is no record to join");
}

#[test]
fn a_shard_that_was_killed_is_named_with_the_cells_that_it_did_not_reach() {
    let killed = shard(2, 2, End::Killed);
    let cut = killed[..killed.len() - 9].to_vec();
    for record in [killed, cut] {
        let (joined, text) = joined(&[shard(1, 2, End::Whole), record]).unwrap();
        assert_eq!(joined.standing().code(), 3);
        let incomplete = joined
            .findings()
            .iter()
            .find(|finding| finding.code == Code::Incomplete)
            .unwrap();
        assert_eq!(incomplete.detail, "shard 2 of 2 did not run to the end");
        assert!(incomplete.cells.len() >= 6, "{incomplete:?}");
        let read = Record::read(text.as_slice()).unwrap();
        assert_eq!(said(&read), said(&joined));
    }
}

#[test]
fn of_two_copies_of_a_shard_the_one_that_tells_more_counts() {
    let (one, two) = (shard(1, 2, End::Whole), shard(2, 2, End::Whole));
    let cut = two[..two.len() - 40].to_vec();
    let (_, with_cut) = joined(&[one.clone(), cut.clone()]).unwrap();
    for records in [
        vec![one.clone(), cut.clone(), two.clone()],
        vec![two.clone(), cut, one],
        vec![with_cut, two],
    ] {
        let (record, _) = joined(&records).unwrap();
        assert_eq!(record.standing().code(), 0);
    }
}

#[test]
fn an_object_that_a_killed_shard_left_is_told_though_the_others_ended() {
    let made = serde_json::from_value(serde_json::json!({
        "type": "fixture.made", "fixture": "product", "object": "id=7",
    }))
    .unwrap();
    let mut killed = shard(2, 2, End::Killed);
    killed.extend(lines("run-2", 2, vec![made]));
    let (record, text) = joined(&[shard(1, 2, End::Whole), killed]).unwrap();
    assert_eq!(record.left_behind().count(), 1);
    assert_eq!(record.standing().code(), 5);
    assert_eq!(
        Record::read(text.as_slice()).unwrap().left_behind().count(),
        1
    );
}

#[test]
fn a_door_that_only_some_shards_found_is_a_door() {
    let world = sound();
    let one = Shard::new(1, 2).unwrap();
    let text = String::from_utf8(world.record(Some(one), End::Whole)).unwrap();
    let kept: String = text
        .replace("\"rest\",\"mcp\",\"mcp-legacy\"", "\"rest\",\"mcp\"")
        .split_inclusive('\n')
        .filter(|line| !line.contains("\"door\":\"mcp-legacy\"") && !line.contains("token-stale"))
        .collect();
    let (record, _) = joined(&[shard(2, 2, End::Whole), kept.into_bytes()]).unwrap();
    assert_eq!(record.matrix().doors, Door::ALL);
    let tally = record.tally();
    assert_eq!(
        (tally.pass, tally.unproven),
        (20, 4),
        "{:?}",
        record.findings()
    );
}

#[test]
fn an_empty_shard_takes_nothing_away() {
    let (record, _) = joined(&sound().shards(9)).unwrap();
    assert_eq!((record.tally().pass, record.standing().code()), (24, 0));
    let empty = Record::read(shard(9, 9, End::Whole).as_slice()).unwrap();
    assert_eq!((empty.tally().checks(), empty.standing().code()), (0, 0));
}
