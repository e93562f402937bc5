//! An MCP URL and a persona's entrance in, every way in that it offers out, whichever of them is used.

use futures_util::future::join_all;
use http::Method;
use url::Url;

use super::mcp::legacy::{self, Session};
use super::mcp::{Spoken, Way, modern};
use super::pair::{self, Pair};
use super::said::{Heard, Said};
use super::{Answer, Entrance, GLIMPSE, discovery};
use crate::wire::{Reply, Silence};

/// Every revision of the era of `initialize`, the newest first.
const REVISIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// Revisions that are kept of what a server says that it supports.
const MOST_REVISIONS: usize = 8;

/// One way in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Approach {
    /// `server/discover`: the stateless era.
    Discover,
    /// `initialize` that asks for this revision.
    Initialize(&'static str),
    /// GET: the stream of the server's own messages.
    Stream,
    /// DELETE: the end of a session.
    End,
    /// The deprecated HTTP+SSE pair: its stream, at this path.
    Pair(String),
    /// The same pair: where its messages go.
    Messages(String),
}

/// One way in, and what it said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Met {
    /// Which.
    pub approach: Approach,
    /// What came back.
    pub heard: Heard,
}

/// Every way in, as one caller meets it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Enumeration {
    /// In the order in which reports tell them.
    pub met: Vec<Met>,
    /// What a caller met that showed no token where a token had opened the stream.
    pub bare: Vec<Met>,
}

/// Asks for every way in at once; no answer keeps another from being asked for. Sessions that this opens are ended by
/// [`Entrance::end_sessions`]. Nothing where the deployment has no MCP URL.
pub async fn enumerate(entrance: &Entrance) -> Enumeration {
    let Some(way) = entrance.standing_way() else {
        return Enumeration::default();
    };
    let asked = modern::discover();
    let own = Url::parse(way.url).ok();
    let addresses: Vec<Url> = own.into_iter().chain(pair::siblings(way.url)).collect();
    let pairs = join_all(addresses.iter().map(|url| pair::knock(&way, url)));
    let (modern, legacy, pairs) = tokio::join!(way.ask(asked), of_legacy(&way), pairs);
    let mut all = Enumeration {
        met: vec![Met {
            approach: Approach::Discover,
            heard: of_discovery(&modern),
        }],
        bare: Vec::new(),
    };
    all.met.extend(legacy);
    for (pair, is_own) in pairs.into_iter().zip([true, false, false]) {
        all.add(pair, is_own);
    }
    all
}

/// Asks for the HTTP+SSE pair alone: beside the MCP URL, or at the URL itself.
pub async fn knock(entrance: &Entrance, place: Place) -> Vec<Pair> {
    let Some(way) = entrance.standing_way() else {
        return Vec::new();
    };
    let addresses = match place {
        Place::Beside => pair::siblings(way.url),
        Place::Itself => Url::parse(way.url).into_iter().collect(),
    };
    join_all(addresses.iter().map(|url| pair::knock(&way, url))).await
}

/// The URLs beside an MCP URL at which [`knock`] asks.
pub fn siblings(url: &str) -> Vec<String> {
    let siblings = pair::siblings(url).into_iter();
    siblings.map(String::from).collect()
}

/// Where a pair is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// At the MCP URL.
    Itself,
    /// At the URLs beside it where it usually stands.
    Beside,
}

impl Enumeration {
    /// The stream of a pair at the MCP URL is no other than the stream of the server's messages, unless it names an
    /// endpoint.
    fn add(&mut self, pair: Pair, is_own: bool) {
        let mut get = pair.get;
        if is_own && get.said == Said::Open && !pair.named {
            get.said = Said::Absent;
        }
        self.met.push(Met {
            approach: Approach::Pair(pair.path),
            heard: get,
        });
        if let Some(post) = pair.post {
            let at = |heard| Met {
                approach: Approach::Messages(post.path.clone()),
                heard,
            };
            self.bare.extend(post.bare.map(at));
            self.met.push(at(post.own));
        }
    }
}

