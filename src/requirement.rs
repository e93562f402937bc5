//! The requirements of the MCP authorization chapter: ids, levels and the page that words them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::page::Page;

/// How binding a requirement is (RFC 2119).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// MUST or MUST NOT: a violation fails.
    Must,
    /// SHOULD or SHOULD NOT: a violation is a note.
    Should,
    /// Nothing is demanded; what is found is told.
    Informational,
}

impl Level {
    /// The level's one spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Informational => "INFORMATIONAL",
        }
    }
}

/// Writes the enum, its list, its ids and its levels from one table, so that none can be missing from one of them.
macro_rules! requirements {
    ($($variant:ident $id:literal $level:ident $line:literal)+) => {
        /// One requirement, in the order of its id.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Requirement {
            $(#[doc = $line] $variant,)+
        }

        impl Requirement {
            /// Every requirement, in the order of reports.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The requirement's one spelling, such as `C-19`.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)+
                }
            }

            /// How binding it is.
            pub const fn level(self) -> Level {
                match self {
                    $(Self::$variant => Level::$level,)+
                }
            }
        }
    };
}

requirements! {
    TokenDemanded "C-01" Must "Without a token every call is answered with 401."
    MetadataFound "C-02" Must "The 401 leads to the resource metadata."
    MetadataServed "C-03" Must "The resource metadata is served without a token."
    ServersNamed "C-04" Must "The resource metadata names authorization servers."
    ResourceNamed "C-05" Must "The resource metadata names the URL that it was asked for."
    IssuerServed "C-06" Must "The authorization server serves its metadata."
    PkceOffered "C-07" Must "The authorization server supports PKCE."
    AddressesSecured "C-08" Must "The authorization server's addresses are https."
    ScopeAdvised "C-09" Should "The challenge names a scope."
    NothingBlamed "C-10" Should "A call without a token is not told that its token is wrong."
    BadTokenRefused "C-11" Must "A token that is not valid is answered with 401."
    AudienceChecked "C-12" Must "A token for another resource is refused."
    ScopeMissed "C-14" Should "A refusal for a missing scope says so."
    QueryIgnored "C-15" Must "A token in the query string is not accepted."
    SessionNoToken "C-16" Must "A session does not take the place of a token."
    SessionBound "C-17" Should "A session belongs to whoever opened it."
    SessionUnguessable "C-18" Must "Session ids cannot be guessed."
    OriginChecked "C-19" Must "A request from a foreign origin is answered with 403."
    HeadersAgree "C-20" Must "A request whose headers contradict its body is refused."
    VersionChecked "C-21" Must "A version that does not exist is answered with 400."
    BatchRefused "C-22" Must "A batch of messages is refused."
    MethodsAnswered "C-23" Should "GET and DELETE do what their revision says."
    ListPrivate "C-24" Should "A list that differs from caller to caller is not public."
    StateChecked "C-26" Must "Request state that comes back is checked."
    TasksBound "C-27" Must "Tasks belong to whoever was given them."
    IssuerInAnswers "C-28" Should "The authorization server says in its answers who it is."
    Registration "C-30" Informational "How clients register."
    NoOfflineAccess "C-31" Should "Nobody is asked to request `offline_access`."
}

/// The one place that words requirements: a `##` heading an id, then its title and labelled paragraphs.
const PAGE: Page = Page(include_str!("../docs/requirements.md"));

impl Requirement {
    /// One sentence: what is required.
    pub fn title(self) -> &'static str {
        PAGE.headline(self.id())
    }

    /// Where it is required: document, revision and section.
    pub fn source(self) -> &'static str {
        self.paragraph("Source")
    }

    /// The likely cause of a violation.
    pub fn cause(self) -> &'static str {
        self.paragraph("Likely cause")
    }

    /// The first thing to do about a violation.
    pub fn remedy(self) -> &'static str {
        self.paragraph("First step")
    }

    /// The full text, Markdown: the requirement's section of `docs/requirements.md`.
    pub fn explain(self) -> &'static str {
        PAGE.section(self.id())
    }

    fn paragraph(self, label: &str) -> &'static str {
        PAGE.paragraph(self.id(), label)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Requirement {
    type Err = UnknownRequirement;

    /// Takes an id, in either case.
    fn from_str(text: &str) -> Result<Self, UnknownRequirement> {
        let mut known = Self::ALL.iter().copied();
        known
            .find(|requirement| requirement.id().eq_ignore_ascii_case(text))
            .ok_or(UnknownRequirement)
    }
}

impl Serialize for Requirement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Requirement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        id.parse().map_err(serde::de::Error::custom)
    }
}

/// A word that is no requirement's id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownRequirement;

impl fmt::Display for UnknownRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = Requirement::ALL.iter().map(|known| known.id()).collect();
        write!(
            f,
            "this is no requirement's id; they are {}",
            ids.join(", ")
        )
    }
}

impl std::error::Error for UnknownRequirement {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_has_a_section_and_every_section_a_requirement() {
        let headings: Vec<&str> = PAGE.headings().collect();
        let ids: Vec<&str> = Requirement::ALL
            .iter()
            .map(|requirement| requirement.id())
            .collect();
        assert_eq!(headings, ids);
        assert!(ids.is_sorted());
    }

    #[test]
    fn every_section_has_all_its_parts() {
        for requirement in Requirement::ALL {
            let title = requirement.title();
            assert!(title.ends_with('.') && !title.starts_with('*'), "{title}");
            assert_eq!(
                requirement.paragraph("Level"),
                requirement.level().name(),
                "{requirement}"
            );
            assert!(!requirement.source().is_empty(), "{requirement}: source");
            for part in ["Checked", "Likely cause", "First step"] {
                assert!(
                    requirement.paragraph(part).ends_with('.'),
                    "{requirement}: {part}"
                );
            }
        }
    }

    #[test]
    fn ids_are_those_of_the_record_and_read_back_in_either_case() {
        for requirement in Requirement::ALL {
            let word = serde_json::to_string(requirement).unwrap();
            assert_eq!(word, format!("\"{requirement}\""));
            assert_eq!(
                serde_json::from_str::<Requirement>(&word).unwrap(),
                *requirement
            );
            assert_eq!(requirement.id().to_lowercase().parse(), Ok(*requirement));
        }
        assert_eq!("C-99".parse::<Requirement>(), Err(UnknownRequirement));
    }
}
