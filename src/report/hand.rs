//! What a request was made of and who made it in, shell lines that make it by hand out; no secret, nothing that a shell runs.

use std::fmt::Write as _;

use super::record::{Entry, Record};
use super::sanitizer::clean_block;
use crate::door::{Bearer, Observation, Recipe};
use crate::judge::{Code, Finding, Layer};

/// Where the page stands that says where a token comes from.
const PAGE: &str = "rolecall explain by-hand";

/// The variable that a session's id is kept in.
const SESSION: &str = "MCP_SESSION_ID";

/// Lines by which a reader sees a finding outside of rolecall; `None` where no request shows it.
pub(super) fn of_finding(record: &Record, finding: &Finding) -> Option<String> {
    let shown = record
        .covered(finding)
        .find_map(|entry| of_entry(record, &entry));
    shown
        .or_else(|| of_requirement(record, finding))
        .or_else(|| of_token(record, finding))
}

/// The same of one cell.
pub(super) fn of_entry(record: &Record, entry: &Entry<'_>) -> Option<String> {
    let recipe = entry.heard.evidence().first()?.recipe.as_deref()?;
    let matrix = record.matrix();
    let caller = Caller {
        name: matrix.personas[entry.check.persona].name.as_str(),
        changes: matrix.operations[entry.check.operation].mutates,
    };
    lines(recipe, caller)
}

fn of_requirement(record: &Record, finding: &Finding) -> Option<String> {
    let requirement = finding.requirement?;
    let mut checked = record.requirements().iter();
    let own = checked.find(|one| one.requirement == requirement)?;
    let seen = own.places.iter().find_map(|place| place.seen.as_deref())?;
    of_observation(seen)
}

fn of_observation(seen: &Observation) -> Option<String> {
    let caller = Caller {
        name: "",
        changes: false,
    };
    lines(seen.recipe.as_deref()?, caller)
}

/// A token is looked at by rolecall itself, which never prints it.
fn of_token(record: &Record, finding: &Finding) -> Option<String> {
    let entry = record.covered(finding).next()?;
    let about_token = finding.code.name().starts_with("token-")
        || matches!(
            finding.code,
            Code::SignInFailed | Code::PersonasShareAccount
        );
    let is_theirs = matches!(finding.layer(), Layer::IdentityProvider | Layer::Client);
    if !(about_token && is_theirs) {
        return None;
    }
    let persona = &record.matrix().personas[entry.check.persona].name;
    let line = format!(
        "rolecall token {} {}",
        quoted(persona.as_str()),
        quoted(record.path())
    );
    shown(line)
}

/// Who makes a request, and whether it changes something.
#[derive(Clone, Copy)]
struct Caller<'c> {
    /// Empty where it is no persona of the matrix.
    name: &'c str,
    changes: bool,
}

impl Caller<'_> {
    /// The variable that holds its token, such as `READER_TOKEN`.
    fn variable(self) -> String {
        match self.name {
            "" => "TOKEN".to_owned(),
            name => format!("{}_TOKEN", word(name)),
        }
    }
}

/// Text as part of a shell variable's name.
fn word(text: &str) -> String {
    let upper = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
        _ => '_',
    };
    let word: String = text.chars().map(upper).collect();
    match word.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("_{word}"),
        _ => word,
    }
}

fn lines(recipe: &Recipe, caller: Caller<'_>) -> Option<String> {
    let mut text = String::new();
    if caller.changes {
        text.push_str("# This call changes data; what it names was the run's own.\n");
    }
    let variables = variables(recipe, caller);
    if !variables.is_empty() {
        let _ = writeln!(text, "# Set {} first: {PAGE}", variables.join(", "));
    }
    if let [first, second] = &recipe.opening[..] {
        text.push_str(&opening(recipe, caller, first, second));
    }
    text.push_str(&curl("curl -isSg", recipe, caller, &recipe.body));
    shown(text)
}

/// Opens a session, keeps its id and says that the client is ready; what came back is told beside it.
fn opening(recipe: &Recipe, caller: Caller<'_>, initialize: &str, initialized: &str) -> String {
    let alone = Recipe {
        headers: recipe
            .headers
            .iter()
            .filter(|(name, _)| !name.starts_with("mcp-"))
            .cloned()
            .collect(),
        ..recipe.clone()
    };
    let silent = "curl -sSg -o /dev/null";
    let first = curl(&format!("{silent} -D -"), &alone, caller, initialize);
    let second = curl(silent, recipe, caller, initialized);
    let id = r#"awk 'tolower($1) == "mcp-session-id:" { print $2 }'"#;
    format!("{SESSION}=$({first} | tr -d '\\r' | tee /dev/stderr |\n  {id})\n{second}\n")
}

