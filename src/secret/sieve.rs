//! How secrets begin in, where in a text one of them may begin out: the usual text is passed over at two instructions a byte.

/// Bytes of an anchor that are looked at. No anchor is shorter.
const WINDOW: usize = 4;

/// Longest step from one window of a text to the next.
const STRIDE: usize = 8;

const BITS: u32 = 17;

const WORDS: usize = (1 << BITS) / 64;

/// One bit for each value that a window's hash can have.
type Bits = [u64; WORDS];

/// Tells where in a text an anchor may stand, without looking at most of the text: of an anchor that stands there, one of
/// its windows is always among those that are looked at.
pub(super) struct Sieve {
    /// Bytes from one window of a text to the next: the shortest anchor has as many windows.
    stride: usize,
    bits: Box<Bits>,
    /// The first windows of each anchor, as many as a stride has bytes, sorted.
    places: Vec<Place>,
}

/// Where a window stands in an anchor.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Place {
    window: u32,
    anchor: u32,
    /// Bytes before it.
    offset: u8,
}

impl Sieve {
    /// A sieve for anchors of at least four bytes each.
    pub(super) fn of(anchors: &[&[u8]]) -> Self {
        let shortest = anchors.iter().map(|anchor| anchor.len()).min();
        let shortest = shortest.unwrap_or(WINDOW);
        let stride = (shortest + 1).saturating_sub(WINDOW).clamp(1, STRIDE);
        let places = (0..).zip(anchors).flat_map(|(number, anchor)| {
            let windows = (0..).zip(anchor.windows(WINDOW).take(stride));
            windows.filter_map(move |(offset, window)| {
                Some(Place {
                    window: first(window)?,
                    anchor: number,
                    offset,
                })
            })
        });
        let mut places: Vec<Place> = places.collect();
        places.sort_unstable();
        let mut bits = Box::new([0; WORDS]);
        for place in &places {
            let (word, bit) = slot(place.window);
            bits[word] |= bit;
        }
        Self {
            stride,
            bits,
            places,
        }
    }

    /// Names each place where an anchor may begin in the text, with the anchor's number: everywhere where it does, and where a
    /// window of it stands in its place.
    pub(super) fn suspect(&self, text: &[u8], mut name: impl FnMut(usize, usize)) {
        let scan = SCANS[self.stride - 1];
        scan(&self.bits, text, &mut |at, window| {
            for place in self.at(window) {
                if let Some(start) = at.checked_sub(usize::from(place.offset)) {
                    name(start, place.anchor as usize);
                }
            }
        });
    }

    /// Where in which anchors the window stands.
    fn at(&self, window: u32) -> &[Place] {
        let from = self.places.partition_point(|place| place.window < window);
        let rest = &self.places[from..];
        &rest[..rest.partition_point(|place| place.window == window)]
    }
}

/// What looks at the windows of a text, and names those that may be an anchor's, each with where it begins.
type Scan = fn(&Bits, &[u8], &mut dyn FnMut(usize, u32));

/// By stride, from 1: one that is known beforehand makes for half of the instructions.
const SCANS: [Scan; STRIDE] = [
    scan::<1>, scan::<2>, scan::<3>, scan::<4>, scan::<5>, scan::<6>, scan::<7>, scan::<8>,
];

fn scan<const N: usize>(bits: &Bits, text: &[u8], name: &mut dyn FnMut(usize, u32)) {
    let mut rest = text;
    // Four at once, for as long as there are so many.
    while let Some(block) = rest.get(..3 * N + WINDOW) {
        let window = |place: usize| first(&block[place * N..]).unwrap_or_default();
        let windows = [window(0), window(1), window(2), window(3)];
        let [one, two, three, four] = windows;
        if is_set(bits, one) || is_set(bits, two) || is_set(bits, three) || is_set(bits, four) {
            let at = text.len() - rest.len();
            for (place, window) in windows.into_iter().enumerate() {
                if is_set(bits, window) {
                    name(at + place * N, window);
                }
            }
        }
        rest = rest.get(4 * N..).unwrap_or_default();
    }
    while let Some(window) = first(rest) {
        if is_set(bits, window) {
            name(text.len() - rest.len(), window);
        }
        let Some(next) = rest.get(N..) else {
            return;
        };
        rest = next;
    }
}

