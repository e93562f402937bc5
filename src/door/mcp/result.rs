//! The result of a request in, what it says and the data in it out; nothing where it is none of the request's kind.

use serde_json::Value;

use super::message::{Read, RpcError, Told};
use crate::door::scrubber::Scrubber;
use crate::door::{Payload, Rpc};
use crate::scenario::McpMethod;
use crate::tree::{Members, Tree};

const TEXT_CAP: usize = 2048;

/// What the result in an answer says, and its data where it says something.
pub(super) fn read(
    method: McpMethod,
    told: &Told,
    read: &Read<'_>,
    scrubber: &Scrubber<'_>,
) -> (Rpc, Payload) {
    let result = read.result.as_ref();
    match result.map(|result| meaning(method, result, scrubber)) {
        Some(Rpc::Absent) | None => (Rpc::Absent, Payload::default()),
        Some(rpc) => {
            let told = told.clone();
            (rpc, Payload::of_result(Data { method, told }))
        }
    }
}

/// What a result says. A result without what its method must give is none (2026-07-28 schema, the results by name), and an
/// `isError` that is no boolean says nothing that could be relied on.
fn meaning(method: McpMethod, result: &Members<'_>, scrubber: &Scrubber<'_>) -> Rpc {
    // 2026-07-28: `input_required` asks for more before the tool runs; older peers say nothing and mean `complete`.
    if result
        .get("resultType")
        .is_some_and(|kind| !kind.is("complete"))
    {
        return Rpc::Absent;
    }
    let is_error = match result.get("isError") {
        None => false,
        Some(Tree::Bool(is_error)) => *is_error,
        Some(_) => return Rpc::Absent,
    };
    let Some(texts) = texts(method, result) else {
        return Rpc::Absent;
    };
    let text = match texts[..] {
        [text] => scrubber.text(text, TEXT_CAP),
        _ => scrubber.text(&texts.join("\n"), TEXT_CAP),
    };
    Rpc::Result { is_error, text }
}

/// What an error object says.
pub(super) fn error(error: &RpcError, scrubber: &Scrubber<'_>) -> Rpc {
    Rpc::Error {
        code: error.code,
        message: scrubber.text(&error.message, TEXT_CAP),
    }
}

/// The texts in a result, for people; `None` when it is no result of that method. A tool's may leave everything out.
fn texts<'r>(method: McpMethod, result: &'r Members<'_>) -> Option<Vec<&'r str>> {
    let list = |name: &str| result.get(name).and_then(Tree::as_list);
    Some(match method {
        McpMethod::CallTool => list("content")
            .into_iter()
            .flatten()
            .filter_map(text_of)
            .collect(),
        McpMethod::ReadResource => {
            let contents = list("contents")?.iter();
            contents
                .filter_map(|content| content.get("text")?.as_str())
                .collect()
        }
        McpMethod::GetPrompt => {
            let messages = list("messages")?.iter();
            messages
                .filter_map(|message| text_of(message.get("content")?))
                .collect()
        }
        McpMethod::Complete => nothing_for(result.get("completion")?.get("values")?.as_list())?,
        McpMethod::ListTools => nothing_for(list("tools"))?,
        McpMethod::ListResources => nothing_for(list("resources"))?,
        McpMethod::ListTemplates => nothing_for(list("resourceTemplates"))?,
        McpMethod::ListPrompts => nothing_for(list("prompts"))?,
        McpMethod::Discover => nothing_for(list("supportedVersions"))?,
        McpMethod::Initialize => nothing_for(result.get("protocolVersion")?.as_str())?,
    })
}

/// What is there for programs says nothing to people.
fn nothing_for<T>(present: Option<T>) -> Option<Vec<&'static str>> {
    present.map(|_| Vec::new())
}

fn text_of<'r>(block: &'r Tree<'_>) -> Option<&'r str> {
    let is_text = block.get("type")?.is("text");
    block.get("text")?.as_str().filter(|_| is_text)
}

