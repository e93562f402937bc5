//! Suites and their cases in, `JUnit` XML out, each written before the next is made.

use std::borrow::Cow;
use std::{io, mem};

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::json;

/// How a case ended.
pub(super) enum Status {
    /// As it should; each retry is an attempt that the transport lost.
    Success {
        /// Attempts before the one that counts, in words.
        retries: Vec<String>,
    },
    /// Not as it should, or nobody can tell.
    Bad {
        /// Which of the two.
        kind: Kind,
        /// The code.
        ty: String,
        /// One line.
        message: String,
        /// The message again, and what is known besides.
        body: String,
    },
    /// Left out.
    Skipped {
        /// Why.
        message: String,
    },
}

/// The two ways not to be green.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Kind {
    /// Proven wrong.
    Failure,
    /// Not proven.
    Error,
}

impl Kind {
    const fn tag(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

/// A text as it stands between the quotes of an attribute.
#[derive(Clone, Debug)]
pub(super) struct Escaped<'n>(Cow<'n, str>);

impl<'n> Escaped<'n> {
    /// Spells a text so.
    pub(super) fn of(text: Cow<'n, str>) -> Self {
        match escape(text.as_ref()) {
            Cow::Borrowed(_) => Self(text),
            Cow::Owned(escaped) => Self(Cow::Owned(escaped)),
        }
    }

    /// The same, for another to hold.
    pub(super) fn borrowed(&self) -> Escaped<'_> {
        Escaped(Cow::Borrowed(&self.0))
    }
}

/// One test case.
pub(super) struct Case<'n> {
    /// Its name, unique within its class.
    pub(super) name: Escaped<'n>,
    /// Its class.
    pub(super) class: Escaped<'n>,
    /// Milliseconds that it took.
    pub(super) took_ms: Option<u64>,
    /// How it ended.
    pub(super) status: Status,
    /// What came back.
    pub(super) output: Option<String>,
}

/// How many cases ended how.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    /// All.
    pub(super) tests: usize,
    /// Left out.
    pub(super) skipped: usize,
    /// Not proven.
    pub(super) errors: usize,
    /// Proven wrong.
    pub(super) failures: usize,
}

impl Counts {
    /// Those of some cases.
    pub(super) fn of(cases: &[Case<'_>]) -> Self {
        let mut counts = Self::default();
        for case in cases {
            counts.tests += 1;
            match case.status {
                Status::Success { .. } => {}
                Status::Bad {
                    kind: Kind::Failure,
                    ..
                } => counts.failures += 1,
                Status::Bad {
                    kind: Kind::Error, ..
                } => counts.errors += 1,
                Status::Skipped { .. } => counts.skipped += 1,
            }
        }
        counts
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            skipped: self.skipped + other.skipped,
            errors: self.errors + other.errors,
            failures: self.failures + other.failures,
        }
    }
}

/// What is said of a suite as a whole.
#[derive(Clone, Copy)]
pub(super) struct Banner {
    /// For programs: a property's name and value.
    pub(super) property: (&'static str, &'static str),
    /// For people.
    pub(super) words: &'static str,
}

/// The document while it is written.
pub(super) struct Page<W: io::Write> {
    writer: Writer<W>,
    /// The tag of the case that is written, kept for its room.
    tag: String,
}

impl<W: io::Write> Page<W> {
    /// Begins the document.
    pub(super) fn open(
        out: W,
        name: &str,
        counts: Counts,
        took_ms: Option<u64>,
    ) -> io::Result<Self> {
        let mut writer = Writer::new_with_indent(out, b' ', 4);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut tag = BytesStart::new("testsuites");
        tag.extend_attributes([
            ("name", name),
            ("tests", counts.tests.to_string().as_str()),
            ("skipped", counts.skipped.to_string().as_str()),
            ("failures", counts.failures.to_string().as_str()),
            ("errors", counts.errors.to_string().as_str()),
        ]);
        push_time(&mut tag, took_ms);
        writer.write_event(Event::Start(tag))?;
        Ok(Self {
            writer,
            tag: String::new(),
        })
    }

