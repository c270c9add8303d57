//! Reading the rules of a computer from TOML. Anything that is not understood makes the whole file unusable: a rule with
//! a typing error would be a rule that doesn't hold.

use std::{fmt, ops::Range, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{HostPattern, Rules};
use crate::model::{TimeDelta, Timestamp, lock::MAX_IDLE, time::expiry::Expiry};

/// Most hosts, and most UUIDs, that a file may list.
const MAX_ALLOWED: usize = 1_000;

/// Longest UUID of a cluster, in characters; Elasticsearch's have 22.
const MAX_UUID_CHARS: usize = 64;

/// Placeholder for the name of the user in the folder of the journal.
const USER: &str = "{user}";

/// Reason why a file of rules can't be used. `Display` begins with the place in the file, if it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// Line and column, from 1 and in characters; `None` if the fault has no place in the text.
    pub at: Option<(usize, usize)>,
    /// Reason, as the end of a sentence.
    pub reason: String,
}

impl PolicyFault {
    /// Creates a fault of the file as a whole.
    pub fn whole(reason: impl Into<String>) -> Self {
        Self { at: None, reason: reason.into() }
    }

    fn at(text: &str, span: Option<Range<usize>>, reason: impl Into<String>) -> Self {
        let before = span.and_then(|span| text.get(..span.start));
        let place = |before: &str| {
            let line = before.rsplit('\n').next().unwrap_or(before);
            (before.matches('\n').count() + 1, line.chars().count() + 1)
        };
        Self { at: before.map(place), reason: reason.into() }
    }
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Tables {
    journal: JournalTable,
    tls: TlsTable,
    connections: ConnectionsTable,
    lock: LockTable,
    clusters: ClustersTable,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct JournalTable {
    required: bool,
    path: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct TlsTable {
    verify_required: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ConnectionsTable {
    production_protected: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct LockTable {
    max_idle: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ClustersTable {
    allowed: Option<Spanned<Vec<Spanned<String>>>>,
    uuids: Option<Spanned<Vec<Spanned<String>>>>,
}

/// Reads the rules from the text of their file. `user` is the name that the operating system has for the user.
///
/// # Errors
/// The first fault, with its line and column.
pub fn parse(text: &str, user: &str) -> Result<Rules, PolicyFault> {
    let tables: Tables =
        toml::from_str(text).map_err(|error| PolicyFault::at(text, error.span(), one_line(error.message())))?;
    let fault = |span: Range<usize>, reason: String| PolicyFault::at(text, Some(span), reason);
    let JournalTable { required, path } = tables.journal;
    let journal_folder = path.map(|path| folder(&path, required, user).map_err(|why| fault(path.span(), why)));
    let max_idle = tables.lock.max_idle.map(|idle| minutes(idle.get_ref()).map_err(|why| fault(idle.span(), why)));
    let ClustersTable { allowed, uuids } = tables.clusters;
    if let (None, Some(uuids)) = (&allowed, &uuids) {
        let reason = "clusters.uuids requires clusters.allowed: which cluster answers is known only after the credential \
                      was sent, so its host has to be allowed first";
        return Err(fault(uuids.span(), reason.into()));
    }
    Ok(Rules {
        is_journal_required: required,
        journal_folder: journal_folder.transpose()?,
        is_verification_required: tables.tls.verify_required,
        is_production_protected: tables.connections.production_protected,
        max_idle: max_idle.transpose()?,
        allowed_hosts: allowed.map(|list| entries(text, &list, HostPattern::parse)).transpose()?,
        allowed_uuids: uuids.map(|list| entries(text, &list, uuid)).transpose()?,
    })
}

/// Returns the message of the TOML reader on one line.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

fn folder(path: &Spanned<String>, is_required: bool, user: &str) -> Result<PathBuf, String> {
    let path = path.get_ref();
    if !is_required {
        return Err("journal.path has no effect without journal.required = true".into());
    }
    let is_name = !user.is_empty() && !matches!(user, "." | "..") && !user.contains(['/', '\\', '\0']);
    if path.contains(USER) && !is_name {
        return Err("the name of the user, for {user}, is not known".into());
    }
    let filled = path.replace(USER, user);
    if path.replace(USER, "").contains(['{', '}']) {
        return Err("{user} is the only placeholder".into());
    }
    let folder = PathBuf::from(filled);
    if !folder.is_absolute() || folder.components().any(|part| part == std::path::Component::ParentDir) {
        return Err("use an absolute path without “..”".into());
    }
    Ok(folder)
}

fn minutes(text: &str) -> Result<u32, String> {
    let length = match Expiry::parse(text, Timestamp::EPOCH, &jiff::tz::TimeZone::UTC) {
        Ok(Expiry::In(span)) => span.length(),
        _ => None,
    };
    let minute = TimeDelta::MINUTE.as_millis();
    let whole = length.map(TimeDelta::as_millis).filter(|length| length % minute == 0).map(|length| length / minute);
    let minutes =
        whole.and_then(|minutes| u32::try_from(minutes).ok()).filter(|minutes| (1..=MAX_IDLE).contains(minutes));
    minutes.ok_or_else(|| format!("“{text}” is no idle time: use whole minutes from 1m to 24h, such as 10m"))
}

fn uuid(text: &str) -> Result<String, String> {
    let is_uuid = (1..=MAX_UUID_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_uuid
        .then(|| text.to_owned())
        .ok_or_else(|| format!("“{text}” is not the UUID of a cluster, as GET / reports it"))
}

/// Reads the entries of a list, which has to have some: an empty one could mean all or none.
fn entries<T>(
    text: &str,
    list: &Spanned<Vec<Spanned<String>>>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, PolicyFault> {
    let all = list.get_ref();
    let wrong = match all.len() {
        0 => Some("the list is empty: leave it out to allow all clusters".to_owned()),
        count if count > MAX_ALLOWED => Some(format!("the list has more than {MAX_ALLOWED} entries")),
        _ => None,
    };
    if let Some(reason) = wrong {
        return Err(PolicyFault::at(text, Some(list.span()), reason));
    }
    let each = |entry: &Spanned<String>| {
        read(entry.get_ref()).map_err(|reason| PolicyFault::at(text, Some(entry.span()), reason))
    };
    all.iter().map(each).collect()
}
