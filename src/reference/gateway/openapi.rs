//! Faults in, the OpenAPI document of the Product Catalog out, written by hand.

use serde_json::{Value, json};

use crate::reference::fault::{Fault, Faults};

/// Returns the document that the gateway publishes. Its server is the gateway itself, whatever address that has.
pub(super) fn document(faults: &Faults) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Product Catalog", "version": "1.0.0" },
        "servers": [{ "url": "/api" }],
        "paths": {
            "/products": {
                "get": operation("listProducts", "200"),
                "post": operation("createProduct", "201"),
            },
            "/products/search": { "get": operation("searchProducts", "200") },
            "/products/{id}": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "get": operation("getProduct", "200"),
                "put": operation("updateProduct", "200"),
                "delete": operation("deleteProduct", "204"),
            },
        },
    });
    let paths = &mut document["paths"];
    if faults.contains(Fault::ForgottenRoute) {
        paths["/products/export"] = json!({ "get": operation("exportCatalog", "200") });
    }
    if faults.contains(Fault::UndocumentedRoute)
        && let Some(item) = paths["/products/{id}"].as_object_mut()
    {
        item.remove("delete");
    }
    document
}

fn operation(id: &str, status: &str) -> Value {
    json!({ "operationId": id, "responses": { status: { "description": "Done" } } })
}
