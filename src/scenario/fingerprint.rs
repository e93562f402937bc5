//! The `fingerprints` of a deployment in, marks of answers with what each means out; what could turn a hole green is refused.

mod flaw;
mod pattern;

use super::complaint::{Kind, sounds_secret};
use super::deployment::doors;
use super::raw::{Node, Value};
use super::reader::{Fields, Named, Reader, well_named};
use super::register::Register;
use crate::cell::Door;

pub use flaw::Flaw;
pub use pattern::Pattern;

/// Marks by which the owner knows an answer, and what it means. All marks that it has must be there.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    /// Its name: whatever is concluded from it says it.
    pub name: String,
    /// The owner's words about it.
    pub because: Option<String>,
    /// What such an answer means.
    pub meaning: Meaning,
    doors: Vec<Door>,
    statuses: Vec<u16>,
    headers: Vec<(String, Pattern)>,
    body: Option<Pattern>,
}

/// What an answer may be declared to mean. That a call got through shows itself: no declaration can say it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// Something answered that is not authorization.
    Intercepted,
    /// The way to a sign-in page.
    Redirected,
    /// A crash.
    Crashed,
    /// A complaint about the request.
    Rejected,
    /// The answer for what does not exist.
    Hidden,
    /// Authorization refused somebody who signed in.
    Forbidden,
    /// Authorization refused somebody who did not, or whose token it does not take.
    Unauthenticated,
}

impl Meaning {
    const WORDS: [(&'static str, Self); 7] = [
        ("intercepted", Self::Intercepted),
        ("redirected", Self::Redirected),
        ("crashed", Self::Crashed),
        ("rejected", Self::Rejected),
        ("hidden", Self::Hidden),
        ("forbidden", Self::Forbidden),
        ("unauthenticated", Self::Unauthenticated),
    ];

    /// Whether a refusal can be proven by it: then it must be known by more than its status.
    pub const fn is_refusal(self) -> bool {
        match self {
            Self::Hidden | Self::Forbidden | Self::Unauthenticated => true,
            Self::Intercepted | Self::Redirected | Self::Crashed | Self::Rejected => false,
        }
    }

    /// Whether a success can be declared to mean it.
    const fn fits_success(self) -> bool {
        match self {
            Self::Intercepted | Self::Redirected | Self::Crashed => true,
            Self::Rejected | Self::Hidden | Self::Forbidden | Self::Unauthenticated => false,
        }
    }
}

impl Fingerprint {
    /// Whether an answer at a door has all the marks; names of headers are in lower case. A success is only one whose status
    /// the fingerprint names.
    pub fn fits(
        &self,
        door: Door,
        status: u16,
        headers: &[(impl AsRef<str>, String)],
        body: &str,
    ) -> bool {
        let in_place = self.doors.is_empty() || self.doors.contains(&door);
        let of_status = if self.statuses.is_empty() {
            !is_success(status)
        } else {
            self.statuses.contains(&status)
        };
        in_place
            && of_status
            && self.headers.iter().all(|(name, pattern)| {
                let mut values = headers.iter().filter(|(known, _)| known.as_ref() == name);
                values.any(|(_, value)| pattern.is_in(value))
            })
            && self.body.as_ref().is_none_or(|pattern| pattern.is_in(body))
    }

    /// The headers that it looks at, in lower case.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// Everything that decides, for a digest: the owner's words do not.
    pub fn marks(&self) -> String {
        format!(
            "{} {:?} {:?} {:?} {:?} {:?}",
            self.name, self.meaning, self.doors, self.statuses, self.headers, self.body
        )
    }
}

/// Reads the list.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    register: &Register<'_>,
) -> Vec<Fingerprint> {
    let mut known: Vec<Fingerprint> = Vec::new();
    for item in reader.list(node, "`fingerprints`").unwrap_or_default() {
        let Some(read) = fingerprint(reader, item, register) else {
            continue;
        };
        if known.iter().any(|one| one.name == read.name) {
            let noun = "fingerprint";
            let name = read.name;
            reader.complain(item.span, Kind::Repeated { noun, name });
        } else {
            known.push(read);
        }
    }
    known
}

const KEYS: &[&str] = &[
    "name", "status", "header", "body", "means", "doors", "because",
];

