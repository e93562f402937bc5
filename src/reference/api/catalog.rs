//! Drafts and ids in, products out: the one store behind both doors.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Number, Value};

use crate::reference::chance;
use crate::reference::fault::{Fault, Faults};

/// One product of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Product {
    /// A version 4 UUID, given by the store.
    pub id: String,
    /// Unique in the catalog, without regard to case.
    pub name: String,
    /// Not negative; the number keeps the form in which it was sent.
    pub price: Number,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Why the catalog did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    /// No product has that id.
    NotFound,
    /// Another product has that name.
    NameTaken,
    /// The name is missing, empty or no text.
    NameMissing,
    /// The price is missing, negative or no number.
    PriceInvalid,
    /// The description is no text.
    DescriptionInvalid,
}

impl Objection {
    /// Returns the sentence that both doors answer with.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NotFound => "product not found",
            Self::NameTaken => "a product with this name exists",
            Self::NameMissing => "name is required",
            Self::PriceInvalid => "price must be a number that is not negative",
            Self::DescriptionInvalid => "description must be text",
        }
    }
}

/// A product without its id, already found valid.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    name: String,
    price: Number,
    description: Option<String>,
}

impl Draft {
    /// Takes a JSON object with `name`, `price` and perhaps `description`; anything else in it is ignored.
    pub(crate) fn read(body: &Value) -> Result<Self, Objection> {
        let name = body
            .get("name")
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let price = body.get("price").and_then(Value::as_number);
        let description = match body.get("description") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => return Err(Objection::DescriptionInvalid),
        };
        Ok(Self {
            name: name.ok_or(Objection::NameMissing)?.to_owned(),
            price: price
                .filter(|price| price.as_f64().is_some_and(|price| price >= 0.0))
                .ok_or(Objection::PriceInvalid)?
                .clone(),
            description,
        })
    }

    fn with_id(self, id: String) -> Product {
        Product {
            id,
            name: self.name,
            price: self.price,
            description: self.description,
        }
    }
}

/// The way by which a new product came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The REST API.
    Rest,
    /// A tool of the MCP server.
    Tool,
}

/// The store. It knows nothing of callers and their rights.
#[derive(Debug)]
pub(crate) struct Catalog {
    products: Mutex<Vec<Product>>,
    faults: Faults,
}

impl Catalog {
    /// Returns a store with three products that belong to others.
    pub(crate) fn new(faults: Faults) -> Self {
        let seed = [
            ("Espresso machine", 249),
            ("Hand grinder", 89),
            ("Gooseneck kettle", 64),
        ];
        let products = seed.map(|(name, price)| Product {
            id: chance::guid(),
            name: name.to_owned(),
            price: Number::from(price),
            description: Some("Sold by the catalog's owners".to_owned()),
        });
        Self {
            products: Mutex::new(products.into()),
            faults,
        }
    }

    /// Returns all products in the order of their creation.
    pub(crate) fn list(&self) -> Vec<Product> {
        self.with(|products| products.clone())
    }

    /// Returns the products whose name contains `text`, without regard to case.
    pub(crate) fn search(&self, text: &str) -> Vec<Product> {
        let text = text.to_lowercase();
        let mut found = self.list();
        found.retain(|product| product.name.to_lowercase().contains(&text));
        found
    }

    /// Returns the product with this id.
    pub(crate) fn get(&self, id: &str) -> Result<Product, Objection> {
        self.with(|products| products.iter().find(|product| product.id == id).cloned())
            .ok_or(Objection::NotFound)
    }

    /// Adds a product and returns it with its new id.
    pub(crate) fn create(&self, draft: Draft, source: Source) -> Result<Product, Objection> {
        self.with(|products| {
            if is_taken(products, &draft.name, None) {
                return Err(Objection::NameTaken);
            }
            let product = draft.with_id(chance::guid());
            if self.keeps() || source == Source::Rest {
                products.push(product.clone());
            }
            Ok(product)
        })
    }