async fn of_legacy(way: &Way<'_>) -> Vec<Met> {
    let asked = join_all(REVISIONS.map(|revision| negotiate(way, revision))).await;
    let session = asked.iter().find_map(|(_, session)| session.clone());
    let mut met: Vec<Met> = REVISIONS
        .into_iter()
        .zip(asked)
        .map(|(revision, (heard, _))| Met {
            approach: Approach::Initialize(revision),
            heard,
        })
        .collect();
    if let Some(session) = &session {
        way.notify(legacy::initialized(Some(session))).await;
    }
    // The order matters: the second ends what the first needs.
    for (method, approach) in [
        (Method::GET, Approach::Stream),
        (Method::DELETE, Approach::End),
    ] {
        let heard = of_bare(way, method, session.as_ref()).await;
        met.push(Met { approach, heard });
    }
    met
}

async fn negotiate(way: &Way<'_>, revision: &str) -> (Heard, Option<Session>) {
    let spoken = way.open(legacy::initialize_as(revision)).await;
    let Some(session) = Session::of(&spoken) else {
        let answers = discovery::answers_legacy(&spoken);
        return (closed(&spoken, answers), None);
    };
    let kept = if session.id.is_some() {
        "session"
    } else {
        "no session"
    };
    let version = session.version.to_str().unwrap_or_default();
    (Heard::open(format!("{version}, {kept}")), Some(session))
}

async fn of_bare(way: &Way<'_>, method: Method, session: Option<&Session>) -> Heard {
    let ends = method == Method::DELETE;
    let call = way.bare(method, way.url, legacy::headers(session));
    let sent = way.line.listen(call, GLIMPSE, &mut |_| true).await;
    let heard = heard_bare(&sent, ends);
    if let (true, Said::Open, Some(session)) = (ends, heard.said, session) {
        way.opened.forget(session);
    }
    heard
}

fn heard_bare(sent: &Result<Reply, Silence>, ends: bool) -> Heard {
    match sent {
        Err(silence) => Heard::silent(*silence),
        Ok(reply) if !(200..300).contains(&reply.status) => Heard::of_status(reply.status),
        Ok(reply) if ends => Heard::open(reply.status.to_string()),
        Ok(reply) if pair::is_stream(reply) => Heard::open("event stream"),
        Ok(reply) => Heard::absent(format!("{}, no event stream", reply.status)),
    }
}

fn of_discovery(spoken: &Spoken) -> Heard {
    match discovery::answers_modern(spoken) {
        Some(true) => Heard::open(versions(spoken).unwrap_or_else(|| short(spoken))),
        answers => closed(spoken, answers),
    }
}

/// What is said of an era that did not open; `answers` is whether it is there.
fn closed(spoken: &Spoken, answers: Option<bool>) -> Heard {
    match (spoken.status(), answers) {
        (Some(status @ (401 | 403)), _) => Heard::of_status(status),
        (_, Some(false)) => Heard::absent(short(spoken)),
        (_, Some(true) | None) => Heard::unclear(short(spoken)),
    }
}

fn short(spoken: &Spoken) -> String {
    match (&spoken.answered.observation.answer, spoken.error()) {
        (Answer::None(silence), _) => silence.to_string(),
        (Answer::Http(answer), None) => answer.status.to_string(),
        (Answer::Http(answer), Some(error)) => format!("{}, error {}", answer.status, error.code),
    }
}

