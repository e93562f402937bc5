//! What an ended run left is removed by `cleanup`, once, whoever ended it; what others made is not.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rolecall::reference::Deployment;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, deployment, text};
use crate::hostile::{
    CREATE, FIND, GET, Hostile, LIST, READ, Reply, Request, Store, scenario, spawned,
};

const RECORD: &str = "reports/rolecall.jsonl";

/// A command in a folder that outlives it: exit code, stdout and stderr.
fn call(bench: &Bench, folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = bench.command(folder, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn lines(folder: &Path) -> Vec<Value> {
    let record = std::fs::read_to_string(folder.join(RECORD)).unwrap();
    let lines = record.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

fn left_behind(bench: &Bench, folder: &Path) -> Vec<Value> {
    let (_, stdout, stderr) = call(bench, folder, &["report", "--format", "json", RECORD]);
    assert!(stdout.starts_with('{'), "{stdout}{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    report["left_behind"].as_array().unwrap().clone()
}

/// Kills a run of the article's scenario as soon as so many requests have arrived; whether it was still under way.
fn killed_after(deployment: &Deployment, folder: &Path, requests: usize) -> bool {
    let bench = Bench::against(deployment);
    let mut child = spawned(bench.command(folder, &["run", "--jobs", "4", CATALOG]));
    let since = Instant::now();
    while deployment.traffic().len() < requests && since.elapsed() < Duration::from_secs(60) {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    kill(&mut child);
    // What was sent is still being answered.
    std::thread::sleep(Duration::from_millis(100));
    true
}

#[test]
fn nothing_is_left_of_a_killed_run_once_it_was_cleaned_up() {
    let mut left = 0;
    for requests in [
        12, 25, 37, 48, 60, 71, 84, 97, 111, 126, 140, 155, 171, 190, 210,
    ] {
        let deployment = deployment(&[]);
        let before = deployment.products();
        let folder = tempfile::tempdir().unwrap();
        if !killed_after(&deployment, folder.path(), requests) {
            break;
        }
        left += deployment.products().len() - before.len();
        let bench = Bench::against(&deployment);
        let (exit, stdout, stderr) = call(&bench, folder.path(), &["cleanup", RECORD]);
        if stderr.contains("no `run.started` line") {
            assert_eq!((exit, deployment.products()), (2, before));
            continue;
        }
        assert_eq!(exit, 0, "{requests}: {stdout}{stderr}");
        assert_eq!(deployment.products(), before, "{requests}: {stdout}");
        let asked = deployment.traffic().len();
        let (exit, stdout, stderr) = call(&bench, folder.path(), &["cleanup", RECORD]);
        assert_eq!(exit, 0, "{requests}: {stdout}{stderr}");
        assert!(stdout.starts_with("nothing is left of run "), "{stdout}");
        assert_eq!(
            deployment.traffic().len(),
            asked,
            "a second clean-up asks nobody"
        );
        assert_eq!(left_behind(&bench, folder.path()), Vec::<Value>::new());
        let (exit, ..) = call(&bench, folder.path(), &["report", RECORD]);
        assert_eq!(exit, 3, "it stays incomplete");
    }
    assert!(
        left > 5,
        "only {left} objects were left by runs that were killed"
    );
}

/// A store whose deletions fail for as long as it is told to.
struct Stubborn {
    store: Arc<Store>,
    stuck: Arc<AtomicBool>,
    hostile: Hostile,
    folder: TempDir,
}

impl Stubborn {
    fn new(
        text: &str,
        answer: impl Fn(&Store, &Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let store = Arc::new(Store::with(&[("foreign", "somebody's")]));
        let stuck = Arc::new(AtomicBool::new(true));
        let (own, held) = (Arc::clone(&store), Arc::clone(&stuck));
        let hostile = Hostile::new(move |request| {
            let special = held.load(Ordering::Relaxed).then(|| answer(&own, request));
            special.flatten().unwrap_or_else(|| own.answer(request))
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("scenario.yaml"), text).unwrap();
        Self {
            store,
            stuck,
            hostile,
            folder,
        }
    }

    fn call(&self, arguments: &[&str]) -> (i32, String, String) {
        call(&self.hostile.bench(), self.folder.path(), arguments)
    }

    fn mend(&self) {
        self.stuck.store(false, Ordering::Relaxed);
    }

    fn deletions(&self) -> usize {
        self.hostile.heard("DELETE").len()
    }
}

fn no_deletion(_: &Store, request: &Request) -> Option<Reply> {
    (request.method == "DELETE").then(|| Reply::Json(500, json!({ "error": "try again" })))
}

#[test]
fn what_could_not_be_removed_is_named_until_it_is() {
    for fixture in ["", READ] {
        let stubborn = Stubborn::new(&scenario(fixture, &format!("{CREATE}{LIST}")), no_deletion);
        let (exit, stdout, _) = stubborn.call(&["run", "scenario.yaml"]);
        assert_eq!(exit, 5, "{stdout}");
        let left = stubborn.store.ids().len() - 1;
        assert!(left > 0);
        for _again in 0..2 {
            let (exit, stdout, stderr) = stubborn.call(&["cleanup", RECORD]);
            assert_eq!(exit, 5, "{stdout}{stderr}");
            assert_eq!(
                stdout.matches("left     thing id=t").count(),
                left,
                "{stdout}"
            );
            assert_eq!(
                left_behind(&stubborn.hostile.bench(), stubborn.folder.path()).len(),
                left
            );
            let (exit, stdout, _) = stubborn.call(&["report", RECORD]);
            assert_eq!(exit, 5, "{stdout}");
        }
        stubborn.mend();
        let (exit, stdout, stderr) = stubborn.call(&["cleanup", RECORD]);
        assert_eq!(exit, 0, "{stdout}{stderr}");
        assert_eq!(stubborn.store.ids(), ["foreign"], "{stdout}");
        let (exit, stdout, _) = stubborn.call(&["report", RECORD]);
        assert_eq!(exit, 0, "{stdout}");
        assert!(!stdout.contains("left-behind"), "{stdout}");
        let numbers: Vec<u64> = lines(stubborn.folder.path())
            .iter()
            .filter_map(|line| line["seq"].as_u64())
            .collect();
        assert!(
            numbers.iter().copied().eq(0..numbers.len() as u64),
            "{numbers:?}"
        );
    }
}

#[test]
fn a_name_that_is_somebody_elses_by_now_is_not_touched() {
    let stubborn = Stubborn::new(&scenario(READ, &format!("{CREATE}{LIST}")), no_deletion);
    let (exit, ..) = stubborn.call(&["run", "scenario.yaml"]);
    assert_eq!(exit, 5);
    for name in stubborn.store.things.lock().unwrap().values_mut() {
        "a new owner's".clone_into(name);
    }
    stubborn.mend();
    let tried = stubborn.deletions();
    let (exit, stdout, stderr) = stubborn.call(&["cleanup", RECORD]);
    assert_eq!(exit, 5, "{stdout}{stderr}");
    assert!(stdout.contains("may be somebody else's by now"), "{stdout}");
    assert_eq!(stubborn.deletions(), tried);
}

#[test]
fn what_was_removed_meanwhile_is_gone() {
    let stubborn = Stubborn::new(&scenario(READ, &format!("{CREATE}{LIST}")), no_deletion);
    assert_eq!(stubborn.call(&["run", "scenario.yaml"]).0, 5);
    stubborn
        .store
        .things
        .lock()
        .unwrap()
        .retain(|id, _| id == "foreign");
    stubborn.mend();
    let (exit, stdout, stderr) = stubborn.call(&["cleanup", RECORD]);
    assert_eq!(exit, 0, "{stdout}{stderr}");
    assert_eq!(stubborn.store.ids(), ["foreign"]);
}

/// Makes the thing and never answers.
fn silent_creation(store: &Store, request: &Request) -> Option<Reply> {
    request.is("POST", "/things").then(|| {
        store.add(&request.name());
        Reply::Stall(Vec::new())
    })
}

/// A run that is killed while its first object is made.
fn killed_in_a_creation(text: &str) -> Stubborn {
    let stubborn = Stubborn::new(text, silent_creation);
    let bench = stubborn.hostile.bench();
    let mut child = spawned(bench.command(stubborn.folder.path(), &["run", "scenario.yaml"]));
    let since = Instant::now();
    while stubborn.store.ids().len() < 2 {
        assert!(since.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    kill(&mut child);
    stubborn.mend();
    stubborn
}

#[test]
fn a_run_that_was_killed_in_the_middle_of_a_creation_leaves_its_trace() {
    let stubborn = killed_in_a_creation(&scenario(&format!("{READ}{FIND}"), GET));
    let path = stubborn.folder.path();
    let left = left_behind(&stubborn.hostile.bench(), path);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        text(&left[0]["detail"]).contains("while it was made"),
        "{left:?}"
    );
    // A last line that was cut is no obstacle.
    let mut record = std::fs::read(path.join(RECORD)).unwrap();
    record.extend_from_slice(b"{\"schema\":\"rolecall.event/1\",\"run_");
    std::fs::write(path.join(RECORD), record).unwrap();
    let (exit, stdout, stderr) = stubborn.call(&["cleanup", RECORD]);
    assert_eq!(exit, 0, "{stdout}{stderr}");
    assert_eq!(stubborn.store.ids(), ["foreign"]);
    assert!(lines(path).len() > 3, "every line is whole again");
    assert_eq!(left_behind(&stubborn.hostile.bench(), path).len(), 0);
}

#[test]
fn what_nothing_can_find_is_named_and_left() {
    let stubborn = killed_in_a_creation(&scenario(READ, GET));
    let (exit, stdout, stderr) = stubborn.call(&["cleanup", RECORD]);
    assert_eq!(exit, 5, "{stdout}{stderr}");
    assert!(stdout.contains("may still be there"), "{stdout}");
    assert!(stubborn.hostile.heard("DELETE").is_empty());
}

#[test]
fn a_clean_up_needs_the_record_the_scenario_and_the_deployment_of_its_run() {
    let stubborn = Stubborn::new(&scenario(READ, &format!("{CREATE}{LIST}")), no_deletion);
    assert_eq!(stubborn.call(&["run", "scenario.yaml"]).0, 5);
    stubborn.mend();
    let asked = stubborn.hostile.heard("GET").len();
    let path = stubborn.folder.path();
    let other = scenario(READ, CREATE).replace("DELETE /things/", "DELETE /other/");
    std::fs::write(path.join("other.yaml"), other).unwrap();
    std::fs::write(path.join("no-record.jsonl"), "{}\n").unwrap();
    let before = std::fs::read(path.join(RECORD)).unwrap();
    for (arguments, words) in [
        (&["cleanup", "nowhere.jsonl"][..], "there is no such file"),
        (
            &["cleanup", "no-record.jsonl"],
            "a run's record is its .jsonl file",
        ),
        (
            &["cleanup", "scenario.yaml"],
            "a run's record is its .jsonl file",
        ),
        (&["cleanup", RECORD, "nowhere.yaml"], "cannot read scenario"),
        (
            &["cleanup", RECORD, "other.yaml"],
            "are not those of the run",
        ),
        (
            &["cleanup", "--var", "BASE=http://127.0.0.1:9", RECORD],
            "are not those of the run",
        ),
    ] {
        let (exit, stdout, stderr) = stubborn.call(arguments);
        assert_eq!(exit, 2, "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
    let guarded = stubborn
        .hostile
        .bench()
        .with("ROLECALL_PRODUCTION", "127.0.0.1");
    let (exit, _, stderr) = call(&guarded, path, &["cleanup", RECORD]);
    assert_eq!(exit, 2, "{stderr}");
    assert!(stderr.contains("--i-mean 127.0.0.1"), "{stderr}");
    assert_eq!(
        std::fs::read(path.join(RECORD)).unwrap(),
        before,
        "nothing was written"
    );
    assert_eq!(
        stubborn.hostile.heard("GET").len(),
        asked,
        "nothing was sent"
    );
    // Other operations are no obstacle: the objects are made and removed as they were.
    std::fs::write(path.join("scenario.yaml"), scenario(READ, GET)).unwrap();
    let (exit, stdout, stderr) = call(
        &guarded,
        path,
        &["cleanup", "--i-mean", "127.0.0.1", RECORD],
    );
    assert_eq!(exit, 0, "{stdout}{stderr}");
    assert_eq!(stubborn.store.ids(), ["foreign"]);
}

#[test]
fn an_owner_that_cannot_sign_in_leaves_everything_and_says_so() {
    let deployment = deployment(&[]);
    let before = deployment.products();
    let folder = tempfile::tempdir().unwrap();
    let mut requests = 150;
    while deployment.products().len() == before.len() {
        assert!(killed_after(&deployment, folder.path(), requests));
        requests += deployment.traffic().len();
    }
    let wrong = Bench::against(&deployment).with("ADMIN_SECRET", "wrong");
    let (exit, stdout, stderr) = call(&wrong, folder.path(), &["cleanup", RECORD]);
    assert_eq!(exit, 5, "{stdout}{stderr}");
    assert!(stdout.contains("AADSTS7000215"), "{stdout}");
    let (exit, stdout, stderr) = call(
        &Bench::against(&deployment),
        folder.path(),
        &["cleanup", RECORD],
    );
    assert_eq!(exit, 0, "{stdout}{stderr}");
    assert_eq!(deployment.products(), before);
}

#[test]
fn a_run_that_is_under_way_is_not_cleaned_up() {
    let hostile = Hostile::new(|_request| Reply::Stall(Vec::new()));
    let folder = tempfile::tempdir().unwrap();
    let text = scenario("", "  list: { allow: [owner], rest: \"GET /list\" }\n");
    std::fs::write(folder.path().join("scenario.yaml"), text).unwrap();
    let mut child = spawned(
        hostile
            .bench()
            .command(folder.path(), &["run", "scenario.yaml"]),
    );
    while hostile.heard("GET").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (exit, _, stderr) = call(&hostile.bench(), folder.path(), &["cleanup", RECORD]);
    kill(&mut child);
    assert_eq!(exit, 2, "{stderr}");
    assert!(stderr.contains("still under way"), "{stderr}");
}

#[test]
fn an_interrupted_run_has_nothing_left_to_clean_up() {
    let deployment = deployment(&[]);
    let before = deployment.products();
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::against(&deployment);
    let child = spawned(bench.command(folder.path(), &["run", CATALOG]));
    while deployment.products().len() == before.len() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let signalled = Command::new("kill")
        .args(["-s", "INT", &child.id().to_string()])
        .status();
    assert!(signalled.unwrap().success());
    drop(child.wait_with_output().unwrap());
    assert_eq!(deployment.products(), before);
    let record: PathBuf = folder.path().join(RECORD);
    let (exit, stdout, stderr) = call(
        &bench,
        folder.path(),
        &["cleanup", record.to_str().unwrap()],
    );
    assert_eq!(exit, 0, "{stdout}{stderr}");
}
