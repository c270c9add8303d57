//! Checkpoints that are kept beside the entries. Their copies elsewhere are what counts against whoever can write the
//! folder; these show what was handed out, and find a rewriting that left them alone.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{folder::Journal, keyring::Keys};
use crate::{
    model::journal::{
        checkpoint::{Checkpoint, MAX_BYTES, SignedCheckpoint, VerifierKey},
        key::JournalKey,
        ssh_signature::{MAX_SIGNATURE_BYTES, SshSignature},
    },
    store::{
        disk,
        own_files::{self, Durability},
    },
};

/// Maximum number of checkpoints that are read, the newest first: one a day for 27 years.
const MAX_CHECKPOINTS: usize = 10_000;

const FOLDER: &str = "checkpoints";

/// A checkpoint in the journal's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// The file.
    pub file: PathBuf,
    /// Its text; what is not UTF-8 is replaced.
    pub text: String,
    /// Its content; `None` if it can't be read as a checkpoint.
    pub signed: Option<SignedCheckpoint>,
    /// Text of the SSH signature beside it; `None` if there is none.
    pub signature: Option<String>,
}

/// Returns the file with the SSH signature of a checkpoint, as `ssh-keygen -Y sign` names it: with `.sig` at the end.
pub fn signature_file(checkpoint: &Path) -> PathBuf {
    let mut name = checkpoint.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

impl Journal {
    /// Returns the checkpoints in the journal's folder, the oldest first.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn checkpoints(&self) -> io::Result<Vec<KeptCheckpoint>> {
        self.folder().map_or(Ok(Vec::new()), read)
    }

    /// Signs a checkpoint with this user's key in the keyring. Returns its text, and the key by which it is verified.
    ///
    /// # Errors
    /// Returns an error if the keyring can't be read.
    pub fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> io::Result<(String, VerifierKey)> {
        let text = checkpoint.signed(&*self.signing_key()?).ok_or_else(|| io::Error::other("it can’t be signed"))?;
        Ok((text, self.verifier_key(&checkpoint.origin)?))
    }

    /// Keeps the text of a checkpoint of so many entries in the journal's folder, with its SSH signature beside it if it
    /// has one. Replaces only one of the same entries by the same signer. Returns the file.
    ///
    /// # Errors
    /// Returns an error if a file can't be written.
    pub fn keep_checkpoint(&self, size: u64, text: &str, signature: Option<&SshSignature>) -> io::Result<PathBuf> {
        let folder = self.folder().ok_or_else(|| io::Error::other("there is no journal"))?;
        let kept = folder.join(FOLDER);
        own_files::make_folder(&kept)?;
        // The number first, with as many digits as any: names sort as sizes do.
        let signer = signature.map(|signature| format!("-{}", signature.key().id())).unwrap_or_default();
        let file = kept.join(format!("{size:020}{signer}.checkpoint"));
        if let Some(signature) = signature {
            let text = signature.text().ok_or_else(|| io::Error::other("the SSH signature can’t be written"))?;
            // A crash in between leaves a signature without its text, which is no checkpoint, and none that looks forged.
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => disk::sync_folder(&kept)?,
            }
            own_files::replace(&signature_file(&file), text.as_bytes(), Durability::Name)?;
        }
        own_files::replace(&file, text.as_bytes(), Durability::Name)?;
        Ok(file)
    }

    /// Returns the public key by which the checkpoints of a journal with this origin are verified.
    ///
    /// # Errors
    /// Returns an error if the keyring can't be read.
    pub fn verifier_key(&self, origin: &str) -> io::Result<VerifierKey> {
        let key = VerifierKey::of(origin, &*self.signing_key()?);
        key.ok_or_else(|| io::Error::other("the key can’t be used"))
    }

    fn signing_key(&self) -> io::Result<std::sync::Arc<JournalKey>> {
        let keyring = self.keyring.as_ref().ok_or_else(|| io::Error::other("there is no keyring"))?;
        keyring.writing_key().map_err(|error| io::Error::other(format!("{error}. {}", error.way_out())))
    }
}

fn read(folder: &Path) -> io::Result<Vec<KeptCheckpoint>> {
    let entries = match fs::read_dir(folder.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "checkpoint") {
            files.push(path);
        }
    }
    files.sort();
    let newest = files.split_off(files.len().saturating_sub(MAX_CHECKPOINTS));
    newest
        .into_iter()
        .map(|file| {
            let text = limited(&file, MAX_BYTES)?;
            let signature = match limited(&signature_file(&file), MAX_SIGNATURE_BYTES) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                signature => Some(signature?),
            };
            // The text alone is a checkpoint only with an SSH signature beside it.
            let read = if signature.is_some() { SignedCheckpoint::read_note } else { SignedCheckpoint::read };
            Ok(KeptCheckpoint { file, signed: read(&text).ok(), text, signature })
        })
        .collect()
}

/// Reads a file, and one byte behind the limit, by which it is refused later.
fn limited(file: &Path, limit: usize) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(file)?.take(limit as u64 + 1).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Returns `true` if a checkpoint is signed by one of the keys, `false` if it claims to be and the signature is not
/// valid; `None` if it is signed by none of them.
pub(super) fn is_signed(signed: &SignedCheckpoint, keys: &Keys) -> Option<bool> {
    let verifiers = keys.values().filter_map(|key| VerifierKey::of(&signed.checkpoint.origin, key));
    verifiers.filter_map(|key| signed.is_signed_by(&key)).reduce(|one, other| one || other)
}
