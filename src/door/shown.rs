//! Pages of `tools/list` in, the tools that a persona is shown out: scrubbed, capped, and how the list ended.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scrubber::Scrubber;
use crate::secret::Redactor;

/// Pages of one list.
const MOST_PAGES: usize = 100;
/// Tools of one list.
const MOST_TOOLS: usize = 5000;
/// Bytes of all pages of one list.
const MOST_BYTES: u64 = 16 << 20;
/// Bytes of all names of one list.
const MOST_NAME_BYTES: usize = 256 << 10;
/// Bytes of a name; clients and servers are told to keep to 128 characters (2025-11-25 tools, Tool Names).
const NAME_CAP: usize = 256;
/// Bytes of a cursor, which goes back as it came.
const CURSOR_CAP: usize = 64 << 10;
/// Bytes of the words about how a list ended.
const WHY_CAP: usize = 200;

/// A tool as a list shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tool {
    /// Its name, redacted; one that was cut ends with `…`.
    pub name: String,
    /// Its `readOnlyHint`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Its `destructiveHint`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
}

impl Tool {
    /// Whether it says that a call of it changes nothing, and does not contradict itself.
    pub fn says_that_it_only_reads(&self) -> bool {
        self.read_only == Some(true) && self.destructive != Some(true)
    }

    /// Whether its name is made of the characters that names should have (2025-11-25 tools, Tool Names), so that it can be
    /// asked for as it stands here: nothing in it was masked or cut.
    pub fn is_plain(&self) -> bool {
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        (1..=128).contains(&self.name.len()) && self.name.bytes().all(usual)
    }
}

/// How the reading of a list ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Every page was read.
    Whole,
    /// The persona may not list.
    Refused,
    /// The server lists no tools: it does not know the method.
    Absent,
    /// Some of it was read, not all.
    Cut,
    /// Nothing of it was read.
    Unread,
}

/// The tools that a persona is shown.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Shown {
    /// In the order in which the server names them, each name once.
    pub tools: Vec<Tool>,
    /// Whether an answer may be kept for others (`cacheScope: public`, 2026-07-28 caching).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// How it ended.
    pub ended: Ended,
    /// Why it is not whole, in a few words; redacted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Shown {
    /// The names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tools.iter().map(|tool| tool.name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// What comes after a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// The page with that cursor.
    Page(String),
    /// Nothing: the list ended so.
    End(Ended, &'static str),
}

/// A list that is being read.
#[derive(Debug)]
pub struct Pages<'r> {
    scrubber: Scrubber<'r>,
    tools: Vec<Tool>,
    names: HashSet<String>,
    cursors: HashSet<String>,
    name_bytes: usize,
    bytes: u64,
    taken: usize,
    public: bool,
}

impl<'r> Pages<'r> {
    /// A list of which no page was read.
    pub fn new(redactor: &'r Redactor) -> Self {
        Self {
            scrubber: Scrubber::new(redactor),
            tools: Vec::new(),
            names: HashSet::new(),
            cursors: HashSet::new(),
            name_bytes: 0,
            bytes: 0,
            taken: 0,
            public: false,
        }
    }

    /// Takes the result of `tools/list`, of so many bytes.
    pub fn take(&mut self, page: &Value, bytes: u64) -> Next {
        self.taken += 1;
        self.bytes += bytes;
        self.public |= page["cacheScope"] == "public";
        let tools = page["tools"].as_array().map_or(&[][..], Vec::as_slice);
        for tool in tools {
            if let Err(why) = self.keep(tool) {
                return Next::End(Ended::Cut, why);
            }
        }
        self.after(&page["nextCursor"])
    }

    /// What was read, with how it ended. A list of which something was read is cut, whatever came instead of the rest.
    pub fn close(self, ended: Ended, why: &str) -> Shown {
        let ended = if self.taken > 0 && ended != Ended::Whole {
            Ended::Cut
        } else {
            ended
        };
        Shown {
            tools: self.tools,
            public: self.public,
            ended,
            why: self.scrubber.text(why, WHY_CAP),
        }
    }