/// What has to be set before the lines can be run.
fn variables(recipe: &Recipe, caller: Caller<'_>) -> Vec<String> {
    let token = match recipe.bearer {
        Bearer::Nothing => None,
        Bearer::Own => Some(caller.variable()),
        Bearer::Other => Some("AUTHORIZATION".to_owned()),
    };
    let unset = recipe.headers.iter().filter(|(name, value)| {
        value.is_none() && (recipe.opening.is_empty() || !is_session(name))
    });
    token
        .into_iter()
        .chain(unset.map(|(name, _)| variable(name)))
        .collect()
}

fn is_session(header: &str) -> bool {
    header == "mcp-session-id"
}

fn variable(header: &str) -> String {
    if is_session(header) {
        SESSION.to_owned()
    } else {
        word(header)
    }
}

/// One command, one argument a line.
fn curl(command: &str, recipe: &Recipe, caller: Caller<'_>, body: &str) -> String {
    let method = match (recipe.method.as_str(), body.is_empty()) {
        ("GET", true) | ("POST", false) => String::new(),
        ("HEAD", _) => " -I".to_owned(),
        (method, _) => format!(" -X {}", quoted(method)),
    };
    let url = quoted(&ascii_url(&recipe.url));
    let mut parts = vec![format!("{command} --path-as-is{method} {url}")];
    match recipe.bearer {
        Bearer::Nothing => {}
        Bearer::Own => parts.push(held("authorization: Bearer ", &caller.variable())),
        Bearer::Other => parts.push(held("authorization: ", "AUTHORIZATION")),
    }
    for (name, value) in &recipe.headers {
        parts.push(match value {
            None => held(&format!("{name}: "), &variable(name)),
            // Without a value curl would take the header away; so it sends an empty one.
            Some(value) if value.trim().is_empty() => format!("-H {}", quoted(&format!("{name};"))),
            Some(value) => format!("-H {}", quoted(&format!("{name}: {value}"))),
        });
    }
    if !body.is_empty() {
        parts.push(format!("--data-raw {}", quoted(&ascii_json(body))));
    }
    parts.join(" \\\n  ")
}

/// A header whose value stands in a variable.
fn held(before: &str, variable: &str) -> String {
    format!("-H {}\"${variable}\"", quoted(before))
}

/// One argument, to the byte, for any shell of POSIX. Quotes are closed and opened again inside of what a CI agent would take
/// for a command (see the sanitizer), which changes nothing for the shell.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    let mut last = None;
    for (at, letter) in text.char_indices() {
        let rest = &text[at + letter.len_utf8()..];
        let is_mark = match (last, letter) {
            (Some('#'), '#') | (Some(':'), ':') | (Some('['), '[') => true,
            (Some('n'), '_') => rest.starts_with("start:") || rest.starts_with("end:"),
            _ => false,
        };
        if is_mark {
            quoted.push_str("''");
        }
        match letter {
            '\'' => quoted.push_str(r"'\''"),
            _ => quoted.push(letter),
        }
        last = Some(letter);
    }
    quoted.push('\'');
    quoted
}

