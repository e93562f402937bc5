//! A matrix in, what every contestant takes for it out, in ratios.

use std::error::Error;
use std::path::Path;

use super::{Asked, JOBS, median, shown};
use crate::Outcome;
use crate::contestant::{Contestant, Run};
use crate::deployment::Manner;
use crate::ground::{Deployment, Ground};

/// Every contestant at the same matrix: who is wrong about the sound deployment or the hole does not count.
pub(super) fn speed(ground: &Ground, asked: &Asked) -> Outcome {
    let sound = Deployment::start(Manner::default())?;
    let hole = Deployment::start(Manner {
        hole: true,
        ..Manner::default()
    })?;
    for checks in &asked.checks {
        let (folder, checks) = ground.lay(*checks, &sound)?;
        let (holed, _) = ground.lay(checks, &hole)?;
        let mut field = Vec::new();
        for contestant in Contestant::ALL {
            if checks > contestant.most_checks() {
                continue;
            }
            if !contestant.is_here() {
                println!("{}: not installed, left out", contestant.name());
                continue;
            }
            match fit(contestant, &folder, sound.port, &holed, hole.port)? {
                Ok(()) => field.push(contestant),
                Err(why) => println!("{}: {why}, left out", contestant.name()),
            }
        }
        let rounds = rounds(asked.rounds, &field, &folder, sound.port)?;
        print_speed(checks, &field, &rounds);
    }
    Ok(())
}

pub(super) fn fit(
    contestant: Contestant,
    folder: &Path,
    port: u16,
    holed: &Path,
    hole: u16,
) -> Result<Result<(), String>, Box<dyn Error>> {
    if !contestant.judges() {
        return Ok(Ok(()));
    }
    let code = contestant.run(folder, port, JOBS)?.cost.code;
    if code != 0 {
        return Ok(Err(format!(
            "wrong about the sound deployment (exit {code})"
        )));
    }
    let code = contestant.run(holed, hole, JOBS)?.cost.code;
    Ok(if code == 0 {
        Err("blind to the hole".to_owned())
    } else {
        Ok(())
    })
}

/// By round, what each contestant gave.
fn rounds(
    rounds: usize,
    field: &[Contestant],
    folder: &Path,
    port: u16,
) -> Result<Vec<Vec<Run>>, Box<dyn Error>> {
    (0..rounds)
        .map(|_| {
            field
                .iter()
                .map(|contestant| contestant.run(folder, port, JOBS))
                .collect()
        })
        .collect()
}

fn print_speed(checks: usize, field: &[Contestant], rounds: &[Vec<Run>]) {
    println!("\n{checks} checks, {} rounds (medians)", rounds.len());
    println!("| contestant | wall | checks/s | of wrk's rate | CPU a check | x wrk's | peak |");
    println!("|---|---|---|---|---|---|---|");
    let yardstick = field.iter().position(|one| *one == Contestant::Wrk);
    for (place, contestant) in field.iter().enumerate() {
        let over = |figure: &dyn Fn(&Run) -> f64| {
            median(rounds.iter().map(|round| figure(&round[place])).collect())
        };
        let against = |figure: &dyn Fn(&Run) -> f64| {
            let place_of = yardstick?;
            Some(median(
                rounds
                    .iter()
                    .map(|round| figure(&round[place]) / figure(&round[place_of]))
                    .collect(),
            ))
        };
        let rate = |run: &Run| run.requests.unwrap_or(checks as f64) / run.cost.wall.as_secs_f64();
        let cpu =
            |run: &Run| run.cost.cpu.as_secs_f64() * 1e6 / run.requests.unwrap_or(checks as f64);
        println!(
            "| {} | {:.1} ms | {:.0} | {} | {:.1} us | {} | {:.1} MB |",
            contestant.name(),
            over(&|run| run.cost.wall.as_secs_f64() * 1e3),
            over(&rate),
            shown(against(&rate)),
            over(&cpu),
            shown(against(&cpu)),
            over(&|run| run.cost.peak as f64 / 1024.0),
        );
    }
}
