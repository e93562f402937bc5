//! Bytes of an event stream in, the data of its messages out (WHATWG HTML §9.2).

const LINE_CAP: usize = 1 << 20;
const EVENT_CAP: usize = 10_000;

/// An event as it stands in a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Its name; empty where it has none, which means `message`.
    pub name: Vec<u8>,
    /// Its data.
    pub data: String,
}

impl Event {
    /// Whether it is a message.
    fn is_message(&self) -> bool {
        self.name.is_empty() || self.name == b"message"
    }
}

/// Reads an event stream piece by piece; where the pieces are cut makes no difference.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    name: Vec<u8>,
    past_first_line: bool,
    after_return: bool,
    count: usize,
    overrun: bool,
}

impl Events {
    /// The stream's next bytes in, the data of every message that they complete out. Comments, `id`, `retry` and
    /// events of another name than `message` give nothing, nor does an event that the stream does not finish.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let events = self.take(bytes).into_iter();
        let messages = events.filter(Event::is_message);
        messages.map(|event| event.data).collect()
    }

    /// The stream's next bytes in, every event that they complete out, of whatever name.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            if self.overrun {
                break;
            }
            let ends_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if ends_return => {}
                b'\n' => events.extend(self.end_line()),
                b'\r' => {
                    self.after_return = true;
                    events.extend(self.end_line());
                }
                _ => self.push(byte),
            }
        }
        events
    }

    /// Whether the stream broke a cap, 1 MiB a line or 10,000 events; nothing after that is read.
    pub const fn overrun(&self) -> bool {
        self.overrun
    }

    fn push(&mut self, byte: u8) {
        self.overrun = self.line.len() >= LINE_CAP;
        self.line.push(byte);
    }

    fn end_line(&mut self) -> Option<Event> {
        let whole = std::mem::take(&mut self.line);
        let first = !std::mem::replace(&mut self.past_first_line, true);
        let line = if first {
            super::observation::without_mark(&whole)
        } else {
            &whole
        };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = field(line);
        match field {
            b"data" => {
                if let Some(data) = &mut self.data {
                    data.push(b'\n');
                }
                self.data.get_or_insert_default().extend_from_slice(value);
            }
            b"event" => self.name = value.to_vec(),
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let data = self.data.take()?;
        self.count += 1;
        self.overrun |= self.count > EVENT_CAP;
        (!self.overrun).then(|| Event {
            name,
            data: String::from_utf8_lossy(&data).into_owned(),
        })
    }
}

/// A comment is a line whose field name is empty.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&byte| byte == b':') {
        Some(colon) => {
            let value = &line[colon + 1..];
            (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
        }
        None => (line, b""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(stream: &[u8]) -> Vec<String> {
        Events::default().feed(stream)
    }

    #[test]
    fn a_stream_is_read_as_whatwg_says() {
        let table: [(&[u8], &[&str]); 16] = [
            (b"data: a\n\n", &["a"]),
            (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", &["a", "b", "c"]),
            (b"\xef\xbb\xbfdata: a\n\n", &["a"]),
            (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", &["a"]),
            (b"data:a\ndata: b\ndata:  c\n\n", &["a\nb\n c"]),
            (b"data\ndata: a\n\n", &["\na"]),
            (b"data:\n\ndata: a\n\n", &["", "a"]),
            (b": ping\n\n: ping\ndata: a\n\n", &["a"]),
            (b"event: message\ndata: a\n\n", &["a"]),
            (b"event: endpoint\ndata: /m\n\ndata: a\n\n", &["a"]),
            (b"event: endpoint\n\ndata: a\n\n", &["a"]),
            (b"id: 7\nretry: 1\nnonsense\ndata: a\n\n", &["a"]),
            (b"Data: a\n\n data: b\n\n", &[]),
            (b"data: a\n", &[]),
            (b"data: \xff\n\n", &["\u{fffd}"]),
            (b"", &[]),
        ];
        for (stream, expected) in table {
            assert_eq!(
                messages(stream),
                expected,
                "{}",
                String::from_utf8_lossy(stream)
            );
        }
    }

    #[test]
    fn a_line_longer_than_a_mebibyte_ends_the_reading() {
        let mut events = Events::default();
        assert!(events.feed(&vec![b'x'; LINE_CAP]).is_empty());
        assert!(!events.overrun());
        assert!(events.feed(b"x\n\ndata: a\n\n").is_empty());
        assert!(events.overrun());
    }

    #[test]
    fn ten_thousand_events_are_read_and_no_more() {
        let mut events = Events::default();
        assert_eq!(
            events.feed(&b"data: a\n\n".repeat(EVENT_CAP)).len(),
            EVENT_CAP
        );
        assert!(!events.overrun());
        assert!(events.feed(b"data: a\n\n").is_empty());
        assert!(events.overrun());
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let words: [&[u8]; 12] = [
            b"data",
            b"event",
            b":",
            b" ",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b"message",
            b"{}",
            b"\xef\xbb\xbf",
            b"\xc3\xbc",
        ];
        prop_oneof![
            8 => prop::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ]
    }

    proptest! {
        #[test]
        fn where_the_pieces_are_cut_makes_no_difference(
            pieces in prop::collection::vec(piece(), 0..60),
            cuts in prop::collection::vec(1_usize..9, 1..40),
        ) {
            let stream = pieces.concat();
            let mut events = Events::default();
            let mut heard = Vec::new();
            let mut rest = stream.as_slice();
            for cut in cuts.iter().cycle() {
                let (next, after) = rest.split_at(rest.len().min(*cut));
                heard.extend(events.feed(next));
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(heard, messages(&stream));
        }
    }
}
