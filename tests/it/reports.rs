//! Run records in, every report of them out: what people see, and what machines must be able to read.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use rolecall::report::{Kind, Look, Record, render};

const PLAIN: Look = Look {
    colour: false,
    width: 100,
};

fn path(name: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "tests/fixtures/records",
        &format!("{name}.jsonl"),
    ]
    .iter()
    .collect()
}

fn record(name: &str) -> Record {
    Record::read(BufReader::new(File::open(path(name)).unwrap())).unwrap()
}

fn rendered(name: &str, kind: Kind, look: Look) -> String {
    let mut out = Vec::new();
    render(kind, &record(name), look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn dump() {
    let width = option_env!("W").and_then(|w| w.parse().ok()).unwrap_or(100);
    for name in ["conforms", "leak", "killed", "every"] {
        println!("{}", rendered(name, Kind::Table, Look { colour: false, width }));
    }
}
