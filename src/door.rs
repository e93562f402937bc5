//! Filled call and token in, observation out: the REST door and both eras of the MCP door.

pub mod discovery;
pub mod enumeration;
mod exchange;
mod heading;
mod mcp;
mod observation;
mod pair;
mod payload;
mod recipe;
mod rest;
mod said;
mod scrubber;
mod shown;
pub mod sse;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use url::Url;

use crate::cell::Door;
use crate::scenario::{Deployment, Fingerprint, McpMethod};
use crate::secret::Redactor;
use crate::token::Credential;
use crate::wire::{Line, Silence, Wire};
use heading::{Headers, Sender, named};
use mcp::opened::Opened;
use mcp::session::Sessions;
use mcp::{Ids, Inquiry, Utterance, Way, legacy, modern};
use scrubber::Scrubber;

pub use exchange::{Exchange, Irregular};
pub use mcp::Draft;
pub use mcp::legacy::Session;
pub use observation::{Answer, HttpAnswer, Observation, Rpc};
pub use pair::{Pair, Post};
pub use payload::Payload;
pub use recipe::{Bearer, Recipe};
pub use rest::Request;
pub use said::{Heard, Said};
pub use shown::{Ended, Next, Pages, Shown, Tool};

/// An answer that need not end is read for this long: an idle stream that opened has said enough.
const GLIMPSE: Duration = Duration::from_secs(2);

/// Sessions that are ended at once.
const AT_ONCE: usize = 8;

/// What one call gave.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What is kept of it.
    pub observation: Observation,
    /// The data in it, for captures and read-back: the REST JSON body; the first JSON text of a tool's or resource's MCP result (before it a tool's `structuredContent`), any other MCP result whole. Empty when there is none.
    pub payload: Payload,
}

/// A call with every template filled. What is the same of it for whoever makes it is made once.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Through the REST door.
    Rest(Request),
    /// Through an MCP door.
    Mcp {
        /// What is asked; the legacy era has its own word for discovery.
        method: McpMethod,
        /// The tool, resource or prompt that `params` name, where they name one.
        name: Option<String>,
        /// Its `params`, an object as it is written, without what the era adds.
        params: Arc<str>,
        /// Headers of the door.
        headers: Headers,
        /// The request in the words of the stateless era, once it was made.
        modern: OnceLock<Draft>,
    },
}

impl Ask {
    /// A call through the REST door: method in upper case, path and query below the door's URL, headers of the door and of this
    /// call, JSON body. `None` where the method is none of HTTP's.
    pub fn rest(
        method: &str,
        target: String,
        headers: Vec<(String, HeaderValue)>,
        json: Option<String>,
    ) -> Option<Self> {
        Request::new(method, target, &named(headers), json).map(Self::Rest)
    }

    /// A call through an MCP door: what is asked, what `params` name, `params` as JSON without what an era adds, headers of the door.
    pub fn mcp(
        method: McpMethod,
        name: Option<String>,
        params: String,
        headers: Vec<(String, HeaderValue)>,
    ) -> Self {
        Self::asking(method, name, params, named(headers))
    }

    fn asking(method: McpMethod, name: Option<String>, params: String, headers: Headers) -> Self {
        Self::Mcp {
            method,
            name,
            params: params.into(),
            headers,
            modern: OnceLock::new(),
        }
    }

    /// The request in one line, such as `DELETE /api/products/7` or `tools/call deleteProduct`.
    pub fn request(&self) -> Arc<str> {
        match self {
            Self::Rest(request) => Arc::clone(request.line()),
            Self::Mcp {
                method,
                name,
                params,
                ..
            } => {
                let (method, name) = (*method, name.as_deref());
                let inquiry = Inquiry {
                    method,
                    name,
                    params,
                };
                inquiry.line().into()
            }
        }
    }
}

/// One persona's way in: its own connections, its credential, its MCP session. Shared by all its cells.
#[derive(Debug)]
pub struct Entrance {
    rest: Option<String>,
    mcp: Option<String>,
    standing: Headers,
    carried: Headers,
    authorization: Option<HeaderValue>,
    wire: Wire,
    line: Line,
    sessions: Sessions,
    /// Shared with renewals: what an old token opened a new one may end.
    opened: Arc<Opened>,
    ids: Ids,
    redactor: Arc<Redactor>,
    /// Headers that fingerprints look at.
    kept: Arc<[String]>,
}

impl Entrance {
    /// An entrance with no connection and no session yet. What it says without an [`Ask`] (discovery, what does not
    /// exist) carries the `standing` headers: those of the MCP door, filled.
    pub fn new(
        deployment: &Deployment,
        wire: &Wire,
        credential: Credential,
        standing: Vec<(String, HeaderValue)>,
        redactor: &Arc<Redactor>,
    ) -> Self {
        Self {
            rest: deployment.rest.as_ref().map(|entry| entry.url.clone()),
            mcp: deployment.mcp.as_ref().map(|entry| entry.url.clone()),
            standing: named(standing),
            carried: Vec::new(),
            authorization: credential.authorization,
            wire: wire.clone(),
            line: wire.line(),
            sessions: Sessions::default(),
            opened: Arc::default(),
            ids: Ids::new(),
            redactor: Arc::clone(redactor),
            kept: looked_at(deployment),
        }
    }

