//! The `WWW-Authenticate` headers of an answer in, its Bearer challenge out (RFC 9110 §11.6.1, RFC 6750 §3).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The parameters of a Bearer challenge, names in lower case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Challenge(Vec<(String, String)>);

impl Challenge {
    /// The first Bearer challenge; `None` when there is none.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE);
        values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(Self::read)
    }

    /// The first Bearer challenge of one header's value.
    pub(super) fn read(value: &str) -> Option<Self> {
        let mut found: Option<Self> = None;
        for piece in pieces(value) {
            let (scheme, rest) = split_scheme(&piece);
            if let Some(scheme) = scheme {
                if found.is_some() {
                    break;
                }
                found = scheme.eq_ignore_ascii_case("bearer").then(Self::default);
            }
            if let (Some(challenge), Some((name, value))) = (&mut found, parameter(rest)) {
                challenge.0.push((name, value));
            }
        }
        found
    }

    /// A parameter's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// The comma-separated pieces of a value; commas inside quotes separate nothing.
fn pieces(value: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for letter in value.chars() {
        match letter {
            ',' if !quoted => {
                pieces.push(String::new());
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && letter == '\\' && !escaped;
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    pieces
}

/// A piece begins a challenge where its first word is followed by no `=`.
fn split_scheme(piece: &str) -> (Option<&str>, &str) {
    let piece = piece.trim();
    match piece.split_once(char::is_whitespace) {
        Some((first, rest)) if !first.contains('=') && !rest.trim_start().starts_with('=') => {
            (Some(first), rest)
        }
        None if !piece.is_empty() && !piece.contains('=') => (Some(piece), ""),
        _ => (None, piece),
    }
}

fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim();
    let bare = match value
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
    {
        Some(inner) => unescaped(inner),
        None => value.to_owned(),
    };
    Some((name.trim().to_ascii_lowercase(), bare))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.extend(letters.next()),
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    #[test]
    fn the_bearer_challenge_is_found_with_its_parameters() {
        let table: [(&str, Option<Pairs>); 9] = [
            ("Bearer", Some(&[])),
            ("bearer realm=\"a, b\"", Some(&[("realm", "a, b")])),
            (
                r#"Bearer error="invalid_token", Resource_Metadata="https://h/x" ,scope=a"#,
                Some(&[
                    ("error", "invalid_token"),
                    ("resource_metadata", "https://h/x"),
                    ("scope", "a"),
                ]),
            ),
            (
                r#"Basic realm="x", Bearer scope="a b""#,
                Some(&[("scope", "a b")]),
            ),
            (
                r#"Bearer scope="a", Basic realm="x""#,
                Some(&[("scope", "a")]),
            ),
            (
                r#"Bearer realm="say \"hi\"""#,
                Some(&[("realm", "say \"hi\"")]),
            ),
            (r#"AzureApiManagementKey realm="h",name="k""#, None),
            ("Negotiate", None),
            ("", None),
        ];
        for (value, expected) in table {
            let expected = expected.map(|pairs| {
                let owned =
                    |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
                Challenge(pairs.iter().map(owned).collect())
            });
            assert_eq!(Challenge::read(value), expected, "{value}");
        }
    }
}
