//! A host name in, its addresses out, or an error that says it was the name.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

/// The system's resolver. Both clients use it, so that an unknown name is told from a refused port by type, not by text.
#[derive(Clone, Debug)]
pub(super) struct Resolver;

/// The name does not resolve.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameUnknown;

type Addresses = std::vec::IntoIter<SocketAddr>;
type Resolving = Pin<Box<dyn Future<Output = Result<Addresses, NameUnknown>> + Send>>;

impl Service<Name> for Resolver {
    type Response = Addresses;
    type Error = NameUnknown;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NameUnknown>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        Box::pin(async move { look_up(name.as_str()).await })
    }
}

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let addresses = look_up(name.as_str()).await?;
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

/// Every address of a name.
pub(super) async fn look_up(name: &str) -> Result<Addresses, NameUnknown> {
    let found = tokio::net::lookup_host((name, 0)).await;
    let addresses: Vec<SocketAddr> = found.map_err(|_unresolved| NameUnknown)?.collect();
    Ok(addresses.into_iter())
}

impl fmt::Display for NameUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("the host name does not resolve")
    }
}

impl std::error::Error for NameUnknown {}
