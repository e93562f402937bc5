//! Runs that outlive their tokens in, one renewal a persona out, and none where a refusal is what is asked for.

use std::collections::BTreeMap;

use rolecall::reference::{Deployment, Listener, Seen};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, Ran, findings, text};

/// Seconds that a token lives here: its `exp` counts in whole ones, so that between three and four are left of it.
const LIFETIME: u32 = 4;
/// Calls a second that make 36 calls last for more than one token, and less than two.
const PACE: &str = "7.5";

fn short_lived() -> Deployment {
    Deployment::start_with_lifetime(&[], LIFETIME).unwrap()
}

fn token_requests(deployment: &Deployment) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let traffic = deployment.traffic();
    let posted = |one: &&Seen| one.listener == Listener::Identity && one.method == "POST";
    for one in traffic.iter().filter(posted) {
        *counts
            .entry(one.client.clone().unwrap_or_default())
            .or_default() += 1;
    }
    counts
}

fn renewals(ran: &Ran) -> Vec<String> {
    let record = ran.file("reports/rolecall.jsonl");
    record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["type"] == "token.renewed")
        .map(|event| text(&event["persona"]))
        .collect()
}

#[test]
fn a_run_that_outlives_its_tokens_renews_each_once_and_proves_everything() {
    let deployment = short_lived();
    let arguments = [
        "run",
        "--read-only",
        "--rate",
        PACE,
        "--jobs",
        "32",
        CATALOG,
    ];
    let ran = Bench::against(&deployment).run(&arguments);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.report()["summary"]["pass"], 36);
    let mut renewed = renewals(&ran);
    renewed.sort();
    assert_eq!(renewed, ["admin", "reader", "writer"]);
    let requests = token_requests(&deployment);
    let counts: Vec<usize> = requests.values().copied().collect();
    assert_eq!(counts, [2, 2, 2], "{requests:?}");
    let found = findings(&ran.report());
    let codes: Vec<&String> = found.keys().collect();
    assert_eq!(codes, ["token-stale"], "its note says that they end soon");
}

#[test]
fn objects_are_read_back_and_removed_with_the_renewed_token() {
    let deployment = short_lived();
    let before = deployment.products();
    let ran = Bench::against(&deployment).run(&["run", "--rate", "33", CATALOG]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.report()["summary"]["pass"], 72);
    assert!(renewals(&ran).contains(&"admin".to_owned()));
    assert!(
        token_requests(&deployment)
            .values()
            .all(|times| *times <= 2)
    );
    assert_eq!(deployment.products(), before);
}
