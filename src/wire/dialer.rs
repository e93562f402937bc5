//! A destination in, a connected stream out: directly, through a proxy, with TLS or without.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls::ClientConfig;
use tower_service::Service;

use super::resolver::Resolver;
use super::silence::Silence;
use super::stream::{Pipe, Stream};
use super::trust::Trust;

/// Opens connections. Clones share their TLS sessions; [`Dialer::for_one_line`] makes one that does not.
#[derive(Clone)]
pub(super) struct Dialer {
    tcp: HttpConnector<Resolver>,
    trust: Arc<Trust>,
    tls: Arc<OnceLock<Arc<ClientConfig>>>,
    proxies: Arc<Matcher>,
    longest: Duration,
}

impl Dialer {
    /// A dialer that gives up a connection after `longest`, TLS and proxy handshakes included.
    pub(super) fn new(trust: Arc<Trust>, proxies: Arc<Matcher>, longest: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(longest));
        Self {
            tcp,
            trust,
            tls: Arc::default(),
            proxies,
            longest,
        }
    }

    /// The same dialer with TLS sessions of its own: a resumed session could carry one persona's identity to another.
    pub(super) fn for_one_line(&self) -> Self {
        Self {
            tls: Arc::default(),
            ..self.clone()
        }
    }

    /// The proxy that stands between here and the destination, if any.
    pub(super) fn proxy(&self, destination: &Uri) -> Option<Intercept> {
        self.proxies.intercept(destination)
    }

    /// Opens a connection to the destination, TLS included.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn dial(self, destination: Uri) -> Result<Stream, Undialled> {
        let late = Err(Undialled(Silence::Deadline));
        tokio::time::timeout(self.longest, self.connect(destination))
            .await
            .unwrap_or(late)
    }

    async fn connect(self, destination: Uri) -> Result<Stream, Undialled> {
        let tls = is_https(&destination);
        match self.proxy(&destination) {
            None if tls => open(self.secure(), destination).await,
            None => open(self.tcp, destination).await,
            Some(proxy) if tls => open(self.tunnel(&proxy), destination).await,
            Some(proxy) if is_https(proxy.uri()) => {
                forwarded(open(self.to_proxy(), proxy.uri().clone()).await)
            }
            Some(proxy) => forwarded(open(self.tcp, proxy.uri().clone()).await),
        }
    }

    fn secure(&self) -> HttpsConnector<HttpConnector<Resolver>> {
        HttpsConnector::from((self.tcp.clone(), self.config()))
    }

    fn tunnel(
        &self,
        proxy: &Intercept,
    ) -> HttpsConnector<Tunnel<HttpsConnector<HttpConnector<Resolver>>>> {
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.to_proxy());
        if let Some(authorization) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        HttpsConnector::from((tunnel, self.config()))
    }

    /// `CONNECT` and absolute targets are HTTP/1.1, so nothing else is offered to a proxy that is spoken to over TLS.
    fn to_proxy(&self) -> HttpsConnector<HttpConnector<Resolver>> {
        let mut config = ClientConfig::clone(&self.config());
        config.alpn_protocols.clear();
        HttpsConnector::from((self.tcp.clone(), config))
    }

    fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(self.tls.get_or_init(|| Arc::new(self.trust.config())))
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

async fn open<C>(mut connector: C, to: Uri) -> Result<Stream, Undialled>
where
    C: Service<Uri>,
    C::Response: Pipe + 'static,
    C::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let undialled =
        |error: C::Error| Undialled(Silence::of(&*error.into(), Silence::ConnectionRefused));
    poll_fn(|context| connector.poll_ready(context))
        .await
        .map_err(undialled)?;
    let pipe = connector.call(to).await.map_err(undialled)?;
    Ok(Stream::new(pipe))
}

fn forwarded(opened: Result<Stream, Undialled>) -> Result<Stream, Undialled> {
    opened.map(Stream::into_forwarder)
}

/// Why a connection could not be opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Undialled(pub(super) Silence);

impl fmt::Display for Undialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Undialled {}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("trust", &self.trust)
            .field("longest", &self.longest)
            .finish_non_exhaustive()
    }
}
