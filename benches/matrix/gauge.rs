//! A command in, its wall time, its CPU and its peak memory out.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What a command cost and how it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// In user mode and in the kernel, its children included.
    pub(crate) cpu: Duration,
    /// Most memory that it held at once, in KiB.
    pub(crate) peak: u64,
    /// Its exit code; 255 for a signal.
    pub(crate) code: i32,
}

/// Runs a command in a folder, its stdout into a file, and measures it. A process of its own asks the kernel: what it says
/// of children is then said of this one alone.
pub(crate) fn measure(
    command: &[String],
    folder: &Path,
    out: &Path,
) -> Result<Cost, Box<dyn std::error::Error>> {
    let told = Command::new(std::env::current_exe()?)
        .arg("gauge")
        .arg(out)
        .args(command)
        .current_dir(folder)
        .output()?;
    let words = String::from_utf8(told.stdout)?;
    let numbers: Vec<u64> = words
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [wall, cpu, peak, code] = numbers[..] else {
        let why = String::from_utf8_lossy(&told.stderr);
        return Err(format!("{}: {}", command.join(" "), why.trim()).into());
    };
    Ok(Cost {
        wall: Duration::from_micros(wall),
        cpu: Duration::from_micros(cpu),
        peak,
        code: i32::try_from(code)?,
    })
}

/// The other end of [`measure`]: the first word is the file for stdout, the rest the command.
pub(crate) fn tell(words: &[&str]) -> crate::Outcome {
    let [out, program, arguments @ ..] = words else {
        return Err("gauge takes a file and a command".into());
    };
    let out = File::create(out)?;
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null())
        .spawn()?;
    let ended = child.wait()?;
    let wall = begun.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = micros(usage.user_time()) + micros(usage.system_time());
    println!(
        "{} {cpu} {} {}",
        wall.as_micros(),
        usage.max_rss(),
        ended.code().unwrap_or(255)
    );
    Ok(())
}

fn micros(time: TimeVal) -> i64 {
    time.tv_sec() * 1_000_000 + time.tv_usec()
}
