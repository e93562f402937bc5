//! JSON text in, a tree for a look out: texts are borrowed where they stand as they are, and names are not sorted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Any JSON value. What is one, and what is none, is the same as with [`Value`], which costs many times as much.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'t, str>),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Members<'t>),
}

/// The members of an object, as they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members<'t>(Vec<(Cow<'t, str>, Tree<'t>)>);

impl Tree<'_> {
    /// The text that it is.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list that it is.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The whole number that it is, not below 0.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The whole number that it is.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Whether it is that text.
    pub fn is(&self, text: &str) -> bool {
        self.as_str() == Some(text)
    }

    /// The member of that name; `None` also where it is no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// The same to be kept.
    pub fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::List(items) => items.into_iter().map(Self::into_value).collect(),
            Self::Object(members) => Value::Object(members.into_map()),
        }
    }
}

impl<'t> Members<'t> {
    /// The member of that name; of several the last one, as with every usual reader.
    pub fn get(&self, name: &str) -> Option<&Tree<'t>> {
        let mut members = self.0.iter().rev();
        members
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Their names, in the order written; one that is given twice comes twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// The same to be kept, each name once.
    pub fn into_map(self) -> Map<String, Value> {
        let members = self.0.into_iter();
        members
            .map(|(name, value)| (name.into_owned(), value.into_value()))
            .collect()
    }
}

impl<'de: 't, 't> Deserialize<'de> for Tree<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree<'de>, E> {
        Ok(Number::from_f64(number).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = entries.next_entry()? {
            members.push((name, value));
        }
        Ok(Tree::Object(Members(members)))
    }
}

/// The name of a member.
struct Name<'t>(Cow<'t, str>);

impl<'de: 't, 't> Deserialize<'de> for Name<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Spelling)
    }
}

struct Spelling;

impl<'de> Visitor<'de> for Spelling {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts at the edge of JSON, on either side of it.
    pub(crate) fn doubtful() -> Vec<String> {
        let texts = [
            "null",
            " [1, -2, 3.5e2, 18446744073709551615, \"a\", true] ",
            r#"{"a":{"b":[]},"c\n":"\u00e9"}"#,
            r#"{"a":1,"b":2,"a":{"a":3}}"#,
            "",
            "{",
            "[1,]",
            "1 2",
            r#""\ud800""#,
            r#""\ud83d\ude00""#,
            "1e999",
            "-",
            "01",
            "nul",
            "{\"a\" 1}",
            "{1:2}",
            "\"\u{7}\"",
        ];
        let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let deep = [100, 127, 128, 200].map(deep);
        texts.map(str::to_owned).into_iter().chain(deep).collect()
    }

    #[test]
    fn what_a_reader_would_keep_is_a_tree_and_nothing_else() {
        for text in doubtful() {
            let kept = serde_json::from_str::<Value>(&text).ok();
            let tree = serde_json::from_str::<Tree<'_>>(&text).ok();
            assert_eq!(tree.map(Tree::into_value), kept, "{text}");
        }
    }

    #[test]
    fn texts_are_borrowed_unless_something_in_them_is_escaped() {
        let tree: Tree<'_> = serde_json::from_str(r#"{"a":"b","c":"\"","\t":null}"#).unwrap();
        let borrowed = |name| matches!(tree.get(name), Some(Tree::Text(Cow::Borrowed(_))));
        assert_eq!([borrowed("a"), borrowed("c")], [true, false]);
        assert_eq!(tree.get("\t"), Some(&Tree::Null));
        assert_eq!(tree.get("d"), None);
    }

    #[test]
    fn of_two_members_of_a_name_the_last_one_counts() {
        let tree: Tree<'_> = serde_json::from_str(r#"{"a":1,"b":-2,"a":"x"}"#).unwrap();
        assert!(tree.get("a").is_some_and(|value| value.is("x")));
        let number = tree.get("b").unwrap();
        assert_eq!((number.as_u64(), number.as_i64()), (None, Some(-2)));
        let Tree::Object(members) = tree else {
            panic!("it is an object");
        };
        assert_eq!(members.names().collect::<Vec<_>>(), ["a", "b", "a"]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let entries = prop::collection::vec((".{0,4}", inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                entries.prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_tree_holds_what_was_written(value in value()) {
            let text = value.to_string();
            let tree: Tree<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(tree.into_value(), value);
        }
    }
}