    /// Writes a suite; its cases are made while they are written.
    pub(super) fn suite(
        &mut self,
        name: &str,
        counts: Counts,
        took_ms: Option<u64>,
        banner: Option<Banner>,
        cases: &mut dyn Iterator<Item = Case<'_>>,
    ) -> io::Result<()> {
        let mut tag = BytesStart::new("testsuite");
        tag.extend_attributes([
            ("name", name),
            ("tests", counts.tests.to_string().as_str()),
            ("skipped", counts.skipped.to_string().as_str()),
            ("errors", counts.errors.to_string().as_str()),
            ("failures", counts.failures.to_string().as_str()),
        ]);
        push_time(&mut tag, took_ms);
        let mut cases = cases.peekable();
        if banner.is_none() && cases.peek().is_none() {
            return self.writer.write_event(Event::Empty(tag));
        }
        self.writer.write_event(Event::Start(tag))?;
        if let Some(Banner { property, .. }) = banner {
            self.property(property)?;
        }
        for case in cases {
            self.case(&case)?;
        }
        if let Some(Banner { words, .. }) = banner {
            self.texted(BytesStart::new("system-out"), words)?;
        }
        self.end("testsuite")
    }

    fn property(&mut self, (name, value): (&str, &str)) -> io::Result<()> {
        let mut tag = BytesStart::new("property");
        tag.extend_attributes([("name", name), ("value", value)]);
        self.writer
            .write_event(Event::Start(BytesStart::new("properties")))?;
        self.writer.write_event(Event::Empty(tag))?;
        self.end("properties")
    }

    /// Ends the document.
    pub(super) fn close(mut self) -> io::Result<()> {
        self.end("testsuites")?;
        self.writer.write_indent()
    }

    fn case(&mut self, case: &Case<'_>) -> io::Result<()> {
        let mut tag = mem::take(&mut self.tag);
        tag.clear();
        tag.push_str(MARGIN);
        tag.push_str(CASE);
        tag.push_str(" name=\"");
        tag.push_str(&case.name.0);
        tag.push_str("\" classname=\"");
        tag.push_str(&case.class.0);
        tag.push('"');
        if let Some(took) = case.took_ms {
            tag.push_str(" time=\"");
            push_seconds(&mut tag, took);
            tag.push('"');
        }
        let written = self.told_case(&mut tag, case);
        self.tag = tag;
        written
    }

    fn told_case(&mut self, tag: &mut String, case: &Case<'_>) -> io::Result<()> {
        let plain = matches!(&case.status, Status::Success { retries } if retries.is_empty());
        if plain && case.output.is_none() {
            // Most cases are so, and the writer would take them in five pieces.
            tag.push_str("/>");
            return self.writer.get_mut().write_all(tag.as_bytes());
        }
        let tag = BytesStart::from_content(&tag[MARGIN.len()..], CASE.len());
        self.writer.write_event(Event::Start(tag))?;
        self.status(&case.status)?;
        if let Some(output) = &case.output {
            self.texted(BytesStart::new("system-out"), output)?;
        }
        self.end(CASE)
    }

    fn status(&mut self, status: &Status) -> io::Result<()> {
        match status {
            Status::Success { retries } => {
                for retry in retries {
                    self.told("flakyError", retry, Some("retry"), retry)?;
                }
                Ok(())
            }
            Status::Bad {
                kind,
                ty,
                message,
                body,
            } => self.told(kind.tag(), message, Some(ty), body),
            // GitLab shows the content, the others the attribute.
            Status::Skipped { message } => self.told("skipped", message, None, message),
        }
    }

    fn told(
        &mut self,
        name: &'static str,
        message: &str,
        ty: Option<&str>,
        body: &str,
    ) -> io::Result<()> {
        let mut tag = BytesStart::new(name);
        tag.push_attribute(("message", message));
        tag.extend_attributes(ty.map(|ty| ("type", ty)));
        self.texted(tag, body)
    }

    fn texted(&mut self, tag: BytesStart<'static>, text: &str) -> io::Result<()> {
        let end = tag.to_end().into_owned();
        self.writer.write_event(Event::Start(tag))?;
        self.writer.write_event(Event::Text(BytesText::new(text)))?;
        self.writer.write_event(Event::End(end))
    }

    fn end(&mut self, name: &'static str) -> io::Result<()> {
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }
}

/// The tag of a case.
const CASE: &str = "testcase";

/// What stands before it: it is the third that is open.
const MARGIN: &str = "\n        <";

fn push_time(tag: &mut BytesStart<'_>, took_ms: Option<u64>) {
    if let Some(took) = took_ms {
        let mut seconds = String::new();
        push_seconds(&mut seconds, took);
        tag.push_attribute(("time", seconds.as_str()));
    }
}

/// Seconds with three decimals.
fn push_seconds(text: &mut String, took_ms: u64) {
    json::put_number(text, took_ms / 1000);
    text.push('.');
    // A thousand more, so that the decimals have their zeros.
    let mut digits = itoa::Buffer::new();
    let decimals = digits.format(1000 + took_ms % 1000);
    text.push_str(&decimals[1..]);
}
