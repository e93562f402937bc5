//! A request as irregular as its maker wants it in, what came back with its headers and its message out.

use std::time::{Duration, Instant};

use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use serde_json::{Map, Value, json};

use super::heading::{Headers, Heading, Sender};
use super::mcp::legacy::{self, Session};
use super::mcp::listener::Listener;
use super::mcp::message::Message;
use super::mcp::modern::{self, PROTOCOL_VERSION};
use super::mcp::{Question, Spoken, Utterance};
use super::observation::document;
use super::recipe::Recipe;
use super::scrubber::Scrubber;
use super::{Entrance, GLIMPSE, Observation};
use crate::scenario::McpMethod;
use crate::secret::Secret;
use crate::wire::{Call, Reply, Silence};

/// What a request presents as its right to be made.
#[derive(Clone, Debug)]
enum Bearer {
    /// The token of the entrance's own persona.
    Own,
    /// Something else.
    Other(HeaderValue),
}

/// What a request carries.
#[derive(Clone, Debug)]
enum Content {
    /// A JSON-RPC request.
    Message(Utterance),
    /// The same in an array of one.
    Batch(Utterance),
    /// A JSON-RPC notification.
    Notice(Utterance),
    /// Nothing: another method than POST.
    Nothing(Method, Headers),
}

/// A request to the MCP URL that keeps every rule but those that its maker breaks.
#[derive(Clone, Debug)]
pub struct Irregular {
    request: String,
    content: Content,
    changed: Vec<(HeaderName, Option<HeaderValue>)>,
    bearer: Bearer,
    query: Option<Secret>,
}

impl Irregular {
    /// A request of revision 2026-07-28; its `_meta` is added to `params`, which are an object.
    pub fn modern(method: &'static str, mut params: Value) -> Self {
        params["_meta"] = modern::meta();
        let named = params.get("name").and_then(Value::as_str).map(modern::name);
        let mut utterance = modern::request(method, &params);
        utterance.headers.extend(named);
        utterance.question.seeks = sought(method);
        Self::new(method, Content::Message(utterance))
    }

    /// A request of the era of `initialize`, in a session or outside of one.
    pub fn legacy(method: &'static str, params: &Value, session: Option<&Session>) -> Self {
        let utterance = Utterance {
            question: Question {
                request: method.into(),
                seeks: sought(method),
            },
            method,
            params: Some(params.to_string().into()),
            meta: None,
            headers: legacy::headers(session),
        };
        Self::new(method, Content::Message(utterance))
    }

    /// `initialize`.
    pub fn initialize() -> Self {
        Self::new("initialize", Content::Message(legacy::initialize()))
    }

    /// The notification that ends the handshake of a session.
    pub fn initialized(session: &Session) -> Self {
        let notice = legacy::initialized(Some(session));
        Self::new(notice.method, Content::Notice(notice))
    }

    /// A request without a body, of revision 2026-07-28.
    pub fn modern_bare(method: Method) -> Self {
        let version = (PROTOCOL_VERSION, HeaderValue::from_static(modern::VERSION));
        Self::bare(method, vec![version])
    }

    /// A request without a body, of the era of `initialize`.
    pub fn legacy_bare(method: Method, session: Option<&Session>) -> Self {
        Self::bare(method, legacy::headers(session))
    }

    fn bare(method: Method, mut headers: Headers) -> Self {
        headers.push((ACCEPT, HeaderValue::from_static("text/event-stream")));
        let request = method.to_string();
        Self::new(&request, Content::Nothing(method, headers))
    }

    fn new(request: &str, content: Content) -> Self {
        Self {
            request: request.to_owned(),
            content,
            changed: Vec::new(),
            bearer: Bearer::Own,
            query: None,
        }
    }

    /// With words about what is irregular, for evidence.
    #[must_use]
    pub fn told(mut self, words: &str) -> Self {
        self.request = format!("{} {words}", self.request);
        self
    }

