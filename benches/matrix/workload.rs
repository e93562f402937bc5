//! A number of operations in, the same matrix as a scenario, a curl configuration, a Hurl file, a wrk script and a pytest file out.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Who calls, with its role; the last one does not sign in.
pub(crate) const PERSONAS: [&str; 4] = ["reader", "writer", "admin", "anonymous"];

/// Bytes of a token, as Entra's are.
const TOKEN: usize = 1400;

/// Requests that wrk repeats: its own memory must not be what is measured.
const MIX: usize = 2_400;

/// What sort of operation it is; every fourth is of the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Kind(usize);

impl Kind {
    fn method(self) -> &'static str {
        if self.0 == 1 { "POST" } else { "GET" }
    }

    /// What REST answers to whoever may.
    pub(crate) fn status(self) -> u16 {
        [200, 201, 200, 204][self.0]
    }

    fn allows(self, persona: usize) -> bool {
        let first = [0, 1, 2, 1][self.0];
        (first..3).contains(&persona)
    }

    fn of_number(text: &str) -> Option<Self> {
        text.get(..5)?
            .parse()
            .ok()
            .map(|number: usize| Self(number % 4))
    }

    /// The kind that a request line is for.
    pub(crate) fn of_target(method: &str, target: &str) -> Option<Self> {
        let kind = Self::of_number(target.strip_prefix("/api/op")?)?;
        (kind.method() == method).then_some(kind)
    }

    /// The kind that a tool is of.
    pub(crate) fn of_tool(tool: &str) -> Option<Self> {
        Self::of_number(tool.strip_prefix("op")?)
    }
}

/// Who may what, as the deployment knows it.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    tokens: [String; 3],
}

/// The policy that every workload is about.
pub(crate) fn policy() -> Policy {
    Policy {
        tokens: [token(0), token(1), token(2)],
    }
}

impl Policy {
    /// Whether the token is one of ours.
    pub(crate) fn knows(&self, token: Option<&str>) -> bool {
        self.persona(token).is_some()
    }

    /// 200, 401 or 403.
    pub(crate) fn judge(&self, token: Option<&str>, kind: Kind) -> u16 {
        match self.persona(token) {
            None => 401,
            Some(persona) if kind.allows(persona) => 200,
            Some(_) => 403,
        }
    }

    fn persona(&self, token: Option<&str>) -> Option<usize> {
        let token = token?;
        self.tokens.iter().position(|known| known == token)
    }
}

/// A token that says who it is for; its signature is nobody's.
pub(crate) fn token(persona: usize) -> String {
    let role = PERSONAS[persona];
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT","kid":"bench"}"#);
    let claims = format!(
        r#"{{"iss":"https://bench.invalid","aud":"bench","sub":"{role}","exp":4102444800,"roles":["{role}"],"pad":"{}"}}"#,
        "x".repeat(600)
    );
    let mut token = format!("{header}.{}.", URL_SAFE_NO_PAD.encode(claims));
    let missing = TOKEN - token.len();
    let mut lot = 0x9e37_79b9_u32;
    let signature = (0..(persona + 1) * missing).map(|_| {
        lot = lot.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        lot.to_be_bytes()[0]
    });
    let signature: Vec<u8> = signature.skip(persona * missing).collect();
    token.push_str(&URL_SAFE_NO_PAD.encode(signature)[..missing]);
    token
}

/// Where a scenario's deployment is, and how its personas come by their tokens.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The deployment's URL, without a path.
    pub(crate) url: String,
    /// The token endpoint's.
    pub(crate) token: String,
    /// The MCP door that is tested.
    pub(crate) mcp: &'static str,
    /// Whether tokens are asked for there; else each persona has one in a file.
    pub(crate) asks: bool,
}

/// One matrix against one port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    operations: usize,
    port: u16,
}

/// One request of it, with the status that must come back.
struct Check {
    name: String,
    method: &'static str,
    path: String,
    persona: usize,
    body: Option<String>,
    tool: Option<String>,
    status: u16,
}

impl Workload {
    pub(crate) fn new(operations: usize, port: u16) -> Self {
        Self { operations, port }
    }

    /// How many checks it has.
    pub(crate) fn checks(&self) -> usize {
        self.operations * PERSONAS.len() * 2
    }

