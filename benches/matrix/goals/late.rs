//! A deployment that answers late in, how near the run comes to what its lateness alone would take out, and to wrk.

use std::time::Duration;

use super::{Asked, median};
use crate::Outcome;
use crate::contestant::Contestant;
use crate::deployment::Manner;
use crate::ground::{Deployment, Ground};

/// Every answer comes after 20 ms: the wall against ceil(checks / jobs) x 20 ms.
pub(super) fn late(ground: &Ground, asked: &Asked) -> Outcome {
    let delay = Duration::from_millis(20);
    let deployment = Deployment::start(Manner {
        delay,
        ..Manner::default()
    })?;
    let (folder, checks) = ground.lay(10_000, &deployment)?;
    println!("\nevery answer after 20 ms, {checks} checks");
    println!("| jobs | bound | wall | x bound | x wrk, which does nothing but ask |");
    println!("|---|---|---|---|---|");
    for jobs in [32, 256] {
        let bound = delay.as_secs_f64() * checks.div_ceil(jobs) as f64;
        let mut walls = Vec::new();
        let mut ratios = Vec::new();
        for _ in 0..asked.rounds.min(3) {
            let run = Contestant::Rolecall.run(&folder, deployment.port, jobs)?;
            let wall = run.cost.wall.as_secs_f64();
            walls.push(wall);
            let wrk = Contestant::Wrk.run(&folder, deployment.port, jobs)?;
            let rate = wrk.requests.unwrap_or_default() / wrk.cost.wall.as_secs_f64();
            ratios.push(wall * rate / checks as f64);
        }
        let wall = median(walls);
        println!(
            "| {jobs} | {bound:.2} s | {wall:.2} s | {:.3} | {:.3} |",
            wall / bound,
            median(ratios)
        );
    }
    Ok(())
}