    /// With this header in place of any of that name.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.changed.push((name, Some(value)));
        self
    }

    /// Without that header.
    #[must_use]
    pub fn without(mut self, name: HeaderName) -> Self {
        self.changed.push((name, None));
        self
    }

    /// With another revision, in the header and, where there is one, in `_meta`.
    #[must_use]
    pub fn of_version(mut self, version: &'static str) -> Self {
        if let Content::Message(utterance) | Content::Batch(utterance) = &mut self.content
            && let Some(params) = &mut utterance.params
            && let Ok(mut stated) = serde_json::from_str::<Value>(params)
            && let Some(meta) = stated.get_mut("_meta")
        {
            meta[modern::VERSION_META] = json!(version);
            *params = stated.to_string().into();
        }
        self.with(PROTOCOL_VERSION, HeaderValue::from_static(version))
    }

    /// In an array.
    #[must_use]
    pub fn batched(mut self) -> Self {
        if let Content::Message(utterance) = self.content {
            self.content = Content::Batch(utterance);
        }
        self
    }

    /// With this in place of the persona's token.
    #[must_use]
    pub fn bearing(mut self, authorization: HeaderValue) -> Self {
        self.bearer = Bearer::Other(authorization);
        self
    }

    /// With this query appended to the URL.
    #[must_use]
    pub fn asking(mut self, query: Secret) -> Self {
        self.query = Some(query);
        self
    }

    fn method(&self) -> &Method {
        match &self.content {
            Content::Message(_) | Content::Batch(_) | Content::Notice(_) => &Method::POST,
            Content::Nothing(method, _) => method,
        }
    }

    fn call(
        &self,
        url: &str,
        standing: &[(HeaderName, HeaderValue)],
        sender: Sender<'_>,
        id: u64,
    ) -> Call {
        let url = match &self.query {
            Some(query) => with_query(url, query.expose()),
            None => url.to_owned(),
        };
        let said = |utterance: &Utterance, id| {
            let draft = utterance.clone().draft(standing);
            draft.call(&url, sender, id)
        };
        let mut call = match &self.content {
            Content::Message(utterance) => said(utterance, Some(id)),
            Content::Notice(utterance) => said(utterance, None),
            Content::Batch(utterance) => {
                let mut call = said(utterance, Some(id));
                call.body = [b"[", call.body.as_ref(), b"]"].concat().into();
                call
            }
            Content::Nothing(method, headers) => Call {
                method: method.clone(),
                headers: Heading::new(standing, &[], headers.clone()).of(sender),
                body: bytes::Bytes::new(),
                url,
            },
        };
        for (name, value) in &self.changed {
            match value {
                Some(value) => drop(call.headers.insert(name, value.clone())),
                None => drop(call.headers.remove(name)),
            }
        }
        call
    }
}

/// A tool's answer is read for what it means; of every other it counts alone that it is a result.
fn sought(method: &str) -> Option<McpMethod> {
    let call = McpMethod::CallTool;
    (method == call.name()).then_some(call)
}

fn with_query(url: &str, query: &str) -> String {
    let joint = if url.parse::<Uri>().is_ok_and(|uri| uri.query().is_some()) {
        '&'
    } else {
        '?'
    };
    format!("{url}{joint}{query}")
}

/// What came back to an irregular request. Only its observation may be kept.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What is kept of it.
    pub observation: Observation,
    /// Every header as it came; none where no answer did.
    pub headers: HeaderMap,
    /// The `result` of the JSON-RPC message with our id.
    pub result: Option<Map<String, Value>>,
    /// The code of a JSON-RPC error, to our id or not.
    pub error: Option<i64>,
    /// The session that an answer to `initialize` opened.
    pub session: Option<Session>,
    /// The body, where it is one JSON document.
    pub document: Option<Value>,
}

impl Exchange {
    /// The HTTP status; `None` where no answer came.
    pub fn status(&self) -> Option<u16> {
        self.observation.status()
    }

    fn of(spoken: Spoken, reply: &Reply) -> Self {
        let session = Session::of(&spoken);
        let error = spoken.error().map(|error| error.code);
        Self {
            observation: spoken.answered.observation,
            headers: reply.headers.clone(),
            result: match spoken.message {
                Some(Message::Result(result)) => Some(result.members()),
                Some(Message::Error(_)) | None => None,
            },
            error,
            session,
            document: document(reply),
        }
    }

    fn plain(observation: Observation, reply: Option<&Reply>) -> Self {
        Self {
            observation,
            headers: reply.map(|reply| reply.headers.clone()).unwrap_or_default(),
            result: None,
            error: None,
            session: None,
            document: reply.and_then(document),
        }
    }
}

impl Entrance {
    /// What the persona presents; `None` for one that does not sign in.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Makes a request at the MCP URL over the persona's own connections. A deployment without one answers like a door
    /// where nobody listens.
    pub async fn exchange(&self, irregular: &Irregular) -> Exchange {
        let mut sender = self.sender();
        if let Bearer::Other(value) = &irregular.bearer {
            sender.authorization = Some(value);
        }
        let id = self.ids.next();
        let url = self.mcp.as_deref().unwrap_or_default();
        let call = irregular.call(url, &self.standing, sender, id);
        let is_own = matches!(irregular.bearer, Bearer::Own);
        let recipe = Recipe::of(&call, is_own, &Scrubber::of_message(&self.redactor, id));
        let since = Instant::now();
        let sent = match &irregular.content {
            Content::Nothing(..) => {
                let mut enough = |_: &[u8]| *irregular.method() == Method::GET;
                self.line.listen(call, GLIMPSE, &mut enough).await
            }
            Content::Notice(_) => self.line.send(call, &mut |_| true).await,
            Content::Message(_) | Content::Batch(_) => {
                let mut listener = Listener::new(id);
                self.line
                    .send(call, &mut |read| listener.enough(read))
                    .await
            }
        };
        let mut exchange = match (sent, &irregular.content) {
            (Ok(reply), Content::Message(utterance) | Content::Batch(utterance)) => {
                let question = Question {
                    request: irregular.request.as_str().into(),
                    seeks: utterance.question.seeks,
                };
                let spoken = Spoken::of(question, &reply, id, &self.redactor);
                let exchange = Exchange::of(spoken, &reply);
                exchange
                    .session
                    .iter()
                    .for_each(|session| self.opened.note(session));
                exchange
            }
            (Ok(reply), Content::Nothing(..) | Content::Notice(_)) => {
                self.read(irregular.request.clone(), &reply)
            }
            (Err(silence), _) => {
                self.unanswered(irregular.request.clone(), silence, since.elapsed())
            }
        };
        exchange.observation = exchange.observation.made_by(recipe);
        exchange
    }