    fn keep(&mut self, tool: &Value) -> Result<(), &'static str> {
        let name = tool["name"].as_str().ok_or("an entry has no name")?;
        let name = self.kept(name);
        if self.names.contains(&name) {
            return Ok(());
        }
        self.name_bytes += name.len();
        if self.tools.len() == MOST_TOOLS {
            return Err("it names more than 5000 tools");
        }
        if self.name_bytes > MOST_NAME_BYTES {
            return Err("its names together are too long");
        }
        let hint = |key: &str| tool["annotations"][key].as_bool();
        self.names.insert(name.clone());
        self.tools.push(Tool {
            name,
            read_only: hint("readOnlyHint"),
            destructive: hint("destructiveHint"),
        });
        Ok(())
    }

    fn kept(&self, name: &str) -> String {
        // One byte more shows whether there was more.
        let mut kept = self.scrubber.text(name, NAME_CAP + 1);
        if kept.len() > NAME_CAP || name.len() > NAME_CAP {
            kept = self.scrubber.text(name, NAME_CAP);
            kept.push('…');
        }
        kept
    }

    /// Servers that have nothing more leave `nextCursor` out, and some say `null` or an empty text.
    fn after(&mut self, cursor: &Value) -> Next {
        let cut = |why| Next::End(Ended::Cut, why);
        let cursor = match cursor {
            Value::Null => return Next::End(Ended::Whole, ""),
            Value::String(cursor) if cursor.is_empty() => return Next::End(Ended::Whole, ""),
            Value::String(cursor) => cursor,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return cut("its cursor is no text");
            }
        };
        if cursor.len() > CURSOR_CAP {
            cut("its cursor is too long")
        } else if !self.cursors.insert(cursor.clone()) {
            cut("its cursor repeats")
        } else if self.taken == MOST_PAGES {
            cut("it has more than 100 pages")
        } else if self.bytes > MOST_BYTES {
            cut("its pages together are too long")
        } else {
            Next::Page(cursor.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::secret::Secret;

    fn read(pages: &[Value]) -> (Shown, usize) {
        let redactor = Redactor::default();
        let mut reading = Pages::new(&redactor);
        for (place, page) in pages.iter().enumerate() {
            if let Next::End(ended, why) = reading.take(page, 10) {
                return (reading.close(ended, why), place + 1);
            }
        }
        (reading.close(Ended::Unread, "no answer"), pages.len())
    }

    fn page(names: &[&str], cursor: &Value) -> Value {
        let tools: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({ "tools": tools, "nextCursor": cursor })
    }

    #[test]
    fn a_list_is_whole_when_no_cursor_leads_on() {
        for end in [json!(null), json!("")] {
            let (shown, read) = read(&[page(&["a", "b"], &json!("2")), page(&["b", "c"], &end)]);
            assert_eq!((shown.names(), read), (vec!["a", "b", "c"], 2));
            assert_eq!((shown.ended, shown.why.as_str()), (Ended::Whole, ""));
        }
        let (shown, _) = read(&[json!({ "tools": [] })]);
        assert_eq!((shown.tools.len(), shown.ended), (0, Ended::Whole));
    }

    #[test]
    fn only_name_hints_and_scope_are_kept() {
        let page = json!({
            "tools": [
                { "name": "a", "description": "d", "annotations": { "readOnlyHint": true, "title": "t" } },
                { "name": "b", "annotations": { "readOnlyHint": "true", "destructiveHint": true } },
            ],
            "cacheScope": "public",
        });
        let (shown, _) = read(&[page]);
        let kept = serde_json::to_value(&shown).unwrap();
        let tools =
            json!([{ "name": "a", "read_only": true }, { "name": "b", "destructive": true }]);
        assert_eq!(
            kept,
            json!({ "tools": tools, "public": true, "ended": "whole" })
        );
    }

    #[test]
    fn a_list_that_does_not_end_or_cannot_be_read_is_cut() {
        let names: Vec<String> = (0..=MOST_TOOLS).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let long: Vec<String> = (0..2000).map(|number| format!("{number:0>200}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let endless: Vec<Value> = (0..200)
            .map(|at| page(&["a"], &json!(at.to_string())))
            .collect();
        let table = [
            (
                vec![page(&["a"], &json!("x")), page(&["b"], &json!("x"))],
                2,
                "its cursor repeats",
            ),
            (vec![page(&["a"], &json!(7))], 1, "its cursor is no text"),
            (
                vec![page(&["a"], &json!("x".repeat(CURSOR_CAP + 1)))],
                1,
                "its cursor is too long",
            ),
            (
                vec![page(&names, &json!(null))],
                1,
                "it names more than 5000 tools",
            ),
            (
                vec![page(&long, &json!(null))],
                1,
                "its names together are too long",
            ),
            (endless, MOST_PAGES, "it has more than 100 pages"),
            (
                vec![json!({ "tools": [{ "name": 7 }] })],
                1,
                "an entry has no name",
            ),
            (vec![page(&["a"], &json!("x"))], 1, "no answer"),
        ];
        for (pages, count, why) in table {
            let (shown, read) = read(&pages);
            assert_eq!(
                (shown.ended, shown.why.as_str(), read),
                (Ended::Cut, why, count)
            );
        }
        let redactor = Redactor::default();
        let mut pages = Pages::new(&redactor);
        let next = pages.take(&page(&["a"], &json!("x")), MOST_BYTES + 1);
        assert_eq!(
            next,
            Next::End(Ended::Cut, "its pages together are too long")
        );
    }

    #[test]
    fn a_list_of_which_nothing_was_read_keeps_its_reason() {
        let redactor = Redactor::default();
        let shown = Pages::new(&redactor).close(Ended::Refused, "403");
        assert_eq!((shown.ended, shown.why.as_str()), (Ended::Refused, "403"));
    }

    #[test]
    fn a_name_is_redacted_and_capped_and_only_a_plain_one_can_be_called() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("canary-7f3a91c2e85d".to_owned()));
        let long = "x".repeat(1 << 20);
        let full = "y".repeat(NAME_CAP);
        let mut pages = Pages::new(&redactor);
        let list = page(
            &[
                "canary-7f3a91c2e85d",
                &long,
                &full,
                "a b",
                "ok-1",
                "",
                "\u{1b}[2J",
            ],
            &json!(null),
        );
        assert_eq!(pages.take(&list, 0), Next::End(Ended::Whole, ""));
        let shown = pages.close(Ended::Whole, "");
        let names: Vec<&str> = shown.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names[0], "[redacted]");
        assert_eq!(names[1], format!("{}…", "x".repeat(NAME_CAP)));
        assert_eq!(names[2], full);
        let plain: Vec<&Tool> = shown.tools.iter().filter(|tool| tool.is_plain()).collect();
        assert_eq!(plain.len(), 1, "{plain:?}");
        assert_eq!(plain[0].name, "ok-1");
    }

    #[test]
    fn whoever_contradicts_itself_does_not_say_that_it_only_reads() {
        let table = [
            (Some(true), None, true),
            (Some(true), Some(false), true),
            (Some(true), Some(true), false),
            (Some(false), Some(false), false),
            (None, None, false),
        ];
        for (read_only, destructive, reads) in table {
            let tool = Tool {
                name: "a".to_owned(),
                read_only,
                destructive,
            };
            assert_eq!(tool.says_that_it_only_reads(), reads, "{tool:?}");
        }
    }
}
