//! The keys of several clusters as one list.

use std::sync::Arc;

use super::listing;
use crate::{
    cli::{args::connection::ConnectionFlags, environment, error::CliError, output},
    model::{inventory::RowId, text::sanitize},
    ops::keys::list::{self, KeyList},
};

/// Keys of several clusters as one list.
pub(crate) struct SeveralLists {
    /// Keys of all clusters that could be read.
    pub(crate) keys: KeyList,
    /// Lists by the names of their connections.
    parts: Vec<(String, Arc<KeyList>)>,
    /// Exclusive end of each list's keys in `keys`.
    ends: Vec<usize>,
    /// `true` if every list was read, and none lacks anything.
    pub(crate) is_whole: bool,
}

impl SeveralLists {
    /// Returns the name of the connection that a key was read by.
    pub(crate) fn name(&self, row: RowId) -> &str {
        let part = self.ends.partition_point(|end| *end <= row.index());
        self.parts.get(part).map_or("", |(name, _)| name)
    }

    /// Reports what is missing, cluster by cluster.
    pub(crate) fn print_doubts(&self) {
        for (name, list) in &self.parts {
            if !list.is_whole() {
                output::print_error(&format!("{}:", sanitize::shown(name)));
                listing::print_doubts(list);
            }
        }
    }
}

/// Reads the keys by each saved connection, one after the other. One that fails is reported, and the others are read all
/// the same. Two connections to one cluster are read once.
///
/// # Errors
/// If no connection could be read.
pub(crate) async fn read(flags: &ConnectionFlags, names: &[String]) -> Result<SeveralLists, CliError> {
    let mut parts: Vec<(String, Arc<KeyList>)> = Vec::new();
    let mut uuids: Vec<(String, String)> = Vec::new();
    let mut is_whole = true;
    for name in names {
        let one = ConnectionFlags { profile: Some(name.clone()), is_one_of_several: true, ..flags.clone() };
        let answer = async {
            let session = one.session().await?;
            let uuid = session.cluster_uuid.clone().unwrap_or_default();
            let same = uuids.iter().find(|(known, _)| !uuid.is_empty() && *known == uuid);
            if let Some((_, other)) = same {
                let words = format!("{name} is the same cluster as {other}, and is not read again");
                output::print_status(&sanitize::shown(&words));
                return Ok(None);
            }
            Ok::<_, CliError>(Some((uuid, listing::read(&session).await?)))
        };
        match answer.await {
            Ok(Some((uuid, list))) => {
                is_whole &= list.is_whole();
                uuids.push((uuid, name.clone()));
                parts.push((name.clone(), Arc::new(list)));
            }
            Ok(None) => {}
            Err(error) => {
                is_whole = false;
                output::print_error(&format!("{} could not be read:", sanitize::shown(name)));
                error.print();
            }
        }
    }
    if parts.is_empty() {
        return Err(CliError::problem("No cluster could be read", "", "See above for the reason of each"));
    }
    let lists: Vec<Arc<KeyList>> = parts.iter().map(|(_, list)| Arc::clone(list)).collect();
    let (keys, ends) = list::merged(&lists);
    Ok(SeveralLists { keys, parts, ends, is_whole })
}

/// Returns the names of all saved connections. Those that can't be read are reported.
///
/// # Errors
/// If the keyring can't be read, or there is no connection.
pub(crate) fn all_names() -> Result<(Vec<String>, bool), CliError> {
    let list = environment::in_keyring(|profiles| profiles.list())?;
    for unreadable in &list.unreadable {
        let name = unreadable.name.as_deref().unwrap_or(&unreadable.id.0);
        output::print_error(&format!("{} could not be read: {}", sanitize::shown(name), unreadable.reason));
    }
    let names: Vec<String> = list.profiles.into_iter().map(|profile| profile.name).collect();
    if names.is_empty() {
        return Err(CliError::problem("There is no saved connection", "", "`keybearer profiles save` saves one"));
    }
    Ok((names, list.unreadable.is_empty()))
}
