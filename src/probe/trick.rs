//! Every request that is made of an MCP door to see whether a requirement holds.

use http::Method;
use http::header::{HeaderName, HeaderValue, ORIGIN};
use serde_json::{Value, json};

use super::checked::{Place, State};
use super::visit::Visit;
use crate::cell::Door;
use crate::door::Irregular;
use crate::requirement::Requirement;
use crate::secret::Secret;
use crate::token::forgery;

const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
/// A name that no server has (RFC 2606 §2).
const FOREIGN: HeaderValue = HeaderValue::from_static("https://rolecall.invalid");
const NO_ORIGIN: HeaderValue = HeaderValue::from_static("null");
/// A tool that nobody has: whoever answers that it is unknown has let the call through, and nothing happened.
const NO_TOOL: &str = "rolecall-no-such-tool";
const NO_VERSION: &str = "1900-01-01";

/// Who makes a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Voice {
    /// Nobody who signed in, or a token that is none.
    Nobody,
    /// The persona that is allowed most.
    Caller,
    /// Another persona that gets through.
    Other,
    /// A persona that signs in for another audience.
    Foreigner,
}

/// Writes the enum, its list, requirements, voices and words from one table.
macro_rules! tricks {
    ($($variant:ident $requirement:ident $voice:ident $request:literal $words:literal)+) => {
        /// One request, in the order in which reports tell them.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Trick {
            $(#[doc = $words] $variant,)+
        }

        impl Trick {
            /// Every request.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The requirement that it is about.
            pub const fn requirement(self) -> Requirement {
                match self {
                    $(Self::$variant => Requirement::$requirement,)+
                }
            }

            /// Who makes it.
            pub const fn voice(self) -> Voice {
                match self {
                    $(Self::$variant => Voice::$voice,)+
                }
            }

            /// What is irregular about it, in a few words.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)+
                }
            }

            /// Its method, as a plan tells it; empty where the door decides.
            const fn planned(self) -> &'static str {
                match self {
                    $(Self::$variant => $request,)+
                }
            }
        }
    };
}

tricks! {
    NobodyOpens TokenDemanded Nobody "" "without a token"
    NobodyLists TokenDemanded Nobody "tools/list" "without a token"
    NobodyListsResources TokenDemanded Nobody "resources/list" "without a token"
    NobodyListsTemplates TokenDemanded Nobody "resources/templates/list" "without a token"
    NobodyListsPrompts TokenDemanded Nobody "prompts/list" "without a token"
    NobodyCalls TokenDemanded Nobody "tools/call" "of a tool that cannot exist, without a token"
    NobodyGets TokenDemanded Nobody "GET" "without a token"
    NobodyDeletes TokenDemanded Nobody "DELETE" "without a token"
    Garbage BadTokenRefused Nobody "tools/list" "with what is no token"
    Edited BadTokenRefused Nobody "tools/list" "with a token whose signature was changed"
    Unsigned BadTokenRefused Nobody "tools/list" "with a token without a signature"
    Expired BadTokenRefused Nobody "tools/list" "with a token that has run out"
    OtherAudience AudienceChecked Foreigner "tools/list" "with a token for another resource"
    InQuery QueryIgnored Nobody "tools/list" "with the token in the query"
    SessionAlone SessionNoToken Nobody "tools/list" "in somebody's session, without a token"
    SessionBorrowed SessionBound Other "tools/list" "in another persona's session"
    ForeignOrigin OriginChecked Caller "tools/list" "with a foreign Origin"
    NullOrigin OriginChecked Caller "tools/list" "with Origin: null"
    LyingMethod HeadersAgree Caller "tools/list" "with Mcp-Method: server/discover"
    MissingMethod HeadersAgree Caller "tools/list" "without Mcp-Method"
    LyingName HeadersAgree Caller "tools/call" "with Mcp-Name: rolecall-no-such-tool"
    UnknownVersion VersionChecked Caller "tools/list" "with version 1900-01-01"
    Batch BatchRefused Caller "tools/list" "in an array"
    Gets MethodsAnswered Caller "GET" "with a token"
    Deletes MethodsAnswered Caller "DELETE" "with a token"
}

