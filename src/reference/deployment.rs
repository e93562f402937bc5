//! Faults in, a deployment that serves on loopback until it is dropped out.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::serve::ListenerExt;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

use crate::reference::api::{Catalog, Product};
use crate::reference::call::Call;
use crate::reference::fault::{Fault, Faults};
use crate::reference::gateway::{Gateway, Trusted};
use crate::reference::idp::Idp;
use crate::reference::reply;
use crate::reference::traffic::{Listener, Log, Seen};

/// The largest body that is read, in bytes; the MCP SDKs draw the same line.
const MOST_BODY: usize = 4 * 1024 * 1024;

/// A Product Catalog on two loopback ports that the system chose, run by a thread of its own.
///
/// Dropping it stops the thread and waits for its end; connections that are still open are closed.
pub struct Deployment {
    gateway: SocketAddr,
    variables: Vec<(&'static str, String)>,
    log: Arc<Log>,
    pub(super) catalog: Arc<Catalog>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Deployment {
    /// Starts a deployment without the guards that `faults` remove, and returns once both listeners take connections.
    ///
    /// Fails when a socket, the runtime or the thread cannot be had.
    pub fn start(faults: &[Fault]) -> io::Result<Self> {
        Self::open(None, faults, None)
    }

    /// Starts one whose gateway takes the tokens of another provider beside those of its own.
    ///
    /// Fails as [`Deployment::start`] does.
    pub fn trusting(trusted: Option<Trusted>, faults: &[Fault]) -> io::Result<Self> {
        Self::open(trusted, faults, None)
    }

    /// Starts one whose access tokens live for so many seconds, instead of 60 to 90 minutes as Entra's do.
    ///
    /// Fails as [`Deployment::start`] does.
    pub fn start_with_lifetime(faults: &[Fault], seconds: u32) -> io::Result<Self> {
        Self::open(None, faults, Some(seconds))
    }

    fn open(trusted: Option<Trusted>, faults: &[Fault], lifetime: Option<u32>) -> io::Result<Self> {
        let faults = Faults::new(faults);
        let (identity, identity_address) = bind()?;
        let (gateway, gateway_address) = bind()?;
        let base = format!("http://{gateway_address}");
        let idp = Idp::new(
            format!("http://{identity_address}"),
            faults.clone(),
            lifetime,
        )?;
        let catalog = Arc::new(Catalog::new(faults.clone()));
        let log = Arc::new(Log::default());
        let variables = variables(&base, &idp);
        let site = Site {
            gateway: Gateway::new(&base, &idp, trusted, &catalog, faults),
            idp,
            log: Arc::clone(&log),
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("reference".to_owned())
            .spawn(move || serve(&runtime, identity, gateway, Arc::new(site), stopped))?;
        Ok(Self {
            gateway: gateway_address,
            variables,
            log,
            catalog,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns what a scenario needs to reach the deployment and to sign in, as names and values, secrets included.
    ///
    /// - `CATALOG_REST_URL`, `CATALOG_MCP_URL`, `CATALOG_OPENAPI`, `ENTRA_AUTHORITY` without a slash at the end,
    ///   `ENTRA_TENANT_ID`, `API_APP_ID`;
    /// - `…_ID` and `…_SECRET` of the services `READER`, `WRITER`, `ADMIN`, `STRANGER` (no role), `NEARMISS`
    ///   (`Products.Read` and `Products.WriteOnly`), `CONNECTOR` (users sign in with it, and by the article's recipe
    ///   it holds `Products.Admin` itself), `MIDDLE` (calls on behalf of users, whose tokens are for
    ///   `MIDDLE_RESOURCE`), `EXPIRED` (the secret ran out) and `DISABLED`;
    /// - `CLIENT_APP_ID`, the public client by which users sign in, `SPA_ID`, a single-page application, and
    ///   `UNCONSENTED_ID`, to which nobody consented, though users may;
    /// - `INSPECTOR_ID`, public as MCP Inspector is, and `INSOMNIA_ID` with `INSOMNIA_SECRET`, as developers register them
    ///   for themselves;
    /// - `…_REDIRECT_URI` of `CLIENT_APP` (any port), `SPA`, `CONNECTOR`, `INSPECTOR` and `INSOMNIA`;
    /// - `…_USER` and `…_PASSWORD` of `READER`, `WRITER`, `ADMIN` and `STRANGER`, of `MFA`, whose authenticator has the
    ///   base32 secret `MFA_SEED`, and of those whom something keeps from signing in: `UNENROLLED`, `LOCKED`,
    ///   `EXPIRED`, `PASSWORDLESS`, `DISABLED` and `BLOCKED` (by Conditional Access);
    /// - `CERTIFICATE_ID` (`Products.Read`) with the paths `CERTIFICATE_KEY_FILE` (PKCS #8) and `CERTIFICATE_FILE`, both
    ///   in PEM, because a value of more than one line fits no environment file;
    /// - `WORKLOAD_ID` (`Products.Write`), which the assertions of a build service prove:
    ///   `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN` as GitHub sets them,
    ///   `SYSTEM_OIDCREQUESTURI` and `SYSTEM_ACCESSTOKEN` as Azure Pipelines does;
    /// - `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` as App Service sets them, and `IMDS_ENDPOINT`, the whole address of
    ///   the instance metadata service; the host's own identity is `HOST_ID` (`Products.Read`), the assigned one
    ///   `MANAGED_ID` or `MANAGED_RESOURCE_ID` (`Products.Write`);
    /// - `GRAPH_URL`, where `OPERATOR_ID` with `OPERATOR_SECRET` moves users in and out of `READERS_GROUP_ID`,
    ///   `WRITERS_GROUP_ID` and `ADMINS_GROUP_ID`, and users revoke their own sign-ins, each with a token for
    ///   `OTHER_RESOURCE`;
    /// - `OTHER_RESOURCE`, another API of the tenant, for tokens of the wrong audience, `GUARDED_RESOURCE`, which only
    ///   the reader is assigned to, and `RETIRED_RESOURCE`, which is disabled;
    /// - `EXPIRED_TOKEN`, a genuine token of the reader that ran out an hour ago, and for `CLIENT_APP` the refresh tokens
    ///   `READER_REFRESH_TOKEN`, `REVOKED_REFRESH_TOKEN` and `IDLE_REFRESH_TOKEN`.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables.clone()
    }

    /// Returns every request seen so far, at both listeners, in order of arrival.
    pub fn traffic(&self) -> Vec<Seen> {
        self.log.lines()
    }

    /// Returns the products that the store holds now, in order of creation.
    pub fn products(&self) -> Vec<Product> {
        self.catalog.all()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // The sender's end is the signal, so a thread that is gone already needs no answer.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// The variables hold secrets, so only the address is shown.
impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment")
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

struct Site {
    gateway: Gateway,
    idp: Idp,
    log: Arc<Log>,
}

impl Site {
    fn answer(&self, listener: Listener, call: &Call) -> Response {
        self.record(listener, call, || match listener {
            Listener::Identity => self.idp.answer(call),
            Listener::Gateway => self.gateway.answer(call),
        })
    }

    fn record(&self, listener: Listener, call: &Call, act: impl FnOnce() -> Response) -> Response {
        let place = self.log.arrived(listener, call);
        let response = act();
        self.log.answered(place, response.status().as_u16());
        response
    }
}

fn variables(base: &str, idp: &Idp) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("CATALOG_REST_URL", base.to_owned()),
        ("CATALOG_MCP_URL", format!("{base}/mcp")),
        ("CATALOG_OPENAPI", format!("{base}/openapi.json")),
    ];
    variables.extend(idp.variables());
    variables
}

/// A bound listener queues connections from this moment on, before anyone accepts them.
fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn serve(
    runtime: &Runtime,
    identity: TcpListener,
    gateway: TcpListener,
    site: Arc<Site>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async move {
        tokio::select! {
            _ = stopped => {}
            _ = listen(identity, Listener::Identity, Arc::clone(&site)) => {}
            _ = listen(gateway, Listener::Gateway, site) => {}
        }
    });
}

async fn listen(socket: TcpListener, listener: Listener, site: Arc<Site>) -> io::Result<()> {
    let socket = tokio::net::TcpListener::from_std(socket)?.tap_io(|stream| {
        // Without it small answers wait for the client's delayed acknowledgement.
        let _unset = stream.set_nodelay(true);
    });
    axum::serve(
        socket,
        Router::new().fallback(answer).with_state((listener, site)),
    )
    .await
}

async fn answer(
    State((listener, site)): State<(Listener, Arc<Site>)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    match to_bytes(body, MOST_BODY).await {
        Ok(body) => site.answer(listener, &Call::new(head, body)),
        Err(_) => site.record(listener, &Call::new(head, Bytes::new()), || {
            reply::empty(StatusCode::PAYLOAD_TOO_LARGE)
        }),
    }
}
