//! A fault in, the findings that the demo's matrix must make of it out, written by hand.

use crate::reference::fault::Fault;

const OPERATIONS: [&str; 6] = [
    "listProducts",
    "getProduct",
    "searchProducts",
    "createProduct",
    "updateProduct",
    "deleteProduct",
];
const DOORS: [&str; 3] = ["rest", "mcp", "mcp-legacy"];
const PERSONAS: [&str; 4] = ["reader", "writer", "admin", "anonymous"];
const READS: [&str; 3] = ["listProducts", "getProduct", "searchProducts"];

/// Codes that close no gate.
const NOTES: [&str; 4] = [
    "spec-should",
    "declared-tool-missing",
    "declared-route-missing",
    "hidden-but-callable",
];

/// One finding that a fault must lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The finding's kebab-case code.
    pub code: &'static str,
    /// The id of the requirement that it is about.
    pub requirement: Option<&'static str>,
    /// The cells that it lists, as `persona/operation/door`: by operation, then door, then persona.
    pub cells: Vec<String>,
    /// Whether the finding lists all of `cells`; if not, it lists at least one of them and no others.
    pub exactly: bool,
}

impl Fault {
    /// Returns what the matrix of reader, writer, admin and anonymous over six operations and three doors finds, and what
    /// the requirements beside it find; empty for a fault that only other personas or scenarios see.
    #[expect(clippy::too_many_lines, reason = "one line a fault")]
    pub fn expected(self) -> Vec<Expected> {
        match self {
            Self::McpNoAuth => at_one_door_only(|p, o, d| denied(p, o) && is_mcp(d)),
            Self::McpNoToolCheck => at_one_door_only(|p, o, d| role_denied(p, o) && is_mcp(d)),
            Self::RestNoAuth => at_one_door_only(|p, o, d| denied(p, o) && d == "rest"),
            Self::RestNoRoleCheck => at_one_door_only(|p, o, d| role_denied(p, o) && d == "rest"),
            Self::GatewayOpen => one("leak", |p, o, _| denied(p, o)),
            Self::WriterCanDelete => one("leak", |p, o, _| p == "writer" && o == "deleteProduct"),
            Self::ReaderLockedOut => one("lockout", |p, o, _| p == "reader" && READS.contains(&o)),
            Self::BodySwallowed => one("broken", |p, o, d| allowed(p, o) && is_mcp(d)),
            Self::ExpressionFails => one("broken", |p, o, _| allowed(p, o)),
            Self::TokenNotForwarded => {
                let refused = |p: &str, o: &str, d: &str| allowed(p, o) && is_mcp(d);
                [one("lockout", refused), one("doors-disagree", refused)].concat()
            }
            Self::OneIssuer | Self::V2Audience => one("lockout", |p, o, _| allowed(p, o)),
            Self::SwappedStatuses => one("wrong-refusal", |p, o, _| denied(p, o)),
            Self::ExecutedDespite403 => one("effect-despite-refusal", |p, o, _| role_denied(p, o)),
            Self::RefusalInBand
            | Self::RefusalHidden
            | Self::RefusalCode32001
            | Self::RefusalCode32600
            | Self::RefusalScopeText
            | Self::RefusalPermissionsText
            | Self::RefusalUnknownText
            | Self::RefusalInner403
            | Self::RefusalAfterProgress
            | Self::InsufficientScope401
            | Self::InvalidToken401 => {
                one("wrong-refusal", |p, o, d| role_denied(p, o) && is_mcp(d))
            }
            Self::Swallowed202 => one("intercepted", |p, o, d| role_denied(p, o) && is_mcp(d)),
            Self::CrashOnDenial => one("crashed-not-refused", |p, o, _| role_denied(p, o)),
            Self::DeleteRouteMissing => one("broken", |p, o, d| {
                p == "admin" && o == "deleteProduct" && d == "rest"
            }),
            Self::LoginRedirect => one("wrong-refusal", |p, _, _| p == "anonymous"),
            Self::SubscriptionKeyRequired | Self::Throttled429 => {
                one("intercepted", |_, _, _| true)
            }
            Self::WafPage | Self::Empty200 => one("intercepted", |p, o, _| role_denied(p, o)),
            Self::Quota403 => one("intercepted", |p, _, _| signed_in(p)),
            Self::BackendDown502 => one("no-answer", |p, o, _| allowed(p, o)),
            Self::StaleRoles => one("token-roles-missing", |p, _, _| p == "writer"),
            Self::AdminInReaderGroup => one("token-roles-extra", |p, _, _| p == "reader"),
            Self::ReaderIsDirectoryAdmin => {
                one("token-is-directory-admin", |p, _, _| p == "reader")
            }
            Self::Flaky401 => vec![Expected {
                code: "flips",
                requirement: None,
                cells: cells(|p, _, _| signed_in(p)),
                exactly: false,
            }],
            Self::PolicyLate => one("leak", |p, o, _| role_denied(p, o)),
            Self::WriteLost | Self::LateEffects => {
                let mut lost = one("no-effect", |p, o, d| {
                    allowed(p, o) && !READS.contains(&o) && (o, d) != ("createProduct", "rest")
                });
                // The deletions of the clean-up are lost like any other.
                lost.extend(one("left-behind", |_, _, _| false));
                lost
            }
            Self::McpListOpen | Self::GetOpen => required("open-without-token", "C-01"),
            Self::NoChallenge => required("spec-must", "C-02"),
            Self::NoResourceMetadata => required("spec-must", "C-03"),
            Self::NoAuthorizationServers => required("spec-must", "C-04"),
            Self::ResourceMismatch => required("spec-must", "C-05"),
            Self::WrongAuthorizationServer => required("spec-must", "C-06"),
            Self::NoPkce => required("spec-must", "C-07"),
            Self::PlainHttpAuthorization => required("spec-must", "C-08"),
            Self::NoScope => required("spec-should", "C-09"),
            Self::InvalidTokenForNothing => required("spec-should", "C-10"),
            Self::NoSignatureCheck => required("spec-must", "C-11"),
            Self::MisleadingChallenge => required("spec-should", "C-14"),
            Self::QueryToken => required("spec-must", "C-15"),
            Self::SessionInsteadOfToken => required("spec-must", "C-16"),
            Self::SessionNotBound => required("spec-should", "C-17"),
            Self::GuessableSessions => required("spec-must", "C-18"),
            Self::AnyOrigin => required("spec-must", "C-19"),
            Self::HeaderMismatchAccepted => required("spec-must", "C-20"),
            Self::AnyVersion => required("spec-must", "C-21"),
            Self::BatchesAccepted => required("spec-must", "C-22"),
            Self::GetUnrouted => required("spec-should", "C-23"),
            Self::McpUnlistedToolOpen | Self::UndeclaredTool => named("undeclared-tool"),
            Self::ListEndless => named("list-unread"),
            Self::ForgottenRoute => named("undeclared-route"),
            Self::UndocumentedRoute => named("declared-route-missing"),
            Self::OpenapiUnread => named("coverage-unread"),
            Self::ToolGone => one("broken", |p, o, d| {
                allowed(p, o) && o == "searchProducts" && is_mcp(d)
            }),
            Self::ToolUnlisted => one("declared-tool-missing", |p, o, d| {
                allowed(p, o) && o == "searchProducts" && is_mcp(d)
            }),
            Self::HiddenButCallable => one("hidden-but-callable", |p, o, d| {
                p == "writer" && o == "updateProduct" && is_mcp(d)
            }),
            Self::ListFilteredPublic => required("spec-should", "C-24"),
            Self::NoIssuerParameter => required("spec-should", "C-28"),
            Self::OfflineAccessScope => required("spec-should", "C-31"),
            Self::LegacySse => one("door-unlisted", |_, _, _| false),
            Self::LegacySseOpen | Self::LegacySseMessagesOpen => {
                one("open-without-token", |_, _, _| false)
            }
            Self::SessionsForgotten
            | Self::LateCreationDespite403
            | Self::StaleReplica
            | Self::ResourceHidden
            | Self::OnlyToolsChecked
            | Self::CompletionUnchecked
            | Self::RedirectRemoved
            | Self::RolesMissing500
            | Self::SubstringRoles
            | Self::NoAudienceCheck
            | Self::NoExpiryCheck => Vec::new(),
        }
    }

