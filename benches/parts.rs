//! The parts that every check passes through, each on its own: judge, `JUnit` writer, event stream reader, redactor.

use std::hint::black_box;
use std::io;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rolecall::door::sse::Events;
use rolecall::judge::{Outcome, Reading, Roll, Sight, Sights};
use rolecall::plan::Matrix;
use rolecall::report::{self, Kind, Look, Record};
use rolecall::run::Event;
use rolecall::scenario::RefusalShape;
use rolecall::secret::{Redactor, Secret};
use serde_json::{Value, json};

/// Operations of the matrix: 4 personas and 2 doors make 8,000 checks of them.
const OPERATIONS: usize = 1_000;

const CHECKS: u64 = 8 * OPERATIONS as u64;

const PERSONAS: [&str; 4] = ["reader", "writer", "admin", "anonymous"];

/// What a persona, by its place, must get.
fn demanded(persona: usize) -> (&'static str, u16, Outcome) {
    match persona {
        0 => ("403", 403, Outcome::Forbidden),
        3 => ("401", 401, Outcome::Unauthenticated),
        _ => ("allow", 200, Outcome::Granted),
    }
}

fn started() -> Value {
    let demands: Vec<Value> = (0..PERSONAS.len())
        .map(|persona| {
            let demand = json!({"expectation": demanded(persona).0, "line": 7});
            json!([demand, demand, null])
        })
        .collect();
    let operations: Vec<Value> = (0..OPERATIONS)
        .map(|number| json!({"name": format!("op{number:05}"), "mutates": false, "demands": demands}))
        .collect();
    let personas =
        PERSONAS.map(|name| json!({"name": name, "roles": null, "signs_in": name != "anonymous"}));
    json!({
        "type": "run.started", "tool": "0", "scenario": "Bench", "path": "bench.yaml", "digest": "0123456789abcdef",
        "mcp_refuses": "http",
        "matrix": {"personas": personas, "operations": operations, "doors": ["rest", "mcp"]},
    })
}

fn event(value: Value) -> Event {
    serde_json::from_value(value).expect("an event of this version")
}

fn matrix() -> Matrix {
    let matrix = started()["matrix"].take();
    serde_json::from_value(matrix).expect("a matrix of this version")
}

fn sights(matrix: &Matrix) -> Vec<Sight> {
    let checks = matrix.checks().map(|check| {
        let (_, status, outcome) = demanded(check.persona);
        Sight {
            reading: Some(Reading::plain(outcome)),
            status,
            ..Sight::default()
        }
    });
    checks.collect()
}

fn record() -> Record {
    let mut record = Record::default();
    record.hear(&event(started()));
    for (index, sight) in sights(record.matrix()).into_iter().enumerate() {
        let (operation, door, persona) = (index / 8, index / 4 % 2, index % 4);
        record.hear(&event(json!({
            "type": "cell.observed", "persona": PERSONAS[persona], "operation": format!("op{operation:05}"),
            "door": if door == 0 { "rest" } else { "mcp" }, "status": sight.status, "reading": sight.reading, "took_ms": 3,
        })));
    }
    record.settle();
    record
}

fn judge(criterion: &mut Criterion) {
    let matrix = matrix();
    let sights = sights(&matrix);
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(CHECKS));
    group.bench_function("8,000 checks", |bench| {
        bench.iter(|| {
            let roll = Roll {
                matrix: &matrix,
                sights: Sights::of(black_box(&sights)),
                mcp_refuses: RefusalShape::Http,
                shown: &[],
                earlier: &[],
            };
            roll.conclude()
        });
    });
    group.finish();
}

fn reports(criterion: &mut Criterion) {
    let record = record();
    let look = Look {
        colour: false,
        width: 100,
        all: false,
    };
    let mut group = criterion.benchmark_group("report");
    group.throughput(Throughput::Elements(CHECKS));
    for kind in Kind::ALL {
        group.bench_function(format!("{kind:?}, 8,000 checks"), |bench| {
            bench.iter(|| report::render(kind, black_box(&record), look, &mut io::sink()));
        });
    }
    group.finish();
}

fn streams(criterion: &mut Criterion) {
    let message =
        r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"done"}]}}"#;
    let stream = format!(": ping\r\nevent: message\r\ndata: {message}\r\n\r\n").repeat(100);
    let mut group = criterion.benchmark_group("event stream");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("100 messages", |bench| {
        bench.iter(|| Events::default().feed(black_box(stream.as_bytes())));
    });
    group.finish();
}

fn redactor(criterion: &mut Criterion) {
    let token = |persona: usize| {
        let lot = (0..1_400).map(|at| {
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(at * 31 + at / 7 + persona * 5) % 26])
        });
        format!("eyJ{}", lot.collect::<String>())
    };
    let redactor = Redactor::default();
    for persona in 0..4 {
        redactor.learn(&Secret::new(token(persona)));
    }
    let line = r#"{"schema":"rolecall.event/1","seq":12,"type":"cell.observed","persona":"reader","operation":"op00001","door":"rest","status":403}"#;
    let page = line.repeat(1 << 13);
    let mut group = criterion.benchmark_group("redactor");
    for (name, text) in [("a line of the record", line), ("1 MiB", page.as_str())] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| redactor.redact(black_box(text)).len());
        });
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("learn a token", |bench| {
        bench.iter(|| Redactor::default().learn(&Secret::new(token(0))));
    });
    group.finish();
}

criterion_group!(parts, judge, reports, streams, redactor);
criterion_main!(parts);
