//! A resource's URI, a prompt's name or the beginning of an argument in, what the server has of it out; both eras share it.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::envelope::Fail;
use crate::reference::api::{Catalog, listing};

const CATALOG: &str = "products://catalog";
const LEDGER: &str = "products://ledger";
const TEMPLATE: &str = "products://{id}";
const SCHEME: &str = "products://";
const DESCRIBE: &str = "describeProduct";
const REPRICE: &str = "repriceCatalog";

/// Values that one completion shows (2025-06-18 and later: at most 100).
const MOST_VALUES: usize = 100;

/// What the server has besides tools. It knows nothing of callers and their rights.
#[derive(Debug)]
pub(super) struct Library(Arc<Catalog>);

impl Library {
    /// Takes the store that it reads.
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        Self(catalog)
    }

    /// Answers a list; nothing for a method that lists none of its things.
    pub(super) fn list(method: &str) -> Option<Value> {
        let json = "application/json";
        Some(match method {
            "resources/list" => json!({"resources": [
                {"uri": CATALOG, "name": "catalog", "description": "All products", "mimeType": json},
                {"uri": LEDGER, "name": "ledger", "description": "What was paid for them", "mimeType": json},
            ]}),
            "resources/templates/list" => json!({"resourceTemplates": [
                {"uriTemplate": TEMPLATE, "name": "product", "description": "One product", "mimeType": json},
            ]}),
            "prompts/list" => json!({"prompts": [
                {"name": DESCRIBE, "description": "Describes a product", "arguments": [{"name": "name", "required": true}]},
                {"name": REPRICE, "description": "Sets new prices", "arguments": [{"name": "percent", "required": true}]},
            ]}),
            _ => return None,
        })
    }

    /// Reads a resource; an error with the era's code for one that is not there.
    pub(super) fn read(&self, params: &Value, missing: i64) -> Result<Value, Fail> {
        let uri = word(params, "uri");
        let content = match uri {
            CATALOG => Some(listing(&self.0.list())),
            LEDGER => Some(json!({"paid": self.0.list().len()})),
            _ => uri.strip_prefix(SCHEME).and_then(|id| {
                let id = percent_decode_str(id).decode_utf8_lossy();
                self.0.get(&id).ok().map(|product| json!(product))
            }),
        };
        let content = content.ok_or_else(|| no_resource(uri, missing))?;
        let text = content.to_string();
        Ok(json!({"contents": [{"uri": uri, "mimeType": "application/json", "text": text}]}))
    }

    /// Gets a prompt; -32602 for one that is not there, or that lacks its argument.
    pub(super) fn prompt(params: &Value) -> Result<Value, Fail> {
        let name = word(params, "name");
        let argument = match name {
            DESCRIBE => "name",
            REPRICE => "percent",
            _ => return Err(no_prompt(name)),
        };
        let value = params
            .get("arguments")
            .and_then(|arguments| arguments.get(argument)?.as_str())
            .ok_or_else(|| Fail::new(-32602, format!("Invalid params: {argument} is required")))?;
        let text = match name {
            DESCRIBE => format!("Describe the product {value} in one sentence."),
            _ => format!("Raise every price by {value} percent."),
        };
        let content = json!({"type": "text", "text": text});
        Ok(json!({"description": name, "messages": [{"role": "user", "content": content}]}))
    }

    /// Completes an argument of a prompt or of the template; -32602 for what is neither.
    pub(super) fn complete(&self, params: &Value) -> Result<Value, Fail> {
        let reference = params.get("ref").unwrap_or(&Value::Null);
        let argument = params.get("argument").unwrap_or(&Value::Null);
        let (name, uri) = (word(reference, "name"), word(reference, "uri"));
        let products = self.0.list();
        let values: Vec<String> = match (word(reference, "type"), word(argument, "name")) {
            ("ref/prompt", "name") if name == DESCRIBE => {
                products.into_iter().map(|product| product.name).collect()
            }
            ("ref/prompt", "percent") if name == REPRICE => vec!["5".to_owned(), "10".to_owned()],
            ("ref/resource", "id") if uri == TEMPLATE => {
                products.into_iter().map(|product| product.id).collect()
            }
            ("ref/resource", _) => return Err(no_resource(uri, -32602)),
            _ => return Err(no_prompt(name)),
        };
        let begun = word(argument, "value").to_lowercase();
        let fits = |value: &String| value.to_lowercase().starts_with(&begun);
        let values: Vec<String> = values.into_iter().filter(fits).collect();
        let shown: Vec<&String> = values.iter().take(MOST_VALUES).collect();
        let more = values.len() > shown.len();
        Ok(json!({"completion": {"values": shown, "total": values.len(), "hasMore": more}}))
    }
}

/// Says that there is no such resource.
pub(super) fn no_resource(uri: &str, code: i64) -> Fail {
    Fail {
        data: Some(json!({ "uri": uri })),
        ..Fail::new(code, format!("Resource not found: {uri}"))
    }
}

/// Says that there is no such prompt.
pub(super) fn no_prompt(name: &str) -> Fail {
    Fail::new(-32602, format!("Unknown prompt: {name}"))
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
