//! Matrices of several sizes in, the memory that each takes and the slope out.

use super::{Asked, JOBS};
use crate::Outcome;
use crate::contestant::Contestant;
use crate::deployment::Manner;
use crate::ground::{Deployment, Ground};

/// Peak memory by the size of the matrix, and the slope between the two largest.
pub(super) fn memory(ground: &Ground, _: &Asked) -> Outcome {
    let deployment = Deployment::start(Manner::default())?;
    println!("\nall reports on");
    println!("| checks | peak | CPU a check |");
    println!("|---|---|---|");
    let mut peaks = Vec::new();
    for checks in [24, 800, 10_000, 100_000] {
        let (folder, checks) = ground.lay(checks, &deployment)?;
        let run = Contestant::Rolecall.run(&folder, deployment.port, JOBS)?;
        if run.cost.code != 0 {
            return Err(format!("{checks} checks ended with {}", run.cost.code).into());
        }
        println!(
            "| {checks} | {:.1} MB | {:.1} us |",
            run.cost.peak as f64 / 1024.0,
            run.cost.cpu.as_secs_f64() * 1e6 / checks as f64
        );
        peaks.push((checks as f64, run.cost.peak as f64 * 1024.0));
    }
    let [.., (less, low), (more, high)] = peaks[..] else {
        return Ok(());
    };
    println!("slope: {:.0} bytes a check", (high - low) / (more - less));
    Ok(())
}
