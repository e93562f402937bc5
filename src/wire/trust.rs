//! The system's and the user's certificate authorities in, one TLS configuration out.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::thread;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::SetupError;

/// TLS sessions that a line may resume: it talks to a handful of hosts.
const SESSIONS: usize = 8;

/// Whom the run trusts. The system's certificates are read when they are first needed: a loopback run must not pay for them.
pub(super) struct Trust {
    private: RootCertStore,
    full: OnceLock<ClientConfig>,
}

impl Trust {
    /// Reads the user's own authorities.
    ///
    /// # Errors
    /// A file that holds no certificate, or one that cannot be read.
    pub(super) fn new(authorities: &[Vec<u8>]) -> Result<Self, SetupError> {
        let mut private = RootCertStore::empty();
        for (place, pem) in authorities.iter().enumerate() {
            add(&mut private, pem)
                .map_err(|why| SetupError(format!("--cacert, file {}: {why}", place + 1)))?;
        }
        Ok(Self {
            private,
            full: OnceLock::new(),
        })
    }

    /// The configuration for dialling, with the system's authorities and with room for sessions of its own.
    /// No key log is ever written.
    pub(super) fn config(&self) -> ClientConfig {
        let mut config = self
            .full
            .get_or_init(|| build(Registry::reading(self.private.clone())))
            .clone();
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        config
    }

    /// A configuration that reads nothing from the system, for clients that never dial `https`.
    pub(super) fn idle_config(&self) -> ClientConfig {
        build(Registry::of(self.private.clone()))
    }
}

fn add(store: &mut RootCertStore, pem: &[u8]) -> Result<(), &'static str> {
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_unreadable| "not a readable PEM file")?;
        store
            .add(certificate)
            .map_err(|_unfit| "holds a certificate that is no certificate authority")?;
        found += 1;
    }
    if found == 0 {
        Err("holds no certificate; it must be PEM, with BEGIN CERTIFICATE")
    } else {
        Ok(())
    }
}

/// What cannot be read is left out: a host that needed it then fails its handshake, and the run goes on with the others.
fn with_system(mut store: RootCertStore) -> RootCertStore {
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

fn build(registry: Arc<Registry>) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&registry.provider))
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(registry)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// Verifies certificates as rustls does by itself. The authorities need not be known before a certificate has come: those of
/// the system take longer to read than a handshake takes on a near link, and are read beside it.
#[derive(Debug)]
struct Registry {
    provider: Arc<CryptoProvider>,
    private: RootCertStore,
    /// Whether it knows the system's, too.
    knows_system: bool,
    /// `None` inside where there is no authority at all.
    verifier: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

impl Registry {
    /// Of these authorities alone.
    fn of(private: RootCertStore) -> Arc<Self> {
        Arc::new(Self::knowing(private, false))
    }

    fn knowing(private: RootCertStore, knows_system: bool) -> Self {
        Self {
            provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            private,
            knows_system,
            verifier: OnceLock::new(),
        }
    }

    /// Of these and the system's, which a thread of their own begins to read; without one the first handshake does.
    fn reading(private: RootCertStore) -> Arc<Self> {
        let registry = Arc::new(Self::knowing(private, true));
        let reader = Arc::clone(&registry);
        drop(thread::Builder::new().spawn(move || drop(reader.verifier())));
        registry
    }

    /// Waits until the authorities are read. Where there is none, nobody is known.
    fn verifier(&self) -> Result<&WebPkiServerVerifier, rustls::Error> {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let read = self.verifier.get_or_init(|| self.read());
        read.as_deref().ok_or(unknown)
    }

    fn read(&self) -> Option<Arc<WebPkiServerVerifier>> {
        let mut roots = self.private.clone();
        if self.knows_system {
            roots = with_system(roots);
        }
        let provider = Arc::clone(&self.provider);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        verifier.build().ok()
    }
}

impl ServerCertVerifier for Registry {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier()?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls13_signature(message, cert, dss)
    }

    /// What a hello offers, before anybody's authority matters.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("private", &self.private.len())
            .field("system", &self.full.get().is_some())
            .finish()
    }
}

