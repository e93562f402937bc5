//! Drafts and ids in, products out: the one store behind both doors.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Number, Value};

use super::replica::Replica;
use crate::reference::chance;
use crate::reference::fault::{Fault, Faults};

/// How long what is late takes.
const LAG: Duration = Duration::from_secs(2);

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
    replica: Mutex<Replica>,
    /// Creations that will happen, where refused ones do.
    coming: Mutex<Vec<(Instant, Product)>>,
    /// Whether the call under way has been refused, and is executed later all the same.
    refusing: AtomicBool,
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
            replica: Mutex::new(Replica::of(&products)),
            products: Mutex::new(products.into()),
            coming: Mutex::default(),
            refusing: AtomicBool::new(false),
            faults,
        }
    }

    /// Returns all products that there are in the order of their creation, also those that are not seen yet.
    pub(crate) fn all(&self) -> Vec<Product> {
        self.with(|products| products.clone())
    }

    /// Returns all products in the order of their creation.
    pub(crate) fn list(&self) -> Vec<Product> {
        if self.faults.contains(Fault::LateEffects) {
            return lock(&self.replica).shown(Instant::now()).to_vec();
        }
        self.all()
    }

    /// Executes a call that has been refused: where refused creations happen late, nothing of it happens at once.
    pub(crate) fn refusing<T>(&self, call: impl FnOnce() -> T) -> T {
        let late = self.faults.contains(Fault::LateCreationDespite403);
        self.refusing.store(late, Ordering::Relaxed);
        let done = call();
        self.refusing.store(false, Ordering::Relaxed);
        done
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
        let mut products = self.list().into_iter();
        products
            .find(|product| product.id == id)
            .ok_or(Objection::NotFound)
    }

    /// Adds a product and returns it with its new id.
    pub(crate) fn create(&self, draft: Draft, source: Source) -> Result<Product, Objection> {
        self.with(|products| {
            if is_taken(products, &draft.name, None) {
                return Err(Objection::NameTaken);
            }
            let product = draft.with_id(chance::guid());
            if self.refusing.load(Ordering::Relaxed) {
                lock(&self.coming).push((Instant::now() + LAG, product.clone()));
            } else if self.keeps() || source == Source::Rest {
                products.push(product.clone());
                self.show(products, (source == Source::Rest).then_some(&product));
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
                self.show(products, None);
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
                self.show(products, None);
            }
            Ok(())
        })
    }

    /// A write is kept unless the deployment loses writes.
    fn keeps(&self) -> bool {
        !self.faults.contains(Fault::WriteLost) && !self.refusing.load(Ordering::Relaxed)
    }

    /// Lets readers see what there is now, when their time has come; one product at once.
    fn show(&self, products: &[Product], at_once: Option<&Product>) {
        if self.faults.contains(Fault::LateEffects) {
            lock(&self.replica).follow(products, at_once, Instant::now() + LAG);
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Product>) -> T) -> T {
        let mut products = lock(&self.products);
        let now = Instant::now();
        let due = |(at, _): &mut (Instant, Product)| *at <= now;
        let arrived = lock(&self.coming).extract_if(.., due).collect::<Vec<_>>();
        products.extend(arrived.into_iter().map(|(_, product)| product));
        act(&mut products)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_lagging_replica_shows_later_what_the_store_has_at_once() {
        let catalog = catalog(&[Fault::LateEffects]);
        let draft = |name: &str| Draft::read(&json!({"name": name, "price": 1})).unwrap();
        let seen = catalog.create(draft("seen"), Source::Rest).unwrap();
        let unseen = catalog.create(draft("unseen"), Source::Tool).unwrap();
        assert_eq!(catalog.get(&seen.id), Ok(seen.clone()));
        assert_eq!(catalog.get(&unseen.id), Err(Objection::NotFound));
        assert!(catalog.delete(&seen.id).is_ok());
        assert_eq!(catalog.get(&seen.id), Ok(seen.clone()));
        assert_eq!(catalog.delete(&seen.id), Err(Objection::NotFound));
        assert_eq!((catalog.all().len(), catalog.list().len()), (4, 4));
        std::thread::sleep(LAG + Duration::from_millis(20));
        assert_eq!(catalog.get(&unseen.id), Ok(unseen));
        assert_eq!(catalog.get(&seen.id), Err(Objection::NotFound));
    }

    #[test]
    fn a_refused_creation_may_happen_later_and_no_other_write_does() {
        let catalog = catalog(&[Fault::LateCreationDespite403]);
        let draft = || Draft::read(&json!({"name": "late", "price": 1})).unwrap();
        let first = catalog.list()[0].id.clone();
        catalog.refusing(|| {
            catalog.create(draft(), Source::Rest).unwrap();
            catalog.delete(&first).unwrap();
        });
        assert_eq!(catalog.list().len(), 3);
        std::thread::sleep(LAG + Duration::from_millis(20));
        assert_eq!(catalog.list().len(), 4);
    }
}
