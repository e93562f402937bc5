//! Routes and tools in, those that are one thing at two doors out.

use std::collections::{HashMap, HashSet};

use super::coverage::Known;

/// A route and a tool that are one thing: the `operationId` is the tool's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pair {
    /// Index of the route.
    pub route: usize,
    /// Index of the tool.
    pub tool: usize,
    /// Whether the names differ in case or separators.
    pub loosely: bool,
}

/// Names that are the same; then those that are the same but for case and separators, where neither side has two of them.
/// In the order of the routes.
pub(super) fn pairs(routes: &[Known], tools: &[Known]) -> Vec<Pair> {
    let exact: HashMap<&str, usize> = ids(tools).map(|(tool, id)| (id, tool)).collect();
    let paired = |(route, id)| {
        let tool = *exact.get(id)?;
        let loosely = false;
        Some(Pair {
            route,
            tool,
            loosely,
        })
    };
    let mut pairs: Vec<Pair> = ids(routes).filter_map(paired).collect();
    let routes_left: HashSet<usize> = pairs.iter().map(|pair| pair.route).collect();
    let tools_left: HashSet<usize> = pairs.iter().map(|pair| pair.tool).collect();
    let by_form = alone(tools, &tools_left);
    for (form, route) in alone(routes, &routes_left) {
        if let Some(tool) = by_form.get(&form).copied() {
            let loosely = true;
            pairs.push(Pair {
                route,
                tool,
                loosely,
            });
        }
    }
    pairs.sort_unstable_by_key(|pair| pair.route);
    pairs
}

fn ids(known: &[Known]) -> impl Iterator<Item = (usize, &str)> {
    let all = known.iter().enumerate();
    all.filter_map(|(place, one)| Some((place, one.id.as_deref()?)))
}

/// Those that no other has the form of, by their form; without those that are paired.
fn alone(known: &[Known], paired: &HashSet<usize>) -> HashMap<String, usize> {
    let mut forms: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, id) in ids(known) {
        forms.entry(form(id)).or_default().push(place);
    }
    let single = forms
        .into_iter()
        .filter_map(|(form, places)| match places.as_slice() {
            [place] if !paired.contains(place) && !form.is_empty() => Some((form, *place)),
            _ => None,
        });
    single.collect()
}

/// A name's letters and digits in lower case.
fn form(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ids: &[&str]) -> Vec<Known> {
        let one = |id: &&str| Known {
            name: (*id).to_owned(),
            id: Some((*id).to_owned()),
            doors: Vec::new(),
            named_by: Vec::new(),
            left_out: false,
        };
        ids.iter().map(one).collect()
    }

    #[test]
    fn names_pair_as_they_are_and_then_whatever_their_case_and_separators() {
        type Paired = &'static [(usize, usize, bool)];
        let table: [(&[&str], &[&str], Paired); 7] = [
            (&["a", "b"], &["b", "a"], &[(0, 1, false), (1, 0, false)]),
            (&["listProducts"], &["list-products"], &[(0, 0, true)]),
            (&["Products_List"], &["productsList"], &[(0, 0, true)]),
            (&["a", "A"], &["a"], &[(0, 0, false)]),
            (&["getA", "get-a"], &["get_a"], &[]),
            (&["get-a"], &["getA", "get_a"], &[]),
            (&["-"], &["_"], &[]),
        ];
        for (routes, tools, expected) in table {
            let found = pairs(&known(routes), &known(tools));
            let found: Vec<_> = found
                .iter()
                .map(|one| (one.route, one.tool, one.loosely))
                .collect();
            assert_eq!(found, expected, "{routes:?} {tools:?}");
        }
    }
}
