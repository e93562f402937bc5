//! The same matrix through rolecall and its peers, round by round; ratios out. `benches/README.md` says how it is read.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark's table is its output"
)]
#![expect(
    clippy::cast_precision_loss,
    reason = "what is measured here is far below 2^52 of anything"
)]

/// What each request deserves.
mod answer;
/// What a run of a contestant must have given.
mod contestant;
/// A deployment that answers faster than anybody asks.
mod deployment;
/// What a command costs.
mod gauge;
/// Folders and deployments that go when nobody needs them any more.
mod ground;
/// Goals, each measured and held against its bound.
mod goals;
/// A server that is far away.
mod link;
/// The deployment behind TLS, with an identity provider.
mod secure;
/// One matrix in every contestant's spelling.
mod workload;

use std::process::ExitCode;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    // `cargo bench` says so, and it is no argument of ours.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match obey(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn obey(words: &[&str]) -> Outcome {
    match words {
        ["serve", rest @ ..] => Ok(deployment::serve(&deployment::Manner::of(rest)?)?),
        ["gauge", command @ ..] => gauge::tell(command),
        ["lay", operations, port, folder] => {
            let workload = workload::Workload::new(operations.parse()?, port.parse()?);
            Ok(workload.lay(folder.as_ref())?)
        }
        _ => goals::measure(words),
    }
}
