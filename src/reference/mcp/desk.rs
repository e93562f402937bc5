//! A request of either era in, its result or its error out: tools, resources, prompts, completion and their lists.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Serving;
use super::envelope::{Fail, Message};
use super::library::{Library, no_prompt, no_resource};
use super::tools::Toolbox;
use crate::reference::api::Catalog;
use crate::reference::fault::Faults;

/// Everything that the server offers.
#[derive(Debug)]
pub(super) struct Desk {
    toolbox: Toolbox,
    library: Library,
}

impl Desk {
    /// Takes the store that all of it works on.
    pub(super) fn new(catalog: Arc<Catalog>, faults: Faults) -> Self {
        Self {
            library: Library::new(Arc::clone(&catalog)),
            toolbox: Toolbox::new(catalog, faults),
        }
    }

    /// What both eras say that the server offers.
    pub(super) fn capabilities() -> Value {
        json!({"tools": {}, "resources": {}, "prompts": {}, "completions": {}})
    }

    /// Answers one request; `missing` is the era's code for a resource that is not there. Nothing for a method that it
    /// does not know.
    pub(super) fn answer(
        &self,
        message: &Message<'_>,
        serving: Serving,
        missing: i64,
    ) -> Option<Result<Value, Fail>> {
        let params = message.params;
        if let Serving::Refusing(refusal) = serving {
            return Some(refusal.outcome(message));
        }
        Some(match message.method {
            "tools/list" => Ok(self.toolbox.page(params, serving)),
            "tools/call" => self.toolbox.call(params, serving),
            "resources/read" if serving == Serving::AsUnknown => {
                Err(no_resource(word(params, "uri"), missing))
            }
            "resources/read" => self.library.read(params, missing),
            "prompts/get" if serving == Serving::AsUnknown => Err(no_prompt(word(params, "name"))),
            "prompts/get" => Library::prompt(params),
            "completion/complete" if serving == Serving::AsUnknown => {
                let reference = params.get("ref").unwrap_or(&Value::Null);
                Err(no_prompt(word(reference, "name")))
            }
            "completion/complete" => self.library.complete(params),
            method => Ok(Library::list(method)?),
        })
    }
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
