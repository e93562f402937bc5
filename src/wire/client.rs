//! Calls to well-behaved servers in, replies out, through reqwest.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use reqwest::redirect::Policy;
use reqwest::{Client, NoProxy, Proxy, Request, Url};
use rustls::ClientConfig;
use tokio::time::Instant;

use super::answer::read;
use super::clock::{Alarms, Clock};
use super::resolver::Resolver;
use super::trust::Trust;
use super::{Call, Proxies, Reply, Settings, Silence};

const USER_AGENT: &str = concat!("rolecall/", env!("CARGO_PKG_VERSION"));

/// One client for `http` and one for `https`, each built when it is first needed: the second reads the system's certificates.
pub(super) struct Clients {
    trust: Arc<Trust>,
    plain: OnceLock<Option<Client>>,
    secure: OnceLock<Option<Client>>,
}

impl Clients {
    pub(super) fn new(trust: Arc<Trust>) -> Self {
        Self {
            trust,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// Sends a call and reads its answer, up to the cap and the deadline of the settings.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn exchange(
        &self,
        call: Call,
        settings: &Settings,
        cap: usize,
    ) -> Result<Reply, Silence> {
        let begun = Instant::now();
        let alarms = Alarms::default();
        let mut clock = Clock::new(begun, begun + settings.request, &alarms);
        let url = Url::parse(&call.url).map_err(|_unsendable| Silence::Unreadable)?;
        let client = self.client(&url, settings).ok_or(Silence::Tls)?;
        let response = clock
            .wait(pin!(client.execute(request(call, url))))
            .await
            .ok_or(Silence::Deadline)?
            .map_err(|error| Silence::of(&error, otherwise(&error)))?;
        let response = http::Response::<reqwest::Body>::from(response);
        let (head, mut body) = response.into_parts();
        read(head, &mut body, &mut clock, cap, &mut |_| false).await
    }

    fn client(&self, url: &Url, settings: &Settings) -> Option<&Client> {
        // A proxy may itself be spoken to over TLS.
        let plain = url.scheme() == "http" && !settings.proxies.any_is_https();
        let (slot, config): (_, fn(&Trust) -> ClientConfig) = if plain {
            (&self.plain, Trust::idle_config)
        } else {
            (&self.secure, Trust::config)
        };
        slot.get_or_init(|| build(config(&self.trust), settings))
            .as_ref()
    }
}

fn build(tls: ClientConfig, settings: &Settings) -> Option<Client> {
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Resolver)
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(settings.connect)
        .no_proxy();
    rules(&settings.proxies)
        .into_iter()
        .fold(client, reqwest::ClientBuilder::proxy)
        .build()
        .ok()
}

fn rules(stated: &Proxies) -> Vec<Proxy> {
    let exempt = NoProxy::from_string(&stated.exempt());
    let http = stated
        .http
        .as_ref()
        .or(stated.all.as_ref())
        .and_then(|address| Proxy::http(address).ok());
    let https = stated
        .https
        .as_ref()
        .or(stated.all.as_ref())
        .and_then(|address| Proxy::https(address).ok());
    http.into_iter()
        .chain(https)
        .map(|rule| rule.no_proxy(exempt.clone()))
        .collect()
}

fn request(call: Call, url: Url) -> Request {
    let mut request = Request::new(call.method, url);
    *request.headers_mut() = call.headers;
    *request.body_mut() = Some(call.body.into());
    request
}

fn otherwise(error: &reqwest::Error) -> Silence {
    if error.is_connect() {
        Silence::ConnectionRefused
    } else {
        Silence::Unreadable
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}
