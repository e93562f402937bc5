//! A persona's calls in, replies out, over connections that no other persona uses.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::response::Parts;
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use tokio::time::Instant;

use super::answer::read;
use super::carrier::{Carrier, Sendable, Unanswered};
use super::clock::{Alarms, Clock};
use super::pool::Pool;
use super::urls::Urls;
use super::{Call, Reply, Silence, Wire};

/// A connection pool of its own: one a persona, so that no connection carries two identities.
///
/// Clones share the pool; when the last one goes, its connections are closed.
///
/// An answer that arrives while no call is under way is recognised as nobody's: its connection is closed and the
/// next call gets a fresh one. One that arrives after the next call was written cannot be told from that call's
/// answer (HTTP/1.1 has no ids); who must be sure asks again on a line of its own.
#[derive(Clone, Debug)]
pub struct Line {
    pool: Arc<Pool>,
    urls: Arc<Urls>,
    /// Like connections they belong to the runtime that they were made in.
    alarms: Arc<Alarms>,
    patience: Duration,
    body_cap: usize,
}

impl Line {
    pub(super) fn new(wire: &Wire) -> Self {
        Self {
            pool: Pool::new(wire.dialer.for_one_line()),
            urls: Arc::clone(&wire.urls),
            alarms: Arc::default(),
            patience: wire.settings.request,
            body_cap: wire.settings.body_cap,
        }
    }

    /// Opens connections to where a URL leads before anything is to be sent there: one for `calls` at once in HTTP/2, one for each
    /// in HTTP/1.1. Nothing is sent, and a connection that is open already is enough.
    ///
    /// # Errors
    /// Why none can be opened; the next call finds out by itself.
    pub async fn dial_ahead(&self, url: &str, calls: usize) -> Result<(), Silence> {
        let url = url.parse().map_err(|_unsendable| Silence::Unreadable)?;
        if calls == 0 || self.pool.holds(&url) || self.add(&url).await? {
            return Ok(());
        }
        try_join_all((1..calls).map(|_| self.add(&url))).await?;
        Ok(())
    }

    /// Adds a connection; whether everybody shares it.
    async fn add(&self, url: &Uri) -> Result<bool, Silence> {
        match self.pool.another(url).await? {
            Carrier::Shared(_) => Ok(true),
            Carrier::Single(single) => {
                self.pool.put_back(url, single, Instant::now());
                Ok(false)
            }
        }
    }

    /// Sends a call and reads its answer until its end, the cap, the deadline, or until `enough` says so of what was read so far.
    ///
    /// The deadline is one for the whole call: what arrived before it is a truncated reply, and without a status it is silence.
    /// A redirect is an answer like any other, nothing is retried, and no cookie is kept.
    ///
    /// # Errors
    /// Why there is no answer. A URL that cannot be put on the wire is [`Silence::Unreadable`].
    pub fn send(
        &self,
        call: Call,
        enough: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> impl Future<Output = Result<Reply, Silence>> {
        self.listen(call, self.patience, enough)
    }

    /// Sends a call whose answer need not end, such as an event stream: like [`send`](Self::send), and once its head has
    /// come its body is read for `idle` at most.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn listen(
        &self,
        call: Call,
        idle: Duration,
        enough: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<Reply, Silence> {
        let begun = Instant::now();
        let url = self.urls.read(&call.url).ok_or(Silence::Unreadable)?;
        let request = request(call);
        let mut hearing = Hearing {
            line: self,
            url: &url,
            clock: Clock::new(begun, begun + self.patience, &self.alarms),
            idle,
            enough,
        };
        // One that is open already may be found closed, and then nothing was sent.
        let unsent = match self.pool.idle(&url, begun) {
            Some(carrier) => match hearing.over(carrier, request).await {
                Err(Unanswered::Unsent(request)) => request,
                Err(Unanswered::Silent(silence)) => return Err(silence),
                Ok(reply) => return Ok(reply),
            },
            None => Box::new(request),
        };
        Box::pin(hearing.over_another(*unsent)).await
    }
}

/// One call that is made.
struct Hearing<'h> {
    line: &'h Line,
    url: &'h Uri,
    clock: Clock<'h>,
    idle: Duration,
    enough: &'h mut (dyn FnMut(&[u8]) -> bool + Send),
}