/// What the requests need of whoever makes them.
#[derive(Clone, Debug, Default)]
pub struct Party {
    /// A caller's token with its signature changed.
    pub edited: Option<HeaderValue>,
    /// A caller's claims without a signature.
    pub unsigned: Option<HeaderValue>,
    /// A token that has run out.
    pub expired: Option<HeaderValue>,
    /// A valid token for the query, or why there is none.
    pub query: Option<Result<Secret, Place>>,
    /// A tool that the matrix lets the caller call and that changes nothing, with its arguments.
    pub read: Option<(String, Value)>,
}

impl Trick {
    /// Whether a door has such a request.
    pub const fn is_at(self, door: Door) -> bool {
        match self {
            Self::SessionAlone | Self::SessionBorrowed => matches!(door, Door::McpLegacy),
            Self::LyingMethod | Self::MissingMethod | Self::LyingName => matches!(door, Door::Mcp),
            Self::NobodyOpens
            | Self::NobodyLists
            | Self::NobodyListsResources
            | Self::NobodyListsTemplates
            | Self::NobodyListsPrompts
            | Self::NobodyCalls
            | Self::NobodyGets
            | Self::NobodyDeletes
            | Self::Garbage
            | Self::Edited
            | Self::Unsigned
            | Self::Expired
            | Self::OtherAudience
            | Self::InQuery
            | Self::ForeignOrigin
            | Self::NullOrigin
            | Self::UnknownVersion
            | Self::Batch
            | Self::Gets
            | Self::Deletes => door.speaks_mcp(),
        }
    }

    /// Whether it must be made whatever the door is like: a hole needs no control.
    pub const fn is_always_made(self) -> bool {
        matches!(self.requirement(), Requirement::TokenDemanded)
    }

    /// Whether it can be made of a door before anything is known of it.
    pub const fn is_made_unseen(self) -> bool {
        matches!(
            self,
            Self::NobodyOpens
                | Self::NobodyLists
                | Self::NobodyCalls
                | Self::NobodyGets
                | Self::NobodyDeletes
        )
    }

    /// The request in one line, as a plan tells it.
    pub(super) fn line(self, door: Door) -> String {
        let method = match (self.planned(), door) {
            ("", Door::McpLegacy) => "initialize",
            ("", Door::Rest | Door::Mcp) => "server/discover",
            (method, _) => method,
        };
        format!("{method} {}", self.words())
    }

    /// The request; or, where it cannot be made, what that makes of its requirement.
    pub fn made(self, visit: &Visit, party: &Party) -> Result<Irregular, Place> {
        Ok(self.wanted(visit, party)?.told(self.words()))
    }

