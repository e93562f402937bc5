//! Run records in, every report of them out: what people see, and what machines must be able to read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use quick_xml::Reader;
use quick_xml::events::Event;
use rolecall::probe::State;
use rolecall::report::{Kind, Look, Record, render};
use serde_json::{Value, json};

const PLAIN: Look = Look {
    colour: false,
    width: 100,
    all: false,
};

/// All passed; the article's second gotcha; that run killed half-way; every verdict and code with hostile strings; the
/// second gotcha with waivers of each fate.
const RECORDS: [&str; 5] = ["conforms", "leak", "killed", "every", "waived"];

fn text(name: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = PathBuf::from(root).join(format!("tests/fixtures/records/{name}.jsonl"));
    std::fs::read_to_string(path).unwrap()
}

fn record(name: &str) -> Record {
    Record::read(text(name).as_bytes()).unwrap()
}

fn rendered(record: &Record, kind: Kind, look: Look) -> String {
    let mut out = Vec::new();
    render(kind, record, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn report(name: &str, kind: Kind) -> String {
    rendered(&record(name), kind, PLAIN)
}

#[test]
fn a_conforming_run_as_a_table() {
    insta::assert_snapshot!(report("conforms", Kind::Table));
}

#[test]
fn a_conforming_run_in_sixty_columns() {
    let look = Look { width: 60, ..PLAIN };
    insta::assert_snapshot!(rendered(&record("conforms"), Kind::Table, look));
}

#[test]
fn roles_under_a_persona_of_the_same_name_are_told_apart_by_their_indent() {
    let same = text("conforms").replace("Products.Write", "writer");
    let same = same.replace("Products.Read", "reader");
    let record = Record::read(same.replace("Products.Admin", "admin").as_bytes()).unwrap();
    let table = rendered(&record, Kind::Table, Look { width: 60, ..PLAIN });
    assert!(table.contains("│ writer    │"), "{table}");
    assert!(table.contains("│  writer   │"), "{table}");
}

#[test]
fn a_conforming_run_as_markdown() {
    insta::assert_snapshot!(report("conforms", Kind::Markdown));
}

#[test]
fn a_leak_as_a_table() {
    insta::assert_snapshot!(report("leak", Kind::Table));
}

#[test]
fn a_leak_as_a_table_in_colour() {
    let look = Look {
        colour: true,
        ..PLAIN
    };
    let table = rendered(&record("leak"), Kind::Table, look);
    insta::assert_snapshot!(table.replace('\u{1b}', "␛"));
}

#[test]
fn a_leak_as_junit() {
    insta::assert_snapshot!(report("leak", Kind::Junit));
}

#[test]
fn a_leak_as_markdown() {
    insta::assert_snapshot!(report("leak", Kind::Markdown));
}

#[test]
fn a_killed_run_as_a_table() {
    insta::assert_snapshot!(report("killed", Kind::Table));
}

#[test]
fn what_is_waived_as_a_table() {
    insta::assert_snapshot!(report("waived", Kind::Table));
}

#[test]
fn what_is_waived_as_junit() {
    insta::assert_snapshot!(report("waived", Kind::Junit));
}

#[test]
fn what_is_waived_as_json() {
    let document: Value = serde_json::from_str(&report("waived", Kind::Json)).unwrap();
    let cells = document["cells"].as_array().unwrap().iter();
    let waived: Vec<&Value> = cells.filter(|cell| cell["verdict"] == "waived").collect();
    let parts = json!({
        "summary": document["summary"],
        "exit_code": document["exit_code"],
        "findings": document["findings"],
        "waivers": document["waivers"],
        "waived": waived,
    });
    insta::assert_snapshot!(format!("{parts:#}"));
}

#[test]
fn what_is_waived_as_markdown() {
    insta::assert_snapshot!(report("waived", Kind::Markdown));
}

#[test]
fn everything_at_once_as_a_table() {
    insta::assert_snapshot!(report("every", Kind::Table));
}

#[test]
fn everything_at_once_as_junit() {
    insta::assert_snapshot!(report("every", Kind::Junit));
}

#[test]
fn everything_at_once_as_json() {
    insta::assert_snapshot!(report("every", Kind::Json));
}

#[test]
fn everything_at_once_as_markdown() {
    insta::assert_snapshot!(report("every", Kind::Markdown));
}

#[test]
fn a_killed_run_is_called_incomplete_in_every_format() {
    assert!(report("killed", Kind::Table).contains("INCOMPLETE"));
    assert!(report("killed", Kind::Markdown).contains("**Incomplete:**"));
    assert!(
        report("killed", Kind::Junit).contains(r#"name="completeness" classname="rolecall.run""#)
    );
    let document: Value = serde_json::from_str(&report("killed", Kind::Json)).unwrap();
    assert_eq!(document["run"]["complete"], false);
    assert_ne!(document["exit_code"], 0);
}

#[test]
fn a_leak_once_seen_is_reported_though_the_run_was_killed() {
    let record = record("killed");
    assert_eq!(record.tally().fail, 1);
    assert_eq!(rolecall::exit::Exit::of(&record).code(), 1);
    for kind in Kind::ALL {
        assert!(rendered(&record, kind, PLAIN).contains("leak"), "{kind}");
    }
}

/// A line for a shell is never wrapped.
fn is_to_be_copied(line: &str) -> bool {
    let starts = ["hand ", "# Set ", "curl ", "-H ", "--data-raw "];
    starts
        .iter()
        .any(|start| line.trim_start().starts_with(start))
}

#[test]
fn a_table_fits_its_terminal_and_its_rows_are_of_one_width() {
    for name in RECORDS {
        for width in [250, 100, 80, 60, 40, 7] {
            let table = rendered(&record(name), Kind::Table, Look { width, ..PLAIN });
            let mut block = 0;
            for line in table.lines() {
                let columns = columns(line);
                assert!(
                    columns <= width.max(40) || is_to_be_copied(line),
                    "{name} at {width}: {columns} columns: {line}"
                );
                match line.chars().next() {
                    Some('╭') => block = columns,
                    Some('│' | '├' | '╰') => {
                        assert_eq!(columns, block, "{name} at {width}: {line}");
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn an_operation_is_not_torn_apart_where_it_fits() {
    for width in [100, 80, 60, 40] {
        let table = rendered(&record("conforms"), Kind::Table, Look { width, ..PLAIN });
        for operation in ["listProducts", "createProduct", "deleteProduct"] {
            assert_eq!(
                table.matches(operation).count(),
                1,
                "{operation} at {width}"
            );
        }
    }
}

#[test]
fn a_long_name_wraps_and_tears_nothing_apart() {
    let renamed = text("conforms").replace("Product\"", "ProductOfEverySupplierInTheCatalog\"");
    let record = Record::read(renamed.as_bytes()).unwrap();
    let look = Look { width: 40, ..PLAIN };
    let table = rendered(&record, Kind::Table, look);
    assert_eq!(table.matches("REST  MCP   MCP").count(), 6, "{table}");
}

#[test]
fn a_wide_terminal_shows_one_block() {
    let table = rendered(
        &record("conforms"),
        Kind::Table,
        Look {
            width: 200,
            ..PLAIN
        },
    );
    assert_eq!(table.matches('╭').count(), 1);
}

#[test]
fn colour_is_the_only_difference_that_colour_makes() {
    for name in RECORDS {
        let plain = report(name, Kind::Table);
        let painted = rendered(
            &record(name),
            Kind::Table,
            Look {
                colour: true,
                ..PLAIN
            },
        );
        assert!(!plain.contains('\u{1b}'), "{name}");
        assert!(painted.contains("\u{1b}["), "{name}");
        assert_eq!(uncoloured(&painted), plain, "{name}");
    }
}

#[test]
fn every_cell_is_one_junit_case_and_only_a_pass_is_green() {
    for name in RECORDS {
        let record = record(name);
        let cases = cases(&rendered(&record, Kind::Junit, PLAIN));
        let about_chapter = |case: &&Case| case.class.ends_with(".requirements");
        let about_cells = cases
            .iter()
            .filter(|case| case.class != "rolecall.run" && !about_chapter(case));
        assert_eq!(about_cells.count(), record.tally().checks(), "{name}");
        let requirements = record.requirements();
        assert_eq!(
            cases.iter().filter(about_chapter).count(),
            requirements.len()
        );
        let held = requirements
            .iter()
            .filter(|one| one.state() == State::Held && !one.is_stale());
        assert_eq!(
            cases.iter().filter(|case| case.green).count(),
            record.tally().pass + held.count(),
            "{name}"
        );
    }
}

#[test]
fn a_note_is_told_and_turns_nothing_red() {
    let note =
        json!({"type": "finding", "code": "token-stale", "detail": "reader: old", "cells": [0]});
    let mut record = record("conforms");
    record.hear(&serde_json::from_value(note).unwrap());
    assert_eq!(record.standing().code(), 0);
    let junit = rendered(&record, Kind::Junit, PLAIN);
    assert!(
        !junit.contains("<failure") && !junit.contains("<error"),
        "{junit}"
    );
    let case = "<testcase name=\"token-stale\" classname=\"rolecall.run\">";
    let (_, told) = junit.split_once(case).unwrap();
    assert!(
        told.trim_start()
            .starts_with("<skipped message=\"note: reader: old\""),
        "{told}"
    );
    assert!(rendered(&record, Kind::Table, PLAIN).contains("– token-stale"));
}

#[test]
fn a_finding_about_no_cell_is_a_junit_case_of_its_own() {
    let cases = cases(&report("every", Kind::Junit));
    let about_run: Vec<&str> = cases
        .iter()
        .filter(|case| case.class == "rolecall.run")
        .map(|case| case.name.as_str())
        .collect();
    for name in [
        "completeness",
        "token-roles-extra",
        "token-issuer",
        "token-opaque",
        "left-behind order",
    ] {
        assert!(about_run.contains(&name), "{name} in {about_run:?}");
    }
}

#[test]
fn hostile_names_and_answers_stay_inside_their_place_in_every_format() {
    let corpus = corpus();
    assert!(corpus.len() >= 300);
    let record = hostile(&corpus);
    let junit = rendered(&record, Kind::Junit, PLAIN);
    let cases = cases(&junit);
    assert_eq!(cases.len(), corpus.len());
    let names: HashSet<_> = cases.iter().map(|case| (&case.class, &case.name)).collect();
    assert_eq!(names.len(), corpus.len(), "a name pair came twice");
    if let Some(counted) = expat_counts(&junit) {
        assert_eq!(counted, corpus.len());
    }
    let document: Value = serde_json::from_str(&rendered(&record, Kind::Json, PLAIN)).unwrap();
    assert_eq!(document["cells"].as_array().unwrap().len(), corpus.len());
    for kind in Kind::ALL {
        is_inert(&rendered(&record, kind, PLAIN));
    }
}

#[test]
fn no_report_of_the_fixtures_carries_a_command_or_a_control() {
    for name in RECORDS {
        for kind in Kind::ALL {
            is_inert(&report(name, kind));
        }
        if let Some(counted) = expat_counts(&report(name, Kind::Junit)) {
            assert_eq!(counted, cases(&report(name, Kind::Junit)).len(), "{name}");
        }
    }
}

#[test]
fn markdown_holds_no_markup_that_came_from_data() {
    let hostile = rendered(&hostile(&corpus()), Kind::Markdown, PLAIN);
    for text in [report("every", Kind::Markdown), hostile] {
        for line in text.lines() {
            let seen = outside_code(line);
            for mark in ["<", "](", "![", "://", "www.", "@", "`", "&lt"] {
                assert!(!seen.contains(mark), "{mark} in {line}");
            }
        }
        for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
            let rows: HashSet<usize> = table.lines().map(pipes).collect();
            assert_eq!(rows.len(), 1, "rows of different lengths");
        }
    }
}

#[test]
fn markdown_of_two_runs_of_the_same_deployment_is_the_same() {
    for name in RECORDS {
        let again = text(name)
            .replace("r-7f3a9c21", "r-00000000")
            .replace("T09:26", "T11:59")
            .replace("\"took_ms\":9", "\"took_ms\":4");
        let second = Record::read(again.as_bytes()).unwrap();
        assert_ne!(
            rendered(&second, Kind::Json, PLAIN),
            report(name, Kind::Json)
        );
        assert_eq!(
            rendered(&second, Kind::Markdown, PLAIN),
            report(name, Kind::Markdown)
        );
    }
}

#[test]
fn json_tells_the_cells_in_matrix_order_and_counts_them() {
    let document: Value = serde_json::from_str(&report("leak", Kind::Json)).unwrap();
    assert_eq!(document["schema"], "rolecall.report/1");
    assert_eq!(
        (&document["standing"], &document["exit_code"]),
        (&json!("failed"), &json!(1))
    );
    let cells = document["cells"].as_array().unwrap();
    assert_eq!(cells[0]["id"], "reader/listProducts/rest");
    assert_eq!(cells[71]["id"], "anonymous/deleteProduct/mcp-legacy");
    let mut counts = BTreeMap::new();
    for cell in cells {
        *counts.entry(cell["verdict"].as_str().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([("fail", 8), ("pass", 64)]));
    assert_eq!(document["summary"]["fail"], 8);
}

/// Columns of a line; the scripts in the fixtures are Latin and Han.
fn columns(line: &str) -> usize {
    line.chars()
        .map(|it| match it {
            '\u{300}'..='\u{36f}' => 0,
            '\u{2e80}'..='\u{9fff}' => 2,
            _ => 1,
        })
        .sum()
}

fn uncoloured(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('m').unwrap();
        plain.push_str(rest);
    }
    plain
}

struct Case {
    class: String,
    name: String,
    green: bool,
}

fn cases(junit: &str) -> Vec<Case> {
    let mut reader = Reader::from_str(junit);
    let mut cases: Vec<Case> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => match tag.name().as_ref() {
                b"testcase" => {
                    let value = |name: &str| {
                        let value = tag.try_get_attribute(name).unwrap().unwrap().value;
                        String::from_utf8(value.into_owned()).unwrap()
                    };
                    cases.push(Case {
                        class: value("classname"),
                        name: value("name"),
                        green: true,
                    });
                }
                b"failure" | b"error" | b"skipped" => cases.last_mut().unwrap().green = false,
                _ => {}
            },
            Event::Eof => return cases,
            _ => {}
        }
    }
}

/// How many cases Python's expat reads; `None` where there is no Python; the gate has one.
fn expat_counts(junit: &str) -> Option<usize> {
    let script = "import sys, xml.etree.ElementTree as tree\n\
                  print(len(list(tree.fromstring(sys.stdin.buffer.read()).iter('testcase'))))";
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    python
        .stdin
        .take()
        .unwrap()
        .write_all(junit.as_bytes())
        .unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "expat refused the report");
    Some(
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap(),
    )
}

/// What terminals, GitHub's and Azure's agents, GitLab's log and Jenkins' attachments act on.
fn is_inert(report: &str) {
    for line in report.split('\n') {
        let control = |it: char| {
            it.is_control()
                || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
        };
        assert!(!line.contains(control), "{line:?}");
        assert!(!line.trim_start().starts_with("::"), "{line}");
        for command in [
            "##vso[",
            "##[",
            "##teamcity[",
            "[[ATTACHMENT|",
            "[[PROPERTY|",
            "section_start:",
        ] {
            assert!(!line.contains(command), "{line}");
        }
    }
}

fn pipes(line: &str) -> usize {
    line.matches('|').count() - line.matches("\\|").count()
}

/// A line without its code spans and escaped characters.
fn outside_code(line: &str) -> String {
    let mut seen = String::new();
    let mut characters = line.chars();
    let mut code = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' if !code => drop(characters.next()),
            '`' => code = !code,
            _ if code => {}
            _ => seen.push(character),
        }
    }
    if code { seen + "`" } else { seen }
}

/// Every way in wrapped in every disguise.
fn corpus() -> Vec<String> {
    let ways = [
        "\u{1b}[31mred",
        "\u{1b}]8;;http://evil.example\u{7}",
        "\u{0}\u{7f}\u{9b}31m",
        "]]><!ENTITY x>&#0;--",
        "[[ATTACHMENT|/etc/passwd]]",
        "[[PROPERTY|a=b]]",
        "<script>alert(1)</script>",
        "\u{202e}gnp\u{2066}\u{200b}",
        "\u{fffe}\u{ffff}\u{fdd0}",
        "a\nforged | row\r",
        "::error::x",
        "::add-mask::x",
        "##[error]x",
        "##vso[task.setvariable variable=x]1",
        "section_start:0:x",
        "##teamcity[x]",
        "![b](http://evil.example/b.png)",
        "@octocat #1 www.evil.example",
        "| a | `b` | <details>",
        "製品 e\u{301}\u{301}\u{301}\u{301}\u{301}",
    ];
    let disguises: [fn(&str) -> String; 15] = [
        str::to_owned,
        |way| format!("  {way}"),
        |way| format!("{way}  "),
        |way| format!("x{way}"),
        |way| format!("{way}{way}"),
        |way| format!("\n{way}"),
        |way| format!("\t{way}\t"),
        |way| format!("\"{way}'"),
        |way| format!("`{way}"),
        |way| format!("\\{way}"),
        |way| format!("#{way}"),
        |way| format!(":{way}"),
        |way| format!("[{way}"),
        |way| format!("{}{way}", "long ".repeat(60)),
        |way| format!("{}{way}", "w".repeat(5_000)),
    ];
    ways.iter()
        .flat_map(|way| disguises.iter().map(|disguise| disguise(way)))
        .collect()
}

/// A run of one persona against one operation a hostile string, each of which fails with that string everywhere.
fn hostile(corpus: &[String]) -> Record {
    let demands = json!([[{"expectation": "403", "line": 1}, null, null]]);
    let operations: Vec<Value> = corpus
        .iter()
        .map(|name| json!({"name": name, "mutates": true, "demands": demands}))
        .collect();
    let personas = json!([{"name": corpus[0], "roles": corpus[..30], "signs_in": true}]);
    let matrix = json!({"personas": personas, "operations": operations, "doors": ["rest"]});
    let mut events = vec![json!({
        "type": "run.started", "tool": "0", "scenario": corpus[3], "path": corpus[4], "digest": "d", "matrix": matrix, "mcp_refuses": "http",
    })];
    for (index, name) in corpus.iter().enumerate() {
        let http = json!({"status": 200, "headers": [[name, name]], "body": name, "body_bytes": 1, "truncated": true, "json": false});
        let recipe = json!({
            "method": "POST", "url": name, "headers": [["x", name], [name, null]], "bearer": "own", "body": name,
            "opening": [name, name],
        });
        events.push(json!({
            "type": "cell.observed", "persona": corpus[0], "operation": name, "door": "rest", "status": 200, "took_ms": 1,
            "reading": {"outcome": "granted"}, "retries": [name], "evidence": [{"request": name, "answer": {"http": http}, "took_ms": 1, "recipe": recipe}],
        }));
        events.push(json!({
            "type": "cell.finished", "persona": corpus[0], "operation": name, "door": "rest", "kind": "fail", "code": "leak", "reason": name,
        }));
        events.push(json!({"type": "finding", "code": "leak", "detail": name, "cells": [index]}));
    }
    events.push(json!({"type": "run.finished", "complete": true, "took_ms": 1}));
    let mut lines = String::new();
    for (seq, mut event) in events.into_iter().enumerate() {
        let envelope = event.as_object_mut().unwrap();
        for (name, value) in [
            ("schema", json!("rolecall.event/1")),
            ("run_id", json!("r")),
            ("seq", json!(seq)),
            ("at", json!("t")),
        ] {
            envelope.insert(name.to_owned(), value);
        }
        writeln!(lines, "{event}").unwrap();
    }
    Record::read(lines.as_bytes()).unwrap()
}
