//! How many calls are under way at once in, the same reports out.

use regex::Regex;
use rolecall::reference::Fault;

use crate::bench::{Bench, CATALOG, deployment};

/// What a run of its own makes differ: times, ids and tags.
const OWN: [&str; 5] = [
    r#""(took_ms|exp|iat|nbf)": ?\d+"#,
    r#"time="[^"]*""#,
    r"\d{4}-\d\d-\d\dT[0-9:.]+Z",
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    r"[0-9a-f]{8}(-\d+-exp\d+)?",
];

fn reports(faults: &[Fault], jobs: &str) -> Vec<(&'static str, String)> {
    let deployment = deployment(faults);
    let port = Regex::new(r"127\.0\.0\.1:\d+").expect("a pattern");
    let own = OWN.map(|pattern| Regex::new(pattern).expect("a pattern"));
    let ran = Bench::against(&deployment).run(&["run", "--jobs", jobs, CATALOG]);
    let files = [
        "reports/TEST-rolecall.xml",
        "reports/rolecall.json",
        "reports/rolecall.md",
    ];
    let plain = |path| {
        let text = own.iter().fold(ran.file(path), |text, pattern| {
            pattern.replace_all(&text, "…").into_owned()
        });
        (path, port.replace_all(&text, "…").into_owned())
    };
    files.map(plain).into()
}

#[test]
fn reports_are_the_same_however_many_calls_are_under_way_at_once() {
    for faults in [&[][..], &[Fault::McpNoToolCheck], &[Fault::OneIssuer]] {
        let one = reports(faults, "1");
        let many = reports(faults, "256");
        for ((path, one), (_, many)) in one.into_iter().zip(many) {
            let mut lines = one.lines().zip(many.lines());
            let differs = lines.find(|(one, many)| one != many);
            assert_eq!(differs, None, "{faults:?}: {path}");
            assert_eq!(
                one.lines().count(),
                many.lines().count(),
                "{faults:?}: {path}"
            );
        }
    }
}
