//! Nothing in, a client's key pair with its self-signed certificate, as files and as thumbprints, out.

use std::fmt::Write as _;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::keys::SigningKey;
use crate::reference::chance;

/// DER of `commonName = rolecall reference` (RFC 5280 section 4.1.2.4), and of sha256WithRSAEncryption (RFC 4055).
const COMMON_NAME: &str = "rolecall reference";
const OID_COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const OID_SHA256_RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00,
];
const NOT_BEFORE: &[u8] = b"250101000000Z";
const NOT_AFTER: &[u8] = b"491231235959Z";

/// A key pair with its certificate in DER.
pub(crate) struct Certificate {
    key: SigningKey,
    der: Vec<u8>,
}

/// The private key and the certificate as files that only their owner may read, removed when dropped.
pub(crate) struct Files {
    folder: TempDir,
}

/// Returns the certificate of this process; every deployment shares it, as it shares the provider's key.
pub(crate) fn certificate() -> &'static Certificate {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    CERTIFICATE.get_or_init(|| {
        let key = SigningKey::generate();
        let der = self_signed(&key);
        Certificate { key, der }
    })
}

impl Certificate {
    /// Returns the SHA-1 thumbprint as `x5t` has it (RFC 7515 section 4.1.7).
    pub(crate) fn x5t(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der))
    }

    /// Returns the SHA-256 thumbprint as `x5t#S256` has it (RFC 7515 section 4.1.8).
    pub(crate) fn x5t_s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.der))
    }

    /// Returns the SHA-1 thumbprint in upper-case hexadecimal, as Entra shows it.
    pub(crate) fn thumbprint(&self) -> String {
        let bytes = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02X}").expect("a String takes every write");
            text
        })
    }

    /// Returns the public key in the form that signatures are verified with.
    pub(crate) fn verifier(&self) -> DecodingKey {
        self.key.verifier()
    }

    /// Returns the certificate in PEM (RFC 7468 section 5).
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// Returns the private key in PEM (RFC 7468 section 10).
    pub(crate) fn key_pem(&self) -> String {
        pem("PRIVATE KEY", self.key.private_der().as_ref())
    }
}

impl Files {
    /// Writes both into a new folder; fails when it cannot be made or written.
    pub(crate) fn write(certificate: &Certificate) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("rolecall-reference-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        let files = Self { folder };
        privately(&files.key(), &certificate.key_pem())?;
        privately(&files.certificate(), &certificate.pem())?;
        Ok(files)
    }

    /// Returns the path of the private key.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// Returns the path of the certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }
}

fn privately(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// A version 3 certificate without extensions, issued to itself (RFC 5280 section 4.1).
fn self_signed(key: &SigningKey) -> Vec<u8> {
    let algorithm = tlv(0x30, OID_SHA256_RSA);
    let attribute = [OID_COMMON_NAME, &tlv(0x0c, COMMON_NAME.as_bytes())].concat();
    let name = tlv(0x30, &tlv(0x31, &tlv(0x30, &attribute)));
    let validity = tlv(
        0x30,
        &[tlv(0x17, NOT_BEFORE), tlv(0x17, NOT_AFTER)].concat(),
    );
    let mut serial = chance::bytes::<16>();
    // A serial number is positive and has no superfluous leading octet.
    serial[0] = (serial[0] & 0x3f) | 0x40;
    let fields = [
        tlv(0xa0, &tlv(0x02, &[2])),
        tlv(0x02, &serial),
        algorithm.clone(),
        name.clone(),
        validity,
        name,
        key.public_der().as_ref().to_vec(),
    ];
    let body = tlv(0x30, &fields.concat());
    // No bit of the signature is unused, which the leading zero says.
    let signature = [&[0], key.signature(&body).as_slice()].concat();
    tlv(0x30, &[body, algorithm, tlv(0x03, &signature)].concat())
}

/// One element in DER (X.690 section 8.1): its tag, its length, its content.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len())..];
    let mut element = vec![tag];
    if length < 0x80 {
        element.extend(u8::try_from(length));
    } else {
        element.extend(u8::try_from(significant.len()).map(|count| 0x80 | count));
        element.extend(significant);
    }
    element.extend(content);
    element
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines = encoded.as_bytes().chunks(64);
    let body = lines.fold(String::new(), |text, line| {
        text + &String::from_utf8_lossy(line) + "\n"
    });
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustls::pki_types::CertificateDer;
    use rustls::server::ParsedCertificate;

    use super::*;

    #[test]
    fn the_certificate_is_one_that_others_can_read() {
        let der = CertificateDer::from(certificate().der.clone());
        let parsed = ParsedCertificate::try_from(&der).unwrap();
        let key = parsed.subject_public_key_info();
        assert_eq!(key.as_ref(), certificate().key.public_der().as_ref());
    }

    #[test]
    fn lengths_take_as_many_octets_as_they_need() {
        let heads = [0, 127, 128, 300].map(|length| {
            let element = tlv(0x04, &vec![0; length]);
            element[1..element.len() - length].to_vec()
        });
        let expected: [&[u8]; 4] = [&[0], &[127], &[0x81, 128], &[0x82, 1, 44]];
        assert_eq!(heads, expected);
    }

    #[test]
    fn the_files_are_their_owner_s_alone_and_go_with_their_value() {
        let files = Files::write(certificate()).unwrap();
        let (key, folder) = (files.key(), files.folder.path().to_owned());
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_to_string(&key).unwrap(), certificate().key_pem());
        drop(files);
        assert!(!folder.exists());
    }
}
