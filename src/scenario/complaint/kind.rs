//! Evidence in, the one sentence that says what is wrong out.

use std::fmt;

use crate::cell::Door;
use crate::code::Code;
use crate::day::Day;
use crate::scenario::Flaw;

/// What can be wrong with a scenario. Each variant holds its evidence, never a value that may be a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The text is not the YAML that scenarios use.
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// The remedy.
        help: &'static str,
    },
    /// More nesting, values or repeated aliases than a scenario can have.
    TooLarge,
    /// A template or variable in braces that YAML reads as a map.
    UnquotedBraces,
    /// A key that its place does not know.
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        place: &'static str,
        /// A known key that is spelt almost so.
        near: Option<String>,
        /// The keys that the place knows.
        known: String,
    },
    /// A key that stands twice in one map.
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the first.
        first: u32,
    },
    /// A key that its place needs.
    MissingKey {
        /// The key.
        key: &'static str,
        /// Where it is missing.
        place: &'static str,
    },
    /// A value of another sort than its place takes.
    WrongSort {
        /// What the place takes.
        wanted: &'static str,
        /// What stands there.
        found: &'static str,
        /// The place.
        place: String,
    },
    /// Text with nothing in it.
    EmptyText {
        /// The place.
        place: String,
    },
    /// A list or map that needs at least one entry.
    Empty {
        /// What there is none of.
        what: &'static str,
    },
    /// A language version other than 1.
    Version,
    /// A `${` that is not followed by a name and a brace.
    MalformedVariable,
    /// A variable that has no value.
    MissingVariable {
        /// Its name.
        name: String,
    },
    /// A secret that stands in the file, or comes by way of a variable in text.
    InlineSecret {
        /// The place.
        place: String,
    },
    /// A secret whose variable has its value in the file's `environments`.
    StatedSecret {
        /// The variable's name.
        name: String,
    },
    /// A name that no variable can have.
    BadVariable,
    /// A secret whose variable has no value.
    MissingSecret {
        /// The variable's name.
        name: String,
    },
    /// A secret whose file cannot be read.
    UnreadableSecret {
        /// The file as the author named it.
        path: String,
        /// Why, in the words of the standard library's error kinds.
        why: std::io::ErrorKind,
    },
    /// A secret with nothing in it.
    EmptySecret {
        /// The variable or file.
        name: String,
    },
    /// A name that is no name.
    BadName {
        /// What is named.
        noun: &'static str,
    },
    /// A fixture's name that run-time values use.
    ReservedName {
        /// The name.
        name: String,
    },
    /// A name that nothing declares, or a word that its place does not know.
    Unknown {
        /// What it should name.
        noun: &'static str,
        /// The word.
        name: String,
        /// A known word that is spelt almost so.
        near: Option<String>,
        /// The known words.
        known: String,
    },
    /// A name that stands twice in one list.
    Repeated {
        /// What it names.
        noun: &'static str,
        /// The name.
        name: String,
    },
    /// A template that is not well formed; says why.
    MalformedTemplate(String),
    /// A template at a place where none is filled.
    NoTemplates {
        /// The place.
        place: String,
    },
    /// A template that names nothing that is bound there.
    Dangling {
        /// The dotted name.
        name: String,
        /// A name that is bound there and spelt almost so.
        near: Option<String>,
        /// A fixture that `uses` would have to list.
        unused: Option<String>,
        /// The names that are bound there.
        known: String,
    },
    /// An operation without a REST and an MCP shape, or a step of a fixture without.
    NoShape,
    /// Cells that neither `allow` nor `expect` decides.
    Undecided {
        /// `persona at door`, joined by commas.
        cells: String,
    },
    /// A door that the deployment has no URL for.
    NoAddress {
        /// The door.
        door: Door,
    },
    /// An expectation for a door that the operation has no shape for.
    NoSuchDoor {
        /// The door.
        door: Door,
    },
    /// A route or tool to be left out that is none.
    LeftOut {
        /// Whether it should be a route.
        is_route: bool,
    },
    /// A deployment without a URL.
    NoDeployment,
    /// Not exactly one provider in an identity.
    Providers {
        /// How many there are.
        count: usize,
    },
    /// Not exactly one way to sign in.
    SignIns {
        /// How many there are.
        count: usize,
    },
    /// A persona that signs in, and nothing says where.
    NoIdentity {
        /// The persona.
        persona: String,
    },
    /// A persona that does not sign in, with something that only a token could carry.
    Anonymous {
        /// The key that it has.
        key: &'static str,
    },
    /// A declared role that the identity ignores.
    RoleIgnored {
        /// The role.
        role: String,
    },
    /// `endpoint` at a sign-in whose identity is not Entra's.
    EndpointWithoutEntra,
    /// A sign-in method of Entra's at another provider.
    MethodWithoutEntra {
        /// The method.
        method: &'static str,
    },
    /// More than one thing that a client is to prove itself with.
    Proofs {
        /// How many there are.
        count: usize,
    },
    /// A secret among the arguments of a program.
    SecretArgument,
    /// A redirect that is not one of this machine's own.
    Redirect,
    /// A sign-in that states its own client beside the persona's `clients`.
    ClientTwice {
        /// The key that it has.
        key: String,
    },
    /// A sign-in by a client of `clients` whose method has no client.
    NoClient {
        /// The method.
        method: String,
    },
    /// A public client at a method that needs a proof.
    ClientPublic {
        /// The client.
        client: String,
    },
    /// A client that no persona signs in by, and that has no redirects.
    ClientUnused,
    /// A redirect that nobody can register; says why.
    RedirectUri(&'static str),
    /// Redirects of a client, and no provider to ask for them.
    RedirectsNowhere,
    /// A persona whose token is to be exchanged, and which has none.
    SubjectAnonymous {
        /// The persona.
        persona: String,
    },
    /// Personas that need one another's tokens in a circle.
    SubjectCircle {
        /// Their names, joined by commas.
        personas: String,
    },
    /// A variable that the platform sets, and which has no value.
    MissingAmbient {
        /// Its name.
        name: &'static str,
        /// What makes the platform set it.
        needs: &'static str,
    },
    /// An Entra identity that names both a cloud and an authority.
    CloudAndAuthority,
    /// An operation with an MCP shape alone that does not say whether it mutates.
    MutatesUnstated,
    /// A mutating operation that neither uses nor creates a fixture.
    ChangesForeign,
    /// A shape of a mutating operation that names none of the fixtures it uses.
    ShapeWithoutFixture {
        /// The shape: `rest` or `mcp`.
        door: Door,
        /// A fixture that it could name.
        fixture: String,
    },
    /// `creates` at an operation that does not mutate.
    CreatesReadOnly,
    /// A shape that creates what the fixture's `find` could not find again.
    CreatesUntagged {
        /// The shape: `rest` or `mcp`.
        door: Door,
    },
    /// A fixture's owner that does not sign in.
    OwnerAnonymous {
        /// The persona.
        persona: String,
    },
    /// A `remove` that names neither a capture nor the tag.
    RemovesForeign {
        /// The fixture.
        fixture: String,
    },
    /// A `find` that does not look for the tag.
    FindsForeign,
    /// A capture that `remove` needs and `find` does not take.
    FindsTooLittle {
        /// The capture.
        capture: String,
    },
    /// A decoy without a value for a capture.
    DecoyIncomplete {
        /// The capture.
        capture: String,
    },
    /// A decoy whose value could be an object's, and nothing to look for it with.
    DecoyDoubtful,
    /// A tool that changes something elsewhere in the file, in an operation that does not say whether it does there.
    MutatesElsewhere {
        /// The tool.
        tool: String,
    },
    /// A decoy whose value would lead to another path than the operation's.
    DecoyAstray,
    /// Text that is no host pattern.
    HostPattern,
    /// An id that stands as a literal in a call that changes something.
    LiteralId {
        /// Where in the call.
        place: String,
    },
    /// A creation that writes to what its path names, without the tag or the run's id in it.
    CreatesOver,
    /// `mutates: false` at a method that changes something by its meaning.
    MutatesDenied {
        /// The method.
        method: String,
    },
    /// A creation that carries neither the call's tag nor the run's id.
    CreatesUnmarked {
        /// The shape: `rest` or `mcp`.
        door: Door,
    },
    /// A fingerprint that could not tell what it should, or could turn a hole green.
    Fingerprint(Flaw),
    /// A value that is no JSON-RPC error code.
    DenialCode,
    /// Words that are too short to tell a denial by.
    DenialText,
    /// Not exactly one request in an MCP shape.
    McpRequests {
        /// How many there are.
        count: usize,
    },
    /// `arguments` at an MCP request that takes none.
    ArgumentsAstray {
        /// The request's key.
        request: String,
    },
    /// Not exactly one thing whose argument is to be completed.
    CompletionOf {
        /// How many there are.
        count: usize,
    },
    /// Text that is no URI.
    ResourceUri,
    /// A request that is not `METHOD /path`; says why.
    Request(&'static str),
    /// A URL that does not suit its place; says why.
    Url(&'static str),
    /// A number that is no HTTP status.
    Status,
    /// A value that is no expectation.
    Expectation {
        /// A word that is spelt almost so.
        near: Option<&'static str>,
    },
    /// Text that is no JSON pointer.
    Pointer,
    /// Text that names no claim.
    RolesClaim,
    /// A key that is no header name.
    HeaderName,
    /// A header value that no HTTP message can carry.
    HeaderValue,
    /// A header that rolecall sets itself.
    OwnHeader {
        /// Its name, lower case.
        name: String,
        /// Why it is not the author's.
        why: &'static str,
    },
    /// A form parameter that the sign-in sets itself.
    OwnParameter {
        /// Its name.
        name: String,
    },
    /// A finding that nobody can accept.
    NotWaivable {
        /// Its code.
        code: Code,
        /// What to do instead.
        why: &'static str,
    },
    /// `cells` or `about` at a waiver of a finding that has none.
    WaiverAstray {
        /// The key.
        key: &'static str,
        /// The finding.
        finding: String,
    },
    /// Text that is no address of cells, or one of all of them.
    CellAddress {
        /// Whether it is every cell there is.
        everything: bool,
    },
    /// An address that names no cell of the matrix.
    NoSuchCell,
    /// The same thing waived by two waivers.
    WaivedTwice {
        /// What.
        what: String,
    },
    /// Text that is no date.
    Date,
    /// A waiver for more than a year.
    WaiverTooLong {
        /// The latest day that it can name.
        latest: Day,
    },
    /// A value that is no length of time, or too long a one.
    Duration,
    /// A time to settle where nothing is read back.
    SettlesNothing,
    /// Text with control characters where none can be.
    ControlCharacter {
        /// The place.
        place: String,
    },
}

impl fmt::Display for Kind {
    #[expect(clippy::too_many_lines, reason = "one sentence a variant")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { what, .. } => f.write_str(what),
            Self::Request(why) | Self::Url(why) | Self::RedirectUri(why) => f.write_str(why),
            Self::TooLarge => f.write_str("this is deeper or larger than a scenario can be"),
            Self::UnquotedBraces => f.write_str("these braces are read as a map"),
            Self::UnknownKey { key, place, .. } => {
                write!(f, "unknown key `{}` in {place}", brief(key))
            }
            Self::DuplicateKey { key, .. } => write!(f, "`{}` stands here twice", brief(key)),
            Self::MissingKey { key, place } => write!(f, "{place} has no `{key}`"),
            Self::WrongSort {
                wanted,
                found,
                place,
            } => write!(f, "{place} is {found}, not {wanted}"),
            Self::EmptyText { place } => write!(f, "{place} is empty"),
            Self::Empty { what } => write!(f, "there are no {what}"),
            Self::Version => {
                f.write_str("this is not a version of the scenario language that is known here")
            }
            Self::MalformedVariable => {
                f.write_str("`${` is not followed by a variable's name and `}`")
            }
            Self::MissingVariable { name } => write!(f, "variable `{name}` has no value"),
            Self::InlineSecret { place } => {
                write!(f, "{place} is a secret and must not stand in the file")
            }
            Self::StatedSecret { name } => write!(
                f,
                "a secret is read from variable `{}`, and its value stands in `environments`",
                brief(name)
            ),
            Self::BadVariable => f.write_str("this is no name for a variable"),
            Self::MissingSecret { name } => write!(
                f,
                "variable `{}` has no value, and a secret is read from it",
                brief(name)
            ),
            Self::UnreadableSecret { path, why } => match why {
                std::io::ErrorKind::NotFound => {
                    write!(f, "there is no secret file `{}`", brief(path))
                }
                why => write!(f, "secret file `{}` cannot be read: {why}", brief(path)),
            },
            Self::EmptySecret { name } => write!(f, "the secret from `{}` is empty", brief(name)),
            Self::BadName { noun } => write!(f, "this is no name for {noun}"),
            Self::ReservedName { name } => write!(f, "a fixture cannot be called `{name}`"),
            Self::RoleIgnored { role } => write!(
                f,
                "role `{}` is declared here and ignored by the identity",
                brief(role)
            ),
            Self::Unknown { noun, name, .. } => write!(f, "unknown {noun} `{}`", brief(name)),
            Self::Repeated { noun, name } => {
                write!(f, "{noun} `{}` stands in this list twice", brief(name))
            }
            Self::MalformedTemplate(why) => f.write_str(why),
            Self::NoTemplates { place } => write!(f, "{place} takes no template"),
            Self::Dangling { name, .. } => {
                write!(f, "nothing binds `{{{{ {} }}}}` here", brief(name))
            }
            Self::NoShape => f.write_str("this has neither a `rest` nor an `mcp` shape"),
            Self::Undecided { cells } => write!(f, "nothing says what to expect of {cells}"),
            Self::NoAddress { door } => write!(f, "the deployment has no `{}` URL", shape(*door)),
            Self::NoSuchDoor { door } => write!(
                f,
                "this operation has no `{}` shape to expect anything of",
                shape(*door)
            ),
            Self::LeftOut { is_route: true } => f.write_str("this is no route"),
            Self::LeftOut { is_route: false } => f.write_str("this is no tool's name"),
            Self::NoDeployment => f.write_str("the deployment has no URL"),
            Self::Providers { count: 0 } => f.write_str("this identity names no provider"),
            Self::Providers { count } => write!(f, "this identity names {count} providers"),
            Self::SignIns { count: 0 } => f.write_str("this names no way to sign in"),
            Self::SignIns { count } => write!(f, "this names {count} ways to sign in"),
            Self::NoIdentity { persona } => write!(f, "nothing says where `{persona}` signs in"),
            Self::Anonymous { key } => write!(f, "a persona that does not sign in has no `{key}`"),
            Self::EndpointWithoutEntra => {
                f.write_str("only an `entra` identity has a choice of endpoints")
            }
            Self::MethodWithoutEntra { method } => {
                write!(f, "`{method}` is a method of `entra` alone")
            }
            Self::Proofs { count } => {
                write!(f, "this client has {count} things to prove itself with")
            }
            Self::SecretArgument => {
                f.write_str("a secret among the arguments of a program can be read by every other")
            }
            Self::Redirect => f.write_str("this redirect does not lead back to this machine"),
            Self::ClientTwice { key } => write!(
                f,
                "`{key}` stands here, and the persona's `clients` say which client signs in"
            ),
            Self::NoClient { method } => write!(f, "`{method}` signs in by no client"),
            Self::ClientPublic { client } => write!(
                f,
                "client `{}` has nothing to prove itself with, and this method wants proof",
                brief(client)
            ),
            Self::ClientUnused => {
                f.write_str("no persona signs in by this client, and it has no redirects")
            }
            Self::RedirectsNowhere => {
                f.write_str("nothing says which provider must know these redirects")
            }
            Self::SubjectAnonymous { persona } => write!(
                f,
                "`{}` does not sign in, so it has no token to exchange",
                brief(persona)
            ),
            Self::SubjectCircle { personas } => {
                write!(
                    f,
                    "these wait for one another's tokens: {}",
                    brief(personas)
                )
            }
            Self::MissingAmbient { name, .. } => write!(
                f,
                "variable `{name}` has no value, and the assertion is asked for with it"
            ),
            Self::CloudAndAuthority => {
                f.write_str("a cloud is an authority, and this names one of each")
            }
            Self::MutatesUnstated => {
                f.write_str("nothing says whether this operation changes anything")
            }
            Self::ChangesForeign => {
                f.write_str("this operation would change what rolecall did not make")
            }
            Self::ShapeWithoutFixture { door, .. } => {
                write!(
                    f,
                    "the `{}` shape would change what rolecall did not make",
                    shape(*door)
                )
            }
            Self::CreatesReadOnly => {
                f.write_str("an operation that changes nothing creates nothing")
            }
            Self::CreatesUntagged { door } => {
                write!(
                    f,
                    "what the `{}` shape creates could not be found again",
                    shape(*door)
                )
            }
            Self::OwnerAnonymous { persona } => write!(
                f,
                "`{}` does not sign in and can own nothing",
                brief(persona)
            ),
            Self::RemovesForeign { fixture } => write!(
                f,
                "this would remove something else than its own `{fixture}`"
            ),
            Self::FindsForeign => f.write_str("this would find objects that rolecall did not make"),
            Self::FindsTooLittle { capture } => write!(
                f,
                "`find` does not capture `{}`, which `remove` needs",
                brief(capture)
            ),
            Self::DecoyIncomplete { capture } => {
                write!(f, "the decoy has no value for `{}`", brief(capture))
            }
            Self::DecoyDoubtful => f.write_str("this decoy may be an object that is there"),
            Self::MutatesElsewhere { tool } => write!(
                f,
                "`{}` changes something elsewhere in this file, and nothing says whether it does here",
                brief(tool)
            ),
            Self::DecoyAstray => f.write_str("this value would lead to another path"),
            Self::HostPattern => f.write_str("this is no host pattern"),
            Self::LiteralId { place } => write!(
                f,
                "this call changes something, and {} names an id that rolecall did not make",
                brief(place)
            ),
            Self::CreatesOver => f.write_str("this would write over what is at this path already"),
            Self::MutatesDenied { method } => {
                write!(
                    f,
                    "`{}` changes something, whatever this says",
                    brief(method)
                )
            }
            Self::CreatesUnmarked { door } => write!(
                f,
                "what the `{}` shape creates could not be told from what others made",
                shape(*door)
            ),
            Self::Fingerprint(flaw) => f.write_str(flaw.words()),
            Self::DenialCode => f.write_str("this is no JSON-RPC error code"),
            Self::DenialText => f.write_str("these words stand in other answers too"),
            Self::McpRequests { count: 0 } => f.write_str("this `mcp` shape makes no request"),
            Self::McpRequests { count } => write!(f, "this `mcp` shape makes {count} requests"),
            Self::ArgumentsAstray { request } => write!(f, "`{request}` takes no `arguments`"),
            Self::CompletionOf { count: 0 } => f.write_str("nothing says what has this argument"),
            Self::CompletionOf { count } => write!(f, "{count} things have this argument"),
            Self::ResourceUri => f.write_str("this is no URI"),
            Self::Status => f.write_str("this is no HTTP status"),
            Self::Expectation { .. } => f.write_str("this is no expectation"),
            Self::Pointer => f.write_str("this is no JSON pointer"),
            Self::RolesClaim => f.write_str("this names no claim that holds roles"),
            Self::HeaderName => f.write_str("this is no header name"),
            Self::HeaderValue => f.write_str("this is no header value"),
            Self::OwnHeader { name, .. } => write!(f, "header `{name}` is set by rolecall itself"),
            Self::OwnParameter { name } => {
                write!(f, "parameter `{name}` is set by the sign-in itself")
            }
            Self::NotWaivable { code, .. } => write!(f, "`{code}` cannot be waived"),
            Self::WaiverAstray { key, finding } => {
                write!(f, "a waiver of `{finding}` takes no `{key}`")
            }
            Self::CellAddress { everything: false } => f.write_str("this is no cell"),
            Self::CellAddress { everything: true } => f.write_str("this is every cell there is"),
            Self::NoSuchCell => f.write_str("the matrix has no such cell"),
            Self::WaivedTwice { what } => write!(f, "`{}` is waived twice", brief(what)),
            Self::Date => f.write_str("this is no date of the calendar"),
            Self::WaiverTooLong { .. } => {
                f.write_str("this waiver would hold for more than a year")
            }
            Self::Duration => f.write_str("this is no length of time, or longer than ten minutes"),
            Self::SettlesNothing => {
                f.write_str("nothing is read back here, so there is nothing to wait for")
            }
            Self::ControlCharacter { place } => write!(f, "{place} holds a control character"),
        }
    }
}

/// A word of the author's, short enough for a sentence.
pub(super) fn brief(word: &str) -> String {
    const LONGEST: usize = 80;
    let mut short: String = word.chars().take(LONGEST).collect();
    if short.len() < word.len() {
        short.push('…');
    }
    short
}

pub(super) fn shape(door: Door) -> &'static str {
    if door.speaks_mcp() {
        Door::Mcp.name()
    } else {
        Door::Rest.name()
    }
}
