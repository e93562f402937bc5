//! A contestant and a workload in, its command and whether it told right from wrong out.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::gauge::{self, Cost};

/// Whoever runs the matrix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Contestant {
    /// The binary under test, with record, `JUnit`, JSON, Markdown and the table.
    Rolecall,
    /// Sends the same mix and looks at no answer: the yardstick.
    Wrk,
    /// `curl --parallel` with a line of awk that judges and writes `JUnit`.
    Curl,
    /// Hurl, one file, `JUnit`.
    Hurl,
    /// pytest with httpx, `JUnit`.
    Pytest,
}

impl Contestant {
    /// All of them, the slowest last.
    pub(crate) const ALL: [Self; 5] = [
        Self::Rolecall,
        Self::Wrk,
        Self::Curl,
        Self::Hurl,
        Self::Pytest,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rolecall => "rolecall",
            Self::Wrk => "wrk",
            Self::Curl => "curl + awk",
            Self::Hurl => "Hurl",
            Self::Pytest => "pytest + httpx",
        }
    }

    /// Checks beyond which it is not asked: it would take minutes.
    pub(crate) fn most_checks(self) -> usize {
        match self {
            Self::Rolecall | Self::Wrk => usize::MAX,
            Self::Curl => 10_000,
            Self::Hurl => 10_000,
            Self::Pytest => 800,
        }
    }

    /// Whether its program is here.
    pub(crate) fn is_here(self) -> bool {
        let probe: &[&str] = match self {
            Self::Rolecall => return true,
            Self::Wrk => &["wrk", "-v"],
            Self::Curl => &["curl", "--version"],
            Self::Hurl => &["hurl", "--version"],
            Self::Pytest => &["python3", "-c", "import httpx, pytest"],
        };
        let ended = Command::new(probe[0])
            .args(&probe[1..])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        // `wrk -v` ends with 1.
        ended.is_ok_and(|status| status.success() || self == Self::Wrk)
    }

    fn command(self, port: u16, jobs: usize) -> Vec<String> {
        let jobs = jobs.to_string();
        let shell = |line: &str| vec!["sh".to_owned(), "-c".to_owned(), line.to_owned()];
        match self {
            Self::Rolecall => {
                let mut command = vec![binary()];
                command.extend(["run", "scenario.yaml", "--jobs", &jobs].map(str::to_owned));
                command
            }
            Self::Wrk => shell(&format!(
                "exec wrk -t 1 -c {jobs} -d 2 -s mix.lua http://127.0.0.1:{port}"
            )),
            Self::Curl => shell("curl --config curl.conf | awk -f verify.awk > junit.xml"),
            Self::Hurl => shell("exec hurl --test --jobs 2 --report-junit hurl.xml matrix.hurl"),
            Self::Pytest => shell(
                "exec python3 -m pytest -q -p no:cacheprovider --junitxml=pytest.xml test_matrix.py",
            ),
        }
    }

    /// Runs it once in a laid folder; a warm-up is the caller's affair.
    pub(crate) fn run(
        self,
        folder: &Path,
        port: u16,
        jobs: usize,
    ) -> Result<Run, Box<dyn std::error::Error>> {
        let out = folder.join("stdout");
        let cost = gauge::measure(&self.command(port, jobs), folder, &out)?;
        let requests = match self {
            Self::Wrk => Some(requests(&fs::read_to_string(&out)?)?),
            _ => None,
        };
        Ok(Run { cost, requests })
    }

    /// Whether a contestant judges at all.
    pub(crate) fn judges(self) -> bool {
        self != Self::Wrk
    }
}

/// The binary under test: `ROLECALL`, or the one of this build.
pub(crate) fn binary() -> String {
    let stated = std::env::vars_os().find(|(name, _)| name == "ROLECALL");
    stated
        .and_then(|(_, path)| path.into_string().ok())
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_rolecall").to_owned())
}

/// What one run gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) cost: Cost,
    /// How many requests it made, where it decides that itself.
    pub(crate) requests: Option<f64>,
}

fn requests(report: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let line = report
        .lines()
        .find(|line| line.contains(" requests in "))
        .ok_or("wrk told no number of requests")?;
    let number = line.split_whitespace().next().unwrap_or_default();
    Ok(number.parse()?)
}
