//! Text and variables in, a scenario with nothing dangling out, or every complaint at once.

mod address;
mod aim;
mod call;
pub mod complaint;
mod declaration;
mod demand;
mod demanded;
mod deployment;
mod draft;
mod environment;
mod extent;
mod fingerprint;
mod fixture;
mod header;
mod identity;
mod mcp;
mod operation;
mod persona;
pub mod production;
mod profile;
mod raw;
mod reader;
mod register;
pub mod sign_in;
mod sources;
mod spelling;
pub mod template;
mod terms;
mod waiver;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cell::{Door, OperationName, PersonaName};
use crate::requirement::Requirement;
use crate::secret::Secret;
use crate::waiver::{Subject, Waiver};
use complaint::{Complaints, Kind};
use draft::Draft;
use persona::Default as DefaultIdentity;
use reader::{Fields, Reader};
use register::Register;
use template::{JsonTemplate, Template};

pub use declaration::{Declaration, Fidelity};
pub use demanded::{Demands, Lane, Stated};
pub use environment::NoEnvironment;
pub use extent::{Extent, LeftOut, Location};
pub use fingerprint::{Fingerprint, Flaw, Meaning, Pattern};
pub use identity::{ClientAuth, EntraEndpoint, Identity, Provider, is_guid};
pub use mcp::{Completed, Completion, Listing, McpCall, McpMethod};
pub use profile::{Profile, RedirectUri};
pub use sign_in::SignIn;
pub use sources::{Missing, Sources};
pub(crate) use spelling::nearest;
pub use terms::{Terms, Undeclared};

/// One author's file, resolved: every name is an index, every variable has its value.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's path as the user gave it, for reports.
    pub path: Arc<str>,
    /// The scenario's name.
    pub name: String,
    /// What is under test.
    pub deployment: Deployment,
    /// The programs by which they sign in, in the order of the file.
    pub clients: Vec<Profile>,
    /// Which environment it was read for; `None` where nobody named one.
    pub environment: Option<String>,
    /// Who signs in, in the order of the file: one for each client that a persona signs in by.
    pub personas: Vec<Persona>,
    /// Objects that a run makes for itself.
    pub fixtures: Vec<Fixture>,
    /// What is attempted, in the order of the file.
    pub operations: Vec<Operation>,
    /// What somebody accepts for a while, in the order of the file.
    pub waivers: Vec<Waiver>,
    /// Every secret value that the file names, for the redactor.
    pub secrets: Vec<Secret>,
}

impl Scenario {
    /// How long the effect of an operation's calls may take until it can be read: what the operation says, else the longest
    /// that a fixture of its says.
    pub fn settle_of(&self, operation: &Operation) -> Duration {
        let fixtures = operation.uses.iter().chain(&operation.creates);
        let longest = fixtures.map(|fixture| self.fixtures[*fixture].settle).max();
        operation.settle.or(longest).unwrap_or_default()
    }

    /// Every header that the scenario names: of doors, clients and calls.
    pub fn headers(&self) -> impl Iterator<Item = &(String, HeaderText)> {
        let entries = [&self.deployment.rest, &self.deployment.mcp];
        let entries = entries.into_iter().flatten();
        let steps = self.fixtures.iter().flat_map(Fixture::steps);
        let steps = steps.filter_map(|step| step.rest.as_ref());
        let calls = self.operations.iter().filter_map(|one| one.rest.as_ref());
        let clients = self.clients.iter().map(|client| client.headers.as_slice());
        entries
            .map(|entry| entry.headers.as_slice())
            .chain(clients)
            .chain(steps.chain(calls).map(|call| &*call.headers))
            .flatten()
    }

    /// The same, to be given their values.
    pub fn headers_mut(&mut self) -> impl Iterator<Item = &mut (String, HeaderText)> {
        let deployment = &mut self.deployment;
        let entries = [&mut deployment.rest, &mut deployment.mcp];
        let entries = entries.into_iter().flatten();
        let steps = self.fixtures.iter_mut().flat_map(Fixture::steps_mut);
        let steps = steps.filter_map(|step| step.rest.as_mut());
        let calls = self
            .operations
            .iter_mut()
            .filter_map(|one| one.rest.as_mut());
        let clients = self.clients.iter_mut();
        let clients = clients.map(|client| client.headers.as_mut_slice());
        entries
            .map(|entry| entry.headers.as_mut_slice())
            .chain(clients)
            .chain(steps.chain(calls).map(|call| &mut *call.headers))
            .flatten()
    }

