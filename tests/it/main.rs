//! The tool tested from outside: its corridor, its inputs, its outputs, its faults.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

/// A corpus of answers as products give them.
mod answers;
/// One invocation of the binary in a folder of its own.
mod bench;
/// Secrets reach no output.
mod canary;
/// The same users through different clients.
mod clients;
/// What an ended run left is removed, and nothing else.
mod cleanup;
/// The law of imports.
mod corridor;
/// What there is, beside what the operations name.
mod coverage;
/// Whose a finding is, why, and how to see it by hand.
mod diagnosis;
/// What runs it on many machines.
mod deploy;
/// What is found on the way to a deployment.
mod doctor;
/// Every way in, with a token and without.
mod doors;
/// One scenario, several deployments.
mod environments;
/// Each exit code is reached, and nothing else is.
mod exits;
/// No fault, everything passes; each fault, exactly its findings.
mod faults;
/// Production is changed by nobody who does not name it.
mod production;
/// An identity provider that says what a test wants said.
mod provider;
/// Providers that answer oddly, wrongly or too much.
mod issuers;
/// Runs that outlive their tokens.
mod renewal;
/// Objects that no run made.
mod foreign;
/// Deployments that lie, stall, echo and confuse.
mod hostile;
/// What is the same however much is done at once.
mod jobs;
/// What `tools/list` shows, beside the matrix.
mod lists;
/// One record of everything that can happen, in every format.
mod reports;
/// What the MCP authorization chapter demands.
mod requirements;
/// Many rounds, early ends and chosen cells.
mod rounds;
/// What a scenario may be, and what is told of one that may not.
mod scenarios;
/// What takes its time.
mod settling;
/// One plan, several machines.
mod shards;
/// Every way to sign in, from the scenario to the refusal.
mod sign_in;
/// What is said of tokens.
mod token;
/// What is counted on the wire.
mod traffic;
/// Where nobody listens.
mod vacancy;
/// What is accepted for a while.
mod waivers;
/// Another provider behind the doors.
mod trust;
