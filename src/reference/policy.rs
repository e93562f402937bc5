//! An operation, a resource or a prompt in, the roles that may use it out: the permission table, written by hand from the article.

use crate::reference::fault::{Fault, Faults};

/// The app role that lets a caller list, get and search.
pub(crate) const READ: &str = "Products.Read";
/// The app role that lets a caller create and update as well.
pub(crate) const WRITE: &str = "Products.Write";
/// The app role that lets a caller do everything.
pub(crate) const ADMIN: &str = "Products.Admin";
/// A role of another feature whose name only begins like [`WRITE`].
pub(crate) const WRITE_ONLY: &str = "Products.WriteOnly";

const READERS: &str = "Products.Read, Products.Write or Products.Admin role required";
const WRITERS: &str = "Products.Write or Products.Admin role required";
const ADMINS: &str = "Products.Admin role required";

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The operation, which is also the name of the tool; or a resource's URI; or a prompt's name.
    pub(crate) operation: &'static str,
    /// Any of these roles suffices.
    roles: &'static [&'static str],
    /// What a caller without them is told.
    pub(crate) refusal: &'static str,
}

const RULES: [Rule; 6] = [
    Rule {
        operation: "listProducts",
        roles: &[READ, WRITE, ADMIN],
        refusal: READERS,
    },
    Rule {
        operation: "getProduct",
        roles: &[READ, WRITE, ADMIN],
        refusal: READERS,
    },
    Rule {
        operation: "searchProducts",
        roles: &[READ, WRITE, ADMIN],
        refusal: READERS,
    },
    Rule {
        operation: "createProduct",
        roles: &[WRITE, ADMIN],
        refusal: WRITERS,
    },
    Rule {
        operation: "updateProduct",
        roles: &[WRITE, ADMIN],
        refusal: WRITERS,
    },
    Rule {
        operation: "deleteProduct",
        roles: &[ADMIN],
        refusal: ADMINS,
    },
];

/// The lines for resources; that of the template stands for every product.
const RESOURCES: [Rule; 3] = [
    Rule {
        operation: "products://catalog",
        roles: &[READ, WRITE, ADMIN],
        refusal: READERS,
    },
    Rule {
        operation: "products://ledger",
        roles: &[ADMIN],
        refusal: ADMINS,
    },
    Rule {
        operation: "products://{id}",
        roles: &[READ, WRITE, ADMIN],
        refusal: READERS,
    },
];

const PROMPTS: [Rule; 2] = [
    Rule {
        operation: "describeProduct",
        roles: &[READ, WRITE, ADMIN],
        refusal: READERS,
    },
    Rule {
        operation: "repriceCatalog",
        roles: &[ADMIN],
        refusal: ADMINS,
    },
];

/// Which of the operations a caller is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown([bool; RULES.len()]);

impl Shown {
    /// What a list that is filtered by roles shows of the tools that have a line.
    pub(crate) fn to(roles: &[String], faults: &Faults) -> Self {
        let admin = roles.iter().any(|role| role == ADMIN);
        let forgotten = |rule: &Rule| {
            faults.contains(Fault::HiddenButCallable) && rule.operation == "updateProduct" && !admin
        };
        Self(
            RULES
                .each_ref()
                .map(|rule| rule.admits(roles, faults) && !forgotten(rule)),
        )
    }

    /// Tells whether the tool of that name is shown.
    pub(crate) fn has(self, operation: &str) -> bool {
        let mut shown = RULES.iter().zip(self.0);
        shown.any(|(rule, shown)| shown && rule.operation == operation)
    }
}

/// Returns the line for a resource; whatever is no other resource is a product, if its URI has the one segment of one.
pub(crate) fn resource(uri: &str) -> Option<&'static Rule> {
    let named = |uri: &str| RESOURCES.iter().find(|rule| rule.operation == uri);
    let product = uri
        .strip_prefix("products://")
        .filter(|id| !id.is_empty() && !id.contains(['/', '?', '#']));
    named(uri).or_else(|| product.and_then(|_| named("products://{id}")))
}

/// Returns the line for a prompt.
pub(crate) fn prompt(name: &str) -> Option<&'static Rule> {
    PROMPTS.iter().find(|rule| rule.operation == name)
}

/// Returns the line for an operation or tool; names are compared exactly.
pub(crate) fn rule(operation: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.operation == operation)
}

impl Rule {
    /// Tells whether a caller with exactly these `roles` may use the operation.
    pub(crate) fn admits(&self, roles: &[String], faults: &Faults) -> bool {
        self.granted(faults)
            .any(|role| roles.iter().any(|held| held == role))
    }

    /// The seed's mistake: roles joined into one text, in which a longer name contains a shorter one.
    pub(crate) fn admits_substring(&self, roles: &[String], faults: &Faults) -> bool {
        let joined = roles.join(",");
        self.granted(faults).any(|role| joined.contains(role))
    }

    /// Tells whether the operation only reads.
    pub(crate) fn reads(&self) -> bool {
        self.roles.contains(&READ)
    }

    fn granted(&self, faults: &Faults) -> impl Iterator<Item = &'static str> {
        let forget_readers = faults.contains(Fault::ReaderLockedOut);
        let too_much = faults.contains(Fault::WriterCanDelete) && self.operation == "deleteProduct";
        let kept = self
            .roles
            .iter()
            .copied()
            .filter(move |role| !(forget_readers && *role == READ));
        kept.chain(too_much.then_some(WRITE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_table_is_the_article_s() {
        let none = Faults::default();
        let table = [
            (READ, [true, true, true, false, false, false]),
            (WRITE, [true, true, true, true, true, false]),
            (ADMIN, [true; 6]),
            (WRITE_ONLY, [false; 6]),
            ("products.read", [false; 6]),
        ];
        for (role, expected) in table {
            let got = RULES
                .each_ref()
                .map(|rule| rule.admits(&roles(&[role]), &none));
            assert_eq!(got, expected, "{role}");
        }
    }

    #[test]
    fn a_substring_admits_the_near_miss() {
        let held = roles(&[READ, WRITE_ONLY]);
        let create = rule("createProduct").unwrap();
        assert!(!create.admits(&held, &Faults::default()));
        assert!(create.admits_substring(&held, &Faults::default()));
    }

    #[test]
    fn every_resource_and_prompt_has_its_line() {
        let may = |rule: Option<&Rule>, role: &str| {
            rule.map(|rule| rule.admits(&roles(&[role]), &Faults::default()))
        };
        for (uri, reader) in [
            ("products://catalog", Some(true)),
            ("products://7", Some(true)),
            ("products://{id}", Some(true)),
            ("products://ledger", Some(false)),
            ("products://", None),
            ("products://7/8", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(may(resource(uri), READ), reader, "{uri}");
            assert_eq!(may(resource(uri), ADMIN), reader.map(|_| true), "{uri}");
        }
        assert_eq!(may(prompt("describeProduct"), READ), Some(true));
        assert_eq!(may(prompt("repriceCatalog"), READ), Some(false));
        assert!(prompt("listProducts").is_none() && rule("describeProduct").is_none());
    }

    #[test]
    fn names_are_compared_exactly() {
        assert!(
            rule("DeleteProduct").is_none()
                && rule("").is_none()
                && rule("purgeProducts").is_none()
        );
    }
}
