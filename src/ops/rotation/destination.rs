//! Destinations of a successor's secret, and what is found there later.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::DestinationContent;
use crate::{
    model::{api_key::KeyId, connections::login::Login, rotation::Destination, secret::Secret},
    store::secret_file,
};

/// Reads a key from a file, encoded or as `id:key`; `None` if there is none.
///
/// # Errors
/// Returns an error if the file can't be read.
pub fn in_file(path: &Path) -> io::Result<Option<(KeyId, Secret)>> {
    let text = secret_file::read(path)?;
    let login = text.and_then(|text| Login::from_api_key_text(text.expose()).ok());
    Ok(match login {
        Some(Login::ApiKey { id, secret }) => Some((KeyId::new(id), secret)),
        _ => None,
    })
}

/// Returns the content of a secret's destination; [`DestinationContent::NotKnown`] if that is no file.
pub fn arrived(place: &Destination) -> DestinationContent {
    let Destination::File { path } = place else { return DestinationContent::NotKnown };
    match (in_file(path), std::fs::metadata(path)) {
        (Ok(Some((id, _))), _) => DestinationContent::Key(id),
        (_, Ok(found)) if found.len() == 0 => DestinationContent::Empty,
        _ => DestinationContent::NotKnown,
    }
}

/// Returns an absolute path that can be saved as text.
///
/// # Errors
/// Returns an error if the path is not UTF-8.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8 text")),
    }
}

/// Returns the file name for the secret of a key's successor, from the key's id; `None` for an id that could lead to
/// another folder.
pub fn file_name(old: &KeyId) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (!old.as_str().is_empty() && old.as_str().bytes().all(plain)).then(|| format!("{old}.key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_file_tells_whether_the_secret_arrived() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let place = Destination::File { path: path.clone() };
        assert_eq!(arrived(&place), DestinationContent::NotKnown);
        std::fs::write(&path, "").unwrap();
        assert_eq!(arrived(&place), DestinationContent::Empty);
        std::fs::write(&path, "not a key at all").unwrap();
        assert_eq!(arrived(&place), DestinationContent::NotKnown);
        for text in ["aWQ6a2V5\n", "id:key"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(arrived(&place), DestinationContent::Key(KeyId::new("id")));
        }
        assert_eq!(arrived(&Destination::Stdout), DestinationContent::NotKnown);
        assert_eq!(in_file(&path).unwrap().unwrap().1.expose(), "key");
    }

    #[test]
    fn an_id_that_could_lead_elsewhere_names_no_file() {
        assert_eq!(file_name(&KeyId::new("VuaC-_1")).unwrap(), "VuaC-_1.key");
        for odd in ["", "../x", "a/b", "a b"] {
            assert!(file_name(&KeyId::new(odd)).is_none(), "{odd}");
        }
    }
}
