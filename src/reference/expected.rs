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

/// One finding that a fault must lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The finding's kebab-case code.
    pub code: &'static str,
    /// The cells that it lists, as `persona/operation/door`: by operation, then door, then persona.
    pub cells: Vec<String>,
    /// Whether the finding lists all of `cells`; if not, it lists at least one of them and no others.
    pub exactly: bool,
}

impl Fault {
    /// Returns what the matrix of reader, writer, admin and anonymous over six operations and three doors finds;
    /// empty for a fault that only other checks or personas see.
    pub fn expected(self) -> Vec<Expected> {
        match self {
            Self::McpNoAuth => at_one_door_only(|p, o, d| denied(p, o) && is_mcp(d)),
            Self::McpNoToolCheck => at_one_door_only(|p, o, d| role_denied(p, o) && is_mcp(d)),
            Self::RestNoAuth => at_one_door_only(|p, o, d| denied(p, o) && d == "rest"),
            Self::RestNoRoleCheck => at_one_door_only(|p, o, d| role_denied(p, o) && d == "rest"),
            Self::WriterCanDelete => one("leak", |p, o, _| p == "writer" && o == "deleteProduct"),
            Self::ReaderLockedOut => one("lockout", |p, o, _| p == "reader" && READS.contains(&o)),
            Self::BodySwallowed => one("broken", |p, o, d| allowed(p, o) && is_mcp(d)),
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
            Self::Flaky401 => vec![Expected {
                code: "flips",
                cells: cells(|p, _, _| signed_in(p)),
                exactly: false,
            }],
            Self::WriteLost => {
                let mut lost = one("no-effect", |p, o, d| {
                    allowed(p, o) && !READS.contains(&o) && (o, d) != ("createProduct", "rest")
                });
                // The deletions of the clean-up are lost like any other.
                lost.extend(one("left-behind", |_, _, _| false));
                lost
            }
            Self::McpListOpen
            | Self::ResourceHidden
            | Self::OnlyToolsChecked
            | Self::CompletionUnchecked
            | Self::McpUnlistedToolOpen
            | Self::RolesMissing500
            | Self::SubstringRoles
            | Self::NoAudienceCheck
            | Self::NoSignatureCheck
            | Self::NoExpiryCheck
            | Self::RedirectRemoved => Vec::new(),
        }
    }

    /// Returns the exit code of a run of that matrix: 0 where it sees nothing, 3 where it can judge nothing, else 1.
    pub fn exit(self) -> u8 {
        match self {
            Self::SubscriptionKeyRequired
            | Self::WafPage
            | Self::Swallowed202
            | Self::Empty200
            | Self::Quota403
            | Self::Throttled429
            | Self::BackendDown502 => 3,
            _ if self.seen_by_the_matrix() => 1,
            _ => 0,
        }
    }

    /// Tells whether the matrix alone finds the fault; if not, [`Fault::describe`] names the check that does.
    pub fn seen_by_the_matrix(self) -> bool {
        !self.expected().is_empty()
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

fn one(code: &'static str, pick: impl Fn(&str, &str, &str) -> bool) -> Vec<Expected> {
    vec![Expected {
        code,
        cells: cells(pick),
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
            ("mcp-list-open", 0, vec![]),
            ("mcp-no-tool-check", 1, vec![8, 8]),
            ("mcp-unlisted-tool-open", 0, vec![]),
            ("rest-no-auth", 1, vec![10, 10]),
            ("rest-no-role-check", 1, vec![4, 4]),
            ("writer-can-delete", 1, vec![3]),
            ("reader-locked-out", 1, vec![9]),
            ("body-swallowed", 1, vec![28]),
            ("roles-missing-500", 0, vec![]),
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
            ("no-signature-check", 0, vec![]),
            ("no-expiry-check", 0, vec![]),
            ("stale-roles", 1, vec![18]),
            ("admin-in-reader-group", 1, vec![18]),
            ("flaky-401", 1, vec![54]),
            ("redirect-removed", 0, vec![]),
            ("write-lost", 1, vec![13, 0]),
        ];
        assert_eq!(counts, table);
    }
}
