//! A node and what its place takes in, the value out; what does not fit is noted, and reading goes on.

mod reference;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::complaint::{Kind, Span, lines};
use super::demanded;
use super::raw::{Entry, Node, Value};
use super::sources::{Expanded, Sources};
use super::spelling::{listed, nearest};
use crate::day::Day;
use crate::secret::Secret;

/// Entries of a map among which a key is found sooner than by its hash.
const FEW: usize = 16;

/// The longest time that a scenario may state.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// Reads values and keeps what is wrong with them, so that one pass finds everything.
pub(super) struct Reader<'s> {
    sources: &'s Sources,
    folder: PathBuf,
    text: &'s str,
    /// The lines of the text, once somebody asked for one.
    lines: OnceCell<Vec<&'s str>>,
    /// What was found to be wrong.
    pub(super) found: Vec<(Span, Kind)>,
    /// Lines that hold a secret.
    pub(super) hidden: BTreeSet<u32>,
    /// Secrets that the file names.
    pub(super) secrets: Vec<Secret>,
    /// What operations demand.
    pub(super) demands: demanded::Known,
    /// Variables whose values stand in the file, with the lines on which they do.
    pub(super) stated: BTreeMap<String, BTreeSet<u32>>,
}

/// A value with the key that it stands under.
#[derive(Clone, Copy)]
pub(super) struct Named<'n> {
    pub(super) name: &'n str,
    /// Where the key stands.
    pub(super) at: Span,
    pub(super) node: &'n Node<'n>,
}

/// A map whose keys are known to its place.
pub(super) struct Fields<'n> {
    /// Where complaints about the whole map point.
    pub(super) at: Span,
    place: &'static str,
    entries: Vec<Named<'n>>,
}

impl<'n> Fields<'n> {
    /// The value under a key, when it is there.
    pub(super) fn get(&self, key: &str) -> Option<Named<'n>> {
        self.entries.iter().find(|entry| entry.name == key).copied()
    }

    /// The value under a key; its absence is a complaint.
    pub(super) fn need(&self, reader: &mut Reader<'_>, key: &'static str) -> Option<Named<'n>> {
        let found = self.get(key);
        if found.is_none() {
            reader.complain(
                self.at,
                Kind::MissingKey {
                    key,
                    place: self.place,
                },
            );
        }
        found
    }
}

impl<'s> Reader<'s> {
    /// A reader of this text; secrets' files are looked for in the folder of `path`.
    pub(super) fn new(path: &str, text: &'s str, sources: &'s Sources) -> Self {
        Self {
            sources,
            folder: Path::new(path)
                .parent()
                .map(Path::to_owned)
                .unwrap_or_default(),
            text,
            lines: OnceCell::new(),
            found: Vec::new(),
            hidden: BTreeSet::new(),
            secrets: Vec::new(),
            demands: demanded::Known::default(),
            stated: BTreeMap::new(),
        }
    }

    /// The day on which the file is read.
    pub(super) fn today(&self) -> Day {
        self.sources.today
    }

    /// Forgets what was found: the same text is read once more.
    pub(super) fn forget(&mut self) {
        self.found.clear();
        self.hidden.clear();
        self.secrets.clear();
        self.stated.clear();
    }

    /// Notes that something is wrong.
    pub(super) fn complain(&mut self, at: Span, kind: Kind) {
        self.found.push((at, kind));
    }

    /// Notes that a word is none of the known ones.
    pub(super) fn unknown(&mut self, at: Span, noun: &'static str, name: &str, known: &[&str]) {
        let near = nearest(name, known).map(str::to_owned);
        let (name, known) = (name.to_owned(), listed(known));
        self.complain(
            at,
            Kind::Unknown {
                noun,
                name,
                near,
                known,
            },
        );
    }

    /// Notes that a place takes something else.
    pub(super) fn wrong(
        &mut self,
        node: &Node<'_>,
        place: impl Into<String>,
        wanted: &'static str,
    ) {
        let kind = Kind::WrongSort {
            wanted,
            found: node.value.sort(),
            place: place.into(),
        };
        self.complain(node.span, kind);
    }

