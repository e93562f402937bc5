//! The pattern of a finding's cells in, the one cause that it points at out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::roll::Roll;
use super::signature::Signature;
use crate::cell::Door;
use crate::code::Code;
use crate::layer::Layer;
use crate::page::Page;
use crate::plan::{Check, Row};

/// Writes the enum, its list, its names and its layers from one table, so that no hint can be missing from one of them.
macro_rules! hints {
    ($($variant:ident $name:literal $layer:ident $line:literal)+) => {
        /// A cause that a finding's pattern points at.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Hint {
            $(#[doc = $line] $variant,)+
        }

        impl Hint {
            /// Every hint, in the order of `docs/causes.md`.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The hint's one spelling, as in records and `rolecall explain`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Where to look first.
            pub const fn layer(self) -> Layer {
                match self {
                    $(Self::$variant => Layer::$layer,)+
                }
            }
        }
    };
}

hints! {
    BodyConsumed "body-consumed" Gateway
        "Every allowed MCP call is answered 400: the policy has read the body away."
    McpNotInherited "mcp-not-inherited" Gateway
        "MCP lets even a caller without a token through: it has no token check of its own."
    ToolNameUnread "tool-name-unread" Gateway
        "MCP asks for a token and lets every role through: the tool's name is not looked at."
    ToolForgotten "tool-forgotten" Unknown
        "MCP refuses other tools and not these, which REST refuses: the policy's list misses them."
    ListsUnguarded "lists-unguarded" Gateway
        "MCP refuses a caller without a token where a tool is called, and gives it handshakes or lists."
    ReadsNeedNoRole "reads-need-no-role" Unknown
        "A token without any role gets through some tools and not through others: the policy is a deny-list."
    NearMissRole "near-miss-role" Unknown
        "Whoever gets through has a role that only looks like one that may: roles are compared as parts of text."
    RolesClaimMissing "roles-claim-missing" Gateway
        "Whoever crashes the policy has no role at all: the claim is read without looking whether it is there."
    ExpressionAlwaysFails "expression-always-fails" Gateway
        "The policy fails at every call of a door, whoever calls."
    IssuerOrAudience "issuer-or-audience" Gateway
        "Every token is refused with 401, everywhere: issuer or audience."
    AuthorizationNotForwarded "authorization-not-forwarded" Gateway
        "MCP answers every allowed call with a success that holds an inner refusal: the token does not reach the API."
    RefusedBeforeToken "refused-before-token" Client
        "Everybody is refused with 403, also whoever has no token: something refuses before the token is looked at."
    RestUnguarded "rest-unguarded" Unknown
        "REST lets even a caller without a token through."
    RestRolesUnchecked "rest-roles-unchecked" Unknown
        "REST asks for a token and does not look at its roles."
    DoorsAgree "doors-agree" Unknown
        "Every door lets the same calls through: they agree with each other and not with the matrix."
    ToolMissing "tool-missing" Backend
        "The tools that could not be called are in nobody's list: they are not there, or have another name."
}

/// The one place that words hints: a `##` heading a hint, then its sentence and labelled paragraphs.
const PAGE: Page = Page(include_str!("../../docs/causes.md"));

impl Hint {
    /// Reads the pattern of a finding's cells (ascending, not empty); `None` when it points nowhere in particular.
    pub(super) fn of(
        roll: &Roll<'_>,
        code: Code,
        signature: Option<Signature>,
        cells: &[usize],
    ) -> Option<Self> {
        let pattern = Pattern { roll, cells };
        if code == Code::Leak {
            pattern.leak()
        } else if code == Code::Lockout {
            pattern.lockout()
        } else if code == Code::Broken {
            pattern.broken(signature)
        } else if code == Code::CrashedNotRefused {
            let roleless = pattern.all(|cell| pattern.has_no_role(cell));
            roleless.then_some(Self::RolesClaimMissing)
        } else {
            None
        }
    }