/// The revisions that the server says it supports; only what looks like one.
fn versions(spoken: &Spoken) -> Option<String> {
    let versions = discovery::supported(spoken)?;
    let dates = versions
        .as_array()?
        .iter()
        .filter_map(|version| version.as_str());
    let dates = dates.filter(|version| legacy::is_revision(version));
    let dates: Vec<&str> = dates.take(MOST_REVISIONS).collect();
    (!dates.is_empty()).then(|| dates.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::tests::{self as loopback, Loopback, json};

    /// A server of the field, as `server/discover`, `initialize` (which is given the revision that is asked for), GET and
    /// DELETE meet it.
    struct Server {
        name: &'static str,
        discover: fn(&loopback::Heard) -> String,
        initialize: fn(&loopback::Heard, &str) -> String,
        get: fn(bool) -> String,
        delete: fn() -> String,
        expected: [&'static str; 7],
    }

    fn error(status: u16, code: i64, message: &str) -> String {
        json(
            status,
            "",
            &format!(
                r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":{code},"message":"{message}"}}}}"#
            ),
        )
    }

    fn empty(status: u16) -> String {
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    }

    fn stream() -> String {
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\r\n\r\n".to_owned()
    }

    fn agreed(request: &loopback::Heard, version: &str, session: &str) -> String {
        let header = if session.is_empty() {
            String::new()
        } else {
            format!("mcp-session-id: {session}\r\n")
        };
        request.result(
            &header,
            &format!(r#"{{"protocolVersion":"{version}","capabilities":{{}}}}"#),
        )
    }

    fn newest_of<'a>(asked: &'a str, known: &[&'a str]) -> &'a str {
        known
            .iter()
            .find(|one| **one == asked)
            .copied()
            .unwrap_or(known[0])
    }

    /// The shapes of reference/mcp.md §1.2 to §1.5.
    static FIELD: [Server; 8] = [
        Server {
            name: "Python mcp 2.x",
            discover: |request| {
                request.result(
                    "",
                    r#"{"supportedVersions":["2026-07-28","2025-11-25","<b>"]}"#,
                )
            },
            initialize: |request, asked| agreed(request, asked, "s1"),
            get: |session| {
                if session {
                    stream()
                } else {
                    error(400, -32600, "Missing session ID")
                }
            },
            delete: || empty(200),
            expected: [
                "open 2026-07-28 2025-11-25",
                "open 2025-11-25, session",
                "open 2025-06-18, session",
                "open 2025-03-26, session",
                "open 2024-11-05, session",
                "open event stream",
                "open 200",
            ],
        },
        Server {
            name: "TypeScript v2, stateless legacy",
            discover: |request| request.result("", r#"{"supportedVersions":["2026-07-28"]}"#),
            initialize: |request, asked| agreed(request, asked, ""),
            get: |_| error(405, -32000, "Method not allowed."),
            delete: || error(405, -32000, "Method not allowed."),
            expected: [
                "open 2026-07-28",
                "open 2025-11-25, no session",
                "open 2025-06-18, no session",
                "open 2025-03-26, no session",
                "open 2024-11-05, no session",
                "absent 405",
                "absent 405",
            ],
        },
        Server {
            name: "TypeScript v2, modern only",
            discover: |request| request.result("", r#"{"supportedVersions":["2026-07-28"]}"#),
            initialize: |_, _| error(400, -32022, "Unsupported protocol version"),
            get: |_| empty(405),
            delete: || empty(405),
            expected: [
                "open 2026-07-28",
                "absent 400, error -32022",
                "absent 400, error -32022",
                "absent 400, error -32022",
                "absent 400, error -32022",
                "absent 405",
                "absent 405",
            ],
        },
        Server {
            name: "TypeScript v1, one session a process",
            discover: |_| error(400, -32000, "Bad Request: Server not initialized"),
            initialize: |request, asked| match asked {
                "2025-11-25" => agreed(request, asked, "s1"),
                _ => error(400, -32600, "Invalid Request: Server already initialized"),
            },
            get: |session| if session { stream() } else { empty(400) },
            delete: || empty(200),
            expected: [
                "absent 400, error -32000",
                "open 2025-11-25, session",
                "absent 400, error -32600",
                "absent 400, error -32600",
                "absent 400, error -32600",
                "open event stream",
                "open 200",
            ],
        },
        Server {
            name: "Go, stateful",
            discover: |_| {
                json(
                    400,
                    "",
                    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"","data":{"supported":["2025-11-25"]}}}"#,
                )
            },
            initialize: |request, asked| agreed(request, asked, "s1"),
            get: |session| if session { stream() } else { empty(400) },
            delete: || empty(204),
            expected: [
                "absent 400, error -32022",
                "open 2025-11-25, session",
                "open 2025-06-18, session",
                "open 2025-03-26, session",
                "open 2024-11-05, session",
                "open event stream",
                "open 204",
            ],
        },
        Server {
            name: "C#, stateless",
            discover: |request| {
                request.result("", r#"{"supportedVersions":["2026-07-28","2025-06-18"]}"#)
            },
            initialize: |request, asked| {
                agreed(request, newest_of(asked, &["2025-06-18", "2025-03-26"]), "")
            },
            get: |_| empty(405),
            delete: || empty(405),
            expected: [
                "open 2026-07-28 2025-06-18",
                "open 2025-06-18, no session",
                "open 2025-06-18, no session",
                "open 2025-03-26, no session",
                "open 2025-06-18, no session",
                "absent 405",
                "absent 405",
            ],
        },
        Server {
            name: "API Management before 2026-07-28",
            discover: |_| error(400, -32601, "Method not found"),
            initialize: |request, _| agreed(request, "2025-06-18", ""),
            get: |_| {
                json(
                    404,
                    "",
                    r#"{"statusCode":404,"message":"Resource not found"}"#,
                )
            },
            delete: || {
                json(
                    404,
                    "",
                    r#"{"statusCode":404,"message":"Resource not found"}"#,
                )
            },
            expected: [
                "absent 400, error -32601",
                "open 2025-06-18, no session",
                "open 2025-06-18, no session",
                "open 2025-06-18, no session",
                "open 2025-06-18, no session",
                "absent 404",
                "absent 404",
            ],
        },
        Server {
            name: "a gateway that refuses",
            discover: |_| empty(401),
            initialize: |_, _| empty(401),
            get: |_| empty(403),
            delete: || empty(502),
            expected: [
                "refused 401",
                "refused 401",
                "refused 401",
                "refused 401",
                "refused 401",
                "refused 403",
                "unclear 502",
            ],
        },
    ];

    fn answer(server: &Server, request: &loopback::Heard) -> String {
        let asked = request.body["params"]["protocolVersion"].as_str();
        let in_session = request.head.contains("mcp-session-id: ");
        match request.method() {
            "server/discover" => (server.discover)(request),
            "initialize" => (server.initialize)(request, asked.unwrap_or_default()),
            "" if request.head.starts_with("GET /mcp ") => (server.get)(in_session),
            "" if request.head.starts_with("DELETE /mcp ") => (server.delete)(),
            "notifications/initialized" => empty(202),
            _ => empty(404),
        }
    }

    fn words(met: &[Met]) -> Vec<String> {
        let words = met.iter().map(|one| {
            let said = match one.heard.said {
                Said::Open => "open",
                Said::Refused => "refused",
                Said::Absent => "absent",
                Said::Unclear => "unclear",
            };
            format!("{said} {}", one.heard.detail)
        });
        words.collect()
    }

    #[tokio::test]
    async fn every_way_in_of_the_fields_servers_is_told() {
        for server in &FIELD {
            let loopback = Loopback::new(move |request, _| answer(server, request));
            let entrance = loopback.entrance(true);
            let all = enumerate(&entrance).await;
            assert_eq!(words(&all.met)[..7], server.expected, "{}", server.name);
            assert_eq!(
                words(&all.met)[8..],
                ["absent 404", "absent 404"],
                "{}",
                server.name
            );
            entrance.end_sessions().await;
        }
    }

    #[tokio::test]
    async fn a_pair_answers_where_its_stream_is_held_open() {
        let loopback = Loopback::new(|request, _| {
            match request.method() {
            "" if request.head.starts_with("GET /sse ") => {
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: endpoint\ndata: /messages?s=1\n\n".to_owned()
            }
            "" if request.head.starts_with("GET /mcp/sse ") => {
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: endpoint\ndata: https://elsewhere.example/m\n\n".to_owned()
            }
            _ if request.head.starts_with("POST /messages?s=1 ") => {
                let signed_in = request.head.contains("authorization: ");
                empty(if signed_in { 202 } else { 401 })
            }
            _ => empty(404),
        }
        });
        let found = knock(&loopback.entrance(true), Place::Beside).await;
        let first = found[0].post.clone().unwrap();
        assert_eq!((found[0].path.as_str(), found[0].named), ("/sse", true));
        assert_eq!(first.path, "/messages");
        assert_eq!(
            (first.own, first.bare),
            (Heard::open("202"), Some(Heard::of_status(401)))
        );
        assert_eq!(
            found[1].get,
            Heard::open("endpoint at another origin, not asked")
        );
        assert_eq!(found[1].post, None);
        let nobody = knock(&loopback.entrance(false), Place::Beside).await;
        let first = nobody[0].post.clone().unwrap();
        assert_eq!((first.own, first.bare), (Heard::of_status(401), None));
    }
}