#[cfg(test)]
pub(in crate::wire) mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use http_body_util::Full;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection, Stream};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::wire::line::tests::vacancy;
    use crate::wire::{Call, Proxies, Settings, Silence, Wire};

    /// Makes a self-signed certificate for a name; gives a server's configuration with it, and it as PEM.
    pub(in crate::wire) fn certified(name: &str) -> (ServerConfig, Vec<u8>) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        (config, made.cert.pem().into_bytes())
    }

    /// Starts a TLS server for a name; gives its port and its certificate.
    fn serve(name: &str) -> (u16, Vec<u8>) {
        let (config, pem) = certified(name);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || answer(&listener, &Arc::new(config)));
        (port, pem)
    }

    /// Starts an HTTP/2 server that answers with the target and the `:authority` it was asked for.
    async fn serve_http2() -> (u16, Vec<u8>) {
        let (mut config, pem) = certified("127.0.0.1");
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let tls = TokioIo::new(acceptor.accept(tcp).await.unwrap());
                let service = hyper::service::service_fn(
                    |request: http::Request<hyper::body::Incoming>| async move {
                        let told = format!("{:?} {}", request.version(), request.uri());
                        Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(
                            Bytes::from(told),
                        )))
                    },
                );
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(tls, service));
            }
        });
        (port, pem)
    }

    fn answer(listener: &TcpListener, config: &Arc<ServerConfig>) {
        while let Ok((mut tcp, _)) = listener.accept() {
            let mut tls = ServerConnection::new(Arc::clone(config)).unwrap();
            let mut stream = Stream::new(&mut tls, &mut tcp);
            if stream.read(&mut [0; 4096]).is_ok() {
                stream
                    .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                    .unwrap();
                stream.flush().unwrap();
            }
        }
    }

    fn wire(authorities: Vec<Vec<u8>>) -> Result<Wire, SetupError> {
        let time = Duration::from_secs(10);
        let proxies = Proxies::default();
        Wire::new(&Settings {
            connect: time,
            request: time,
            body_cap: 1024,
            authorities,
            proxies,
        })
    }

    async fn both(wire: &Wire, url: String) -> [Result<u16, Silence>; 2] {
        let call = Call {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let sent = wire.line().send(call.clone(), &mut |_| false).await;
        [
            sent.map(|reply| reply.status),
            wire.exchange(call).await.map(|reply| reply.status),
        ]
    }

    #[tokio::test]
    async fn a_self_signed_certificate_is_trusted_only_when_stated() {
        let (port, pem) = serve("127.0.0.1");
        let url = format!("https://127.0.0.1:{port}/");
        assert_eq!(
            both(&wire(Vec::new()).unwrap(), url.clone()).await,
            [Err(Silence::Tls); 2]
        );
        assert_eq!(both(&wire(vec![pem]).unwrap(), url).await, [Ok(204); 2]);
    }

    #[tokio::test]
    async fn http2_is_spoken_where_it_is_offered_and_the_target_stays_verbatim() {
        let (port, pem) = serve_http2().await;
        let url = format!("https://127.0.0.1:{port}/a/../b/%2e/?x");
        let call = Call {
            method: Method::POST,
            url: url.clone(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let wire = wire(vec![pem]).unwrap();
        let reply = wire
            .line()
            .send(call.clone(), &mut |_| false)
            .await
            .unwrap();
        assert_eq!(reply.body, format!("HTTP/2.0 {url}"));
        let reply = wire.exchange(call).await.unwrap();
        assert!(reply.body.starts_with(b"HTTP/2.0 "));
    }

    /// Starts a proxy that tunnels everything to a port of this machine.
    async fn tunnel_to(port: u16) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", port))
                    .await
                    .unwrap();
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(near.read_u8().await.unwrap());
                    }
                    assert!(head.starts_with(b"CONNECT catalog.invalid:443 "));
                    near.write_all(b"HTTP/1.1 200 Through\r\n\r\n")
                        .await
                        .unwrap();
                    tokio::io::copy_bidirectional(&mut near, &mut far)
                        .await
                        .ok()
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn a_tunnel_carries_tls_to_the_named_host() {
        let (port, pem) = serve("catalog.invalid");
        let proxies = Proxies {
            https: Some(tunnel_to(port).await),
            ..Proxies::default()
        };
        let time = Duration::from_secs(10);
        let settings = Settings {
            connect: time,
            request: time,
            body_cap: 1024,
            authorities: vec![pem],
            proxies,
        };
        let wire = Wire::new(&settings).unwrap();
        assert_eq!(
            both(&wire, "https://catalog.invalid/".to_owned()).await,
            [Ok(204); 2]
        );
    }

    #[tokio::test]
    async fn a_trusted_certificate_does_not_excuse_another_name() {
        let (port, pem) = serve("elsewhere.example");
        let url = format!("https://127.0.0.1:{port}/");
        assert_eq!(
            both(&wire(vec![pem]).unwrap(), url).await,
            [Err(Silence::Tls); 2]
        );
    }

    #[tokio::test]
    async fn a_server_without_tls_fails_tls() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            while let Ok((mut tcp, _)) = listener.accept() {
                assert!(tcp.read(&mut [0; 4096]).unwrap() > 0);
                tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            }
        });
        assert_eq!(
            both(&wire(Vec::new()).unwrap(), url).await,
            [Err(Silence::Tls); 2]
        );
    }

    #[tokio::test]
    async fn a_plain_url_reads_no_certificate_of_the_system() {
        let wire = wire(Vec::new()).unwrap();
        let (_held, nobody) = vacancy();
        let url = format!("http://{nobody}/");
        assert_eq!(both(&wire, url).await, [Err(Silence::ConnectionRefused); 2]);
        assert_eq!(format!("{wire:?}").matches("system: false").count(), 2);
    }

    #[test]
    fn a_file_without_certificates_is_refused_by_its_place() {
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
        for pem in [Vec::new(), b"no PEM".to_vec(), broken] {
            let SetupError(why) = wire(vec![pem]).unwrap_err();
            assert!(why.starts_with("--cacert, file 1: "), "{why}");
        }
    }
}
