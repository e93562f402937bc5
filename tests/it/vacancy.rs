//! Nothing in, an address where nobody listens out, held so that nobody else comes to listen there.

use std::fmt;

use tokio::net::TcpSocket;

/// Whoever calls here is refused.
pub(crate) struct Vacancy(TcpSocket);

impl Vacancy {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }
}

/// Host and port.
impl fmt::Display for Vacancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.local_addr().unwrap().fmt(f)
    }
}
