//! The words of an in-band MCP answer in, whether they deny the caller or the tool's existence out.

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

/// Phrases for a tool that does not exist, in a text whose quotes are gone and whose tool name is [`PLACEHOLDER`].
const UNKNOWN_TOOL: [&str; 13] = [
    "unknown tool",
    "no such tool",
    "no tool named",
    "no tool with",
    "tool not found",
    "tool {} not found",
    "tool {} was not found",
    "tool {} does not exist",
    "tool {} is not available",
    "tool {} is not registered",
    "tool {} disabled",
    "tool {} is disabled",
    "{} not found or not authorized",
];

const PLACEHOLDER: &str = "{}";

/// Whether a text says no to the caller.
pub(super) fn denies(text: &str) -> bool {
    let text = text.to_lowercase();
    DENIALS.iter().any(|phrase| text.contains(phrase)) || forbids(&text)
}

/// Whether a JSON-RPC error code is HTTP's 401 or 403 in disguise.
pub(super) fn is_denial_code(code: i64) -> bool {
    DENIAL_CODES.contains(&code)
}

/// Whether a text says that there is no such tool.
pub(super) fn knows_no_tool(text: &str, tool: Option<&str>) -> bool {
    let text = nameless(text, tool).to_lowercase();
    let text: String = text
        .chars()
        .filter(|sign| !matches!(sign, '\'' | '"' | '`'))
        .collect();
    UNKNOWN_TOOL.iter().any(|phrase| text.contains(phrase))
}

/// Whether the text of a result without `isError` is nothing but an inner 401 or 403, as gateways pass it on.
pub(super) fn wraps_a_refusal(text: &str) -> bool {
    let text = text.trim();
    wraps_a_status(text) || wraps_a_document(text)
}

/// A text with the tool's name replaced, so that answers about two tools can be compared.
pub(super) fn nameless(text: &str, tool: Option<&str>) -> String {
    match tool {
        Some(name) if !name.is_empty() => text.replace(name, PLACEHOLDER),
        Some(_) | None => text.to_owned(),
    }
}

fn forbids(text: &str) -> bool {
    text.match_indices("forbidden").any(|(at, word)| {
        let rest = text[at + word.len()..].trim_start();
        !FORBIDDEN_THINGS.iter().any(|thing| rest.starts_with(thing))
    })
}

fn wraps_a_status(text: &str) -> bool {
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
            assert!(knows_no_tool(text, Some("createProduct")), "{text}");
        }
        for text in [
            "product not found",
            "Error executing tool createProduct: product not found",
        ] {
            assert!(!knows_no_tool(text, Some("createProduct")), "{text}");
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
}