/// Whether a window has the hash of an anchor's: few that are none do.
#[inline]
fn is_set(bits: &Bits, window: u32) -> bool {
    let (word, bit) = slot(window);
    bits[word] & bit != 0
}

#[inline]
fn first(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_le_bytes)
}

/// The word and the bit of a window's hash.
#[inline]
const fn slot(window: u32) -> (usize, u64) {
    // Knuth's multiplicative hash; its upper bits depend on all of the window.
    let hash = window.wrapping_mul(2_654_435_761) >> (32 - BITS);
    ((hash / 64) as usize, 1 << (hash % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sieve(anchors: &[&str]) -> Sieve {
        let anchors: Vec<&[u8]> = anchors.iter().map(|anchor| anchor.as_bytes()).collect();
        Sieve::of(&anchors)
    }

    /// Where each anchor stands, by the sieve.
    fn found(anchors: &[&str], text: &str) -> Vec<(usize, usize)> {
        let sieve = sieve(anchors);
        let mut found = Vec::new();
        sieve.suspect(text.as_bytes(), |start, anchor| {
            if text.as_bytes()[start..].starts_with(anchors[anchor].as_bytes()) {
                found.push((start, anchor));
            }
        });
        found.sort_unstable();
        found
    }

    /// The same, looked for byte by byte.
    fn there(anchors: &[&str], text: &str) -> Vec<(usize, usize)> {
        let starts = 0..text.len();
        let pairs = starts.flat_map(|start| (0..anchors.len()).map(move |anchor| (start, anchor)));
        let stands = |(start, anchor): &(usize, usize)| {
            text.as_bytes()[*start..].starts_with(anchors[*anchor].as_bytes())
        };
        pairs.filter(stands).collect()
    }

    #[test]
    fn no_text_that_holds_an_anchor_is_passed_over() {
        let anchors = ["hunter2!", "abcd", "caf\u{e9}"];
        for text in ["hunter2!", "x hunter2!", "abcd", "zabcdz", "a caf\u{e9}"] {
            assert_eq!(found(&anchors, text).len(), 1, "{text}");
        }
        for text in ["", "abc", "hun ter2!", "an innocent line of text", "ABCD"] {
            assert!(found(&anchors, text).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_shortest_anchor_says_how_far_the_sieve_steps() {
        let table: [(&[&str], usize); 5] = [
            (&[], 1),
            (&["abcd"], 1),
            (&["0123456789", "hunter2!"], 5),
            (&["0123456789a"], 8),
            (&["0123456789abcdefghij"], 8),
        ];
        for (anchors, stride) in table {
            assert_eq!(sieve(anchors).stride, stride, "{anchors:?}");
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
        let anchors = ["hunt", "abcd", "word"];
        let sieve = sieve(&anchors);
        let window = |word: &str| first(word.as_bytes()).unwrap();
        let caught: Vec<String> = words()
            .filter(|word| is_set(&sieve.bits, window(word)))
            .collect();
        let held = caught
            .iter()
            .filter(|word| !found(&anchors, word).is_empty());
        assert_eq!(held.collect::<Vec<_>>(), ["abcd", "hunt", "word"]);
        // Beside them one in 131,072 for each.
        assert!((4..100).contains(&caught.len()), "{}", caught.len());
    }

    proptest! {
        #[test]
        fn every_place_of_every_anchor_is_found_once(
            anchors in prop::collection::vec("[ab]{4,24}", 1..6),
            longer in 0_usize..12,
            pieces in prop::collection::vec(("[abc]{0,9}", 0_usize..6), 0..8),
        ) {
            let longer = &"abbababbabab"[..longer];
            let anchors: Vec<String> = anchors.iter().map(|anchor| format!("{longer}{anchor}")).collect();
            let anchors: Vec<&str> = anchors.iter().map(String::as_str).collect();
            let piece = |(between, anchor): &(String, usize)| format!("{between}{}", anchors[anchor % anchors.len()]);
            let text: Vec<String> = pieces.iter().map(piece).collect();
            let text = text.concat();
            prop_assert_eq!(found(&anchors, &text), there(&anchors, &text));
        }
    }
}