    /// The hint of that name.
    pub fn named(name: &str) -> Option<Self> {
        let mut known = Self::ALL.iter().copied();
        known.find(|hint| hint.name() == name)
    }

    /// One sentence: what the pattern is.
    pub fn headline(self) -> &'static str {
        PAGE.headline(self.name())
    }

    /// The likely cause, one or two sentences.
    pub fn cause(self) -> &'static str {
        PAGE.paragraph(self.name(), "Likely cause")
    }

    /// The first thing to do, one or two sentences.
    pub fn remedy(self) -> &'static str {
        PAGE.paragraph(self.name(), "First step")
    }

    /// The full text, Markdown: the hint's section of `docs/causes.md`.
    pub fn explain(self) -> &'static str {
        PAGE.section(self.name())
    }
}

/// The cells of a finding among all that was seen.
#[derive(Clone, Copy)]
struct Pattern<'p> {
    roll: &'p Roll<'p>,
    cells: &'p [usize],
}

impl<'p> Pattern<'p> {
    fn leak(self) -> Option<Hint> {
        let doors = self.doors();
        let at_mcp = doors.iter().all(|door| door.speaks_mcp());
        let at_rest = doors.iter().all(|door| *door == Door::Rest);
        let unsigned = !self.all(|cell| self.row(cell).signs_in);
        let candidates = [
            (Hint::NearMissRole, self.all(|cell| self.is_near_miss(cell))),
            (
                Hint::ListsUnguarded,
                at_mcp && unsigned && self.spares_strangers(),
            ),
            (Hint::McpNotInherited, at_mcp && unsigned),
            (Hint::ReadsNeedNoRole, self.is_deny_list()),
            (
                Hint::ToolNameUnread,
                at_mcp && self.rest_is_tested() && !self.refuses_roles(),
            ),
            (
                Hint::ToolForgotten,
                at_mcp && self.rest_is_tested() && self.is_open_to_all_roles(),
            ),
            (Hint::RestUnguarded, at_rest && unsigned),
            (
                Hint::RestRolesUnchecked,
                at_rest && self.is_open_to_all_roles(),
            ),
            (Hint::DoorsAgree, !unsigned && self.is_alike_at_every_door()),
        ];
        first(&candidates)
    }

    fn lockout(self) -> Option<Hint> {
        first(&[
            (Hint::IssuerOrAudience, self.is_every_token_refused()),
            (Hint::RefusedBeforeToken, self.is_refused_before_token()),
            (Hint::AuthorizationNotForwarded, self.is_refused_inside()),
        ])
    }

    fn broken(self, signature: Option<Signature>) -> Option<Hint> {
        let crashed = signature == Some(Signature::PolicyCrash);
        first(&[
            (Hint::ExpressionAlwaysFails, crashed && self.is_everybody()),
            (Hint::BodyConsumed, self.is_body_gone()),
        ])
    }

    /// All cells answered 401, and no allowed cell that was answered is missing among them.
    fn is_every_token_refused(self) -> bool {
        let mut answered = self
            .allowed()
            .filter(|check| self.outcome(check.index).is_some());
        self.all(|cell| self.outcome(cell) == Some(Outcome::Unauthenticated))
            && answered.all(|check| self.has(check.index))
    }

    /// All cells are MCP calls answered 400, several of them.
    fn is_body_gone(self) -> bool {
        self.cells.len() > 1
            && self.all(|cell| self.roll.sight(cell).status == 400)
            && self.doors().iter().all(|door| door.speaks_mcp())
    }

    /// Several cells, and no allowed cell of their doors that was answered is missing among them.
    fn is_everybody(self) -> bool {
        let doors = self.doors();
        let mut answered = self
            .allowed()
            .filter(|check| doors.contains(&check.door) && self.outcome(check.index).is_some());
        self.cells.len() > 1 && answered.all(|check| self.has(check.index))
    }

