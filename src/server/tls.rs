//! TLS of a plane: the certificate and its key, checked before anything is
//! served, and a word to those who speak plain HTTP to it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::config::{PlaneName, Settings};
use super::start::StartError;

/// What a client is told that speaks plain HTTP where TLS is spoken.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 40\r\nConnection: close\r\n\r\nthis port speaks TLS: use an https URL.\n";
/// How much of a plain request is read, so that its client reads the answer.
const PLAIN_LIMIT: u64 = 64 * 1024;
/// How long that may take.
const PLAIN_TIME: Duration = Duration::from_secs(1);

/// What speaks TLS on the planes that `settings` say; none where none does.
///
/// # Errors
/// The certificate or its key cannot be used, or one is given without the other.
pub(super) fn acceptor(settings: &Settings) -> Result<Option<TlsAcceptor>, StartError> {
    let (certificate, key) = match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(StartError::Missing("tls_key")),
        // Whoever names a key or a plane means TLS: plain HTTP is no answer to that.
        (None, Some(_)) => return Err(StartError::Missing("tls_certificate")),
        (None, None) if settings.tls_planes.is_some() => {
            return Err(StartError::Missing("tls_certificate"));
        }
        (None, None) => return Ok(None),
    };
    let chain = read_chain(certificate)?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault("tls_certificate", certificate, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, read_key(key)?)
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                let cause = format!(
                    "is not the key of the certificate `{}`",
                    certificate.display()
                );
                fault("tls_key", key, &cause)
            }
            error => fault("tls_certificate", certificate, &error),
        })?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// Whether `plane` speaks TLS, where any does.
pub(super) fn scheme(settings: &Settings, plane: PlaneName) -> &'static str {
    if settings.tls_on(plane) {
        "https"
    } else {
        "http"
    }
}

fn fault(setting: &'static str, path: &Path, cause: &dyn std::fmt::Display) -> StartError {
    StartError::Setting {
        setting,
        cause: format!("`{}` {cause}", path.display()),
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| fault("tls_certificate", path, &unread(&error)))?;
    if chain.is_empty() {
        return Err(fault(
            "tls_certificate",
            path,
            &"holds no certificate in PEM",
        ));
    }
    Ok(chain)
}

/// Reads the key from a file that no stranger may read. A group may: that is
/// how a distribution lets several servers share one.
fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, StartError> {
    let fault = |cause: &dyn std::fmt::Display| fault("tls_key", path, cause);
    let unreadable = |error: std::io::Error| fault(&format!("cannot be read: {error}"));
    let mut file = File::open(path).map_err(unreadable)?;
    // The open file is asked, not the path: what is judged is what is read.
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(fault(&format!(
            "may be read by others (mode {mode:04o}): chmod 600 it, or 640"
        )));
    }
    let mut text = zeroize::Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(unreadable)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => fault(&"holds no private key in PEM without a passphrase"),
        error => fault(&unread(&error)),
    })
}

fn unread(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("cannot be read: {error}"),
        error => format!("is not PEM: {error}"),
    }
}

/// Shakes hands; none where the client does not, which is its own affair. One
/// that speaks plain HTTP is told so.
pub(super) async fn accept(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> Option<TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await.ok()?;
    // A method begins with a capital letter, a handshake with byte 22.
    if first.iter().all(u8::is_ascii_uppercase) {
        refuse_plain(stream).await;
        return None;
    }
    acceptor.accept(stream).await.ok()
}

async fn refuse_plain(mut stream: TcpStream) {
    let told = async {
        stream.write_all(PLAIN).await?;
        stream.shutdown().await?;
        // Closed with bytes unread, the connection would be reset, and the
        // answer lost with it.
        let mut rest = stream.take(PLAIN_LIMIT);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    // Whether it listens is its own affair.
    let _ = tokio::time::timeout(PLAIN_TIME, told).await;
}
