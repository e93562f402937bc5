//! A document and the operations of a scenario in, who is on which route out.

use super::path::{Tree, is_literal, of_request};
use super::{ANY, Document};
use crate::scenario::Operation;

/// Which operations are on which routes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Matching {
    /// By operation: the routes of its REST shape, by index. One, or none where it has no such shape or the document does
    /// not know it; more where the document has the same route several times.
    pub on: Vec<Vec<usize>>,
    /// What was taken for the place of the document's paths.
    pub base: Base,
}

/// Where the paths of a document stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Base {
    /// Where its servers say.
    Servers,
    /// Below this path of the host, which may be empty.
    Below(String),
}

impl Document {
    /// Puts operations on routes: the same method, and the path that the operation asks for below the REST door's URL.
    /// A value that only the run knows stands for any parameter and for no literal.
    ///
    /// A document may name the servers behind a gateway, or none. So its paths are looked for where its servers say and
    /// below each path that all operations have in common; where most operations are found they stand, and of two such
    /// places the first counts.
    pub fn matching(&self, rest_url: &str, operations: &[Operation]) -> Matching {
        let paths: Vec<Option<Vec<String>>> = operations
            .iter()
            .map(|operation| {
                let call = operation.rest.as_ref()?;
                Some(of_request(path_of(rest_url), call.target.source()))
            })
            .collect();
        let (declared, bare) = self.trees();
        let find = |tree: &Tree, skipped: usize| -> Vec<Vec<usize>> {
            let calls = operations.iter().zip(&paths);
            let calls = calls.map(|(operation, path)| {
                let (Some(call), Some(path)) = (&operation.rest, path) else {
                    return Vec::new();
                };
                tree.find(path.get(skipped..).unwrap_or_default(), &|route| {
                    let method = &self.routes[route].method;
                    *method == call.method || method == ANY
                })
            });
            calls.collect()
        };
        let own = of_request(path_of(rest_url), "");
        let common = common(&paths);
        let mut best = Matching {
            on: find(&declared, 0),
            base: Base::Servers,
        };
        let mut places: Vec<usize> = (0..=common.len()).rev().collect();
        places.sort_by_key(|length| *length != own.len());
        for length in places {
            let on = find(&bare, length);
            if found(&on) > found(&best.on) {
                let place = common[..length].iter();
                let place = place.map(|segment| format!("/{segment}"));
                best = Matching {
                    on,
                    base: Base::Below(place.collect()),
                };
            }
        }
        best
    }

    /// The routes below their servers, and without them.
    fn trees(&self) -> (Tree, Tree) {
        let (mut declared, mut bare) = (Tree::default(), Tree::default());
        for (number, route) in self.routes.iter().enumerate() {
            bare.insert(&route.path, number);
            for base in &route.bases {
                declared.insert(&format!("{base}{}", route.path), number);
            }
        }
        (declared, bare)
    }
}

fn found(on: &[Vec<usize>]) -> usize {
    on.iter().filter(|routes| !routes.is_empty()).count()
}

/// The segments that all paths begin with.
fn common(paths: &[Option<Vec<String>>]) -> Vec<String> {
    let mut paths = paths.iter().flatten();
    let mut common: Vec<String> = paths.next().cloned().unwrap_or_default();
    if let Some(end) = common.iter().position(|segment| !is_literal(segment)) {
        common.truncate(end);
    }
    for path in paths {
        let same = common
            .iter()
            .zip(path)
            .take_while(|(one, other)| one == other);
        common.truncate(same.count());
    }
    common
}

/// The path of an absolute URL.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Selection;
    use crate::plan::tests::{CATALOG, plan};

    /// The routes of the catalog's six operations, by their place in such a document.
    fn on(rest_url: &str, servers: &str, before: &str) -> (Vec<Vec<usize>>, Base) {
        let text = format!(
            "servers: [{servers}]\npaths:\n  \
             {before}/products: {{ get: {{}}, post: {{}} }}\n  \
             {before}/products/{{id}}: {{ get: {{}}, put: {{}}, delete: {{}} }}\n  \
             {before}/products/search: {{ get: {{}} }}\n  \
             {before}/products/export: {{ get: {{}} }}\n"
        );
        let plan = plan(CATALOG, &[], Selection::default());
        let document = Document::read(&text).unwrap();
        let matching = document.matching(rest_url, &plan.scenario.operations);
        (matching.on, matching.base)
    }

    #[test]
    fn paths_are_found_wherever_servers_and_gateways_put_them() {
        let all: Vec<Vec<usize>> = [0, 2, 5, 1, 3, 4].map(|route| vec![route]).into();
        let server = |url: &str| format!("{{ url: '{url}' }}");
        let below = |base: &str| Base::Below(base.to_owned());
        let table = [
            (
                "https://gw",
                server("https://api.example.com/api"),
                "",
                Base::Servers,
            ),
            ("https://gw", server("/api"), "", Base::Servers),
            ("https://gw", String::new(), "/api", Base::Servers),
            (
                "https://gw/catalog",
                server("https://gw/catalog/api/"),
                "",
                Base::Servers,
            ),
            (
                "https://gw/catalog",
                server("http://localhost:5000"),
                "/api",
                below("/catalog"),
            ),
            (
                "https://gw/catalog",
                server("/v9"),
                "",
                below("/catalog/api"),
            ),
            (
                "https://gw/catalog",
                String::new(),
                "/catalog/api",
                Base::Servers,
            ),
            (
                "https://gw/catalog",
                server("/x"),
                "/catalog/api",
                below(""),
            ),
        ];
        for (url, servers, before, base) in table {
            assert_eq!(
                on(url, &servers, before),
                (all.clone(), base),
                "{url} {servers}"
            );
        }
    }

    #[test]
    fn an_operation_that_the_document_does_not_know_is_on_no_route() {
        let (on, base) = on("https://gw", "", "/elsewhere");
        assert!(on.iter().all(Vec::is_empty));
        assert_eq!(base, Base::Servers);
    }
}