    /// Reads a scenario: `path` is the file's name for reports and the place from which secret files are found, `text`
    /// its content, `sources` the variables.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn read(path: &str, text: &str, sources: &Sources) -> Result<Self, Complaints> {
        let file: Arc<str> = Arc::from(path);
        let mut reader = Reader::new(path, text, sources);
        let read = match Draft::of(&mut reader, text) {
            Ok(draft) => Self::assemble(&mut reader, draft, &file),
            Err((at, kind)) => {
                reader.forget();
                reader.complain(at, kind);
                None
            }
        };
        match read {
            Some(scenario) if reader.found.is_empty() => Ok(Self {
                secrets: reader.secrets,
                ..scenario
            }),
            _ => Err(Complaints::new(&file, text, reader.found, &reader.hidden)),
        }
    }

    /// The MCP tool that each operation calls, by the operation's index; `None` where it calls none.
    pub fn tools(&self) -> Vec<Option<&str>> {
        let calls = self.operations.iter();
        calls
            .map(|operation| operation.mcp.as_ref()?.tool())
            .collect()
    }

    /// Whether somebody accepts, or has accepted, that a requirement is not kept.
    pub fn waives(&self, requirement: Requirement) -> bool {
        let subject = Subject::Requirement(requirement);
        self.deployment.requirements.waiver(requirement).is_some()
            || self.waivers.iter().any(|waiver| waiver.finding == subject)
    }

    fn assemble(reader: &mut Reader<'_>, draft: Draft<'_>, file: &Arc<str>) -> Option<Self> {
        let Draft {
            root,
            deployment,
            operations,
        } = &draft;
        let fields = reader.fields(root.span, root, "the scenario", KEYS)?;
        let mut register = Register::of(root);
        register.within = draft::within(deployment.as_ref());
        version(reader, &fields);
        let name = fields
            .need(reader, "name")
            .and_then(|name| reader.plain(name.node, "`name`"));
        fields.need(reader, "deployment");
        let identity = default_identity(reader, &fields);
        let clients = fields
            .get("clients")
            .map(|clients| profile::read(reader, clients, &register))
            .unwrap_or_default();
        let personas = fields
            .need(reader, "personas")
            .map(|personas| persona::read(reader, personas, &identity, &register, &clients));
        let users = personas.as_deref().unwrap_or_default();
        let clients = profile::settled(reader, clients, &register, users, &identity);
        let fixtures = fields
            .get("fixtures")
            .map(|fixtures| fixture::read(reader, fixtures, &register));
        fields.need(reader, "operations");
        if let Some(operations) = operations {
            operations.say_what_they_change(reader, fixtures.as_deref().unwrap_or_default());
        }
        let known = waiver::Known {
            register: &register,
            operations: operations.as_ref().map(|read| read.all.as_slice()),
            clients: &clients,
            terms: deployment.as_ref().map(|one| &one.requirements),
        };
        let waivers = fields
            .get("waivers")
            .map(|node| waiver::read(reader, node, &known))
            .unwrap_or_default();
        Some(Self {
            path: Arc::clone(file),
            name: name?,
            environment: None,
            clients,
            personas: personas?,
            fixtures: fixtures.unwrap_or_default(),
            waivers,
            secrets: Vec::new(),
            deployment: draft.deployment?,
            operations: draft.operations?.all,
        })
    }
}

const KEYS: &[&str] = &[
    "rolecall",
    "name",
    "environments",
    "deployment",
    "identity",
    "clients",
    "personas",
    "fixtures",
    "operations",
    "waivers",
];

fn version(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let Some(version) = fields.need(reader, "rolecall") else {
        return;
    };
    if !matches!(&version.node.value, raw::Value::Number(number) if number.as_u64() == Some(1)) {
        reader.complain(version.node.span, Kind::Version);
    }
}

