//! The admin plane's own description, OpenAPI 3.1, made from one table.
//!
//! The table is what the router is held against by a test: a route that is
//! served and not described, or described and not served, fails it.

mod operations;
mod schemas;

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use operations::{OPERATIONS, Operation};
use schemas::{reference, schemas};

/// The OpenAPI document as text, made once: whoever reaches the plane may ask for it.
pub(super) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| document().to_string())
}

/// The OpenAPI document.
fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let path = paths
            .entry(format!("/api/v1{}", operation.path))
            .or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(operation.method.to_owned(), describe(operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "panopol admin plane",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let parameters: Vec<Value> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect();
    let mut out = json!({
        "operationId": format!("{}{}", operation.method, operation.path.replace(['/', '{', '}', '.'], "_")),
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            operation.success.to_string(): {
                "description": "done",
                "content": {media_type(operation): {"schema": reference(operation.answer)}},
            },
            "default": {
                "description": "refused or failed",
                "content": {"application/problem+json": {"schema": reference("Problem")}},
            },
        },
    });
    if let (false, Value::Object(members)) = (operation.body.is_empty(), &mut out) {
        members.insert(
            "requestBody".to_owned(),
            json!({"content": {"application/json": {"schema": reference(operation.body)}}}),
        );
    }
    if let (
        "/claim"
        | "/openapi.json"
        | "/step-ca"
        | "/permit-keys"
        | "/authorities/{id}"
        | "/authorities/{id}/crl",
        Value::Object(members),
    ) = (operation.path, &mut out)
    {
        members.insert("security".to_owned(), json!([]));
    }
    out
}

/// What an answer is; of a stream, the schema is that of each event's data.
fn media_type(operation: &Operation) -> &'static str {
    match operation.path {
        "/events" => "text/event-stream",
        _ => "application/json",
    }
}
