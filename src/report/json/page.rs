//! Fields in, one JSON object out, in lines, each field written before the next is made.

use std::{fmt, io};

use serde::Serialize;

use crate::json;

/// The object while it is written.
pub(super) struct Page<'w, W> {
    out: &'w mut W,
    begun: bool,
}

/// Before a field of the object.
const MARGIN: &str = "\n  ";

/// Before a field of an object in a list.
const INNER_MARGIN: &str = "\n      ";

impl<'w, W: io::Write> Page<'w, W> {
    /// Begins the object.
    pub(super) fn open(out: &'w mut W) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Self { out, begun: false })
    }

    /// Writes a field.
    pub(super) fn field(
        &mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> io::Result<()> {
        self.name(name)?;
        let inward = Inward {
            out: &mut *self.out,
            margin: MARGIN,
        };
        Ok(serde_json::to_writer_pretty(inward, value)?)
    }

    /// Writes a list of objects, whose fields are put one object at a time.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        items: impl Iterator<Item = T>,
        mut put: impl FnMut(T, &mut Fields) -> io::Result<()>,
    ) -> io::Result<()> {
        self.name(name)?;
        let mut fields = Fields::default();
        let mut before = "[\n    {";
        for item in items {
            fields.text.clear();
            fields.text.extend_from_slice(before.as_bytes());
            fields.begun = false;
            put(item, &mut fields)?;
            fields.text.extend_from_slice(b"\n    }");
            self.out.write_all(&fields.text)?;
            before = ",\n    {";
        }
        let is_empty = fields.text.is_empty();
        self.out.write_all(if is_empty { b"[]" } else { b"\n  ]" })
    }

    /// Ends the object, and the line.
    pub(super) fn close(self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        let comma = if self.begun { "," } else { "" };
        self.begun = true;
        write!(self.out, "{comma}{MARGIN}\"{name}\": ")
    }
}

/// The fields of one object in a list.
#[derive(Default)]
pub(super) struct Fields {
    text: Vec<u8>,
    begun: bool,
}

/// What stands before the value of a field of an object in a list, whose name is a word that JSON has nothing to escape in;
/// the comma belongs to the field before.
macro_rules! name {
    ($name:literal) => {
        concat!(",\n      \"", $name, "\": ")
    };
}
pub(super) use name;

/// The same up to the opening quote of a value that is a word, too.
macro_rules! word {
    ($name:literal) => {
        concat!(",\n      \"", $name, "\": \"")
    };
}
pub(super) use word;

/// A text as it stands between the quotes of a JSON string.
#[derive(Default)]
pub(super) struct Escaped(String);

impl fmt::Display for Escaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Escaped {
    /// Spells a text so.
    pub(super) fn of(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        json::put_escaped(&mut escaped, text);
        Self(escaped)
    }

    /// It.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Fields {
    /// Puts a field whose value is a number.
    pub(super) fn put_number(&mut self, name: &'static str, number: impl itoa::Integer) {
        self.name(name);
        self.put_digits(number);
    }

    /// Puts a number after a stretch that ends with the name of its field.
    pub(super) fn put_digits(&mut self, number: impl itoa::Integer) {
        let mut digits = itoa::Buffer::new();
        self.text
            .extend_from_slice(digits.format(number).as_bytes());
    }

    /// Puts a field whose value is a word; its name is a [`word!`].
    #[inline]
    pub(super) fn put_word(&mut self, name: &'static str, word: &str) {
        self.put_stretch(&[name, word, "\""]);
    }

    /// Puts fields that are spelt already, in pieces, the first of which begins as that of [`word!`] or [`name!`] does.
    #[inline]
    pub(super) fn put_stretch(&mut self, pieces: &[&str]) {
        let mut comma = usize::from(!self.begun);
        self.begun = true;
        for piece in pieces {
            let piece = piece.as_bytes().get(comma..).unwrap_or_default();
            self.text.extend_from_slice(piece);
            comma = 0;
        }
    }

    /// Puts a field where there is a value, which is no list and no object.
    #[inline]
    pub(super) fn put_some(
        &mut self,
        name: &'static str,
        value: Option<impl Serialize>,
    ) -> io::Result<()> {
        value.map_or(Ok(()), |value| {
            self.name(name);
            Ok(serde_json::to_writer(&mut self.text, &value)?)
        })
    }

    /// Puts a field whose value has lines of its own.
    pub(super) fn put_nested(
        &mut self,
        name: &'static str,
        value: &impl Serialize,
    ) -> io::Result<()> {
        self.name(name);
        let inward = Inward {
            out: &mut self.text,
            margin: INNER_MARGIN,
        };
        Ok(serde_json::to_writer_pretty(inward, value)?)
    }

    #[inline]
    fn name(&mut self, name: &'static str) {
        let comma = usize::from(!self.begun);
        self.begun = true;
        self.text.extend_from_slice(&name.as_bytes()[comma..]);
    }
}

/// Passes lines of JSON on, each further in.
struct Inward<'w, W> {
    out: &'w mut W,
    /// What ends a line and begins the next.
    margin: &'static str,
}

impl<W: io::Write> io::Write for Inward<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // No string of JSON has a line break in it.
        let mut lines = bytes.split(|byte| *byte == b'\n');
        self.out.write_all(lines.next().unwrap_or_default())?;
        for line in lines {
            self.out.write_all(self.margin.as_bytes())?;
            self.out.write_all(line)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(items: &[Value]) -> String {
        let mut out = Vec::new();
        let mut page = Page::open(&mut out).unwrap();
        page.field("a", "x\ny").unwrap();
        page.field("b", &json!({"c": [1, {}], "d": []})).unwrap();
        let put = |item: &Value, fields: &mut Fields| {
            let parts = ["a\"", "b"].map(Escaped::of);
            if item["e"].is_null() {
                fields.put_some(name!("e"), Some(&item["e"]))?;
            } else {
                fields.put_word(word!("e"), "1");
            }
            fields.put_number(name!("n"), 7);
            fields.put_some(name!("f"), item["f"].as_str())?;
            fields.put_word(word!("w"), "word");
            let (first, last) = (parts[0].as_str(), parts[1].as_str());
            fields.put_stretch(&[word!("p"), first, "/", last, "\""]);
            fields.put_nested(name!("g"), &item["g"])
        };
        page.list("h", items.iter(), put).unwrap();
        page.close().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_written_field_by_field_reads_as_if_it_were_written_at_once() {
        let items = [
            json!({"e": "1", "n": 7, "f": "two\n\"", "w": "word", "p": "a\"/b", "g": [[], {"h": null}]}),
            json!({"e": null, "n": 7, "w": "word", "p": "a\"/b", "g": {}}),
        ];
        for items in [&items[..], &items[..1], &[]] {
            let whole = json!({"a": "x\ny", "b": {"c": [1, {}], "d": []}, "h": items});
            let whole = serde_json::to_string_pretty(&whole).unwrap();
            assert_eq!(page(items), format!("{whole}\n"));
        }
    }
}
