//! The words of an in-band MCP answer in, whether they deny the caller or the existence of what it named out.

use crate::scenario::{Denials, McpMethod};

/// Phrases that say no to the caller. Ambiguous ones ("not allowed", "invalid token") are left out on purpose.
const DENIALS: [&str; 34] = [
    "unauthorized",
    "unauthorised",
    "unauthenticated",
    "not authorized",
    "not authorised",
    "not authenticated",
    "authorization failed",
    "authorization required",
    "requires authorization",
    "authentication required",
    "requires authentication",
    "access denied",
    "accessdenied",
    "permission denied",
    "permissiondenied",
    "denied by",
    "insufficient permission",
    "insufficient_permission",
    "insufficient scope",
    "insufficient_scope",
    "insufficient privilege",
    "insufficient role",
    "missing required scope",
    "missing required role",
    "missing required permission",
    "missing permission",
    "lacks permission",
    "lacks the required",
    "not have permission",
    "t have permission",
    "role required",
    "role is required",
    "not permitted to",
    "rbac:",
];

/// After "forbidden" these speak of the input, not of the caller.
const FORBIDDEN_THINGS: [&str; 9] = [
    "character",
    "word",
    "value",
    "field",
    "content",
    "key",
    "term",
    "symbol",
    "input",
];

/// JSON-RPC error codes that servers derive from HTTP 401 and 403.
const DENIAL_CODES: [i64; 6] = [401, 403, -401, -403, -32401, -32403];

/// What is said of a name that means nothing, around the noun `#`, in a text whose quotes are gone and whose name is
/// [`PLACEHOLDER`].
const UNKNOWN: [&str; 13] = [
    "unknown #",
    "no such #",
    "no # named",
    "no # with",
    "# not found",
    "# {} not found",
    "# {} was not found",
    "# {} does not exist",
    "# {} is not available",
    "# {} is not registered",
    "# {} disabled",
    "# {} is disabled",
    "{} not found or not authorized",
];

/// What SDKs put in place of a tool's error that they withhold, with quotes and tool name as in [`UNKNOWN`]: Python
/// 2, `FastMCP` with `mask_error_details`, C#.
const WITHHELD: [&str; 4] = [
    "",
    "error executing tool {}",
    "error calling tool {}",
    "an error occurred invoking {}",
];

const PLACEHOLDER: &str = "{}";

/// The code that revisions before 2026-07-28 have for a resource that is not there (2025-11-25 resources, Error
/// Handling); the current one forbids it and servers still give it.
const NO_RESOURCE: i64 = -32002;

/// Whether a text says no to the caller.
pub(super) fn denies(text: &str) -> bool {
    let text = text.to_lowercase();
    DENIALS.iter().any(|phrase| text.contains(phrase)) || forbids(&text)
}

/// Whether a JSON-RPC error code is HTTP's 401 or 403 in disguise.
pub(super) fn is_denial_code(code: i64) -> bool {
    DENIAL_CODES.contains(&code)
}

/// Whether a text says that there is no such tool, resource or prompt.
pub(super) fn knows_none(text: &str, method: Option<McpMethod>, name: Option<&str>) -> bool {
    let text = unquoted(text, name);
    let unknown = |noun: &&str| {
        let mut phrases = UNKNOWN.iter();
        phrases.any(|phrase| text.contains(&phrase.replace('#', noun)))
    };
    nouns(method).iter().any(unknown)
}

/// Whether a code says that there is no such resource.
pub(super) fn is_absence_code(code: i64, method: Option<McpMethod>) -> bool {
    method == Some(McpMethod::ReadResource) && code == NO_RESOURCE
}

/// Whether the scenario declares a code to be a denial.
pub(super) fn declares_code(denials: Option<&Denials>, code: i64) -> bool {
    denials.is_some_and(|denials| denials.codes.contains(&code))
}

/// Whether the scenario declares words of a text to be a denial; letters count without regard to case.
pub(super) fn declares_words(denials: Option<&Denials>, text: &str) -> bool {
    let text = text.to_lowercase();
    denials.is_some_and(|denials| {
        let mut words = denials.texts.iter();
        words.any(|words| text.contains(&words.to_lowercase()))
    })
}