    /// 403 to everybody at these doors, and to whoever presents nothing as well.
    fn is_refused_before_token(self) -> bool {
        let strangers_too = self.doors().into_iter().all(|door| {
            let mut strangers = self
                .roll
                .matrix
                .checks()
                .filter(|check| check.door == door && !self.row(check.index).signs_in)
                .peekable();
            strangers.peek().is_some() && strangers.all(|check| self.is_forbidden(check.index))
        });
        self.all(|cell| self.is_forbidden(cell)) && strangers_too && self.is_everybody()
    }

    /// Several allowed MCP calls are refused inside a success while the same persona's call gets through at REST.
    fn is_refused_inside(self) -> bool {
        let inside = |cell: usize| self.outcome(cell) == Some(Outcome::RefusedInBand);
        let at_mcp = self.doors().iter().all(|door| door.speaks_mcp());
        let fine_at_rest = self.cells.iter().any(|cell| {
            let mut doors = self.twins(*cell);
            doors.any(|twin| twin.door == Door::Rest && self.got_through(twin.index))
        });
        let everybody = self.all(|cell| {
            let mut neighbours = self.neighbours(cell);
            neighbours.all(|check| !check.demand.expectation.allows() || self.has(check.index))
        });
        self.cells.len() > 1 && at_mcp && self.all(inside) && fine_at_rest && everybody
    }

    /// A persona without any role is refused elsewhere at these doors.
    fn is_deny_list(self) -> bool {
        let doors = self.doors();
        let mut others = self
            .roll
            .matrix
            .checks()
            .filter(|check| doors.contains(&check.door) && self.has_no_role(check.index));
        self.all(|cell| self.has_no_role(cell))
            && others.any(|check| self.is_forbidden(check.index))
    }

    /// A caller without a token is refused elsewhere at these doors.
    fn spares_strangers(self) -> bool {
        let doors = self.doors();
        let mut strangers = self
            .roll
            .matrix
            .checks()
            .filter(|check| doors.contains(&check.door) && !self.row(check.index).signs_in);
        strangers.any(|check| self.outcome(check.index) == Some(Outcome::Unauthenticated))
    }

    /// Somebody who signs in is refused something at these doors.
    fn refuses_roles(self) -> bool {
        let doors = self.doors();
        let mut checks = self.roll.matrix.checks();
        checks.any(|check| {
            doors.contains(&check.door)
                && self.row(check.index).signs_in
                && self.is_forbidden(check.index)
        })
    }

    /// Nobody who signs in is refused these operations at these doors.
    fn is_open_to_all_roles(self) -> bool {
        self.all(|cell| {
            let mut neighbours = self.neighbours(cell);
            !neighbours
                .any(|check| self.row(check.index).signs_in && self.is_forbidden(check.index))
        })
    }

    /// Each call is made at several doors, and is among the cells at all of them.
    fn is_alike_at_every_door(self) -> bool {
        self.all(|cell| {
            let twins: Vec<Check<'_>> = self.twins(cell).collect();
            twins.len() > 1 && twins.iter().all(|twin| self.has(twin.index))
        })
    }

    /// The persona has none of the roles that may, but one that holds the text of one of them, or is spelled like it.
    fn is_near_miss(self, cell: usize) -> bool {
        let held = self.row(cell).roles.as_deref().unwrap_or_default();
        let may = self.roles_that_may(cell);
        let is_like = |role: &String| {
            let role = role.to_lowercase();
            may.iter().any(|right| role.contains(&right.to_lowercase()))
        };
        !held.iter().any(|role| may.contains(role.as_str())) && held.iter().any(is_like)
    }

