//! A deployment and an identity provider far away in, how many round trips and how much time besides a whole run takes out.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Asked;
use crate::Outcome;
use crate::contestant::binary;
use crate::gauge;
use crate::ground::Ground;
use crate::link::Link;
use crate::secure::Secure;
use crate::workload::{PERSONAS, Site, Workload};

/// The goal's distance, and one that tells round trips from everything else.
const NEAR: Duration = Duration::from_millis(20);
const FAR: Duration = Duration::from_millis(220);

/// Enough for all checks, and what is asked beside them, at once.
const JOBS: usize = 64;

/// Eight checks each.
const OPERATIONS: usize = 3;

/// The article's 24 checks with tokens acquired and an MCP door opened, over TLS, in one wave: wall, its slope over the
/// distance, and what is left of it without distance.
pub(super) fn link(ground: &Ground, asked: &Asked) -> Outcome {
    println!(
        "\n24 checks over TLS, tokens acquired, all reports (the best of {} rounds)",
        asked.rounds
    );
    println!("| protocol | doors | wall at 20 ms | round trips | besides |");
    println!("|---|---|---|---|---|");
    for protocol in ["h2", "http/1.1"] {
        let secure = Secure::start(protocol, OPERATIONS)?;
        for mcp in ["mcp", "mcp-legacy"] {
            let near = Way::pave(ground, &secure, mcp, NEAR)?;
            let far = Way::pave(ground, &secure, mcp, FAR)?;
            let Trips { wall, round_trips } = trips(&near, &far, asked.rounds)?;
            println!(
                "| {protocol} | rest, {mcp} | {:.0} ms | {round_trips:.1} | {:.0} ms |",
                wall * 1e3,
                (wall - round_trips * NEAR.as_secs_f64()) * 1e3
            );
            if asked.moments {
                near.tell_moments()?;
            }
        }
    }
    Ok(())
}

/// Round trips of a run with HTTP/2 and the modern era.
///
/// # Errors
/// A run that is not right.
pub(super) fn round_trips(ground: &Ground, rounds: usize) -> Result<f64, Box<dyn Error>> {
    let secure = Secure::start("h2", OPERATIONS)?;
    let near = Way::pave(ground, &secure, "mcp", NEAR)?;
    let far = Way::pave(ground, &secure, "mcp", FAR)?;
    Ok(trips(&near, &far, rounds)?.round_trips)
}

/// What a run takes at the goal's distance, in seconds, and how often it goes there and back.
struct Trips {
    wall: f64,
    round_trips: f64,
}

fn trips(near: &Way, far: &Way, rounds: usize) -> Result<Trips, Box<dyn Error>> {
    let (mut wall, mut longer) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        // Whatever else the machine does only adds to it.
        wall = wall.min(near.run()?);
        longer = longer.min(far.run()?);
    }
    let round_trips = (longer - wall) / (FAR.as_secs_f64() - NEAR.as_secs_f64());
    Ok(Trips { wall, round_trips })
}

/// The way to both servers, and the workload for it.
struct Way {
    deployment: Link,
    identity: Link,
    folder: PathBuf,
}

impl Way {
    fn pave(
        ground: &Ground,
        secure: &Secure,
        mcp: &'static str,
        round_trip: Duration,
    ) -> Result<Self, Box<dyn Error>> {
        let deployment = Link::to(secure.deployment, round_trip)?;
        let identity = Link::to(secure.identity, round_trip)?;
        let folder = ground.folder(&format!("link-{}", deployment.port))?;
        let site = Site {
            url: format!("https://127.0.0.1:{}", deployment.port),
            token: format!("https://127.0.0.1:{}/token", identity.port),
            mcp,
            asks: true,
        };
        let scenario = Workload::new(OPERATIONS, deployment.port).scenario(&site);
        fs::write(folder.join("scenario.yaml"), scenario)?;
        fs::write(folder.join("authority.pem"), &secure.authority)?;
        for name in &PERSONAS[..3] {
            fs::write(folder.join(format!("{name}.secret")), "bench")?;
        }
        Ok(Self {
            deployment,
            identity,
            folder,
        })
    }

    /// Seconds from start to exit.
    fn run(&self) -> Result<f64, Box<dyn Error>> {
        let jobs = JOBS.to_string();
        let mut command = vec![binary()];
        let rest = [
            "run",
            "scenario.yaml",
            "--cacert",
            "authority.pem",
            "--jobs",
            &jobs,
        ];
        command.extend(rest.map(str::to_owned));
        let out = self.folder.join("stdout");
        let cost = gauge::measure(&command, &self.folder, &out)?;
        if cost.code != 0 {
            let table = fs::read_to_string(out)?;
            return Err(format!("24 checks over a link ended with {}\n{table}", cost.code).into());
        }
        Ok(cost.wall.as_secs_f64())
    }

    /// Runs once more and tells when what was put on the links.
    fn tell_moments(&self) -> Outcome {
        drop((self.deployment.moments(), self.identity.moments()));
        let begun = Instant::now();
        let wall = self.run()?;
        let told = |name, link: &Link| {
            let moments = link.moments().into_iter();
            moments
                .map(|moment| (moment.at, name, moment))
                .collect::<Vec<_>>()
        };
        let mut all = told("deployment", &self.deployment);
        all.extend(told("identity", &self.identity));
        all.sort_by_key(|(at, ..)| *at);
        for (at, name, moment) in all {
            let after = at.saturating_duration_since(begun).as_secs_f64() * 1e3;
            let way = if moment.upwards { "->" } else { "<-" };
            println!(
                "  {after:7.1} ms {way} {name} {}: {} bytes",
                moment.connection, moment.bytes
            );
        }
        println!("  {:7.1} ms over", wall * 1e3);
        Ok(())
    }
}
