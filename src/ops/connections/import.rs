//! Importing connections: texts are read from files, and what was chosen is saved, never over a connection that nobody
//! asked to replace.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    model::{
        connections::{
            import::{self, ImportError, MAX_IMPORT_BYTES, MAX_IMPORT_SOURCES, Origin, Proposal, Source},
            profile::Profile,
        },
        secret::Secret,
        text::sanitize,
    },
    ops::Problem,
    store::connections::{Profiles, ProfilesError},
};

/// Where the certificate of the CA lies beside `elasticsearch.yml`, as Elasticsearch itself puts it at its first start.
const CA_BESIDE: [&str; 2] = ["certs/http_ca.crt", "http_ca.crt"];

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let name = sanitize::shortened(&error.source_name, 60);
        Problem::new("Nothing can be imported", &format!("{name}: {}", error.reason))
    }
}

/// Reads connections from files that belong together. A single `elasticsearch.yml` is read with the certificate of the
/// CA beside it. Blocks.
///
/// # Errors
/// If a file can't be read, or holds nothing that is understood.
pub fn read_files(paths: &[PathBuf]) -> Result<Vec<Proposal>, Problem> {
    if paths.len() > MAX_IMPORT_SOURCES {
        let detail = format!("At most {MAX_IMPORT_SOURCES} files can be imported together");
        return Err(Problem::new("Nothing can be imported", &detail));
    }
    let sources: Vec<Source> = paths.iter().map(|path| read_file(path)).collect::<Result<_, _>>()?;
    let mut proposals = import::read(&sources)?;
    if let ([path], [proposal]) = (paths, proposals.as_slice())
        && proposal.origin == Origin::ElasticsearchYml
        && proposal.draft.url.starts_with("https://")
    {
        let folder = path.parent().unwrap_or(Path::new("."));
        if let Some(beside) = CA_BESIDE.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
            let name = sanitize::shown(&beside.display().to_string()).into_owned();
            match read_file(&beside).and_then(|ca| Ok(import::read(&[sources, vec![ca]].concat())?)) {
                Ok(with_ca) => {
                    proposals = with_ca;
                    note(&mut proposals, format!("The CA is that of {name}"));
                }
                Err(problem) => note(&mut proposals, format!("The CA beside it was not read. {}", problem.detail)),
            }
        } else {
            note(&mut proposals, import::NO_CA_BESIDE.into());
        }
    }
    Ok(proposals)
}

fn note(proposals: &mut [Proposal], words: String) {
    proposals.iter_mut().for_each(|proposal| proposal.notes.push(words.clone()));
}

/// Reads connections from a text.
///
/// # Errors
/// If it holds nothing that is understood.
pub fn read_text(name: &str, text: Secret) -> Result<Vec<Proposal>, Problem> {
    Ok(import::read(&[Source { name: name.to_owned(), text }])?)
}

/// Reads a text from stdin or a file, within the limit. Blocks.
///
/// # Errors
/// If it can't be read, is too long or no text.
pub fn read_bytes(from: impl io::Read, name: &str) -> Result<Secret, Problem> {
    let failed = |reason: &str| Problem::new("Nothing can be imported", &format!("{name}: {reason}"));
    // Room for all of it at once: a buffer that grows leaves parts of a secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_IMPORT_BYTES as usize + 1));
    from.take(MAX_IMPORT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(&error.to_string()))?;
    if bytes.len() as u64 > MAX_IMPORT_BYTES {
        return Err(failed(&format!("it is longer than {} KiB", MAX_IMPORT_BYTES / 1024)));
    }
    decoded(&bytes).ok_or_else(|| failed("it is neither UTF-8 nor UTF-16 text"))
}

/// Reads UTF-8, or UTF-16 with its mark: PowerShell's `>` writes the latter.
fn decoded(bytes: &[u8]) -> Option<Secret> {
    let read: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return std::str::from_utf8(bytes).ok().map(Secret::new),
    };
    let units = bytes[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().map(Secret::new)
}

fn read_file(path: &Path) -> Result<Source, Problem> {
    let name = sanitize::shown(&path.display().to_string()).into_owned();
    let failed = |reason: &str| Problem::new("Nothing can be imported", &format!("{name}: {reason}"));
    let unread = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => failed("there is no such file"),
        io::ErrorKind::PermissionDenied => failed("you don't have permission to read it"),
        other => failed(&other.to_string()),
    };
    // Before it is opened: opening a pipe would wait for somebody who writes to it.
    let metadata = std::fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err(failed("it is not a file"));
    }
    let text = read_bytes(File::open(path).map_err(unread)?, &name)?;
    Ok(Source { name, text })
}

/// Connection to be saved.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Connection, with an id of its own.
    pub profile: Profile,
    /// `true` to replace the connection with this name, if there is one.
    pub replaces: bool,
}

/// Connections that were saved and were not.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Names of those that were saved.
    pub names: Vec<String>,
    /// Names of those that were not, each with the reason.
    pub failed: Vec<(String, ProfilesError)>,
}

/// Saves connections, one after another. What is replaced keeps its id, and does not become less protected. Blocks.
///
/// # Errors
/// If two of them have the same name, so that one would replace the other, or the keyring can't be read: nothing was
/// saved.
pub fn save(profiles: &Profiles, chosen: Vec<Chosen>) -> Result<Saved, ProfilesError> {
    let mut names = HashSet::new();
    if let Some(double) = chosen.iter().find(|one| !names.insert(one.profile.name.trim())) {
        return Err(ProfilesError::NameTaken(double.profile.name.clone()));
    }
    let known = profiles.list()?;
    let mut saved = Saved::default();
    for Chosen { mut profile, replaces } in chosen {
        let before = known.profiles.iter().find(|own| own.name.trim() == profile.name.trim());
        if let Some(before) = before.filter(|_| replaces) {
            profile.id = before.id.clone();
            profile.endpoint.protection = profile.endpoint.protection.max(before.endpoint.protection);
        }
        match profiles.save(&profile) {
            Ok(()) => saved.names.push(profile.name),
            Err(error) => saved.failed.push((profile.name, error)),
        }
    }
    Ok(saved)
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
