//! A workload in, the folder that it lies in and the deployment that it is for out; both go with their values.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::deployment::Manner;
use crate::workload::Workload;

/// Where the workloads lie.
#[derive(Debug)]
pub(crate) struct Ground(PathBuf);

impl Ground {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let path = std::env::temp_dir().join(format!("rolecall-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// The workload of so many checks against a deployment, laid out.
    pub(crate) fn lay(
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

impl Ground {
    /// An empty folder of that name.
    pub(crate) fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.0.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A deployment in a process of its own, ended with this value.
#[derive(Debug)]
pub(crate) struct Deployment {
    process: Child,
    pub(crate) port: u16,
}

impl Deployment {
    pub(crate) fn start(manner: Manner) -> Result<Self, Box<dyn Error>> {
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
