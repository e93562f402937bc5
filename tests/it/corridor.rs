//! `src/lib.rs` lists the modules in the order in which data flows; nothing imports upward, and each outside crate has its room.

use std::fs;
use std::path::{Path, PathBuf};

/// Crates that one room alone may name.
const LANDLORDS: [(&str, &[&str]); 19] = [
    ("aws_lc_rs", &["wire", "token", "reference"]),
    ("axum", &["reference"]),
    ("clap", &["cli"]),
    ("comfy_table", &["report"]),
    ("hyper", &["wire"]),
    ("hyper_rustls", &["wire"]),
    ("hyper_util", &["wire"]),
    ("indicatif", &["cli"]),
    ("jsonwebtoken", &["token", "reference"]),
    ("oauth2", &["token"]),
    ("quick_xml", &["report"]),
    ("regex", &["report", "scenario"]),
    ("reqwest", &["wire"]),
    ("rustls", &["wire", "token"]),
    ("secrecy", &["secret"]),
    ("serde_saphyr", &["scenario", "openapi"]),
    ("tower_service", &["wire"]),
    ("tracing", &["cli"]),
    ("tracing_subscriber", &["cli"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules of lib.rs, in its order.
fn corridor() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod "));
    names
        .filter_map(|rest| rest.split(';').next())
        .map(str::to_owned)
        .collect()
}

/// Every source file below src with the room it belongs to; lib.rs and main.rs belong to none.
fn files() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let inside = path.strip_prefix(source()).unwrap();
                let room = inside
                    .components()
                    .next()
                    .unwrap()
                    .as_os_str()
                    .to_string_lossy()
                    .replace(".rs", "");
                found.push((room, path));
            }
        }
    }
    found.retain(|(room, _)| room != "lib" && room != "main");
    let trials: Vec<PathBuf> = found.iter().flat_map(|(_, path)| trials(path)).collect();
    found.retain(|(_, path)| !trials.contains(path));
    found
}

/// Files that a file declares for its tests alone.
fn trials(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap();
    let declared = text.split("#[cfg(test)]\nmod ").skip(1);
    let names = declared
        .filter_map(|rest| rest.split_once([';', ' ']))
        .map(|(name, _)| name.to_owned());
    names
        .map(|name| path.with_extension("").join(name).with_extension("rs"))
        .collect()
}

/// The lines of a file that are code: comments and unit tests are left out, for tests may look wherever they like.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let before_tests = text.split("\n#[cfg(test)]\n").next().unwrap().to_owned();
    before_tests
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(str::to_owned)
        .collect()
}

/// The rooms that a line names by `crate::room`.
fn named(line: &str) -> Vec<String> {
    let after = line.split("crate::").skip(1);
    after
        .map(|rest| {
            rest.chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect()
        })
        .collect()
}

#[test]
fn every_room_is_on_the_list() {
    let corridor = corridor();
    assert!(
        corridor.len() >= 13,
        "the list of modules was not read: {corridor:?}"
    );
    for (room, path) in files() {
        assert!(
            corridor.contains(&room),
            "{} is in no room of lib.rs",
            path.display()
        );
    }
}

#[test]
fn no_import_runs_upward() {
    let corridor = corridor();
    let place = |room: &str| corridor.iter().position(|known| known == room);
    let mut looked_at = 0;
    for (room, path) in files() {
        for line in code(&path) {
            assert!(
                !line.contains("crate::{"),
                "{}: a group of rooms in braces hides them from this test: {line}",
                path.display()
            );
            for other in named(&line) {
                let Some(target) = place(&other) else {
                    continue;
                };
                looked_at += 1;
                let allowed =
                    target <= place(&room).unwrap() || (room == "cli" && other == "reference");
                assert!(
                    allowed,
                    "{} ({room}) names crate::{other}, which stands below it: {line}",
                    path.display()
                );
            }
        }
    }
    assert!(looked_at > 50, "only {looked_at} imports were looked at");
}

#[test]
fn the_reference_deployment_sees_nothing_of_the_tester_and_only_cli_sees_it() {
    for (room, path) in files() {
        for other in code(&path).iter().flat_map(|line| named(line)) {
            if room == "reference" {
                assert_eq!(
                    other,
                    "reference",
                    "{} names crate::{other}",
                    path.display()
                );
            }
            if other == "reference" {
                assert!(
                    room == "reference" || room == "cli",
                    "{} sees the reference deployment",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn each_outside_crate_has_one_room() {
    for (room, path) in files() {
        for line in code(&path) {
            for (name, rooms) in LANDLORDS {
                let names_it =
                    line.contains(&format!("{name}::")) || line.contains(&format!("use {name}"));
                assert!(
                    !names_it || rooms.contains(&room.as_str()),
                    "{} names {name}: {line}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn every_file_opens_with_one_line_that_says_what_it_is() {
    for (_, path) in files() {
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        let opening = lines.next().unwrap_or_default();
        assert!(
            opening.starts_with("//! ") && opening.ends_with(['.', ']', ')']),
            "{}: {opening}",
            path.display()
        );
        assert!(
            !lines.next().unwrap_or_default().starts_with("//! "),
            "{} opens with more than one line",
            path.display()
        );
    }
}
