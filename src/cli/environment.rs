//! The process's surroundings in, one value out: the only place that reads them.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::SystemTime;

use crate::day::Day;
use crate::wire::Proxies;

/// The process's surroundings, read once at its start.
pub(super) struct Environment {
    variables: BTreeMap<String, String>,
    /// Whether stdout is a terminal.
    pub(super) stdout_is_terminal: bool,
    /// Whether stderr is a terminal.
    pub(super) stderr_is_terminal: bool,
    /// The day on which it starts, in UTC.
    pub(super) today: Day,
}

impl Environment {
    /// Reads them. Variables whose name or value is no Unicode are left out.
    pub(super) fn read() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(unicode).collect(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            today: Day::of(SystemTime::now()),
        }
    }

    /// Surroundings with these variables alone.
    #[cfg(test)]
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            variables: variables.iter().map(owned).collect(),
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            today: Day::of(SystemTime::UNIX_EPOCH),
        }
    }

    /// A variable's value; `None` when it is not set or empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All variables by name.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }

    /// Proxy rules; the lower-case name wins, as in curl, and a CGI server's `HTTP_PROXY` is not taken for ours.
    pub(super) fn proxies(&self) -> Proxies {
        let either = |lower: &str, upper: &str| {
            self.variable(lower)
                .or_else(|| self.variable(upper))
                .map(str::to_owned)
        };
        let under_cgi = self.variable("REQUEST_METHOD").is_some();
        Proxies {
            http: either(
                "http_proxy",
                if under_cgi {
                    "http_proxy"
                } else {
                    "HTTP_PROXY"
                },
            ),
            https: either("https_proxy", "HTTPS_PROXY"),
            all: either("all_proxy", "ALL_PROXY"),
            no: either("no_proxy", "NO_PROXY"),
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its values are secrets as often as not.
        f.debug_struct("Environment")
            .field("variables", &self.variables.len())
            .finish_non_exhaustive()
    }
}
