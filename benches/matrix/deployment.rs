//! Requests on loopback in, what they deserve out: one thread, one epoll loop.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::answer::{Asked, House, answer};
use crate::workload;

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
        house: House {
            policy: workload::policy(),
            hole: manner.hole,
            listed: 0,
        },
        delay: manner.delay,
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
    house: House,
    delay: Duration,
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
            Ok(0) => return self.see_off(place),
            Ok(read) => visitor.unread.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => return self.see_off(place),
        }
        let mut answers = Vec::new();
        let mut done = 0;
        while let Some(request) = Request::read(&visitor.unread[done..]) {
            let answer = answer(&self.house, &request.asked);
            answers.extend(answer.written());
            done += request.length;
        }
        visitor.unread.drain(..done);
        if answers.is_empty() {
            return;
        }
        if self.delay.is_zero() {
            send(visitor, &answers);
        } else {
            let due = Instant::now() + self.delay;
            self.held.push_back((due, place, answers));
        }
    }

    /// Whoever comes to this place next must not be given what was meant for another.
    fn see_off(&mut self, place: usize) {
        self.visitors[place] = None;
        self.held.retain(|(_, held, _)| *held != place);
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
    asked: Asked<'r>,
    length: usize,
}

impl<'r> Request<'r> {
    /// The first request of the bytes; `None` while it is not whole.
    fn read(bytes: &'r [u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?, words.next()?);
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
            asked: Asked {
                method,
                target,
                token,
                name,
                body,
            },
            length: end + 4 + content,
        })
    }
}
