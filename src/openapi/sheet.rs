//! The parts of an OpenAPI document that name routes in, its routes out, servers and references followed.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lenient::{Entries, Items, Map, Text};
use super::{ANY, Route, Unreadable};

/// Keys of a path item that name a method (OpenAPI 3.2 §4.9), and the one of API gateways that names all.
const METHODS: [&str; 10] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace", "query", EVERY,
];
const EVERY: &str = "x-amazon-apigateway-any-method";

/// References that lead to one another.
const LONGEST_WAY: usize = 8;

/// A document, as far as it names routes; whatever is no map is an empty one.
pub(super) struct Sheet(Contents);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Contents {
    #[serde(rename = "basePath")]
    base_path: Text,
    servers: Items<Map<Server>>,
    paths: Entries<Map<Item>>,
    components: Map<Components>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Components {
    #[serde(rename = "pathItems")]
    items: Entries<Map<Item>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Server {
    url: Text,
    variables: Entries<Map<Variable>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Variable {
    default: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Method {
    #[serde(rename = "operationId")]
    id: Text,
    servers: Items<Map<Server>>,
}

/// What stands under a path.
#[derive(Default)]
struct Item {
    reference: Option<String>,
    servers: Items<Map<Server>>,
    methods: Vec<(String, Method)>,
}

impl Sheet {
    /// Every route, in the order of the document.
    ///
    /// # Errors
    /// A path that is kept elsewhere.
    pub(super) fn routes(&self) -> Result<Vec<Route>, Unreadable> {
        let known = self.known();
        let whole = self.bases();
        let mut routes = Vec::new();
        for (path, item) in &self.0.paths.0 {
            // What does not begin with a slash is an extension (OpenAPI 3.1 §4.8.8).
            let Some(item) = item.0.as_ref().filter(|_| path.starts_with('/')) else {
                continue;
            };
            let item =
                follow(item, &known).ok_or_else(|| Unreadable::Elsewhere { path: path.clone() })?;
            let below = Some(bases(&item.servers)).filter(|bases| !bases.is_empty());
            let below = below.unwrap_or_else(|| whole.clone());
            for (method, said) in &item.methods {
                let own = Some(bases(&said.servers)).filter(|bases| !bases.is_empty());
                routes.push(Route {
                    method: method.clone(),
                    path: path.clone(),
                    operation_id: said.id.0.clone(),
                    bases: own.unwrap_or_else(|| below.clone()),
                });
            }
        }
        Ok(routes)
    }

    /// What references within the document lead to.
    fn known(&self) -> HashMap<String, &Item> {
        let paths = self.0.paths.0.iter().map(|entry| ("#/paths/", entry));
        let components = self.0.components.0.iter();
        let shared = components.flat_map(|components| &components.items.0);
        let shared = shared.map(|entry| ("#/components/pathItems/", entry));
        paths
            .chain(shared)
            .filter_map(|(place, (name, item))| Some((format!("{place}{name}"), item.0.as_ref()?)))
            .collect()
    }

    fn bases(&self) -> Vec<String> {
        let stated = bases(&self.0.servers);
        if stated.is_empty() {
            let base = self.0.base_path.0.as_deref().unwrap_or_default();
            return vec![base.trim_end_matches('/').to_owned()];
        }
        stated
    }
}

/// The item that a reference leads to in the end.
fn follow<'s>(mut item: &'s Item, known: &HashMap<String, &'s Item>) -> Option<&'s Item> {
    for _ in 0..LONGEST_WAY {
        let Some(reference) = &item.reference else {
            return Some(item);
        };
        // A JSON Pointer in a fragment (RFC 6901 §6).
        let decoded = percent_decode_str(reference).decode_utf8_lossy();
        let decoded = decoded.replace("~1", "/").replace("~0", "~");
        item = known.get(&decoded)?;
    }
    None
}

/// The paths of servers, without a slash at their ends.
fn bases(servers: &Items<Map<Server>>) -> Vec<String> {
    let stated = servers.0.iter().filter_map(|server| server.0.as_ref());
    stated.filter_map(base).collect()
}

fn base(server: &Server) -> Option<String> {
    let mut url = server.url.0.clone()?;
    for (name, variable) in &server.variables.0 {
        let default = variable.0.as_ref().and_then(|one| one.default.0.as_deref());
        url = url.replace(&format!("{{{name}}}"), default.unwrap_or_default());
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => &url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_matches('/');
    Some(if path.is_empty() {
        String::new()
    } else {
        format!("/{path}")
    })
}

impl<'de> Deserialize<'de> for Sheet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let contents = Map::<Contents>::deserialize(deserializer)?;
        Ok(Self(contents.0.unwrap_or_default()))
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

/// Reads a path item key by key: methods are known in any case, what else stands there is passed over.
struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Item;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a path item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut item = Item::default();
        while let Some(key) = map.next_key::<String>()? {
            let lower = key.to_ascii_lowercase();
            match key.as_str() {
                "$ref" => item.reference = map.next_value::<Text>()?.0,
                "servers" => item.servers = map.next_value()?,
                _ if METHODS.contains(&lower.as_str()) => {
                    let method = map.next_value::<Map<Method>>()?.0;
                    item.methods
                        .push((named(&lower), method.unwrap_or_default()));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(item)
    }
}

fn named(key: &str) -> String {
    if key == EVERY {
        ANY.to_owned()
    } else {
        key.to_ascii_uppercase()
    }
}