/// What servers call that which a method names.
fn nouns(method: Option<McpMethod>) -> &'static [&'static str] {
    match method {
        Some(McpMethod::ReadResource) => &["resource"],
        Some(McpMethod::GetPrompt) => &["prompt"],
        Some(McpMethod::Complete) => &["prompt", "resource", "resource template", "reference"],
        Some(
            McpMethod::CallTool
            | McpMethod::ListTools
            | McpMethod::ListResources
            | McpMethod::ListTemplates
            | McpMethod::ListPrompts
            | McpMethod::Discover
            | McpMethod::Initialize,
        )
        | None => &["tool"],
    }
}

/// Whether the text of a tool's error withholds why it failed: the tool may not even have been reached.
pub(super) fn withholds_why(text: &str, tool: Option<&str>) -> bool {
    let text = unquoted(text, tool);
    let text = text.trim().trim_end_matches('.');
    WITHHELD.contains(&text)
}

/// Whether the text of a result without `isError` is nothing but an inner 401 or 403, as gateways pass it on.
pub(super) fn wraps_a_refusal(text: &str) -> bool {
    let text = text.trim();
    wraps_a_status(text) || wraps_a_document(text)
}

/// A text with the name replaced, so that answers about two names can be compared.
pub(super) fn nameless(text: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() => text.replace(name, PLACEHOLDER),
        Some(_) | None => text.to_owned(),
    }
}

/// Whether a 403 says that the token itself is at fault: what Envoy answers to one for another audience
/// (`jwt_verify_lib`, `JwtAudienceNotAllowed`).
pub(super) fn faults_the_token(body: &str) -> bool {
    body.trim() == "Audiences in Jwt are not allowed"
}

fn unquoted(text: &str, tool: Option<&str>) -> String {
    let mut text = nameless(text, tool).to_lowercase();
    text.retain(|sign| !matches!(sign, '\'' | '"' | '`'));
    text
}

fn forbids(text: &str) -> bool {
    text.match_indices("forbidden").any(|(at, word)| {
        let rest = text[at + word.len()..].trim_start();
        !FORBIDDEN_THINGS.iter().any(|thing| rest.starts_with(thing))
    })
}

fn wraps_a_status(text: &str) -> bool {
    // Most texts are data, and none of the words below begins as JSON does.
    if text.starts_with(['{', '[', '"']) {
        return false;
    }
    let text = text.to_lowercase();
    let bare = [
        "http error ",
        "http status ",
        "http ",
        "error: ",
        "error ",
        "status code ",
        "status ",
    ]
    .iter()
    .find_map(|lead| text.strip_prefix(lead))
    .unwrap_or(&text);
    ["401 unauthorized", "403 forbidden", "401:", "403:"]
        .iter()
        .any(|start| bare.starts_with(start))
        || matches!(bare, "401" | "403")
}

