//! A request in, its parameters out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::aadsts::Refusal;
use crate::reference::call::Call;

/// The parameters of a request.
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form body; a client id and secret in HTTP Basic count as fields (RFC 6749 section 2.3.1).
    pub(crate) fn read(call: &Call) -> Self {
        let mut form = Self::parse(&call.body);
        if let Some((id, secret)) = call.header("authorization").and_then(basic) {
            form.fields.push(("client_id".to_owned(), id));
            form.fields.push(("client_secret".to_owned(), secret));
        }
        form
    }

    /// Reads the query.
    pub(crate) fn query(call: &Call) -> Self {
        Self::parse(call.uri.query().unwrap_or_default().as_bytes())
    }

    /// Returns a parameter that is there and not empty.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Returns a parameter that is there and not empty, else AADSTS900144.
    pub(crate) fn get(&self, name: &'static str) -> Result<&str, Refusal> {
        self.find(name).ok_or_else(|| Refusal::missing(name))
    }

    fn parse(encoded: &[u8]) -> Self {
        Self {
            fields: url::form_urlencoded::parse(encoded).into_owned().collect(),
        }
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (decode(id), decode(secret)))
}
