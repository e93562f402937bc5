//! Production is changed by nobody who does not name it, and nothing is changed without the author's word.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rolecall::reference::{Fault, Seen};
use serde_json::json;
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, deployment, findings, text};
use crate::hostile::{DELETE, Hostile, LIST, READ, Reply, Request, Store, refused, scenario};

const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// The article's scenario with other words in place of `disposable: true`.
fn stating(words: &str) -> (TempDir, String) {
    let catalog = std::fs::read_to_string(CATALOG).unwrap();
    let edited = catalog.replacen("  disposable: true", &format!("  {words}"), 1);
    assert_ne!(edited, catalog);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stating.yaml");
    std::fs::write(&path, edited).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn writes(one: &Seen) -> bool {
    let tools = ["createProduct", "updateProduct", "deleteProduct"];
    let rest = one.path.starts_with("/api/") && one.method != "GET";
    rest || one
        .tool
        .as_deref()
        .is_some_and(|tool| tools.contains(&tool))
}

#[test]
fn without_the_authors_word_nothing_is_changed_but_decoys_are_tried() {
    for (faults, exit) in [
        (&[][..], 0),
        (&[Fault::RestNoAuth, Fault::McpNoAuth][..], 1),
    ] {
        let deployment = deployment(faults);
        let before = deployment.products();
        let (_folder, path) = stating("disposable: false");
        let ran = Bench::against(&deployment).run(&["run", &path]);
        assert_eq!(ran.exit, exit, "{}\n{}", ran.stdout, ran.stderr);
        let written: Vec<Seen> = deployment.traffic().into_iter().filter(writes).collect();
        // Updates and deletions by four personas at three doors, and once more where one was let in.
        assert!(written.len() >= 24, "{}", written.len());
        for one in written {
            let at_decoy = one.path.ends_with(NIL);
            let by_tool = ["updateProduct", "deleteProduct"];
            let tool = one.tool.as_deref().unwrap_or_default();
            assert!(at_decoy || by_tool.contains(&tool), "{one:?}");
        }
        assert_eq!(deployment.products(), before);
    }
}

#[test]
fn a_production_host_is_refused_before_anything_is_sent_until_it_is_named() {
    let (_folder, path) =
        stating("disposable: true\n  production: [\"127.0.0.*\", api.contoso.com]");
    let company = ("ROLECALL_PRODUCTION", "*.contoso.com, 127.0.0.1");
    for (path, variable) in [(path.as_str(), None), (CATALOG, Some(company))] {
        for (arguments, exit) in [
            (&[][..], 2),
            (&["--door", "mcp"][..], 2),
            (&["--i-mean", "127.0.0.*"][..], 2),
            (&["--i-mean", "localhost"][..], 2),
            (&["--read-only"][..], 0),
            (&["--i-mean", "127.0.0.1"][..], 0),
        ] {
            let deployment = deployment(&[]);
            let before = deployment.products();
            let mut bench = Bench::against(&deployment);
            if let Some((name, value)) = variable {
                bench = bench.with(name, value);
            }
            let ran = bench.run(&[&["run", path], arguments].concat());
            assert_eq!(
                ran.exit, exit,
                "{arguments:?}: {}\n{}",
                ran.stdout, ran.stderr
            );
            assert_eq!(deployment.products(), before);
            let traffic = deployment.traffic();
            if exit == 2 {
                assert!(
                    traffic.is_empty() && ran.files().is_empty(),
                    "{arguments:?}"
                );
                assert!(ran.stderr.contains("--i-mean 127.0.0.1"), "{}", ran.stderr);
                assert!(
                    ran.stderr.contains("127.0.0.1 is production"),
                    "{}",
                    ran.stderr
                );
                assert!(ran.stderr.contains(".yaml:"), "{}", ran.stderr);
            }
            let wrote = traffic.iter().any(writes);
            assert_eq!(
                wrote,
                arguments.contains(&"--i-mean") && exit == 0,
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn decoys_are_held_back_from_production_as_well() {
    let (_folder, path) = stating("disposable: false\n  production: \"*\"");
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["run", &path]);
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    assert!(deployment.traffic().is_empty());
}

#[test]
fn a_tool_that_no_operation_names_is_not_called_at_production() {
    for (arguments, called) in [
        (&["--read-only"][..], false),
        (&["--i-mean", "127.0.0.1"], true),
    ] {
        let deployment = deployment(&[Fault::UndeclaredTool]);
        let bench = Bench::against(&deployment).with("ROLECALL_PRODUCTION", "*");
        let ran = bench.run(&[&["run", CATALOG], arguments].concat());
        assert_eq!(ran.exit, 1, "{}", ran.stderr);
        let traffic = deployment.traffic();
        let export = |one: &Seen| one.tool.as_deref() == Some("exportProducts");
        assert_eq!(traffic.iter().any(export), called, "{arguments:?}");
    }
}

#[test]
fn a_plan_shows_what_is_guarded_and_sends_nothing() {
    let deployment = deployment(&[]);
    let bench = || Bench::against(&deployment).with("ROLECALL_PRODUCTION", "127.*");
    let ran = bench().run(&["plan", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("127.0.0.1 is production"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("A run of this plan is refused"),
        "{}",
        ran.stdout
    );
    let ran = bench().run(&["plan", "--format", "json", "--i-mean", "127.0.0.1", CATALOG]);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["production"][0]["meant"], true);
    assert_eq!(plan["forbidden"], false);
    assert!(deployment.traffic().is_empty());
}

#[test]
fn a_list_of_hosts_that_is_none_stops_every_run() {
    let deployment = deployment(&[]);
    for stated in ["https://api.contoso.com", "api.contoso.com:443"] {
        let bench = Bench::against(&deployment).with("ROLECALL_PRODUCTION", stated);
        let ran = bench.run(&["run", "--read-only", CATALOG]);
        assert_eq!(ran.exit, 2, "{stated}: {}", ran.stderr);
        assert!(ran.stderr.contains("ROLECALL_PRODUCTION"), "{}", ran.stderr);
    }
    assert!(deployment.traffic().is_empty());
}

#[test]
fn no_variable_of_the_environment_means_a_host() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment)
        .with("ROLECALL_PRODUCTION", "*")
        .with("ROLECALL_I_MEAN", "127.0.0.1")
        .with("ROLECALL_MEANT", "127.0.0.1");
    assert_eq!(bench.run(&["run", CATALOG]).exit, 2);
    assert!(deployment.traffic().is_empty());
}

#[test]
fn a_decoy_that_names_somebodys_object_is_never_sent_in_a_write() {
    let store = Arc::new(Store::with(&[("4711", "somebody's")]));
    for (decoy, written) in [("4711", false), ("4712", true), ("0", true)] {
        let open = Arc::clone(&store);
        let hostile = Hostile::new(move |request| {
            let mut request = request.clone();
            "owner".clone_into(&mut request.who);
            open.answer(&request)
        });
        let fixture = format!("{READ}    decoy: {{ id: {decoy} }}\n");
        let kept = scenario(&fixture, &format!("{LIST}{DELETE}"))
            .replace("disposable: true", "disposable: false");
        let ran = hostile.run(&kept, &[]);
        assert_eq!(store.ids(), ["4711"], "{decoy}\n{}", ran.stdout);
        assert_eq!(
            !hostile.heard("DELETE").is_empty(),
            written,
            "{decoy}\n{}",
            ran.stdout
        );
        let failed = findings(&ran.report())
            .remove("fixture-failed")
            .unwrap_or_default();
        assert_eq!(
            failed.len(),
            if written { 0 } else { 2 },
            "{decoy}\n{}",
            ran.stdout
        );
    }
}

#[test]
fn a_write_that_makes_what_its_decoy_names_is_told() {
    let store = Arc::new(Store::default());
    let upsert = Arc::clone(&store);
    let hostile = Hostile::new(move |request| {
        if request.method == "PUT" && request.who == "owner" {
            let id = request.id().unwrap_or_default().to_owned();
            upsert.things.lock().unwrap().insert(id, request.name());
            return Reply::Json(201, json!({}));
        }
        if request.method == "PUT" {
            return refused();
        }
        upsert.answer(request)
    });
    let fixture = format!("{READ}    decoy: {{ id: nothing }}\n");
    let put = "  put: { allow: [owner], uses: thing, rest: { request: \"PUT /things/{{ thing.id }}\", json: { name: \"{{ tag }}\" } } }\n";
    let kept = scenario(&fixture, put).replace("disposable: true", "disposable: false");
    let ran = hostile.run(&kept, &[]);
    assert_eq!(ran.exit, 5, "{}", ran.stdout);
    let left = &ran.report()["left_behind"][0];
    assert_eq!(text(&left["object"]), "id=nothing", "{left}");
}

/// What happened to things, in order: who called and what, with the calls under way on one thing at once.
#[derive(Default)]
struct Watch {
    calls: Vec<(String, String, String)>,
    under_way: BTreeMap<String, usize>,
    most: usize,
}

#[test]
fn refusals_come_before_allowed_writes_deletions_last_and_one_change_at_a_time() {
    let store = Arc::new(Store::default());
    let (sound, watch) = (Arc::clone(&store), Arc::new(Mutex::new(Watch::default())));
    let watching = Arc::clone(&watch);
    let hostile = Hostile::new(move |request| {
        let id = request.id().unwrap_or_default().to_owned();
        let changes = matches!(request.method.as_str(), "PUT" | "DELETE");
        if changes {
            let mut watch = watching.lock().unwrap();
            watch
                .calls
                .push((request.method.clone(), id.clone(), request.who.clone()));
            let count = watch.under_way.entry(id.clone()).or_default();
            *count += 1;
            let count = *count;
            watch.most = watch.most.max(count);
        }
        std::thread::sleep(Duration::from_millis(15));
        let reply = match (request.method.as_str(), request.who.as_str()) {
            ("PUT", "owner") => {
                sound
                    .things
                    .lock()
                    .unwrap()
                    .insert(id.clone(), request.name());
                Reply::Json(200, json!({ "id": id, "name": request.name() }))
            }
            ("PUT", _) => refused(),
            _ => sound.answer(request),
        };
        if changes {
            *watching.lock().unwrap().under_way.get_mut(&id).unwrap() -= 1;
        }
        reply
    });
    let put = |name: &str| {
        format!(
            "  {name}: {{ allow: [owner], uses: thing, rest: {{ request: \"PUT /things/{{{{ thing.id }}}}\", json: {{ name: \"{{{{ tag }}}}\" }} }} }}\n"
        )
    };
    let delete = |name: &str| DELETE.replace("delete:", &format!("{name}:"));
    // Deletions stand first in the file, and there are jobs enough for everything at once.
    let operations = [
        delete("one"),
        delete("two"),
        put("three"),
        put("four"),
        put("five"),
    ]
    .concat();
    let ran = hostile.run(&scenario(READ, &operations), &["--jobs", "16"]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let watch = watch.lock().unwrap();
    assert_eq!(watch.most, 1, "{:?}", watch.calls);
    let last_put = watch.calls.iter().rposition(|(method, ..)| method == "PUT");
    let first_delete = watch
        .calls
        .iter()
        .position(|(method, ..)| method == "DELETE");
    assert!(last_put < first_delete, "{:?}", watch.calls);
    let ids: Vec<&String> = watch.calls.iter().map(|(_, id, _)| id).collect();
    for id in ids {
        let on_it = watch.calls.iter().filter(|(_, other, _)| other == id);
        let allowed: Vec<bool> = on_it.map(|(_, _, who)| who == "owner").collect();
        assert!(allowed.is_sorted(), "{id}: {:?}", watch.calls);
    }
    assert!(store.ids().is_empty());
}

#[test]
fn every_object_carries_the_run_and_the_hour_of_its_expiry() {
    let store = Arc::new(Store::default());
    let sound = Arc::clone(&store);
    let hostile = Hostile::new(move |request| sound.answer(request));
    let operations = format!("{}{DELETE}", crate::hostile::CREATE);
    let ran = hostile.run(&scenario(READ, &operations), &[]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let id = text(&ran.report()["run"]["id"]);
    let made = hostile.heard("POST");
    assert!(made.len() >= 3);
    for name in made.iter().map(Request::name) {
        let (own, hour) = name.split_once("-exp").unwrap();
        assert!(own.starts_with(&format!("{id}-")), "{name}");
        assert!(
            hour.len() == 10 && hour.bytes().all(|byte| byte.is_ascii_digit()),
            "{name}"
        );
        assert!(hour.starts_with("20") && name.len() <= 40, "{name}");
    }
}

#[test]
fn after_a_creation_without_an_answer_the_others_say_why_they_were_not_made() {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let hostile = Hostile::new(move |request| {
        if request.is("POST", "/things") && request.who == "reader" {
            lying.add(&request.name());
            return Reply::Json(504, json!({}));
        }
        lying.answer(request)
    });
    let second = crate::hostile::CREATE.replace("create:", "again:");
    let operations = format!("{}{second}", crate::hostile::CREATE);
    let ran = hostile.run(&scenario(READ, &operations), &["--jobs", "1"]);
    assert_eq!(ran.exit, 5, "{}", ran.stdout);
    let report = ran.report();
    let cells = report["cells"].as_array().unwrap();
    let cell = cells
        .iter()
        .find(|cell| cell["id"] == "owner/again/rest")
        .unwrap();
    assert!(
        text(&cell["reason"]).contains("may still be there"),
        "{cell}"
    );
    let findings = report["findings"].as_array().unwrap();
    let own = findings
        .iter()
        .find(|one| one["code"] == "fixture-failed")
        .unwrap();
    let detail = text(&own["detail"]);
    assert!(
        detail.contains("no more of thing was made") && detail.contains("create made it"),
        "{detail}"
    );
    let left = findings
        .iter()
        .find(|one| one["code"] == "left-behind")
        .unwrap();
    assert!(text(&left["detail"]).contains("thing "), "{left}");
}
