//! A URL in, a connection to where it leads out: one that is idle, or a new one.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use http::header::HeaderValue;
use http::uri::{Authority, Scheme};
use tokio::sync::OnceCell;
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep};

use super::carrier::{Address, Carrier, Shared, Single};
use super::dialer::{Dialer, Undialled};
use super::silence::Silence;

/// Shorter than any common server's patience (5 s), so that no call is written to a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// How often idle connections are looked after: whatever was said on one meanwhile closes it.
const ROUND: Duration = Duration::from_millis(100);

/// The open connections of one line.
pub(super) struct Pool {
    dialer: Dialer,
    rack: Mutex<Rack>,
}

#[derive(Default)]
struct Rack {
    places: Vec<Place>,
    /// Whether somebody looks after what is idle.
    is_watched: bool,
}

/// Where connections lead, and what is open there.
struct Place {
    scheme: Scheme,
    authority: Authority,
    address: Address,
    /// The one that was used last stands last.
    idle: Vec<(Instant, Box<Single>)>,
    shared: Option<(Instant, Shared)>,
    first: First,
}

/// TLS shows with the first connection which HTTP is spoken: who comes meanwhile waits for it, because one connection
/// carries everybody's calls in HTTP/2.
enum First {
    /// Nobody waits for another's connection.
    Needless,
    /// The connection that is being opened, if anybody has begun.
    Awaited(Arc<OnceCell<Result<(), Silence>>>),
}

impl Pool {
    pub(super) fn new(dialer: Dialer) -> Arc<Self> {
        Arc::new(Self {
            dialer,
            rack: Mutex::default(),
        })
    }

    /// An open connection that is used no longer ago than a server's patience; what was said on it since shows when it is used.
    pub(super) fn idle(&self, url: &Uri, now: Instant) -> Option<Carrier> {
        self.rack().place(url)?.take(now)
    }

    /// Another connection: in HTTP/2 one that everybody shares, in HTTP/1.1 a new one.
    ///
    /// # Errors
    /// Why there is none; [`Silence::Unreadable`] for what is no absolute http(s) URL.
    pub(super) async fn another(self: &Arc<Self>, url: &Uri) -> Result<Carrier, Silence> {
        let Some(first) = self.find(&mut self.rack(), url)?.awaited() else {
            return self.dial(url).await;
        };
        let mut own = None;
        let opened = first.get_or_init(async || {
            own = Some(self.dial(url).await?);
            Ok(())
        });
        let opened = *opened.await;
        if let Some(carrier) = own {
            return Ok(carrier);
        }
        opened?;
        let shared = self.find(&mut self.rack(), url)?.shared();
        match shared {
            Some(shared) => Ok(Carrier::Shared(shared)),
            None => self.dial(url).await,
        }
    }

    async fn dial(self: &Arc<Self>, url: &Uri) -> Result<Carrier, Silence> {
        let address = self.find(&mut self.rack(), url)?.address.clone();
        let stream = self.dialer.clone().dial(url.clone()).await;
        let stream = stream.map_err(|Undialled(silence)| silence)?;
        let carrier = Carrier::of(stream, address).await?;
        let mut rack = self.rack();
        self.find(&mut rack, url)?.note(&carrier, Instant::now());
        self.watch(&mut rack);
        Ok(carrier)
    }

    /// Keeps a connection for the next call, if it can take one.
    pub(super) fn put_back(self: &Arc<Self>, url: &Uri, mut single: Box<Single>, now: Instant) {
        // What comes later shows when it is looked after, or used.
        if !single.is_ready() && !single.is_free() {
            return;
        }
        let mut rack = self.rack();
        if let Some(place) = rack.place(url) {
            place.idle.push((now, single));
            self.watch(&mut rack);
        }
    }

    fn watch(self: &Arc<Self>, rack: &mut Rack) {
        if !std::mem::replace(&mut rack.is_watched, true) {
            drop(tokio::spawn(watch(Arc::downgrade(self))));
        }
    }

    /// Whether a connection is open already.
    pub(super) fn holds(&self, url: &Uri) -> bool {
        let mut rack = self.rack();
        let place = rack.place(url);
        place.is_some_and(|place| place.is_open())
    }

