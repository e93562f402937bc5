//! Bytes in, whether they are one JSON document out, without the tree of it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Whether the bytes are one JSON document, as a reader that keeps it would find: depth, numbers and strings are looked at.
pub(in crate::door) fn is_json(bytes: &[u8]) -> bool {
    // As a whole it is known to be text at less cost than string by string.
    let text = str::from_utf8(bytes);
    text.is_ok_and(|text| serde_json::from_str::<Sound>(text).is_ok())
}

/// Any value, looked at and let go.
pub(in crate::door) struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sound, A::Error> {
        while items.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Sound, A::Error> {
        while entries.next_entry::<Sound, Sound>()?.is_some() {}
        Ok(Sound)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::tree::tests::doubtful;

    #[test]
    fn what_a_reader_would_keep_is_sound_and_nothing_else() {
        for text in doubtful() {
            let kept = serde_json::from_str::<Value>(&text).is_ok();
            assert_eq!(is_json(text.as_bytes()), kept, "{text}");
        }
        assert!(!is_json(b"\"\xff\""));
    }
}
