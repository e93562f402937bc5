//! A request to the public address in, the answer of the policies or of the backend behind them out.

mod answer;
mod guard;
mod issuer;
mod route;
mod validate;

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::reference::api::{Api, Catalog, Request};
use crate::reference::call::Call;
use crate::reference::fault::{Fault, Faults};
use crate::reference::idp::{Idp, signing_key};
use crate::reference::mcp::{Manner, Refusal, Server, Serving};
use crate::reference::reply;
use guard::{Caller, Entry, Guard, Permit, Sought};
use route::Route;
use validate::Validator;

pub use issuer::Trusted;

/// The gateway, with both entries and both backends.
pub(crate) struct Gateway {
    faults: Faults,
    guard: Guard,
    metadata: Value,
    api: Api,
    mcp: Server,
}

impl Gateway {
    /// Takes the address that it is reached at, without a slash at the end, the provider that it trusts, another one that
    /// it trusts besides, and the store.
    pub(crate) fn new(
        base: &str,
        idp: &Idp,
        trusted: Option<Trusted>,
        catalog: &Arc<Catalog>,
        faults: Faults,
    ) -> Self {
        let document = metadata_document(base, idp, trusted.as_ref());
        let validator = Validator::new(
            signing_key(),
            idp.issuers(),
            idp.audiences(),
            trusted,
            faults.clone(),
        );
        let metadata = format!("{base}/.well-known/oauth-protected-resource/mcp");
        Self {
            guard: Guard::new(faults.clone(), validator, metadata, idp.sign_in_page()),
            metadata: document,
            api: Api::new(Arc::clone(catalog)),
            mcp: Server::new(Arc::clone(catalog), faults.clone()),
            faults,
        }
    }

    /// Answers one request: route match, then subscription key, then policies, then backend.
    pub(crate) fn answer(&self, call: &Call) -> Response {
        let Some(route) = route::find(call, &self.faults) else {
            return answer::no_route();
        };
        let answered = match route {
            Route::Metadata => Ok(reply::json(StatusCode::OK, &self.metadata)),
            Route::Rest(operation, request) => self.rest(operation, &request, call),
            Route::Mcp => self.mcp(call),
        };
        answered.unwrap_or_else(|refusal| *refusal)
    }

    fn rest(
        &self,
        operation: &str,
        request: &Request,
        call: &Call,
    ) -> Result<Response, Box<Response>> {
        self.guard.before_policies()?;
        let caller = self.guard.authenticate(Entry::Rest, call)?;
        let backend = |permit: Permit| self.reach(&permit, || self.api.answer(request, call));
        match self
            .guard
            .authorize(Entry::Rest, &caller, Sought::Operation(operation))
        {
            Ok(permit) => Ok(backend(permit)),
            Err(rule) => Err(self.guard.refuse(rule, backend).into()),
        }
    }

    fn mcp(&self, call: &Call) -> Result<Response, Box<Response>> {
        self.guard.before_policies()?;
        let message = call.object().map(Value::Object);
        let method = message
            .as_ref()
            .and_then(|message| message.get("method")?.as_str())
            .unwrap_or_default();
        if let Some(permit) = self.guard.open_listing(method) {
            return Ok(self.serve(&permit, call, Serving::Plainly));
        }
        let caller = self.guard.authenticate(Entry::Mcp, call)?;
        let checked = matches!(caller, Caller::Known(_)) && call.method == Method::POST;
        if checked && message.is_none() {
            return Err(answer::invalid_payload().into());
        }
        let params = message.as_ref().and_then(|message| message.get("params"));
        let Some(sought) = self.sought(method, params.unwrap_or(&Value::Null)) else {
            let permit = Permit::for_protocol(&caller);
            return Ok(self.pass(&permit, &caller, call));
        };
        match self.guard.authorize(Entry::Mcp, &caller, sought) {
            Ok(permit) => Ok(self.pass(&permit, &caller, call)),
            Err(rule) => Err(self.refuse(sought, rule, call).into()),
        }
    }

