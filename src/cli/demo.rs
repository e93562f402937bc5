//! Faults in, the article's table out: the reference deployment is started, tested and stopped.

use serde::Serialize;

use super::Context;
use super::args;
use super::loading;
use super::outputs::Outputs;
use super::reference;
use super::run::Errand;
use crate::exit::Exit;
use crate::reference::{Expected, Fault};
use crate::report::Kind;
use crate::scenario::Missing;

/// The scenario that ships with the tool.
const SCENARIO: &str = include_str!("../../scenarios/product-catalog.yaml");
const PATH: &str = "scenarios/product-catalog.yaml";

/// Runs the article's matrix against the reference deployment.
pub(super) fn demo(arguments: &args::Demo, context: &Context) -> Exit {
    if arguments.list_faults {
        return list(arguments.outputs.format, context);
    }
    let deployment = match reference::start(None, &arguments.faults, context) {
        Ok(deployment) => deployment,
        Err(exit) => return exit,
    };
    for fault in &arguments.faults {
        context.terminal.hint(format!(
            "rolecall: with fault {fault}: {}",
            fault.describe()
        ));
    }
    let variables = deployment
        .variables()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let scenario = match loading::read(PATH, SCENARIO, variables, Missing::Refused, context) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    let only = &arguments.selection.only;
    if let Err(exit) = loading::known(only, std::slice::from_ref(&scenario), context) {
        return exit;
    }
    let outputs = &arguments.outputs;
    Errand {
        scenario,
        selection: arguments.selection.read(),
        shard: None,
        pace: &arguments.pace,
        course: arguments.course.read(),
        authorities: Vec::new(),
        people: &args::People::default(),
        outputs: Outputs::plan(outputs, None, None),
        format: outputs.format,
        answers: None,
    }
    .do_it(context)
    .exit
}

/// A fault as the list tells it.
#[derive(Serialize)]
struct Listed {
    fault: &'static str,
    what: &'static str,
    exit: u8,
    seen_by_the_matrix: bool,
    findings: Vec<ListedFinding>,
    shown_in_vain: Vec<String>,
}

#[derive(Serialize)]
struct ListedFinding {
    code: &'static str,
    requirement: Option<&'static str>,
    exactly: bool,
    cells: Vec<String>,
}

fn list(format: Kind, context: &Context) -> Exit {
    let text = match format {
        Kind::Json => as_json(),
        Kind::Table | Kind::Junit | Kind::Markdown => as_text(),
    };
    match context.terminal.print(text.as_bytes()) {
        Ok(()) => Exit::Conforms,
        Err(_unwritten) => Exit::ReportUnwritten,
    }
}

fn as_json() -> String {
    let listed: Vec<Listed> = Fault::ALL.iter().copied().map(Listed::of).collect();
    let mut text =
        serde_json::to_string_pretty(&listed).expect("strings, numbers and lists serialize");
    text.push('\n');
    text
}

fn as_text() -> String {
    Fault::ALL.iter().fold(String::new(), |text, fault| {
        text + &format!("{:<26} {}\n", fault.name(), fault.describe())
    })
}

impl Listed {
    fn of(fault: Fault) -> Self {
        let finding = |expected: Expected| ListedFinding {
            code: expected.code,
            requirement: expected.requirement,
            exactly: expected.exactly,
            cells: expected.cells,
        };
        Self {
            fault: fault.name(),
            what: fault.describe(),
            exit: fault.exit(),
            seen_by_the_matrix: fault.seen_by_the_matrix(),
            findings: fault.expected().into_iter().map(finding).collect(),
            shown_in_vain: fault.shown_in_vain(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_listed_with_its_findings() {
        let list: serde_json::Value = serde_json::from_str(&as_json()).unwrap();
        assert_eq!(list.as_array().map(Vec::len), Some(Fault::ALL.len()));
    }
}