fn default_identity(reader: &mut Reader<'_>, fields: &Fields<'_>) -> DefaultIdentity {
    let Some(named) = fields.get("identity") else {
        return DefaultIdentity::Absent;
    };
    DefaultIdentity::of(identity::read(reader, named))
}

/// What is under test.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Base URL of the REST door (no slash at its end), when there is one.
    pub rest: Option<Entry>,
    /// URL of the MCP endpoint, when there is one.
    pub mcp: Option<Entry>,
    /// Doors that the scenario allows, in matrix order. An MCP era among them is tested when the URL answers it.
    pub doors: Vec<Door>,
    /// Whether the author named the doors: then one that does not answer is a gap, not an absence.
    pub doors_stated: bool,
    /// Shapes of refusal besides HTTP 403 that the MCP doors are declared to use.
    pub mcp_refuses: RefusalShape,
    /// What besides the usual words and codes is a denial there.
    pub mcp_denials: Denials,
    /// Answers that the owner knows, in the order of the file: the first that fits says what an answer means.
    pub fingerprints: Vec<Fingerprint>,
    /// What is demanded of the MCP doors besides the matrix.
    pub requirements: Terms,
    /// How much of it the matrix is to name.
    pub extent: Extent,
    /// Whether a run may create, change and delete objects of its own.
    pub disposable: bool,
    /// Hosts that are production: nothing is changed there unless the user names them.
    pub production: Vec<production::HostPattern>,
    /// Ids that calls which change something may write down, because they only say where the run's own objects live.
    pub within: Vec<String>,
}

/// A door's URL and the headers that every call through it carries.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Absolute http(s) URL, verbatim.
    pub url: String,
    /// Headers such as a subscription key; values may be secrets.
    pub headers: Vec<(String, HeaderText)>,
    /// Line of the URL in the file, from 1.
    pub line: u32,
}

/// A header's value.
#[derive(Clone, Debug)]
pub enum HeaderText {
    /// Text that may hold run-time templates.
    Plain(Template),
    /// A secret, sent verbatim.
    Secret(Secret),
    /// A secret that a program prints; whoever sends the header has run it before.
    Command(sign_in::Command),
}

impl HeaderText {
    /// Whether a header can carry the text: what is sent is sent as visible ASCII.
    pub fn can_hold(text: &str) -> bool {
        http::HeaderValue::from_str(text).is_ok() && text.is_ascii()
    }
}

/// How an MCP door says no, as the scenario declares it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalShape {
    /// HTTP 401 and 403, as the specification wants.
    #[default]
    Http,
    /// HTTP 200 with a JSON-RPC error or an `isError` result that carries a denial.
    InBand,
    /// The answer that an unknown tool gets.
    Hidden,
    /// Any of the three.
    Any,
}

/// Marks by which a denial inside an MCP answer is known besides the usual ones: of JSON-RPC errors and of results with
/// `isError`, never of a result without.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Denials {
    /// JSON-RPC error codes.
    pub codes: Vec<i64>,
    /// Words of an error's message or of a result's texts, in any case.
    pub texts: Vec<String>,
}

/// Who attempts the operations.
#[derive(Clone, Debug)]
pub struct Persona {
    /// Its name.
    pub name: PersonaName,
    /// Roles that its token must carry, exactly; `None` when the author does not say.
    pub roles: Option<Vec<String>>,
    /// What else its token must say of itself.
    pub declared: Declaration,
    /// Index of the client that it signs in by, where that is one of the scenario's `clients`.
    pub client: Option<usize>,
    /// How it gets a token.
    pub sign_in: SignIn,
    /// Where it signs in; `None` only for [`SignIn::None`].
    pub identity: Option<Identity>,
    /// Line in the file, from 1.
    pub line: u32,
}