/// The data in a result that says something: a tool's `structuredContent`, else the first text of a tool's or resource's that
/// is JSON; any other result whole.
#[derive(Clone, Debug)]
pub(in crate::door) struct Data {
    method: McpMethod,
    told: Told,
}

impl Data {
    /// The data; `None` when there is none.
    pub(in crate::door) fn value(&self) -> Option<Value> {
        match self.method {
            McpMethod::CallTool => self.told.look(|result| {
                let structured = result.get("structuredContent");
                let structured = structured.filter(|content| **content != Tree::Null);
                let structured = structured.cloned().map(Tree::into_value);
                structured.or_else(|| first_document(self.method, result))
            }),
            McpMethod::ReadResource => self.told.look(|result| first_document(self.method, result)),
            McpMethod::GetPrompt
            | McpMethod::Complete
            | McpMethod::ListTools
            | McpMethod::ListResources
            | McpMethod::ListTemplates
            | McpMethod::ListPrompts
            | McpMethod::Discover
            | McpMethod::Initialize => Some(Value::Object(self.told.members())),
        }
    }
}

fn first_document(method: McpMethod, result: &Members<'_>) -> Option<Value> {
    let texts = texts(method, result)?;
    texts
        .iter()
        .find_map(|text| serde_json::from_str(text).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::door::mcp::message::{Message, Messages};
    use crate::door::mcp::tests::reply;
    use crate::secret::{Redactor, Secret};

    fn told(method: McpMethod, result: &Value, scrubber: &Scrubber<'_>) -> (Rpc, Option<Value>) {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "result": result }).to_string();
        let reply = reply(200, "application/json", body);
        let messages = Messages::of(&reply);
        let answer = messages.read(7);
        let Some(Message::Result(told)) = &answer.message else {
            panic!("{result} is a result");
        };
        let (rpc, payload) = super::read(method, told, &answer, scrubber);
        (rpc, payload.value())
    }

    fn read(method: McpMethod, result: &Value) -> (Rpc, Option<Value>) {
        let redactor = Redactor::default();
        told(method, result, &Scrubber::new(&redactor))
    }

    fn says(is_error: bool, text: &str) -> Rpc {
        Rpc::Result {
            is_error,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_tools_result_says_its_texts_and_gives_its_data() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let table = [
            (json!({}), says(false, ""), None),
            (
                json!({ "content": [text("a"), { "type": "image" }, text("b")] }),
                says(false, "a\nb"),
                None,
            ),
            (
                json!({ "content": [text("no")], "isError": true }),
                says(true, "no"),
                None,
            ),
            (
                json!({ "content": [text("hi"), text("{\"id\":7}")] }),
                says(false, "hi\n{\"id\":7}"),
                Some(json!({"id":7})),
            ),
            (
                json!({ "structuredContent": { "id": 8 }, "content": [text("7")] }),
                says(false, "7"),
                Some(json!({"id":8})),
            ),
            (
                json!({ "structuredContent": null, "content": [text("7")] }),
                says(false, "7"),
                Some(json!(7)),
            ),
            (
                json!({ "content": "odd", "isError": false }),
                says(false, ""),
                None,
            ),
            (json!({ "isError": "true" }), Rpc::Absent, None),
            (json!({ "isError": null }), Rpc::Absent, None),
            (
                json!({ "resultType": "input_required", "inputRequests": {} }),
                Rpc::Absent,
                None,
            ),
            (json!({ "resultType": "complete" }), says(false, ""), None),
        ];
        for (result, rpc, payload) in table {
            let got = read(McpMethod::CallTool, &result);
            assert_eq!(got, (rpc, payload), "{result}");
        }
    }

    #[test]
    fn a_resources_data_is_its_first_json_text() {
        let table = [
            (
                json!([{ "uri": "p://a", "text": "{\"id\":7}" }]),
                says(false, "{\"id\":7}"),
                Some(json!({"id":7})),
            ),
            (
                json!([{ "uri": "p://a", "blob": "AA==" }, { "uri": "p://b", "text": "7" }]),
                says(false, "7"),
                Some(json!(7)),
            ),
            (
                json!([{ "uri": "p://a", "text": "plain" }]),
                says(false, "plain"),
                None,
            ),
            (json!([]), says(false, ""), None),
            (json!("none"), Rpc::Absent, None),
        ];
        for (contents, rpc, payload) in table {
            let result = json!({ "resultType": "complete", "contents": contents });
            let got = read(McpMethod::ReadResource, &result);
            assert_eq!(got, (rpc, payload), "{result}");
        }
    }

    /// What a result of each method must have.
    fn kinds() -> [(McpMethod, Value, &'static str); 9] {
        let message = json!({ "role": "user", "content": { "type": "text", "text": "hello" } });
        [
            (McpMethod::ReadResource, json!({ "contents": [] }), ""),
            (
                McpMethod::GetPrompt,
                json!({ "messages": [message] }),
                "hello",
            ),
            (
                McpMethod::Complete,
                json!({ "completion": { "values": ["403"] } }),
                "",
            ),
            (McpMethod::ListTools, json!({ "tools": [] }), ""),
            (McpMethod::ListResources, json!({ "resources": [] }), ""),
            (
                McpMethod::ListTemplates,
                json!({ "resourceTemplates": [] }),
                "",
            ),
            (McpMethod::ListPrompts, json!({ "prompts": [] }), ""),
            (
                McpMethod::Discover,
                json!({ "supportedVersions": ["2026-07-28"] }),
                "",
            ),
            (
                McpMethod::Initialize,
                json!({ "protocolVersion": "2025-11-25" }),
                "",
            ),
        ]
    }

    #[test]
    fn a_result_of_another_kind_is_none() {
        for (method, _, _) in kinds() {
            for (other, result, text) in kinds() {
                let expected = if method == other {
                    says(false, text)
                } else {
                    Rpc::Absent
                };
                assert_eq!(read(method, &result).0, expected, "{method:?} {result}");
            }
            assert_eq!(read(method, &json!({})).0, Rpc::Absent, "{method:?}");
            let mut asking = kinds().into_iter().find(|kind| kind.0 == method).unwrap().1;
            asking["resultType"] = json!("input_required");
            assert_eq!(read(method, &asking).0, Rpc::Absent, "{method:?}");
        }
    }

    #[test]
    fn lists_are_given_whole_for_captures() {
        let list = json!({ "prompts": [{ "name": "ask" }] });
        assert_eq!(read(McpMethod::ListPrompts, &list).1, Some(list));
    }

    #[test]
    fn texts_are_capped() {
        let long = json!({ "content": [{ "type": "text", "text": "x".repeat(9000) }] });
        assert_eq!(
            read(McpMethod::CallTool, &long).0,
            says(false, &"x".repeat(TEXT_CAP))
        );
        let shout = RpcError {
            code: -1,
            message: "y".repeat(9000),
            data: None,
        };
        let redactor = Redactor::default();
        let expected = Rpc::Error {
            code: -1,
            message: "y".repeat(TEXT_CAP),
        };
        assert_eq!(error(&shout, &Scrubber::new(&redactor)), expected);
    }

    #[test]
    fn a_secret_that_a_tool_repeats_does_not_survive() {
        let canary = "canary-7f3a91c2e85d";
        let redactor = Redactor::default();
        redactor.learn(&Secret::new(canary.to_owned()));
        let scrubber = Scrubber::new(&redactor);
        let words = format!("{}{canary}", "x".repeat(TEXT_CAP - 8));
        let echo = json!({ "content": [{ "type": "text", "text": words }], "isError": true });
        let (result, _) = told(McpMethod::CallTool, &echo, &scrubber);
        let refusal = RpcError {
            code: -1,
            message: words,
            data: None,
        };
        let record = serde_json::to_string(&[result, error(&refusal, &scrubber)]).unwrap();
        assert!(!record.contains("canary"), "{record}");
    }
}
