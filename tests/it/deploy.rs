//! The files of `deploy/` in, whether they say of exit codes and command lines what is so out; their schemas are asked by `tests/interop`.

use std::collections::BTreeSet;

use rolecall::exit::Exit;

use crate::bench::{Bench, CATALOG, deployment};

fn text(name: &str) -> String {
    let path = format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The rows of the README's table of exit codes, by code.
fn rows() -> Vec<(u8, Vec<String>)> {
    let text = text("README.md");
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ").map(str::to_owned);
        let code = cells.next()?.parse().ok()?;
        Some((code, cells.collect()))
    });
    rows.collect()
}

#[test]
fn every_exit_code_has_its_row() {
    let codes: Vec<u8> = rows().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, Exit::TABLE.map(|(code, _)| code));
}

#[test]
fn a_pod_is_tried_again_where_the_table_says_so() {
    let tried_again: BTreeSet<u8> = rows()
        .into_iter()
        .filter(|(_, cells)| cells[1].starts_with("tried again"))
        .map(|(code, _)| code)
        .collect();
    let manifest = text("kubernetes-indexed-job.yaml");
    let (_, rest) = manifest
        .split_once("operator: NotIn\n          values: [")
        .unwrap();
    let (values, _) = rest.split_once(']').unwrap();
    let excepted: BTreeSet<u8> = values
        .split(", ")
        .map(|code| code.parse().unwrap())
        .collect();
    assert_eq!(tried_again, excepted);
}

#[test]
fn a_shard_of_a_pipeline_fails_where_the_table_says_so() {
    let goes_on: Vec<String> = rows()
        .into_iter()
        .filter(|(code, cells)| *code != 0 && cells[0] == "goes on")
        .map(|(code, _)| code.to_string())
        .collect();
    let case = format!(
        "|| case $? in {}) ;; *) exit 1 ;; esac",
        goes_on.join(" | ")
    );
    for name in ["github-actions.yml", "azure-pipelines.yml"] {
        assert!(text(name).contains(&case), "{name}: {case}");
    }
}

#[test]
fn the_image_is_of_what_the_readme_says_to_build() {
    let readme = text("README.md");
    let command =
        "cargo build --locked --release --no-default-features --target x86_64-unknown-linux-gnu";
    assert!(readme.contains(command));
    assert!(readme.contains("$ deploy/build\n"));
    let build = text("build");
    let (_, flags) = readme.split_once("RUSTFLAGS=").unwrap();
    let (flags, _) = flags.split_once(" cargo build").unwrap();
    assert!(build.contains(&format!("static={flags}\n")));
    assert!(build.contains("--release --no-default-features"));
    assert!(build.contains("file=${1:-deploy/rolecall}\n"));
    let manifest = include_str!("../../Cargo.toml");
    assert!(manifest.contains("[profile.release]") && manifest.contains("default = ["));
    assert!(text("Dockerfile").contains("COPY rolecall /rolecall"));
    let version = format!("rolecall:{}\n", env!("CARGO_PKG_VERSION"));
    let images = text("kubernetes-indexed-job.yaml");
    assert_eq!(
        images.matches("image: ").count(),
        images.matches(&version).count()
    );
}

/// The arguments of each container of the manifest.
fn arguments() -> Vec<Vec<String>> {
    let manifest = text("kubernetes-indexed-job.yaml");
    let lists = manifest.split("          args:\n").skip(1);
    let list = |rest: &str| {
        let items = rest
            .lines()
            .map_while(|line| line.strip_prefix("            - "));
        items.map(str::to_owned).collect()
    };
    lists.map(list).collect()
}

#[test]
fn the_pods_of_the_manifest_do_what_they_say() {
    let deployment = deployment(&[]);
    let folder = tempfile::tempdir().unwrap();
    let manifest = text("kubernetes-indexed-job.yaml");
    assert!(manifest.contains("completions: 3") && manifest.contains("value: \"3\""));
    let [shard, merge] = arguments().try_into().unwrap();
    let exit = |bench: Bench, arguments: &[String]| {
        let here = folder.path().to_str().unwrap();
        let arguments: Vec<String> = arguments
            .iter()
            .map(|one| one.replace("/scenario/product-catalog.yaml", CATALOG))
            .map(|one| one.replace("/reports", here))
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = bench.command(folder.path(), &arguments).output().unwrap();
        output.status.code()
    };
    for index in ["0", "1", "2"] {
        let pod = Bench::against(&deployment)
            .with("ROLECALL_SHARDS", "3")
            .with("JOB_COMPLETION_INDEX", index);
        assert_eq!(exit(pod, &shard), Some(0), "{index}");
    }
    assert_eq!(exit(Bench::new(), &merge), Some(0));
}