    /// The place where a URL leads.
    fn find<'r>(&self, rack: &'r mut Rack, url: &Uri) -> Result<&'r mut Place, Silence> {
        if rack.place(url).is_none() {
            let authorization = match url.scheme_str() {
                Some("http") => self.dialer.proxy(url),
                Some(_) | None => None,
            };
            let authorization = authorization.and_then(|proxy| proxy.basic_auth().cloned());
            let place = Place::of(url, authorization).ok_or(Silence::Unreadable)?;
            rack.places.push(place);
        }
        rack.place(url).ok_or(Silence::Unreadable)
    }

    fn rack(&self) -> MutexGuard<'_, Rack> {
        self.rack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what is idle too long or has heard something, until nothing is idle or the line is gone.
async fn watch(pool: Weak<Pool>) {
    loop {
        sleep(ROUND).await;
        let Some(pool) = pool.upgrade() else {
            return;
        };
        // One look at each, however many there are.
        let looked = unconstrained(async { pool.rack().look(Instant::now()) });
        if !looked.await {
            return;
        }
    }
}

impl Rack {
    fn place(&mut self, url: &Uri) -> Option<&mut Place> {
        let (scheme, authority) = (url.scheme()?, url.authority()?);
        let mut places = self.places.iter_mut();
        places.find(|place| place.scheme == *scheme && same(&place.authority, authority))
    }

    /// Looks after every connection once; whether there is any left to look after.
    fn look(&mut self, now: Instant) -> bool {
        for place in &mut self.places {
            place.look(now);
        }
        self.is_watched = self.places.iter().any(Place::is_open);
        self.is_watched
    }
}

impl Place {
    fn of(url: &Uri, authorization: Option<HeaderValue>) -> Option<Self> {
        let (scheme, authority) = (url.scheme()?.clone(), url.authority()?.clone());
        let first = match scheme.as_str() {
            "http" => First::Needless,
            "https" => First::Awaited(Arc::default()),
            _ => return None,
        };
        Some(Self {
            address: Address {
                host: host(&scheme, &authority)?,
                authorization,
            },
            scheme,
            authority,
            idle: Vec::new(),
            shared: None,
            first,
        })
    }

    fn take(&mut self, now: Instant) -> Option<Carrier> {
        if let Some((since, shared)) = &mut self.shared
            && shared.is_open()
            && !is_stale(*since, now)
        {
            *since = now;
            return Some(Carrier::Shared(shared.clone()));
        }
        let (since, single) = self.idle.pop()?;
        if is_stale(since, now) {
            // All others are staler.
            self.idle.clear();
            return None;
        }
        Some(Carrier::Single(single))
    }

    fn is_open(&self) -> bool {
        !self.idle.is_empty() || self.shared().is_some()
    }

    fn shared(&self) -> Option<Shared> {
        let (_, shared) = self.shared.as_ref()?;
        shared.is_open().then(|| shared.clone())
    }

    /// Whose connection is to be awaited; a new one's where the last has come.
    fn awaited(&mut self) -> Option<Arc<OnceCell<Result<(), Silence>>>> {
        let First::Awaited(first) = &mut self.first else {
            return None;
        };
        if first.initialized() {
            *first = Arc::default();
        }
        Some(Arc::clone(first))
    }

    /// Remembers which HTTP a new connection speaks.
    fn note(&mut self, carrier: &Carrier, now: Instant) {
        match carrier {
            Carrier::Single(_) => self.first = First::Needless,
            Carrier::Shared(shared) => self.shared = Some((now, shared.clone())),
        }
    }

    fn look(&mut self, now: Instant) {
        self.idle
            .retain_mut(|(since, single)| !is_stale(*since, now) && single.is_free());
        if let Some((since, shared)) = &self.shared
            && (is_stale(*since, now) || !shared.is_open())
        {
            self.shared = None;
        }
    }
}

/// Most often they are spelt alike.
fn same(one: &Authority, other: &Authority) -> bool {
    one.as_str() == other.as_str() || one == other
}

fn is_stale(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) > IDLE
}

