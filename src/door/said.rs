//! An HTTP status or a silence in, whether a door stands there out.

use serde::Serialize;

use crate::wire::Silence;

/// What a request that only asks whether a door is there was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// It lets the caller in.
    Open,
    /// 401 or 403.
    Refused,
    /// There is no such door.
    Absent,
    /// Nothing clear came back.
    Unclear,
}

/// What was said, and in which words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Heard {
    /// What it means.
    pub said: Said,
    /// What came back, in a few words that are never the server's.
    pub detail: String,
}

impl Heard {
    /// It lets the caller in.
    pub fn open(detail: impl Into<String>) -> Self {
        Self::new(Said::Open, detail)
    }

    /// There is no such door.
    pub fn absent(detail: impl Into<String>) -> Self {
        Self::new(Said::Absent, detail)
    }

    /// Nothing clear came back.
    pub fn unclear(detail: impl Into<String>) -> Self {
        Self::new(Said::Unclear, detail)
    }

    /// No answer came.
    pub fn silent(silence: Silence) -> Self {
        Self::unclear(silence.to_string())
    }

    /// What a status says that lets nobody in.
    pub fn of_status(status: u16) -> Self {
        let said = match status {
            401 | 403 => Said::Refused,
            429 => Said::Unclear,
            400..=499 | 501 => Said::Absent,
            _ => Said::Unclear,
        };
        Self::new(said, status.to_string())
    }

    fn new(said: Said, detail: impl Into<String>) -> Self {
        Self {
            said,
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_lets_nobody_in_says_why() {
        let table = [
            (401, Said::Refused),
            (403, Said::Refused),
            (404, Said::Absent),
            (405, Said::Absent),
            (400, Said::Absent),
            (429, Said::Unclear),
            (302, Said::Unclear),
            (500, Said::Unclear),
            (501, Said::Absent),
            (503, Said::Unclear),
        ];
        for (status, said) in table {
            assert_eq!(Heard::of_status(status).said, said, "{status}");
        }
    }
}