    /// Writes every contestant's input into the folder.
    pub(crate) fn lay(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("scenario.yaml"), self.plain_scenario())?;
        for (persona, name) in PERSONAS.iter().enumerate().take(3) {
            fs::write(folder.join(format!("{name}.token")), token(persona))?;
        }
        fs::write(folder.join("curl.conf"), self.curl())?;
        fs::write(folder.join("verify.awk"), AWK)?;
        fs::write(folder.join("mix.lua"), self.wrk())?;
        fs::write(folder.join("matrix.hurl"), self.hurl())?;
        fs::write(folder.join("checks.tsv"), self.table())?;
        fs::write(folder.join("test_matrix.py"), PYTEST)
    }

    fn plain_scenario(&self) -> String {
        let url = format!("http://127.0.0.1:{}", self.port);
        self.scenario(&Site {
            token: format!("{url}/token"),
            url,
            mcp: "mcp",
            asks: false,
        })
    }

    /// The matrix as a scenario for that site.
    pub(crate) fn scenario(&self, site: &Site) -> String {
        let Site {
            url, token, mcp, ..
        } = site;
        let mut text = format!(
            "rolecall: 1\nname: Bench\n\ndeployment:\n  rest: {url}\n  mcp: {{ url: {url}/mcp, requirements: ignore, undeclared: ignore }}\n  doors: [rest, {mcp}]\n\nidentity:\n  endpoints: {{ token: {token}, issuer: https://bench.invalid, audience: bench }}\n\npersonas:\n"
        );
        for name in &PERSONAS[..3] {
            let sign_in = if site.asks {
                format!(
                    "client_credentials: {{ client_id: {name}, client_secret: {{ file: {name}.secret }} }}"
                )
            } else {
                format!("token: {{ file: {name}.token }}")
            };
            line(
                &mut text,
                format_args!("  {name}: {{ roles: [{name}], sign_in: {{ {sign_in} }} }}"),
            );
        }
        text.push_str("  anonymous: { sign_in: none }\n\noperations:\n");
        for number in 0..self.operations {
            let kind = Kind(number % 4);
            let allowed: Vec<&str> = (0..3)
                .filter(|persona| kind.allows(*persona))
                .map(|persona| PERSONAS[persona])
                .collect();
            let allow = allowed.join(", ");
            let name = operation(number);
            let rest = match kind.0 {
                1 => format!("{{ request: POST /api/{name}, json: {{ name: x, price: 1 }} }}"),
                2 => format!("\"GET /api/{name}/items/7?page=1\""),
                _ => format!("GET /api/{name}"),
            };
            line(
                &mut text,
                format_args!(
                    "  {name}: {{ allow: [{allow}], mutates: false, rest: {rest}, mcp: {{ tool: {name}, arguments: {{ id: \"7\" }} }} }}"
                ),
            );
        }
        text
    }

    fn checks_of(self) -> impl Iterator<Item = Check> {
        (0..self.operations).flat_map(|number| {
            (0..2).flat_map(move |door| {
                (0..PERSONAS.len()).map(move |persona| check(number, door, persona))
            })
        })
    }

    fn curl(&self) -> String {
        let mut text = String::from("silent\nparallel\nparallel-max = 32\n");
        for (at, check) in self.checks_of().enumerate() {
            if at > 0 {
                text.push_str("next\nsilent\n");
            }
            line(
                &mut text,
                format_args!(
                    "url = \"{}\"\nrequest = {}\noutput = /dev/null\nwrite-out = \"{}\\t{}\\t%{{http_code}}\\n\"",
                    self.url(&check),
                    check.method,
                    check.name,
                    check.status
                ),
            );
            for (name, value) in headers(&check) {
                line(&mut text, format_args!("header = \"{name}: {value}\""));
            }
            if let Some(body) = &check.body {
                line(
                    &mut text,
                    format_args!("data = \"{}\"", body.replace('"', "\\\"")),
                );
            }
        }
        text
    }

    fn hurl(&self) -> String {
        let mut text = String::new();
        for check in self.checks_of() {
            line(
                &mut text,
                format_args!("{} {}", check.method, self.url(&check)),
            );
            for (name, value) in headers(&check) {
                line(&mut text, format_args!("{name}: {value}"));
            }
            if let Some(body) = &check.body {
                line(&mut text, format_args!("{body}"));
            }
            line(&mut text, format_args!("HTTP {}\n", check.status));
        }
        text
    }

    fn wrk(&self) -> String {
        let mut text = String::from("local requests = {}\n");
        for check in self.checks_of().take(MIX) {
            let headers = headers(&check);
            let headers: String = headers
                .iter()
                .flat_map(|(name, value)| [*name, ": ", value, "\\r\\n"])
                .collect();
            let body = check.body.as_ref().map_or_else(
                || "\\r\\n".to_owned(),
                |body| {
                    let quoted = body.replace('"', "\\\"");
                    format!("Content-Length: {}\\r\\n\\r\\n{quoted}", body.len())
                },
            );
            let request = format!(
                "{} {} HTTP/1.1\\r\\nHost: 127.0.0.1:{}\\r\\n{headers}{body}",
                check.method, check.path, self.port
            );
            line(
                &mut text,
                format_args!("requests[#requests + 1] = \"{request}\""),
            );
        }
        text.push_str("local at = 0\nfunction request()\n  at = at % #requests + 1\n  return requests[at]\nend\n");
        text
    }

    fn table(&self) -> String {
        let mut text = String::new();
        for check in self.checks_of() {
            let token = PERSONAS[check.persona];
            line(
                &mut text,
                format_args!(
                    "{}\t{}\t{}\t{token}\t{}\t{}\t{}",
                    check.name,
                    check.method,
                    self.url(&check),
                    check.status,
                    check.tool.as_deref().unwrap_or("-"),
                    check.body.as_deref().unwrap_or("-")
                ),
            );
        }
        text
    }

    fn url(&self, check: &Check) -> String {
        format!("http://127.0.0.1:{}{}", self.port, check.path)
    }
}

