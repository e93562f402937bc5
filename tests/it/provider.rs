//! What a test wants said in, an identity provider and an API that say it on one loopback port out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::bench::{Bench, Ran};

/// The secret of every client.
pub(crate) const SECRET: &str = "s3cr3t-canary-of-the-client";

/// A request as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The whole head, as it came.
    pub(crate) head: String,
    /// Without the scheme; empty where there is none.
    pub(crate) bearer: String,
    pub(crate) body: String,
    /// The provider's own address.
    pub(crate) base: String,
    /// How many token requests there were from this client, this one included.
    pub(crate) turn: usize,
}

/// It serves until it is dropped, each request on a connection of its own.
pub(crate) struct Provider {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

impl Asked {
    pub(crate) fn is_for_a_token(&self) -> bool {
        self.method == "POST" && self.target == "/token"
    }

    /// A parameter of the form, as it was sent.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let mut pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find_map(|(known, value)| (known == name).then_some(value))
            .unwrap_or_default()
    }
}

impl Provider {
    /// The answers are sent as they stand.
    pub(crate) fn new(answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
            over: Arc::default(),
        };
        let (heard, over) = (Arc::clone(&provider.heard), Arc::clone(&provider.over));
        let (address, answer) = (provider.address, Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let (heard, answer) = (Arc::clone(&heard), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, address, &heard, &*answer));
            }
        });
        provider
    }

    /// Its address.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn bench(&self) -> Bench {
        Bench::new()
            .with("BASE", &self.base())
            .with("CLIENT_SECRET", SECRET)
    }

    /// A run of the scenario; `arguments` go before its name.
    pub(crate) fn run(&self, scenario: &str, arguments: &[&str]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
        let all: Vec<&str> = [&["run"], arguments, &["scenario.yaml"]].concat();
        let output = self.bench().command(folder.path(), &all).output().unwrap();
        Ran::of(output, folder)
    }

    /// What was asked so far and fits.
    pub(crate) fn heard(&self, fits: impl Fn(&Asked) -> bool) -> Vec<Asked> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|one| fits(one)).cloned().collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(
    stream: &TcpStream,
    address: SocketAddr,
    heard: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> String,
) {
    let Some(asked) = read(stream, address, heard) else {
        return;
    };
    let mut stream = stream;
    drop(stream.write_all(answer(&asked).as_bytes()));
}

fn read(stream: &TcpStream, address: SocketAddr, log: &Mutex<Vec<Asked>>) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let header = |name: &str| {
        let mut lines = head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let mut line = head.split(' ');
    let mut asked = Asked {
        method: line.next()?.to_owned(),
        target: line.next()?.to_owned(),
        bearer: bearer.unwrap_or_default().to_owned(),
        body: String::from_utf8(body).ok()?,
        head: head.clone(),
        base: format!("http://{address}"),
        turn: 0,
    };
    let mut log = log.lock().unwrap();
    let same = |one: &&Asked| {
        one.is_for_a_token() && one.parameter("client_id") == asked.parameter("client_id")
    };
    asked.turn = log.iter().filter(same).count() + usize::from(asked.is_for_a_token());
    log.push(asked.clone());
    Some(asked)
}

/// A whole answer; `headers` are lines with their ends.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// An answer in JSON.
pub(crate) fn json(status: u16, body: &Value) -> String {
    answer(
        status,
        "content-type: application/json\r\n",
        &body.to_string(),
    )
}

/// A token response with this token, which lives so long.
pub(crate) fn issued(token: &str, seconds: u64) -> String {
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds });
    json(200, &body)
}

/// A JWT that nobody verifies.
pub(crate) fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(claims))
}

/// A discovery document like most, with other members in place of its own.
pub(crate) fn discovery(base: &str, other: &Value) -> Value {
    let mut document = json!({ "issuer": base, "token_endpoint": format!("{base}/token") });
    for (name, value) in other.as_object().into_iter().flatten() {
        document[name] = value.clone();
    }
    document
}
