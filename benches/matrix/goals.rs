//! Words of the command line in, tables of ratios out: each round asks every contestant once, and the median of the rounds' ratios counts.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Outcome;
use crate::contestant::{Contestant, Run, binary};
use crate::deployment::Manner;
use crate::gauge::{self, Cost};
use crate::workload::Workload;

/// Calls at once, as many as wrk has connections.
const JOBS: usize = 32;

/// Measures what is asked for; everything without a word. `--rounds N` says how often, `--checks A,B` how much.
pub(crate) fn measure(words: &[&str]) -> Outcome {
    let mut asked = Asked::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--rounds" => asked.rounds = words.next().ok_or("--rounds takes a number")?.parse()?,
            "--checks" => {
                let stated = words.next().ok_or("--checks takes numbers")?;
                asked.checks = stated
                    .split(',')
                    .map(str::parse)
                    .collect::<Result<_, _>>()?;
            }
            "speed" | "start" | "late" | "memory" => asked.goals.push((*word).to_owned()),
            other => {
                return Err(format!(
                    "no such goal: {other}; there are speed, start, late and memory"
                )
                .into());
            }
        }
    }
    println!("binary: {}", binary());
    let ground = Ground::new()?;
    for (name, goal) in GOALS {
        if asked.goals.is_empty() || asked.goals.iter().any(|goal| goal == name) {
            goal(&ground, &asked)?;
        }
    }
    Ok(())
}

type Goal = fn(&Ground, &Asked) -> Outcome;

const GOALS: [(&str, Goal); 4] = [
    ("start", start),
    ("speed", speed),
    ("late", late),
    ("memory", memory),
];

struct Asked {
    goals: Vec<String>,
    rounds: usize,
    checks: Vec<usize>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            goals: Vec::new(),
            rounds: 7,
            checks: vec![24, 800, 10_000],
        }
    }
}

/// Where the workloads lie.
struct Ground(PathBuf);

impl Ground {
    fn new() -> Result<Self, Box<dyn Error>> {
        let path = std::env::temp_dir().join(format!("rolecall-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// The workload of so many checks against a deployment, laid out.
    fn lay(
        &self,
        checks: usize,
        deployment: &Deployment,
    ) -> Result<(PathBuf, usize), Box<dyn Error>> {
        let workload = Workload::new(checks.div_ceil(8), deployment.port);
        let folder = self.0.join(format!("{}-{checks}", deployment.port));
        workload.lay(&folder)?;
        Ok((folder, workload.checks()))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A deployment in a process of its own, ended with this value.
struct Deployment {
    process: Child,
    port: u16,
}

impl Deployment {
    fn start(manner: Manner) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(manner.words())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the deployment has no voice")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self {
            process,
            port: line.trim().parse()?,
        })
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Every contestant at the same matrix: who is wrong about the sound deployment or the hole does not count.
fn speed(ground: &Ground, asked: &Asked) -> Outcome {
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

fn fit(
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

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// `--version` and the 24-check run against `curl --version`.
fn start(ground: &Ground, asked: &Asked) -> Outcome {
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

/// Every answer comes after 20 ms: the wall against ceil(checks / jobs) x 20 ms.
fn late(ground: &Ground, asked: &Asked) -> Outcome {
    let delay = Duration::from_millis(20);
    let deployment = Deployment::start(Manner {
        delay,
        ..Manner::default()
    })?;
    let (folder, checks) = ground.lay(10_000, &deployment)?;
    println!("\nevery answer after 20 ms, {checks} checks");
    println!("| jobs | bound | wall | x bound |");
    println!("|---|---|---|---|");
    for jobs in [32, 256] {
        let bound = delay.as_secs_f64() * checks.div_ceil(jobs) as f64;
        let mut walls = Vec::new();
        for _ in 0..asked.rounds.min(3) {
            let run = Contestant::Rolecall.run(&folder, deployment.port, jobs)?;
            walls.push(run.cost.wall.as_secs_f64());
        }
        let wall = median(walls);
        println!(
            "| {jobs} | {bound:.2} s | {wall:.2} s | {:.3} |",
            wall / bound
        );
    }
    Ok(())
}

/// Peak memory by the size of the matrix, and the slope between the two largest.
fn memory(ground: &Ground, _: &Asked) -> Outcome {
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

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