/// An object that a run makes for itself, reads back and removes.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Its name: templates say `{{ name.capture }}`.
    pub name: String,
    /// Index of the persona that owns it.
    pub owner: usize,
    /// Makes one.
    pub create: Step,
    /// Values taken from the answer to `create`, by name: RFC 6901 pointers.
    pub capture: Vec<(String, String)>,
    /// Reads one; the effect checks compare its answers. Not found means gone.
    pub read: Option<Step>,
    /// Looks one up by `{{ tag }}`; the captures of what it finds prove that a refused creation happened.
    pub find: Option<Step>,
    /// Values taken from the answer to `find`, by name.
    pub find_capture: Vec<(String, String)>,
    /// Removes one.
    pub remove: Step,
    /// Values that name no object that can exist, by capture name; calls that may not touch a real one use them.
    pub decoy: Option<Vec<(String, serde_json::Value)>>,
    /// Whether a decoy value could be an object's all the same, so that it has to be looked for first.
    pub decoy_may_exist: bool,
    /// How long what is written may take until it can be read and found; zero where it is there at once.
    pub settle: Duration,
    /// Line in the file, from 1.
    pub line: u32,
}

impl Fixture {
    fn steps(&self) -> impl Iterator<Item = &Step> {
        let sought = [&self.read, &self.find].into_iter().flatten();
        [&self.create, &self.remove].into_iter().chain(sought)
    }

    fn steps_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        let sought = [&mut self.read, &mut self.find].into_iter().flatten();
        [&mut self.create, &mut self.remove]
            .into_iter()
            .chain(sought)
    }
}

/// One call of a fixture. With both shapes, the first that works is used, REST before MCP.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its REST shape.
    pub rest: Option<RestCall>,
    /// Its MCP shape.
    pub mcp: Option<McpCall>,
}

/// One thing that a persona may attempt.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name.
    pub name: OperationName,
    /// Its REST shape.
    pub rest: Option<RestCall>,
    /// Its MCP shape, the same for both eras.
    pub mcp: Option<McpCall>,
    /// Whether a call that gets through changes something.
    pub mutates: bool,
    /// Indices of the fixtures whose captures its templates name.
    pub uses: Box<[usize]>,
    /// Index of the fixture of which an allowed call makes one more.
    pub creates: Option<usize>,
    /// How long its effect may take until it can be read; `None` where the fixtures say so.
    pub settle: Option<Duration>,
    /// What the matrix demands.
    pub demands: Demands,
    /// Line in the file, from 1.
    pub line: u32,
}

impl Operation {
    /// Whether it has a shape for the door.
    pub fn has(&self, door: Door) -> bool {
        if door.speaks_mcp() {
            self.mcp.is_some()
        } else {
            self.rest.is_some()
        }
    }
}

/// An expectation with the line that states it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Demand {
    /// What must come back.
    pub expectation: Expectation,
    /// Line in the file, from 1.
    pub line: u32,
}

/// What the matrix demands of a cell.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The call gets through.
    Allow,
    /// 401: not signed in.
    #[serde(rename = "401")]
    Unauthenticated,
    /// 403: signed in, not permitted.
    #[serde(rename = "403")]
    Forbidden,
    /// 401 or 403.
    Deny,
    /// The answer that an unknown tool or path gets.
    Hidden,
    /// One of these HTTP statuses, each 100 to 599.
    Statuses(Vec<u16>),
}

impl Expectation {
    /// Whether the cell is one that must get through.
    pub fn allows(&self) -> bool {
        match self {
            Self::Allow => true,
            Self::Unauthenticated | Self::Forbidden | Self::Deny | Self::Hidden => false,
            Self::Statuses(statuses) => statuses.iter().all(|status| (200..300).contains(status)),
        }
    }

    /// The expectation in a word, or in its statuses with bars between them.
    pub fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Allow => "allow".into(),
            Self::Unauthenticated => "401".into(),
            Self::Forbidden => "403".into(),
            Self::Deny => "deny".into(),
            Self::Hidden => "hidden".into(),
            Self::Statuses(statuses) => {
                let words: Vec<String> = statuses.iter().map(u16::to_string).collect();
                words.join("|").into()
            }
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.word())
    }
}