    /// The same entrance for a persona whose client sends these headers with every call.
    #[must_use]
    pub fn carrying(self, carried: Vec<(String, HeaderValue)>) -> Self {
        let carried = named(carried);
        Self { carried, ..self }
    }

    /// The same for whoever presents this credential.
    #[must_use]
    pub fn presenting(self, credential: Credential) -> Self {
        Self {
            authorization: credential.authorization,
            ..self
        }
    }

    /// Begins to open the connections that so many calls at once need, by door, and waits for none of them. Nothing is sent; one
    /// that cannot be opened is missed by nobody.
    pub fn dial_ahead(&self, calls: [usize; 3]) {
        let [rest, mcp, legacy] = calls;
        let mut hosts: Vec<(&str, usize)> = Vec::new();
        for (url, calls) in [(&self.rest, rest), (&self.mcp, mcp + legacy)] {
            let Some(url) = url.as_deref() else { continue };
            match hosts.iter_mut().find(|(known, _)| is_one_host(known, url)) {
                Some((_, known)) => *known += calls,
                None => hosts.push((url, calls)),
            }
        }
        for (url, calls) in hosts {
            let (line, url) = (self.line.clone(), url.to_owned());
            drop(tokio::spawn(
                async move { line.dial_ahead(&url, calls).await },
            ));
        }
    }

    /// The same way in over the connections of another one. Both must present the same: a server may tie a connection to a token.
    #[must_use]
    pub fn over(self, other: &Self) -> Self {
        Self {
            line: other.line.clone(),
            ..self
        }
    }

    /// The same way in with another credential. Its connections and its MCP session are new: a server may tie both to the token
    /// that opened them.
    #[must_use]
    pub fn renewed(&self, credential: Credential) -> Self {
        Self {
            rest: self.rest.clone(),
            mcp: self.mcp.clone(),
            standing: self.standing.clone(),
            carried: self.carried.clone(),
            authorization: credential.authorization,
            wire: self.wire.clone(),
            line: self.wire.line(),
            sessions: Sessions::default(),
            opened: Arc::clone(&self.opened),
            ids: Ids::new(),
            redactor: Arc::clone(&self.redactor),
            kept: Arc::clone(&self.kept),
        }
    }

    /// Makes the call through the door. At `mcp-legacy` the persona's one session is opened first, once.
    ///
    /// A door that the deployment has not, or that takes no such call, answers as one where nothing listens.
    pub fn call(&self, door: Door, ask: &Ask) -> impl Future<Output = Answered> {
        self.call_over(&self.line, &self.sessions, door, ask)
    }

    /// Makes the call on a connection of its own, so that nothing an earlier exchange left behind can answer it; at
    /// `mcp-legacy` in a session of its own too.
    pub async fn call_afresh(&self, door: Door, ask: &Ask) -> Answered {
        self.call_over(&self.wire.line(), &Sessions::default(), door, ask)
            .await
    }

    /// Asks an MCP door for a tool, resource or prompt that cannot exist; its name and what came back. `None` for a
    /// method that names nothing.
    pub async fn call_unknown(&self, door: Door, method: McpMethod) -> Option<(String, Answered)> {
        let (name, params) = unknown(method, getrandom::u32().unwrap_or_default())?;
        let ask = Ask::asking(
            method,
            Some(name.clone()),
            params.to_string(),
            self.standing.clone(),
        );
        let answered = self.call(door, &ask).await;
        Some((name, answered))
    }

    async fn call_over(&self, line: &Line, sessions: &Sessions, door: Door, ask: &Ask) -> Answered {
        let answered = match (door, ask) {
            (Door::Rest, Ask::Rest(request)) => self.call_rest(line, request).await,
            (
                Door::Mcp | Door::McpLegacy,
                Ask::Mcp {
                    method,
                    name,
                    params,
                    headers,
                    modern,
                },
            ) => {
                let inquiry = Inquiry {
                    method: method.at(door),
                    name: name.as_deref(),
                    params,
                };
                match self.way(line, headers) {
                    Some(way) if door == Door::Mcp => {
                        let draft = || modern::inquiry(&inquiry).draft(headers);
                        Some(way.make(modern.get_or_init(draft)).await.answered)
                    }
                    Some(way) => Some(Box::pin(sessions.call(&way, &inquiry)).await.answered),
                    None => None,
                }
            }
            (Door::Rest, Ask::Mcp { .. }) | (Door::Mcp | Door::McpLegacy, Ask::Rest(_)) => None,
        };
        answered.unwrap_or_else(|| {
            self.silent(ask.request(), Silence::ConnectionRefused, Duration::ZERO)
        })
    }

