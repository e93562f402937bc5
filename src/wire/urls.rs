//! The text of a URL in, the URL out: those that were read last are at hand, for callers follow each other to the same place.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;

/// A run has two kinds of places, the REST door's and the MCP door's.
const AT_HAND: usize = 2;

/// The URLs that were read last.
#[derive(Default)]
pub(super) struct Urls(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    places: [Option<(String, Arc<Uri>)>; AT_HAND],
    /// The place of the one that was asked for last.
    last: usize,
}

impl Urls {
    /// Reads a URL; `None` for what is none.
    pub(super) fn read(&self, text: &str) -> Option<Arc<Uri>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Shelf { places, last } = &mut *kept;
        let is_here = |place: &Option<(String, Arc<Uri>)>| {
            place.as_ref().is_some_and(|(known, _)| known == text)
        };
        if let Some(place) = places.iter().position(is_here) {
            *last = place;
        } else {
            let url = Arc::new(text.parse().ok()?);
            *last = (*last + 1) % AT_HAND;
            places[*last] = Some((text.to_owned(), url));
        }
        places[*last].as_ref().map(|(_, url)| Arc::clone(url))
    }
}

// A query may hold a token.
impl fmt::Debug for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Urls(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_read_for_itself_however_often_and_in_whatever_order() {
        let urls = Urls::default();
        let texts = [
            "http://h/a",
            "http://h/mcp",
            "http://h/b?x=%2e",
            "http://h/a/./b",
        ];
        for text in [0, 1, 0, 1, 2, 1, 2, 3, 0, 0, 3, 1].map(|place| texts[place]) {
            assert_eq!(
                urls.read(text).as_deref(),
                text.parse().ok().as_ref(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_none_and_drives_nothing_out() {
        let urls = Urls::default();
        for text in ["http://h/a", "http://h/ b", "", "http://h/b"] {
            assert_eq!(
                urls.read(text).is_some(),
                text.parse::<Uri>().is_ok(),
                "{text}"
            );
        }
        let shelf = urls.0.lock().unwrap();
        let texts = shelf.places.iter().flatten().map(|(text, _)| text);
        let mut texts: Vec<&String> = texts.collect();
        texts.sort_unstable();
        assert_eq!(texts, ["http://h/a", "http://h/b"]);
    }

    #[test]
    fn no_url_is_shown() {
        let urls = Urls::default();
        urls.read("http://h/?access_token=canary");
        assert!(!format!("{urls:?}").contains("canary"));
    }
}
