//! The MCP URL in, whether the deprecated HTTP+SSE pair answers there or beside it out (2024-11-05 transports).

use http::Method;
use http::header::CONTENT_TYPE;
use tokio::sync::oneshot;
use url::Url;

use super::GLIMPSE;
use super::mcp::message::{self, Message};
use super::mcp::{Question, Utterance, Way, legacy};
use super::said::{Heard, Said};
use super::sse::Events;
use crate::wire::{Reply, Silence};

/// The revision that the pair belongs to.
const REVISION: &str = "2024-11-05";
/// A server that wants to say something else before its endpoint is no pair; this many events of it are read.
const EVENTS: usize = 8;
/// Bytes of stream that are read.
const BYTES: usize = 64 * 1024;
/// Characters of a path that are kept.
const PATH: usize = 120;

/// What came of one knock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// The path that was asked for the stream.
    pub path: String,
    /// What the GET gave.
    pub get: Heard,
    /// Whether it opened a stream that names an endpoint: that is the pair, and no other stream.
    pub named: bool,
    /// Where messages go, when the stream named it, and what a message gave there.
    pub post: Option<Post>,
}

/// The half of a pair that takes messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Post {
    /// Its path, without the query that names the session.
    pub path: String,
    /// What `initialize` gave there.
    pub own: Heard,
    /// What a message without a token gave there, in a stream that was opened with one.
    pub bare: Option<Heard>,
}

/// The URLs where the pair stands beside an MCP URL in the field: `sse` in place of its last segment, and below it. Not
/// the URL itself.
pub(super) fn siblings(url: &str) -> Vec<Url> {
    let Ok(own) = Url::parse(url) else {
        return Vec::new();
    };
    let segments: Vec<&str> = own
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    if segments.last() == Some(&"sse") {
        return Vec::new();
    }
    let before = &segments[..segments.len().saturating_sub(1)];
    let mut found: Vec<Url> = Vec::new();
    for stem in [before, &segments[..]] {
        let mut sibling = own.clone();
        sibling.set_path(&[stem, &["sse"]].concat().join("/"));
        if !found.contains(&sibling) {
            found.push(sibling);
        }
    }
    found
}

/// Asks one URL for a stream whose events name an endpoint, and that endpoint for `initialize` while the stream is open.
/// An endpoint at another origin is never asked: the token is not for it.
pub(super) async fn knock(way: &Way<'_>, url: &Url) -> Pair {
    let id = way.ids.next();
    let (tell, told) = oneshot::channel();
    let get = way.bare(Method::GET, url.as_str(), Vec::new());
    let hearing = async move {
        let mut ear = Ear::new(id, tell);
        let mut enough = |read: &[u8]| ear.enough(read);
        let heard = way.line.listen(get, GLIMPSE, &mut enough).await;
        (heard, ear.named)
    };
    let asking = async {
        let endpoint = told.await.ok()?;
        Some(match beside(url, &endpoint) {
            Some(endpoint) => Asked::There(post(way, endpoint, id).await),
            None => Asked::Elsewhere,
        })
    };
    let ((heard, named), asked) = tokio::join!(hearing, asking);
    let elsewhere = matches!(asked, Some(Asked::Elsewhere));
    let revision = heard.as_ref().ok().and_then(|reply| revision(reply, id));
    Pair {
        path: shown(url),
        get: got(&heard, named, elsewhere),
        named,
        post: match asked {
            Some(Asked::There(post)) => Some(post.answered(revision.as_deref())),
            Some(Asked::Elsewhere) | None => None,
        },
    }
}

enum Asked {
    There(Post),
    Elsewhere,
}

/// Listens to a stream: tells the endpoint that it names, and has enough once our answer came.
struct Ear {
    id: u64,
    events: Events,
    seen: usize,
    count: usize,
    named: bool,
    tell: Option<oneshot::Sender<String>>,
}

impl Ear {
    fn new(id: u64, tell: oneshot::Sender<String>) -> Self {
        Self {
            id,
            events: Events::default(),
            seen: 0,
            count: 0,
            named: false,
            tell: Some(tell),
        }
    }

