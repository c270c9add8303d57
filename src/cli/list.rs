//! `keybearer list`: the keys that one may see, searched and filtered.

use clap::{Args, ValueEnum};

use super::{
    connection::ConnectionFlags,
    error::{CliError, Exit},
    key_row::{self, KeyJson},
    output::{self, Format},
};
use crate::{
    model::{
        Millis,
        api_key::ApiKey,
        calendar,
        expiry::{self, Status},
        key_list::View,
    },
    ops::{
        clock,
        list::{self, KeyList, ListProgress},
    },
};

/// The options of `list`.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Words which must all occur in name, id, application id, owner, roles or metadata
    search: Vec<String>,
    /// Only keys of this status
    #[arg(long)]
    status: Option<StatusFilter>,
    /// Form of the output
    #[arg(long, default_value = "table")]
    output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatusFilter {
    /// Their end has come
    Expired,
    /// They end within 7 days
    Expiring,
    /// They end within 30 days
    ExpiringSoon,
    /// A client can sign in with them
    Active,
    /// A client can sign in with them, and they have no end
    Never,
    /// Somebody took them away
    Invalidated,
}

impl StatusFilter {
    fn fits(self, status: Status) -> bool {
        match self {
            Self::Expired => status == Status::Expired,
            Self::Expiring => status == Status::Expiring,
            Self::ExpiringSoon => matches!(status, Status::Expiring | Status::ExpiringSoon),
            Self::Active => status.is_usable(),
            Self::Never => status == Status::Never,
            Self::Invalidated => status == Status::Invalidated,
        }
    }
}

pub(super) async fn run(flags: &ConnectionFlags, args: ListArgs) -> Result<Exit, CliError> {
    let session = flags.session().await?;
    let told = output::someone_is_there();
    let list = list::all(&session, |news| {
        if let (true, ListProgress::Count { read, total }) = (told, news) {
            progress(read, total);
        }
    })
    .await?;
    let now = session.now();
    let keys = chosen(&args, &list.keys, now);
    match args.output {
        Format::Json => {
            let rows: Vec<KeyJson<'_>> = keys.iter().map(|key| KeyJson::new(key, now)).collect();
            output::put_json(&rows)?;
        }
        Format::Csv => output::put_csv(&key_row::CSV_HEAD, keys.iter().map(|key| key_row::csv_row(key, now)))?,
        Format::Table if keys.is_empty() => {}
        Format::Table => output::put(&key_row::table(keys.iter().copied(), now, &clock::zone()))?,
    }
    say_count(&list, keys.len());
    Ok(Exit::Done)
}

/// A long list is being read: say how far, every 10,000 keys.
fn progress(read: u64, total: u64) {
    if read % 10_000 < 1000 && total > 20_000 {
        output::say(&format!("{} of {} read", expiry::thousands(read), expiry::thousands(total)));
    }
}

fn chosen<'a>(args: &ListArgs, keys: &'a [ApiKey], now: Millis) -> Vec<&'a ApiKey> {
    let view = View { search: args.search.join(" "), ..View::default() };
    let rows = view.rows(keys, now);
    let fits = |key: &&ApiKey| args.status.is_none_or(|wanted| wanted.fits(key.status(now)));
    rows.places.iter().filter_map(|place| keys.get(*place as usize)).filter(fits).collect()
}

fn say_count(list: &KeyList, shown: usize) {
    let whose = if list.own_only { "your own " } else { "" };
    let at = calendar::clock(list.as_of, &clock::zone());
    let total = expiry::plural(list.total, &format!("{whose}key"));
    output::say(&format!("{} of {total}, as of {at}", expiry::thousands(shown as u64)));
    if list.own_only {
        output::say("Other people's keys need the privilege read_security or manage_api_key");
    }
    for row in &list.unreadable {
        let id = row.id.as_deref().unwrap_or("without an id");
        output::complain(&format!("A key could not be read ({id}): {}", row.reason));
    }
    if list.shortfall() > 0 {
        let missing = expiry::plural(list.shortfall(), "key");
        output::complain(&format!("The cluster counts {missing} more than it sent: list again"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, api_key::KeyId};

    const NOW: Millis = 1_795_521_600_000;

    fn keys() -> Vec<ApiKey> {
        let key = |id: &str, expires: Option<Millis>, invalidated: bool| {
            ApiKey { id: KeyId::new(id), name: format!("key {id}"), expires, invalidated, ..Default::default() }
                .with_facts()
        };
        vec![
            key("week", Some(NOW + DAY), false),
            key("month", Some(NOW + 20 * DAY), false),
            key("year", Some(NOW + 300 * DAY), false),
            key("never", None, false),
            key("dead", Some(NOW - DAY), false),
            key("gone", None, true),
        ]
    }

    fn ids(status: Option<StatusFilter>, search: &[&str]) -> Vec<String> {
        let search = search.iter().map(|word| (*word).to_owned()).collect();
        let args = ListArgs { search, status, output: Format::Table };
        let mut ids: Vec<String> = chosen(&args, &keys(), NOW).iter().map(|key| key.id.to_string()).collect();
        ids.sort();
        ids
    }

    #[test]
    fn a_status_is_what_its_help_says() {
        assert_eq!(ids(None, &[]).len(), 6);
        assert_eq!(ids(Some(StatusFilter::Expiring), &[]), ["week"]);
        assert_eq!(ids(Some(StatusFilter::ExpiringSoon), &[]), ["month", "week"]);
        assert_eq!(ids(Some(StatusFilter::Active), &[]), ["month", "never", "week", "year"]);
        assert_eq!(ids(Some(StatusFilter::Never), &[]), ["never"]);
        assert_eq!(ids(Some(StatusFilter::Expired), &[]), ["dead"]);
        assert_eq!(ids(Some(StatusFilter::Invalidated), &[]), ["gone"]);
    }

    #[test]
    fn words_and_status_go_together() {
        assert_eq!(ids(None, &["KEY", "ea"]), ["dead", "year"]);
        assert_eq!(ids(Some(StatusFilter::Expired), &["year"]), [""; 0]);
    }
}