/// A REST call as the author wrote it.
#[derive(Clone, Debug)]
pub struct RestCall {
    /// Method, upper case.
    pub method: Cow<'static, str>,
    /// Path and query below the door's URL, beginning with a slash; inserted values are percent-encoded.
    pub target: Template,
    /// Headers of this call.
    pub headers: Box<[(String, HeaderText)]>,
    /// JSON body.
    pub json: Option<JsonTemplate>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const CATALOG: &str = include_str!("../scenarios/product-catalog.yaml");
    const LIBRARY: &str = include_str!("../scenarios/rest-only.yaml");
    const PRIMITIVES: &str = include_str!("../scenarios/mcp-primitives.yaml");
    const SHIPPED: [&str; 3] = [CATALOG, LIBRARY, PRIMITIVES];

    fn read(text: &str, missing: Missing) -> Result<Scenario, Complaints> {
        let sources = Sources {
            variables: BTreeMap::new(),
            missing,
            today: "2026-06-01".parse().unwrap(),
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
        };
        Scenario::read("x.yaml", text, &sources)
    }

    /// Whatever the text, the answer is a scenario or at least one complaint that can be shown.
    fn answers(text: &str) {
        for missing in [Missing::Kept, Missing::Refused] {
            if let Err(complaints) = read(text, missing) {
                assert!(complaints.len() > 0 && !complaints.to_string().is_empty());
                let places: Vec<(u32, u32)> =
                    complaints.iter().map(|at| (at.line, at.column)).collect();
                assert!(places.is_sorted());
            }
        }
    }

    fn mutated(text: &str, place: usize, length: usize, piece: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let start = place % chars.len();
        let end = (start + length).min(chars.len());
        chars[..start]
            .iter()
            .copied()
            .chain(piece.chars())
            .chain(chars[end..].iter().copied())
            .collect()
    }

    #[test]
    fn what_a_variable_holds_is_shown_by_no_complaint() {
        let text = LIBRARY
            .replace(
                "audience: loans",
                "client_auth: ${LOANS_URL}\n    audience: [\"${LOANS_URL}\", \"${LOANS_URL}\"]",
            )
            .replace("/loans/{{ loan.id }}", "/loans/{{ ${LOANS_URL} }}")
            .replace(
                "roles: [auditor]",
                "roles: [\"${LOANS_URL}\", \"${LOANS_URL}\"]",
            );
        let sources = Sources {
            variables: [("LOANS_URL".to_owned(), "hunter2".to_owned())].into(),
            missing: Missing::Kept,
            today: "2026-06-01".parse().unwrap(),
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
        };
        let shown = Scenario::read("x.yaml", &text, &sources)
            .unwrap_err()
            .to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains("unknown client authentication `${LOANS_URL}`"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,80}") {
            answers(&text);
        }

        #[test]
        fn arbitrary_structure_never_panics(text in "([a-c]: |- |\\n|\\n  |[\\[\\]{},&*!|>'\"#%@`]|x|\\t|\\r){0,60}") {
            answers(&text);
        }

        #[test]
        fn a_mutated_scenario_never_panics(
            which in 0..SHIPPED.len(),
            place: usize,
            length in 0_usize..40,
            piece in "(\\PC{0,6}|[{}\\[\\]:,\"'$ \\n\\r\\t~&*-]{0,6}|null|12|\\[\\]|none)",
        ) {
            answers(&mutated(SHIPPED[which], place, length, &piece));
        }