    fn roles_that_may(self, cell: usize) -> BTreeSet<&'p str> {
        let allowed = self
            .neighbours(cell)
            .filter(|check| check.demand.expectation.allows());
        allowed
            .flat_map(|check| self.row(check.index).roles.iter().flatten())
            .map(String::as_str)
            .filter(|role| !role.is_empty())
            .collect()
    }

    fn has_no_role(self, cell: usize) -> bool {
        let row = self.row(cell);
        row.signs_in && row.roles.as_ref().is_some_and(Vec::is_empty)
    }

    fn rest_is_tested(self) -> bool {
        self.roll.matrix.doors.contains(&Door::Rest)
    }

    /// The checks of the same operation and door.
    fn neighbours(self, cell: usize) -> impl Iterator<Item = Check<'p>> {
        let matrix = self.roll.matrix;
        let first = cell - cell % matrix.personas.len();
        (first..first + matrix.personas.len()).filter_map(|index| matrix.check(index))
    }

    /// The checks of the same operation and persona, one a door.
    fn twins(self, cell: usize) -> impl Iterator<Item = Check<'p>> {
        let matrix = self.roll.matrix;
        let (personas, doors) = (matrix.personas.len(), matrix.doors.len());
        let (persona, operation) = (cell % personas, cell / personas / doors);
        (0..doors).filter_map(move |door| matrix.check(matrix.index(operation, door, persona)))
    }

    fn allowed(self) -> impl Iterator<Item = Check<'p>> {
        let checks = self.roll.matrix.checks();
        checks.filter(|check| check.demand.expectation.allows())
    }

    fn doors(self) -> BTreeSet<Door> {
        let checks = self
            .cells
            .iter()
            .filter_map(|cell| self.roll.matrix.check(*cell));
        checks.map(|check| check.door).collect()
    }

    fn row(self, cell: usize) -> &'p Row {
        let personas = &self.roll.matrix.personas;
        &personas[cell % personas.len()]
    }

    fn all(self, fits: impl Fn(usize) -> bool) -> bool {
        self.cells.iter().all(|cell| fits(*cell))
    }

    fn has(self, cell: usize) -> bool {
        self.cells.binary_search(&cell).is_ok()
    }

    fn outcome(self, cell: usize) -> Option<Outcome> {
        self.roll.sight(cell).reading.map(|reading| reading.outcome)
    }

    fn is_forbidden(self, cell: usize) -> bool {
        self.outcome(cell) == Some(Outcome::Forbidden)
    }

    fn got_through(self, cell: usize) -> bool {
        self.outcome(cell).is_some_and(Outcome::got_through)
    }
}

