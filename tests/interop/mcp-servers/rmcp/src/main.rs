//! Environment in, the catalog on rmcp 3 out; roles are checked in HTTP middleware, which answers 401 and 403.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;
use serde_json::{Value, json};

const BODY_CAP: usize = 1 << 20;

/// Whose tokens are taken.
struct Guard {
    keys: JwkSet,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    roles: Vec<String>,
}

impl Guard {
    fn from_environment() -> Result<Self, Box<dyn Error>> {
        let authority = env::var("ENTRA_AUTHORITY")?;
        let tenant = env::var("ENTRA_TENANT_ID")?;
        let app = env::var("API_APP_ID")?;
        let url = format!("{authority}/{tenant}/discovery/v2.0/keys");
        let keys = ureq::get(&url).call()?.body_mut().read_json()?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[
            format!("{authority}/{tenant}/v2.0"),
            format!("{authority}/sts/{tenant}/"),
        ]);
        validation.set_audience(&[format!("api://{app}"), app]);
        Ok(Self { keys, validation })
    }

    /// The roles in the request's token; nothing without a token of ours.
    fn roles(&self, request: &Request) -> Option<Vec<String>> {
        let value = request
            .headers()
            .get(header::AUTHORIZATION)?
            .to_str()
            .ok()?;
        let token = value.strip_prefix("Bearer ")?;
        let key = self.keys.find(&decode_header(token).ok()?.kid?)?;
        let key = DecodingKey::from_jwk(key).ok()?;
        let claims = decode::<Claims>(token, &key, &self.validation).ok()?.claims;
        Some(claims.roles)
    }
}

/// Who may call a tool; nobody may call one that is not named here.
fn allowed(tool: &str) -> &'static [&'static str] {
    match tool {
        "listProducts" | "getProduct" => &["Products.Read", "Products.Write", "Products.Admin"],
        "createProduct" => &["Products.Write", "Products.Admin"],
        "deleteProduct" => &["Products.Admin"],
        _ => &[],
    }
}

/// 401 without a token of ours, 403 where the tool wants another role; a body that cannot be read goes no further.
async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let Some(roles) = guard.roles(&request) else {
        return (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer")],
        )
            .into_response();
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_CAP).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let message = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    if message["method"] == "tools/call" {
        let allowed = allowed(message["params"]["name"].as_str().unwrap_or_default());
        if !roles.iter().any(|role| allowed.contains(&role.as_str())) {
            let text = json!({"error": format!("{} role required", allowed.join(" or "))});
            return (StatusCode::FORBIDDEN, axum::Json(text)).into_response();
        }
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

type Products = Arc<Mutex<HashMap<String, Value>>>;

#[derive(Clone)]
struct Catalog {
    products: Products,
    tool_router: ToolRouter<Self>,
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Query {
    #[serde(default)]
    q: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Target {
    id: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Draft {
    name: String,
    price: f64,
}

fn found(product: Option<Value>) -> CallToolResult {
    match product {
        Some(product) => CallToolResult::structured(product),
        None => CallToolResult::error(vec![ContentBlock::text("product not found")]),
    }
}

#[tool_router]
impl Catalog {
    fn new(products: Products) -> Self {
        Self {
            products,
            tool_router: Self::tool_router(),
        }
    }

    #[tool(
        name = "listProducts",
        description = "All products, or those whose name has `q` in it"
    )]
    fn list(&self, Parameters(Query { q }): Parameters<Query>) -> CallToolResult {
        let products = self.products.lock().unwrap();
        let named = |product: &&Value| {
            product["name"]
                .as_str()
                .is_some_and(|name| name.contains(&q))
        };
        let items: Vec<&Value> = products.values().filter(named).collect();
        CallToolResult::structured(json!({ "items": items }))
    }

    #[tool(name = "getProduct", description = "One product")]
    fn get(&self, Parameters(Target { id }): Parameters<Target>) -> CallToolResult {
        found(self.products.lock().unwrap().get(&id).cloned())
    }

    #[tool(name = "createProduct", description = "Adds a product")]
    fn create(&self, Parameters(Draft { name, price }): Parameters<Draft>) -> CallToolResult {
        let id = uuid::Uuid::new_v4().to_string();
        let product = json!({"id": id, "name": name, "price": price});
        self.products.lock().unwrap().insert(id, product.clone());
        CallToolResult::structured(product)
    }

    #[tool(name = "deleteProduct", description = "Removes a product")]
    fn delete(&self, Parameters(Target { id }): Parameters<Target>) -> CallToolResult {
        found(
            self.products
                .lock()
                .unwrap()
                .remove(&id)
                .map(|_| json!({ "deleted": id })),
        )
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Catalog {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let products = Products::default();
    let service: StreamableHttpService<Catalog, LocalSessionManager> = StreamableHttpService::new(
        move || Ok(Catalog::new(products.clone())),
        Arc::default(),
        StreamableHttpServerConfig::default(),
    );
    let guard = Arc::new(Guard::from_environment()?);
    let app = Router::new()
        .nest_service("/mcp", service)
        .layer(from_fn_with_state(guard, self::guard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/mcp", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