/// Host and port, the port where it is not the scheme's own (RFC 9110 §7.2).
fn host(scheme: &Scheme, authority: &Authority) -> Option<HeaderValue> {
    let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let host = authority.host();
    let text = match authority.port_u16() {
        Some(port) if port != usual => format!("{host}:{port}"),
        Some(_) | None => host.to_owned(),
    };
    HeaderValue::try_from(text).ok()
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("dialer", &self.dialer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::server::TlsStream;

    use super::*;
    use crate::wire::line::tests::{Act, ask, line, serve, settings, vacancy};
    use crate::wire::trust::tests::certified;
    use crate::wire::{Line, Reply, Settings, Wire};

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

    fn parsed(url: &str) -> Uri {
        url.parse().unwrap()
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_while_idle_costs_no_call() {
        let server = serve(vec![Act::Write(OK.to_vec()), Act::Close]).await;
        let line = line();
        for calls in 1..=20 {
            assert_eq!(ask(&line, &server.url).await.unwrap().status, 200);
            // Long enough for the farewell to arrive, too short for anybody to have looked for it.
            sleep(Duration::from_millis(2)).await;
            assert_eq!((server.connections(), server.heard().len()), (calls, calls));
        }
    }

    #[tokio::test]
    async fn what_nobody_asked_for_is_no_answer_even_where_nobody_looked_for_it_yet() {
        let refusal = b"HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno".to_vec();
        let pause = Act::Wait(Duration::from_millis(1));
        let server = serve(vec![Act::Write(refusal), pause, Act::Write(OK.to_vec())]).await;
        let line = line();
        for calls in 1..=20 {
            assert_eq!(ask(&line, &server.url).await.unwrap().status, 403);
            sleep(Duration::from_millis(5)).await;
            // A busy machine wakes both sleepers at once, and the server is to speak first.
            tokio::task::yield_now().await;
            assert_eq!((server.connections(), server.heard().len()), (calls, calls));
        }
    }

    #[tokio::test]
    async fn what_is_dialled_ahead_says_nothing_and_carries_the_first_call() {
        let server = serve(vec![Act::Write(OK.to_vec())]).await;
        let line = line();
        line.dial_ahead(&server.url, 1).await.unwrap();
        line.dial_ahead(&server.url, 1).await.unwrap();
        sleep(ROUND * 2).await;
        assert_eq!((server.connections(), server.heard().len()), (1, 0));
        assert_eq!(ask(&line, &server.url).await.unwrap().status, 200);
        assert_eq!((server.connections(), server.heard().len()), (1, 1));
        let unreachable = line.dial_ahead("http://127.0.0.1:1/", 1).await;
        assert_eq!(unreachable, Err(Silence::ConnectionRefused));
        let unreadable = line.dial_ahead("ftp://h/", 1).await;
        assert_eq!(unreadable, Err(Silence::Unreadable));
    }

    #[tokio::test]
    async fn another_connection_is_opened_only_while_all_are_busy() {
        let pause = Act::Wait(Duration::from_millis(30));
        let turn = [Act::Write(OK.to_vec()), Act::Read, pause];
        let script = [&[turn[2].clone()], &turn[..], &turn[..], &turn[..1]].concat();
        let server = serve(script).await;
        let line = line();
        for _ in 0..3 {
            let both = join_all([ask(&line, &server.url), ask(&line, &server.url)]).await;
            assert!(both.iter().all(Result::is_ok), "{both:?}");
            assert_eq!(server.connections(), 2);
        }
    }

    #[tokio::test]
    async fn what_was_idle_too_long_is_closed_and_not_used() {
        let server = serve(Vec::new()).await;
        let url = parsed(&server.url);
        let wire = Wire::new(&settings()).unwrap();
        let pool = Pool::new(wire.dialer.clone());
        let idle_since = async |since: Instant| {
            let Carrier::Single(single) = pool.another(&url).await.unwrap() else {
                panic!("plain HTTP/1.1 is spoken");
            };
            pool.put_back(&url, single, since);
        };
        let now = Instant::now();
        for (after, is_used) in [(IDLE, true), (IDLE + Duration::from_millis(1), false)] {
            idle_since(now).await;
            assert_eq!(pool.idle(&url, now + after).is_some(), is_used);
            assert!(!pool.holds(&url));
        }
        idle_since(now - IDLE).await;
        server.left(3).await;
        assert!(!pool.holds(&url));
    }

    type Answered = Result<http::Response<http_body_util::Full<bytes::Bytes>>, Infallible>;

    async fn answer(_: http::Request<hyper::body::Incoming>) -> Answered {
        sleep(Duration::from_millis(30)).await;
        Ok(http::Response::default())
    }

    async fn speak(tls: TokioIo<TlsStream<TcpStream>>) {
        let service = hyper::service::service_fn(answer);
        if tls.inner().get_ref().1.alpn_protocol() == Some(b"h2") {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            drop(server.serve_connection(tls, service).await);
        } else {
            let server = hyper::server::conn::http1::Builder::new();
            drop(server.serve_connection(tls, service).await);
        }
    }

    /// Starts a TLS server that speaks one protocol; gives its URL, a line that trusts it, and how often it was dialled.
    async fn secured(protocol: &[u8]) -> (String, Line, Arc<AtomicUsize>) {
        let (mut config, pem) = certified("127.0.0.1");
        config.alpn_protocols = vec![protocol.to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let dialled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&dialled);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let accepting = acceptor.accept(tcp);
                tokio::spawn(async move { speak(TokioIo::new(accepting.await.unwrap())).await });
            }
        });
        let wire = Wire::new(&Settings {
            authorities: vec![pem],
            ..settings()
        });
        (url, wire.unwrap().line(), dialled)
    }

    async fn statuses(line: &Line, url: &str, calls: usize) -> Vec<Result<u16, Silence>> {
        let asked = join_all((0..calls).map(|_| ask(line, url))).await;
        let status = |reply: Result<Reply, Silence>| reply.map(|reply| reply.status);
        asked.into_iter().map(status).collect()
    }

    #[tokio::test]
    async fn where_http2_is_spoken_one_connection_carries_all_calls() {
        let (url, line, dialled) = secured(b"h2").await;
        for _ in 0..2 {
            assert_eq!(statuses(&line, &url, 9).await, [Ok(200); 9]);
            assert_eq!(dialled.load(Ordering::SeqCst), 1);
        }
        line.dial_ahead(&url, 9).await.unwrap();
        assert_eq!(dialled.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn ahead_of_so_many_calls_as_many_connections_are_opened_where_none_is_shared() {
        for (protocol, connections) in [(&b"h2"[..], 1), (b"http/1.1", 4)] {
            let (url, line, dialled) = secured(protocol).await;
            line.dial_ahead(&url, 0).await.unwrap();
            assert_eq!(dialled.load(Ordering::SeqCst), 0);
            line.dial_ahead(&url, 4).await.unwrap();
            assert_eq!(dialled.load(Ordering::SeqCst), connections);
            assert_eq!(statuses(&line, &url, 4).await, [Ok(200); 4]);
            assert_eq!(dialled.load(Ordering::SeqCst), connections);
        }
    }

    #[tokio::test]
    async fn where_http1_is_spoken_over_tls_calls_do_not_wait_for_each_other() {
        let (url, line, dialled) = secured(b"http/1.1").await;
        for _ in 0..2 {
            assert_eq!(statuses(&line, &url, 4).await, [Ok(200); 4]);
            assert_eq!(dialled.load(Ordering::SeqCst), 4);
        }
    }

    #[tokio::test]
    async fn who_waits_for_a_connection_that_cannot_be_opened_is_told_why() {
        let (_held, nobody) = vacancy();
        let (url, line) = (format!("https://{nobody}/"), line());
        for _ in 0..2 {
            let refused = [Err(Silence::ConnectionRefused); 3];
            assert_eq!(statuses(&line, &url, 3).await, refused);
        }
    }

    #[test]
    fn the_host_is_told_without_the_schemes_own_port() {
        let table = [
            ("http://h/", "h"),
            ("http://h:80/x", "h"),
            ("http://h:443", "h:443"),
            ("https://me@h:443/", "h"),
            ("https://[::1]:8443/", "[::1]:8443"),
        ];
        for (url, said) in table {
            let url = parsed(url);
            assert_eq!(Place::of(&url, None).unwrap().address.host, said, "{url}");
        }
        assert!(Place::of(&parsed("ftp://h/"), None).is_none());
        assert!(Place::of(&parsed("/path"), None).is_none());
    }
}
