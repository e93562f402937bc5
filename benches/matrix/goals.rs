//! Words of the command line in, tables of ratios out: each round asks every contestant once, and the median of the rounds' ratios counts.

mod calls;
mod gates;
mod late;
mod link;
mod memory;
mod reports;
mod speed;
mod start;

use crate::Outcome;
use crate::contestant::binary;
use crate::ground::Ground;

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
            "--moments" => asked.moments = true,
            goal if GOALS.iter().any(|(name, _)| *name == goal) => {
                asked.goals.push(goal.to_owned());
            }
            other => {
                let known = GOALS.map(|(name, _)| name).join(", ");
                return Err(format!("no such goal: {other}; there are {known}").into());
            }
        }
    }
    println!("binary: {}", binary());
    let ground = Ground::new()?;
    for (name, goal) in GOALS {
        // The gates are what the others measure once more, in less time.
        let is_meant = asked.goals.is_empty() && name != "gates";
        if is_meant || asked.goals.iter().any(|goal| goal == name) {
            goal(&ground, &asked)?;
        }
    }
    Ok(())
}

type Goal = fn(&Ground, &Asked) -> Outcome;

const GOALS: [(&str, Goal); 8] = [
    ("start", start::start),
    ("link", link::link),
    ("speed", speed::speed),
    ("late", late::late),
    ("memory", memory::memory),
    ("reports", reports::reports),
    ("calls", calls::calls),
    ("gates", gates::gates),
];

struct Asked {
    goals: Vec<String>,
    rounds: usize,
    checks: Vec<usize>,
    /// Whether the link tells when what was sent on it.
    moments: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            goals: Vec::new(),
            rounds: 7,
            checks: vec![24, 800, 10_000],
            moments: false,
        }
    }
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
