//! The result of a request in, what it says and the data in it out; nothing where it is none of the request's kind.

use serde_json::{Map, Value};

use super::message::RpcError;
use crate::door::observation::sound::is_json;
use crate::door::scrubber::Scrubber;
use crate::door::{Payload, Rpc};
use crate::scenario::McpMethod;

const TEXT_CAP: usize = 2048;

/// What a result says, and its data: a tool's `structuredContent`, else the first text of a tool's or resource's that
/// is JSON; any other result whole. A result without what its method must give is none (2026-07-28 schema, the results
/// by name), and an `isError` that is no boolean says nothing that could be relied on.
pub(super) fn meaning(
    method: McpMethod,
    result: &Map<String, Value>,
    scrubber: &Scrubber<'_>,
) -> (Rpc, Payload) {
    // 2026-07-28: `input_required` asks for more before the tool runs; older peers say nothing and mean `complete`.
    if result
        .get("resultType")
        .is_some_and(|kind| kind != "complete")
    {
        return (Rpc::Absent, Payload::default());
    }
    let is_error = match result.get("isError") {
        None => false,
        Some(Value::Bool(is_error)) => *is_error,
        Some(_) => return (Rpc::Absent, Payload::default()),
    };
    let Some(texts) = texts(method, result) else {
        return (Rpc::Absent, Payload::default());
    };
    let text = scrubber.text(&texts.join("\n"), TEXT_CAP);
    let rpc = Rpc::Result { is_error, text };
    (rpc, payload(method, result, &texts))
}

/// What an error object says.
pub(super) fn error(error: &RpcError, scrubber: &Scrubber<'_>) -> Rpc {
    Rpc::Error {
        code: error.code,
        message: scrubber.text(&error.message, TEXT_CAP),
    }
}

/// The texts in a result, for people; `None` when it is no result of that method. A tool's may leave everything out.
fn texts(method: McpMethod, result: &Map<String, Value>) -> Option<Vec<&str>> {
    let list = |name: &str| result.get(name).and_then(Value::as_array);
    Some(match method {
        McpMethod::CallTool => list("content")
            .into_iter()
            .flatten()
            .filter_map(text_of)
            .collect(),
        McpMethod::ReadResource => {
            let contents = list("contents")?.iter();
            contents
                .filter_map(|content| content["text"].as_str())
                .collect()
        }
        McpMethod::GetPrompt => {
            let messages = list("messages")?.iter();
            messages
                .filter_map(|message| text_of(&message["content"]))
                .collect()
        }
        McpMethod::Complete => nothing_for(result.get("completion")?.get("values")?.as_array())?,
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

fn text_of(block: &Value) -> Option<&str> {
    let is_text = block["type"] == "text";
    block["text"].as_str().filter(|_| is_text)
}

fn payload(method: McpMethod, result: &Map<String, Value>, texts: &[&str]) -> Payload {
    let of_texts = || {
        let mut texts = texts.iter();
        let first = texts.find(|text| is_json(text.as_bytes()));
        first.map_or_else(Payload::default, |text| {
            Payload::of_text((*text).to_owned())
        })
    };
    match method {
        McpMethod::CallTool => {
            let structured = result.get("structuredContent");
            let structured = structured.filter(|content| !content.is_null());
            structured.cloned().map_or_else(of_texts, Payload::of_data)
        }
        McpMethod::ReadResource => of_texts(),
        McpMethod::GetPrompt
        | McpMethod::Complete
        | McpMethod::ListTools
        | McpMethod::ListResources
        | McpMethod::ListTemplates
        | McpMethod::ListPrompts
        | McpMethod::Discover
        | McpMethod::Initialize => Payload::of_data(Value::Object(result.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::secret::{Redactor, Secret};

    fn read(method: McpMethod, result: &Value) -> (Rpc, Option<Value>) {
        let redactor = Redactor::default();
        let (rpc, payload) = meaning(
            method,
            result.as_object().unwrap(),
            &Scrubber::new(&redactor),
        );
        (rpc, payload.value())
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
        let (result, _) = meaning(McpMethod::CallTool, echo.as_object().unwrap(), &scrubber);
        let refusal = RpcError {
            code: -1,
            message: words,
            data: None,
        };
        let record = serde_json::to_string(&[result, error(&refusal, &scrubber)]).unwrap();
        assert!(!record.contains("canary"), "{record}");
    }
}