    /// Returns the exit code of a run of that matrix: 0 where it sees nothing, or a note, 3 where it can judge nothing, else 1.
    pub fn exit(self) -> u8 {
        match self {
            Self::SubscriptionKeyRequired
            | Self::WafPage
            | Self::Swallowed202
            | Self::Empty200
            | Self::Quota403
            | Self::Throttled429
            | Self::ListEndless
            | Self::OpenapiUnread
            | Self::BackendDown502 => 3,
            // A note closes no gate.
            Self::LegacySse => 0,
            _ if self.expected().iter().any(|one| !NOTES.contains(&one.code)) => 1,
            _ => 0,
        }
    }

    /// Returns the cells of a note that stands beside the other findings: tools that are shown to whom they are refused, as
    /// the gateway leaves the list as it is. Empty where no such refusal is proven, or no such list is read.
    pub fn shown_in_vain(self) -> Vec<String> {
        let but = |keep: fn(&str, &str) -> bool| {
            cells(|p, o, d| role_denied(p, o) && is_mcp(d) && keep(p, o))
        };
        match self {
            // Refusals that fail, or are no refusals.
            Self::McpNoAuth
            | Self::McpNoToolCheck
            | Self::GatewayOpen
            | Self::PolicyLate
            | Self::SwappedStatuses
            | Self::ExecutedDespite403
            | Self::RefusalInBand
            | Self::RefusalHidden
            | Self::RefusalCode32001
            | Self::RefusalCode32600
            | Self::RefusalScopeText
            | Self::RefusalPermissionsText
            | Self::RefusalUnknownText
            | Self::RefusalInner403
            | Self::RefusalAfterProgress
            | Self::InsufficientScope401
            | Self::InvalidToken401
            | Self::Swallowed202
            | Self::CrashOnDenial
            | Self::WafPage
            | Self::Empty200
            // Nobody gets through.
            | Self::BodySwallowed
            | Self::ExpressionFails
            | Self::TokenNotForwarded
            | Self::OneIssuer
            | Self::V2Audience
            | Self::SubscriptionKeyRequired
            | Self::Quota403
            | Self::Throttled429
            | Self::BackendDown502
            // What is refused is not shown.
            | Self::ListFilteredPublic
            | Self::HiddenButCallable => Vec::new(),
            Self::WriterCanDelete | Self::StaleRoles => but(|p, _| p != "writer"),
            Self::ReaderLockedOut | Self::AdminInReaderGroup | Self::ReaderIsDirectoryAdmin => but(|p, _| p != "reader"),
            _ => but(|_, _| true),
        }
    }

