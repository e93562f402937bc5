//! A workload's deployment and the identity provider of its personas, each behind TLS at a port of its own.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::answer::{Asked, House, answer};
use crate::workload::{self, PERSONAS};

/// Both servers; they answer until the process ends.
#[derive(Debug)]
pub(crate) struct Secure {
    /// Where the deployment answers.
    pub(crate) deployment: u16,
    /// Where `/token` does.
    pub(crate) identity: u16,
    /// Whom to trust, as PEM.
    pub(crate) authority: String,
}

#[derive(Clone, Debug)]
enum Host {
    Deployment(Arc<House>),
    Identity,
}

impl Secure {
    /// Starts both for a workload of so many operations; they speak the one protocol alone, by its ALPN name.
    pub(crate) fn start(protocol: &str, operations: usize) -> Result<Self, Box<dyn Error>> {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let acceptor = acceptor(made.cert.der().clone(), key, protocol)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let open = || runtime.block_on(TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))));
        let (deployment, identity) = (open()?, open()?);
        let secure = Self {
            deployment: deployment.local_addr()?.port(),
            identity: identity.local_addr()?.port(),
            authority: made.cert.pem(),
        };
        let house = House {
            policy: workload::policy(),
            hole: false,
            listed: operations,
        };
        let hosts = [Host::Deployment(Arc::new(house)), Host::Identity];
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::join!(
                    serve(deployment, &acceptor, &hosts[0]),
                    serve(identity, &acceptor, &hosts[1])
                )
            })
        });
        Ok(secure)
    }
}

fn acceptor(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    protocol: &str,
) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, acceptor: &TlsAcceptor, host: &Host) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever hangs up says so by the end of its connection.
        tokio::spawn(converse(stream, acceptor.clone(), host.clone()));
    }
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, host: Host) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let stream = acceptor.accept(stream).await.ok()?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| respond(request, host.clone()));
    let stream = TokioIo::new(stream);
    if is_http2 {
        let server = http2::Builder::new(TokioExecutor::new());
        server.serve_connection(stream, service).await.ok()
    } else {
        let server = http1::Builder::new();
        server.serve_connection(stream, service).await.ok()
    }
}

async fn respond(
    request: Request<Incoming>,
    host: Host,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    Ok(match host {
        Host::Identity => issue(&head.method, target, &body),
        Host::Deployment(house) => {
            let header = |name: &str| head.headers.get(name)?.to_str().ok();
            let token = header("authorization");
            let answer = answer(
                &house,
                &Asked {
                    method: head.method.as_str(),
                    target,
                    token: token.and_then(|value| value.strip_prefix("Bearer ")),
                    name: header("mcp-name"),
                    body: &body,
                },
            );
            let mut response = json(answer.status, answer.body.as_bytes().to_vec());
            let named = [
                ("www-authenticate", answer.challenge()),
                ("mcp-session-id", answer.session),
            ];
            for (name, value) in named {
                let value = value.map(http::HeaderValue::from_static);
                response
                    .headers_mut()
                    .extend(value.map(|value| (http::HeaderName::from_static(name), value)));
            }
            response
        }
    })
}

/// RFC 6749 §4.4: the persona whose client asks.
fn issue(method: &Method, target: &str, form: &[u8]) -> Response<Full<Bytes>> {
    let mut members = url::form_urlencoded::parse(form);
    let client = members.find_map(|(name, value)| (name == "client_id").then_some(value));
    let persona = PERSONAS[..3]
        .iter()
        .position(|name| Some(*name) == client.as_deref());
    match persona.filter(|_| *method == Method::POST && target == "/token") {
        Some(persona) => {
            let token = workload::token(persona);
            let answer =
                format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#);
            json(200, answer.into_bytes())
        }
        None => json(400, br#"{"error":"invalid_client"}"#.to_vec()),
    }
}

fn json(status: u16, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    response
}
