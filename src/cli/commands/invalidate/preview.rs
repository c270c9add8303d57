//! Summary of an invalidation before it is confirmed.

use crate::{
    cli::{
        args::connection,
        error::CliError,
        output::{self, key_row},
    },
    model::{
        api_key::{ApiKey, KeyId},
        guard,
        text::{number, sanitize},
    },
    ops::{
        Session, clock,
        keys::{key_set::KeySet, last_use},
    },
};

/// Maximum number of keys that are listed; the rest is only counted.
pub(super) const SHOWN: usize = 20;
/// Number of keys from which on it is a part of the confirmation.
const COUNTED_FROM: usize = 10;

/// Maximum number of owners or products that are listed; the rest is only counted.
const NAMED: usize = 8;

/// Maximum length of a line about a key, in characters.
const WIDEST_LINE: usize = 300;

/// Prints exactly which keys will be invalidated.
pub(super) fn preview(session: &Session, going: &KeySet) {
    let count = going.len();
    output::print_status(&format!("{} will be permanently invalidated:", number::plural(count as u64, "key")));
    output::print_status(key_row::table(going.keys().take(SHOWN), session.now(), &clock::zone()).trim_end());
    let summary = going.summary(Some(session), session.now());
    if count > SHOWN {
        output::print_status(&format!("… and {} more", number::thousands((count - SHOWN) as u64)));
        print_counts("Owners", &summary.owners);
        print_counts("Types", &summary.kinds);
    }
    print_counts("Findings", &summary.findings);
    connection::print_acting(session);
    let mut managed = going.keys().filter(|key| guard::product_of(key).is_some()).peekable();
    let are_some = managed.peek().is_some();
    for key in managed.take(SHOWN) {
        output::print_status(&says_managed(&key));
    }
    if are_some {
        output::print_status("If so, whatever uses these stops working until the product creates new ones");
    }
}

/// Prints the last use of the keys that will be invalidated, for the person who is asked to confirm.
pub(super) async fn print_last_use(session: &Session, going: &[KeyId]) {
    let words = match (last_use::of(session, going).await, going) {
        (Err(why), _) => why.to_string(),
        (Ok(uses), [only]) => uses.words(only, session.now(), &clock::zone()),
        (Ok(uses), many) => uses.words_of_many(uses.among(many, session.now()), &clock::zone()),
    };
    output::print_status(&sanitize::shown(&format!("Last use: {words}")));
}

fn print_counts(what: &str, counts: &[(impl AsRef<str>, usize)]) {
    if counts.is_empty() {
        return;
    }
    let named = counts.iter().take(NAMED);
    let mut words: Vec<String> =
        named.map(|(name, count)| format!("{} {count}", sanitize::shortened(name.as_ref(), 40))).collect();
    if counts.len() > NAMED {
        words.push(format!("and {} more", counts.len() - NAMED));
    }
    output::print_status(&format!("{what}: {}", words.join(", ")));
}

/// Prints that the session's own key is left out, if it is.
pub(super) fn left_out(own: usize) {
    if own > 0 {
        output::print_status("Left out: the key you are signed in with (--own-key-too includes it)");
    }
}

/// Reports the keys that are left out since they claim to be managed: their owners may have written that.
pub(super) fn left_out_managed(chosen: &KeySet, count: usize) {
    let (keys, say) = (number::plural(count as u64, "key"), if count == 1 { "claims" } else { "claim" });
    let whom = if count == 1 { "it" } else { "them" };
    output::print_status(&format!(
        "Left out: {keys} that {say} that a product created {whom} (--managed-too includes {whom}):"
    ));
    let managed = chosen.keys().filter(|key| guard::product_of(key).is_some());
    for key in managed.take(SHOWN) {
        output::print_status(&format!("  {}", says_managed(&key)));
    }
    if count > SHOWN {
        output::print_status(&format!("  … and {} more", number::thousands((count - SHOWN) as u64)));
    }
}

/// Formats a key with its owner and the product it claims to belong to; for a person's key, that this is no proof.
pub(super) fn says_managed(key: &ApiKey) -> String {
    let product = guard::product_of(key).unwrap_or_default();
    let owner = &key.owner.username;
    let doubt = if guard::is_owned_by_product(owner, &key.owner.realm) { "" } else { "; the owner may have set this" };
    let words = format!("{} ({}) of {owner}: claims to be created by {product}{doubt}", key.name, key.id);
    sanitize::shortened(&words, WIDEST_LINE)
}

/// Asks a person to confirm; with the count of the keys if they are many or were found by a search.
pub(super) fn confirmed(count: usize, is_search: bool) -> Result<bool, CliError> {
    let words =
        if is_search || count >= COUNTED_FROM { format!("invalidate {count}") } else { "invalidate".to_owned() };
    if !output::someone_is_there() {
        let count = if is_search { format!(" --count {count}") } else { String::new() };
        return Err(CliError::usage(format!(
            "Nothing was done: there is no terminal to confirm it; add --yes{count} to proceed"
        )));
    }
    Ok(output::ask(&format!("Type {words} to confirm:"))?.eq_ignore_ascii_case(&words))
}