    async fn call_rest(&self, line: &Line, request: &Request) -> Option<Answered> {
        let call = request.call(self.rest.as_deref()?, self.sender());
        let since = Instant::now();
        let asked = Arc::clone(request.line());
        Some(match line.send(call, &mut |_| false).await {
            Ok(reply) => {
                let scrubber = Scrubber::new(&self.redactor).keeping(&self.kept);
                rest::read(asked, &reply, &scrubber)
            }
            Err(silence) => self.silent(asked, silence, since.elapsed()),
        })
    }

    /// What a call through a door is made of; `None` for a call that the door does not take, or that nobody could type.
    pub fn recipe(&self, door: Door, ask: &Ask) -> Option<Recipe> {
        match ask {
            Ask::Rest(request) => {
                let call = request.call(self.rest.as_deref()?, self.sender());
                Recipe::of(&call, true, &Scrubber::new(&self.redactor))
            }
            Ask::Mcp {
                method,
                name,
                params,
                headers,
                ..
            } => {
                let inquiry = Inquiry {
                    method: method.at(door),
                    name: name.as_deref(),
                    params,
                };
                self.recipe_of_mcp(door, &inquiry, headers)
            }
        }
    }

    /// The one id of a recipe's message is 1, as in what is kept of answers.
    fn recipe_of_mcp(
        &self,
        door: Door,
        inquiry: &Inquiry<'_>,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Option<Recipe> {
        let url = self.mcp.as_deref()?;
        let scrubber = Scrubber::new(&self.redactor);
        let made = |utterance: Utterance, id| utterance.draft(headers).call(url, self.sender(), id);
        if door == Door::Mcp {
            return Recipe::of(&made(modern::inquiry(inquiry), Some(1)), true, &scrubber);
        }
        let session = self.sessions.agreed();
        let call = made(legacy::inquiry(session.as_ref(), inquiry), Some(1));
        let recipe = Recipe::of(&call, true, &scrubber)?;
        if inquiry.method == McpMethod::Initialize {
            return Some(recipe);
        }
        let opening = made(legacy::initialize(), Some(1));
        let opened = made(legacy::initialized(session.as_ref()), None);
        Some(recipe.after([&opening, &opened]))
    }

    /// Ends every session that was opened here and that the server has not forgotten, with DELETE. Whether the server obeys
    /// is its own affair (405 is allowed to it), so nothing comes back.
    pub async fn end_sessions(&self) {
        let Some(way) = self.standing_way() else {
            return;
        };
        let way = &way;
        let sessions = stream::iter(self.opened.take());
        let ended = sessions.map(async |session| {
            let headers = legacy::headers(Some(&session));
            let call = way.bare(Method::DELETE, way.url, headers);
            drop(way.line.listen(call, GLIMPSE, &mut |_| true).await);
        });
        let all = ended.buffer_unordered(AT_ONCE).collect::<()>();
        drop(tokio::time::timeout(GLIMPSE, all).await);
    }

    /// The way to the MCP URL for what no [`Ask`] asks.
    fn standing_way(&self) -> Option<Way<'_>> {
        self.way(&self.line, &self.standing)
    }

    fn way<'e>(
        &'e self,
        line: &'e Line,
        headers: &'e [(HeaderName, HeaderValue)],
    ) -> Option<Way<'e>> {
        Some(Way {
            url: self.mcp.as_deref()?,
            headers,
            sender: self.sender(),
            wire: &self.wire,
            line,
            ids: &self.ids,
            opened: &self.opened,
            redactor: &self.redactor,
            kept: &self.kept,
        })
    }

    fn sender(&self) -> Sender<'_> {
        Sender {
            carried: &self.carried,
            authorization: self.authorization.as_ref(),
        }
    }

    fn silent(&self, request: Arc<str>, silence: Silence, took: Duration) -> Answered {
        let scrubber = Scrubber::new(&self.redactor);
        let observation = Observation::silent(request, silence, took, &scrubber);
        Answered {
            observation,
            payload: Payload::default(),
        }
    }
}

/// Whether connections to one lead to the other.
fn is_one_host(one: &str, other: &str) -> bool {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    origin(one).is_some() && origin(one) == origin(other)
}

/// The headers that the deployment's fingerprints look at.
fn looked_at(deployment: &Deployment) -> Arc<[String]> {
    let fingerprints = deployment.fingerprints.iter();
    let names = fingerprints.flat_map(Fingerprint::header_names);
    names.map(str::to_owned).collect()
}

