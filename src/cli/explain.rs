//! A finding's code or a requirement's id in, its explanation out; offline.

use super::Context;
use super::args;
use crate::exit::Exit;
use crate::judge::Code;
use crate::requirement::Requirement;

/// Explains a code or a requirement, or lists all of them.
pub(super) fn explain(arguments: &args::Explain, context: &Context) -> Exit {
    let text = match arguments.code.as_deref() {
        None => list(),
        Some(word) => match (word.parse::<Requirement>(), word.parse::<Code>()) {
            (Ok(requirement), _) => page(requirement.id(), requirement.explain()),
            (Err(_), Ok(code)) => page(code.name(), code.explain()),
            (Err(unknown), Err(_)) if is_like_an_id(word) => {
                context.terminal.say(format!("error: `{word}`: {unknown}"));
                return Exit::Usage;
            }
            (Err(_), Err(unknown)) => {
                context.terminal.say(format!("error: {unknown}"));
                return Exit::Usage;
            }
        },
    };
    match context.terminal.print(text.as_bytes()) {
        Ok(()) => Exit::Conforms,
        Err(_unwritten) => Exit::ReportUnwritten,
    }
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
    codes
        .chain(requirements)
        .fold(String::new(), |text, (name, line)| {
            text + &format!("{name:<24} {line}\n")
        })
}
