//! The environment's proxy rules in, the way to each host out.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::SetupError;
use crate::secret::Secret;

/// A proxy's loopback and link are not this machine's, so these hosts are always dialled directly; Azure's identity services
/// are among them.
const NEAR: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16";

/// Proxy rules as the environment states them.
#[derive(Clone, Default)]
pub struct Proxies {
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `ALL_PROXY`.
    pub all: Option<String>,
    /// `NO_PROXY`.
    pub no: Option<String>,
}

impl Proxies {
    /// User names and passwords that the addresses carry, as they stand and percent-decoded, for the redactor.
    pub fn secrets(&self) -> Vec<Secret> {
        self.named()
            .into_iter()
            .filter_map(|(_, address)| userinfo(address))
            .flat_map(forms)
            .map(Secret::new)
            .collect()
    }

    /// The rules made ready to be asked of each URL.
    ///
    /// # Errors
    /// Names the variable whose address cannot be used.
    pub(super) fn matcher(&self) -> Result<Arc<Matcher>, SetupError> {
        for (variable, address) in self.named() {
            check(variable, address)?;
        }
        let text = |rule: &Option<String>| rule.clone().unwrap_or_default();
        let matcher = Matcher::builder()
            .all(text(&self.all))
            .http(text(&self.http))
            .https(text(&self.https))
            .no(self.exempt())
            .build();
        Ok(Arc::new(matcher))
    }

    /// Hosts that no proxy is asked for: those of `NO_PROXY`, and this machine.
    pub(super) fn exempt(&self) -> String {
        format!("{NEAR},{}", self.no.as_deref().unwrap_or_default())
    }

    /// Whether a proxy is spoken to over TLS.
    pub(super) fn any_is_https(&self) -> bool {
        self.named()
            .iter()
            .any(|(_, address)| address.starts_with("https:"))
    }

    fn named(&self) -> Vec<(&'static str, &str)> {
        [
            ("HTTP_PROXY", &self.http),
            ("HTTPS_PROXY", &self.https),
            ("ALL_PROXY", &self.all),
        ]
        .into_iter()
        .filter_map(|(name, rule)| {
            Some((name, rule.as_deref().filter(|address| !address.is_empty())?))
        })
        .collect()
    }
}

/// Silently going round a proxy that cannot be used would test another way than the author's.
fn check(variable: &str, address: &str) -> Result<(), SetupError> {
    let unusable = |why: &str| {
        SetupError(format!(
            "{variable}: {why}; state it as http://host:port or unset it"
        ))
    };
    let uri: Uri = address
        .parse()
        .map_err(|_invalid| unusable("not an address"))?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(unusable("no host in it"));
    }
    match uri.scheme_str() {
        None | Some("http" | "https") => Ok(()),
        Some(_) => Err(unusable("only http and https proxies are supported")),
    }
}

fn userinfo(address: &str) -> Option<&str> {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(userinfo, _)| userinfo)
}

fn forms(userinfo: &str) -> Vec<String> {
    let password = userinfo
        .split_once(':')
        .map_or(userinfo, |(_, password)| password);
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let mut forms = vec![
        userinfo.to_owned(),
        decode(userinfo),
        password.to_owned(),
        decode(password),
    ];
    forms.dedup();
    forms
}

// The addresses may carry passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.named().into_iter().map(|(name, _)| name).collect();
        f.debug_tuple("Proxies").field(&names).finish()
    }
}
