//! A request in, the answer that its method, path, tool and token deserve out.

use std::borrow::Cow;

use http::StatusCode;

use crate::workload::{self, Kind, Policy};

/// A request, as far as its answer depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r str,
    pub(crate) target: &'r str,
    pub(crate) token: Option<&'r str>,
    /// What the header `Mcp-Name` mirrors.
    pub(crate) name: Option<&'r str>,
    pub(crate) body: &'r [u8],
}

impl<'r> Asked<'r> {
    /// The number that stands as JSON-RPC `id`.
    fn id(&self) -> &'r str {
        after(self.body, b"\"id\":").map_or("null", |rest| {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            std::str::from_utf8(&rest[..digits]).unwrap_or("null")
        })
    }

    /// The tool: what the header mirrors, else the first name in the body.
    fn tool(&self) -> Option<&'r str> {
        self.name.or_else(|| {
            let rest = after(self.body, b"\"name\":\"")?;
            let end = rest.iter().position(|byte| *byte == b'"')?;
            std::str::from_utf8(&rest[..end]).ok()
        })
    }

    fn says(&self, word: &[u8]) -> bool {
        after(self.body, word).is_some()
    }
}

fn after<'b>(bytes: &'b [u8], what: &[u8]) -> Option<&'b [u8]> {
    let mut windows = bytes.windows(what.len());
    let at = windows.position(|window| window == what)?;
    Some(&bytes[at + what.len()..])
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// JSON; empty with 202 and 204.
    pub(crate) body: Cow<'static, str>,
    /// The header `Mcp-Session-Id`.
    pub(crate) session: Option<&'static str>,
}

impl Answer {
    fn new(status: u16, body: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            body: body.into(),
            session: None,
        }
    }

    /// The header `WWW-Authenticate`.
    pub(crate) fn challenge(&self) -> Option<&'static str> {
        match self.status {
            401 => Some("Bearer error=\"invalid_token\""),
            403 => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        }
    }

    /// As HTTP/1.1 has it.
    pub(crate) fn written(&self) -> Vec<u8> {
        let Self { status, body, .. } = self;
        let challenge = self.challenge();
        let challenge = challenge.map_or_else(String::new, |challenge| {
            format!("www-authenticate: {challenge}\r\n")
        });
        let session = self.session.map_or_else(String::new, |session| {
            format!("mcp-session-id: {session}\r\n")
        });
        let content = if *status == 204 {
            String::new()
        } else {
            let length = body.len();
            format!("content-type: application/json\r\ncontent-length: {length}\r\n")
        };
        let reason = reason(*status);
        format!("HTTP/1.1 {status} {reason}\r\n{challenge}{session}{content}\r\n{body}")
            .into_bytes()
    }
}

/// As every server writes it; clients have another way for words of a server's own.
fn reason(status: u16) -> &'static str {
    let known = StatusCode::from_u16(status);
    let reason = known.ok().and_then(|status| status.canonical_reason());
    reason.unwrap_or("X")
}

/// What a deployment knows and how it errs.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) policy: Policy,
    /// Whether the MCP door looks at the token and not at the tool.
    pub(crate) hole: bool,
    /// How many tools it lists; where there are none it does not know what a list is.
    pub(crate) listed: usize,
}

/// What that deployment answers.
pub(crate) fn answer(house: &House, asked: &Asked<'_>) -> Answer {
    let policy = &house.policy;
    if asked.target == "/mcp" {
        return rpc(house, asked);
    }
    let Some(kind) = Kind::of_target(asked.method, asked.target) else {
        return Answer::new(404, "{}");
    };
    match policy.judge(asked.token, kind) {
        200 if kind.status() == 204 => Answer::new(204, ""),
        200 => Answer::new(kind.status(), r#"{"id":"7","name":"a product"}"#),
        status => Answer::new(status, r#"{"error":"refused"}"#),
    }
}

fn rpc(house: &House, asked: &Asked<'_>) -> Answer {
    let House { policy, hole, .. } = house;
    if asked.method != "POST" {
        return Answer::new(405, "{}");
    }
    if !policy.knows(asked.token) {
        return Answer::new(401, r#"{"error":"invalid_token"}"#);
    }
    if let Some(answer) = opening(asked).or_else(|| list(house, asked)) {
        return answer;
    }
    let id = asked.id();
    let tool = asked.says(b"tools/call").then(|| asked.tool()).flatten();
    let Some(kind) = tool.and_then(Kind::of_tool) else {
        let error = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"Method not found"}}}}"#
        );
        return Answer::new(404, error);
    };
    match policy.judge(asked.token, kind) {
        status if status != 200 && !*hole => Answer::new(status, r#"{"error":"refused"}"#),
        _ => result_of(
            id,
            r#"{"resultType":"complete","content":[{"type":"text","text":"{\"ok\":true}"}]}"#,
        ),
    }
}

/// What opens the door of either era.
fn opening(asked: &Asked<'_>) -> Option<Answer> {
    if asked.says(b"server/discover") {
        let result = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#;
        return Some(result_of(asked.id(), result));
    }
    if asked.says(b"\"initialize\"") {
        let result = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#;
        return Some(Answer {
            session: Some("bench"),
            ..result_of(asked.id(), result)
        });
    }
    if asked.says(b"\"ping\"") {
        return Some(result_of(asked.id(), "{}"));
    }
    asked
        .says(b"notifications/initialized")
        .then(|| Answer::new(202, ""))
}

fn list(house: &House, asked: &Asked<'_>) -> Option<Answer> {
    if house.listed == 0 || !asked.says(b"tools/list") {
        return None;
    }
    let tool = |number| {
        let name = workload::operation(number);
        format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#)
    };
    let tools: Vec<String> = (0..house.listed).map(tool).collect();
    let tools = tools.join(",");
    let result = format!(
        r#"{{"resultType":"complete","tools":[{tools}],"ttlMs":0,"cacheScope":"private"}}"#
    );
    Some(result_of(asked.id(), &result))
}

fn result_of(id: &str, result: &str) -> Answer {
    let message = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
    Answer::new(200, message)
}