    fn enough(&mut self, read: &[u8]) -> bool {
        let fresh = self.events.take(read.get(self.seen..).unwrap_or_default());
        self.seen = read.len();
        for event in fresh {
            self.count += 1;
            if event.name == b"endpoint" && !self.named {
                self.named = true;
                // Nobody waits any more where the stream is no longer wanted.
                drop(self.tell.take().map(|tell| tell.send(event.data)));
            } else if !self.named || message::is_ours(&event.data, self.id) {
                return true;
            }
        }
        self.count >= EVENTS || self.seen >= BYTES || self.events.overrun()
    }
}

/// The endpoint that a stream names, where it has the stream's own origin.
fn beside(stream: &Url, endpoint: &str) -> Option<Url> {
    let endpoint = stream.join(endpoint.trim()).ok()?;
    let clean = endpoint.username().is_empty() && endpoint.password().is_none();
    (clean && endpoint.origin() == stream.origin()).then_some(endpoint)
}

async fn post(way: &Way<'_>, endpoint: Url, id: u64) -> Post {
    let own = send(way, &endpoint, legacy::initialize_as(REVISION), id).await;
    let bare = if way.signed_in() {
        let mut nobody = way.clone();
        nobody.sender.authorization = None;
        let ping = Utterance {
            question: Question::in_vain("ping"),
            method: "ping",
            params: None,
            meta: None,
            headers: Vec::new(),
        };
        Some(send(&nobody, &endpoint, ping, way.ids.next()).await)
    } else {
        None
    };
    Post {
        path: shown(&endpoint),
        own,
        bare,
    }
}

async fn send(way: &Way<'_>, endpoint: &Url, utterance: Utterance, id: u64) -> Heard {
    let draft = utterance.draft(way.headers);
    let call = draft.call(endpoint.as_str(), way.sender, Some(id));
    match way.line.listen(call, GLIMPSE, &mut |_| true).await {
        Ok(reply) if (200..300).contains(&reply.status) => Heard::open(reply.status.to_string()),
        Ok(reply) => Heard::of_status(reply.status),
        Err(silence) => Heard::silent(silence),
    }
}

impl Post {
    fn answered(mut self, revision: Option<&str>) -> Self {
        if let (Said::Open, Some(revision)) = (self.own.said, revision) {
            self.own.detail = format!("{}, {revision}", self.own.detail);
        }
        self
    }
}

fn got(heard: &Result<Reply, Silence>, named: bool, elsewhere: bool) -> Heard {
    let reply = match heard {
        Ok(reply) => reply,
        Err(silence) => return Heard::silent(*silence),
    };
    match reply.status {
        200..=299 if !is_stream(reply) => {
            Heard::absent(format!("{}, no event stream", reply.status))
        }
        200..=299 if elsewhere => Heard::open("endpoint at another origin, not asked"),
        200..=299 if named => Heard::open("endpoint"),
        200..=299 => Heard::open("event stream"),
        status => Heard::of_status(status),
    }
}

/// Whether an answer is an event stream.
pub(super) fn is_stream(reply: &Reply) -> bool {
    let kind = reply.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/event-stream")
}

/// The revision that the server named in the stream.
fn revision(reply: &Reply, id: u64) -> Option<String> {
    match message::answer(reply, id)? {
        Message::Result(result) => {
            let result = result.members();
            let revision = result.get("protocolVersion")?.as_str()?;
            legacy::is_revision(revision).then(|| revision.to_owned())
        }
        Message::Error(_) => None,
    }
}

