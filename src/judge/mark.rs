//! A fingerprint's name and its owner's words in, one small value that stands for both in every reading out.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A fingerprint of the scenario. Readings are many, fingerprints few: what is said of each is kept once.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mark(u16);

/// What is said of a fingerprint.
#[derive(Debug, Eq, PartialEq)]
struct Label {
    name: String,
    because: Option<String>,
}

static LABELS: RwLock<Vec<Arc<Label>>> = RwLock::new(Vec::new());

impl Mark {
    /// The mark of a fingerprint with this name, and its owner's words about it.
    pub fn of(name: &str, because: Option<&str>) -> Self {
        let place = |labels: &[Arc<Label>]| {
            labels
                .iter()
                .position(|label| label.name == name && label.because.as_deref() == because)
        };
        let known = place(&LABELS.read().unwrap_or_else(PoisonError::into_inner));
        let found = known.unwrap_or_else(|| {
            let mut labels = LABELS.write().unwrap_or_else(PoisonError::into_inner);
            place(&labels).unwrap_or_else(|| {
                // A record of a hostile hand may name more: all that are too many share the last place.
                let next = labels.len();
                if u16::try_from(next).is_ok() {
                    labels.push(Arc::new(Label {
                        name: name.to_owned(),
                        because: because.map(str::to_owned),
                    }));
                }
                next
            })
        });
        Self(u16::try_from(found).unwrap_or(u16::MAX))
    }

    /// The fingerprint's name.
    pub fn name(self) -> String {
        self.label()
            .map_or_else(String::new, |label| label.name.clone())
    }

    /// Its name, with the owner's words where there are any.
    pub fn words(self) -> String {
        match self.label().as_deref() {
            Some(Label {
                name,
                because: Some(because),
            }) => format!("{name} ({because})"),
            Some(Label { name, .. }) => name.clone(),
            None => String::new(),
        }
    }

    fn label(self) -> Option<Arc<Label>> {
        let labels = LABELS.read().unwrap_or_else(PoisonError::into_inner);
        labels.get(usize::from(self.0)).cloned()
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::of(&name, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_has_one_mark_and_a_mark_its_words() {
        let one = Mark::of("corporate-waf", Some("that of head office"));
        assert_eq!(one, Mark::of("corporate-waf", Some("that of head office")));
        assert_ne!(one, Mark::of("corporate-waf", None));
        assert_ne!(one, Mark::of("maintenance", None));
        assert_eq!(one.words(), "corporate-waf (that of head office)");
        let written = serde_json::to_string(&one).unwrap();
        assert_eq!(written, "\"corporate-waf\"");
        let read: Mark = serde_json::from_str(&written).unwrap();
        assert_eq!((read.name(), read.words()), (one.name(), one.name()));
    }
}
