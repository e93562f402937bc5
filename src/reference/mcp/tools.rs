//! A tool's name and arguments in, its result out; both eras share it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Serving;
use super::envelope::Fail;
use crate::reference::api::{Catalog, Draft, Objection, Source, listing};
use crate::reference::fault::{Fault, Faults};

/// The tools over the catalog.
#[derive(Debug)]
pub(super) struct Toolbox {
    catalog: Arc<Catalog>,
    faults: Faults,
}

impl Toolbox {
    /// Takes the store that the tools work on.
    pub(super) fn new(catalog: Arc<Catalog>, faults: Faults) -> Self {
        Self { catalog, faults }
    }

    /// Returns the one page of the list.
    pub(super) fn page(&self, params: &Value, serving: Serving) -> Value {
        let mut tools = self.list();
        if let Serving::Showing(shown) = serving {
            tools.retain(|tool| shown.has(tool["name"].as_str().unwrap_or_default()));
        }
        let mut page = json!({ "tools": tools });
        if self.faults.contains(Fault::ListEndless) {
            let cursor = params.get("cursor").and_then(Value::as_str);
            let number: u64 = cursor
                .and_then(|cursor| cursor.parse().ok())
                .unwrap_or_default();
            page["nextCursor"] = json!(number.wrapping_add(1).to_string());
        }
        page
    }

    /// Returns all tools, the same for every caller.
    fn list(&self) -> Vec<Value> {
        let mut tools = vec![
            tool(
                "listProducts",
                "Lists all products",
                &json!({}),
                &[],
                Effect::None,
            ),
            tool(
                "getProduct",
                "Returns one product",
                &json!({"id": text()}),
                &["id"],
                Effect::None,
            ),
            tool(
                "searchProducts",
                "Finds products by name",
                &json!({"q": text()}),
                &["q"],
                Effect::None,
            ),
            tool(
                "createProduct",
                "Adds a product",
                &draft_schema(false),
                &["name", "price"],
                Effect::Adds,
            ),
            tool(
                "updateProduct",
                "Replaces a product",
                &draft_schema(true),
                &["id", "name", "price"],
                Effect::Destroys,
            ),
            tool(
                "deleteProduct",
                "Removes a product",
                &json!({"id": text()}),
                &["id"],
                Effect::Destroys,
            ),
        ];
        if self.faults.contains(Fault::McpUnlistedToolOpen) {
            tools.push(tool(
                "purgeProducts",
                "Removes all products",
                &json!({}),
                &[],
                Effect::Destroys,
            ));
        }
        if self.has_export() {
            tools.push(tool(
                "exportProducts",
                "Returns all products as one text",
                &json!({}),
                &[],
                Effect::None,
            ));
        }
        let unlisted = [Fault::ToolGone, Fault::ToolUnlisted];
        if unlisted.iter().any(|fault| self.faults.contains(*fault)) {
            tools.retain(|tool| tool["name"] != "searchProducts");
        }
        tools
    }

    fn has_export(&self) -> bool {
        let faults = [Fault::McpUnlistedToolOpen, Fault::UndeclaredTool];
        faults.iter().any(|fault| self.faults.contains(*fault))
    }

    /// Runs the tool that `params` names: -32602 for an unknown tool, a result with `isError` for a failure of its own.
    pub(super) fn call(&self, params: &Value, serving: Serving) -> Result<Value, Fail> {
        let name = params
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let unknown = || Fail::new(-32602, format!("Unknown tool: {name}"));
        if serving == Serving::AsUnknown {
            return Err(unknown());
        }
        let arguments = params.get("arguments").unwrap_or(&Value::Null);
        let outcome = self.run(name, arguments).ok_or_else(unknown)?;
        Ok(match outcome {
            Ok(content) => success(&content),
            Err(objection) => failure(objection.text()),
        })
    }

    /// Returns nothing for a tool that does not exist.
    fn run(&self, name: &str, arguments: &Value) -> Option<Result<Value, Objection>> {
        let word = |key: &str| {
            arguments
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let catalog = &self.catalog;
        Some(match name {
            "listProducts" => Ok(listing(&catalog.list())),
            "getProduct" => catalog.get(word("id")).map(|product| json!(product)),
            "searchProducts" if self.faults.contains(Fault::ToolGone) => return None,
            "searchProducts" => Ok(listing(&catalog.search(word("q")))),
            "createProduct" => Draft::read(arguments)
                .and_then(|draft| catalog.create(draft, Source::Tool))
                .map(|product| json!(product)),
            "updateProduct" => catalog
                .update(word("id"), arguments)
                .map(|product| json!(product)),
            "deleteProduct" => catalog
                .delete(word("id"))
                .map(|()| json!({"deleted": word("id")})),
            // It counts what it would have purged among its own products, of which it has none.
            "purgeProducts" if self.faults.contains(Fault::McpUnlistedToolOpen) => {
                Ok(json!({"purged": 0}))
            }
            "exportProducts" if self.has_export() => {
                Ok(json!({"text": listing(&catalog.list()).to_string()}))
            }
            _ => return None,
        })
    }
}

#[derive(Clone, Copy)]
enum Effect {
    None,
    Adds,
    Destroys,
}

fn tool(
    name: &str,
    description: &str,
    properties: &Value,
    required: &[&str],
    effect: Effect,
) -> Value {
    json!({
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required},
        "annotations": {
            "readOnlyHint": matches!(effect, Effect::None),
            "destructiveHint": matches!(effect, Effect::Destroys),
            "idempotentHint": !matches!(effect, Effect::Adds),
            "openWorldHint": false,
        },
    })
}

fn text() -> Value {
    json!({"type": "string"})
}

fn draft_schema(with_id: bool) -> Value {
    let mut properties =
        json!({"name": text(), "price": {"type": "number", "minimum": 0}, "description": text()});
    if with_id {
        properties["id"] = text();
    }
    properties
}

fn success(content: &Value) -> Value {
    json!({
        "content": [{"type": "text", "text": content.to_string()}],
        "structuredContent": content,
        "isError": false,
    })
}

/// Returns the result of a tool that failed.
pub(super) fn failure(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}], "isError": true})
}
