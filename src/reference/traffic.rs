//! A request and its status in, a line of what was seen on the wire out, free of tokens and secrets.

use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::reference::call::{Call, Credential};

/// The listener that a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    /// The identity provider.
    Identity,
    /// The gateway, with both doors behind it.
    Gateway,
}

/// One request as it arrived, with the status that it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it came to.
    pub listener: Listener,
    /// The HTTP method.
    pub method: String,
    /// The path, with the query if there is one.
    pub path: String,
    /// The `method` of a JSON-RPC body.
    pub rpc_method: Option<String>,
    /// The `params.name` of a `tools/call`.
    pub tool: Option<String>,
    /// The `params.uri` of a `resources/read`.
    pub resource: Option<String>,
    /// Who called: upn, appid or azp of the bearer token, unverified, or the client id of a token request.
    pub client: Option<String>,
    /// The HTTP status that was answered; 0 while the answer is being made.
    pub status: u16,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

/// All requests in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<Seen>>);

impl Log {
    /// Writes down an arrival and returns its place, for [`Log::answered`].
    pub(crate) fn arrived(&self, listener: Listener, call: &Call) -> usize {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(read(listener, call));
        seen.len() - 1
    }

    /// Adds the status to the request at `place`.
    pub(crate) fn answered(&self, place: usize, status: u16) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = seen.get_mut(place) {
            line.status = status;
        }
    }

    /// Returns a copy of all lines so far.
    pub(crate) fn lines(&self) -> Vec<Seen> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn read(listener: Listener, call: &Call) -> Seen {
    let message = call.object().unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let rpc_method = text(message.get("method"));
    let parameter = |method: &str, name: &str| {
        let params = message.get("params");
        let params = params.filter(|_| rpc_method.as_deref() == Some(method));
        text(params.and_then(|params| params.get(name)))
    };
    let tool = parameter("tools/call", "name");
    let resource = parameter("resources/read", "uri");
    Seen {
        listener,
        method: call.method.to_string(),
        path: target(call),
        rpc_method,
        tool,
        resource,
        client: client(listener, call),
        status: 0,
        user_agent: call.header("user-agent").map(str::to_owned),
    }
}

/// A token that a caller put into the query must not be kept.
fn target(call: &Call) -> String {
    match call.uri.query() {
        None => call.path().to_owned(),
        Some(query) if query.contains("token=") || query.contains("secret=") => {
            format!("{}?…", call.path())
        }
        Some(query) => format!("{}?{query}", call.path()),
    }
}

fn client(listener: Listener, call: &Call) -> Option<String> {
    match (listener, call.credential()) {
        (_, Credential::Bearer(token)) => claimed(token),
        (Listener::Identity, Credential::Unusable) => basic_user(call.header("authorization")?),
        (Listener::Identity, Credential::Nothing) => url::form_urlencoded::parse(&call.body)
            .find(|(name, _)| name == "client_id")
            .map(|(_, value)| value.into_owned()),
        (Listener::Gateway, _) => None,
    }
}

fn claimed(token: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let name = ["upn", "appid", "azp"]
        .iter()
        .find_map(|claim| claims.get(claim)?.as_str());
    name.map(str::to_owned)
}

fn basic_user(header: &str) -> Option<String> {
    let (_, encoded) = header.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    pair.split_once(':').map(|(user, _)| user.to_owned())
}
