//! The bytes read so far in, whether our answer is complete out: an event stream need not end by itself.

use super::message::{self, Framing};
use crate::door::sse::Events;

/// Listens to a body while it is read. The content type is not known yet, so the first bytes tell the framing; a
/// document is always read to its end.
#[derive(Debug)]
pub(in crate::door) struct Listener {
    id: u64,
    seen: usize,
    framing: Option<Framing>,
    events: Events,
}

impl Listener {
    /// Listens for the response with that id.
    pub(in crate::door) fn new(id: u64) -> Self {
        Self {
            id,
            seen: 0,
            framing: None,
            events: Events::default(),
        }
    }

    /// Whether the body, of which `read` is all that has come, need not be read further: the message with our id is
    /// whole, or the stream broke a cap.
    pub(in crate::door) fn enough(&mut self, read: &[u8]) -> bool {
        if self.framing.is_none() {
            self.framing = message::sniff(read);
        }
        if self.framing != Some(Framing::Stream) {
            return false;
        }
        let messages = self.events.feed(read.get(self.seen..).unwrap_or_default());
        self.seen = read.len();
        let ours = |body: &String| message::is_ours(body, self.id);
        messages.iter().any(ours) || self.events.overrun()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes are read when they come one by one; all of them when nothing is enough.
    fn read_of(body: &str) -> usize {
        let mut listener = Listener::new(7);
        (0..=body.len())
            .find(|&at| listener.enough(&body.as_bytes()[..at]))
            .unwrap_or(body.len() + 1)
    }

    #[test]
    fn reading_stops_at_our_message() {
        let others =
            "\u{feff}: ping\n\ndata:\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}\n\n";
        let ours = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\r\r";
        let stream = format!("{others}{ours}: ping\n\n: ping\n\n");
        assert_eq!(read_of(&stream), others.len() + ours.len());
        assert_eq!(read_of(others), others.len() + 1);
    }

    #[test]
    fn a_message_of_ours_that_breaks_the_rules_is_enough() {
        let stream = "data: {\"jsonrpc\":\"2.0\",\"id\":7}\n\n";
        assert_eq!(read_of(stream), stream.len());
    }

    #[test]
    fn a_document_is_read_to_its_end() {
        let document = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n";
        assert_eq!(read_of(document), document.len() + 1);
        assert_eq!(read_of("<html>\n\n"), 9);
    }

    #[test]
    fn a_stream_beyond_its_caps_is_enough() {
        let mut listener = Listener::new(7);
        assert!(listener.enough("data: a\n\n".repeat(10_001).as_bytes()));
    }
}