fn check(number: usize, door: usize, persona: usize) -> Check {
    let kind = Kind(number % 4);
    let name = operation(number);
    let status = match persona {
        3 => 401,
        _ if !kind.allows(persona) => 403,
        _ if door == 1 => 200,
        _ => kind.status(),
    };
    let cell = format!("{}/{name}/{}", PERSONAS[persona], ["rest", "mcp"][door]);
    if door == 1 {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{{"id":"7"}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
        );
        return Check {
            name: cell,
            method: "POST",
            path: "/mcp".to_owned(),
            persona,
            body: Some(body),
            tool: Some(name),
            status,
        };
    }
    let path = match kind.0 {
        2 => format!("/api/{name}/items/7?page=1"),
        _ => format!("/api/{name}"),
    };
    let body = (kind.0 == 1).then(|| r#"{"name":"x","price":1}"#.to_owned());
    Check {
        name: cell,
        method: kind.method(),
        path,
        persona,
        body,
        tool: None,
        status,
    }
}

fn headers(check: &Check) -> Vec<(&'static str, String)> {
    let mut headers = vec![("Accept", "application/json, text/event-stream".to_owned())];
    if check.persona < 3 {
        headers.push(("Authorization", format!("Bearer {}", token(check.persona))));
    }
    if check.body.is_some() {
        headers.push(("Content-Type", "application/json".to_owned()));
    }
    if let Some(tool) = &check.tool {
        headers.push(("Mcp-Protocol-Version", "2026-07-28".to_owned()));
        headers.push(("Mcp-Method", "tools/call".to_owned()));
        headers.push(("Mcp-Name", tool.clone()));
    }
    headers
}

/// The name of an operation and of its tool.
pub(crate) fn operation(number: usize) -> String {
    format!("op{number:05}")
}

fn line(text: &mut String, words: impl std::fmt::Display) {
    writeln!(text, "{words}").expect("a string takes every word");
}

/// What curl's user would write to judge and report.
const AWK: &str = r#"BEGIN { FS = "\t"; print "<testsuites><testsuite name=\"matrix\">" }
$2 == $3 { print "<testcase name=\"" $1 "\"/>"; next }
{ bad++; print "<testcase name=\"" $1 "\"><failure message=\"expected " $2 ", got " $3 "\"/></testcase>" }
END { print "</testsuite></testsuites>"; exit bad > 0 }
"#;

/// What a pytest user would write.
const PYTEST: &str = r#"import pathlib

import httpx
import pytest

HERE = pathlib.Path(__file__).parent
TOKENS = {name: (HERE / f"{name}.token").read_text() for name in ("reader", "writer", "admin")}
CHECKS = [line.split("\t") for line in (HERE / "checks.tsv").read_text().splitlines()]


@pytest.fixture(scope="session")
def client():
    with httpx.Client() as client:
        yield client


@pytest.mark.parametrize("check", CHECKS, ids=[check[0] for check in CHECKS])
def test_cell(client, check):
    _, method, url, persona, status, tool, body = check
    headers = {"Accept": "application/json, text/event-stream"}
    if persona in TOKENS:
        headers["Authorization"] = f"Bearer {TOKENS[persona]}"
    if body != "-":
        headers["Content-Type"] = "application/json"
    if tool != "-":
        headers |= {"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool}
    answer = client.request(method, url, headers=headers, content=None if body == "-" else body)
    assert answer.status_code == int(status)
"#;
