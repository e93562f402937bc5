//! An answer that nobody is known for in, a file of the corpus about it out: without secrets, people, hosts and ids.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use sha2::{Digest, Sha256};

use super::sanitizer::{clean, clean_block};
use crate::door::{Answer, HttpAnswer};
use crate::run::Piece;

/// A file for `tests/fixtures/answers`, to be reviewed and filled in by hand: what only a person can say is `?`.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// The file's name: the same answer has the same.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What must not stand in a file that others will read: the run's id and the hosts of the deployment.
#[derive(Clone, Debug)]
pub struct Private<'a> {
    /// The run's id.
    pub run_id: &'a str,
    /// Host and port of each URL of the deployment, and the host alone.
    pub hosts: Vec<String>,
}

impl Specimen {
    /// The file about an answer; `None` where none came.
    pub fn of(piece: &Piece, private: &Private<'_>) -> Option<Self> {
        let Answer::Http(answer) = &piece.observation.answer else {
            return None;
        };
        let text = format!(
            "{}---\n{}\n{}",
            front(piece, answer, private),
            head(answer, private),
            clean_block(&private.removed(&answer.body))
        );
        let digest = Sha256::digest(text.as_bytes());
        let mark: String = digest.iter().take(4).fold(String::new(), |mut mark, byte| {
            // Writing to a text does not fail.
            let _ = write!(mark, "{byte:02x}");
            mark
        });
        let door = kind(piece);
        Some(Self {
            name: format!("recorded-{}-{door}-{mark}.http", answer.status),
            text,
        })
    }
}

fn kind(piece: &Piece) -> &'static str {
    if piece.door.speaks_mcp() {
        "mcp"
    } else {
        "rest"
    }
}

fn front(piece: &Piece, answer: &HttpAnswer, private: &Private<'_>) -> String {
    let request = piece.observation.request.split('?').next();
    let request = private.removed(request.unwrap_or_default());
    let word = |flag: bool| if flag { "yes" } else { "no" };
    let mut front = format!(
        "product: ?\nsource: recorded by rolecall {}\nsituation: read as {} so far\ndoor: {}\nrequest: {}\ntoken: {}\ndecoy: {}\nexpect: ?\nsignature: ?\nproves: ?\n",
        env!("CARGO_PKG_VERSION"),
        piece.outcome.name(),
        kind(piece),
        clean(&request),
        word(piece.signed_in),
        word(piece.decoy),
    );
    if (answer.body.len() as u64) < answer.body_bytes {
        front.push_str("cut: yes\n");
    }
    front
}

/// Headers whose value tells who answered and why; of any other only the name does.
const TELLING: [&str; 11] = [
    "allow",
    "cf-mitigated",
    "content-type",
    "location",
    "retry-after",
    "server",
    "via",
    "www-authenticate",
    "x-amzn-errortype",
    "x-amzn-waf-action",
    "x-envoy-ratelimited",
];

fn head(answer: &HttpAnswer, private: &Private<'_>) -> String {
    let mut head = format!("HTTP/1.1 {} {}\n", answer.status, phrase(answer.status));
    for (name, value) in &answer.headers {
        let value = if TELLING.contains(&&**name) {
            private.removed(value)
        } else {
            "x".to_owned()
        };
        // Writing to a text does not fail.
        let _ = writeln!(head, "{}: {}", clean(name), clean(&value));
    }
    head
}

fn phrase(status: u16) -> &'static str {
    let known = http::StatusCode::from_u16(status).ok();
    known
        .and_then(|status| status.canonical_reason())
        .unwrap_or("X")
}

impl Private<'_> {
    /// The text with signs in place of whatever could tell whose deployment this was.
    fn removed(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if !self.run_id.is_empty() {
            text = text.replace(self.run_id, "0");
        }
        for host in self.hosts.iter().filter(|host| !host.is_empty()) {
            text = text.replace(host.as_str(), "deployment.example");
        }
        for (pattern, sign) in PERSONAL.iter() {
            text = pattern.replace_all(&text, *sign).into_owned();
        }
        let opaque = OPAQUE.replace_all(&text, |found: &Captures<'_>| {
            let word = &found[0];
            let is_drawn = word.contains(|sign: char| sign.is_ascii_digit())
                && word.contains(|sign: char| sign.is_ascii_alphabetic());
            if is_drawn { "OPAQUE" } else { word }.to_owned()
        });
        opaque.into_owned()
    }
}

/// Tokens, mailboxes, object ids and addresses, each with the sign that stands for it.
static PERSONAL: LazyLock<[(Regex, &'static str); 5]> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(text).expect("the patterns of this file are fixed");
    [
        (
            pattern(r"eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,4}"),
            "TOKEN",
        ),
        (
            pattern(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
            "user@example.com",
        ),
        (
            pattern(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
            "00000000-0000-0000-0000-000000000000",
        ),
        (pattern(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"), "192.0.2.1"),
        (pattern(r"(?i)\b[0-9a-f]{16,}\b"), "0"),
    ]
});

/// What is long enough to be a key; only what mixes letters and digits is taken for one.
static OPAQUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9+_=-]{24,}").expect("the pattern of this file is fixed")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn private() -> Private<'static> {
        Private {
            run_id: "7f3a91c2",
            hosts: vec![
                "api.contoso.com:8443".to_owned(),
                "api.contoso.com".to_owned(),
            ],
        }
    }

    #[test]
    fn nothing_is_left_that_tells_whose_it_was() {
        for (said, stands) in [
            (
                "rolecall 7f3a91c2-12 is missing",
                "rolecall 0-12 is missing",
            ),
            (
                "ask https://api.contoso.com:8443/x",
                "ask https://deployment.example/x",
            ),
            (
                "mail anna.b@corp.contoso.com now",
                "mail user@example.com now",
            ),
            ("from 10.1.2.3, sorry", "from 192.0.2.1, sorry"),
            (
                "oid 1B4E28BA-2fa1-11d2-883f-0016d3cca427.",
                "oid 00000000-0000-0000-0000-000000000000.",
            ),
            ("t eyJhbGciOi.eyJ0eXAi.c2ln end", "t TOKEN end"),
            ("key 4f9aA0zQ-kk28hdUw7sLm3Xy9PqRt end", "key OPAQUE end"),
            ("trace 00-0af7651916cd43dd8448eb211c80319c", "trace 00-0"),
            (
                "the-authorization-policy-says-no-to-this",
                "the-authorization-policy-says-no-to-this",
            ),
            (
                "Products.Admin role required",
                "Products.Admin role required",
            ),
        ] {
            assert_eq!(private().removed(said), stands);
        }
    }
}
