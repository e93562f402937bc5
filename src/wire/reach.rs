//! A URL in, how far the way to it leads out: name, connection, TLS.

use std::net::IpAddr;
use std::time::Duration;

use http::Uri;
use tokio::net::TcpStream;

use super::Silence;
use super::dialer::{Dialer, Undialled};
use super::resolver::look_up;

/// How far the way to a host leads. What comes after a broken step is not tried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reach {
    /// Host and port that are dialled: the destination's, or the proxy's.
    pub dialled: String,
    /// Whether a proxy stands in between.
    pub by_proxy: bool,
    /// The addresses that the dialled name has.
    pub name: Result<Vec<IpAddr>, Silence>,
    /// Whether a TCP connection could be opened; `None` when it was not tried.
    pub connection: Option<Result<(), Silence>>,
    /// Whether the destination's certificate is trusted, through the proxy where there is one; `None` for plain http
    /// and when it was not tried.
    pub tls: Option<Result<(), Silence>>,
}

/// Tries the steps one after the other; each ends after `longest`.
pub(super) async fn measure(
    dialer: &Dialer,
    destination: Uri,
    longest: Duration,
) -> Result<Reach, Silence> {
    if !matches!(destination.scheme_str(), Some("http" | "https")) {
        return Err(Silence::Unreadable);
    }
    let proxy = dialer.proxy(&destination);
    let (host, port) = place(proxy.as_ref().map_or(&destination, |proxy| proxy.uri()))?;
    let name = addresses(&host, longest).await;
    let connection = match &name {
        Ok(_) => Some(connect(&host, port, longest).await),
        Err(_) => None,
    };
    let is_secure = destination.scheme_str() == Some("https");
    let tls = match connection {
        Some(Ok(())) if is_secure => Some(handshake(dialer, destination).await),
        _ => None,
    };
    Ok(Reach {
        dialled: format!("{host}:{port}"),
        by_proxy: proxy.is_some(),
        name,
        connection,
        tls,
    })
}

/// User names and passwords of a proxy's address stay out of it.
fn place(uri: &Uri) -> Result<(String, u16), Silence> {
    let host = uri.host().ok_or(Silence::Unreadable)?;
    let usual = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    Ok((host.to_owned(), uri.port_u16().unwrap_or(usual)))
}

async fn addresses(host: &str, longest: Duration) -> Result<Vec<IpAddr>, Silence> {
    let found = tokio::time::timeout(longest, look_up(bare(host))).await;
    let found = found.map_err(|_late| Silence::Deadline)?;
    let found = found.map_err(|_unknown| Silence::NameUnknown)?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.dedup();
    Ok(addresses)
}

/// An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2).
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

async fn connect(host: &str, port: u16, longest: Duration) -> Result<(), Silence> {
    match tokio::time::timeout(longest, TcpStream::connect((bare(host), port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Silence::of(&error, Silence::ConnectionRefused)),
        Err(_late) => Err(Silence::Deadline),
    }
}

async fn handshake(dialer: &Dialer, destination: Uri) -> Result<(), Silence> {
    let dialled = dialer.for_one_line().dial(destination).await;
    dialled.map(drop).map_err(|Undialled(silence)| silence)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use crate::wire::{Proxies, Settings, Silence, Wire};

    use super::*;

    fn wire(proxies: Proxies) -> Wire {
        let time = Duration::from_secs(5);
        Wire::new(&Settings {
            connect: time,
            request: time,
            body_cap: 1024,
            authorities: Vec::new(),
            proxies,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn each_step_is_told_and_none_after_a_broken_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let wire = wire(Proxies::default());
        let reach = wire.reach(&format!("http://{open}/x")).await.unwrap();
        assert_eq!(reach.dialled, open.to_string());
        assert_eq!(reach.name, Ok(vec![open.ip()]));
        assert_eq!((reach.connection, reach.tls), (Some(Ok(())), None));

        drop(listener);
        let reach = wire.reach(&format!("https://{open}/")).await.unwrap();
        let refused = Some(Err(Silence::ConnectionRefused));
        assert_eq!((reach.connection, reach.tls), (refused, None));

        let reach = wire.reach("https://nowhere.invalid/").await.unwrap();
        assert_eq!(reach.name, Err(Silence::NameUnknown));
        assert_eq!((reach.connection, reach.tls), (None, None));
        for url in ["nowhere", "/path", "ftp://nowhere.invalid/"] {
            assert_eq!(wire.reach(url).await, Err(Silence::Unreadable), "{url}");
        }
    }

    #[tokio::test]
    async fn a_server_without_tls_is_found_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        let reach = wire(Proxies::default()).reach(&url).await.unwrap();
        assert!(matches!(reach.tls, Some(Err(_))), "{reach:?}");
    }

    #[tokio::test]
    async fn a_proxy_is_named_without_its_password() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxies = Proxies {
            http: Some(format!("http://user:canary@{address}")),
            ..Proxies::default()
        };
        let reach = wire(proxies)
            .reach("http://nowhere.invalid/")
            .await
            .unwrap();
        assert_eq!((reach.dialled, reach.by_proxy), (address.to_string(), true));
        assert_eq!(reach.connection, Some(Ok(())));
    }
}