    /// Tells whether the matrix alone finds the fault; if not, [`Fault::describe`] names the check that does.
    pub fn seen_by_the_matrix(self) -> bool {
        self.expected().iter().any(|one| one.requirement.is_none())
    }
}

/// The right answers, read off the article's last table.
fn allowed(persona: &str, operation: &str) -> bool {
    match persona {
        "admin" => true,
        "writer" => operation != "deleteProduct",
        "reader" => READS.contains(&operation),
        _ => false,
    }
}

fn denied(persona: &str, operation: &str) -> bool {
    !allowed(persona, operation)
}

fn role_denied(persona: &str, operation: &str) -> bool {
    signed_in(persona) && denied(persona, operation)
}

fn signed_in(persona: &str) -> bool {
    persona != "anonymous"
}

fn is_mcp(door: &str) -> bool {
    door != "rest"
}

/// A finding about no cell.
fn named(code: &'static str) -> Vec<Expected> {
    one(code, |_, _, _| false)
}

fn one(code: &'static str, pick: impl Fn(&str, &str, &str) -> bool) -> Vec<Expected> {
    vec![Expected {
        code,
        requirement: None,
        cells: cells(pick),
        exactly: true,
    }]
}

fn required(code: &'static str, requirement: &'static str) -> Vec<Expected> {
    vec![Expected {
        code,
        requirement: Some(requirement),
        cells: Vec::new(),
        exactly: true,
    }]
}

/// A leak through one door that the other keeps shut is two findings about the same cells.
fn at_one_door_only(pick: impl Fn(&str, &str, &str) -> bool + Copy) -> Vec<Expected> {
    [one("leak", pick), one("doors-disagree", pick)].concat()
}