impl Hearing<'_> {
    async fn over_another(&mut self, request: Sendable) -> Result<Reply, Silence> {
        let another = pin!(self.line.pool.another(self.url));
        let opened = self.clock.wait(another).await;
        let carrier = opened.ok_or(Silence::Deadline)??;
        match self.over(carrier, request).await {
            Ok(reply) => Ok(reply),
            Err(Unanswered::Silent(silence)) => Err(silence),
            Err(Unanswered::Unsent(_)) => Err(Silence::Closed),
        }
    }

    async fn over(&mut self, carrier: Carrier, request: Sendable) -> Result<Reply, Unanswered> {
        match carrier {
            Carrier::Single(mut single) => {
                let answer = self.clock.wait(pin!(single.send(self.url, request))).await;
                let (head, body) = self.head(answer)?.into_parts();
                let reply = self.reply(head, &mut single.reading(body)).await?;
                let now = self.clock.begun + reply.took;
                self.line.pool.put_back(self.url, single, now);
                Ok(reply)
            }
            Carrier::Shared(mut shared) => {
                let answer = self.clock.wait(pin!(shared.send(self.url, request))).await;
                let (head, mut body) = self.head(answer)?.into_parts();
                self.reply(head, &mut body).await
            }
        }
    }

    fn head(
        &mut self,
        answer: Option<Result<Response<Incoming>, Unanswered>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let response = answer.ok_or(Unanswered::Silent(Silence::Deadline))??;
        if self.idle < self.line.patience {
            self.clock.bring_forward(Instant::now() + self.idle);
        }
        Ok(response)
    }

    async fn reply(
        &mut self,
        head: Parts,
        body: &mut (impl Body<Data = Bytes> + Unpin),
    ) -> Result<Reply, Unanswered> {
        let cap = self.line.body_cap;
        let reply = read(head, body, &mut self.clock, cap, self.enough).await;
        reply.map_err(Unanswered::Silent)
    }
}

/// What is sent where a call goes.
fn request(call: Call) -> Sendable {
    let mut headers = call.headers;
    // RFC 9110 §8.6: methods that expect content state its length even when it is 0; hyper does not, and some gateways answer 411.
    if call.body.is_empty() && expects_content(&call.method) {
        headers
            .entry(CONTENT_LENGTH)
            .or_insert(HeaderValue::from_static("0"));
    }
    let mut request = Request::new(Full::new(call.body));
    *request.method_mut() = call.method;
    *request.headers_mut() = headers;
    request
}

