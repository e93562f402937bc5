//! Filled call and token in, observation out: the REST door and both eras of the MCP door.

pub mod discovery;
pub mod mcp;
pub mod observation;
pub mod rest;
pub mod sse;

use std::sync::Arc;

use http::HeaderValue;
use serde_json::Value;

use crate::cell::Door;
use crate::scenario::Deployment;
use crate::secret::Redactor;
use crate::token::Credential;
use crate::wire::Wire;

pub use observation::{Answer, HttpAnswer, Observation, Rpc};

/// What one call gave.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What is kept of it.
    pub observation: Observation,
    /// The data in it, for captures and read-back: the REST JSON body; an MCP result's `structuredContent`, else its first text block that is JSON. `None` when there is none.
    pub payload: Option<Value>,
}

/// A call with every template filled.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Through the REST door.
    Rest {
        /// Method, upper case.
        method: String,
        /// Path and query below the door's URL.
        target: String,
        /// Headers of the door and of this call.
        headers: Vec<(String, HeaderValue)>,
        /// JSON body.
        json: Option<Value>,
    },
    /// Through an MCP door.
    Tool {
        /// The tool's name.
        tool: String,
        /// Its arguments.
        arguments: Value,
        /// Headers of the door.
        headers: Vec<(String, HeaderValue)>,
    },
}

/// One persona's way in: its own connections, its credential, its MCP session. Shared by all its cells.
#[derive(Debug)]
pub struct Entrance {}

impl Entrance {
    /// An entrance with no connection and no session yet.
    pub fn new(_deployment: &Deployment, _wire: &Wire, _credential: Credential, _redactor: &Arc<Redactor>) -> Self {
        Self {}
    }

    /// Makes the call through the door. At `mcp-legacy` the persona's one session is opened first, once.
    pub async fn call(&self, _door: Door, _ask: &Ask) -> Answered {
        std::future::pending().await
    }

    /// Makes the call on a connection of its own, so that nothing an earlier exchange left behind can answer it.
    pub async fn call_afresh(&self, _door: Door, _ask: &Ask) -> Answered {
        std::future::pending().await
    }
}