fn first(candidates: &[(Hint, bool)]) -> Option<Hint> {
    let found = candidates.iter().find(|(_, fits)| *fits);
    found.map(|(hint, _)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{OperationName, PersonaName};
    use crate::judge::exhibit::{self, answered};
    use crate::judge::{Reading, Sight};
    use crate::plan::{Column, Matrix};
    use crate::scenario::{Demand, Expectation};

    #[test]
    fn every_hint_has_a_section_and_every_section_a_hint() {
        let headings: Vec<&str> = PAGE.headings().collect();
        let names: Vec<&str> = Hint::ALL.iter().map(|hint| hint.name()).collect();
        assert_eq!(headings, names);
    }

    #[test]
    fn every_section_has_all_its_parts() {
        for hint in Hint::ALL {
            let name = hint.name();
            let headline = hint.headline();
            assert!(
                headline.ends_with('.') && !headline.starts_with('*'),
                "{name}"
            );
            assert_eq!(PAGE.paragraph(name, "Layer"), hint.layer().name(), "{name}");
            for part in ["Seen", "Likely cause", "First step"] {
                assert!(PAGE.paragraph(name, part).ends_with('.'), "{name}: {part}");
            }
        }
    }

    #[test]
    fn names_are_those_of_the_record_read_back_and_name_nothing_else() {
        for hint in Hint::ALL {
            let name = hint.name();
            assert_eq!(serde_json::to_string(hint).unwrap(), format!("\"{name}\""));
            assert_eq!(Hint::named(name), Some(*hint));
            assert!(name.parse::<Code>().is_err(), "{name} is a code");
            assert!(Signature::named(name).is_none(), "{name} is a signature");
        }
    }

    #[test]
    fn the_page_lists_every_answer_that_is_not_authorization_as_it_is_told() {
        for signature in Signature::ALL {
            let row = format!(
                "| `{}` | {} | {} | {} |",
                signature.name(),
                signature.words(),
                signature.layer().name(),
                signature.products()
            );
            assert!(PAGE.0.contains(&row), "docs/causes.md lacks\n{row}");
        }
        let rows = PAGE
            .0
            .lines()
            .filter(|line| line.starts_with("| `"))
            .count();
        assert_eq!(rows, Signature::ALL.len());
    }

    #[test]
    fn an_explanation_has_the_pattern_its_cause_and_the_first_step() {
        for hint in Hint::ALL {
            let text = hint.explain();
            assert!(text.starts_with(hint.headline()), "{text}");
            for part in [hint.cause(), hint.remedy()] {
                assert!(text.contains(part), "{text} lacks {part}");
            }
        }
    }

    /// Each with its roles; the last does not sign in. `admin` may list and drop, `reader` may list.
    const PERSONAS: [(&str, Option<&[&str]>); 5] = [
        ("admin", Some(&["Admin", ""])),
        ("reader", Some(&["Reader"])),
        ("near", Some(&["Admin.Read"])),
        ("bare", Some(&[])),
        ("stranger", None),
    ];
    const OPERATIONS: [&str; 2] = ["list", "drop"];

    fn may(persona: &str, operation: &str) -> bool {
        persona == "admin" || (persona, operation) == ("reader", "list")
    }

    fn matrix(doors: &[Door]) -> Matrix {
        let row = |(name, roles): &(&str, Option<&[&str]>)| Row {
            name: PersonaName::new(*name),
            roles: roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect()),
            signs_in: *name != "stranger",
        };
        let demand = |expectation| {
            let demand = Some(Demand {
                expectation,
                line: 1,
            });
            [demand.clone(), demand.clone(), demand]
        };
        let column = |operation: &&str| Column {
            name: OperationName::new(*operation),
            mutates: false,
            demands: PERSONAS
                .iter()
                .map(|(persona, _)| match *persona {
                    persona if may(persona, operation) => demand(Expectation::Allow),
                    "stranger" => demand(Expectation::Unauthenticated),
                    _ => demand(Expectation::Forbidden),
                })
                .collect(),
        };
        Matrix {
            personas: PERSONAS.iter().map(row).collect(),
            operations: OPERATIONS.iter().map(column).collect(),
            doors: doors.to_vec(),
            ..Matrix::default()
        }
    }

    fn sound(check: &Check<'_>) -> Sight {
        match check.demand.expectation {
            Expectation::Allow => answered(Outcome::Granted, 200),
            Expectation::Unauthenticated => answered(Outcome::Unauthenticated, 401),
            Expectation::Forbidden
            | Expectation::Deny
            | Expectation::Hidden
            | Expectation::Statuses(_) => answered(Outcome::Forbidden, 403),
        }
    }

    fn policy_crash() -> Sight {
        Sight {
            reading: Some(Reading {
                signature: Some(Signature::PolicyCrash),
                ..Reading::plain(Outcome::Crashed)
            }),
            status: 500,
            ..Sight::default()
        }
    }

    /// What is seen in place of a sound answer.
    type Fault = fn(persona: &str, operation: &str, door: Door) -> Option<Sight>;

    /// The hint of the finding of that code, in a run at these doors.
    fn hint(doors: &[Door], code: Code, fault: Fault) -> Option<Hint> {
        let matrix = matrix(doors);
        let sight = |check: Check<'_>| {
            let (persona, _) = PERSONAS[check.persona];
            let seen = fault(persona, OPERATIONS[check.operation], check.door);
            seen.unwrap_or_else(|| sound(&check))
        };
        let sights: Vec<Sight> = matrix.checks().map(sight).collect();
        let roll = exhibit::roll(&matrix, &sights);
        let findings = roll.conclude().findings;
        let own = findings.iter().find(|finding| finding.code == code);
        own.expect("the fault has the finding").hint
    }

    fn got_in(fits: bool) -> Option<Sight> {
        fits.then(|| answered(Outcome::Granted, 200))
    }

    #[test]
    fn a_leak_points_at_the_check_that_lets_it_through() {
        type Case<'c> = (&'c str, &'c [Door], Fault, Option<Hint>);
        let (all, mcp) = (&Door::ALL, &[Door::Mcp, Door::McpLegacy]);
        #[rustfmt::skip]
        let table: [Case<'_>; 7] = [
            ("a role that looks like one that may", all,
                |who, _, at| got_in(who == "near" && at == Door::Mcp), Some(Hint::NearMissRole)),
            ("one role at MCP", all,
                |who, what, at| got_in((who, what, at) == ("reader", "drop", Door::Mcp)), None),
            ("one role at REST", all,
                |who, what, at| got_in((who, what, at) == ("reader", "drop", Door::Rest)), None),
            ("one role at the only door", &[Door::Rest],
                |who, what, _| got_in((who, what) == ("reader", "drop")), None),
            ("no role, at one of two tools", all,
                |who, what, at| got_in((who, what, at) == ("bare", "list", Door::Mcp)), Some(Hint::ReadsNeedNoRole)),
            ("no role, at every tool", all,
                |who, _, at| got_in(who == "bare" && at == Door::Mcp), None),
            ("every role, where REST is not tested", mcp,
                |who, _, _| got_in(who != "stranger"), Some(Hint::DoorsAgree)),
        ];
        for (name, doors, fault, expected) in table {
            assert_eq!(hint(doors, Code::Leak, fault), expected, "{name}");
        }
    }

    #[test]
    fn a_refusal_that_is_none_points_at_its_cause_only_where_it_is_everybodys() {
        type Case<'c> = (&'c str, Code, Fault, Option<Hint>);
        #[rustfmt::skip]
        let table: [Case<'_>; 11] = [
            ("whoever has no role crashes the policy", Code::CrashedNotRefused,
                |who, _, _| (who == "bare").then(policy_crash), Some(Hint::RolesClaimMissing)),
            ("somebody with a role does so, too", Code::CrashedNotRefused,
                |who, _, _| matches!(who, "bare" | "near").then(policy_crash), None),
            ("whoever has no role gets 401", Code::WrongRefusal,
                |who, _, _| (who == "bare").then(|| answered(Outcome::Unauthenticated, 401)), None),
            ("every allowed call of a door crashes", Code::Broken,
                |who, what, at| (at == Door::Rest && may(who, what)).then(policy_crash), Some(Hint::ExpressionAlwaysFails)),
            ("one persona's do", Code::Broken,
                |who, _, at| (at == Door::Rest && who == "admin").then(policy_crash), None),
            ("the only call that was answered does", Code::Broken,
                |who, what, at| Some(if (who, what, at) == ("admin", "drop", Door::Rest) { policy_crash() } else { Sight::default() }), None),
            ("MCP calls get 400", Code::Broken,
                |who, _, at| (at.speaks_mcp() && who == "admin").then(|| answered(Outcome::Rejected, 400)), Some(Hint::BodyConsumed)),
            ("one MCP call does", Code::Broken,
                |who, what, at| ((who, what, at) == ("admin", "drop", Door::Mcp)).then(|| answered(Outcome::Rejected, 400)), None),
            ("MCP calls are refused inside a success", Code::Lockout,
                |who, what, at| (at.speaks_mcp() && may(who, what)).then(|| answered(Outcome::RefusedInBand, 200)), Some(Hint::AuthorizationNotForwarded)),
            ("they are, and REST does not answer", Code::Lockout,
                |who, what, at| may(who, what).then(|| if at.speaks_mcp() { answered(Outcome::RefusedInBand, 200) } else { answered(Outcome::NoAnswer, 0) }), None),
            ("one MCP call is", Code::Lockout,
                |who, what, at| ((who, what, at) == ("admin", "drop", Door::Mcp)).then(|| answered(Outcome::RefusedInBand, 200)), None),
        ];
        for (name, code, fault, expected) in table {
            assert_eq!(hint(&Door::ALL, code, fault), expected, "{name}");
        }
    }
}
