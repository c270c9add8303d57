//! Reading a client certificate from its files.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    model::{
        connections::client_certificate::{ClientCertificate, ClientCertificateError, MAX_CERTIFICATE_BYTES},
        secret::Secret,
        text::sanitize,
    },
    ops::Problem,
};

/// Files of a client certificate.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    /// PEM file with the certificate, or PKCS#12 file.
    pub certificate: PathBuf,
    /// PEM file with the private key; `None` if it is in the file of the certificate.
    pub key: Option<PathBuf>,
    /// Passphrase of the key or of the PKCS#12 file; `None` if there is none.
    pub passphrase: Option<Secret>,
}

/// Reason why files are no client certificate.
#[derive(Clone, Debug)]
pub struct NotLoaded {
    /// Problem to report. Nothing of a key is repeated.
    pub problem: Problem,
    /// `true` if all that is missing is the passphrase.
    pub needs_passphrase: bool,
}

/// Reads a client certificate from its files. Blocks.
///
/// # Errors
/// If a file can't be read, or they are no client certificate.
pub fn load(files: &CertificateFiles) -> Result<ClientCertificate, NotLoaded> {
    let not_loaded = |path: &Path, reason: &str, needs_passphrase| {
        let detail = format!("{}: {reason}", sanitize::shown(&path.display().to_string()));
        NotLoaded { problem: Problem::new("The client certificate can’t be used", &detail), needs_passphrase }
    };
    let read = |path: &Path| read(path).map_err(|reason| not_loaded(path, &reason, false));
    let certificate = read(&files.certificate)?;
    let key = files.key.as_deref().map(read).transpose()?;
    let key = key.as_ref().map(|key| key.as_slice());
    ClientCertificate::read(&certificate, key, files.passphrase.as_ref()).map_err(|error| {
        let needs_passphrase = error == ClientCertificateError::NeedsPassphrase;
        not_loaded(&files.certificate, &error.to_string(), needs_passphrase)
    })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let unread = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "you don't have permission to read it".into(),
        other => other.to_string(),
    };
    // Before it is opened: opening a pipe would wait for somebody who writes to it.
    let metadata = std::fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err("it is not a file".into());
    }
    if metadata.len() > MAX_CERTIFICATE_BYTES {
        return Err("it is too large to be a certificate".into());
    }
    // Room for all of it at once: a buffer that grows leaves parts of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    let file = File::open(path).map_err(unread)?;
    file.take(MAX_CERTIFICATE_BYTES).read_to_end(&mut bytes).map_err(unread)?;
    Ok(bytes)
}
