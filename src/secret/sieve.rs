//! How secrets begin in, texts in which none can begin out: the usual text is passed over at a few instructions a byte.

/// Bytes of an anchor that are looked at. No anchor is shorter.
const WINDOW: usize = 4;

const BITS: u32 = 16;

/// Tells texts in which an anchor may stand from those in which none does.
pub(super) struct Sieve {
    /// One bit for each value that a window's hash can have.
    bits: Box<[u64]>,
    /// The windows themselves, sorted.
    windows: Vec<u32>,
}

impl Sieve {
    /// A sieve for anchors of at least four bytes each.
    pub(super) fn of(anchors: impl Iterator<Item = impl AsRef<[u8]>>) -> Self {
        let mut windows: Vec<u32> = anchors
            .filter_map(|anchor| first(anchor.as_ref()))
            .collect();
        windows.sort_unstable();
        windows.dedup();
        let mut bits = vec![0; (1 << BITS) / 64].into_boxed_slice();
        for window in &windows {
            let (word, bit) = place(*window);
            bits[word] |= bit;
        }
        Self { bits, windows }
    }

    /// Whether an anchor may stand in the text; where it says no, none does.
    pub(super) fn may_hold(&self, text: &str) -> bool {
        let mut windows = text.as_bytes().windows(WINDOW).filter_map(first);
        windows.any(|window| self.catches(window) && self.windows.binary_search(&window).is_ok())
    }

    /// Whether a window has the hash of an anchor's: few that are none do.
    fn catches(&self, window: u32) -> bool {
        let (word, bit) = place(window);
        self.bits[word] & bit != 0
    }
}

fn first(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_le_bytes)
}

/// The word and the bit of a window's hash.
const fn place(window: u32) -> (usize, u64) {
    // Knuth's multiplicative hash; its upper bits depend on all of the window.
    let hash = window.wrapping_mul(2_654_435_761) >> (32 - BITS);
    ((hash / 64) as usize, 1 << (hash % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_that_holds_an_anchor_is_passed_over() {
        let anchors = ["hunter2!", "abcd", "caf\u{e9}"];
        let sieve = Sieve::of(anchors.iter());
        for text in ["hunter2!", "x hunter2", "abcd", "zabcdz", "a caf\u{e9}"] {
            assert!(sieve.may_hold(text), "{text}");
        }
        for text in ["", "abc", "hun ter2!", "an innocent line of text", "ABCD"] {
            assert!(!sieve.may_hold(text), "{text}");
        }
    }

    /// Every word of four small letters.
    fn words() -> impl Iterator<Item = String> {
        let letter =
            |word: u32, place: u32| char::from_digit(10 + word / 26_u32.pow(place) % 26, 36);
        (0..26_u32.pow(4)).map(move |word| {
            (0..4)
                .rev()
                .filter_map(|place| letter(word, place))
                .collect()
        })
    }

    #[test]
    fn a_window_with_the_hash_of_an_anchor_is_none_for_that() {
        let sieve = Sieve::of(["hunt", "abcd", "word"].iter());
        let window = |word: &str| first(word.as_bytes()).unwrap();
        let caught: Vec<String> = words().filter(|word| sieve.catches(window(word))).collect();
        let held: Vec<&String> = caught.iter().filter(|word| sieve.may_hold(word)).collect();
        assert_eq!(held, ["abcd", "hunt", "word"]);
        // Beside them one in 65,536 for each.
        assert!((4..100).contains(&caught.len()), "{}", caught.len());
    }
}
