//! A server's port and a distance in, a port at which the same server is that far away out.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A link that delays every byte, keeps their order, and is as wide as anybody likes. A connection costs a round trip, too:
/// loopback opens one at once, so the first that a client says on it comes a whole round trip later. What a client does
/// between connecting and speaking is then no faster than on a real link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) port: u16,
    moments: Arc<Mutex<Vec<Moment>>>,
}

/// When something of a connection was put on the link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) connection: usize,
    pub(crate) upwards: bool,
    pub(crate) bytes: usize,
}

impl Link {
    /// Opens a link to a server on loopback, half a `round_trip` away.
    pub(crate) fn to(server: u16, round_trip: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind(loopback(0))?;
        let port = listener.local_addr()?.port();
        let moments = Arc::default();
        let link = Self {
            port,
            moments: Arc::clone(&moments),
        };
        thread::spawn(move || {
            for (connection, client) in listener.incoming().enumerate() {
                let Ok(client) = client else { return };
                let span = Span {
                    connection,
                    round_trip,
                    moments: Arc::clone(&moments),
                };
                // A server that is gone shows as a connection that ends.
                drop(span.join(client, server));
            }
        });
        Ok(link)
    }

    /// Everything since the last time, in order.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        std::mem::take(&mut *self.moments.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// One connection over the link.
#[derive(Clone)]
struct Span {
    connection: usize,
    round_trip: Duration,
    moments: Arc<Mutex<Vec<Moment>>>,
}

impl Span {
    fn join(self, client: TcpStream, server: u16) -> io::Result<()> {
        let server = TcpStream::connect(loopback(server))?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
        }
        let downwards = self.clone();
        let (up, down) = (client.try_clone()?, server.try_clone()?);
        carry(up, server, move |bytes, is_first| {
            let opening = if is_first {
                self.round_trip
            } else {
                Duration::ZERO
            };
            self.sent(true, bytes) + opening
        });
        carry(down, client, move |bytes, _| downwards.sent(false, bytes));
        Ok(())
    }

    /// Notes what is put on the link; when it arrives, had it to wait for nothing else.
    fn sent(&self, upwards: bool, bytes: usize) -> Instant {
        let at = Instant::now();
        let moment = Moment {
            at,
            connection: self.connection,
            upwards,
            bytes,
        };
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.push(moment);
        at + self.round_trip / 2
    }
}

/// One thread takes what comes and says when it is due, another hands it over then.
fn carry(from: TcpStream, to: TcpStream, due: impl FnMut(usize, bool) -> Instant + Send + 'static) {
    let (way_in, way_out) = channel();
    thread::spawn(move || take(from, &way_in, due));
    thread::spawn(move || hand_over(&way_out, to));
}

fn take(
    mut from: TcpStream,
    link: &Sender<(Instant, Vec<u8>)>,
    mut due: impl FnMut(usize, bool) -> Instant,
) {
    let mut buffer = vec![0; 64 * 1024];
    // What comes later must not overtake the first.
    let mut last = None;
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let own = due(read, last.is_none());
        let when = last.map_or(own, |last: Instant| last.max(own));
        last = Some(when);
        if link.send((when, buffer[..read].to_vec())).is_err() {
            return;
        }
    }
}

fn hand_over(link: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, bytes) in link {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}
