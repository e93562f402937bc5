//! Path templates in, a tree out that finds the most literal of those that a path is on.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

/// Stands in a path for a value that only the run knows; no path holds it otherwise.
const UNKNOWN: char = '\0';

/// The path of a request, a segment each: what stands in double braces is unknown, the query is left out.
pub(super) fn of_request(base: &str, target: &str) -> Vec<String> {
    let mut whole = base.to_owned();
    let mut rest = target;
    while let Some((before, after)) = rest.split_once("{{") {
        whole.push_str(before);
        whole.push(UNKNOWN);
        rest = after.split_once("}}").map_or("", |(_, rest)| rest);
    }
    whole.push_str(rest);
    let path = whole.split(['?', '#']).next().unwrap_or_default();
    segments(path).map(decoded).collect()
}

/// Whether the author wrote all of a segment.
pub(super) fn is_literal(segment: &str) -> bool {
    !segment.contains(UNKNOWN)
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Templates by their segments; at each place a literal goes before a parameter (OpenAPI 3.1 §4.8.8.1), and both go before
/// a parameter that takes the whole rest.
#[derive(Default)]
pub(super) struct Tree {
    literals: HashMap<String, Self>,
    patterns: Vec<(Pattern, Self)>,
    ends: Vec<usize>,
    swallowing: Vec<usize>,
}

/// A segment with parameters in it: the texts around them, in order. The names of parameters mean nothing.
#[derive(Eq, PartialEq)]
struct Pattern(Vec<String>);

impl Tree {
    /// Takes a template, without its query, under a number.
    pub(super) fn insert(&mut self, template: &str, number: usize) {
        let path = template.split(['?', '#']).next().unwrap_or_default();
        let mut place = self;
        for segment in segments(path) {
            if takes_all(segment) {
                place.swallowing.push(number);
                return;
            }
            place = if segment.contains('{') {
                place.below(Pattern::of(segment))
            } else {
                place.literals.entry(decoded(segment)).or_default()
            };
        }
        place.ends.push(number);
    }

    fn below(&mut self, pattern: Pattern) -> &mut Self {
        let known = self
            .patterns
            .iter()
            .position(|(known, _)| *known == pattern);
        let place = known.unwrap_or_else(|| {
            self.patterns.push((pattern, Self::default()));
            self.patterns.len() - 1
        });
        &mut self.patterns[place].1
    }

    /// The numbers of the most literal template that a path is on and of which one number will do; all of it that will.
    pub(super) fn find(&self, path: &[String], will_do: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let of = |numbers: &[usize]| -> Vec<usize> {
            numbers
                .iter()
                .copied()
                .filter(|number| will_do(*number))
                .collect()
        };
        let Some((first, rest)) = path.split_first() else {
            return of(&self.ends);
        };
        let literal = self.literals.get(first);
        let patterns = self.patterns.iter();
        let patterns = patterns.filter_map(|(pattern, tree)| pattern.fits(first).then_some(tree));
        let mut ways = literal.into_iter().chain(patterns);
        let found = ways.find_map(|tree| {
            let found = tree.find(rest, will_do);
            (!found.is_empty()).then_some(found)
        });
        found.unwrap_or_else(|| of(&self.swallowing))
    }
}

/// `{proxy+}`, `{path*}`, `{*path}` and `*`, as gateways and frameworks write it.
fn takes_all(segment: &str) -> bool {
    let inner = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let greedy = |name: &str| name.ends_with(['+', '*']) || name.starts_with('*');
    segment == "*" || inner.is_some_and(|name| !name.contains(['{', '}']) && greedy(name))
}

impl Pattern {
    fn of(segment: &str) -> Self {
        let mut texts = Vec::new();
        let mut text = String::new();
        let mut rest = segment;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            texts.push(decoded(&std::mem::take(&mut text)));
            rest = after.split_once('}').map_or("", |(_, rest)| rest);
        }
        texts.push(decoded(rest));
        Self(texts)
    }

    /// Whether a segment has these texts in this order, and at least one character for each parameter.
    fn fits(&self, segment: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return false;
        };
        let Some(mut rest) = segment.strip_prefix(first.as_str()) else {
            return false;
        };
        for text in middle {
            let Some(found) = after_one(rest).and_then(|after| after.split_once(text.as_str()))
            else {
                return false;
            };
            rest = found.1;
        }
        after_one(rest).is_some_and(|after| after.ends_with(last.as_str()))
    }
}

/// The text after its first character.
fn after_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATES: [&str; 12] = [
        "/products",
        "/products/{id}",
        "/products/search",
        "/products/{id}/parts/{part}",
        "/products/{name}/",
        "/files/{proxy+}",
        "/v{version}/items/{id}.json",
        "/items/{id}:cancel",
        "/",
        "/caf%C3%A9",
        "/pairs/{a}-{b}",
        "/files/list?x={x}",
    ];

    #[test]
    fn the_most_literal_template_is_found() {
        let mut tree = Tree::default();
        for (number, template) in TEMPLATES.iter().enumerate() {
            tree.insert(template, number);
        }
        let table: [(&str, &[usize]); 20] = [
            ("/products", &[0]),
            ("/products/", &[0]),
            ("/products?q={{ tag }}", &[0]),
            ("/products/{{ product.id }}", &[1, 4]),
            ("/products/7", &[1, 4]),
            ("/products/search?q=a/b", &[2]),
            ("/products/a-{{ product.id }}/parts/2", &[3]),
            ("/products/7/parts", &[]),
            ("/files/a/b/c", &[5]),
            ("/files", &[]),
            ("/v2/items/{{ item.id }}.json", &[6]),
            ("/v/items/7.json", &[]),
            ("/v2/items/.json", &[]),
            ("/items/{{ a.b }}:cancel", &[7]),
            ("/items/7:renew", &[]),
            ("/", &[8]),
            ("/caf%c3%a9", &[9]),
            ("/pairs/x-y", &[10]),
            ("/pairs/-y", &[]),
            ("/files/list", &[11]),
        ];
        for (target, expected) in table {
            let path = of_request("", target);
            assert_eq!(tree.find(&path, &|_| true), expected, "{target}");
        }
    }

    #[test]
    fn a_value_that_only_the_run_knows_is_no_literal() {
        let mut tree = Tree::default();
        tree.insert("/products/search", 0);
        assert!(
            tree.find(&of_request("", "/products/{{ a.b }}"), &|_| true)
                .is_empty()
        );
    }

    #[test]
    fn a_template_without_the_method_gives_way_to_the_next() {
        let mut tree = Tree::default();
        tree.insert("/products/search", 0);
        tree.insert("/products/{id}", 1);
        let path = of_request("", "/products/search");
        assert_eq!(tree.find(&path, &|number| number == 1), [1]);
    }
}