fn wraps_a_document(text: &str) -> bool {
    // A whole number has no other spelling in JSON.
    let mut after_fours = text.split('4').skip(1);
    if !after_fours.any(|rest| rest.starts_with("01") || rest.starts_with("03")) {
        return false;
    }
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(text) else {
        return false;
    };
    let status = ["statusCode", "status", "code"]
        .iter()
        .find_map(|name| fields.get(*name)?.as_u64());
    let worded = ["message", "error", "title"]
        .iter()
        .any(|name| fields.contains_key(*name));
    worded && matches!(status, Some(401 | 403))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_told_from_a_complaint_about_the_input() {
        for text in [
            "Forbidden: Products.Admin role required",
            "Error executing tool createProduct: Forbidden: no",
            "Authorization failed for tool 'listProducts': insufficient scope (required: admin)",
            "Access forbidden: This tool requires authorization.",
            "You don't have permission to do that",
            "HTTP 403",
            "AccessDeniedException: not authorized to perform",
        ] {
            assert_eq!(denies(text), text != "HTTP 403", "{text}");
        }
        for text in [
            "product not found",
            "name contains forbidden characters",
            "negative prices are not allowed",
            "method not allowed",
            "invalid page token",
            "the authorization header is documented elsewhere",
        ] {
            assert!(!denies(text), "{text}");
        }
    }

    #[test]
    fn a_missing_tool_is_told_from_a_missing_thing() {
        for text in [
            "Unknown tool: 'createProduct'",
            "MCP error -32602: Tool createProduct not found",
            "Tool 'createProduct' does not exist",
            "Tool createProduct disabled",
            "'createProduct' not found or not authorized",
        ] {
            assert!(of_tool(text), "{text}");
        }
        for text in [
            "product not found",
            "Error executing tool createProduct: product not found",
        ] {
            assert!(!of_tool(text), "{text}");
        }
    }

    fn of_tool(text: &str) -> bool {
        knows_none(text, Some(McpMethod::CallTool), Some("createProduct"))
    }

    #[test]
    fn each_kind_of_thing_is_missed_by_its_own_noun() {
        let (read, get) = (McpMethod::ReadResource, McpMethod::GetPrompt);
        for (method, text, missed) in [
            (read, "Resource not found: 'x://a'", true),
            (read, "Unknown resource: x://a", true),
            (read, "Resource x://a not found", true),
            (read, "Unknown tool: x://a", false),
            (read, "product not found", false),
            (get, "Unknown prompt: x://a", true),
            (get, "Prompt x://a not found", true),
            (get, "Resource not found", false),
            (McpMethod::Complete, "Prompt 'x://a' not found", true),
            (
                McpMethod::Complete,
                "Resource template x://a not found",
                true,
            ),
        ] {
            let got = knows_none(text, Some(method), Some("x://a"));
            assert_eq!(got, missed, "{method:?} {text}");
        }
        assert!(is_absence_code(-32002, Some(read)) && !is_absence_code(-32002, Some(get)));
    }

    #[test]
    fn declared_words_count_in_any_case_and_codes_exactly() {
        let denials = Denials {
            codes: vec![-32050],
            texts: vec!["Computer says No".to_owned()],
        };
        assert!(declares_code(Some(&denials), -32050) && !declares_code(Some(&denials), -32051));
        assert!(declares_words(Some(&denials), "Sorry, COMPUTER SAYS NO."));
        assert!(!declares_words(Some(&denials), "Computer says yes"));
        assert!(!declares_code(None, -32050) && !declares_words(None, "computer says no"));
    }

    #[test]
    fn a_withheld_reason_is_told_from_a_reason() {
        for text in [
            "",
            "Error executing tool createProduct",
            "Error calling tool 'createProduct'",
            "An error occurred invoking 'createProduct'.",
        ] {
            assert!(withholds_why(text, Some("createProduct")), "{text}");
        }
        for text in [
            "product not found",
            "Error executing tool createProduct: product not found",
            "Error executing tool getProduct",
            "An error occurred",
        ] {
            assert!(!withholds_why(text, Some("createProduct")), "{text}");
        }
    }

    #[test]
    fn an_inner_refusal_must_be_the_whole_result() {
        assert!(wraps_a_refusal(
            r#"{"statusCode":401,"message":"Unauthorized"}"#
        ));
        assert!(wraps_a_refusal("HTTP 403 Forbidden"));
        assert!(wraps_a_refusal("Error 401: Unauthorized"));
        assert!(!wraps_a_refusal(
            r#"{"items":[{"status":403,"message":"x"}]}"#
        ));
        assert!(!wraps_a_refusal("Product 401 is sold out"));
        assert!(!wraps_a_refusal(r#"{"status":403,"price":1}"#));
    }

    #[test]
    fn a_code_that_is_made_of_401_or_403_denies_and_no_other_does() {
        for code in [401, 403, -401, -403, -32401, -32403] {
            assert!(is_denial_code(code), "{code}");
        }
        for code in [0, 200, 400, 404, -404, 32401, 32403, -32000, -32602, -32603] {
            assert!(!is_denial_code(code), "{code}");
        }
    }

    #[test]
    fn answers_about_two_names_are_alike_without_them() {
        for (name, words) in [
            (Some("drop"), "no {} for {}s"),
            (Some("list"), "no drop for drops"),
            (Some(""), "no drop for drops"),
            (None, "no drop for drops"),
        ] {
            assert_eq!(nameless("no drop for drops", name), words, "{name:?}");
        }
    }

    #[test]
    fn a_token_for_another_audience_is_told_from_one_that_may_not() {
        for (body, faulty) in [
            ("Audiences in Jwt are not allowed", true),
            ("Audiences in Jwt are not allowed\n", true),
            ("RBAC: access denied", false),
            ("", false),
        ] {
            assert_eq!(faults_the_token(body), faulty, "{body}");
        }
    }
}
