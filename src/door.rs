//! Filled call and token in, observation out: the REST door and both eras of the MCP door.

pub mod discovery;
pub mod heading;
pub mod mcp;
pub mod observation;
pub mod rest;
pub mod scrubber;
pub mod sse;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use serde_json::{Value, json};

use crate::cell::Door;
use crate::scenario::template::Bindings;
use crate::scenario::{Deployment, Entry, HeaderText};
use crate::secret::Redactor;
use crate::token::Credential;
use crate::wire::{Line, Silence, Wire};
use heading::heading;
use mcp::session::Sessions;
use mcp::{Ids, Way, modern};
use scrubber::Scrubber;

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

impl Ask {
    /// The request in one line, such as `DELETE /api/products/7` or `tools/call deleteProduct`.
    pub fn request(&self) -> String {
        match self {
            Self::Rest { method, target, .. } => format!("{method} {target}"),
            Self::Tool { tool, .. } => format!("tools/call {tool}"),
        }
    }
}

/// One persona's way in: its own connections, its credential, its MCP session. Shared by all its cells.
#[derive(Debug)]
pub struct Entrance {
    rest: Option<String>,
    mcp: Option<String>,
    standing: Vec<(String, HeaderValue)>,
    authorization: Option<HeaderValue>,
    wire: Wire,
    line: Line,
    sessions: Sessions,
    ids: Ids,
    redactor: Arc<Redactor>,
}

impl Entrance {
    /// An entrance with no connection and no session yet. What it says without an [`Ask`] (discovery, a tool that does
    /// not exist) carries those headers of the MCP door that need no run-time value.
    pub fn new(
        deployment: &Deployment,
        wire: &Wire,
        credential: Credential,
        redactor: &Arc<Redactor>,
    ) -> Self {
        Self {
            rest: deployment.rest.as_ref().map(|entry| entry.url.clone()),
            mcp: deployment.mcp.as_ref().map(|entry| entry.url.clone()),
            standing: deployment.mcp.as_ref().map(standing).unwrap_or_default(),
            authorization: credential.authorization,
            wire: wire.clone(),
            line: wire.line(),
            sessions: Sessions::default(),
            ids: Ids::new(),
            redactor: Arc::clone(redactor),
        }
    }

    /// The same entrance, saying these headers where it has no [`Ask`]: those of the MCP door, filled.
    #[must_use]
    pub fn with_standing_headers(self, standing: Vec<(String, HeaderValue)>) -> Self {
        Self { standing, ..self }
    }

    /// Makes the call through the door. At `mcp-legacy` the persona's one session is opened first, once.
    ///
    /// A door that the deployment has not, or that takes no such call, answers as one where nothing listens.
    pub async fn call(&self, door: Door, ask: &Ask) -> Answered {
        self.call_over(&self.line, &self.sessions, door, ask).await
    }

    /// Makes the call on a connection of its own, so that nothing an earlier exchange left behind can answer it; at
    /// `mcp-legacy` in a session of its own too.
    pub async fn call_afresh(&self, door: Door, ask: &Ask) -> Answered {
        self.call_over(&self.wire.line(), &Sessions::default(), door, ask)
            .await
    }

    /// Calls a tool that cannot exist through an MCP door; its name and what came back.
    pub async fn call_unknown_tool(&self, door: Door) -> (String, Answered) {
        let tool = format!(
            "rolecall-no-such-tool-{:08x}",
            getrandom::u32().unwrap_or_default()
        );
        let ask = Ask::Tool {
            tool: tool.clone(),
            arguments: json!({}),
            headers: self.standing.clone(),
        };
        let answered = self.call(door, &ask).await;
        (tool, answered)
    }

    async fn call_over(&self, line: &Line, sessions: &Sessions, door: Door, ask: &Ask) -> Answered {
        let answered = match (door, ask) {
            (Door::Rest, Ask::Rest { .. }) => self.call_rest(line, ask).await,
            (
                Door::Mcp,
                Ask::Tool {
                    tool,
                    arguments,
                    headers,
                },
            ) => match self.way(line, headers) {
                Some(way) => Some(way.ask(&modern::tool(tool, arguments)).await.answered),
                None => None,
            },
            (
                Door::McpLegacy,
                Ask::Tool {
                    tool,
                    arguments,
                    headers,
                },
            ) => match self.way(line, headers) {
                Some(way) => Some(sessions.call(&way, tool, arguments).await.answered),
                None => None,
            },
            (Door::Rest, Ask::Tool { .. }) | (Door::Mcp | Door::McpLegacy, Ask::Rest { .. }) => {
                None
            }
        };
        answered.unwrap_or_else(|| self.silent(ask, Silence::ConnectionRefused, Duration::ZERO))
    }

    async fn call_rest(&self, line: &Line, ask: &Ask) -> Option<Answered> {
        let Ask::Rest {
            method,
            target,
            headers,
            json,
        } = ask
        else {
            return None;
        };
        let heading = heading(headers, self.authorization.as_ref());
        let call = rest::call(
            self.rest.as_deref()?,
            method,
            target,
            heading,
            json.as_ref(),
        )?;
        let since = Instant::now();
        Some(match line.send(call, &mut |_| false).await {
            Ok(reply) => rest::read(&ask.request(), &reply, &self.redactor),
            Err(silence) => self.silent(ask, silence, since.elapsed()),
        })
    }

    /// The way to the MCP URL for what no [`Ask`] asks.
    fn standing_way(&self) -> Option<Way<'_>> {
        self.way(&self.line, &self.standing)
    }

    fn way<'e>(&'e self, line: &'e Line, headers: &[(String, HeaderValue)]) -> Option<Way<'e>> {
        Some(Way {
            url: self.mcp.as_deref()?,
            heading: heading(headers, self.authorization.as_ref()),
            wire: &self.wire,
            line,
            ids: &self.ids,
            redactor: &self.redactor,
        })
    }

    fn silent(&self, ask: &Ask, silence: Silence, took: Duration) -> Answered {
        let scrubber = Scrubber::new(&self.redactor);
        let observation = Observation::silent(&ask.request(), silence, took, &scrubber);
        Answered {
            observation,
            payload: None,
        }
    }
}

fn standing(entry: &Entry) -> Vec<(String, HeaderValue)> {
    entry
        .headers
        .iter()
        .filter_map(|(name, text)| Some((name.clone(), standing_value(text)?)))
        .collect()
}

fn standing_value(text: &HeaderText) -> Option<HeaderValue> {
    match text {
        HeaderText::Plain(template) => {
            HeaderValue::try_from(template.fill(&Bindings::default()).ok()?).ok()
        }
        HeaderText::Secret(secret) => {
            let mut value = HeaderValue::from_str(secret.expose()).ok()?;
            value.set_sensitive(true);
            Some(value)
        }
    }
}
