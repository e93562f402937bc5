//! Requests on loopback in, the answer that method, path, tool and token deserve out: one thread, one epoll loop.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::workload::{self, Kind};

/// How the deployment behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// How long every answer is held back.
    pub(crate) delay: Duration,
    /// Whether the MCP door looks at the token and not at the tool.
    pub(crate) hole: bool,
}

impl Manner {
    /// Reads `--delay-ms N` and `--hole`.
    pub(crate) fn of(words: &[&str]) -> Result<Self, Box<dyn std::error::Error>> {
        let mut manner = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--hole" => manner.hole = true,
                "--delay-ms" => {
                    let stated = words.next().ok_or("--delay-ms takes a number")?;
                    manner.delay = Duration::from_millis(stated.parse()?);
                }
                other => return Err(format!("serve knows no {other}").into()),
            }
        }
        Ok(manner)
    }

    /// The words that [`Manner::of`] reads.
    pub(crate) fn words(self) -> Vec<String> {
        let mut words = vec!["--delay-ms".to_owned(), self.delay.as_millis().to_string()];
        words.extend(self.hole.then(|| "--hole".to_owned()));
        words
    }
}

const LISTENER: Token = Token(usize::MAX);

/// Prints the port and answers until the process is ended.
pub(crate) fn serve(manner: &Manner) -> io::Result<()> {
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("{}", listener.local_addr()?.port());
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut hall = Hall {
        policy: workload::policy(),
        manner: *manner,
        visitors: Vec::new(),
        held: VecDeque::new(),
    };
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, hall.patience())?;
        for event in &events {
            if event.token() == LISTENER {
                hall.admit(&listener, poll.registry())?;
            } else {
                hall.hear(event.token().0);
            }
        }
        hall.release();
    }
}

struct Hall {
    policy: workload::Policy,
    manner: Manner,
    visitors: Vec<Option<Visitor>>,
    /// Answers that wait, in the order in which they fall due.
    held: VecDeque<(Instant, usize, Vec<u8>)>,
}

struct Visitor {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Hall {
    /// The last millisecond is spent awake: the clock of epoll is no finer, and an answer that comes late would be held
    /// against the contestant.
    fn patience(&self) -> Option<Duration> {
        let (due, ..) = self.held.front()?;
        let left = due.saturating_duration_since(Instant::now());
        Some(Duration::from_millis(
            u64::try_from(left.as_millis()).unwrap_or(0),
        ))
    }

    fn admit(&mut self, listener: &TcpListener, registry: &mio::Registry) -> io::Result<()> {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nodelay(true)?;
            let place = self
                .visitors
                .iter()
                .position(Option::is_none)
                .unwrap_or(self.visitors.len());
            registry.register(&mut stream, Token(place), Interest::READABLE)?;
            let visitor = Some(Visitor {
                stream,
                unread: Vec::with_capacity(8192),
            });
            if place == self.visitors.len() {
                self.visitors.push(visitor);
            } else {
                self.visitors[place] = visitor;
            }
        }
        Ok(())
    }

    fn hear(&mut self, place: usize) {
        let mut buffer = [0; 16 * 1024];
        let Some(Some(visitor)) = self.visitors.get_mut(place) else {
            return;
        };
        match visitor.stream.read(&mut buffer) {
            Ok(0) => {
                self.visitors[place] = None;
                return;
            }
            Ok(read) => visitor.unread.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => {
                self.visitors[place] = None;
                return;
            }
        }
        let mut answers = Vec::new();
        let mut done = 0;
        while let Some(request) = Request::read(&visitor.unread[done..]) {
            answers.extend(answer(&self.policy, self.manner.hole, &request));
            done += request.length;
        }
        visitor.unread.drain(..done);
        if answers.is_empty() {
            return;
        }
        if self.manner.delay.is_zero() {
            send(visitor, &answers);
        } else {
            let due = Instant::now() + self.manner.delay;
            self.held.push_back((due, place, answers));
        }
    }

    fn release(&mut self) {
        while let Some((due, ..)) = self.held.front()
            && *due <= Instant::now()
        {
            let Some((_, place, answers)) = self.held.pop_front() else {
                return;
            };
            if let Some(Some(visitor)) = self.visitors.get_mut(place) {
                send(visitor, &answers);
            }
        }
    }
}