/// A URL as reports show it: its path, for a query may hold a key or a session.
fn shown(url: &Url) -> String {
    url.path().chars().take(PATH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::mcp::tests::reply;

    #[test]
    fn siblings_stand_in_place_of_the_last_segment_and_below_it() {
        let table: [(&str, &[&str]); 8] = [
            ("https://h/mcp", &["https://h/sse", "https://h/mcp/sse"]),
            ("https://h/mcp/", &["https://h/sse", "https://h/mcp/sse"]),
            (
                "https://h:8443/a/mcp?key=1",
                &[
                    "https://h:8443/a/sse?key=1",
                    "https://h:8443/a/mcp/sse?key=1",
                ],
            ),
            ("https://h", &["https://h/sse"]),
            ("https://h/", &["https://h/sse"]),
            ("https://h/a/sse", &[]),
            ("https://h/sse", &[]),
            ("no url", &[]),
        ];
        for (url, expected) in table {
            let found: Vec<String> = siblings(url).into_iter().map(String::from).collect();
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn only_an_endpoint_of_the_streams_own_origin_is_asked() {
        let stream = Url::parse("https://h/a/sse").unwrap();
        let table = [
            (
                "/messages?sessionId=1",
                Some("https://h/messages?sessionId=1"),
            ),
            ("messages/1", Some("https://h/a/messages/1")),
            ("?sessionId=1", Some("https://h/a/sse?sessionId=1")),
            ("https://h/m", Some("https://h/m")),
            ("https://h:443/m", Some("https://h/m")),
            (" /m\n", Some("https://h/m")),
            ("//h/m", Some("https://h/m")),
            ("http://h/m", None),
            ("https://h:444/m", None),
            ("https://evil.example/m", None),
            ("//evil.example/m", None),
            ("https://h@evil.example/m", None),
            ("https://user@h/m", None),
            ("javascript:alert(1)", None),
            ("https://[", None),
        ];
        for (endpoint, expected) in table {
            let found = beside(&stream, endpoint).map(String::from);
            assert_eq!(found.as_deref(), expected, "{endpoint}");
        }
    }

    /// Whether the ear had enough of a stream, what endpoint it told, and whether it heard one.
    fn heard(stream: &str) -> (bool, Option<String>, bool) {
        let (tell, mut told) = oneshot::channel();
        let mut ear = Ear::new(7, tell);
        let enough = ear.enough(stream.as_bytes());
        (enough, told.try_recv().ok(), ear.named)
    }

    #[test]
    fn a_pair_is_known_by_its_first_event() {
        let named = ": ping\n\nevent: endpoint\ndata: /m?s=1\n\n";
        let ours = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n";
        let others = "data: {\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}\n\n";
        let endpoint = || Some("/m?s=1".to_owned());
        let table = [
            (": ping\n\n".to_owned(), (false, None, false)),
            ("data: hello\n\n".to_owned(), (true, None, false)),
            ("event: endpoint\ndata: /m".to_owned(), (false, None, false)),
            (named.to_owned(), (false, endpoint(), true)),
            (format!("{named}{others}"), (false, endpoint(), true)),
            (format!("{named}{others}{ours}"), (true, endpoint(), true)),
            (
                format!("{named}event: endpoint\ndata: /n\n\n"),
                (false, endpoint(), true),
            ),
            (
                format!("{named}{}", others.repeat(9)),
                (true, endpoint(), true),
            ),
        ];
        for (stream, expected) in table {
            assert_eq!(heard(&stream), expected, "{stream}");
        }
        assert!(heard(&format!(":{}", "x".repeat(BYTES))).0);
    }

    #[test]
    fn a_get_is_open_when_it_gives_an_event_stream() {
        let table = [
            (200, "text/event-stream; charset=utf-8", true, Said::Open),
            (200, "text/event-stream", false, Said::Open),
            (200, "text/html", false, Said::Absent),
            (204, "", false, Said::Absent),
            (401, "text/event-stream", false, Said::Refused),
            (404, "text/html", false, Said::Absent),
            (302, "", false, Said::Unclear),
            (502, "text/html", false, Said::Unclear),
        ];
        for (status, kind, named, said) in table {
            let reply = Ok(reply(status, kind, ""));
            assert_eq!(got(&reply, named, false).said, said, "{status} {kind}");
        }
        let silent = got(&Err(Silence::Deadline), false, false);
        assert_eq!(silent.said, Said::Unclear);
    }
}
