//! A request to the public address in, the answer of the policies or of the backend behind them out.

mod answer;
mod guard;
mod issuer;
mod openapi;
mod route;
mod validate;

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::reference::api::{Api, Catalog, Request};
use crate::reference::call::{Call, Credential};
use crate::reference::fault::{Fault, Faults};
use crate::reference::idp::{Idp, signing_key};
use crate::reference::mcp::{Manner, Refusal, Server, Serving};
use crate::reference::policy::Shown;
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
    sign_in_page: String,
    api: Api,
    mcp: Server,
    catalog: Arc<Catalog>,
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
        let document = metadata_document(base, idp, trusted.as_ref(), &faults);
        let validator = Validator::new(
            signing_key(),
            idp.issuers(),
            idp.audiences(),
            trusted,
            faults.clone(),
        );
        let metadata = format!("{base}/.well-known/oauth-protected-resource/mcp");
        Self {
            guard: Guard::new(
                faults.clone(),
                validator,
                scope(idp),
                metadata,
                idp.sign_in_page(),
            ),
            metadata: document,
            sign_in_page: idp.sign_in_page(),
            api: Api::new(Arc::clone(catalog)),
            catalog: Arc::clone(catalog),
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
            Route::Metadata if self.faults.contains(Fault::NoResourceMetadata) => {
                Ok(answer::no_route())
            }
            Route::Metadata => Ok(reply::json(StatusCode::OK, &self.metadata)),
            Route::Document if self.faults.contains(Fault::OpenapiUnread) => {
                Ok(answer::sign_in(&self.sign_in_page))
            }
            Route::Document => Ok(reply::json(
                StatusCode::OK,
                &openapi::document(&self.faults),
            )),
            Route::Rest(operation, request) => self.rest(operation, &request, call),
            Route::Mcp => self.mcp(call),
            Route::Stream => self.stream(call),
            Route::Messages => self.messages(call),
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
            Err(rule) => {
                let later = |permit| self.catalog.refusing(|| backend(permit));
                Err(self.guard.refuse(Entry::Rest, rule, later).into())
            }
        }
    }

    fn mcp(&self, call: &Call) -> Result<Response, Box<Response>> {
        self.guard.before_policies()?;
        if self.faults.contains(Fault::GetUnrouted) && call.method != Method::POST {
            return Err(answer::no_route().into());
        }
        if self.faults.contains(Fault::GetOpen) && call.method == Method::GET {
            return Ok(self.mcp.open_stream());
        }
        if let Some(message) = self.unwrapped(call) {
            return self.mcp(&message);
        }
        let message = call.object().map(Value::Object);
        let method = message
            .as_ref()
            .and_then(|message| message.get("method")?.as_str())
            .unwrap_or_default();
        if let Some(permit) = self.guard.open_listing(method) {
            return Ok(self.serve(&permit, None, call, Serving::Plainly));
        }
        if let Some(owner) = self.remembered(method, call) {
            let permit = Permit::for_protocol(&Caller::Unchecked);
            return Ok(self.serve(&permit, Some(&owner), call, Serving::Plainly));
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
            Ok(permit) if self.loses_token(sought) => {
                let refusal = Refusal {
                    manner: Manner::Inner401,
                    rule: "",
                };
                Ok(self.serve(&permit, caller.subject(), call, Serving::Refusing(refusal)))
            }
            Ok(permit) => Ok(self.pass(&permit, &caller, call)),
            Err(rule) => Err(self.refuse(sought, rule, &caller, call).into()),
        }
    }

    /// Whether a tool's call of the API arrives there without a token.
    fn loses_token(&self, sought: Sought<'_>) -> bool {
        self.faults.contains(Fault::TokenNotForwarded) && matches!(sought, Sought::Operation(_))
    }

    fn stream(&self, call: &Call) -> Result<Response, Box<Response>> {
        self.guard.before_policies()?;
        let caller = self.beside(call, &[Fault::LegacySseOpen])?;
        let permit = Permit::for_protocol(&caller);
        Ok(self.reach(&permit, || self.mcp.stream()))
    }

    fn messages(&self, call: &Call) -> Result<Response, Box<Response>> {
        self.guard.before_policies()?;
        let open = [Fault::LegacySseOpen, Fault::LegacySseMessagesOpen];
        let caller = self.beside(call, &open)?;
        let message = call.object().map(Value::Object).unwrap_or_default();
        let method = message.get("method").and_then(Value::as_str);
        let params = message.get("params").unwrap_or(&Value::Null);
        let permit = match self.sought(method.unwrap_or_default(), params) {
            None => Permit::for_protocol(&caller),
            Some(sought) => match self.guard.authorize(Entry::Mcp, &caller, sought) {
                Ok(permit) => permit,
                Err(rule) => return Err(self.refuse(sought, rule, &caller, call).into()),
            },
        };
        Ok(self.reach(&permit, || self.mcp.message(call, Serving::Plainly)))
    }

    /// The token policy of the pair beside the MCP endpoint; none where one of these faults has it forgotten.
    fn beside(&self, call: &Call, open: &[Fault]) -> Result<Caller, Box<Response>> {
        if open.iter().any(|fault| self.faults.contains(*fault)) {
            return Ok(Caller::Unchecked);
        }
        self.guard.authenticate(Entry::Mcp, call)
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
        self.serve(permit, caller.subject(), call, self.showing(caller, call))
    }

    /// What a list shows, where it is filtered.
    fn showing(&self, caller: &Caller, call: &Call) -> Serving {
        let filters = [Fault::ListFilteredPublic, Fault::HiddenButCallable];
        let is_filtered = filters.iter().any(|fault| self.faults.contains(*fault));
        let is_list = || {
            call.object()
                .is_some_and(|message| message.get("method") == Some(&json!("tools/list")))
        };
        match caller {
            Caller::Known(claims) if is_filtered && is_list() => {
                let roles = claims.roles.as_deref().unwrap_or_default();
                Serving::Showing(Shown::to(roles, &self.faults))
            }
            Caller::Known(_) | Caller::Unchecked => Serving::Plainly,
        }
    }

    /// The message in an array, where the policy takes one for the other.
    fn unwrapped(&self, call: &Call) -> Option<Call> {
        if !self.faults.contains(Fault::BatchesAccepted) {
            return None;
        }
        let [message]: [Value; 1] = serde_json::from_slice(&call.body).ok()?;
        Some(call.with_body(message.to_string()))
    }

    /// Whose session a protocol message without a token names, where the policy asks for a token at the handshake alone.
    fn remembered(&self, method: &str, call: &Call) -> Option<String> {
        let forgets = self.faults.contains(Fault::SessionInsteadOfToken)
            && self.sought(method, &Value::Null).is_none()
            && call.credential() == Credential::Nothing;
        forgets.then(|| self.mcp.owner(call)).flatten()
    }

    fn refuse(
        &self,
        sought: Sought<'_>,
        rule: &'static str,
        caller: &Caller,
        call: &Call,
    ) -> Response {
        let subject = caller.subject();
        let serve = |permit: &Permit, serving| self.serve(permit, subject, call, serving);
        let permit = Permit::for_refusing(rule);
        if let Some(manner) = self.manner(sought) {
            let refusal = Refusal { manner, rule };
            return serve(&permit, Serving::Refusing(refusal));
        }
        if self.faults.contains(Fault::RefusalHidden) {
            return serve(&permit, Serving::AsUnknown);
        }
        if self.faults.contains(Fault::Swallowed202) {
            return reply::empty(StatusCode::ACCEPTED);
        }
        if let Some(challenge) = self.misplaced_challenge() {
            let refused = answer::own(StatusCode::UNAUTHORIZED, "Unauthorized.");
            return reply::with(refused, header::WWW_AUTHENTICATE, challenge);
        }
        self.guard.refuse(Entry::Mcp, rule, |permit| {
            self.catalog.refusing(|| serve(&permit, Serving::Plainly))
        })
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

    /// Hands a call to the MCP server, with the subject of the token, where one was looked at.
    fn serve(
        &self,
        permit: &Permit,
        subject: Option<&str>,
        call: &Call,
        serving: Serving,
    ) -> Response {
        self.reach(permit, || self.mcp.answer(call, subject, serving))
    }

    /// The permit is asked for rather than used: without one this does not compile.
    fn reach(&self, _permit: &Permit, backend: impl FnOnce() -> Response) -> Response {
        if self.faults.contains(Fault::BackendDown502) {
            return answer::bad_gateway();
        }
        backend()
    }
}

/// The scope that lets a client act for a user.
fn scope(idp: &Idp) -> String {
    let [api, _] = idp.audiences();
    format!("{api}/access_as_user")
}

/// The protected resource metadata of the MCP endpoint (RFC 9728 section 2).
fn metadata_document(base: &str, idp: &Idp, trusted: Option<&Trusted>, faults: &Faults) -> Value {
    let [_, issuer] = idp.issuers();
    let resource = if faults.contains(Fault::ResourceMismatch) {
        "http://catalog-mcp.internal:8080/mcp".to_owned()
    } else {
        format!("{base}/mcp")
    };
    let servers = if faults.contains(Fault::NoAuthorizationServers) {
        Vec::new()
    } else if faults.contains(Fault::WrongAuthorizationServer) {
        vec![issuer.trim_end_matches("/v2.0")]
    } else {
        let own = [issuer.as_str()].into_iter();
        own.chain(trusted.map(Trusted::name)).collect()
    };
    json!({
        "resource": resource,
        "authorization_servers": servers,
        "scopes_supported": [scope(idp)],
        "bearer_methods_supported": ["header"],
        "resource_name": "Product Catalog",
    })
}
