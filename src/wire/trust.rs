//! The system's and the user's certificate authorities in, one TLS configuration out.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::SetupError;

/// TLS sessions that a line may resume: it talks to a handful of hosts.
const SESSIONS: usize = 8;

/// Whom the run trusts. The system's certificates are read when they are first needed: a loopback run must not pay for them.
pub(super) struct Trust {
    private: RootCertStore,
    full: OnceLock<ClientConfig>,
}

impl Trust {
    /// Reads the user's own authorities.
    ///
    /// # Errors
    /// A file that holds no certificate, or one that cannot be read.
    pub(super) fn new(authorities: &[Vec<u8>]) -> Result<Self, SetupError> {
        let mut private = RootCertStore::empty();
        for (place, pem) in authorities.iter().enumerate() {
            add(&mut private, pem).map_err(|why| SetupError(format!("--cacert, file {}: {why}", place + 1)))?;
        }
        Ok(Self { private, full: OnceLock::new() })
    }

    /// The configuration for dialling, with the system's authorities and with room for sessions of its own.
    /// No key log is ever written.
    pub(super) fn config(&self) -> ClientConfig {
        let mut config = self.full.get_or_init(|| build(with_system(self.private.clone()))).clone();
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        config
    }

    /// A configuration that reads nothing from the system, for clients that never dial `https`.
    pub(super) fn idle_config(&self) -> ClientConfig {
        build(self.private.clone())
    }
}

fn add(store: &mut RootCertStore, pem: &[u8]) -> Result<(), &'static str> {
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "not a readable PEM file")?;
        store.add(certificate).map_err(|_| "holds a certificate that is no certificate authority")?;
        found += 1;
    }
    if found == 0 { Err("holds no certificate; it must be PEM, with BEGIN CERTIFICATE") } else { Ok(()) }
}

/// What cannot be read is left out: a host that needed it then fails its handshake, and the run goes on with the others.
fn with_system(mut store: RootCertStore) -> RootCertStore {
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

fn build(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("private", &self.private.len()).finish_non_exhaustive()
    }
}
