//! Files of allowed signers, as in `ssh-keygen(1)` under ALLOWED SIGNERS: one key a line, with the names of its owner and
//! what it may be used for. A file of bare public keys is read, too.

use jiff::{civil, tz::TimeZone};

use super::ssh_signature::{NAMESPACE, Refusal, SshKey};
use crate::model::Timestamp;

/// Size limit of a file in bytes.
pub const MAX_BYTES: usize = 256 << 10;
/// Maximum number of keys in a file.
const MAX_SIGNERS: usize = 1000;

/// Keys that may sign, by whom they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners(Vec<Signer>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    /// Patterns of names, as they are written; `None` for a bare public key.
    principals: Option<String>,
    key: SshKey,
    /// Patterns of namespaces; `None` allows all.
    namespaces: Option<String>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

/// Reason why a text is no file of allowed signers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowedSignersError {
    /// Longer than [`MAX_BYTES`].
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// More keys than [`MAX_SIGNERS`].
    #[error("it has more than {MAX_SIGNERS} keys")]
    TooMany,
    /// Without any key.
    #[error("it has no key")]
    Empty,
    /// Line that can't be used.
    #[error("line {line}: {what}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl AllowedSigners {
    /// Reads a file. Times without `Z` are in the time zone `zone`, as for `ssh-keygen`.
    ///
    /// # Errors
    /// Returns what is wrong, with its line: a line that is not understood could take a right away, so that none is
    /// skipped.
    pub fn read(text: &str, zone: &TimeZone) -> Result<Self, AllowedSignersError> {
        if text.len() > MAX_BYTES {
            return Err(AllowedSignersError::TooLarge);
        }
        let mut signers = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what| AllowedSignersError::Line { line: place + 1, what };
            signers.push(signer(line, zone).map_err(wrong)?);
            if signers.len() > MAX_SIGNERS {
                return Err(AllowedSignersError::TooMany);
            }
        }
        if signers.is_empty() { Err(AllowedSignersError::Empty) } else { Ok(Self(signers)) }
    }

    /// Returns the names of a key's owner, `None` if it stands there without any.
    ///
    /// # Errors
    /// Returns an error if the key may not sign checkpoints at this time.
    pub(super) fn find(&self, key: &SshKey, now: Timestamp) -> Result<Option<String>, Refusal> {
        let mut refusal = Refusal::Untrusted(key.fingerprint());
        for signer in self.0.iter().filter(|signer| signer.key.blob() == key.blob()) {
            if signer.namespaces.as_ref().is_some_and(|namespaces| !matches_list(namespaces, NAMESPACE)) {
                refusal = Refusal::OtherNamespaces(key.fingerprint());
            } else if signer.after.is_some_and(|after| now < after) || signer.before.is_some_and(|before| now > before)
            {
                refusal = Refusal::OutOfTime(key.fingerprint());
            } else {
                return Ok(signer.principals.clone());
            }
        }
        Err(refusal)
    }
}

fn signer(line: &str, zone: &TimeZone) -> Result<Signer, &'static str> {
    const NO_KEY: &str = "it is neither a public key nor names, options and a public key";
    let bare = |key| Signer { principals: None, key, namespaces: None, after: None, before: None };
    if is_key_type(line) {
        return usable(SshKey::read(line).ok_or(NO_KEY)?).map(bare);
    }
    let (principals, mut rest) = word(line).ok_or(NO_KEY)?;
    let (mut namespaces, mut after, mut before) = (None, None, None);
    if !is_key_type(rest) {
        let (options, key) = word(rest).ok_or(NO_KEY)?;
        for option in split(options) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = value.trim_matches('"');
            match name.to_ascii_lowercase().as_str() {
                "namespaces" if namespaces.is_none() => namespaces = Some(value.to_owned()),
                "valid-after" if after.is_none() => {
                    after = Some(time(value, zone).ok_or("valid-after is not a date as 20270131")?)
                }
                "valid-before" if before.is_none() => {
                    before = Some(time(value, zone).ok_or("valid-before is not a date as 20270131")?)
                }
                "cert-authority" => return Err("certificates are not supported: list the keys themselves"),
                _ => return Err("an option is not one of namespaces, valid-after and valid-before, or stands twice"),
            }
        }
        rest = key;
    }
    let key = usable(SshKey::read(rest).ok_or(NO_KEY)?)?;
    Ok(Signer { principals: Some(principals.trim_matches('"').to_owned()), key, namespaces, after, before })
}

fn usable(key: SshKey) -> Result<SshKey, &'static str> {
    match key.usable() {
        Ok(()) => Ok(key),
        Err(_) => Err("keys of this type or length are not supported"),
    }
}

fn is_key_type(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| first.starts_with(start))
}

/// Splits off the first word; blanks between quotation marks are part of it.
fn word(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let end = text.find(|letter: char| {
        is_quoted ^= letter == '"';
        letter.is_whitespace() && !is_quoted
    })?;
    Some((&text[..end], text[end..].trim_start()))
}

/// Splits options at the commas that are not between quotation marks.
fn split(options: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    options.split(move |letter: char| {
        is_quoted ^= letter == '"';
        letter == ',' && !is_quoted
    })
}

/// Reads `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, in UTC if a `Z` follows.
fn time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, &TimeZone::UTC),
        None => (text, zone),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let year = digits.get(..4)?.parse().ok()?;
    let date = civil::Date::new(year, part(4, 6)?, part(6, 8)?).ok()?;
    let clock = civil::Time::new(part(8, 10)?, part(10, 12)?, part(12, 14)?, 0).ok()?;
    Some(date.to_datetime(clock).to_zoned_datetime(zone.clone()).ok()?.timestamp().into())
}

/// Returns `true` if a name matches a list of patterns with `*` and `?`; one behind `!` that matches excludes it.
fn matches_list(patterns: &str, name: &str) -> bool {
    let mut is_in = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => is_in |= matches(pattern.as_bytes(), name.as_bytes()),
        }
    }
    is_in
}

/// Compares by going back to the last star only, so that no pattern takes longer than its length times that of the name.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut place, mut star) = (0, 0, None);
    while place < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(letter) if *letter == b'?' || *letter == name[place] => (at, place) = (at + 1, place + 1),
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                (at, place) = (back + 1, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}
