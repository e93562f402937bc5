//! A fault's name in, the one guard that it removes out.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Writes the enum, its list and its words from one table, so that no fault can be missing from one of them.
macro_rules! faults {
    ($($variant:ident $name:literal $line:literal)+) => {
        /// One way for the deployment to be wrong: each removes exactly one guard, and they combine freely.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = $line] $variant,)+
        }

        impl Fault {
            /// Every fault, in the order in which they are told to a reader.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the kebab-case name by which a command line or a test asks for the fault.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Returns one line: the guard that is gone, what a caller sees, and which check sees it where the matrix does not.
            pub fn describe(self) -> &'static str {
                match self {
                    $(Self::$variant => $line,)+
                }
            }
        }
    };
}

faults! {
    McpNoAuth "mcp-no-auth"
        "The MCP endpoint has no policy of its own and inherits none: anyone calls any tool without a token."
    McpListOpen "mcp-list-open"
        "initialize, server/discover and tools/list ask for no token; seen by requirement C-01 and by scenarios/mcp-primitives.yaml."
    McpNoToolCheck "mcp-no-tool-check"
        "The MCP policy validates the token but never looks at the tool: a reader creates and deletes through MCP."
    McpUnlistedToolOpen "mcp-unlisted-tool-open"
        "The MCP policy is a deny-list that misses all reading and the new tools purgeProducts, too dangerous to try, and exportProducts; that it is one is seen by a role-less persona."
    RestNoAuth "rest-no-auth"
        "The policies of the REST API are missing: anyone calls any operation without a token."
    RestNoRoleCheck "rest-no-role-check"
        "The operation policies of the REST API are missing: any valid token creates and deletes."
    GatewayOpen "gateway-open"
        "The policies of both entries are missing: anyone does anything without a token."
    WriterCanDelete "writer-can-delete"
        "The permission table grants deletion to Products.Write at both doors."
    ReaderLockedOut "reader-locked-out"
        "The permission table forgets Products.Read: readers get 403 everywhere."
    BodySwallowed "body-swallowed"
        "The MCP policy reads the body without preserveContent: what it lets through answers 400 Invalid JSON payload."
    RolesMissing500 "roles-missing-500"
        "The policies read the roles claim without a guard: a token that has none gets 500; seen by a role-less persona."
    ExpressionFails "expression-fails"
        "The policies use an expression that the sandbox does not have: whatever carries a valid token gets 500."
    TokenNotForwarded "token-not-forwarded"
        "The gateway's MCP server calls its own API without the caller's token: a success that holds an inner 401."
    OneIssuer "one-issuer"
        "The gateway lists only the v2 issuer while tokens are v1: everyone gets 401."
    V2Audience "v2-audience"
        "The API asks for v2 tokens, whose audience is the bare id, and the gateway lists only the identifier URI: everyone gets 401."
    SubstringRoles "substring-roles"
        "The MCP policy joins the roles and looks for a substring: Products.WriteOnly passes as Products.Write; seen by a persona with a near-miss role."
    SwappedStatuses "swapped-statuses"
        "The gateway answers 403 to a missing token and 401 to a missing role."
    ExecutedDespite403 "executed-despite-403"
        "The role is checked after the backend was called: the answer is 403 and the write has happened."
    RefusalInBand "refusal-in-band"
        "The MCP door refuses a role inside HTTP 200, as a tool result with isError."
    RefusalHidden "refusal-hidden"
        "The MCP door refuses a role with the answer for a tool that does not exist."
    RefusalCode32001 "refusal-code-32001"
        "The MCP door refuses a role inside HTTP 200, as JSON-RPC error -32001, like a tool of the Python SDK that raises one."
    RefusalCode32600 "refusal-code-32600"
        "The MCP door refuses a role inside HTTP 200, as JSON-RPC error -32600, like the authorization filters of the C# SDK."
    RefusalScopeText "refusal-scope-text"
        "The MCP door refuses a role inside HTTP 200 with words about a missing scope, as a middleware in the server does."
    RefusalPermissionsText "refusal-permissions-text"
        "The MCP door refuses a role inside HTTP 200 with words about permissions, as a check of the server's own does."
    RefusalUnknownText "refusal-unknown-text"
        "The MCP door refuses a role inside HTTP 200, as a tool result with isError that says that the tool is unknown."
    RefusalInner403 "refusal-inner-403"
        "The MCP door passes an inner 403 on as the text of a result that is no error."
    RefusalAfterProgress "refusal-after-progress"
        "The MCP door refuses a role after it has begun to answer: HTTP 200, a stream with progress, then a JSON-RPC error."
    InsufficientScope401 "insufficient-scope-401"
        "The MCP door answers a missing role with 401 and the challenge of a missing scope, which belongs to 403."
    InvalidToken401 "invalid-token-401"
        "The MCP door answers a missing role with 401 and the challenge of an invalid token, as a token verifier with required scopes does."
    Swallowed202 "swallowed-202"
        "The MCP door answers a request that it refuses with 202 and nothing, as if it were a notification."
    ResourceHidden "resource-hidden"
        "The MCP door refuses a resource with -32602 as if there were none, 400 in the modern era; seen by scenarios/mcp-primitives.yaml."
    OnlyToolsChecked "only-tools-checked"
        "The MCP policy looks at tools/call alone: resources, prompts and completion are open to any token; seen by scenarios/mcp-primitives.yaml."
    CompletionUnchecked "completion-unchecked"
        "The MCP policy forgets completion/complete, which gives names away; seen by scenarios/mcp-primitives.yaml."
    SessionsForgotten "sessions-forgotten"
        "The MCP server starts anew in the middle and forgets its sessions: 404 until they are opened again; nobody may be blamed for it."
    LegacySse "legacy-sse"
        "The deprecated HTTP+SSE pair still stands at /sse beside /mcp, under the same policies."
    LegacySseOpen "legacy-sse-open"
        "The deprecated HTTP+SSE pair still stands at /sse beside /mcp, and no policy covers it: anyone calls any tool there."
    LegacySseMessagesOpen "legacy-sse-messages-open"
        "The deprecated HTTP+SSE pair still stands at /sse beside /mcp, and only its stream asks for a token, not its /messages."
    CrashOnDenial "crash-on-denial"
        "The policy throws where it should refuse a role: 500 at every door."
    DeleteRouteMissing "delete-route-missing"
        "DELETE /api/products/{id} was never added to the gateway: 404 for everyone, before any authorization."
    SubscriptionKeyRequired "subscription-key-required"
        "The product demands a subscription key: 401 to everyone, before any policy runs."
    WafPage "waf-page"
        "A firewall answers its HTML page with 403 where the policy should refuse a role."
    LoginRedirect "login-redirect"
        "A missing token is answered by a 302 to the sign-in page instead of 401."
    Empty200 "empty-200"
        "A terminating cors policy answers 200 with nothing where the policy should refuse a role."
    Quota403 "quota-403"
        "The call quota is used up: every valid token gets 403 with Retry-After."
    Throttled429 "throttled-429"
        "The rate limit is exceeded: everyone gets 429 with Retry-After, before any authorization."
    BackendDown502 "backend-down-502"
        "The API and the MCP server are unreachable: what the policies let through gets a 502 page."
    NoAudienceCheck "no-audience-check"
        "The gateway lists no audience: a token for another resource passes; seen by requirement C-12 and by the cells of a persona that signs in for another resource."
    NoSignatureCheck "no-signature-check"
        "The gateway does not verify signatures: an edited or unsigned token passes; seen by requirement C-11."
    NoExpiryCheck "no-expiry-check"
        "The gateway does not look at exp: an old token passes; seen by requirement C-11 where the scenario has an expired token."
    StaleRoles "stale-roles"
        "The identity provider serves the writer a token from before its role was assigned: no roles claim."
    AdminInReaderGroup "admin-in-reader-group"
        "The reader is among the administrators as well: its token carries Products.Admin."
    ReaderIsDirectoryAdmin "reader-is-directory-admin"
        "The reader is a Global Administrator of the tenant: its token says so in wids."
    Flaky401 "flaky-401"
        "Every third request with a valid token gets 401, whichever door it came to."
    RedirectRemoved "redirect-removed"
        "The connector's redirect is no longer registered: who signs in by it meets AADSTS50011; seen by a scenario that states the client's redirects."
    WriteLost "write-lost"
        "Writes answer success and change nothing; only products made over REST are kept, so that there is something to miss."
    LateEffects "late-effects"
        "Reading lags two seconds behind writing; only products made over REST are seen at once, so that there is something to miss. Passes where the fixture states a longer settle."
    LateCreationDespite403 "late-creation-despite-403"
        "A creation that is refused happens all the same, two seconds later; seen where the fixture states a longer settle."
    PolicyLate "policy-late"
        "The role policies are live only five seconds after the first call with a token; with --settle nobody meets the gap."
    StaleReplica "stale-replica"
        "One of many gateways has no role policies: every 45th refusal of a role is none; seen with --repeat."
    NoChallenge "no-challenge"
        "The 401 of the MCP endpoint carries no WWW-Authenticate; seen by requirement C-02."
    NoResourceMetadata "no-resource-metadata"
        "The protected resource metadata was never published: its address answers 404; seen by requirement C-03."
    NoAuthorizationServers "no-authorization-servers"
        "The protected resource metadata names no authorization server; seen by requirement C-04."
    ResourceMismatch "resource-mismatch"
        "The protected resource metadata names the host behind the gateway; seen by requirement C-05."
    WrongAuthorizationServer "wrong-authorization-server"
        "The protected resource metadata names the tenant without its version, which is no issuer; seen by requirement C-06."
    NoPkce "no-pkce"
        "The metadata of the identity provider does not say that it supports PKCE; seen by requirement C-07."
    PlainHttpAuthorization "plain-http-authorization"
        "The metadata of the identity provider sends users to a sign-in page over plain http; seen by requirement C-08."
    NoScope "no-scope"
        "The challenge names no scope; seen by requirement C-09."
    InvalidTokenForNothing "invalid-token-for-nothing"
        "A call without a token is told that its token is invalid; seen by requirement C-10."
    MisleadingChallenge "misleading-challenge"
        "A 403 for a missing role carries the challenge for an invalid token; seen by requirement C-14."
    QueryToken "query-token"
        "The MCP endpoint takes a token from the query as well; seen by requirement C-15."
    SessionInsteadOfToken "session-instead-of-token"
        "A session that was opened with a token needs none afterwards; seen by requirement C-16."
    SessionNotBound "session-not-bound"
        "Sessions are found by their id alone, whoever presents it; seen by requirement C-17."
    GuessableSessions "guessable-sessions"
        "Session ids count up; seen by requirement C-18."
    AnyOrigin "any-origin"
        "The MCP server does not look at Origin: a page in a browser may call it; seen by requirement C-19."
    HeaderMismatchAccepted "header-mismatch-accepted"
        "The MCP server does not compare Mcp-Method and Mcp-Name with the body; seen by requirement C-20."
    AnyVersion "any-version"
        "The MCP server serves protocol versions that do not exist; seen by requirement C-21."
    BatchesAccepted "batches-accepted"
        "A message in an array is taken for the message; seen by requirement C-22."
    GetOpen "get-open"
        "The MCP policy guards POST alone: a GET without a token opens the stream of server messages; seen by requirement C-01."
    GetUnrouted "get-unrouted"
        "The gateway has an operation for POST alone: GET and DELETE answer 404; seen by requirement C-23."
    UndeclaredTool "undeclared-tool"
        "The server has a new tool exportProducts, which the policy refuses and no operation names."
    ToolGone "tool-gone"
        "The server has no tool searchProducts any more: neither listed nor known."
    ToolUnlisted "tool-unlisted"
        "tools/list leaves searchProducts out, which works as before."
    ListEndless "list-endless"
        "Each page of tools/list leads to another, without end."
    ListFilteredPublic "list-filtered-public"
        "tools/list shows each caller what it may call, and lets caches keep that for everybody; seen by requirement C-24."
    HiddenButCallable "hidden-but-callable"
        "tools/list is filtered by roles, and its rule for updateProduct forgets Products.Write."
    ForgottenRoute "forgotten-route"
        "The API has a new route GET /api/products/export, which its OpenAPI document names and no operation is on."
    UndocumentedRoute "undocumented-route"
        "The OpenAPI document forgets DELETE /api/products/{id}, which works as before."
    OpenapiUnread "openapi-unread"
        "The OpenAPI document is behind a sign-in page: its address answers a 302."
    NoIssuerParameter "no-issuer-parameter"
        "The identity provider does not name itself in its answers; seen by requirement C-28."
    OfflineAccessScope "offline-access-scope"
        "The challenge asks for the scope of refresh tokens; seen by requirement C-31."
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    /// Takes a kebab-case name; an unknown one comes back with the nearest that exists.
    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL
            .iter()
            .copied()
            .find(|fault| fault.name() == name)
            .ok_or_else(|| UnknownFault::new(name))
    }
}