/// The name and the params of a request for what no server has.
fn unknown(method: McpMethod, lot: u32) -> Option<(String, Value)> {
    let named = |noun: &str| format!("rolecall-no-such-{noun}-{lot:08x}");
    Some(match method {
        McpMethod::CallTool => {
            let tool = named("tool");
            let params = json!({ "name": tool, "arguments": {} });
            (tool, params)
        }
        McpMethod::GetPrompt => {
            let prompt = named("prompt");
            let params = json!({ "name": prompt, "arguments": {} });
            (prompt, params)
        }
        // A scheme of its own, because a template could answer for everything in the server's.
        McpMethod::ReadResource => {
            let uri = format!("rolecall://no-such-resource-{lot:08x}");
            let params = json!({ "uri": uri });
            (uri, params)
        }
        McpMethod::Complete => {
            let prompt = named("prompt");
            let params = json!({
                "ref": { "type": "ref/prompt", "name": prompt },
                "argument": { "name": "name", "value": "" },
            });
            (prompt, params)
        }
        McpMethod::ListTools
        | McpMethod::ListResources
        | McpMethod::ListTemplates
        | McpMethod::ListPrompts
        | McpMethod::Discover
        | McpMethod::Initialize => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, PoisonError};

    use futures_util::future::join_all;

    use super::*;
    use crate::scenario::{Denials, Entry, Extent, RefusalShape, Terms};
    use crate::wire::{Proxies, Settings};

    const TOOL: &str = r#"{"content":[{"type":"text","text":"done"}]}"#;
    const OPENED: &str = r#"{"protocolVersion":"2025-06-18","capabilities":{}}"#;

    /// A request as the server read it.
    #[derive(Clone, Debug)]
    pub(super) struct Heard {
        pub(super) head: String,
        pub(super) body: Value,
    }

    impl Heard {
        pub(super) fn method(&self) -> &str {
            self.body["method"].as_str().unwrap_or_default()
        }

        pub(super) fn result(&self, headers: &str, result: &str) -> String {
            json(
                200,
                headers,
                &format!(
                    r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
                    self.body["id"]
                ),
            )
        }
    }

    pub(super) fn json(status: u16, headers: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn missing_session() -> String {
        json(
            400,
            "",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Missing session ID"}}"#,
        )
    }

    /// A server on loopback that answers each request as told, on a connection each.
    pub(super) struct Loopback {
        address: SocketAddr,
        heard: Arc<Mutex<Vec<Heard>>>,
        stopped: Arc<AtomicBool>,
    }

    impl Loopback {
        /// `answer` gets the request and how many of its JSON-RPC method came before it.
        pub(super) fn new(
            answer: impl Fn(&Heard, usize) -> String + Send + Sync + 'static,
        ) -> Self {
            let answer = Arc::new(answer);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let heard = Arc::new(Mutex::new(Vec::new()));
            let stopped = Arc::new(AtomicBool::new(false));
            let (noted, over) = (Arc::clone(&heard), Arc::clone(&stopped));
            std::thread::spawn(move || {
                let streams = listener.incoming().map_while(Result::ok);
                for stream in streams.take_while(|_| !over.load(Ordering::Relaxed)) {
                    let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                    std::thread::spawn(move || serve(stream, &noted, &*answer));
                }
            });
            Self {
                address,
                heard,
                stopped,
            }
        }

        pub(super) fn heard(&self, method: &str) -> Vec<Heard> {
            let heard = self.heard.lock().unwrap();
            heard
                .iter()
                .filter(|request| request.method() == method)
                .cloned()
                .collect()
        }

        pub(super) fn entrance(&self, signed_in: bool) -> Entrance {
            let entry = |path: &str| {
                Some(Entry {
                    url: format!("http://{}{path}", self.address),
                    headers: Vec::new(),
                    line: 1,
                })
            };
            entrance(entry("/api"), entry("/mcp"), signed_in)
        }
    }

    impl Drop for Loopback {
        fn drop(&mut self) {
            self.stopped.store(true, Ordering::Relaxed);
            // The listener wakes only for a connection.
            drop(TcpStream::connect(self.address));
        }
    }

    fn serve(
        stream: TcpStream,
        noted: &Mutex<Vec<Heard>>,
        answer: &dyn Fn(&Heard, usize) -> String,
    ) {
        let Some(request) = read(&stream) else {
            return;
        };
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = noted
            .iter()
            .filter(|known| known.method() == request.method())
            .count();
        let reply = answer(&request, before);
        noted.push(request);
        drop(noted);
        respond(stream, &reply);
    }

    fn read(stream: &TcpStream) -> Option<Heard> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
        Some(Heard {
            head,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    /// An answer without a length stays open until the client leaves.
    fn respond(mut stream: TcpStream, reply: &str) {
        stream.write_all(reply.as_bytes()).unwrap();
        if !reply.contains("content-length") {
            drop(stream.read(&mut [0; 1]));
        }
    }

    fn entrance(rest: Option<Entry>, mcp: Option<Entry>, signed_in: bool) -> Entrance {
        let deployment = Deployment {
            rest,
            mcp,
            doors: Door::ALL.to_vec(),
            doors_stated: false,
            mcp_refuses: RefusalShape::Http,
            mcp_denials: Denials::default(),
            fingerprints: Vec::new(),
            requirements: Terms::default(),
            extent: Extent::default(),
            disposable: false,
            production: Vec::new(),
            within: Vec::new(),
        };
        let settings = Settings {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(5),
            body_cap: 1 << 20,
            authorities: Vec::new(),
            proxies: Proxies::default(),
        };
        let credential = Credential {
            authorization: signed_in.then(|| HeaderValue::from_static("Bearer t")),
            ..Credential::default()
        };
        Entrance::new(
            &deployment,
            &Wire::new(&settings).unwrap(),
            credential,
            Vec::new(),
            &Arc::default(),
        )
    }

    fn tool(name: &str) -> Ask {
        let params = json!({ "name": name, "arguments": {} });
        Ask::mcp(
            McpMethod::CallTool,
            Some(name.to_owned()),
            params.to_string(),
            Vec::new(),
        )
    }

    fn status_and_rpc(answered: &Answered) -> (u16, Option<Rpc>) {
        match &answered.observation.answer {
            Answer::Http(answer) => (answer.status, answer.rpc.clone()),
            Answer::None(silence) => panic!("{silence}"),
        }
    }

    fn done() -> (u16, Option<Rpc>) {
        (
            200,
            Some(Rpc::Result {
                is_error: false,
                text: "done".to_owned(),
            }),
        )
    }

    fn opens_sessions(request: &Heard, before: usize) -> String {
        match request.method() {
            "initialize" => request.result(&format!("mcp-session-id: s{before}\r\n"), OPENED),
            "tools/call" => request.result("mcp-session-id: other\r\n", TOOL),
            _ => json(202, "", ""),
        }
    }

    #[tokio::test]
    async fn cells_of_a_persona_share_one_handshake() {
        let server = Loopback::new(opens_sessions);
        let entrance = server.entrance(true);
        let ask = tool("listProducts");
        for answered in join_all((0..5).map(|_| entrance.call(Door::McpLegacy, &ask))).await {
            assert_eq!(status_and_rpc(&answered), done());
            assert_eq!(*answered.observation.request, *"tools/call listProducts");
        }
        assert_eq!(server.heard("initialize").len(), 1);
        assert_eq!(server.heard("notifications/initialized").len(), 1);
        let calls = server.heard("tools/call");
        assert_eq!(calls.len(), 5);
        for call in calls {
            assert!(
                call.head.contains("mcp-session-id: s0\r\n"),
                "{}",
                call.head
            );
            assert!(
                call.head.contains("mcp-protocol-version: 2025-06-18\r\n"),
                "{}",
                call.head
            );
        }
    }

    #[tokio::test]
    async fn whatever_a_persona_says_carries_its_clients_headers() {
        let server = Loopback::new(opens_sessions);
        let carried = vec![("x-client".to_owned(), HeaderValue::from_static("inspector"))];
        let entrance = server.entrance(true).carrying(carried);
        let stated = vec![("X-Client".to_owned(), HeaderValue::from_static("door"))];
        let rest = Ask::rest("GET", "/items".to_owned(), stated, None).unwrap();
        entrance.call(Door::Rest, &rest).await;
        entrance.call_afresh(Door::Rest, &rest).await;
        for door in [Door::Mcp, Door::McpLegacy] {
            entrance.call(door, &tool("listProducts")).await;
            entrance.call_afresh(door, &tool("listProducts")).await;
            entrance.call_unknown(door, McpMethod::CallTool).await;
        }
        discovery::discover(&entrance, &Door::ALL).await;
        let heard = server.heard.lock().unwrap();
        assert!(heard.len() >= 12, "{}", heard.len());
        for request in heard.iter() {
            let values = request.head.matches("x-client: ").count();
            assert_eq!(values, 1, "{}", request.head);
            assert!(request.head.contains("x-client: inspector\r\n"));
        }
    }

    #[tokio::test]
    async fn a_fresh_call_opens_a_session_of_its_own() {
        let server = Loopback::new(opens_sessions);
        let entrance = server.entrance(true);
        let ask = tool("listProducts");
        entrance.call(Door::McpLegacy, &ask).await;
        assert_eq!(
            status_and_rpc(&entrance.call_afresh(Door::McpLegacy, &ask).await),
            done()
        );
        entrance.call(Door::McpLegacy, &ask).await;
        let sessions: Vec<bool> = server
            .heard("tools/call")
            .iter()
            .map(|call| call.head.contains("mcp-session-id: s1"))
            .collect();
        assert_eq!(sessions, [false, true, false]);
    }

    #[tokio::test]
    async fn an_intermittent_refusal_of_the_handshake_colours_no_column() {
        let server = Loopback::new(|request, before| match request.method() {
            "initialize" if before == 0 => json(401, "", ""),
            _ => opens_sessions(request, before),
        });
        let answered = server
            .entrance(true)
            .call(Door::McpLegacy, &tool("listProducts"))
            .await;
        assert_eq!(status_and_rpc(&answered), done());
        assert_eq!(server.heard("initialize").len(), 2);
    }

    #[tokio::test]
    async fn a_refused_handshake_counts_where_the_call_only_misses_its_session() {
        for (signed_in, handshakes) in [(false, 1), (true, 2)] {
            let server = Loopback::new(|request, _| match request.method() {
                "initialize" => json(401, "", ""),
                _ => missing_session(),
            });
            let entrance = server.entrance(signed_in);
            for _ in 0..2 {
                let answered = entrance.call(Door::McpLegacy, &tool("listProducts")).await;
                assert_eq!(status_and_rpc(&answered), (401, Some(Rpc::Absent)));
                assert_eq!(*answered.observation.request, *"initialize");
            }
            assert_eq!(server.heard("initialize").len(), handshakes);
            assert_eq!(server.heard("tools/call").len(), 2);
        }
    }

    #[tokio::test]
    async fn a_call_that_gets_through_without_a_session_counts_for_itself() {
        let server = Loopback::new(|request, _| match request.method() {
            "initialize" => json(403, "", ""),
            _ => request.result("", TOOL),
        });
        let answered = server
            .entrance(false)
            .call(Door::McpLegacy, &tool("deleteProduct"))
            .await;
        assert_eq!(status_and_rpc(&answered), done());
        assert!(
            !server.heard("tools/call")[0]
                .head
                .contains("mcp-session-id")
        );
    }

    #[tokio::test]
    async fn a_handshake_that_succeeds_without_a_usable_session_proves_no_tool() {
        let server = Loopback::new(|request, _| match request.method() {
            "initialize" => request.result("", r#"{"protocolVersion":"2026-07-28"}"#),
            _ => missing_session(),
        });
        let answered = server
            .entrance(false)
            .call(Door::McpLegacy, &tool("deleteProduct"))
            .await;
        assert_eq!(status_and_rpc(&answered), (200, Some(Rpc::Absent)));
    }

    #[tokio::test]
    async fn a_handshake_that_passes_away_is_tried_anew() {
        let server = Loopback::new(|request, before| match request.method() {
            "initialize" if before == 0 => json(503, "", ""),
            "tools/call" if !request.head.contains("mcp-session-id") => missing_session(),
            _ => opens_sessions(request, before),
        });
        let entrance = server.entrance(false);
        let ask = tool("listProducts");
        assert_eq!(
            status_and_rpc(&entrance.call(Door::McpLegacy, &ask).await).0,
            503
        );
        assert_eq!(
            status_and_rpc(&entrance.call(Door::McpLegacy, &ask).await),
            done()
        );
    }

    #[tokio::test]
    async fn an_expired_session_is_opened_anew() {
        let server = Loopback::new(|request, before| match request.method() {
            "tools/call" if request.head.contains("mcp-session-id: s0") => json(404, "", ""),
            _ => opens_sessions(request, before),
        });
        let answered = server
            .entrance(true)
            .call(Door::McpLegacy, &tool("listProducts"))
            .await;
        assert_eq!(status_and_rpc(&answered), done());
        assert_eq!(server.heard("initialize").len(), 2);
    }

    #[tokio::test]
    async fn a_call_opens_an_expired_session_anew_once() {
        let server = Loopback::new(|request, before| match request.method() {
            "tools/call" => json(404, "", ""),
            _ => opens_sessions(request, before),
        });
        let answered = server
            .entrance(true)
            .call(Door::McpLegacy, &tool("listProducts"))
            .await;
        assert_eq!(status_and_rpc(&answered), (404, Some(Rpc::Absent)));
        assert_eq!(
            (
                server.heard("initialize").len(),
                server.heard("tools/call").len()
            ),
            (2, 2)
        );
    }

    /// The ids of the sessions that were ended, in order of their names.
    fn ended(server: &Loopback) -> Vec<String> {
        let bare = server.heard("").into_iter();
        let ends = bare.filter(|one| one.head.starts_with("DELETE /mcp "));
        let id = |one: Heard| {
            let mut lines = one.head.lines();
            let id = lines.find_map(|line| line.strip_prefix("mcp-session-id: "));
            id.map(str::to_owned)
        };
        let mut ended: Vec<String> = ends.filter_map(id).collect();
        ended.sort();
        ended
    }

    #[tokio::test]
    async fn every_session_that_was_opened_is_ended_and_none_that_was_forgotten() {
        let server = Loopback::new(|request, before| match request.method() {
            "initialize" => request.result(&format!("mcp-session-id: s{before}\r\n"), OPENED),
            "tools/call" if request.head.contains("mcp-session-id: s0") => json(404, "", "{}"),
            "tools/call" => request.result("", TOOL),
            _ => json(202, "", ""),
        });
        let entrance = server.entrance(true);
        entrance.call(Door::McpLegacy, &tool("a")).await;
        entrance.call_afresh(Door::McpLegacy, &tool("a")).await;
        assert_eq!(ended(&server), Vec::<String>::new());
        entrance.end_sessions().await;
        assert_eq!(ended(&server), ["s1", "s2"]);
        entrance.end_sessions().await;
        assert_eq!(ended(&server).len(), 2);
        assert_eq!(server.heard("initialize").len(), 3);
    }

    #[tokio::test]
    async fn where_no_session_is_kept_none_is_ended() {
        let server = Loopback::new(|request, _| match request.method() {
            "initialize" => request.result("", OPENED),
            _ => request.result("", TOOL),
        });
        let entrance = server.entrance(true);
        assert_eq!(
            entrance
                .call(Door::McpLegacy, &tool("a"))
                .await
                .observation
                .status(),
            Some(200)
        );
        entrance.end_sessions().await;
        assert_eq!(ended(&server), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_a_delete_costs_two_seconds() {
        let server = Loopback::new(|request, _| match request.method() {
            "initialize" => request.result("mcp-session-id: s\r\n", OPENED),
            "" => String::new(),
            _ => request.result("", TOOL),
        });
        let entrance = server.entrance(true);
        entrance.call(Door::McpLegacy, &tool("a")).await;
        let begun = Instant::now();
        entrance.end_sessions().await;
        assert!(
            begun.elapsed() < Duration::from_secs(4),
            "{:?}",
            begun.elapsed()
        );
    }

    /// A server that speaks the oldest revision over Streamable HTTP, and takes a call only after it was told that the
    /// handshake is over, in the negotiated revision.
    #[tokio::test]
    async fn the_negotiated_revision_is_named_and_the_handshake_is_finished() {
        let told = Arc::new(AtomicBool::new(false));
        let ready = Arc::clone(&told);
        let server = Loopback::new(move |request, _| {
            let names = request
                .head
                .contains("mcp-protocol-version: 2024-11-05\r\n");
            match request.method() {
                "initialize" => {
                    let body = format!(
                        "data: {{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{\"protocolVersion\":\"2024-11-05\"}}}}\n\n",
                        request.body["id"]
                    );
                    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{body}")
                }
                "notifications/initialized" if names => {
                    ready.store(true, Ordering::SeqCst);
                    json(202, "", "")
                }
                "tools/call" if names && ready.load(Ordering::SeqCst) => request.result("", TOOL),
                _ => json(400, "", "{}"),
            }
        });
        let entrance = server.entrance(true);
        let answered = entrance.call(Door::McpLegacy, &tool("a")).await;
        assert_eq!(answered.observation.status(), Some(200));
        let found = discovery::discover(&entrance, &[Door::McpLegacy]).await;
        assert_eq!(
            found[0].detail,
            "initialize answered with revision 2024-11-05"
        );
    }

    #[tokio::test]
    async fn a_stream_that_never_ends_is_left_at_our_message() {
        let server = Loopback::new(|request, _| {
            let id = &request.body["id"];
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: ping\n\ndata: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{TOOL}}}\n\n: ping\n"
            )
        });
        let answered = server
            .entrance(true)
            .call(Door::Mcp, &tool("listProducts"))
            .await;
        assert_eq!(status_and_rpc(&answered), done());
        assert!(answered.observation.took_ms < 4000);
        let call = &server.heard("tools/call")[0];
        assert!(call.head.contains("mcp-name: listProducts\r\n"));
        assert!(call.head.contains("authorization: Bearer t\r\n"));
    }

    /// Everything that may stand before our answer, in the framing of several servers at once.
    fn crowded(id: &Value) -> String {
        let event = |lines: &[&str]| format!("{}\r\n\r\n", lines.join("\r\n"));
        let other = id.as_u64().unwrap_or_default() + 1;
        [
            ": keep-alive\n\n".to_owned(),
            event(&["id: 1", "data:"]),
            event(&[r#"data: {"jsonrpc":"2.0","method":"notifications/progress"}"#]),
            event(&[&format!(
                r#"data: {{"jsonrpc":"2.0","id":{id},"method":"sampling/createMessage","params":{{}}}}"#
            )]),
            event(&[&format!(r#"data: {{"jsonrpc":"2.0","id":{other},"result":{{}}}}"#)]),
            event(&[
                "event: message",
                r#"data: {"jsonrpc":"2.0","#,
                &format!(r#"data: "id":{id},"#),
                &format!(r#"data: "result":{TOOL}}}"#),
            ]),
        ]
        .concat()
    }

    #[tokio::test]
    async fn a_stream_with_a_length_is_read_to_our_message_and_no_further() {
        for beyond in [0, 1_000_000] {
            let server = Loopback::new(move |request, _| {
                let body = crowded(&request.body["id"]);
                let length = body.len() + beyond;
                // Spelt so that the connection stays open, as where more is to come.
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nContent-Length: {length}\r\n\r\n{body}"
                )
            });
            let call = tool("listProducts");
            let answered = server.entrance(true).call(Door::Mcp, &call).await;
            assert_eq!(
                status_and_rpc(&answered),
                done(),
                "{beyond} bytes are missing"
            );
            assert!(answered.observation.took_ms < 4000);
        }
    }

    #[tokio::test]
    async fn each_kind_of_request_is_made_in_the_words_of_its_era() {
        let server = Loopback::new(opens_sessions);
        let entrance = server.entrance(true);
        let ask = |method, name: Option<&str>, params: Value| {
            Ask::mcp(
                method,
                name.map(str::to_owned),
                params.to_string(),
                Vec::new(),
            )
        };
        let uri = "p://ü";
        let read = ask(McpMethod::ReadResource, Some(uri), json!({ "uri": uri }));
        let discover = ask(McpMethod::Discover, None, json!({}));
        for door in [Door::Mcp, Door::McpLegacy] {
            entrance.call(door, &read).await;
            entrance.call(door, &discover).await;
        }
        let [modern, legacy] = &server.heard("resources/read")[..] else {
            panic!("two reads")
        };
        assert!(modern.head.contains("mcp-method: resources/read\r\n"));
        assert!(modern.head.contains("mcp-name: =?base64?cDovL8O8?=\r\n"));
        assert!(modern.body["params"]["_meta"].is_object());
        assert!(legacy.head.contains("mcp-session-id: s0\r\n"));
        assert!(!legacy.head.contains("mcp-name") && !legacy.head.contains("mcp-method"));
        assert_eq!(legacy.body["params"], json!({ "uri": uri }));
        assert!(!server.heard("server/discover")[0].head.contains("mcp-name"));
        // One for the session, and one for itself.
        let handshakes = server.heard("initialize");
        assert_eq!(handshakes.len(), 2);
        assert!(!handshakes[1].head.contains("mcp-session-id"));
    }

    #[tokio::test]
    async fn a_handshake_that_is_asked_for_itself_counts() {
        let server = Loopback::new(opens_sessions);
        let ask = Ask::mcp(McpMethod::Discover, None, "{}".to_owned(), Vec::new());
        let answered = server.entrance(true).call(Door::McpLegacy, &ask).await;
        let is_result = matches!(status_and_rpc(&answered), (200, Some(Rpc::Result { .. })));
        assert!(is_result, "{answered:?}");
        assert_eq!(*answered.observation.request, *"initialize");
    }

    #[tokio::test]
    async fn the_rest_door_gives_the_json_body() {
        let server = Loopback::new(|_, _| json(201, "server: backend\r\n", r#"{"id":7}"#));
        let (target, body) = ("/products?x=%2e".to_owned(), json!({ "price": 1 }));
        let ask = Ask::rest("POST", target, Vec::new(), Some(body.to_string())).unwrap();
        let answered = server.entrance(false).call(Door::Rest, &ask).await;
        assert_eq!(answered.payload.value(), Some(json!({ "id": 7 })));
        assert_eq!(status_and_rpc(&answered), (201, None));
        assert_eq!(*answered.observation.request, *"POST /products?x=%2e");
        let heard = &server.heard("")[0];
        assert!(
            heard
                .head
                .starts_with("POST /api/products?x=%2e HTTP/1.1\r\n"),
            "{}",
            heard.head
        );
        assert!(!heard.head.contains("authorization") && !heard.head.contains("origin"));
        assert_eq!(heard.body, json!({ "price": 1 }));
    }

    #[tokio::test]
    async fn both_eras_are_discovered_and_the_handshake_is_kept() {
        let server = Loopback::new(|request, before| match request.method() {
            "server/discover" => request.result("", r#"{"supportedVersions":["2026-07-28"]}"#),
            _ => opens_sessions(request, before),
        });
        let entrance = server.entrance(true);
        let found = discovery::discover(&entrance, &Door::ALL).await;
        let answers: Vec<_> = found
            .iter()
            .map(|found| (found.door, found.answers))
            .collect();
        assert_eq!(
            answers,
            [(Door::Mcp, Some(true)), (Door::McpLegacy, Some(true))]
        );
        entrance.call(Door::McpLegacy, &tool("listProducts")).await;
        assert_eq!(server.heard("initialize").len(), 1);
    }

    #[tokio::test]
    async fn what_is_unknown_has_another_name_each_time() {
        let server = Loopback::new(opens_sessions);
        let entrance = server.entrance(true);
        let tool = McpMethod::CallTool;
        let (first, answered) = entrance.call_unknown(Door::Mcp, tool).await.unwrap();
        let (second, _) = entrance.call_unknown(Door::McpLegacy, tool).await.unwrap();
        assert_eq!(
            *answered.observation.request,
            *format!("tools/call {first}")
        );
        assert!(
            first.starts_with("rolecall-no-such-tool-") && first.len() == 30,
            "{first}"
        );
        assert_ne!(first, second);
        assert_eq!(server.heard("tools/call")[0].body["params"]["name"], first);
        let resource = entrance.call_unknown(Door::Mcp, McpMethod::ReadResource);
        let (uri, _) = resource.await.unwrap();
        assert_eq!(server.heard("resources/read")[0].body["params"]["uri"], uri);
        let list = entrance.call_unknown(Door::Mcp, McpMethod::ListTools);
        assert!(list.await.is_none());
    }

    #[tokio::test]
    async fn a_door_that_is_not_there_answers_as_one_where_nothing_listens() {
        let entrance = entrance(None, None, true);
        let rest = Ask::rest("GET", "/".to_owned(), Vec::new(), None).unwrap();
        let calls = [
            (Door::Rest, &rest),
            (Door::Mcp, &tool("a")),
            (Door::McpLegacy, &tool("a")),
            (Door::Mcp, &rest),
        ];
        for (door, ask) in calls {
            let answered = entrance.call(door, ask).await;
            assert_eq!(
                answered.observation.answer,
                Answer::None(Silence::ConnectionRefused)
            );
        }
        assert!(discovery::discover(&entrance, &Door::ALL).await.is_empty());
    }
}
