//! Faults in, a started deployment with a client and signed-in personas out: what the tests here stand on.

mod asking;
mod consent;
mod devices;
mod doors;
mod faults;
mod identity;
mod pages;
mod platform;
mod proofs;
mod protocol;
mod renewal;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use tokio::runtime::{self, Runtime};

use super::{Deployment, Fault};

/// A deployment under test.
struct Bench {
    deployment: Deployment,
    variables: BTreeMap<&'static str, String>,
    runtime: Runtime,
    client: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Got {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The access token of a success, or the AADSTS number of a refusal.
    fn token(&self) -> Result<Value, u64> {
        let body = self.json();
        match body["access_token"].as_str() {
            Some(token) => Ok(claims(token)),
            None => Err(body["error_codes"][0].as_u64().unwrap()),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON-RPC answer, whether it came as JSON or as the last event of a stream.
    fn rpc(&self) -> Value {
        let last = self.text.lines().rfind(|line| line.starts_with("data: "));
        let data = last.map_or_else(|| self.text.trim(), |line| &line["data: ".len()..]);
        serde_json::from_str(data).unwrap()
    }
}

impl Bench {
    fn start(faults: &[Fault]) -> Self {
        // Plain http needs no TLS, but the client's builder asks for a provider all the same.
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let deployment = Deployment::start(faults).unwrap();
        Self {
            variables: deployment.variables().into_iter().collect(),
            deployment,
            runtime: runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            client: Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
        }
    }

    fn at(&self, name: &str) -> &str {
        &self.variables[name]
    }

    fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Got {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            Got {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                text: response.text().await.unwrap(),
            }
        })
    }

    fn rest(&self, token: &str, method: &str, path: &str, body: &str) -> Got {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let url = format!("{}{path}", self.at("CATALOG_REST_URL"));
        self.send(
            method,
            &url,
            if token.is_empty() {
                &headers[1..]
            } else {
                &headers
            },
            body,
        )
    }

    fn mcp(&self, token: &str, extra: &[(&str, &str)], body: &str) -> Got {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        if !token.is_empty() {
            headers.push(("authorization", &bearer));
        }
        headers.extend(extra);
        self.send("POST", self.at("CATALOG_MCP_URL"), &headers, body)
    }

    fn modern(&self, token: &str, method: &str, params: Value) -> Got {
        let name = params
            .get("name")
            .or_else(|| params.get("uri"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let mut headers = vec![
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", method),
        ];
        if ["tools/call", "resources/read", "prompts/get"].contains(&method) {
            headers.push(("mcp-name", &name));
        }
        self.mcp(token, &headers, &modern_body(method, params).to_string())
    }

    fn legacy(&self, token: &str, session: &str, method: &str, params: &Value) -> Got {
        let body =
            json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
        let headers = [
            ("mcp-protocol-version", "2025-11-25"),
            ("mcp-session-id", session),
        ];
        self.mcp(
            token,
            if session.is_empty() { &[] } else { &headers },
            &body,
        )
    }

    /// The id of a new session, or nothing where none is given.
    fn session(&self, token: &str) -> String {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
        self.legacy(token, "", "initialize", &params)
            .header("mcp-session-id")
            .to_owned()
    }

    /// The address that all endpoints of the tenant begin with.
    fn tenant(&self) -> String {
        format!(
            "{}/{}",
            self.at("ENTRA_AUTHORITY"),
            self.at("ENTRA_TENANT_ID")
        )
    }

    fn token_request(&self, version: &str, fields: &[(&str, &str)]) -> Got {
        let url = format!("{}/oauth2{version}/token", self.tenant());
        self.post(&url, &[], fields)
    }

    /// Posts a form, as a client or a page does.
    fn post(&self, url: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Got {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain([kind]).collect();
        self.send("POST", url, &headers, &form)
    }

    /// The answer to a user who signs in with a password through a client, by both words in variable names.
    fn password(&self, client: &str, user: &str, scope: &str) -> Got {
        let fields = [
            ("grant_type", "password"),
            ("client_id", self.at(&format!("{client}_ID"))),
            ("username", self.at(&format!("{user}_USER"))),
            ("password", self.at(&format!("{user}_PASSWORD"))),
            ("scope", scope),
        ];
        self.token_request("/v2.0", &fields)
    }

    fn scope(&self) -> String {
        format!("api://{}/.default", self.at("API_APP_ID"))
    }

    /// The token of a persona's service, by the persona's word in variable names.
    fn token(&self, label: &str) -> String {
        self.token_for(label, &self.scope())
    }

    fn token_for(&self, label: &str, scope: &str) -> String {
        let got = self.token_request(
            "/v2.0",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", self.at(&format!("{label}_ID"))),
                ("client_secret", self.at(&format!("{label}_SECRET"))),
                ("scope", scope),
            ],
        );
        got.json()["access_token"].as_str().unwrap().to_owned()
    }
}

fn modern_body(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
