//! What `keybearer update` was asked for, checked: a slip is told before anything is sent.

use clap::Args;
use serde_json::value::RawValue;

use super::{cross_cluster::read_access, error::CliError};
use crate::{
    model::{
        Millis,
        api_key::{ApiKey, KeyKind},
        cross_cluster::{Access, CrossClusterUpdate},
        expiry::{Expiry, Span},
        json_text,
        update::KeyUpdate,
    },
    ops::clock,
};

/// The options that say what shall be different.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(super) struct WantedArgs {
    /// New end, counted from now: 12h, 90d, or a date; an end can't be taken away again
    #[arg(long, value_name = "SPAN|DATE", allow_hyphen_values = true)]
    expiration: Option<String>,
    /// All of the new metadata, a JSON object; what is not in it is gone
    #[arg(long, value_name = "JSON|@FILE")]
    metadata: Option<String>,
    /// One member of the metadata, the others stay; a value that is no JSON is a text
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "metadata")]
    set: Vec<String>,
    /// All of the new role descriptors, a JSON object by name
    #[arg(long, value_name = "JSON|@FILE")]
    role_descriptors: Option<String>,
    /// All of the new access of a cross-cluster key, as Elasticsearch takes it
    #[arg(long, value_name = "FILE|JSON")]
    access: Option<String>,
    /// New pattern of the certificates that a cross-cluster key is bound to; blank takes the binding away
    #[arg(long, value_name = "PATTERN")]
    certificate_identity: Option<String>,
}

/// What shall be different, valid as far as can be told without the cluster.
#[derive(Default)]
pub(super) struct Wanted {
    end: Option<Expiry>,
    metadata: Option<Box<RawValue>>,
    set: Vec<(String, Box<RawValue>)>,
    role_descriptors: Option<Box<RawValue>>,
    access: Option<Access>,
    certificate_identity: Option<Option<String>>,
}

impl WantedArgs {
    /// Reads the options and the files they name. The two flags are the extra words for `{}`.
    ///
    /// # Errors
    /// One line for each option that is wrong.
    pub(super) fn check(&self, all_owner_rights: bool, wipe_metadata: bool) -> Result<Wanted, CliError> {
        let mut lines = Vec::new();
        let mut wanted = Wanted::default();
        match self.access.as_deref().map(read_access).transpose() {
            Ok(access) => wanted.access = access,
            Err(words) => lines.push(words),
        }
        let identity = self.certificate_identity.as_deref().map(str::trim);
        wanted.certificate_identity = identity.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        if let Some(text) = &self.expiration {
            match end(text) {
                Ok(end) => wanted.end = Some(end),
                Err(words) => lines.push(format!("--expiration: {words}")),
            }
        }
        let mut read = |option: &str, given: &Option<String>, is_meant: bool, extra: &str| {
            let read = given.as_deref().map(|given| object(given, is_meant, extra)).transpose();
            read.unwrap_or_else(|words| {
                lines.push(format!("{option}: {words}"));
                None
            })
        };
        let extra = "this wipes all metadata: add --wipe-metadata if it is meant";
        wanted.metadata = read("--metadata", &self.metadata, wipe_metadata, extra);
        let extra =
            "without any descriptor the key may do all that its owner may: add --all-owner-rights if it is meant";
        wanted.role_descriptors = read("--role-descriptors", &self.role_descriptors, all_owner_rights, extra);
        let typed = wanted.metadata.as_ref().and_then(|raw| json_text::members(raw.get())).unwrap_or_default();
        for pair in &self.set {
            match pair.split_once('=') {
                Some((name, value)) if !name.is_empty() => wanted.set.push((name.to_owned(), value_of(value))),
                _ => lines.push(format!("--set: “{pair}” is not KEY=VALUE")),
            }
        }
        for (name, _) in typed.iter().chain(&wanted.set).filter(|(name, _)| name.starts_with('_')) {
            lines.push(format!("metadata: “{name}” starts with _, which Elasticsearch keeps for itself: rename it"));
        }
        if lines.is_empty() { Ok(wanted) } else { Err(CliError::Fields(lines)) }
    }
}

impl Wanted {
    /// Whether each key gets metadata of its own.
    pub(super) fn differs_by_key(&self) -> bool {
        !self.set.is_empty()
    }

    /// Whether it says a new end.
    pub(super) fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// The update of one key. `now` is the cluster's.
    ///
    /// # Errors
    /// When the end has gone by meanwhile, or when metadata can't be merged because the key tells none.
    pub(super) fn update(&self, key: &ApiKey, now: Millis) -> Result<KeyUpdate, CliError> {
        let expiration = self.expiration(now)?;
        let metadata = if self.set.is_empty() { self.metadata.clone() } else { Some(merged(key, &self.set)?) };
        Ok(KeyUpdate { role_descriptors: self.role_descriptors.clone(), metadata, expiration })
    }
}

impl Wanted {
    fn expiration(&self, now: Millis) -> Result<Option<Span>, CliError> {
        match self.end.map(|end| end.check(now)).transpose() {
            Ok(None | Some(Expiry::Never)) => Ok(None),
            Ok(Some(Expiry::In(span))) => Ok(Some(span)),
            Ok(Some(Expiry::At(at))) => Ok(Some(Span::of_millis(at.saturating_sub(now)))),
            Err(words) => Err(CliError::Fields(vec![format!("--expiration: {words}")])),
        }
    }

