//! Arguments in, what the binary printed, wrote and returned out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rolecall::reference::{Deployment, Fault};
use serde_json::Value;
use tempfile::TempDir;

/// The article's scenario.
pub(crate) const CATALOG: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/scenarios/product-catalog.yaml"
);

/// One finished invocation; its folder goes with it.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: TempDir,
}

/// The binary, in an empty folder and with an empty environment but for these variables.
pub(crate) struct Bench {
    variables: Vec<(String, String)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            variables: Vec::new(),
        }
    }

    /// With the variables of a deployment.
    pub(crate) fn against(deployment: &Deployment) -> Self {
        let variables = deployment.variables();
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command that [`Bench::run`] runs, in the given folder.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(self.variables.iter().cloned());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        let output = self.command(folder.path(), arguments).output().unwrap();
        Ran::of(output, folder)
    }
}

impl Ran {
    pub(crate) fn of(output: Output, folder: TempDir) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            folder,
        }
    }

    /// Every file that the invocation left in its folder.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(self.folder.path())
    }

    /// A file that it wrote, below its folder.
    pub(crate) fn file(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    /// The JSON report.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.file("reports/rolecall.json")).unwrap()
    }
}

/// A note that stands beside everything else where a gateway passes the list of tools on as it comes.
pub(crate) const SHOWN_IN_VAIN: &str = "listed-but-refused";

/// Findings of a JSON report: cells by code, with the requirement's id where it is about one. What a list shows in vain
/// is left out, see [`shown_in_vain`].
pub(crate) fn findings(report: &Value) -> BTreeMap<String, Vec<String>> {
    let mut findings = all_findings(report);
    findings.remove(SHOWN_IN_VAIN);
    findings
}

/// Cells whose tool is shown to a persona that is refused it.
pub(crate) fn shown_in_vain(report: &Value) -> Vec<String> {
    all_findings(report)
        .remove(SHOWN_IN_VAIN)
        .unwrap_or_default()
}

fn all_findings(report: &Value) -> BTreeMap<String, Vec<String>> {
    let findings = report["findings"].as_array().unwrap();
    let mut by_code: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings {
        let cells = finding["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect::<Vec<_>>();
        let name = [text(&finding["code"]), text(&finding["requirement"])].join(" ");
        by_code
            .entry(name.trim().to_owned())
            .or_default()
            .extend(cells);
    }
    by_code
}

/// The article's scenario with something more said of its MCP door, in a folder of its own.
pub(crate) fn with_door(more: &str) -> (TempDir, String) {
    let catalog = fs::read_to_string(CATALOG).unwrap();
    let door = format!("mcp: {{ url: \"${{CATALOG_MCP_URL}}\", {more} }}");
    let edited = catalog.replacen("mcp: ${CATALOG_MCP_URL}", &door, 1);
    assert_ne!(edited, catalog);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.yaml");
    fs::write(&path, edited).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// Starts the reference deployment with these faults.
pub(crate) fn deployment(faults: &[Fault]) -> Deployment {
    Deployment::start(faults).unwrap()
}

/// A JSON string's text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found
}
