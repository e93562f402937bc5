//! One plan on several machines in, what their joined records say beside the undivided run out.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use rolecall::reference::Fault;
use serde_json::Value;
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, deployment, findings, shown_in_vain, text};

/// A folder in which shards and joined records land.
struct Folder {
    folder: TempDir,
    bench: Bench,
}

impl Folder {
    fn of(bench: Bench) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            bench,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn rolecall(&self, arguments: &[&str]) -> Output {
        let mut command = self.bench.command(self.path(), arguments);
        command.output().unwrap()
    }

    fn exit(&self, arguments: &[&str]) -> i32 {
        self.rolecall(arguments).status.code().unwrap_or(-1)
    }

    /// Calls the shards side by side and returns their exit codes.
    fn shards(&self, of: u32) -> Vec<i32> {
        let children: Vec<_> = (1..=of)
            .map(|number| {
                let shard = format!("{number}/{of}");
                let arguments = ["run", "--quiet", "--shard", &shard, CATALOG];
                let mut command = self.bench.command(self.path(), &arguments);
                command.stdout(std::process::Stdio::null()).spawn().unwrap()
            })
            .collect();
        let wait = |mut child: std::process::Child| child.wait().unwrap().code().unwrap_or(-1);
        children.into_iter().map(wait).collect()
    }

    fn report(&self) -> Value {
        let text = std::fs::read_to_string(self.path().join("reports/rolecall.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// Cells with their verdicts.
fn verdicts(report: &Value) -> Vec<(String, String, String)> {
    let cells = report["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| {
            (
                text(&cell["id"]),
                text(&cell["verdict"]),
                text(&cell["code"]),
            )
        })
        .collect()
}

const RECORDS: [&str; 3] = [
    "reports/rolecall-3-of-3.jsonl",
    "reports/rolecall-1-of-3.jsonl",
    "reports/rolecall-2-of-3.jsonl",
];

#[test]
fn three_shards_joined_say_what_the_undivided_run_says() {
    for faults in [
        &[][..],
        &[Fault::McpNoToolCheck],
        &[Fault::OneIssuer],
        &[Fault::UndeclaredTool],
        &[Fault::NoChallenge],
    ] {
        let deployment = deployment(faults);
        let whole = Bench::against(&deployment).run(&["run", CATALOG]);
        let folder = Folder::of(Bench::against(&deployment));
        let shards = folder.shards(3);
        let exit = folder.exit(&[&["merge"][..], &RECORDS].concat());
        let (joined, expected) = (folder.report(), whole.report());
        assert_eq!(verdicts(&joined), verdicts(&expected), "{faults:?}");
        assert_eq!(findings(&joined), findings(&expected), "{faults:?}");
        assert_eq!(
            shown_in_vain(&joined),
            shown_in_vain(&expected),
            "{faults:?}"
        );
        assert_eq!(exit, whole.exit, "{faults:?}: {shards:?}");
        assert_eq!(shards.iter().max(), Some(&whole.exit), "{faults:?}");
    }
}

#[test]
fn a_missing_shard_is_named_and_never_green() {
    let deployment = deployment(&[]);
    let folder = Folder::of(Bench::against(&deployment));
    assert_eq!(folder.shards(2), [0, 0]);
    let one = "reports/rolecall-1-of-2.jsonl";
    let output = folder.rolecall(&["merge", one]);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("shard 2 of 2 is missing"), "{told}");
    let rest = ["merge", "--record", "whole.jsonl", "reports/rolecall.jsonl"];
    let rest = [
        &rest[..],
        &["reports/rolecall-2-of-2.jsonl", "--report-dir", "whole"],
    ]
    .concat();
    assert_eq!(folder.exit(&rest), 0, "what was joined is joined on");
    assert_eq!(folder.exit(&["report", "whole.jsonl"]), 0);
}

#[test]
fn what_cannot_be_joined_is_a_wrong_command_line_and_leaves_no_old_report() {
    let deployment = deployment(&[]);
    let folder = Folder::of(Bench::against(&deployment));
    assert_eq!(folder.shards(2), [0, 0]);
    let records = [
        "reports/rolecall-1-of-2.jsonl",
        "reports/rolecall-2-of-2.jsonl",
    ];
    assert_eq!(folder.exit(&[&["merge"][..], &records].concat()), 0);
    let another = folder.rolecall(&["run", "--shard", "2/2", "--door", "rest", CATALOG]);
    assert_eq!(another.status.code(), Some(0));
    let output = folder.rolecall(&[&["merge"][..], &records].concat());
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("are of different plans"), "{words}");
    assert!(!folder.path().join("reports/TEST-rolecall.xml").exists());
    let both = ["merge", "--record", records[0], records[0]];
    let output = folder.rolecall(&both);
    assert_eq!(output.status.code(), Some(2));
    assert!(folder.path().join(records[0]).exists());
}

#[test]
fn a_shard_without_cells_asks_nobody_and_is_part_of_the_whole() {
    let folder = Folder::of(Bench::against(&deployment(&[])));
    // The deployment is gone by now.
    let output = folder.rolecall(&["run", "--shard", "7/9", CATALOG]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("shard 7 of 9"), "{told}");
    assert!(told.contains("nothing to call"), "{told}");
    assert!(!told.contains("\n\n\n"), "{told}");
    assert!(folder.path().join("reports/rolecall-7-of-9.jsonl").exists());
    assert_eq!(folder.exit(&["plan", "--shard", "7/9", CATALOG]), 0);
}

#[test]
fn the_machine_says_which_shard_it_is() {
    let bench = Bench::new()
        .with("JOB_COMPLETION_INDEX", "1")
        .with("ROLECALL_SHARDS", "3");
    let ran = bench.run(&["plan", "--shard", "auto", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let first = ran.stdout.lines().next().unwrap();
    assert!(
        first.starts_with("Product Catalog: 24 checks, shard 2 of 3, plan "),
        "{first}"
    );
    let nowhere = Bench::new().run(&["plan", "--shard", "auto", CATALOG]);
    assert_eq!(nowhere.exit, 2);
    assert!(nowhere.stderr.contains("--shard 2/5"), "{}", nowhere.stderr);
    let wrong = Bench::new().run(&["plan", "--shard", "4/3", CATALOG]);
    assert_eq!(wrong.exit, 2);
    assert!(wrong.stderr.contains("such as 2/5"), "{}", wrong.stderr);
}

#[test]
fn what_a_killed_shard_left_is_removed_by_the_joined_record() {
    let deployment = deployment(&[]);
    let before = deployment.products().len();
    let folder = Folder::of(Bench::against(&deployment));
    let slow = [
        "run", "--quiet", "--jobs", "1", "--rate", "20", "--shard", "2/2", CATALOG,
    ];
    let mut child = folder.bench.command(folder.path(), &slow);
    let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
    let record = folder.path().join("reports/rolecall-2-of-2.jsonl");
    let is_made = || {
        let lines = std::fs::read_to_string(&record).unwrap_or_default();
        lines.contains("fixture.made")
    };
    while !is_made() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(deployment.products().len() > before, "nothing was left");
    assert_eq!(folder.exit(&["run", "--shard", "1/2", CATALOG]), 0);
    let records = [
        "reports/rolecall-1-of-2.jsonl",
        "reports/rolecall-2-of-2.jsonl",
    ];
    assert_eq!(folder.exit(&[&["merge"][..], &records].concat()), 5);
    let output = folder.rolecall(&["cleanup", "reports/rolecall.jsonl", CATALOG]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(deployment.products().len(), before);
    assert_eq!(folder.exit(&["report", "reports/rolecall.jsonl"]), 3);
}
