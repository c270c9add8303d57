//! A file with an SSH key in OpenSSH's own format, as `ssh-keygen` writes it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use ssh_key::{Kdf, PrivateKey};
use zeroize::Zeroizing;

use crate::model::{journal::ssh_signature::SshKey, secret::Secret};

/// Size limit of a key's file in bytes; one with RSA 16384 has 13 KiB.
const MAX_KEY_FILE_BYTES: u64 = 64 << 10;
/// Maximum number of rounds by which a passphrase becomes a key: some minutes. `ssh-keygen` takes 24 unless told otherwise.
const MAX_ROUNDS: u32 = 5000;

const BEGINNING: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";

/// What a file holds.
pub enum KeyFile {
    /// Private key that signs. It is overwritten when it is dropped.
    Private(Box<PrivateKey>),
    /// Public key, whose private one the agent may have.
    Public(SshKey),
}

/// Reason why a file has no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// File that can't be read.
    #[error("It can’t be read: {0}")]
    File(io::Error),
    /// File that others can read.
    #[error("Others can read it (mode {0:03o})")]
    Mode(u32),
    /// File that is larger than any key.
    #[error("It is larger than {MAX_KEY_FILE_BYTES} bytes")]
    TooLarge,
    /// File in another format.
    #[error("It is neither a private key in OpenSSH’s format nor a public key")]
    Format,
    /// Passphrase that takes too long.
    #[error("Its passphrase takes {0} rounds, more than {MAX_ROUNDS}")]
    Rounds(u32),
    /// Encrypted key, and nobody to ask.
    #[error("It is encrypted, and {0}")]
    NoPassphrase(NoPassphrase),
    /// Passphrase that does not fit.
    #[error("The passphrase does not fit, or the file is damaged")]
    WrongPassphrase,
}

/// Reason why there is no passphrase, as a part of a sentence.
pub type NoPassphrase = String;

impl KeyFileError {
    /// Returns the way out.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::File(_) => "Check the path and its permissions",
            Self::Mode(_) => {
                "Take the others’ permissions away (chmod 600), or take a new key if they were to be trusted less"
            }
            Self::TooLarge | Self::Format => {
                "Pass a file that ssh-keygen made; one in another format is converted by ssh-keygen -p -f FILE"
            }
            Self::Rounds(_) => "Set the passphrase anew with fewer rounds: ssh-keygen -p -a 24 -f FILE",
            Self::NoPassphrase(_) => "Add the key to the ssh-agent (ssh-add), and sign by the agent",
            Self::WrongPassphrase => "Try again, or check the file: ssh-keygen -y -f FILE asks for its passphrase, too",
        }
    }
}

impl KeyFile {
    /// Reads a file. `passphrase` is called for an encrypted key.
    ///
    /// # Errors
    /// Returns the reason why the file has no key to sign with.
    pub fn read(path: &Path, passphrase: impl FnOnce() -> Result<Secret, NoPassphrase>) -> Result<Self, KeyFileError> {
        let file = File::open(path).map_err(KeyFileError::File)?;
        let mode = others_rights(&file).map_err(KeyFileError::File)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE_BYTES as usize + 1));
        file.take(MAX_KEY_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(KeyFileError::File)?;
        if bytes.len() as u64 > MAX_KEY_FILE_BYTES {
            return Err(KeyFileError::TooLarge);
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| KeyFileError::Format)?.trim();
        if !text.starts_with(BEGINNING) {
            return SshKey::read(text).map(Self::Public).ok_or(KeyFileError::Format);
        }
        if let Some(mode) = mode {
            return Err(KeyFileError::Mode(mode));
        }
        let key = PrivateKey::from_openssh(text).map_err(|_| KeyFileError::Format)?;
        if !key.is_encrypted() {
            return Ok(Self::Private(Box::new(key)));
        }
        if let Kdf::Bcrypt { rounds, .. } = key.kdf()
            && *rounds > MAX_ROUNDS
        {
            return Err(KeyFileError::Rounds(*rounds));
        }
        let passphrase = passphrase().map_err(KeyFileError::NoPassphrase)?;
        let key = key.decrypt(passphrase.expose()).map_err(|_| KeyFileError::WrongPassphrase)?;
        Ok(Self::Private(Box::new(key)))
    }
}

/// Returns the mode of a file that others than its owner can use, which no program of SSH takes a private key from.
#[cfg(unix)]
fn others_rights(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// Elsewhere access control lists decide.
#[cfg(not(unix))]
fn others_rights(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use ssh_key::{
        Cipher, LineEnding,
        private::{Ed25519Keypair, KeypairData},
    };

    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&[3; 32])), "ana").unwrap()
    }

    fn read(text: &str, mode: u32, passphrase: &str) -> Result<KeyFile, KeyFileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let _ = mode;
        KeyFile::read(&path, || match passphrase {
            "" => Err("nobody is there".into()),
            passphrase => Ok(Secret::new(passphrase)),
        })
    }

    fn encrypted(rounds: u32) -> String {
        let kdf = Kdf::Bcrypt { salt: vec![1; 16], rounds };
        let key = key().encrypt_with(Cipher::Aes256Ctr, kdf, 7, "open sesame").unwrap();
        key.to_openssh(LineEnding::LF).unwrap().to_string()
    }

    #[test]
    fn a_key_is_read_with_its_passphrase_and_what_is_none_is_refused() {
        let plain = key().to_openssh(LineEnding::LF).unwrap().to_string();
        let is_ours = |read: Result<KeyFile, KeyFileError>| match read {
            Ok(KeyFile::Private(own)) => own.public_key().key_data() == key().public_key().key_data(),
            _ => false,
        };
        assert!(is_ours(read(&plain, 0o600, "")));
        assert!(is_ours(read(&encrypted(2), 0o400, "open sesame")));
        let public = key().public_key().to_openssh().unwrap();
        assert!(matches!(read(&public, 0o644, ""), Ok(KeyFile::Public(own)) if own.comment == "ana"));
        let refused = |text: &str, passphrase: &str| match read(text, 0o600, passphrase) {
            Err(error) => {
                assert!(!error.way_out().is_empty());
                format!("{error}")
            }
            Ok(_) => String::new(),
        };
        assert!(refused(&encrypted(2), "open sesam").contains("does not fit"));
        assert!(refused(&encrypted(2), "").contains("nobody is there"));
        let rounds = MAX_ROUNDS + 1;
        let (from, to) = (2_u32.to_be_bytes(), rounds.to_be_bytes());
        // The rounds are behind the salt of sixteen ones.
        let lines: String = encrypted(2).lines().filter(|line| !line.starts_with('-')).collect();
        let mut bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, lines).unwrap();
        let at = bytes.windows(20).position(|part| part[..16] == [1; 16] && part[16..] == from).unwrap() + 16;
        bytes[at..at + 4].copy_from_slice(&to);
        let key = PrivateKey::from_bytes(&bytes).unwrap();
        assert!(refused(&key.to_openssh(LineEnding::LF).unwrap(), "open sesame").contains("5001 rounds"));
        assert!(
            refused("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "").contains("neither")
        );
        assert!(refused(&plain[..plain.len() / 2], "").contains("neither"));
        assert!(refused(&"x".repeat(70 << 10), "").contains("larger"));
        #[cfg(unix)]
        assert!(matches!(read(&plain, 0o640, ""), Err(KeyFileError::Mode(0o640))));
    }
}
