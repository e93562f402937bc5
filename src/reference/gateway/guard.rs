//! A call in, a permit to reach the backend out, or the refusal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use axum::response::Response;

use super::answer;
use super::issuer::Claims;
use super::validate::Validator;
use crate::reference::call::{Call, Credential};
use crate::reference::fault::{Fault, Faults};
use crate::reference::policy::{self, Rule};
use crate::reference::reply;

/// The two entries, each with policies of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The REST API.
    Rest,
    /// The MCP endpoint, in whichever era.
    Mcp,
}

/// What a caller wants to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought<'a> {
    /// An operation of the REST API, or the tool of that name.
    Operation(&'a str),
    /// A resource of the MCP server, by its URI.
    Resource(&'a str),
    /// A prompt of the MCP server, by its name.
    Prompt(&'a str),
}

/// Proof that the policies of an entry let a call through; nothing reaches a backend without one.
pub(super) struct Permit(());

impl Permit {
    /// Protocol messages that call no tool need no more than a caller whom the token policy let in.
    pub(super) fn for_protocol(_caller: &Caller) -> Self {
        Self(())
    }

    /// A server that itself pronounces the refusal may be reached in order to do so.
    pub(super) fn for_refusing(_rule: &'static str) -> Self {
        Self(())
    }
}

/// Whoever got past the token policy.
pub(super) enum Caller {
    /// Its token was found valid.
    Known(Arc<Claims>),
    /// No policy looked at it.
    Unchecked,
}

impl Caller {
    /// Whom the token is about, where a policy has looked at one.
    pub(super) fn subject(&self) -> Option<&str> {
        match self {
            Self::Known(claims) => Some(&claims.subject),
            Self::Unchecked => None,
        }
    }
}

/// The policies of both entries.
pub(super) struct Guard {
    faults: Faults,
    validator: Validator,
    /// The address of the protected resource metadata.
    metadata: String,
    /// The scope that a client is to ask for.
    scope: String,
    sign_in_page: String,
    with_token: AtomicU64,
    refused: AtomicU64,
    first: OnceLock<Instant>,
}

/// How long the role policies take to be live, where they are late.
const LATE: Duration = Duration::from_secs(5);
/// Which refusal of a role meets the gateway that has no role policies, where there is one.
const STALE: u64 = 45;

impl Guard {
    /// Takes the token policy, the scope of the API, and the two addresses that a caller without a token may be pointed to.
    pub(super) fn new(
        faults: Faults,
        validator: Validator,
        scope: String,
        metadata: String,
        sign_in_page: String,
    ) -> Self {
        Self {
            faults,
            validator,
            metadata,
            scope,
            sign_in_page,
            with_token: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            first: OnceLock::new(),
        }
    }

    /// What happens to everyone before any policy runs.
    pub(super) fn before_policies(&self) -> Result<(), Box<Response>> {
        if self.faults.contains(Fault::Throttled429) {
            return Err(answer::throttled().into());
        }
        if self.faults.contains(Fault::SubscriptionKeyRequired) {
            return Err(answer::key_missing().into());
        }
        Ok(())
    }

    /// The token policy: 401 unless a valid token was presented.
    pub(super) fn authenticate(&self, entry: Entry, call: &Call) -> Result<Caller, Box<Response>> {
        let without_policies = match entry {
            Entry::Rest => Fault::RestNoAuth,
            Entry::Mcp => Fault::McpNoAuth,
        };
        let without = [without_policies, Fault::GatewayOpen];
        if without.iter().any(|fault| self.faults.contains(*fault)) {
            return Ok(Caller::Unchecked);
        }
        let credential = call.credential();
        let in_query = self.in_query(entry, call);
        let claims = match credential {
            Credential::Bearer(token) => self.validator.validate(token),
            Credential::Nothing => in_query.and_then(|token| self.validator.validate(&token)),
            Credential::Unusable => None,
        };
        let claims = claims.ok_or_else(|| self.unauthorized(entry, credential))?;
        self.after_validation(entry, &claims)?;
        Ok(Caller::Known(claims))
    }

    /// The role policy of one operation, resource or prompt: the refusal's wording unless the caller holds a role that it needs.
    pub(super) fn authorize(
        &self,
        entry: Entry,
        caller: &Caller,
        sought: Sought<'_>,
    ) -> Result<Permit, &'static str> {
        let Caller::Known(claims) = caller else {
            return Ok(Permit(()));
        };
        let unchecked = match entry {
            Entry::Rest => Fault::RestNoRoleCheck,
            Entry::Mcp => Fault::McpNoToolCheck,
        };
        if self.faults.contains(unchecked) || self.is_late() {
            return Ok(Permit(()));
        }
        let Some(rule) = self.rule(entry, sought) else {
            return self.unnamed(entry, sought);
        };
        let roles = claims.roles.as_deref().unwrap_or_default();
        if self.admits(entry, rule, roles) || self.is_stale() {
            Ok(Permit(()))
        } else {
            Err(rule.refusal)
        }
    }

    fn is_late(&self) -> bool {
        self.faults.contains(Fault::PolicyLate)
            && self.first.get_or_init(Instant::now).elapsed() < LATE
    }

    fn is_stale(&self) -> bool {
        self.faults.contains(Fault::StaleReplica)
            && self.refused.fetch_add(1, Ordering::Relaxed) % STALE == STALE - 1
    }

    fn in_query(&self, entry: Entry, call: &Call) -> Option<String> {
        let taken = entry == Entry::Mcp && self.faults.contains(Fault::QueryToken);
        taken.then(|| call.query("access_token")).flatten()
    }

    /// Listing without a token, where the policy forgot it.
    pub(super) fn open_listing(&self, method: &str) -> Option<Permit> {
        let lists = ["initialize", "server/discover", "tools/list"].contains(&method);
        (lists && self.faults.contains(Fault::McpListOpen)).then_some(Permit(()))
    }

    /// Writes the refusal of a role. `execute` is the call itself, for a policy that looks too late.
    pub(super) fn refuse(
        &self,
        entry: Entry,
        rule: &str,
        execute: impl FnOnce(Permit) -> Response,
    ) -> Response {
        let executes = [Fault::ExecutedDespite403, Fault::LateCreationDespite403];
        if executes.iter().any(|fault| self.faults.contains(*fault)) {
            drop(execute(Permit(())));
        }
        if self.faults.contains(Fault::CrashOnDenial) {
            return answer::crash();
        }
        if self.faults.contains(Fault::WafPage) {
            return answer::firewall_page();
        }
        if self.faults.contains(Fault::Empty200) {
            return reply::empty(StatusCode::OK);
        }
        let response = answer::role_required(self.swap(StatusCode::FORBIDDEN), rule);
        if entry == Entry::Mcp && self.faults.contains(Fault::MisleadingChallenge) {
            let challenge = self.challenge(Credential::Unusable);
            return reply::with(response, header::WWW_AUTHENTICATE, &challenge);
        }
        response
    }

    fn after_validation(&self, entry: Entry, claims: &Claims) -> Result<(), Box<Response>> {
        if self.faults.contains(Fault::Quota403) {
            return Err(answer::quota_used_up().into());
        }
        if self.faults.contains(Fault::Flaky401)
            && self.with_token.fetch_add(1, Ordering::Relaxed) % 3 == 2
        {
            return Err(self.unauthorized(entry, Credential::Unusable).into());
        }
        let crashes = self.faults.contains(Fault::ExpressionFails)
            || self.faults.contains(Fault::RolesMissing500) && claims.roles.is_none();
        if crashes {
            return Err(answer::crash().into());
        }
        Ok(())
    }

    fn unauthorized(&self, entry: Entry, credential: Credential<'_>) -> Response {
        if self.faults.contains(Fault::LoginRedirect) && credential == Credential::Nothing {
            return answer::sign_in(&self.sign_in_page);
        }
        let response = answer::own(self.swap(StatusCode::UNAUTHORIZED), "Unauthorized.");
        let unasked = entry == Entry::Rest || self.faults.contains(Fault::NoChallenge);
        if unasked || response.status() != StatusCode::UNAUTHORIZED {
            return response;
        }
        reply::with(
            response,
            header::WWW_AUTHENTICATE,
            &self.challenge(credential),
        )
    }

    fn challenge(&self, credential: Credential<'_>) -> String {
        // A caller that presented nothing made no mistake with a token (RFC 6750 section 3.1).
        let nothing = credential == Credential::Nothing
            && !self.faults.contains(Fault::InvalidTokenForNothing);
        let error = if nothing {
            ""
        } else {
            r#"error="invalid_token", "#
        };
        let offline = if self.faults.contains(Fault::OfflineAccessScope) {
            " offline_access"
        } else {
            ""
        };
        let scope = if self.faults.contains(Fault::NoScope) {
            String::new()
        } else {
            format!(r#", scope="{}{offline}""#, self.scope)
        };
        let pointer = &self.metadata;
        format!(r#"Bearer {error}resource_metadata="{pointer}"{scope}"#)
    }

    fn swap(&self, status: StatusCode) -> StatusCode {
        match status {
            StatusCode::UNAUTHORIZED if self.faults.contains(Fault::SwappedStatuses) => {
                StatusCode::FORBIDDEN
            }
            StatusCode::FORBIDDEN if self.faults.contains(Fault::SwappedStatuses) => {
                StatusCode::UNAUTHORIZED
            }
            status => status,
        }
    }

    /// The deny-list of the article names the tools that write; the allow-list names all of them.
    fn rule(&self, entry: Entry, sought: Sought<'_>) -> Option<&'static Rule> {
        let deny_list = entry == Entry::Mcp && self.faults.contains(Fault::McpUnlistedToolOpen);
        let rule = match sought {
            Sought::Operation(name) => policy::rule(name),
            Sought::Resource(uri) => policy::resource(uri),
            Sought::Prompt(name) => policy::prompt(name),
        };
        rule.filter(|rule| !(deny_list && rule.reads()))
    }

    fn unnamed(&self, entry: Entry, sought: Sought<'_>) -> Result<Permit, &'static str> {
        if entry == Entry::Mcp && self.faults.contains(Fault::McpUnlistedToolOpen) {
            return Ok(Permit(()));
        }
        Err(match sought {
            Sought::Operation(_) => "tool is not on the list of allowed tools",
            Sought::Resource(_) => "resource is not on the list of allowed resources",
            Sought::Prompt(_) => "prompt is not on the list of allowed prompts",
        })
    }

    fn admits(&self, entry: Entry, rule: &Rule, roles: &[String]) -> bool {
        if entry == Entry::Mcp && self.faults.contains(Fault::SubstringRoles) {
            return rule.admits_substring(roles, &self.faults);
        }
        rule.admits(roles, &self.faults)
    }
}