    /// The entries of a map, each key once.
    pub(super) fn entries<'n>(
        &mut self,
        node: &'n Node<'n>,
        place: impl Into<String>,
    ) -> Option<Vec<Named<'n>>> {
        let Value::Map(entries) = &node.value else {
            self.wrong(node, place, "a map");
            return None;
        };
        let mut all: Vec<Named<'n>> = Vec::with_capacity(entries.len());
        let mut seen: HashMap<&str, u32> = HashMap::new();
        for entry in entries {
            let Some(named) = self.named(entry) else {
                continue;
            };
            let first = if entries.len() > FEW {
                let known = seen.get(named.name).copied();
                seen.entry(named.name).or_insert(named.at.line);
                known
            } else {
                let mut known = all.iter();
                let known = known.find(|known| known.name == named.name);
                known.map(|known| known.at.line)
            };
            match first {
                None => all.push(named),
                Some(first) => self.repeated(named, first),
            }
        }
        Some(all)
    }

    /// A value with its key, which is text.
    pub(super) fn named<'n>(&mut self, entry: &'n Entry<'n>) -> Option<Named<'n>> {
        match &entry.key.value {
            Value::Text(name) => {
                return Some(Named {
                    name,
                    at: entry.key.span,
                    node: &entry.value,
                });
            }
            Value::Map(_) => self.complain(entry.key.span, Kind::UnquotedBraces),
            _ => self.wrong(&entry.key, "this key", "text"),
        }
        None
    }

    /// Notes that a key stands in a map again.
    pub(super) fn repeated(&mut self, named: Named<'_>, first: u32) {
        let key = named.name.to_owned();
        self.complain(named.at, Kind::DuplicateKey { key, first });
    }

    /// A map whose keys are the known ones.
    pub(super) fn fields<'n>(
        &mut self,
        at: Span,
        node: &'n Node<'n>,
        place: &'static str,
        known: &'static [&'static str],
    ) -> Option<Fields<'n>> {
        let mut entries = self.entries(node, place)?;
        entries.retain(|entry| {
            let fits = known.contains(&entry.name);
            if !fits {
                self.unknown_key(*entry, place, known);
            }
            fits
        });
        Some(Fields { at, place, entries })
    }

    fn unknown_key(&mut self, entry: Named<'_>, place: &'static str, known: &[&str]) {
        // Beside a secret, a key that is not known may be that secret's, misspelt.
        let beside_secret = known.contains(&"client_secret") || known.contains(&"key_id");
        if beside_secret && !matches!(entry.node.value, Value::Map(_)) {
            self.hidden.extend(entry.at.line..=entry.node.last_line);
        }
        let key = entry.name.to_owned();
        let near = nearest(entry.name, known).map(str::to_owned);
        let known = listed(known);
        self.complain(
            entry.at,
            Kind::UnknownKey {
                key,
                place,
                near,
                known,
            },
        );
    }

    /// A map from names of the author's own choice.
    pub(super) fn names<'n>(
        &mut self,
        node: &'n Node<'n>,
        place: &'static str,
        noun: &'static str,
    ) -> Option<Vec<Named<'n>>> {
        let entries = self.entries(node, place)?;
        for entry in &entries {
            self.name(*entry, noun);
        }
        Some(entries)
    }

    /// Complains of a name that is none.
    pub(super) fn name(&mut self, named: Named<'_>, noun: &'static str) {
        if !well_named(named.name) {
            self.complain(named.at, Kind::BadName { noun });
        }
    }

    /// Text with its variables resolved, not empty.
    pub(super) fn text<'n>(
        &mut self,
        node: &'n Node<'n>,
        place: impl Into<String>,
    ) -> Option<Expanded<'n>> {
        let Value::Text(text) = &node.value else {
            if let Value::Map(entries) = &node.value
                && entries
                    .iter()
                    .any(|entry| matches!(entry.key.value, Value::Map(_)))
            {
                self.complain(node.span, Kind::UnquotedBraces);
            } else {
                self.wrong(node, place, "text");
            }
            return None;
        };
        let expanded = self.expand(node, text)?;
        if expanded.text.is_empty() {
            self.complain(
                node.span,
                Kind::EmptyText {
                    place: place.into(),
                },
            );
            return None;
        }
        Some(expanded)
    }

    /// Text that is taken as it stands: it holds neither control characters nor templates.
    pub(super) fn plain(&mut self, node: &Node<'_>, place: impl Into<String>) -> Option<String> {
        let place = place.into();
        let text = self.text(node, place.as_str())?.text;
        if text.contains(char::is_control) {
            self.complain(node.span, Kind::ControlCharacter { place });
            return None;
        }
        self.untemplated(node, &text, place)?;
        Some(text.into_owned())
    }

    /// Complains of a template where none is ever filled.
    pub(super) fn untemplated(
        &mut self,
        node: &Node<'_>,
        text: &str,
        place: impl Into<String>,
    ) -> Option<()> {
        if text.contains("{{") {
            let at = self.narrow(node.span, "{{");
            self.complain(
                at,
                Kind::NoTemplates {
                    place: place.into(),
                },
            );
            return None;
        }
        Some(())
    }

    /// Any text with its variables resolved, also empty.
    pub(super) fn expand<'t>(&mut self, node: &Node<'_>, text: &'t str) -> Option<Expanded<'t>> {
        let sources = self.sources;
        sources
            .expand(text)
            .map_err(|(piece, kind)| self.complain(self.narrow(node.span, piece), kind))
            .ok()
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, node: &Node<'_>, place: &'static str) -> Option<bool> {
        if let Value::Bool(flag) = node.value {
            return Some(flag);
        }
        self.wrong(node, place, "true or false");
        None
    }

    /// A length of time with its unit, no longer than what is sensible to wait within a run.
    pub(super) fn duration(&mut self, node: &Node<'_>) -> Option<Duration> {
        let text = match &node.value {
            Value::Text(text) => self.expand(node, text)?.text,
            _ => "".into(),
        };
        let read = humantime::parse_duration(&text).ok();
        let read = read.filter(|length| *length <= LONGEST_WAIT);
        if read.is_none() {
            self.complain(node.span, Kind::Duration);
        }
        read
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node<'_>,
        noun: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let Value::Text(text) = &node.value else {
            self.wrong(node, format!("the {noun}"), "text");
            return None;
        };
        let expanded = self.expand(node, text)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == expanded.text)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            // As it is written: what a variable holds may be a secret.
            self.unknown(node.span, noun, text, &known);
        }
        found
    }

    /// The items of a list.
    pub(super) fn list<'n>(
        &mut self,
        node: &'n Node<'n>,
        place: &'static str,
    ) -> Option<&'n [Node<'n>]> {
        if let Value::List(items) = &node.value {
            return Some(items);
        }
        self.wrong(node, place, "a list");
        None
    }

    /// A list of text without repetition.
    pub(super) fn texts(
        &mut self,
        node: &Node<'_>,
        place: &'static str,
        noun: &'static str,
    ) -> Option<Vec<String>> {
        let items = self.list(node, place)?;
        let mut texts: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            let Some(text) = self.plain(item, format!("this {noun}")) else {
                continue;
            };
            if texts.contains(&text) {
                let name = item.as_text().unwrap_or_default().to_owned();
                self.complain(item.span, Kind::Repeated { noun, name });
            } else {
                texts.push(text);
            }
        }
        Some(texts)
    }

    /// The place of a piece of a value, where the line shows it; the value's own otherwise.
    pub(super) fn narrow(&self, span: Span, piece: &str) -> Span {
        let lines = self.lines.get_or_init(|| lines(self.text));
        let Some(line) = lines.get(span.line.saturating_sub(1) as usize) else {
            return span;
        };
        let from = span.column.saturating_sub(1) as usize;
        let tail = line
            .char_indices()
            .nth(from)
            .map_or("", |(start, _)| &line[start..]);
        let (Some(found), false) = (tail.find(piece), piece.is_empty()) else {
            return span;
        };
        let column = span.column + count(&tail[..found]);
        Span {
            line: span.line,
            column,
            length: count(piece),
        }
    }
}

/// Whether a name is one that cells, templates and reports can carry.
pub(super) fn well_named(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
