//! A word and the known words in, the one that was probably meant out.

/// The known word that is nearest to this one; `None` when none is near enough to be meant.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: String = word.chars().take(LONGEST).collect();
    known
        .iter()
        .copied()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            (
                strsim::osa_distance(&word, candidate),
                strsim::jaro(&word, candidate),
                candidate,
            )
        })
        .filter(|(distance, alike, candidate)| {
            // Two changes turn any short word into any other.
            (*distance <= 2 && distance * 2 < candidate.chars().count()) || *alike >= 0.8
        })
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., candidate)| candidate)
}

/// The known words as one piece of a sentence.
pub(super) fn listed(known: &[&str]) -> String {
    match known.split_at_checked(MOST) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => known.join(", "),
    }
}

const LONGEST: usize = 64;
const MOST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let known = ["reader", "writer", "admin", "id"];
        for (word, expected) in [
            ("raeder", Some("reader")),
            ("writers", Some("writer")),
            ("Admin", Some("admin")),
            ("as", None),
            ("operator", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..14).map(|n| format!("p{n}")).collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(listed(&known).ends_with("p11 and 2 more"));
    }
}
