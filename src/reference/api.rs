//! An admitted REST call in, the Product Catalog's answer out.

mod catalog;
mod replica;

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::reference::call::Call;
use crate::reference::reply;

pub use catalog::Product;
pub(crate) use catalog::{Catalog, Draft, Objection, Source};

/// What a REST route asks of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `GET /api/products`
    List,
    /// `GET /api/products/search?q=`
    Search,
    /// `GET /api/products/{id}`
    Get(String),
    /// `POST /api/products`
    Create,
    /// `PUT /api/products/{id}`
    Update(String),
    /// `DELETE /api/products/{id}`
    Delete(String),
}

/// The API. It knows nothing of callers and their rights.
#[derive(Debug)]
pub(crate) struct Api(Arc<Catalog>);

impl Api {
    /// Takes the store that it shares with the MCP server.
    pub(crate) fn new(catalog: Arc<Catalog>) -> Self {
        Self(catalog)
    }

    /// Answers one call: 200, 201 or 204, 400 for a body that is no JSON, or the catalog's objection.
    pub(crate) fn answer(&self, request: &Request, call: &Call) -> Response {
        match request {
            Request::List => page(&self.0.list()),
            Request::Search => match call.query("q") {
                Some(text) => page(&self.0.search(&text)),
                None => error(StatusCode::UNPROCESSABLE_ENTITY, "q is required"),
            },
            Request::Get(id) => self
                .0
                .get(id)
                .map_or_else(objection, |product| ok(&product)),
            Request::Create => self.create(call),
            Request::Update(id) => match body(call) {
                Some(body) => self
                    .0
                    .update(id, &body)
                    .map_or_else(objection, |product| ok(&product)),
                None => error(StatusCode::BAD_REQUEST, "body is not JSON"),
            },
            Request::Delete(id) => self
                .0
                .delete(id)
                .map_or_else(objection, |()| reply::empty(StatusCode::NO_CONTENT)),
        }
    }

    fn create(&self, call: &Call) -> Response {
        let Some(body) = body(call) else {
            return error(StatusCode::BAD_REQUEST, "body is not JSON");
        };
        match Draft::read(&body).and_then(|draft| self.0.create(draft, Source::Rest)) {
            Ok(product) => reply::with(
                reply::json(StatusCode::CREATED, &json!(product)),
                header::LOCATION,
                &format!("/api/products/{}", product.id),
            ),
            Err(reason) => objection(reason),
        }
    }
}

/// Returns products in the shape that both doors list them in: `{"items": […], "count": n}`.
pub(crate) fn listing(products: &[Product]) -> Value {
    json!({"items": products, "count": products.len()})
}

fn page(products: &[Product]) -> Response {
    reply::json(StatusCode::OK, &listing(products))
}

fn ok(product: &Product) -> Response {
    reply::json(StatusCode::OK, &json!(product))
}

fn body(call: &Call) -> Option<Value> {
    serde_json::from_slice(&call.body).ok()
}

fn objection(reason: Objection) -> Response {
    let status = match reason {
        Objection::NotFound => StatusCode::NOT_FOUND,
        Objection::NameTaken => StatusCode::CONFLICT,
        Objection::NameMissing | Objection::PriceInvalid | Objection::DescriptionInvalid => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    error(status, reason.text())
}

fn error(status: StatusCode, text: &str) -> Response {
    reply::json(status, &json!({"error": text}))
}