    /// Whether these are cross-cluster keys, and what they are to become; `None` for REST keys.
    ///
    /// # Errors
    /// When kinds are mixed, or something is asked for that the kind has not.
    pub(super) fn cross_cluster(&self, keys: &[ApiKey]) -> Result<Option<WantedCross<'_>>, CliError> {
        if let Some(key) = keys.iter().find(|key| matches!(key.kind, KeyKind::Other(_))) {
            let title =
                format!("{} is a {} key, which Keybearer can't update. Nothing is done", key.id, key.kind.word());
            return Err(CliError::problem(&title, "", ""));
        }
        let cross = keys.iter().find(|key| key.kind == KeyKind::CrossCluster);
        let rest = keys.iter().find(|key| key.kind == KeyKind::Rest);
        let has_cross_options = self.access.is_some() || self.certificate_identity.is_some();
        match (cross, rest) {
            (Some(cross), Some(rest)) => Err(CliError::usage(format!(
                "Nothing is done: {} is a cross-cluster key and {} is a REST key, update them one after the other",
                cross.id, rest.id
            ))),
            (Some(cross), None) if self.role_descriptors.is_some() => Err(CliError::usage(format!(
                "Nothing is done: {} is a cross-cluster key, which has --access in place of --role-descriptors",
                cross.id
            ))),
            (Some(_), None) => Ok(Some(WantedCross(self))),
            (None, Some(rest)) if has_cross_options => Err(CliError::usage(format!(
                "Nothing is done: {} is a REST key, and --access and --certificate-identity are for cross-cluster keys",
                rest.id
            ))),
            (None, _) => Ok(None),
        }
    }
}

/// What shall be different about cross-cluster keys.
pub(super) struct WantedCross<'a>(&'a Wanted);

impl WantedCross<'_> {
    /// Whether a binding to certificates is asked for, or its end.
    pub(super) fn has_identity(&self) -> bool {
        self.0.certificate_identity.is_some()
    }

    /// The update of one key. `now` is the cluster's. An end alone is refused by Elasticsearch: the metadata goes
    /// along as it is.
    ///
    /// # Errors
    /// When the end has gone by meanwhile, or when metadata is needed and the key tells none.
    pub(super) fn update(&self, key: &ApiKey, now: Millis) -> Result<CrossClusterUpdate, CliError> {
        let wanted = self.0;
        let metadata = if wanted.set.is_empty() { wanted.metadata.clone() } else { Some(merged(key, &wanted.set)?) };
        let mut update = CrossClusterUpdate {
            access: wanted.access.clone(),
            certificate_identity: wanted.certificate_identity.clone(),
            metadata,
            expiration: wanted.expiration(now)?,
        };
        if !update.is_enough() {
            update.metadata = Some(merged(key, &[])?);
        }
        Ok(update)
    }
}

fn end(text: &str) -> Result<Expiry, String> {
    match Expiry::parse(text, clock::now(), &clock::zone()) {
        Ok(Expiry::Never) => Err("The cluster can't take an end away: set a later one, or create a new key".to_owned()),
        Ok(end) => Ok(end),
        Err(error) => Err(error.to_string()),
    }
}

/// A JSON object that was typed or is in a file.
fn object(given: &str, is_meant: bool, extra: &str) -> Result<Box<RawValue>, String> {
    let text = match given.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path} can't be read: {error}"))?,
        None => given.to_owned(),
    };
    if text.trim().is_empty() {
        return Err("It is blank: write a JSON object, {…}".into());
    }
    json_text::object(&text).map_err(|error| error.to_string())?;
    if json_text::is_empty_object(&text) && !is_meant {
        return Err(extra.to_owned());
    }
    RawValue::from_string(text.trim().to_owned()).map_err(|error| error.to_string())
}

/// JSON as it is, anything else as a text.
fn value_of(text: &str) -> Box<RawValue> {
    serde_json::from_str::<Box<RawValue>>(text)
        .or_else(|_| RawValue::from_string(json_text::quote(text)))
        .unwrap_or_default()
}

/// The key's metadata with some members set; all others are carried as they are.
fn merged(key: &ApiKey, set: &[(String, Box<RawValue>)]) -> Result<Box<RawValue>, CliError> {
    let unknown = || {
        let title = format!("The metadata of {} is not known, so that nothing can be set in it", key.id);
        CliError::problem(&title, "", "--metadata replaces it as a whole")
    };
    let known = key.metadata.as_ref().and_then(|raw| json_text::members(raw.get())).ok_or_else(unknown)?;
    let mut members = known;
    for (name, value) in set {
        members.retain(|(other, _)| other != name);
        members.push((name.clone(), value.clone()));
    }
    let text = json_text::write_object(members.iter().map(|(name, value)| (name.as_str(), value.get())));
    RawValue::from_string(text).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_joins_what_is_there_to_the_digit() {
        let key =
            ApiKey { metadata: RawValue::from_string(r#"{"n":1.0e+10,"team":"a"}"#.into()).ok(), ..ApiKey::default() };
        let set = [("team".to_owned(), value_of("b c")), ("level".to_owned(), value_of("2"))];
        assert_eq!(merged(&key, &set).unwrap().get(), r#"{"n":1.0e+10,"team":"b c","level":2}"#);
        assert!(merged(&ApiKey::default(), &set).is_err());
    }

    #[test]
    fn emptiness_needs_an_extra_word() {
        assert_eq!(object("{ }", false, "why").unwrap_err(), "why");
        assert!(object("{ }", true, "why").is_ok());
        assert!(object("[]", true, "why").is_err() && object("", true, "why").is_err());
        assert!(object("@/no/such/file", true, "why").unwrap_err().contains("/no/such/file"));
    }

    #[test]
    fn an_end_lies_ahead_and_is_not_never() {
        assert!(end("never").is_err() && end("-1d").is_err() && end("soon").is_err());
        assert!(end("90d").is_ok());
    }
}
