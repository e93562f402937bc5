//! A plan and how it is called in, what the first line of a run's record says out.

use std::sync::Arc;

use serde::Deserialize;

use super::Settings;
use super::shards::Shards;
use crate::plan::{Matrix, Plan};
use crate::scenario::{LeftOut, RefusalShape, Undeclared};

/// What a run is, before anything is asked. [`Written`](super::line::Written) puts its line together itself: the matrix is
/// most of it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Beginning {
    /// Version of rolecall.
    pub tool: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's path as the user gave it.
    pub path: String,
    /// Digest of the plan, 16 hex digits.
    pub digest: String,
    /// Shape of the run, with the doors that answered or must.
    pub matrix: Arc<Matrix>,
    /// How the MCP doors are declared to refuse.
    pub mcp_refuses: RefusalShape,
    /// Digest of the addresses and of what objects are made of, 16 hex digits; empty where none are made.
    #[serde(default)]
    pub fixtures: String,
    /// How often every cell is called.
    #[serde(default = "once")]
    pub rounds: u32,
    /// How cells were chosen, as it was typed; empty where all of them were.
    #[serde(default)]
    pub only: Vec<String>,
    /// Whether the user left cells out, by choosing cells or doors.
    #[serde(default)]
    pub partial: bool,
    /// Which shards of the plan the record tells of; absent where nobody divided it.
    #[serde(default)]
    pub shards: Option<Shards>,
    /// Which environment the scenario was read for; absent where nobody named one.
    #[serde(default)]
    pub environment: Option<String>,
    /// 16 hex digits that tell one deployment's addresses from another's.
    #[serde(default)]
    pub deployment: String,
    /// The MCP tool that each operation of the plan names, by its index.
    #[serde(default)]
    pub tools: Vec<Option<Arc<str>>>,
    /// What tools are to the author that no operation names.
    #[serde(default)]
    pub undeclared: Undeclared,
    /// Tools that no operation has to name.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
}

impl Beginning {
    /// Says it of a plan.
    pub(super) fn of(plan: &Plan, settings: &Settings) -> Self {
        let scenario = &plan.scenario;
        let deployment = &scenario.deployment;
        let shapes = scenario.operations.iter().map(|one| one.mcp.as_ref());
        Self {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: scenario.name.clone(),
            path: scenario.path.to_string(),
            digest: plan.digest.clone(),
            matrix: Arc::clone(&plan.matrix),
            mcp_refuses: deployment.mcp_refuses,
            fixtures: if plan.may_make_objects() && !scenario.fixtures.is_empty() {
                plan.fixtures_digest()
            } else {
                String::new()
            },
            rounds: settings.course.rounds,
            only: plan
                .only()
                .iter()
                .map(|only| only.as_str().to_owned())
                .collect(),
            partial: plan.is_partial(),
            shards: plan
                .shard
                .map(|shard| Shards::of_run(shard, &settings.run_id)),
            environment: scenario.environment.clone(),
            deployment: plan.addresses(),
            tools: shapes.map(|call| call?.tool_name()).collect(),
            undeclared: deployment.requirements.undeclared,
            left_out: deployment.extent.left_out_tools.clone(),
        }
    }
}

const fn once() -> u32 {
    1
}