/// A URL without anything but visible ASCII.
fn ascii_url(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The same JSON without anything but visible ASCII and spaces: outside of strings it holds nothing else.
fn ascii_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if matches!(letter, ' '..='~') {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

/// The lines, if the sanitizer has nothing to change in them: what it would change would no longer be what was sent.
fn shown(text: String) -> Option<String> {
    let is_clean = clean_block(&text) == text;
    is_clean.then_some(text)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn recipe(body: &str) -> Recipe {
        Recipe {
            method: "POST".to_owned(),
            url: "https://h/p?x=[1]".to_owned(),
            headers: vec![
                ("accept".to_owned(), Some("application/json".to_owned())),
                ("x-empty".to_owned(), Some(String::new())),
                ("x-key".to_owned(), None),
            ],
            bearer: Bearer::Own,
            body: body.to_owned(),
            opening: Vec::new(),
        }
    }

    const READER: Caller<'_> = Caller {
        name: "reader",
        changes: false,
    };

    #[test]
    fn a_call_is_one_command_with_its_secrets_in_variables() {
        let lines = lines(&recipe(r#"{"name":"it's ü"}"#), READER).unwrap();
        assert_eq!(
            lines,
            r#"# Set READER_TOKEN, X_KEY first: rolecall explain by-hand
curl -isSg --path-as-is 'https://h/p?x=[1]' \
  -H 'authorization: Bearer '"$READER_TOKEN" \
  -H 'accept: application/json' \
  -H 'x-empty;' \
  -H 'x-key: '"$X_KEY" \
  --data-raw '{"name":"it'\''s \u00fc"}'"#
        );
    }

    #[test]
    fn a_call_without_token_sets_nothing_and_one_that_changes_data_says_so() {
        let bare = Recipe {
            method: "DELETE".to_owned(),
            headers: Vec::new(),
            bearer: Bearer::Nothing,
            ..recipe("")
        };
        let caller = Caller {
            name: "anonymous",
            changes: true,
        };
        assert_eq!(
            lines(&bare, caller).unwrap(),
            "# This call changes data; what it names was the run's own.\n\
             curl -isSg --path-as-is -X 'DELETE' 'https://h/p?x=[1]'"
        );
    }

    #[test]
    fn a_session_is_opened_first() {
        let call = Recipe {
            headers: vec![
                ("accept".to_owned(), Some("application/json".to_owned())),
                (
                    "mcp-protocol-version".to_owned(),
                    Some("2025-11-25".to_owned()),
                ),
                ("mcp-session-id".to_owned(), None),
            ],
            opening: vec!["{\"id\":1}".to_owned(), "{}".to_owned()],
            ..recipe("{\"id\":1}")
        };
        let lines = lines(&call, READER).unwrap();
        assert!(lines.starts_with("# Set READER_TOKEN first"), "{lines}");
        assert_eq!(lines.matches("curl ").count(), 3, "{lines}");
        assert_eq!(lines.matches("mcp-protocol-version").count(), 2, "{lines}");
        assert_eq!(lines.matches("\"$MCP_SESSION_ID\"").count(), 2, "{lines}");
    }

    #[test]
    fn a_variable_is_named_after_its_persona() {
        let table = [
            ("reader", "READER_TOKEN"),
            ("reader@copilot-studio", "READER_COPILOT_STUDIO_TOKEN"),
            ("2nd $(id)", "_2ND___ID__TOKEN"),
            ("lösung", "L_SUNG_TOKEN"),
            ("", "TOKEN"),
        ];
        for (name, variable) in table {
            let caller = Caller { name, ..READER };
            assert_eq!(caller.variable(), variable);
        }
    }

    /// What a shell makes of the lines: the arguments of every `curl`, each behind its length.
    fn arguments(lines: &str) -> Vec<String> {
        let script = format!(
            "curl() {{ for one in \"$@\"; do printf '%s\\036' \"$one\"; done; }}\nREADER_TOKEN=t-1 X_KEY='k \"1'\n{lines}"
        );
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{lines}"
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\u{1e}').map(str::to_owned).collect()
    }

    #[test]
    fn what_a_server_chose_reaches_the_shell_as_it_stands() {
        let hostile = [
            "'; touch /tmp/x; '",
            "$(id) `id` ${HOME} $HOME !! \\ \"",
            "\n\r\t\0\u{7f}\u{1b}[31m",
            "##vso[task.setvariable]x ::error::y [[ATTACHMENT|z]] section_start:1:a section_end:1:b",
            "\u{202e}\u{2066}\u{feff}\u{e0041}\u{fdd1}😀 löschen",
            "-o/etc/passwd @file",
            "%0a%27 ' '' '''",
        ];
        for text in hostile {
            let body = json!({ text: text }).to_string();
            let called = Recipe {
                url: format!("https://h/{}", ascii_url(text)),
                headers: vec![("x-text".to_owned(), Some(printable(text)))],
                ..recipe(&body)
            };
            let lines = lines(&called, READER).unwrap();
            let got = arguments(&lines);
            let header = format!("x-text: {}", printable(text));
            let url = called.url.clone();
            let wanted = [
                "-isSg",
                "--path-as-is",
                &url,
                "-H",
                "authorization: Bearer t-1",
                "-H",
                &header,
                "--data-raw",
                &ascii_json(&body),
            ];
            assert_eq!(got, wanted, "{lines}");
            let read: serde_json::Value = serde_json::from_str(&got[8]).unwrap();
            assert_eq!(read, json!({ text: text }));
        }
    }

    fn printable(text: &str) -> String {
        text.chars()
            .filter(|letter| matches!(letter, ' '..='~'))
            .collect::<String>()
            .trim()
            .to_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn whatever_is_quoted_is_one_argument_of_the_same_bytes(text in "[ -~]{0,40}") {
            let got = arguments(&format!("curl {}", quoted(&text)));
            prop_assert_eq!(got, vec![text]);
        }
    }
}
