//! Keys named by a file or by stdin: one id per line, as `keybearer list --ids` writes them.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{
    cli::error::CliError,
    model::{
        api_key::{ApiKey, KeyId},
        text::sanitize,
    },
    ops::{Session, keys::list},
};

/// Size limit of the file in bytes: enough for a million ids.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Size limit of one line in bytes; an id of Elasticsearch has 20 (as seen on 7.10.2 to 9.5.3).
const MAX_LINE: usize = 512;
/// Maximum number of unknown ids that an error names.
const NAMED: usize = 5;

/// Reads the ids in a file, or on stdin for `-`: without duplicates, in their order. Blank lines and whitespace around
/// an id are ignored.
///
/// # Errors
/// Returns an error if the file or stdin can't be read, exceeds a limit, or has no id.
pub(crate) fn read(path: &Path) -> Result<Vec<KeyId>, CliError> {
    let is_stdin = path == Path::new("-");
    let shown = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let wrong = |why: String| CliError::Fields(vec![format!("--keys-from: {shown} {why}")]);
    let bytes = if is_stdin { limited(io::stdin().lock()) } else { File::open(path).and_then(limited) };
    let text = bytes.map_err(|error| wrong(format!("can't be read: {error}")))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(wrong(format!("is too long: the limit is {} MiB", MAX_BYTES / 1024 / 1024)));
    }
    let ids = ids(&text).map_err(wrong)?;
    if ids.is_empty() { Err(wrong("contains no id: one per line is expected".into())) } else { Ok(ids) }
}

/// Reads at most one byte more than is allowed.
fn limited(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn ids(bytes: &[u8]) -> Result<Vec<KeyId>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not text".to_owned())?;
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let id = line.trim();
        if id.len() > MAX_LINE || id.contains(char::is_whitespace) {
            let line = sanitize::shortened(id, 40);
            return Err(format!(
                "has a line that is not an id (line {}: “{line}”); one id per line is expected",
                number + 1
            ));
        }
        if !id.is_empty() && seen.insert(id) {
            ids.push(KeyId::new(id));
        }
    }
    Ok(ids)
}

/// Reads the keys with these ids, in their order, as the cluster has them now.
///
/// # Errors
/// Returns an error if the cluster can't be read or does not know one of the ids; nothing may then be done to the
/// others.
pub(crate) async fn keys(session: &Session, ids: &[KeyId]) -> Result<Vec<ApiKey>, CliError> {
    let found = list::by_id(session, ids).await?;
    let mut by_id: std::collections::HashMap<KeyId, ApiKey> =
        found.keys.into_iter().map(|key| (key.id.clone(), key)).collect();
    let unreadable: HashSet<&str> = found.unreadable.kept().iter().filter_map(|row| row.id.as_deref()).collect();
    let (mut keys, mut unknown) = (Vec::with_capacity(ids.len()), Vec::new());
    for id in ids {
        match by_id.remove(id) {
            Some(key) => keys.push(key),
            None => unknown.push(id.as_str()),
        }
    }
    if unknown.is_empty() {
        return Ok(keys);
    }
    let named: Vec<&str> = unknown.iter().take(NAMED).copied().collect();
    let more = unknown.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = named.join(", ");
    let title = if unknown.iter().all(|id| unreadable.contains(id)) {
        format!("Keys that can't be read: {named}{more}. Nothing was done")
    } else if found.unreadable.is_empty() {
        format!("There is no key with the id {named}{more} that you can see. Nothing was done")
    } else {
        // A row whose id can't be read may be any of them.
        format!("Not among the keys that could be read: {named}{more}. Nothing was done")
    };
    let hint = "The file must contain ids, not names: `keybearer list --ids` prints them";
    Err(CliError::problem(&sanitize::shown(&title), "", hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_a_line_each_once() {
        let read = |text: &str| ids(text.as_bytes());
        let wanted: Vec<KeyId> = ["-a", "b_"].iter().map(|id| KeyId::new(*id)).collect();
        assert_eq!(read(" -a\r\n\r\nb_\n-a"), Ok(wanted));
        assert_eq!(read("\n \n"), Ok(Vec::new()));
        assert!(read("id,name\na b").unwrap_err().contains("line 2"));
        assert!(read(&"x".repeat(MAX_LINE + 1)).unwrap_err().contains("line 1"));
        assert!(ids(b"\xff").is_err());
    }

    #[test]
    fn what_never_ends_is_not_read_to_its_end() {
        assert_eq!(limited(io::repeat(b'\n')).unwrap().len() as u64, MAX_BYTES + 1);
    }
}