    /// Fetches a public document without any credential.
    pub async fn fetch(&self, url: &str) -> Exchange {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let call = Call {
            method: Method::GET,
            url: url.to_owned(),
            headers,
            body: bytes::Bytes::new(),
        };
        let request = format!("GET {url}");
        let recipe = Recipe::of(&call, true, &Scrubber::new(&self.redactor));
        let since = Instant::now();
        let mut exchange = match self.wire.exchange(call).await {
            Ok(reply) => self.read(request, &reply),
            Err(silence) => self.unanswered(request, silence, since.elapsed()),
        };
        exchange.observation = exchange.observation.made_by(recipe);
        exchange
    }

    fn read(&self, request: String, reply: &Reply) -> Exchange {
        let scrubber = Scrubber::new(&self.redactor);
        Exchange::plain(
            Observation::of(request.into(), reply, None, &scrubber),
            Some(reply),
        )
    }

    fn unanswered(&self, request: String, silence: Silence, took: Duration) -> Exchange {
        let scrubber = Scrubber::new(&self.redactor);
        Exchange::plain(
            Observation::silent(request.into(), silence, took, &scrubber),
            None,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::heading::tests::NOBODY;
    use crate::door::mcp::tests::lines;

    fn sent(irregular: &Irregular) -> Vec<String> {
        lines(&irregular.call("https://h/mcp?v=1", &[], NOBODY, 7))
    }

    fn session() -> Session {
        Session {
            version: HeaderValue::from_static("2025-06-18"),
            id: Some(HeaderValue::from_static("s1")),
        }
    }

    #[test]
    fn a_request_breaks_the_rules_that_it_is_told_to_and_no_others() {
        let list = Irregular::modern("tools/list", json!({}));
        let regular = sent(&list);
        let origin = HeaderName::from_static("origin");
        let foreign = sent(&list.clone().with(origin, HeaderValue::from_static("null")));
        let added: Vec<&String> = foreign
            .iter()
            .filter(|line| !regular.contains(line))
            .collect();
        assert_eq!(added, ["origin: null"]);
        assert_eq!(foreign.len(), regular.len() + 1);
        let shorter = sent(&list.clone().without(HeaderName::from_static("mcp-method")));
        assert_eq!(shorter.len(), regular.len() - 1);
        let batch = sent(&list.clone().batched());
        assert_eq!(
            batch.last(),
            Some(&format!("[{}]", regular.last().unwrap()))
        );
        assert_eq!(batch[..batch.len() - 1], regular[..regular.len() - 1]);
        let old = sent(&list.of_version("1900-01-01"));
        assert!(old.contains(&"mcp-protocol-version: 1900-01-01".to_owned()));
        assert!(
            old.last()
                .unwrap()
                .contains("protocolVersion\":\"1900-01-01\"")
        );
    }

    #[test]
    fn a_named_call_mirrors_its_name() {
        let call = sent(&Irregular::modern("tools/call", json!({ "name": "getIt" })));
        assert!(call.contains(&"mcp-name: getIt".to_owned()), "{call:?}");
    }

    #[test]
    fn a_bare_request_names_its_session_and_has_no_body() {
        let ended = sent(&Irregular::legacy_bare(Method::DELETE, Some(&session())));
        assert_eq!(
            ended,
            [
                "DELETE https://h/mcp?v=1",
                "accept: text/event-stream",
                "mcp-protocol-version: 2025-06-18",
                "mcp-session-id: s1",
                concat!("user-agent: rolecall/", env!("CARGO_PKG_VERSION")),
                ""
            ]
        );
    }

    #[test]
    fn a_query_is_appended_and_never_shown() {
        let query = Secret::new("access_token=canary".to_owned());
        let list = Irregular::legacy("tools/list", &json!({}), Some(&session())).asking(query);
        assert_eq!(sent(&list)[0], "POST https://h/mcp?v=1&access_token=canary");
        assert!(!format!("{list:?}").contains("canary"));
        assert_eq!(with_query("http://h", "a=b"), "http://h?a=b");
    }
}