/// Answers are far smaller than a socket's buffer, so one write takes all.
fn send(visitor: &mut Visitor, answers: &[u8]) {
    let sent = visitor.stream.write(answers);
    debug_assert!(sent.is_ok_and(|sent| sent == answers.len()));
}

struct Request<'r> {
    line: &'r str,
    token: Option<&'r str>,
    name: Option<&'r str>,
    body: &'r [u8],
    length: usize,
}

impl<'r> Request<'r> {
    /// The first request of the bytes; `None` while it is not whole.
    fn read(bytes: &'r [u8]) -> Option<Self> {
        let end = find(bytes, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let line = lines.next()?;
        let (mut token, mut name, mut content) = (None, None, 0);
        for (header, value) in lines.filter_map(|line| line.split_once(": ")) {
            if header.eq_ignore_ascii_case("authorization") {
                token = value.strip_prefix("Bearer ");
            } else if header.eq_ignore_ascii_case("mcp-name") {
                name = Some(value);
            } else if header.eq_ignore_ascii_case("content-length") {
                content = value.parse().ok()?;
            }
        }
        let body = bytes.get(end + 4..end + 4 + content)?;
        Some(Self {
            line,
            token,
            name,
            body,
            length: end + 4 + content,
        })
    }

    /// The number that stands as JSON-RPC `id`.
    fn id(&self) -> &'r str {
        after(self.body, b"\"id\":").map_or("null", |rest| {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            std::str::from_utf8(&rest[..digits]).unwrap_or("null")
        })
    }

    /// The tool: what the header mirrors, else the first name in the body.
    fn tool(&self) -> Option<&'r str> {
        self.name.or_else(|| {
            let rest = after(self.body, b"\"name\":\"")?;
            let end = rest.iter().position(|byte| *byte == b'"')?;
            std::str::from_utf8(&rest[..end]).ok()
        })
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn after<'b>(bytes: &'b [u8], what: &[u8]) -> Option<&'b [u8]> {
    find(bytes, what).map(|at| &bytes[at + what.len()..])
}

fn answer(policy: &workload::Policy, hole: bool, request: &Request<'_>) -> Vec<u8> {
    let mut words = request.line.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    if target == "/mcp" {
        return rpc(policy, hole, method, request);
    }
    let Some(kind) = Kind::of_target(method, target) else {
        return written(404, "{}");
    };
    match policy.judge(request.token, kind) {
        200 if kind.status() == 204 => written(204, ""),
        200 => written(kind.status(), r#"{"id":"7","name":"a product"}"#),
        status => written(status, r#"{"error":"refused"}"#),
    }
}

fn rpc(policy: &workload::Policy, hole: bool, method: &str, request: &Request<'_>) -> Vec<u8> {
    if method != "POST" {
        return written(405, "{}");
    }
    if !policy.knows(request.token) {
        return written(401, r#"{"error":"invalid_token"}"#);
    }
    let id = request.id();
    if find(request.body, b"server/discover").is_some() {
        let result = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#;
        return result_of(id, result);
    }
    let kind = find(request.body, b"tools/call")
        .and_then(|_| request.tool())
        .and_then(Kind::of_tool);
    let Some(kind) = kind else {
        let error = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"Method not found"}}}}"#
        );
        return written(404, &error);
    };
    match policy.judge(request.token, kind) {
        status if status != 200 && !hole => written(status, r#"{"error":"refused"}"#),
        _ => result_of(
            id,
            r#"{"resultType":"complete","content":[{"type":"text","text":"{\"ok\":true}"}]}"#,
        ),
    }
}

fn result_of(id: &str, result: &str) -> Vec<u8> {
    written(
        200,
        &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
    )
}

fn written(status: u16, body: &str) -> Vec<u8> {
    let challenge = match status {
        401 => "www-authenticate: Bearer error=\"invalid_token\"\r\n",
        403 => "www-authenticate: Bearer error=\"insufficient_scope\"\r\n",
        _ => "",
    };
    let content = if status == 204 {
        String::new()
    } else {
        format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        )
    };
    format!("HTTP/1.1 {status} X\r\n{challenge}{content}\r\n{body}").into_bytes()
}