/// A name that no fault bears, with the nearest name that one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault {
    /// What was asked for.
    pub name: String,
    /// The fault that was probably meant; none when nothing is near.
    pub nearest: Option<Fault>,
}

impl UnknownFault {
    fn new(name: &str) -> Self {
        let near = |fault: &Fault| strsim::jaro_winkler(name, fault.name());
        let nearest = Fault::ALL
            .iter()
            .copied()
            .max_by(|a, b| near(a).total_cmp(&near(b)))
            .filter(|fault| near(fault) > 0.7);
        Self {
            name: name.to_owned(),
            nearest,
        }
    }
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no fault `{}`", self.name.escape_debug())?;
        match self.nearest {
            Some(fault) => write!(f, "; did you mean `{fault}`?"),
            None => Ok(()),
        }
    }
}

impl Error for UnknownFault {}

/// The faults of one deployment, shared by all of its parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(BTreeSet<Fault>);

impl Faults {
    /// Takes the faults that a deployment starts with, in any order and with repeats.
    pub(crate) fn new(faults: &[Fault]) -> Self {
        Self(faults.iter().copied().collect())
    }

    /// Tells whether the guard that `fault` removes is gone.
    pub(crate) fn contains(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_kebab_case_and_read_back() {
        let mut names = BTreeSet::new();
        for fault in Fault::ALL {
            let name = fault.name();
            assert!(names.insert(name), "{name} twice");
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            );
            assert_eq!(name.parse(), Ok(*fault));
            assert!(fault.describe().ends_with('.') && !fault.describe().contains('\n'));
        }
    }

    #[test]
    fn an_unknown_name_suggests_the_nearest() {
        let unknown = "rest-no-rolecheck".parse::<Fault>().unwrap_err();
        assert_eq!(unknown.nearest, Some(Fault::RestNoRoleCheck));
        assert_eq!(
            unknown.to_string(),
            "there is no fault `rest-no-rolecheck`; did you mean `rest-no-role-check`?"
        );
        assert_eq!(
            "Ω".parse::<Fault>().unwrap_err().to_string(),
            "there is no fault `Ω`"
        );
    }
}
