//! What is wrong with a fingerprint in, one sentence about it and its remedy out.

/// What can be wrong with a fingerprint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// No status, header or body.
    NoMark,
    /// It would say that a call got through.
    Passage,
    /// It would say that an answer inside the protocol is a denial.
    InBand,
    /// A refusal with a status that is none.
    RefusalStatus,
    /// A disguise with a status that hides nothing.
    DisguiseStatus,
    /// A success that would mean what no success can mean.
    Success,
    /// It would also fit answers that mean something else.
    Vague,
    /// Text that is no pattern.
    NoPattern,
    /// A pattern that takes too much memory.
    Large,
    /// A header that may carry a credential.
    SecretHeader,
}

impl Flaw {
    /// What is wrong.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoMark => "this fingerprint says nothing of the answer",
            Self::Passage => "a fingerprint cannot say that a call got through",
            Self::InBand => "denials inside the protocol are declared at the door, by `refuses`",
            Self::RefusalStatus => {
                "a refusal by authorization is 401 or 403, and this fits other statuses"
            }
            Self::DisguiseStatus => "this status cannot hide that something exists",
            Self::Success => "a success cannot mean this",
            Self::Vague => "this stands in other answers, too, such as a firewall's",
            Self::NoPattern => "this is no pattern",
            Self::Large => "this pattern is too large",
            Self::SecretHeader => {
                "what a fingerprint looks at is kept as evidence, and this header may carry a credential"
            }
        }
    }

    /// The remedy, in one sentence without a full stop.
    pub const fn help(self) -> &'static str {
        match self {
            Self::NoMark => "add `status`, `header` or `body`",
            Self::Passage => {
                "leave it out: a call that got through shows it by its status and its data"
            }
            Self::InBand => {
                "write `mcp: { url: …, refuses: { shape: in-band, texts: […], codes: […] } }`"
            }
            Self::RefusalStatus => {
                "add `status: 401`, `status: 403` or both; another status that you accept is an expectation of its cells, such as `expect: { reader: [404] }`"
            }
            Self::DisguiseStatus => {
                "add `status:` with a 4xx that is neither 408 nor 429, such as 404"
            }
            Self::Success => "write `intercepted`, `redirected` or `crashed`, or another status",
            Self::Vague => {
                "add a `body` pattern, or one of a header of its own, with at least four characters that only this answer says"
            }
            Self::NoPattern => {
                "write a regular expression without look-around and back-references; `\\` before a sign that stands for itself"
            }
            Self::Large => "write fewer or smaller repetitions",
            Self::SecretHeader => "look at another header, or at the body",
        }
    }
}
