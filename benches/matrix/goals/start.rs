//! Commands that are over at once in, how they compare with `curl --version` out.

use super::{Asked, median, words};
use crate::Outcome;
use crate::contestant::binary;
use crate::deployment::Manner;
use crate::gauge::{self, Cost};
use crate::ground::{Deployment, Ground};

/// `--version` and the 24-check run against `curl --version`.
pub(super) fn start(ground: &Ground, asked: &Asked) -> Outcome {
    let deployment = Deployment::start(Manner::default())?;
    let (folder, _) = ground.lay(24, &deployment)?;
    let commands: [(&str, Vec<String>); 3] = [
        ("curl --version", words(&["curl", "--version"])),
        ("rolecall --version", vec![binary(), "--version".to_owned()]),
        (
            "24 checks with reports",
            [vec![binary()], words(&["run", "scenario.yaml"])].concat(),
        ),
    ];
    let mut costs: Vec<Vec<Cost>> = Vec::new();
    for _ in 0..asked.rounds * 5 {
        let round = commands
            .iter()
            .map(|(_, command)| gauge::measure(command, &folder, &folder.join("stdout")));
        costs.push(round.collect::<Result<_, _>>()?);
    }
    println!("\nstart-up, {} rounds (medians)", costs.len());
    println!("| command | wall | x curl --version | CPU | x curl's | peak |");
    println!("|---|---|---|---|---|---|");
    for (place, (name, _)) in commands.iter().enumerate() {
        let over = |figure: &dyn Fn(&Cost) -> f64| {
            median(costs.iter().map(|round| figure(&round[place])).collect())
        };
        let against = |figure: &dyn Fn(&Cost) -> f64| {
            median(
                costs
                    .iter()
                    .map(|round| figure(&round[place]) / figure(&round[0]))
                    .collect(),
            )
        };
        let wall = |cost: &Cost| cost.wall.as_secs_f64() * 1e3;
        let cpu = |cost: &Cost| cost.cpu.as_secs_f64() * 1e3;
        println!(
            "| {name} | {:.2} ms | {:.2} | {:.2} ms | {:.2} | {:.1} MB |",
            over(&wall),
            against(&wall),
            over(&cpu),
            against(&cpu),
            over(&|cost| cost.peak as f64 / 1024.0),
        );
    }
    Ok(())
}
