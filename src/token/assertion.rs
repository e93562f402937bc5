//! A client's key, or a platform that vouches for it, in; a client assertion (RFC 7523 §3) out.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::denial::Denial;
use super::discovery::guarded;
use super::endpoint;
use super::visit::Visit;
use crate::scenario::Provider;
use crate::scenario::sign_in::{Algorithm, Assertion, Certificate};
use crate::secret::Secret;
use crate::wire::Call;

/// Seconds that an assertion of our own is good for; providers refuse longer ones.
const LIFE: u64 = 600;

/// An assertion of our own, signed with the client's key.
///
/// # Errors
/// A key or certificate that cannot be had or used.
pub(super) async fn signed(
    visit: &Visit<'_>,
    client_id: &str,
    certificate: &Certificate,
) -> Result<Secret, Denial> {
    let key = visit.secret(&certificate.key).await?;
    let thumbprint = match &certificate.certificate {
        Some(source) => Some(thumbprint(&visit.secret(source).await?)?),
        None => None,
    };
    let is_entra = matches!(visit.identity.provider, Provider::Entra { .. });
    let algorithm = certificate.algorithm.unwrap_or(if is_entra {
        Algorithm::Ps256
    } else {
        Algorithm::Rs256
    });
    let header = header(algorithm, thumbprint, certificate.key_id.as_deref());
    let claims = claims(client_id, visit.token_endpoint())?;
    let message = format!("{}.{}", part(&header), part(&claims));
    let signature = sign(algorithm, &key, message.as_bytes())?;
    Ok(Secret::new(format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(signature)
    )))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn header(algorithm: Algorithm, thumbprint: Option<String>, key_id: Option<&str>) -> Value {
    let name = match algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Ps256 => "PS256",
        Algorithm::Es256 => "ES256",
    };
    let mut header = json!({ "typ": "JWT", "alg": name });
    if let Some(thumbprint) = thumbprint {
        header["x5t#S256"] = thumbprint.into();
    }
    if let Some(key_id) = key_id {
        header["kid"] = key_id.into();
    }
    header
}

fn claims(client_id: &str, audience: &str) -> Result<Value, Denial> {
    let mut number = [0_u8; 16];
    getrandom::fill(&mut number)
        .map_err(|_no_entropy| unusable("the system has no random numbers for an assertion"))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_secs());
    Ok(json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": URL_SAFE_NO_PAD.encode(number),
        "iat": now,
        "nbf": now,
        "exp": now + LIFE,
    }))
}

/// `x5t#S256` of the first certificate of a PEM text (RFC 7515 §4.1.8).
fn thumbprint(pem: &Secret) -> Result<String, Denial> {
    let certificate = CertificateDer::from_pem_slice(pem.expose().as_bytes())
        .map_err(|_unreadable| absent("the `certificate` of its certificate is not one in PEM"))?;
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)))
}

fn sign(algorithm: Algorithm, pem: &Secret, message: &[u8]) -> Result<Vec<u8>, Denial> {
    let key = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()).map_err(|_unreadable| {
        absent(
            "the key of its certificate is not a private key in PEM without a passphrase. \
             `openssl pkey -in KEY -out PLAIN` writes such a one",
        )
    })?;
    let signature = match algorithm {
        Algorithm::Rs256 => rsa(&key, &RSA_PKCS1_SHA256, message),
        Algorithm::Ps256 => rsa(&key, &RSA_PSS_SHA256, message),
        Algorithm::Es256 => ecdsa(&key, message),
    };
    signature.ok_or_else(|| {
        absent(
            "the key of its certificate does not go with the signature's algorithm. \
             State `algorithm: ES256` for an elliptic key on P-256, RS256 or PS256 for RSA",
        )
    })
}

fn rsa(
    key: &PrivateKeyDer<'_>,
    padding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Option<Vec<u8>> {
    let pair = match key {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return None,
    }
    .ok()?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message, &mut signature)
        .ok()?;
    Some(signature)
}

fn ecdsa(key: &PrivateKeyDer<'_>, message: &[u8]) -> Option<Vec<u8>> {
    let pair =
        EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_der())
            .ok()?;
    let signature = pair.sign(&SystemRandom::new(), message).ok()?;
    Some(signature.as_ref().to_vec())
}

/// Another issuer's token about this workload, as fresh as it comes: some live five minutes.
///
/// # Errors
/// Why there is none.
pub(super) async fn fetched(visit: &Visit<'_>, outside: &Assertion) -> Result<Secret, Denial> {
    match outside {
        Assertion::Given(source) => visit.renewed_secret(source).await,
        Assertion::Github {
            url,
            token,
            audience,
        } => {
            let url = with_query(url, &[("audience", audience)])?;
            vouched(visit, Method::GET, url, token, "value", "GitHub Actions").await
        }
        Assertion::AzurePipelines {
            url,
            token,
            service_connection,
        } => {
            let query = [
                ("api-version", "7.1"),
                ("serviceConnectionId", service_connection),
            ];
            let url = with_query(url, &query)?;
            vouched(
                visit,
                Method::POST,
                url,
                token,
                "oidcToken",
                "Azure Pipelines",
            )
            .await
        }
    }
}

fn with_query(url: &str, query: &[(&str, &str)]) -> Result<String, Denial> {
    let mut url = Url::parse(url)
        .map_err(|_unparsable| unusable("the address of the platform's token service is no URL"))?;
    url.query_pairs_mut().extend_pairs(query);
    guarded(url.as_str(), "the platform's token service").map_err(Denial::Unusable)?;
    Ok(url.into())
}

async fn vouched(
    visit: &Visit<'_>,
    method: Method,
    url: String,
    token: &Secret,
    member: &str,
    platform: &str,
) -> Result<Secret, Denial> {
    let refused =
        |why: &str| Denial::Unusable(format!("{platform} gave no token for this workload: {why}"));
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_unsendable| {
            refused("the variable that it wants has characters that no header can carry")
        })?;
    bearer.set_sensitive(true);
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([
        (AUTHORIZATION, bearer),
        (ACCEPT, json.clone()),
        (CONTENT_TYPE, json),
        // Azure Pipelines would otherwise answer a token that it does not like with a sign-in page.
        (
            HeaderName::from_static("x-tfs-fedauthredirect"),
            HeaderValue::from_static("Suppress"),
        ),
    ]);
    let call = Call {
        method,
        url,
        headers,
        body: bytes::Bytes::new(),
    };
    let answer = endpoint::members(call, visit.wire(), visit.patience())
        .await
        .map_err(|denial| refused(&denial.sentence(&visit.desk.redactor)))?;
    let token = answer.get(member).and_then(Value::as_str);
    token
        .filter(|token| !token.is_empty())
        .map(|token| Secret::new(token.to_owned()))
        .ok_or_else(|| refused("its answer has none"))
}

fn absent(why: &str) -> Denial {
    Denial::Here(why.to_owned())
}

fn unusable(why: &str) -> Denial {
    Denial::Unusable(why.to_owned())
}
