//! Exporting connections for other people, without any secret. The content of a CA file goes along, since its path leads
//! nowhere on another computer.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
};

use crate::{
    model::connections::{
        ca::{CaCertificates, MAX_CA_BYTES},
        endpoint::{Endpoint, Trust},
        profile::{Environment, Profile},
        share,
    },
    ops::Problem,
};

/// Export of connections.
#[derive(Clone, Debug)]
pub struct SharedProfiles {
    /// JSON text.
    pub text: String,
    /// Number of connections in it.
    pub count: usize,
    /// Sentences on CA files that can't be read and are exported as their path.
    pub warnings: Vec<String>,
}

/// Writes connections as JSON without secrets. The practice cluster is left out: it ends with the program. Blocks.
///
/// # Errors
/// If there is nothing to export.
pub fn shared(profiles: &[Profile]) -> Result<SharedProfiles, Problem> {
    let mut warnings = Vec::new();
    let lasting = profiles.iter().filter(|profile| profile.environment != Environment::Sandbox);
    let profiles: Vec<Profile> = lasting.map(|profile| with_ca(profile, &mut warnings)).collect();
    if profiles.is_empty() {
        return Err(Problem::new("Nothing was exported", "There are no saved connections"));
    }
    let text = share::write(&profiles).map_err(|error| Problem::new("Nothing was exported", &error.to_string()))?;
    Ok(SharedProfiles { text, count: profiles.len(), warnings })
}

fn with_ca(profile: &Profile, warnings: &mut Vec<String>) -> Profile {
    let Trust::CaFile(path) = &profile.endpoint.trust else { return profile.clone() };
    match read_ca(path) {
        Ok(ca) => {
            let endpoint = Endpoint { trust: Trust::Ca(ca), ..profile.endpoint.clone() };
            Profile { endpoint, ..profile.clone() }
        }
        Err(reason) => {
            let path = path.display();
            warnings.push(format!("{}: only the path of the CA file {path} is exported: {reason}", profile.name));
            profile.clone()
        }
    }
}

fn read_ca(path: &Path) -> Result<CaCertificates, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".into());
    }
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_CA_BYTES as u64 + 1).read_to_end(&mut text));
    read.map_err(|error| error.to_string())?;
    CaCertificates::read(&text).map_err(|error| error.to_string())
}

/// Writes an export to a file that doesn't exist yet. Blocks.
///
/// # Errors
/// If the file exists already or can't be written; no part of it stays behind.
pub fn to_file(shared: &SharedProfiles, path: &Path) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "it exists already: choose another name".to_owned(),
            _ => error.to_string(),
        };
        Problem::new("Nothing was exported", &format!("{}: {reason}", path.display()))
    };
    let mut file = File::options().write(true).create_new(true).open(path).map_err(failed)?;
    let written = file.write_all(shared.text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        failed(error)
    })
}