    /// What a request wants to have; nothing for messages of the protocol itself, lists among them.
    fn sought<'a>(&self, method: &str, params: &'a Value) -> Option<Sought<'a>> {
        let word = |value: &'a Value, key: &str| {
            value.get(key).and_then(Value::as_str).unwrap_or_default()
        };
        let is_forgotten = self.faults.contains(Fault::OnlyToolsChecked) && method != "tools/call"
            || self.faults.contains(Fault::CompletionUnchecked) && method == "completion/complete";
        match method {
            _ if is_forgotten => None,
            "tools/call" => Some(Sought::Operation(word(params, "name"))),
            "resources/read" => Some(Sought::Resource(word(params, "uri"))),
            "prompts/get" => Some(Sought::Prompt(word(params, "name"))),
            // What completes gives away as much as what it completes.
            "completion/complete" => {
                let reference = params.get("ref").unwrap_or(&Value::Null);
                Some(match word(reference, "type") {
                    "ref/resource" => Sought::Resource(word(reference, "uri")),
                    _ => Sought::Prompt(word(reference, "name")),
                })
            }
            _ => None,
        }
    }

    /// Hands over what the MCP policy has read, with the body that the reading left.
    fn pass(&self, permit: &Permit, caller: &Caller, call: &Call) -> Response {
        let read = matches!(caller, Caller::Known(_)) && call.method == Method::POST;
        if read && self.faults.contains(Fault::BodySwallowed) {
            return answer::invalid_payload();
        }
        self.serve(permit, call, Serving::Plainly)
    }

    fn refuse(&self, sought: Sought<'_>, rule: &'static str, call: &Call) -> Response {
        let permit = Permit::for_refusing(rule);
        if let Some(manner) = self.manner(sought) {
            let refusal = Refusal { manner, rule };
            return self.serve(&permit, call, Serving::Refusing(refusal));
        }
        if self.faults.contains(Fault::RefusalHidden) {
            return self.serve(&permit, call, Serving::AsUnknown);
        }
        if self.faults.contains(Fault::Swallowed202) {
            return reply::empty(StatusCode::ACCEPTED);
        }
        if let Some(challenge) = self.misplaced_challenge() {
            let refused = answer::own(StatusCode::UNAUTHORIZED, "Unauthorized.");
            return reply::with(refused, header::WWW_AUTHENTICATE, challenge);
        }
        self.guard
            .refuse(rule, |permit| self.serve(&permit, call, Serving::Plainly))
    }

    /// How the server refuses in place of the gateway, where it does.
    fn manner(&self, sought: Sought<'_>) -> Option<Manner> {
        let of_resources = matches!(sought, Sought::Resource(_));
        let manners = [
            (Fault::RefusalInBand, Manner::Forbidden),
            (Fault::RefusalCode32001, Manner::Code32001),
            (Fault::RefusalCode32600, Manner::Code32600),
            (Fault::RefusalScopeText, Manner::ScopeText),
            (Fault::RefusalPermissionsText, Manner::PermissionsText),
            (Fault::RefusalUnknownText, Manner::UnknownText),
            (Fault::RefusalInner403, Manner::Inner403),
            (Fault::RefusalAfterProgress, Manner::AfterProgress),
        ];
        let hidden = self.faults.contains(Fault::ResourceHidden) && of_resources;
        let mut found = manners
            .iter()
            .filter(|(fault, _)| self.faults.contains(*fault));
        let named = found.next().map(|(_, manner)| *manner);
        named.or_else(|| hidden.then_some(Manner::NotFound))
    }

    /// The challenge of a 401 where 403 is right.
    fn misplaced_challenge(&self) -> Option<&'static str> {
        if self.faults.contains(Fault::InsufficientScope401) {
            Some(r#"Bearer error="insufficient_scope", scope="Products.Admin""#)
        } else if self.faults.contains(Fault::InvalidToken401) {
            Some(r#"Bearer error="invalid_token", error_description="Authentication failed.""#)
        } else {
            None
        }
    }

    fn serve(&self, permit: &Permit, call: &Call, serving: Serving) -> Response {
        self.reach(permit, || self.mcp.answer(call, serving))
    }

    /// The permit is asked for rather than used: without one this does not compile.
    fn reach(&self, _permit: &Permit, backend: impl FnOnce() -> Response) -> Response {
        if self.faults.contains(Fault::BackendDown502) {
            return answer::bad_gateway();
        }
        backend()
    }
}

/// The protected resource metadata of the MCP endpoint (RFC 9728 section 2).
fn metadata_document(base: &str, idp: &Idp, trusted: Option<&Trusted>) -> Value {
    let [_, own] = idp.issuers();
    let issuers = [own.as_str()].into_iter();
    let issuers: Vec<&str> = issuers.chain(trusted.map(Trusted::name)).collect();
    let [api, _] = idp.audiences();
    json!({
        "resource": format!("{base}/mcp"),
        "authorization_servers": issuers,
        "scopes_supported": [format!("{api}/access_as_user")],
        "bearer_methods_supported": ["header"],
        "resource_name": "Product Catalog",
    })
}