    /// Replaces the product with this id and returns it as it is now.
    pub(crate) fn update(&self, id: &str, body: &Value) -> Result<Product, Objection> {
        self.with(|products| {
            let at = position(products, id)?;
            let draft = Draft::read(body)?;
            if is_taken(products, &draft.name, Some(id)) {
                return Err(Objection::NameTaken);
            }
            let product = draft.with_id(id.to_owned());
            if self.keeps() {
                products[at] = product.clone();
            }
            Ok(product)
        })
    }

    /// Removes the product with this id.
    pub(crate) fn delete(&self, id: &str) -> Result<(), Objection> {
        self.with(|products| {
            let at = position(products, id)?;
            if self.keeps() {
                products.remove(at);
            }
            Ok(())
        })
    }

    /// A write is kept unless the deployment loses writes.
    fn keeps(&self) -> bool {
        !self.faults.contains(Fault::WriteLost)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Product>) -> T) -> T {
        act(&mut self.products.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn position(products: &[Product], id: &str) -> Result<usize, Objection> {
    products
        .iter()
        .position(|product| product.id == id)
        .ok_or(Objection::NotFound)
}

fn is_taken(products: &[Product], name: &str, except: Option<&str>) -> bool {
    let name = name.to_lowercase();
    products
        .iter()
        .any(|product| Some(product.id.as_str()) != except && product.name.to_lowercase() == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn catalog(faults: &[Fault]) -> Catalog {
        Catalog::new(Faults::new(faults))
    }

    #[test]
    fn drafts_need_a_name_and_a_price_that_is_not_negative() {
        let table = [
            (json!({"price": 1}), Objection::NameMissing),
            (json!({"name": " ", "price": 1}), Objection::NameMissing),
            (json!({"name": 7, "price": 1}), Objection::NameMissing),
            (json!({"name": "a"}), Objection::PriceInvalid),
            (json!({"name": "a", "price": "1"}), Objection::PriceInvalid),
            (
                json!({"name": "a", "price": -0.01}),
                Objection::PriceInvalid,
            ),
            (
                json!({"name": "a", "price": 1, "description": []}),
                Objection::DescriptionInvalid,
            ),
            (json!([]), Objection::NameMissing),
        ];
        for (body, objection) in table {
            assert_eq!(Draft::read(&body).unwrap_err(), objection, "{body}");
        }
        assert!(Draft::read(&json!({"name": "a", "price": 0})).is_ok());
    }

    #[test]
    fn what_is_written_can_be_read_and_names_are_unique() {
        let catalog = catalog(&[]);
        let cup = json!({"name": "Cup", "price": 4.5});
        let made = catalog
            .create(Draft::read(&cup).unwrap(), Source::Tool)
            .unwrap();
        assert_eq!(catalog.get(&made.id), Ok(made.clone()));
        assert_eq!(catalog.search("cU"), std::slice::from_ref(&made));
        let again = Draft::read(&json!({"name": "CUP", "price": 1})).unwrap();
        assert_eq!(
            catalog.create(again, Source::Rest),
            Err(Objection::NameTaken)
        );
        let taken = json!({"name": "hand grinder", "price": 1});
        assert_eq!(catalog.update(&made.id, &taken), Err(Objection::NameTaken));
        assert!(
            catalog
                .update(&made.id, &json!({"name": "Cup", "price": 5}))
                .is_ok()
        );
        assert_eq!(catalog.delete(&made.id), Ok(()));
        assert_eq!(catalog.delete(&made.id), Err(Objection::NotFound));
        assert_eq!(catalog.list().len(), 3);
    }

    #[test]
    fn lost_writes_answer_success_and_keep_only_what_rest_created() {
        let catalog = catalog(&[Fault::WriteLost]);
        let draft = |name: &str| Draft::read(&json!({"name": name, "price": 1})).unwrap();
        let kept = catalog.create(draft("kept"), Source::Rest).unwrap();
        let lost = catalog.create(draft("lost"), Source::Tool).unwrap();
        assert_eq!(catalog.get(&lost.id), Err(Objection::NotFound));
        assert!(
            catalog
                .update(&kept.id, &json!({"name": "new", "price": 2}))
                .is_ok()
        );
        assert!(catalog.delete(&kept.id).is_ok());
        assert_eq!(catalog.get(&kept.id), Ok(kept));
    }
}
