//! The result of a tool call in, what it says and the data in it out.

use serde_json::{Map, Value};

use super::message::RpcError;
use crate::door::Rpc;
use crate::door::scrubber::Scrubber;

/// The method that calls a tool.
pub(super) const METHOD: &str = "tools/call";

const TEXT_CAP: usize = 2048;

/// What a `CallToolResult` says, and its data: `structuredContent`, else its first text block that is JSON. An
/// `isError` that is no boolean says nothing that could be relied on.
pub(super) fn meaning(
    result: &Map<String, Value>,
    scrubber: &Scrubber<'_>,
) -> (Rpc, Option<Value>) {
    // 2026-07-28: `input_required` asks for more before the tool runs; older peers say nothing and mean `complete`.
    if result
        .get("resultType")
        .is_some_and(|kind| kind != "complete")
    {
        return (Rpc::Absent, None);
    }
    let is_error = match result.get("isError") {
        None => false,
        Some(Value::Bool(is_error)) => *is_error,
        Some(_) => return (Rpc::Absent, None),
    };
    let texts: Vec<&str> = texts(result).collect();
    let text = scrubber.text(&texts.join("\n"), TEXT_CAP);
    (Rpc::Result { is_error, text }, payload(result, &texts))
}

/// What an error object says.
pub(super) fn error(error: &RpcError, scrubber: &Scrubber<'_>) -> Rpc {
    Rpc::Error {
        code: error.code,
        message: scrubber.text(&error.message, TEXT_CAP),
    }
}

fn texts(result: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let blocks = result
        .get("content")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let texts = blocks.filter(|block| block["type"] == "text");
    texts.filter_map(|block| block["text"].as_str())
}

fn payload(result: &Map<String, Value>, texts: &[&str]) -> Option<Value> {
    let structured = result
        .get("structuredContent")
        .filter(|content| !content.is_null());
    structured.cloned().or_else(|| {
        texts
            .iter()
            .find_map(|text| serde_json::from_str(text).ok())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::secret::{Redactor, Secret};

    fn read(result: &Value) -> (Rpc, Option<Value>) {
        meaning(
            result.as_object().unwrap(),
            &Scrubber::new(&Redactor::default()),
        )
    }

    fn says(is_error: bool, text: &str) -> Rpc {
        Rpc::Result {
            is_error,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_result_says_its_texts_and_gives_its_data() {
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
            assert_eq!(read(&result), (rpc, payload), "{result}");
        }
    }

    #[test]
    fn texts_are_capped() {
        let long = json!({ "content": [{ "type": "text", "text": "x".repeat(9000) }] });
        assert_eq!(read(&long).0, says(false, &"x".repeat(TEXT_CAP)));
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
        let (result, _) = meaning(echo.as_object().unwrap(), &scrubber);
        let refusal = RpcError {
            code: -1,
            message: words,
            data: None,
        };
        let record = serde_json::to_string(&[result, error(&refusal, &scrubber)]).unwrap();
        assert!(!record.contains("canary"), "{record}");
    }
}
