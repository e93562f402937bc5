//! A binary in, whether everything that was reached once still holds out. Nothing here depends on how fast the machine is or
//! what else it does; in the order of what a user pays for: CPU, memory, kernel calls, round trips, size.

use std::error::Error;
use std::time::Duration;

use super::{Asked, JOBS, calls, link, median, reports, speed};
use crate::Outcome;
use crate::contestant::{Contestant, binary};
use crate::deployment::Manner;
use crate::ground::{Deployment, Ground};

/// What a figure is to come to, and what it may come to as long as it does not.
#[derive(Clone, Copy, Debug)]
struct Bound {
    what: &'static str,
    goal: f64,
    most: f64,
}

const fn bound(what: &'static str, goal: f64, most: f64) -> Bound {
    Bound { what, goal, most }
}

/// Whoever reaches more tightens what may be: the last number of each line.
const CPU: Bound = bound("CPU a check at 10,000, times wrk's", 1.75, 2.5);
const REPORTS: Bound = bound(
    "CPU with all reports, times that with JUnit alone",
    1.15,
    1.2,
);
const PEAKS: [(usize, Bound); 3] = [
    (24, bound("peak at 24 checks, MB", 8.0, 13.0)),
    (10_000, bound("peak at 10,000 checks, MB", 10.0, 14.5)),
    (100_000, bound("peak at 100,000 checks, MB", 20.0, 23.5)),
];
const SLOPE: Bound = bound("memory a check, bytes", 150.0, 150.0);
const CALLS: Bound = bound("kernel calls a check", 4.0, 4.0);
const TRIPS: Bound = bound("round trips of a run over TLS", 5.0, 5.0);
const SIZE: Bound = bound("size with the reference deployment, MB", 12.0, 12.0);

const ROUNDS: usize = 3;

/// Measures everything that is bound, and fails where something is out of bounds.
pub(super) fn gates(ground: &Ground, _: &Asked) -> Outcome {
    verdicts(ground)?;
    let mut measured = vec![
        (CPU, cpu(ground)?),
        (REPORTS, reports::ratio(ground, ROUNDS)?),
    ];
    measured.extend(memory(ground)?);
    measured.push((CALLS, calls::slope(ground)?));
    measured.push((TRIPS, link::round_trips(ground, ROUNDS)?));
    measured.extend(size()?.map(|size| (SIZE, size)));
    println!("\n| gate | measured | at most | goal |");
    println!("|---|---|---|---|");
    for (bound, figure) in &measured {
        let Bound { what, goal, most } = bound;
        let mark = if figure > most { " **missed**" } else { "" };
        println!("| {what} | {figure:.2}{mark} | {most} | {goal} |");
    }
    let missed = measured
        .iter()
        .filter(|(bound, figure)| figure > &bound.most);
    let missed: Vec<&str> = missed.map(|(bound, _)| bound.what).collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(format!("out of bounds: {}", missed.join("; ")).into())
    }
}

/// Whoever is wrong about the sound deployment, or blind to the hole, has no speed.
fn verdicts(ground: &Ground) -> Outcome {
    let sound = Deployment::start(Manner::default())?;
    let hole = Deployment::start(Manner {
        hole: true,
        ..Manner::default()
    })?;
    let (folder, _) = ground.lay(800, &sound)?;
    let (holed, _) = ground.lay(800, &hole)?;
    let ours = Contestant::Rolecall;
    Ok(speed::fit(ours, &folder, sound.port, &holed, hole.port)??)
}

fn cpu(ground: &Ground) -> Result<f64, Box<dyn Error>> {
    let deployment = Deployment::start(Manner::default())?;
    let (folder, checks) = ground.lay(10_000, &deployment)?;
    let a_check = |cpu: Duration, checks: f64| cpu.as_secs_f64() / checks;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let wrk = Contestant::Wrk.run(&folder, deployment.port, JOBS)?;
        let ours = Contestant::Rolecall.run(&folder, deployment.port, JOBS)?;
        let theirs = a_check(wrk.cost.cpu, wrk.requests.ok_or("wrk sent nothing")?);
        ratios.push(a_check(ours.cost.cpu, checks as f64) / theirs);
    }
    Ok(median(ratios))
}

fn memory(ground: &Ground) -> Result<Vec<(Bound, f64)>, Box<dyn Error>> {
    let deployment = Deployment::start(Manner::default())?;
    let mut measured = Vec::new();
    for (checks, bound) in PEAKS {
        let (folder, _) = ground.lay(checks, &deployment)?;
        let run = Contestant::Rolecall.run(&folder, deployment.port, JOBS)?;
        if run.cost.code != 0 {
            return Err(format!("{checks} checks ended with {}", run.cost.code).into());
        }
        measured.push((bound, run.cost.peak as f64 / 1024.0));
    }
    let [.., (_, low), (_, high)] = measured[..] else {
        return Ok(measured);
    };
    let more = (PEAKS[2].0 - PEAKS[1].0) as f64;
    measured.push((SLOPE, (high - low) * 1024.0 * 1024.0 / more));
    Ok(measured)
}

/// Only of a binary that was named: the one that is built for the benchmarks carries what nobody is given.
fn size() -> Result<Option<f64>, Box<dyn Error>> {
    if std::env::var_os("ROLECALL").is_none() {
        return Ok(None);
    }
    let bytes = std::fs::metadata(binary())?.len();
    Ok(Some(bytes as f64 / 1024.0 / 1024.0))
}