fn expects_content(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

#[cfg(test)]
pub(in crate::wire) mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use http::{HeaderMap, HeaderName};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket, TcpStream};

    use super::*;
    use crate::wire::{Proxies, Settings, SetupError};

    /// What a call waits for that is meant to run into its deadline.
    const PATIENCE: Duration = Duration::from_millis(400);
    /// What every other call waits for, and far below what a broken deadline would cost: the machine may be busy.
    const AMPLE: Duration = Duration::from_secs(10);
    const CAP: usize = 64 * 1024;

    /// What a raw server does with each request that it has read.
    #[derive(Clone)]
    pub(in crate::wire) enum Act {
        Write(Vec<u8>),
        Drip(Vec<u8>, Duration),
        Repeat(Vec<u8>),
        Wait(Duration),
        /// Waits for the next request on the same connection.
        Read,
        Close,
    }

    pub(in crate::wire) struct Server {
        pub(in crate::wire) url: String,
        connections: Arc<AtomicUsize>,
        left: Arc<AtomicUsize>,
        heard: Arc<std::sync::Mutex<Vec<String>>>,
    }

    impl Server {
        pub(in crate::wire) fn connections(&self) -> usize {
            self.connections.load(Ordering::SeqCst)
        }

        /// Returns once so many connections were closed by the client.
        pub(in crate::wire) async fn left(&self, connections: usize) {
            let all_left = async {
                while self.left.load(Ordering::SeqCst) < connections {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(AMPLE, all_left).await.unwrap();
        }

        pub(in crate::wire) fn heard(&self) -> Vec<String> {
            self.heard.lock().unwrap().clone()
        }
    }

    pub(in crate::wire) async fn serve(script: Vec<Act>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server {
            url,
            connections: Arc::default(),
            left: Arc::default(),
            heard: Arc::default(),
        };
        let (connections, heard) = (Arc::clone(&server.connections), Arc::clone(&server.heard));
        let left = Arc::clone(&server.left);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, heard, left) = (script.clone(), Arc::clone(&heard), Arc::clone(&left));
                tokio::spawn(async move {
                    play(stream, script, heard).await;
                    left.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    async fn play(
        mut stream: TcpStream,
        script: Vec<Act>,
        heard: Arc<std::sync::Mutex<Vec<String>>>,
    ) -> Option<()> {
        hear(&mut stream, &heard).await?;
        for act in script {
            match act {
                Act::Write(bytes) => stream.write_all(&bytes).await.ok()?,
                Act::Drip(bytes, every) => {
                    for byte in bytes {
                        stream.write_all(&[byte]).await.ok()?;
                        tokio::time::sleep(every).await;
                    }
                }
                Act::Repeat(bytes) => loop {
                    stream.write_all(&bytes).await.ok()?;
                    tokio::task::yield_now().await;
                },
                Act::Wait(time) => tokio::time::sleep(time).await,
                Act::Read => hear(&mut stream, &heard).await?,
                Act::Close => return None,
            }
        }
        // The client hangs up, or what it says is heard by nobody.
        while stream.read(&mut [0; 64]).await.ok()? > 0 {}
        None
    }

    async fn hear(stream: &mut TcpStream, log: &std::sync::Mutex<Vec<String>>) -> Option<()> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.ok()?);
        }
        log.lock()
            .unwrap()
            .push(String::from_utf8_lossy(&request).into_owned());
        Some(())
    }

    /// An address where nobody listens, and what keeps others from it.
    pub(in crate::wire) fn vacancy() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    pub(in crate::wire) fn settings() -> Settings {
        Settings {
            connect: AMPLE,
            request: AMPLE,
            body_cap: CAP,
            authorities: Vec::new(),
            proxies: Proxies::default(),
        }
    }

    pub(in crate::wire) fn line() -> Line {
        Wire::new(&settings()).unwrap().line()
    }

    fn hasty_line() -> Line {
        let hasty = Settings {
            connect: AMPLE,
            request: PATIENCE,
            ..settings()
        };
        Wire::new(&hasty).unwrap().line()
    }

    pub(in crate::wire) fn get(url: &str) -> Call {
        Call {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    pub(in crate::wire) async fn ask(line: &Line, url: &str) -> Result<Reply, Silence> {
        line.send(get(url), &mut |_| false).await
    }

    async fn ask_raw(answer: &[u8]) -> Result<Reply, Silence> {
        let server = serve(vec![Act::Write(answer.to_vec()), Act::Close]).await;
        ask(&line(), &server.url).await
    }

    #[tokio::test]
    async fn a_silent_server_costs_the_deadline_and_no_more() {
        let server = serve(vec![]).await;
        let begun = Instant::now();
        assert_eq!(
            ask(&hasty_line(), &server.url).await.unwrap_err(),
            Silence::Deadline
        );
        assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < AMPLE);
    }

    #[tokio::test]
    async fn dripped_headers_do_not_stretch_the_deadline() {
        let head = [b"HTTP/1.1 200 OK\r\nx: ", &[b'y'; 999][..]].concat();
        let drip = Act::Drip(head, Duration::from_millis(30));
        let begun = Instant::now();
        assert_eq!(
            ask(&hasty_line(), &serve(vec![drip]).await.url)
                .await
                .unwrap_err(),
            Silence::Deadline
        );
        assert!(begun.elapsed() < AMPLE);
    }

    #[tokio::test]
    async fn informational_answers_without_end_meet_the_deadline() {
        let server = serve(vec![Act::Repeat(
            b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec(),
        )])
        .await;
        assert_eq!(
            ask(&hasty_line(), &server.url).await.unwrap_err(),
            Silence::Deadline
        );
    }

    #[tokio::test]
    async fn a_dripped_body_is_kept_up_to_the_deadline() {
        let head = Act::Write(b"HTTP/1.1 403 No\r\ncontent-length: 999\r\n\r\n".to_vec());
        let server = serve(vec![
            head,
            Act::Drip(vec![b'x'; 999], Duration::from_millis(30)),
        ])
        .await;
        let reply = ask(&hasty_line(), &server.url).await.unwrap();
        assert_eq!((reply.status, reply.truncated), (403, true));
        assert!(!reply.body.is_empty() && reply.body.len() < 999 && reply.took < AMPLE);
    }

    #[tokio::test]
    async fn an_endless_body_stops_at_the_cap() {
        let head = Act::Write(b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
        let server = serve(vec![head, Act::Repeat(vec![b'x'; 5000])]).await;
        let reply = ask(&line(), &server.url).await.unwrap();
        assert_eq!((reply.body.len(), reply.truncated), (CAP, true));
        assert!(reply.took < AMPLE);
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_cap_is_whole() {
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {CAP}\r\n\r\n").into_bytes();
        answer.extend(vec![b'x'; CAP]);
        let reply = ask_raw(&answer).await.unwrap();
        assert_eq!((reply.body.len(), reply.truncated), (CAP, false));
    }

    #[tokio::test]
    async fn a_cut_body_keeps_its_status_and_is_marked() {
        let answers: [&[u8]; 2] = [
            b"HTTP/1.1 403 No\r\ncontent-length: 50\r\n\r\nhalf",
            b"HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        ];
        for answer in answers {
            let reply = ask_raw(answer).await.unwrap();
            assert_eq!(
                (reply.status, &reply.body[..], reply.truncated),
                (403, &b"half"[..], true)
            );
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_has_a_name() {
        let cases: [(&[u8], Silence); 6] = [
            (b"", Silence::Closed),
            (b"HTTP/1.1 200 O", Silence::Closed),
            (
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
                Silence::Unreadable,
            ),
            (b"I am no HTTP server\r\n\r\n", Silence::Unreadable),
            (b"HTTP/1.1 99 Low\r\n\r\n", Silence::Unreadable),
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
                Silence::Unreadable,
            ),
        ];
        for (answer, silence) in cases {
            assert_eq!(
                ask_raw(answer).await.unwrap_err(),
                silence,
                "{}",
                answer.escape_ascii()
            );
        }
    }

    #[tokio::test]
    async fn heads_beyond_the_cap_are_unreadable() {
        let long = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\n\r\n", "y".repeat(100_000));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(101));
        for answer in [long, many] {
            assert_eq!(
                ask_raw(answer.as_bytes()).await.unwrap_err(),
                Silence::Unreadable
            );
        }
    }

    #[tokio::test]
    async fn a_closed_port_and_an_unknown_name_differ() {
        let (_held, nobody) = vacancy();
        let refused = ask(&line(), &format!("http://{nobody}/")).await;
        assert_eq!(refused.unwrap_err(), Silence::ConnectionRefused);
        // A label has 63 letters at most (RFC 1035 §2.3.4), so that no resolver is asked for this name.
        let unknown = ask(&line(), &format!("http://{}/", "x".repeat(64))).await;
        assert_eq!(unknown.unwrap_err(), Silence::NameUnknown);
    }

    #[tokio::test]
    async fn a_url_that_cannot_be_sent_is_unreadable() {
        for url in ["", "no url", "/path", "http://host/a b", "ftp://127.0.0.1/"] {
            assert!(ask(&line(), url).await.is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer() {
        let other = serve(vec![]).await;
        let answer = format!(
            "HTTP/1.1 307 Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            other.url
        );
        let reply = ask_raw(answer.as_bytes()).await.unwrap();
        assert_eq!((reply.status, other.connections()), (307, 0));
        let server = serve(vec![Act::Write(answer.into_bytes())]).await;
        let reply = Wire::new(&settings())
            .unwrap()
            .exchange(get(&server.url))
            .await
            .unwrap();
        assert_eq!((reply.status, other.connections()), (307, 0));
    }

    #[tokio::test]
    async fn the_target_and_the_headers_go_out_as_they_stand() {
        let server = serve(vec![Act::Write(
            b"HTTP/1.1 204 No Content\r\nset-cookie: a\r\nset-cookie: b\r\n\r\n".to_vec(),
        )])
        .await;
        let mut call = get(&format!("{}/a/../b/%2e/./?x=%41&y", server.url));
        let twice = HeaderName::from_static("x-twice");
        call.headers.append(&twice, HeaderValue::from_static("1"));
        call.headers.append(&twice, HeaderValue::from_static("2"));
        let reply = line().send(call, &mut |_| false).await.unwrap();
        assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 2);
        let host = server.url.trim_start_matches("http://");
        let expected = format!(
            "GET /a/../b/%2e/./?x=%41&y HTTP/1.1\r\nx-twice: 1\r\nx-twice: 2\r\nhost: {host}\r\n\r\n"
        );
        assert_eq!(server.heard(), [expected]);
    }

    #[tokio::test]
    async fn a_url_without_a_path_asks_for_the_root() {
        for (path, target) in [("", "/"), ("/", "/"), ("?x=1", "/?x=1"), ("/a", "/a")] {
            let server = serve(vec![Act::Write(
                b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            )])
            .await;
            ask(&line(), &format!("{}{path}", server.url))
                .await
                .unwrap();
            let heard = server.heard();
            let line = format!("GET {target} HTTP/1.1\r\n");
            assert!(heard[0].starts_with(&line), "{path}: {heard:?}");
        }
    }

    #[tokio::test]
    async fn an_empty_post_states_its_length() {
        let server = serve(vec![Act::Write(
            b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        )])
        .await;
        line()
            .send(
                Call {
                    method: Method::POST,
                    ..get(&server.url)
                },
                &mut |_| false,
            )
            .await
            .unwrap();
        assert!(
            server.heard()[0].contains("content-length: 0\r\n"),
            "{:?}",
            server.heard()
        );
    }

    #[tokio::test]
    async fn enough_ends_an_endless_stream() {
        let head = Act::Write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: one\n\n".to_vec(),
        );
        let server = serve(vec![
            head,
            Act::Wait(Duration::from_millis(30)),
            Act::Write(b"data: two\n\n".to_vec()),
        ])
        .await;
        let reply = line()
            .send(get(&server.url), &mut |read| read.ends_with(b"two\n\n"))
            .await
            .unwrap();
        assert_eq!(
            (&reply.body[..], reply.truncated),
            (&b"data: one\n\ndata: two\n\n"[..], false)
        );
        assert!(reply.took < AMPLE);
    }

    #[tokio::test]
    async fn calls_of_one_line_share_a_connection_and_lines_share_none() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec();
        let server = serve(vec![
            Act::Write(answer.clone()),
            Act::Read,
            Act::Write(answer.clone()),
        ])
        .await;
        let wire = Wire::new(&settings()).unwrap();
        let first = wire.line();
        ask(&first, &server.url).await.unwrap();
        ask(&first, &server.url).await.unwrap();
        assert_eq!(server.connections(), 1);
        ask(&wire.line(), &server.url).await.unwrap();
        assert_eq!(server.connections(), 2);
    }

    #[tokio::test]
    async fn a_stray_answer_is_not_taken_for_the_next() {
        let refusal = b"HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno".to_vec();
        let stray = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec();
        let together = vec![Act::Write([refusal.clone(), stray.clone()].concat())];
        let later = vec![
            Act::Write(refusal),
            Act::Wait(Duration::from_millis(20)),
            Act::Write(stray),
        ];
        for script in [together, later] {
            let server = serve(script).await;
            let line = line();
            for calls in 1..=3 {
                assert_eq!(ask(&line, &server.url).await.unwrap().status, 403);
                assert_eq!(server.connections(), calls);
                server.left(calls).await;
            }
        }
    }

    #[tokio::test]
    async fn a_dropped_line_closes_its_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            hear(&mut stream, &std::sync::Mutex::default())
                .await
                .unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await
                .unwrap();
            stream.read(&mut [0; 8]).await.unwrap_or_default()
        });
        let line = line();
        ask(&line, &url).await.unwrap();
        drop(line);
        assert_eq!(
            tokio::time::timeout(Duration::from_secs(2), server)
                .await
                .unwrap()
                .unwrap(),
            0
        );
    }

    #[tokio::test]
    async fn a_lost_connection_is_not_asked_again_by_itself() {
        let server = serve(vec![Act::Close]).await;
        assert_eq!(
            ask(&line(), &server.url).await.unwrap_err(),
            Silence::Closed
        );
        assert_eq!((server.connections(), server.heard().len()), (1, 1));
        let refused = Wire::new(&settings())
            .unwrap()
            .exchange(get(&server.url))
            .await;
        assert_eq!(
            (refused.unwrap_err(), server.connections()),
            (Silence::Closed, 2)
        );
    }

    #[tokio::test]
    async fn a_forwarding_proxy_gets_the_whole_url_and_the_password() {
        let proxy = serve(vec![Act::Write(
            b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        )])
        .await;
        let address = proxy.url.replace("http://", "http://user:pass@");
        let proxies = Proxies {
            http: Some(address),
            ..Proxies::default()
        };
        let wire = Wire::new(&Settings {
            proxies,
            ..settings()
        })
        .unwrap();
        assert_eq!(
            ask(&wire.line(), "http://catalog.invalid/a/../b")
                .await
                .unwrap()
                .status,
            204
        );
        assert_eq!(
            wire.exchange(get("http://catalog.invalid/x"))
                .await
                .unwrap()
                .status,
            204
        );
        let heard = proxy.heard();
        assert!(
            heard[0].starts_with("GET http://catalog.invalid/a/../b HTTP/1.1\r\n"),
            "{heard:?}"
        );
        assert!(
            heard[1].starts_with("GET http://catalog.invalid/x HTTP/1.1\r\n"),
            "{heard:?}"
        );
        assert!(
            heard
                .iter()
                .all(|head| head.contains("proxy-authorization: Basic dXNlcjpwYXNz\r\n")),
            "{heard:?}"
        );
    }

    #[tokio::test]
    async fn a_tunnel_that_the_proxy_refuses_is_a_closed_way() {
        let proxy = serve(vec![Act::Write(b"HTTP/1.1 407 Who\r\n\r\n".to_vec())]).await;
        let proxies = Proxies {
            https: Some(proxy.url.clone()),
            ..Proxies::default()
        };
        let wire = Wire::new(&Settings {
            proxies,
            ..settings()
        })
        .unwrap();
        let refused = ask(&wire.line(), "https://catalog.invalid/").await;
        assert_eq!(refused.unwrap_err(), Silence::ConnectionRefused);
        assert!(proxy.heard()[0].starts_with("CONNECT catalog.invalid:443 HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn loopback_and_exempt_hosts_pass_the_proxy_by() {
        let proxy = serve(vec![]).await;
        let target = serve(vec![Act::Write(
            b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        )])
        .await;
        let proxies = Proxies {
            all: Some(proxy.url.clone()),
            no: Some(".invalid".to_owned()),
            ..Proxies::default()
        };
        let wire = Wire::new(&Settings {
            proxies,
            ..settings()
        })
        .unwrap();
        assert_eq!(ask(&wire.line(), &target.url).await.unwrap().status, 204);
        assert_eq!(wire.exchange(get(&target.url)).await.unwrap().status, 204);
        assert!(ask(&wire.line(), "http://catalog.invalid/").await.is_err());
        assert!(wire.exchange(get("http://catalog.invalid/")).await.is_err());
        assert_eq!(proxy.connections(), 0);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_by_its_variable_name() {
        for address in ["socks5://127.0.0.1:1", "http://:80", "a b", "ftp://host:1"] {
            let proxies = Proxies {
                all: Some(address.to_owned()),
                ..Proxies::default()
            };
            let SetupError(why) = Wire::new(&Settings {
                proxies,
                ..settings()
            })
            .unwrap_err();
            assert!(
                why.starts_with("ALL_PROXY: ") && !why.contains(address),
                "{why}"
            );
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_a_secret_and_not_shown() {
        let proxies = Proxies {
            http: Some("http://me:p%40ss@proxy:1/".to_owned()),
            ..Proxies::default()
        };
        let secrets: Vec<_> = proxies
            .secrets()
            .iter()
            .map(|secret| secret.expose().to_owned())
            .collect();
        assert_eq!(secrets, ["me:p%40ss", "me:p@ss", "p%40ss", "p@ss"]);
        assert_eq!(format!("{proxies:?}"), r#"Proxies(["HTTP_PROXY"])"#);
    }
}
