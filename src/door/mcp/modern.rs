//! A request in, its request in the stateless era out (revision 2026-07-28).

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{Headers, Inquiry, Question, Utterance};
use crate::scenario::McpMethod;

/// The revision that this era's requests name.
pub(in crate::door) const VERSION: &str = "2026-07-28";

/// The `_meta` key that names a request's revision once more.
pub(in crate::door) const VERSION_META: &str = "io.modelcontextprotocol/protocolVersion";

/// The header that names a request's revision.
pub(in crate::door) const PROTOCOL_VERSION: HeaderName =
    HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// What a scenario asks, with its method mirrored in `Mcp-Method` and, where the revision says so, its name in
/// `Mcp-Name`.
pub(in crate::door) fn inquiry(inquiry: &Inquiry<'_>) -> Utterance {
    let method = inquiry.method.name();
    let mut headers = headers(method);
    let named = inquiry.name.filter(|_| mirrors_name(inquiry.method));
    headers.extend(named.map(name));
    Utterance {
        question: inquiry.question(),
        method,
        params: Some(Arc::clone(inquiry.params)),
        meta: Some(&META),
        headers,
    }
}

/// The methods whose `params.name` or `params.uri` stands in `Mcp-Name` (2026-07-28 Streamable HTTP, standard headers).
const fn mirrors_name(method: McpMethod) -> bool {
    matches!(
        method,
        McpMethod::CallTool | McpMethod::ReadResource | McpMethod::GetPrompt
    )
}

/// The header that mirrors a name.
pub(in crate::door) fn name(name: &str) -> (HeaderName, HeaderValue) {
    (NAME, header_value(name))
}

/// `server/discover`, which a server of this era must answer.
pub(in crate::door) fn discover() -> Utterance {
    request(McpMethod::Discover.name(), &json!({ "_meta": meta() }))
}

pub(in crate::door) fn request(method: &'static str, params: &Value) -> Utterance {
    Utterance {
        question: Question::in_vain(method),
        method,
        params: Some(params.to_string().into()),
        meta: None,
        headers: headers(method),
    }
}

fn headers(method: &'static str) -> Headers {
    let mut headers = Vec::with_capacity(5);
    headers.push((PROTOCOL_VERSION, HeaderValue::from_static(VERSION)));
    headers.push((METHOD, HeaderValue::from_static(method)));
    headers
}

/// What replaces the handshake: every request says it anew (2026-07-28, per-request `_meta`).
pub(in crate::door) fn meta() -> Value {
    json!({
        VERSION_META: VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": client_info(),
    })
}

/// The same as it is written.
static META: LazyLock<String> = LazyLock::new(|| format!("\"_meta\":{}", meta()));

/// Who calls.
pub(super) fn client_info() -> Value {
    json!({ "name": "rolecall", "version": env!("CARGO_PKG_VERSION") })
}

/// Text as a mirrored header carries it: as it stands, or as `=?base64?…?=` where a header could not hold it or would
/// be taken for that form (2026-07-28 Streamable HTTP, value encoding).
fn header_value(text: &str) -> HeaderValue {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let padded = text.starts_with(' ') || text.ends_with(' ');
    if plain
        && !padded
        && !text.starts_with("=?base64?")
        && let Ok(value) = HeaderValue::from_str(text)
    {
        return value;
    }
    let encoded = format!("=?base64?{}?=", STANDARD.encode(text));
    HeaderValue::try_from(encoded).expect("base64 is visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::heading::Sender;
    use crate::door::heading::tests::{NOBODY, pairs};
    use crate::door::mcp::tests::lines;

    const META: &str = concat!(
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
        r#""io.modelcontextprotocol/clientCapabilities":{},"#,
        r#""io.modelcontextprotocol/clientInfo":{"name":"rolecall","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#""}}"#
    );

    #[test]
    fn a_tool_call_is_one_post_that_says_everything() {
        let bearer = HeaderValue::from_static("Bearer t");
        let stated = pairs(&[("X-Env", "test"), ("Accept", "text/csv")]);
        let utterance = inquiry(&Inquiry {
            method: McpMethod::CallTool,
            name: Some("deleteProduct"),
            params: &Arc::from(r#"{"name":"deleteProduct","arguments":{"id":7}}"#),
        });
        let sender = Sender {
            authorization: Some(&bearer),
            ..NOBODY
        };
        let draft = utterance.clone().draft(&stated);
        let call = draft.call("https://h/mcp?x=%2e", sender, Some(123_456_789));
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":123456789,"method":"tools/call","params":{{"name":"deleteProduct","arguments":{{"id":7}},{META}}}}}"#
        );
        assert_eq!(
            lines(&call),
            [
                "POST https://h/mcp?x=%2e",
                "accept: application/json, text/event-stream",
                "authorization: Bearer t",
                "content-type: application/json",
                "mcp-method: tools/call",
                "mcp-name: deleteProduct",
                "mcp-protocol-version: 2026-07-28",
                concat!("user-agent: rolecall/", env!("CARGO_PKG_VERSION")),
                "x-env: test",
                &body,
            ]
        );
        assert_eq!(&*utterance.question.request, "tools/call deleteProduct");
    }

    #[test]
    fn discovery_mirrors_its_method_and_no_name() {
        let call = discover().draft(&[]).call("https://h/mcp", NOBODY, Some(1));
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{{{META}}}}}"#);
        assert_eq!(
            lines(&call),
            [
                "POST https://h/mcp",
                "accept: application/json, text/event-stream",
                "content-type: application/json",
                "mcp-method: server/discover",
                "mcp-protocol-version: 2026-07-28",
                concat!("user-agent: rolecall/", env!("CARGO_PKG_VERSION")),
                &body,
            ]
        );
    }

    #[test]
    fn meta_stands_in_params_beside_what_is_stated() {
        let table = [
            ("{}", format!("{{{META}}}")),
            (r#"{"uri":"a}"}"#, format!(r#"{{"uri":"a}}",{META}}}"#)),
        ];
        for (params, written) in table {
            let inquiry = inquiry(&Inquiry {
                method: McpMethod::ListTools,
                name: None,
                params: &Arc::from(params),
            });
            let call = inquiry.draft(&[]).call("http://h", NOBODY, None);
            let body = format!(r#"{{"jsonrpc":"2.0","method":"tools/list","params":{written}}}"#);
            assert_eq!(call.body, body);
        }
    }

    #[test]
    fn names_that_a_header_cannot_hold_travel_in_base64() {
        let table = [
            ("deleteProduct", "deleteProduct"),
            ("two words", "two words"),
            ("", ""),
            (" padded", "=?base64?IHBhZGRlZA==?="),
            ("löschen", "=?base64?bMO2c2NoZW4=?="),
            ("a\r\nb", "=?base64?YQ0KYg==?="),
            ("a\tb", "=?base64?YQli?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ];
        for (name, value) in table {
            assert_eq!(header_value(name), value, "{name:?}");
        }
    }
}