fn fingerprint(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    register: &Register<'_>,
) -> Option<Fingerprint> {
    let fields = reader.fields(node.span, node, "this fingerprint", KEYS)?;
    let name = fields
        .need(reader, "name")
        .and_then(|name| name_of(reader, name.node));
    let meaning = fields
        .need(reader, "means")
        .and_then(|means| meaning(reader, means.node));
    let statuses = fields
        .get("status")
        .map(|status| statuses(reader, status.node));
    let headers = fields
        .get("header")
        .map(|header| headers(reader, header.node));
    let body = fields
        .get("body")
        .map(|body| pattern(reader, body.node, "`body`"));
    let doors = fields
        .get("doors")
        .map(|stated| doors(reader, stated, register))
        .unwrap_or_default();
    let because = fields
        .get("because")
        .and_then(|because| reader.plain(because.node, "`because`"));
    let read = Fingerprint {
        name: name?,
        because,
        meaning: meaning?,
        doors,
        statuses: statuses.unwrap_or(Some(Vec::new()))?,
        headers: headers.unwrap_or(Some(Vec::new()))?,
        body: body.map_or(Some(None), |body| body.map(Some))?,
    };
    sound(reader, &fields, &read).then_some(read)
}

fn name_of(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<String> {
    let name = reader.plain(node, "`name`")?;
    if well_named(&name) {
        return Some(name);
    }
    let noun = "a fingerprint";
    reader.complain(node.span, Kind::BadName { noun });
    None
}

fn meaning(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Meaning> {
    let flaw = match node.as_text() {
        Some("granted" | "past-the-guard" | "allow" | "allowed") => Some(Flaw::Passage),
        Some("refused-in-band") => Some(Flaw::InBand),
        _ => None,
    };
    if let Some(flaw) = flaw {
        reader.complain(node.span, Kind::Fingerprint(flaw));
        return None;
    }
    reader.word(node, "meaning", &Meaning::WORDS)
}

/// One status, or a list of them.
fn statuses(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Vec<u16>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.is_empty() {
        reader.complain(node.span, Kind::Empty { what: "statuses" });
        return None;
    }
    let read: Vec<u16> = items
        .iter()
        .filter_map(|item| status(reader, item))
        .collect();
    (read.len() == items.len()).then_some(read)
}

fn status(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<u16> {
    let number = match &node.value {
        Value::Number(number) => number
            .as_u64()
            .and_then(|number| u16::try_from(number).ok()),
        _ => None,
    };
    let found = number.filter(|status| (200..600).contains(status));
    if found.is_none() {
        reader.complain(node.span, Kind::Status);
    }
    found
}

fn headers(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Vec<(String, Pattern)>> {
    let entries = reader.entries(node, "`header`")?;
    if entries.is_empty() {
        reader.complain(node.span, Kind::Empty { what: "headers" });
        return None;
    }
    let stated = entries.len();
    let read: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| header(reader, entry))
        .collect();
    (read.len() == stated).then_some(read)
}

fn header(reader: &mut Reader<'_>, entry: Named<'_>) -> Option<(String, Pattern)> {
    let name = entry.name.to_ascii_lowercase();
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        reader.complain(entry.at, Kind::HeaderName);
        return None;
    }
    // What is looked at is kept as evidence.
    if name != "www-authenticate" && (sounds_secret(&name) || name.contains("session")) {
        reader.complain(entry.at, Kind::Fingerprint(Flaw::SecretHeader));
        return None;
    }
    Some((name, pattern(reader, entry.node, "this header's pattern")?))
}

fn pattern(reader: &mut Reader<'_>, node: &Node<'_>, place: &'static str) -> Option<Pattern> {
    let expanded = reader.text(node, place)?;
    // What a plan without its variables cannot know is left out of it.
    if !expanded.whole {
        return None;
    }
    Pattern::of(&expanded.text)
        .map_err(|flaw| reader.complain(node.span, Kind::Fingerprint(flaw)))
        .ok()
}

/// Headers that say who answered or in which form, not why.
const GENERAL: [&str; 12] = [
    "allow",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "location",
    "retry-after",
    "server",
    "vary",
    "via",
    "x-powered-by",
];

/// Whether nothing could pass by it that is not proven; the first reason against it is a complaint.
fn sound(reader: &mut Reader<'_>, fields: &Fields<'_>, read: &Fingerprint) -> bool {
    let at = |key: &str| fields.get(key).map_or(fields.at, |field| field.at);
    let no_mark = read.statuses.is_empty() && read.headers.is_empty() && read.body.is_none();
    let flaw = if no_mark {
        Some((fields.at, Flaw::NoMark))
    } else if let Some(flaw) = wrong_status(read) {
        Some((at("status"), flaw))
    } else if must_be_told_apart(read) && !is_told_apart(read) {
        Some((at("body"), Flaw::Vague))
    } else {
        None
    };
    if let Some((at, flaw)) = flaw {
        reader.complain(at, Kind::Fingerprint(flaw));
    }
    flaw.is_none()
}

/// A refusal by authorization is 401 or 403 (RFC 9110 §15.5.2, §15.5.4), a disguise some other 4xx; a success can be none.
fn wrong_status(read: &Fingerprint) -> Option<Flaw> {
    let all = |fits: fn(u16) -> bool| {
        !read.statuses.is_empty() && read.statuses.iter().all(|status| fits(*status))
    };
    match read.meaning {
        Meaning::Forbidden | Meaning::Unauthenticated => {
            (!all(|status| matches!(status, 401 | 403))).then_some(Flaw::RefusalStatus)
        }
        Meaning::Hidden => {
            (!all(|status| matches!(status, 400..=499) && !matches!(status, 408 | 429)))
                .then_some(Flaw::DisguiseStatus)
        }
        Meaning::Intercepted | Meaning::Redirected | Meaning::Crashed | Meaning::Rejected => {
            let succeeds = read.statuses.iter().any(|status| is_success(*status));
            (succeeds && !read.meaning.fits_success()).then_some(Flaw::Success)
        }
    }
}

/// What may pass a demand, or may speak against a success, is known by what nothing else says.
fn must_be_told_apart(read: &Fingerprint) -> bool {
    read.meaning.is_refusal() || read.statuses.iter().any(|status| is_success(*status))
}

fn is_told_apart(read: &Fingerprint) -> bool {
    let by_body = read.body.as_ref().is_some_and(Pattern::tells);
    let by_header =
        |(name, pattern): &(String, Pattern)| !GENERAL.contains(&name.as_str()) && pattern.tells();
    by_body || read.headers.iter().any(by_header)
}

const fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::scenario::{Missing, Scenario, Sources};

    fn scenario(fingerprint: &str) -> String {
        format!(
            "rolecall: 1\nname: x\ndeployment:\n  rest: http://h\n  fingerprints:\n    - {fingerprint}\npersonas: {{ nobody: {{ sign_in: none }} }}\noperations: {{ list: {{ allow: [], rest: GET /x }} }}\n"
        )
    }

    fn read(fingerprint: &str) -> Result<Fingerprint, String> {
        let sources = Sources {
            variables: BTreeMap::new(),
            missing: Missing::Refused,
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
            today: "2026-06-01".parse().unwrap(),
        };
        match Scenario::read("x.yaml", &scenario(fingerprint), &sources) {
            Ok(scenario) => Ok(scenario.deployment.fingerprints[0].clone()),
            Err(complaints) => Err(complaints.to_string()),
        }
    }

    fn fits(fingerprint: &str, door: Door, status: u16, header: (&str, &str), body: &str) -> bool {
        let headers = [(header.0.to_owned(), header.1.to_owned())];
        read(fingerprint)
            .unwrap()
            .fits(door, status, &headers, body)
    }

    #[test]
    fn every_mark_must_be_there() {
        let all = "{ name: waf, status: [403, 406], header: { X-Corp: 'blocked|denied' }, body: 'rule \\d+', means: intercepted, doors: [rest] }";
        let (header, body) = (("x-corp", "denied"), "stopped by rule 12");
        assert!(fits(all, Door::Rest, 403, header, body));
        assert!(fits(all, Door::Rest, 406, header, body));
        assert!(!fits(all, Door::Mcp, 403, header, body));
        assert!(!fits(all, Door::Rest, 401, header, body));
        assert!(!fits(all, Door::Rest, 403, ("x-corp", "let through"), body));
        assert!(!fits(all, Door::Rest, 403, ("x-other", "denied"), body));
        assert!(!fits(all, Door::Rest, 403, header, "stopped by rule x"));
    }

    #[test]
    fn a_success_is_only_one_that_is_named() {
        let (none, body) = (("x", "y"), "blocked by the corporate filter");
        let silent = "{ name: waf, body: corporate filter, means: intercepted }";
        assert!(fits(silent, Door::Rest, 403, none, body));
        assert!(!fits(silent, Door::Rest, 200, none, body));
        let named = "{ name: waf, status: [200, 403], body: corporate filter, means: intercepted }";
        assert!(fits(named, Door::Rest, 200, none, body));
    }

    #[test]
    fn what_could_turn_a_hole_green_is_refused_with_its_line_and_a_remedy() {
        #[rustfmt::skip]
        let table = [
            ("status: 200, body: welcome, means: granted", "got through"),
            ("status: 404, body: nothing here, means: past-the-guard", "got through"),
            ("status: 200, body: no rights, means: refused-in-band", "refuses"),
            ("means: intercepted", "says nothing of the answer"),
            ("body: no rights for you, means: forbidden", "401 or 403"),
            ("status: 200, body: no rights for you, means: forbidden", "401 or 403"),
            ("status: 404, body: no rights for you, means: forbidden", "401 or 403"),
            ("status: [403, 500], body: no rights for you, means: forbidden", "401 or 403"),
            ("status: 302, body: no rights for you, means: unauthenticated", "401 or 403"),
            ("status: 500, body: no such thing here, means: hidden", "cannot hide"),
            ("status: 429, body: no such thing here, means: hidden", "cannot hide"),
            ("status: 200, body: no such thing here, means: hidden", "cannot hide"),
            ("body: no such thing here, means: hidden", "cannot hide"),
            ("status: 200, body: no such thing here, means: rejected", "success"),
            ("status: 403, means: forbidden", "other answers, too"),
            ("status: 404, means: hidden", "other answers, too"),
            ("status: 403, body: '.*', means: forbidden", "other answers, too"),
            ("status: 403, body: '\\w+', means: forbidden", "other answers, too"),
            ("status: 403, body: '[ -~]{1000,}', means: forbidden", "other answers, too"),
            ("status: 403, body: 'no rights for you|', means: forbidden", "other answers, too"),
            ("status: 403, body: no, means: forbidden", "other answers, too"),
            ("status: 403, body: '(?i)forbidden', means: forbidden", "other answers, too"),
            ("status: 403, body: denied, means: forbidden", "other answers, too"),
            ("status: 403, header: { content-type: json }, means: forbidden", "other answers, too"),
            ("status: 403, header: { server: nginx }, means: forbidden", "other answers, too"),
            ("status: 401, header: { www-authenticate: '.' }, means: unauthenticated", "other answers, too"),
            ("status: 200, means: intercepted", "other answers, too"),
            ("status: 403, body: '(', means: intercepted", "no pattern"),
            ("status: 403, body: '(?=x)', means: intercepted", "no pattern"),
            ("status: 403, body: '\\w{1000}{1000}', means: intercepted", "too large"),
            ("status: 403, header: { set-cookie: x }, means: intercepted", "evidence"),
            ("status: 403, header: { mcp-session-id: x }, means: intercepted", "evidence"),
            ("status: 403, header: {}, means: intercepted", "no headers"),
            ("status: 700, means: intercepted", "no HTTP status"),
            ("status: [], means: intercepted", "no statuses"),
            ("status: 403, means: interceptd", "did you mean `intercepted`"),
            ("status: 403, meaning: intercepted", "unknown key `meaning`"),
            ("status: 403, means: intercepted, doors: [mcp]", "no `mcp` URL"),
        ];
        for (marks, words) in table {
            let why = read(&format!("{{ name: a, {marks} }}")).unwrap_err();
            assert!(why.contains(words), "{marks}: {why}");
            assert!(why.contains("x.yaml:6:"), "{marks}: {why}");
        }
        let why = read("{ name: a b, status: 403, means: intercepted }").unwrap_err();
        assert!(why.contains("no name for a fingerprint"), "{why}");
    }

    #[test]
    fn a_name_stands_once() {
        let two = "{ name: a, status: 403, means: intercepted }\n    - { name: a, status: 418, means: crashed }";
        let why = read(two).unwrap_err();
        assert!(why.contains("`a` stands in this list twice"), "{why}");
    }

    #[test]
    fn what_only_a_refusal_says_may_be_declared() {
        for fingerprint in [
            "{ name: a, status: 403, body: 'Products\\.\\w+ role required', means: forbidden }",
            "{ name: a, status: 403, body: '<center>nginx', header: { server: '^nginx$' }, means: forbidden }",
            "{ name: a, status: [401, 403], header: { x-denied-by: policy }, means: forbidden }",
            "{ name: a, status: 403, body: Not authenticated, means: unauthenticated }",
            "{ name: a, status: 404, body: no such catalogue, means: hidden }",
            "{ name: a, status: 503, means: crashed }",
            "{ name: a, status: 403, means: intercepted }",
            "{ name: a, status: 200, body: corporate filter, means: intercepted, because: the filter }",
        ] {
            assert!(
                read(fingerprint).is_ok(),
                "{fingerprint}: {}",
                read(fingerprint).unwrap_err()
            );
        }
    }
}
