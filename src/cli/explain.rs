//! A finding's code, a requirement's id, a cause or a cell in, its explanation out; offline.

use super::Context;
use super::args;
use super::report;
use crate::exit::Exit;
use crate::judge::{Code, Hint, Signature};
use crate::report::dossier;
use crate::requirement::Requirement;

/// The name of the page about the lines that a finding shows.
const BY_HAND: &str = "by-hand";

/// Explains a word or a cell, or lists all words.
pub(super) fn explain(arguments: &args::Explain, context: &Context) -> Exit {
    let text = match arguments.code.as_deref() {
        None => Ok(list()),
        Some(cell) if cell.contains('/') => of_cell(cell, arguments, context),
        Some(word) => of_word(word).map_err(|complaint| {
            context.terminal.say(format!("error: {complaint}"));
            Exit::Usage
        }),
    };
    match text.map(|text| context.terminal.print(text.as_bytes())) {
        Ok(Ok(())) => Exit::Conforms,
        Ok(Err(_unwritten)) => Exit::ReportUnwritten,
        Err(exit) => exit,
    }
}

fn of_word(word: &str) -> Result<String, String> {
    if word == BY_HAND {
        return Ok(include_str!("../../docs/by-hand.md").to_owned());
    }
    if let Some(hint) = Hint::named(word) {
        return Ok(page(hint.name(), hint.explain()));
    }
    if let Some(signature) = Signature::named(word) {
        return Ok(page(signature.name(), &signature.explain()));
    }
    match (word.parse::<Requirement>(), word.parse::<Code>()) {
        (Ok(requirement), _) => Ok(page(requirement.id(), requirement.explain())),
        (Err(_), Ok(code)) => Ok(page(code.name(), code.explain())),
        (Err(unknown), Err(_)) if is_like_an_id(word) => Err(format!("`{word}`: {unknown}")),
        (Err(_), Err(unknown)) => Err(unknown.to_string()),
    }
}

fn of_cell(cell: &str, arguments: &args::Explain, context: &Context) -> Result<String, Exit> {
    let record = report::read(&arguments.record, context)?;
    dossier::of_cell(&record, cell).ok_or_else(|| {
        context.terminal.say(format!(
            "error: {} has no cell `{cell}`; a cell is persona/operation/door, as in its findings",
            arguments.record.display()
        ));
        Exit::Usage
    })
}

/// Whether a word was meant for a requirement's id rather than a finding's code.
fn is_like_an_id(word: &str) -> bool {
    let digits = word.trim_start_matches(['c', 'C', '-']);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text is Markdown in the documentation; here its marks of emphasis would only be noise.
fn page(name: &str, text: &str) -> String {
    format!("{name}\n\n{}\n", text.trim_end().replace("**", ""))
}

fn list() -> String {
    let codes = Code::ALL.iter().map(|code| (code.name(), code.headline()));
    let requirements = Requirement::ALL
        .iter()
        .map(|requirement| (requirement.id(), requirement.title()));
    let hints = Hint::ALL.iter().map(|hint| (hint.name(), hint.headline()));
    let signatures = Signature::ALL
        .iter()
        .map(|signature| (signature.name(), signature.words()));
    codes
        .chain(hints)
        .chain(signatures)
        .chain(requirements)
        .chain([(BY_HAND, "How to make a finding's request by hand.")])
        .fold(String::new(), |text, (name, line)| {
            text + &format!("{name:<27} {line}\n")
        })
}
