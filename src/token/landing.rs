//! A redirect in, what the browser brings to it out.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::form_urlencoded;

use crate::scenario::sign_in::Redirect;
use crate::secret::Secret;

/// A loopback address that waits for a browser (RFC 8252 §7.3).
#[derive(Debug)]
pub(super) struct Landing {
    listener: TcpListener,
    redirect: Redirect,
}

/// What a browser brought (RFC 6749 §4.1.2, RFC 9207 §2).
#[derive(Debug, Default)]
pub(super) struct Arrival {
    pub(super) code: Option<Secret>,
    pub(super) error: Option<String>,
    pub(super) description: String,
    pub(super) issuer: Option<String>,
}

/// Bytes of a request's head that are read at most.
const CAP: usize = 16 << 10;
/// How long one connection may take to say what it wants.
const HASTE: Duration = Duration::from_secs(5);

impl Landing {
    /// Listens on 127.0.0.1, at the redirect's port or at any that is free.
    ///
    /// # Errors
    /// The port cannot be had, with the remedy.
    pub(super) async fn open(redirect: &Redirect) -> Result<Self, String> {
        let taken = |error: std::io::Error| {
            format!(
                "port {} of this machine cannot be listened at: {}. Free it, or register http://localhost and state port 0",
                redirect.port,
                error.kind()
            )
        };
        let listener = TcpListener::bind(("127.0.0.1", redirect.port))
            .await
            .map_err(taken)?;
        let port = listener.local_addr().map_err(taken)?.port();
        Ok(Self {
            listener,
            redirect: Redirect {
                port,
                ..redirect.clone()
            },
        })
    }

    /// The redirect URI, with the port that was found.
    pub(super) fn uri(&self) -> String {
        let Redirect { host, port, path } = &self.redirect;
        format!("http://{host}:{port}{path}")
    }

    /// Waits for the browser that brings the right `state`. Others are sent away: any page can send a browser here.
    pub(super) async fn arrival(self, state: &str) -> Arrival {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                continue;
            };
            let met = self.meet(&mut stream, state);
            if let Ok(Some(arrival)) = tokio::time::timeout(HASTE, met).await {
                return arrival;
            }
        }
    }

    async fn meet(&self, stream: &mut TcpStream, state: &str) -> Option<Arrival> {
        let target = target(stream).await?;
        let arrival = self.brought(&target, state);
        let answer = match &arrival {
            Some(Arrival {
                code: Some(_),
                error: None,
                ..
            }) => page("200 OK", &BROUGHT),
            Some(_) => page("200 OK", &REFUSED),
            None => page("404 Not Found", &STRAY),
        };
        // What was brought counts, whether or not the browser waits for the page.
        let _answered = stream.write_all(answer.as_bytes()).await.is_ok();
        let _closed = stream.shutdown().await.is_ok();
        arrival
    }

    fn brought(&self, target: &str, state: &str) -> Option<Arrival> {
        let (path, query) = target.split_once('?')?;
        let registered = match self.redirect.path.as_str() {
            "" => "/",
            path => path,
        };
        let mut arrival = Arrival::default();
        let mut known = false;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "state" => known = value == state,
                "code" => arrival.code = Some(Secret::new(value.into_owned())),
                "error" => arrival.error = Some(value.into_owned()),
                "error_description" => arrival.description = value.into_owned(),
                "iss" => arrival.issuer = Some(value.into_owned()),
                _ => {}
            }
        }
        (known && path == registered).then_some(arrival)
    }
}

/// A heading, and what to do next.
type Words = (&'static str, &'static str);

/// The code is still to be redeemed, so nobody is told that they are signed in.
const BROUGHT: Words = (
    "Back to the terminal",
    "rolecall goes on with what this browser brought. This page can be closed.",
);
/// The provider's own words are for the terminal alone: any page can send a browser here with some.
const REFUSED: Words = (
    "Nobody was signed in",
    "The provider said no, and the terminal shows why. This page can be closed.",
);
const STRAY: Words = (
    "Nothing is here",
    "rolecall waits for a browser that comes from the sign-in which the terminal shows.",
);

const STYLE: &str = "html{color-scheme:light dark}\
    body{font:1.1rem/1.6 system-ui,sans-serif;max-width:30rem;margin:18vh auto;padding:0 1.5rem}\
    h1{font-size:1.6rem;margin:0 0 .5rem}p{margin:0}";

/// The target of a GET request; `None` for anything else.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == CAP {
            return None;
        }
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.split(' ');
    match (words.next()?, words.next()?) {
        ("GET", target) => Some(target.to_owned()),
        _ => None,
    }
}

fn page(status: &str, (heading, words): &Words) -> String {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{heading} · rolecall</title><style>{STYLE}</style><h1>{heading}</h1><p>{words}</p></html>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page that a browser is shown at `target`.
    async fn shown(target: &str) -> String {
        let redirect = Redirect {
            host: "localhost".to_owned(),
            port: 0,
            path: "/".to_owned(),
        };
        let landing = Landing::open(&redirect).await.unwrap();
        let port = landing.redirect.port;
        let waiting = tokio::spawn(async move { landing.arrival("expected").await });
        let mut browser = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        browser.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        browser.read_to_string(&mut page).await.unwrap();
        waiting.abort();
        page
    }

    #[tokio::test]
    async fn a_browser_is_told_what_it_brought_and_nothing_that_it_said() {
        for (target, status, heading) in [
            ("/?state=expected&code=canary", "200 OK", BROUGHT.0),
            (
                "/?state=expected&error=canary&error_description=canary",
                "200 OK",
                REFUSED.0,
            ),
            (
                "/?state=expected&error=canary&code=canary",
                "200 OK",
                REFUSED.0,
            ),
            ("/?state=expected", "200 OK", REFUSED.0),
            ("/?state=guessed&code=canary", "404 Not Found", STRAY.0),
            ("/favicon.ico", "404 Not Found", STRAY.0),
        ] {
            let page = shown(target).await;
            assert!(
                page.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{target}"
            );
            assert!(
                page.contains(&format!("<h1>{heading}</h1>")),
                "{target}\n{page}"
            );
            assert!(!page.contains("canary"), "{page}");
        }
    }
}