        #[test]
        fn a_scenario_without_one_of_its_lines_never_panics(which in 0..SHIPPED.len(), line: usize, count in 1_usize..4) {
            let text = SHIPPED[which];
            let lines: Vec<&str> = text.lines().collect();
            let gone = line % lines.len();
            let kept: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| !(gone..gone + count).contains(at)).map(|(_, line)| *line).collect();
            answers(&kept.join("\n"));
        }
    }

    /// The shipped scenarios with their operations first.
    fn turned(text: &str) -> String {
        let (head, operations) = text.split_at(text.find("operations:\n").unwrap());
        format!("{operations}\n{head}")
    }

    #[test]
    fn operations_may_stand_above_what_they_refer_to() {
        for text in SHIPPED {
            let shape = |text: &str| {
                let scenario = read(text, Missing::Kept).unwrap();
                let shapes = scenario.operations.into_iter();
                let shapes = shapes.map(|one| (one.name, one.rest, one.mcp, one.uses, one.mutates));
                let shapes: Vec<_> = shapes.collect();
                (format!("{shapes:?}"), scenario.secrets.len())
            };
            assert_eq!(shape(&turned(text)), shape(text));
        }
        let wrong = CATALOG.replace("allow: [admin]", "allow: [nobody]");
        let count = |text: &str| read(text, Missing::Kept).unwrap_err().len();
        assert_eq!(count(&turned(&wrong)), count(&wrong));
    }

    #[test]
    fn operations_that_an_alias_repeats_are_read() {
        let text = LIBRARY.replace("operations:\n", "spare: &all\n");
        let text = format!("{text}\noperations: *all\n");
        let complaints = read(&text, Missing::Kept).unwrap_err();
        let kinds: Vec<&Kind> = complaints.iter().map(|one| &one.kind).collect();
        assert!(
            matches!(*kinds, [Kind::UnknownKey { key, .. }] if key == "spare"),
            "{complaints}"
        );
        let text = text.replace("&all\n", "&all\n  borrow: { allow: [nobody] }\n");
        let complaints = read(&text, Missing::Kept).unwrap_err();
        assert!(complaints.to_string().contains("nobody"), "{complaints}");
    }

    #[test]
    fn an_operation_that_stands_twice_is_read_once() {
        let text = LIBRARY.replace("operations:\n", "operations:\n  x: { allow: [nobody] }\n");
        let once = read(&text, Missing::Kept).unwrap_err().len();
        let twice = format!("{text}\n  x: {{ allow: [nobody, anybody] }}\n");
        let complaints = read(&twice, Missing::Kept).unwrap_err();
        assert_eq!(complaints.len(), once + 1, "{complaints}");
        let last = &complaints.iter().last().unwrap().kind;
        assert!(matches!(last, Kind::DuplicateKey { .. }), "{last}");
    }

    #[test]
    fn what_is_no_yaml_is_complained_of_alone() {
        let wrong = CATALOG.replace("allow: [admin]", "allow: [nobody]");
        let complaints = read(&format!("{wrong}\n  x: [\n"), Missing::Kept).unwrap_err();
        assert_eq!(complaints.len(), 1, "{complaints}");
        assert!(matches!(
            complaints.iter().next().unwrap().kind,
            Kind::Syntax { .. }
        ));
    }

    #[test]
    fn headers_are_found_wherever_they_stand() {
        let text = r#"
rolecall: 1
name: Headers
deployment:
  rest: { url: https://a.example, headers: { X-Rest: { command: [p] } } }
  mcp: { url: https://a.example/mcp, headers: { X-Mcp: { command: [p] } } }
  disposable: true
identity: { oidc: { issuer: https://i.example } }
clients:
  app: { client_id: a, headers: { X-Client: { command: [p] } } }
personas:
  one: { clients: [app], sign_in: { password: { username: u, password: { command: [p] } } } }
fixtures:
  thing:
    as: one@app
    create: { rest: { request: POST /t, headers: { X-Create: { command: [p] } }, json: { name: "{{ tag }}" } }, capture: { id: /id } }
    find: { rest: { request: "GET /t?q={{ tag }}", headers: { X-Find: { command: [p] } } }, capture: { id: /0/id } }
    remove: { rest: "DELETE /t/{{ thing.id }}" }
operations:
  list: { allow: [one], rest: { request: GET /t, headers: { X-Call: { command: [p] } } } }
"#;
        let mut scenario = read(text, Missing::Refused).unwrap();
        let name = |(name, _): &(String, HeaderText)| name.clone();
        let names: Vec<String> = scenario.headers().map(name).collect();
        let expected = [
            "X-Rest", "X-Mcp", "X-Client", "X-Create", "X-Find", "X-Call",
        ];
        assert_eq!(names, expected);
        let filled: Vec<String> = scenario.headers_mut().map(|one| name(one)).collect();
        assert_eq!(filled, expected);
    }
}
