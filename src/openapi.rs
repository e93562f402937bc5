//! The text of an OpenAPI document in, the routes that it names out, and which operations are on them.

mod lenient;
mod matching;
mod path;
mod sheet;

use std::fmt;

use sheet::Sheet;

pub use matching::{Base, Matching};

/// Bytes of a document that are read at most: the largest public ones have a third of it.
pub const MOST_BYTES: usize = 32 << 20;

/// Routes of a document at most.
const MOST_ROUTES: usize = 50_000;

/// The routes of an OpenAPI document, in its order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// Each once; a document without any cannot be read.
    pub routes: Vec<Route>,
}

/// A method of a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// Method, upper case; [`ANY`] where the document means all of them.
    pub method: String,
    /// The path as the document writes it, with its parameters in braces.
    pub path: String,
    /// Its `operationId`.
    pub operation_id: Option<String>,
    /// Paths of the servers below which it stands; one that is empty where the document says nothing.
    bases: Vec<String>,
}

/// In place of a method: all of them, as API gateways export them.
pub const ANY: &str = "ANY";

impl Document {
    /// Reads OpenAPI 3.x or Swagger 2.0, in JSON or YAML. Everything but paths, methods, `operationId` and servers is
    /// passed over, whatever it is.
    ///
    /// # Errors
    /// Why nothing, or not everything, is known of its routes.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let text = text.trim_start_matches('\u{feff}');
        if text.len() > MOST_BYTES {
            return Err(Unreadable::TooLarge);
        }
        let routes = sheet(text)?.routes()?;
        match routes.len() {
            0 => Err(Unreadable::NoRoute),
            count if count > MOST_ROUTES => Err(Unreadable::TooLarge),
            _ => Ok(Self { routes }),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Why a text gives no routes. No text of the document is repeated but a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// It is not the JSON or YAML that it begins as; line and column, from 1.
    Syntax {
        /// `JSON` or `YAML`.
        language: &'static str,
        /// Line.
        line: u64,
        /// Column.
        column: u64,
    },
    /// It has more bytes, nesting or routes than a document can have.
    TooLarge,
    /// It names no route at all.
    NoRoute,
    /// A path that it keeps in another document, or nowhere.
    Elsewhere {
        /// The path.
        path: String,
    },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax {
                language,
                line,
                column,
            } => write!(
                f,
                "it is no {language} that can be read (line {line}, column {column})"
            ),
            Self::TooLarge => f.write_str("it is too large"),
            Self::NoRoute => f.write_str("it names no route under `paths`"),
            Self::Elsewhere { path } => {
                write!(
                    f,
                    "it keeps {path} in another document: give the whole in one"
                )
            }
        }
    }
}

impl std::error::Error for Unreadable {}

fn sheet(text: &str) -> Result<Sheet, Unreadable> {
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(text).map_err(|error| Unreadable::Syntax {
            language: "JSON",
            line: error.line() as u64,
            column: error.column() as u64,
        });
    }
    let mut options = serde_saphyr::Options::default();
    let budget = options.budget.get_or_insert_default();
    budget.max_depth = DEEPEST;
    budget.max_events = MOST_EVENTS;
    budget.max_nodes = MOST_EVENTS;
    budget.max_total_scalar_bytes = MOST_BYTES;
    options.alias_limits.max_total_replayed_events = MOST_REPEATED;
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location();
        Unreadable::Syntax {
            language: "YAML",
            line: place.map_or(1, |place| place.line()),
            column: place.map_or(1, |place| place.column()),
        }
    })
}

/// Containers within containers; JSON's reader draws the same line.
const DEEPEST: usize = 128;

/// Values that aliases may repeat: an alias bomb ends here.
const MOST_REPEATED: usize = 100_000;

/// Values and ends of containers in a YAML document.
const MOST_EVENTS: usize = 8_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "
openapi: 3.1.0
info: { title: Products, version: 2 }
servers:
  - url: https://{host}.example.com/{base}
    variables: { host: { default: api }, base: { default: v2 } }
  - url: /other/
paths:
  x-note: [1, 2]
  /products:
    summary: all of them
    parameters: [{ name: q, in: query }]
    get: { operationId: listProducts, responses: { 200: { description: ok } } }
    POST: { operationId: createProduct }
  /products/{id}:
    servers: [{ url: 'http://127.0.0.1:1/deep' }]
    delete: { servers: [{}] }
    patch: null
  /shared: { $ref: '#/components/pathItems/Shared' }
components:
  schemas: { A: { type: object, properties: { get: { type: string } } } }
  pathItems:
    Shared: { head: { operationId: 7 } }
";

    fn told(text: &str) -> Vec<String> {
        let document = Document::read(text).unwrap();
        let line = |route: &Route| {
            let id = route.operation_id.as_deref().unwrap_or("-");
            format!("{route} {id} {}", route.bases.join(","))
        };
        document.routes.iter().map(line).collect()
    }

    #[test]
    fn of_a_document_only_its_routes_are_read() {
        assert_eq!(
            told(YAML),
            [
                "GET /products listProducts /v2,/other",
                "POST /products createProduct /v2,/other",
                "DELETE /products/{id} - /deep",
                "PATCH /products/{id} - /deep",
                "HEAD /shared - /v2,/other",
            ]
        );
    }

    #[test]
    fn json_and_swagger_are_read_alike() {
        let text = r#"{"swagger": "2.0", "basePath": "/api/", "host": "x", "definitions": {"a": [[[]]]}, "paths": {
            "/a": {"get": {"operationId": "a"}, "x-amazon-apigateway-any-method": {"x": 1}}, "/b": 7}}"#;
        assert_eq!(told(text), ["GET /a a /api", "ANY /a - /api"]);
        let bare = r#"{"openapi": "3.0.3", "paths": {"/a": {"get": {}}, "/a": {"put": {}}}}"#;
        assert_eq!(told(bare), ["GET /a - ", "PUT /a - "]);
    }

    #[test]
    fn what_gives_no_routes_says_why() {
        let table = [
            (
                "{\"paths\": {",
                "it is no JSON that can be read (line 1, column 11)",
            ),
            ("{\"paths\": {}}", "it names no route under `paths`"),
            ("[]", "it names no route under `paths`"),
            ("", "it names no route under `paths`"),
            ("just text", "it names no route under `paths`"),
            ("paths: [", "it is no YAML that can be read"),
            (
                "paths: { /a: { get: {}, get: {} } }",
                "it is no YAML that can be read",
            ),
            (
                "paths: { /a: { $ref: 'other.yaml#/a' } }",
                "it keeps /a in another document",
            ),
            (
                "paths: { /a: { $ref: '#/paths/~1a' } }",
                "it keeps /a in another document",
            ),
        ];
        for (text, expected) in table {
            let told = Document::read(text).unwrap_err().to_string();
            assert!(told.starts_with(expected), "{text}: {told}");
        }
    }

    #[test]
    fn depth_and_repetition_end_before_the_stack_and_the_memory_do() {
        let nested = format!("paths: {{ /a: {{ get: {} }} }}", "[".repeat(100_000));
        assert!(Document::read(&nested).is_err());
        let json = format!("{{\"x\": {}", "[".repeat(100_000));
        assert!(Document::read(&json).is_err());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let list = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb.extend([format!("a{level}: &a{level} [{list}]\n")]);
        }
        assert!(Document::read(&bomb).is_err());
    }
}
