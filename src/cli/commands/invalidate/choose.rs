//! The keys that an invalidation is about.

use std::sync::Arc;

use crate::{
    cli::{
        args::keys_from,
        commands::invalidate::{
            options::InvalidateArgs,
            preview::{SHOWN, says_managed},
        },
        error::CliError,
        keys::{listing, named::print_invalidated},
        output,
    },
    model::{
        api_key::{ApiKey, KeyId},
        filter, guard,
        inventory::{Sort, list_view::Rows},
        text::{number, sanitize, sentence},
    },
    ops::{Session, clock, keys::key_set::KeySet},
};

/// Refuses a blank query: it would find every key, which is never meant by leaving something out.
pub(super) fn check_query(query: &str) -> Result<(), CliError> {
    if query.trim().is_empty() {
        return Err(CliError::usage("--filter: enter a search; an empty one would match every key"));
    }
    listing::read_query(&[query.to_owned()], clock::now()).map(|_| ())
}

/// Finds the keys that match a search now and are not invalidated yet, as a set of their ids.
///
/// # Errors
/// Returns an error if it is unknown whether some keys match, unless the options exclude those.
pub(super) async fn found(session: &Session, query: &str, args: &InvalidateArgs) -> Result<KeySet, CliError> {
    match clock::compare(session).await {
        Ok(clock::Compared::Differed(skew)) => {
            let ahead = clock::ahead(skew);
            output::print_status(&format!(
                "The cluster's clock is {ahead} the time used so far; the cluster's time is used from now on"
            ));
        }
        Ok(clock::Compared::Agree | clock::Compared::NotKnown) => {}
        Err(error) if args.clock_in_doubt_too => {
            output::print_error(&format!("Warning: the cluster's clock could not be checked: {error}"));
        }
        Err(error) => return Err(error.into()),
    }
    let read = listing::read(session).await?;
    // A field that could not be read is in the way only of a search that asks for it: nobody stops all searches by the
    // name of one key.
    if !read.has_every_row() && !args.known_only {
        let hint = "Try again, or use --known-only to continue with the keys that were read";
        return Err(CliError::problem(
            "The list of keys is not complete. Nothing was done",
            &read.doubts().join(", "),
            hint,
        ));
    }
    let now = session.now();
    let query = listing::read_query(&[query.to_owned()], now)?;
    let order = read.keys.order(&[Sort::default()], now);
    let rows = Rows::new(&read.keys, &query.expr, None, &order, now, listing::asker(session));
    let not_known = rows.not_known.rows().filter(|place| !read.keys.is_invalidated(*place)).count();
    if not_known > 0 && !args.known_only {
        let title = format!(
            "It is not known whether {} match the search. Nothing was done",
            number::plural(not_known as u64, "key")
        );
        let detail = sentence::capitalized(&filter::why_not_known(&query.expr));
        let hint = "Use --known-only to continue with the keys that certainly match";
        return Err(CliError::problem(&title, &detail, hint));
    }
    let read = Arc::new(read);
    let chosen = KeySet::new(Arc::clone(&read), rows.rows).not_yet_invalidated();
    listing::print_count(&read, chosen.len(), chosen.len());
    listing::print_not_known(not_known, &query);
    Ok(chosen)
}

/// Refuses guarded keys that are named one by one without the option that allows them, and then nothing is done.
pub(super) fn named_by_hand(session: &Session, keys: &[ApiKey], args: &InvalidateArgs) -> Result<(), CliError> {
    if let Some(own) = keys.iter().find(|key| session.own_key() == Some(&key.id)).filter(|_| !args.own_key_too) {
        let title = format!("{} is the key you are signed in with. Nothing was done", own.id);
        return Err(CliError::problem(&title, "", "To invalidate it anyway, add --own-key-too"));
    }
    let managed = keys.iter().find_map(|key| guard::product_of(key).map(|product| (key, product)));
    if let Some((key, product)) = managed.filter(|_| !args.managed_too) {
        let title = format!("{} claims that a product created it ({product}). Nothing was done", key.id);
        let detail =
            format!("{}. If so, whatever uses it stops working until the product creates a new one", says_managed(key));
        return Err(CliError::problem(&sanitize::shown(&title), &detail, "To invalidate it anyway, add --managed-too"));
    }
    Ok(())
}

/// Returns the keys with these ids that are not invalidated yet; reports those that are.
pub(super) async fn by_id(session: &Session, ids: &[KeyId]) -> Result<Vec<ApiKey>, CliError> {
    let (gone, keys): (Vec<ApiKey>, Vec<ApiKey>) =
        keys_from::keys(session, ids).await?.into_iter().partition(|key| key.invalidated);
    for key in gone.iter().take(SHOWN) {
        print_invalidated(key.id.as_str(), key);
    }
    if gone.len() > SHOWN {
        output::print_status(&format!("… and {} more", number::thousands((gone.len() - SHOWN) as u64)));
    }
    Ok(keys)
}
