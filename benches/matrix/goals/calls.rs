//! Two matrices in, the kernel calls that one more check costs out: a slope that noise does not move.

use std::error::Error;
use std::fs;
use std::process::{Command, Stdio};

use super::{Asked, JOBS};
use crate::Outcome;
use crate::contestant::binary;
use crate::deployment::Manner;
use crate::ground::{Deployment, Ground};

const FEW: usize = 24;
const MANY: usize = 800;

/// Prints the slope.
pub(super) fn calls(ground: &Ground, _: &Asked) -> Outcome {
    let slope = slope(ground)?;
    println!("\nkernel calls that one more check costs, between {FEW} and {MANY}: {slope:.2}");
    Ok(())
}

/// Kernel calls a check.
///
/// # Errors
/// No strace, or a run that is not right.
pub(super) fn slope(ground: &Ground) -> Result<f64, Box<dyn Error>> {
    let deployment = Deployment::start(Manner::default())?;
    let few = count(ground, &deployment, FEW)?;
    let many = count(ground, &deployment, MANY)?;
    Ok((many - few) / (MANY - FEW) as f64)
}

fn count(ground: &Ground, deployment: &Deployment, checks: usize) -> Result<f64, Box<dyn Error>> {
    let (folder, _) = ground.lay(checks, deployment)?;
    let ended = Command::new("strace")
        .args(["-f", "-c", "-o", "calls", &binary()])
        .args([
            "run",
            "scenario.yaml",
            "--quiet",
            "--jobs",
            &JOBS.to_string(),
        ])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .status();
    let ended = ended.map_err(|error| format!("strace: {error}"))?;
    if !ended.success() {
        return Err(format!("{checks} checks under strace: {ended}").into());
    }
    let table = fs::read_to_string(folder.join("calls"))?;
    let total = table.lines().find(|line| line.ends_with("total"));
    let number = total.and_then(|line| line.split_whitespace().nth(3));
    Ok(number.ok_or("strace told no total")?.parse()?)
}
