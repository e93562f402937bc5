//! A matrix in, what all reports cost beside the `JUnit` report alone out.

use std::error::Error;

use super::{Asked, JOBS, median, words};
use crate::Outcome;
use crate::contestant::binary;
use crate::deployment::Manner;
use crate::gauge;
use crate::ground::{Deployment, Ground};

const CHECKS: usize = 10_000;

/// Prints the ratio.
pub(super) fn reports(ground: &Ground, asked: &Asked) -> Outcome {
    let ratio = ratio(ground, asked.rounds)?;
    println!("\nCPU of {CHECKS} checks with all reports, times that with JUnit alone: {ratio:.2}");
    Ok(())
}

/// CPU of a run with record, `JUnit`, JSON, Markdown and the table, of one with record and `JUnit`. A run always prints a
/// report, too, so what one `JUnit` report costs is told from two and from three of them.
///
/// # Errors
/// A run that is not right.
pub(super) fn ratio(ground: &Ground, rounds: usize) -> Result<f64, Box<dyn Error>> {
    let deployment = Deployment::start(Manner::default())?;
    let (folder, _) = ground.lay(CHECKS, &deployment)?;
    let jobs = JOBS.to_string();
    let cpu = |reports: &[&str]| -> Result<f64, Box<dyn Error>> {
        let command = [&["run", "scenario.yaml", "--jobs", &jobs], reports].concat();
        let command = [vec![binary()], words(&command)].concat();
        let cost = gauge::measure(&command, &folder, &folder.join("stdout"))?;
        if cost.code != 0 {
            return Err(format!("{} ended with {}", command.join(" "), cost.code).into());
        }
        Ok(cost.cpu.as_secs_f64())
    };
    let two = ["--format", "junit", "--report", "junit=one.xml"];
    let three = [&two[..], &["--report", "junit=two.xml"]].concat();
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let (all, two, three) = (cpu(&[])?, cpu(&two)?, cpu(&three)?);
        let one = two - (three - two);
        ratios.push(all / one);
    }
    Ok(median(ratios))
}
