//! Log events in, redacted and sanitized lines on stderr out.

use std::io::{self, Write};
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::report::sanitizer;
use crate::secret::Redactor;

/// Starts logging: `RUST_LOG` when it is set, else the level that `-v` asks for; warnings without either.
pub(super) fn start(verbose: u8, stated: Option<&str>, redactor: &Arc<Redactor>) {
    let level = match verbose {
        0 => "warn",
        1 => "rolecall=info",
        2 => "rolecall=debug,hyper=info,reqwest=info",
        _ => "trace",
    };
    let filter = stated
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Muted(Arc::clone(redactor)))
        .finish();
    // A second start in one process keeps the first subscriber.
    let _kept = tracing::subscriber::set_global_default(subscriber).is_err();
}

struct Muted(Arc<Redactor>);

impl<'w> MakeWriter<'w> for Muted {
    type Writer = MutedLine;

    fn make_writer(&'w self) -> MutedLine {
        MutedLine {
            redactor: Arc::clone(&self.0),
            bytes: Vec::new(),
        }
    }
}

/// One log event; written when it is whole, so that no secret is cut in two.
struct MutedLine {
    redactor: Arc<Redactor>,
    bytes: Vec<u8>,
}

impl Write for MutedLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for MutedLine {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.bytes);
        let redacted = self.redactor.redact(text.trim_end());
        let _unheard = writeln!(io::stderr().lock(), "{}", sanitizer::clean(&redacted)).is_err();
    }
}
