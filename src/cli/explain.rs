//! A finding's code in, its explanation out; offline.

use super::Context;
use super::args;
use crate::exit::Exit;
use crate::judge::Code;

/// Explains a code, or lists all of them.
pub(super) fn explain(arguments: &args::Explain, context: &Context) -> Exit {
    let text = match arguments.code.as_deref().map(str::parse::<Code>) {
        None => list(),
        Some(Ok(code)) => explained(code),
        Some(Err(unknown)) => {
            context.terminal.say(format!("error: {unknown}"));
            return Exit::Usage;
        }
    };
    match context.terminal.print(text.as_bytes()) {
        Ok(()) => Exit::Conforms,
        Err(_unwritten) => Exit::ReportUnwritten,
    }
}

/// The text is Markdown in the documentation; here its marks of emphasis would only be noise.
fn explained(code: Code) -> String {
    format!(
        "{code}\n\n{}\n",
        code.explain().trim_end().replace("**", "")
    )
}

fn list() -> String {
    Code::ALL.iter().fold(String::new(), |text, code| {
        text + &format!("{:<24} {}\n", code.name(), code.headline())
    })
}