fn cells(pick: impl Fn(&str, &str, &str) -> bool) -> Vec<String> {
    let mut picked = Vec::new();
    for operation in OPERATIONS {
        for door in DOORS {
            let here = PERSONAS
                .iter()
                .filter(|persona| pick(persona, operation, door));
            picked.extend(here.map(|persona| format!("{persona}/{operation}/{door}")));
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_run_by_operation_then_door_then_persona() {
        assert_eq!(cells(|_, _, _| true).len(), 72);
        assert_eq!(
            cells(|p, o, _| role_denied(p, o)),
            [
                "reader/createProduct/rest",
                "reader/createProduct/mcp",
                "reader/createProduct/mcp-legacy",
                "reader/updateProduct/rest",
                "reader/updateProduct/mcp",
                "reader/updateProduct/mcp-legacy",
                "reader/deleteProduct/rest",
                "writer/deleteProduct/rest",
                "reader/deleteProduct/mcp",
                "writer/deleteProduct/mcp",
                "reader/deleteProduct/mcp-legacy",
                "writer/deleteProduct/mcp-legacy",
            ]
        );
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one line a fault")]
    fn counts_of_cells_are_those_of_the_published_table() {
        let counts: Vec<(&str, u8, Vec<usize>)> = Fault::ALL
            .iter()
            .map(|f| {
                (
                    f.name(),
                    f.exit(),
                    f.expected().iter().map(|e| e.cells.len()).collect(),
                )
            })
            .collect();
        let table: Vec<(&str, u8, Vec<usize>)> = vec![
            ("mcp-no-auth", 1, vec![20, 20]),
            ("mcp-list-open", 1, vec![0]),
            ("mcp-no-tool-check", 1, vec![8, 8]),
            ("mcp-unlisted-tool-open", 1, vec![0]),
            ("rest-no-auth", 1, vec![10, 10]),
            ("rest-no-role-check", 1, vec![4, 4]),
            ("gateway-open", 1, vec![30]),
            ("writer-can-delete", 1, vec![3]),
            ("reader-locked-out", 1, vec![9]),
            ("body-swallowed", 1, vec![28]),
            ("roles-missing-500", 0, vec![]),
            ("expression-fails", 1, vec![42]),
            ("token-not-forwarded", 1, vec![28, 28]),
            ("one-issuer", 1, vec![42]),
            ("v2-audience", 1, vec![42]),
            ("substring-roles", 0, vec![]),
            ("swapped-statuses", 1, vec![30]),
            ("executed-despite-403", 1, vec![12]),
            ("refusal-in-band", 1, vec![8]),
            ("refusal-hidden", 1, vec![8]),
            ("refusal-code-32001", 1, vec![8]),
            ("refusal-code-32600", 1, vec![8]),
            ("refusal-scope-text", 1, vec![8]),
            ("refusal-permissions-text", 1, vec![8]),
            ("refusal-unknown-text", 1, vec![8]),
            ("refusal-inner-403", 1, vec![8]),
            ("refusal-after-progress", 1, vec![8]),
            ("insufficient-scope-401", 1, vec![8]),
            ("invalid-token-401", 1, vec![8]),
            ("swallowed-202", 3, vec![8]),
            ("resource-hidden", 0, vec![]),
            ("only-tools-checked", 0, vec![]),
            ("completion-unchecked", 0, vec![]),
            ("sessions-forgotten", 0, vec![]),
            ("legacy-sse", 0, vec![0]),
            ("legacy-sse-open", 1, vec![0]),
            ("legacy-sse-messages-open", 1, vec![0]),
            ("crash-on-denial", 1, vec![12]),
            ("delete-route-missing", 1, vec![1]),
            ("subscription-key-required", 3, vec![72]),
            ("waf-page", 3, vec![12]),
            ("login-redirect", 1, vec![18]),
            ("empty-200", 3, vec![12]),
            ("quota-403", 3, vec![54]),
            ("throttled-429", 3, vec![72]),
            ("backend-down-502", 3, vec![42]),
            ("no-audience-check", 0, vec![]),
            ("no-signature-check", 1, vec![0]),
            ("no-expiry-check", 0, vec![]),
            ("stale-roles", 1, vec![18]),
            ("admin-in-reader-group", 1, vec![18]),
            ("reader-is-directory-admin", 1, vec![18]),
            ("flaky-401", 1, vec![54]),
            ("redirect-removed", 0, vec![]),
            ("write-lost", 1, vec![13, 0]),
            ("late-effects", 1, vec![13, 0]),
            ("late-creation-despite-403", 0, vec![]),
            ("policy-late", 1, vec![12]),
            ("stale-replica", 0, vec![]),
            ("no-challenge", 1, vec![0]),
            ("no-resource-metadata", 1, vec![0]),
            ("no-authorization-servers", 1, vec![0]),
            ("resource-mismatch", 1, vec![0]),
            ("wrong-authorization-server", 1, vec![0]),
            ("no-pkce", 1, vec![0]),
            ("plain-http-authorization", 1, vec![0]),
            ("no-scope", 0, vec![0]),
            ("invalid-token-for-nothing", 0, vec![0]),
            ("misleading-challenge", 0, vec![0]),
            ("query-token", 1, vec![0]),
            ("session-instead-of-token", 1, vec![0]),
            ("session-not-bound", 0, vec![0]),
            ("guessable-sessions", 1, vec![0]),
            ("any-origin", 1, vec![0]),
            ("header-mismatch-accepted", 1, vec![0]),
            ("any-version", 1, vec![0]),
            ("batches-accepted", 1, vec![0]),
            ("get-open", 1, vec![0]),
            ("get-unrouted", 0, vec![0]),
            ("undeclared-tool", 1, vec![0]),
            ("tool-gone", 1, vec![6]),
            ("tool-unlisted", 0, vec![6]),
            ("list-endless", 3, vec![0]),
            ("list-filtered-public", 0, vec![0]),
            ("hidden-but-callable", 0, vec![2]),
            ("forgotten-route", 1, vec![0]),
            ("undocumented-route", 0, vec![0]),
            ("openapi-unread", 3, vec![0]),
            ("no-issuer-parameter", 0, vec![0]),
            ("offline-access-scope", 0, vec![0]),
        ];
        assert_eq!(counts, table);
    }
}