    fn wanted(self, visit: &Visit, party: &Party) -> Result<Irregular, Place> {
        let door = visit.door;
        let outside = |method| visit.request(method, None);
        let carrier = || visit.carrier();
        // A session would belong to somebody else, or stand for the token.
        let unsessioned = || match door {
            Door::McpLegacy => Irregular::initialize(),
            Door::Rest | Door::Mcp => carrier(),
        };
        let absent = |why: &str| Place::not_applicable(why);
        Ok(match self {
            Self::NobodyOpens if door == Door::McpLegacy => Irregular::initialize(),
            Self::NobodyOpens => outside("server/discover"),
            Self::NobodyLists => outside(visit.carrier.method(door)),
            Self::NobodyListsResources if visit.offers("resources") => outside("resources/list"),
            Self::NobodyListsTemplates if visit.offers("resources") => {
                outside("resources/templates/list")
            }
            Self::NobodyListsPrompts if visit.offers("prompts") => outside("prompts/list"),
            Self::NobodyListsResources | Self::NobodyListsTemplates | Self::NobodyListsPrompts => {
                return Err(absent("not offered"));
            }
            Self::NobodyCalls => called(door, NO_TOOL, &json!({})),
            Self::NobodyGets => bare(Method::GET, door),
            Self::NobodyDeletes => bare(Method::DELETE, door),
            Self::Garbage => carrier().bearing(forgery::GARBAGE),
            Self::Edited => carrier().bearing(forged(party.edited.as_ref())?),
            Self::Unsigned => carrier().bearing(forged(party.unsigned.as_ref())?),
            Self::Expired => match &party.expired {
                Some(expired) => carrier().bearing(expired.clone()),
                None => return Err(absent("the scenario has no expired token")),
            },
            Self::OtherAudience => unsessioned(),
            Self::InQuery => match &party.query {
                Some(Ok(query)) => unsessioned().asking(query.clone()),
                Some(Err(place)) => return Err(place.clone()),
                None => return Err(Place::explained("nobody signed in")),
            },
            Self::SessionAlone | Self::SessionBorrowed if !visit.keeps_sessions() => {
                return Err(absent("the server keeps no sessions"));
            }
            Self::SessionAlone | Self::SessionBorrowed => carrier(),
            Self::ForeignOrigin => carrier().with(ORIGIN, FOREIGN),
            Self::NullOrigin => carrier().with(ORIGIN, NO_ORIGIN),
            Self::LyingMethod => {
                let other = match visit.carrier.method(door) {
                    "server/discover" => "tools/list",
                    _ => "server/discover",
                };
                carrier().with(MCP_METHOD, HeaderValue::from_static(other))
            }
            Self::MissingMethod => carrier().without(MCP_METHOD),
            Self::LyingName => match &party.read {
                Some((tool, arguments)) => {
                    called(door, tool, arguments).with(MCP_NAME, HeaderValue::from_static(NO_TOOL))
                }
                None => return Err(absent("the matrix allows no read here")),
            },
            Self::UnknownVersion => carrier().of_version(NO_VERSION),
            Self::Batch if !visit.forbids_batches() => {
                return Err(absent(
                    "batches are legal in the revision that was negotiated",
                ));
            }
            Self::Batch => carrier().batched(),
            Self::Gets => owned(Method::GET, visit),
            Self::Deletes => owned(Method::DELETE, visit),
        })
    }
}

impl Voice {
    /// What it makes of a requirement that nobody can speak for it.
    pub fn missing(self) -> Place {
        match self {
            Self::Nobody | Self::Caller => Place::explained("nobody who signed in may call"),
            Self::Other => Place::new(State::NotApplicable, "no second persona gets through here"),
            Self::Foreigner => Place::new(
                State::NotApplicable,
                "no persona without rights signs in for another audience",
            ),
        }
    }
}

fn called(door: Door, tool: &str, arguments: &Value) -> Irregular {
    let params = json!({ "name": tool, "arguments": arguments });
    match door {
        Door::McpLegacy => Irregular::legacy("tools/call", &params, None),
        Door::Rest | Door::Mcp => Irregular::modern("tools/call", params),
    }
}

fn bare(method: Method, door: Door) -> Irregular {
    match door {
        Door::McpLegacy => Irregular::legacy_bare(method, None),
        Door::Rest | Door::Mcp => Irregular::modern_bare(method),
    }
}

fn owned(method: Method, visit: &Visit) -> Irregular {
    match visit.door {
        Door::McpLegacy => Irregular::legacy_bare(method, visit.last_session()),
        Door::Rest | Door::Mcp => Irregular::modern_bare(method),
    }
}

fn forged(token: Option<&HeaderValue>) -> Result<HeaderValue, Place> {
    token
        .cloned()
        .ok_or_else(|| Place::not_applicable("the persona's token is no signed JWT"))
}
