//! `keybearer list`: the keys that one may see, searched, sorted and written in the form that is wanted.

use std::{
    io::{BufWriter, IsTerminal, Write},
    ops::ControlFlow,
};

use clap::{Args, ValueEnum};

use super::{
    connection::ConnectionFlags,
    error::{CliError, Exit},
    key_row, output,
};
use crate::{
    export::{self, About, Row},
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        calendar,
        expiry::{self, Status},
        filter,
        inventory::{Asker, Column, Sort},
        key_list::Rows,
    },
    ops::{
        Session, clock, last_use,
        list::{self, KeyList, ListProgress},
    },
};

/// The options of `list`.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// What to look for: words, and fields such as owner:ana expires:<30d can:write on:logs-*
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Only keys of this status
    #[arg(long)]
    status: Option<StatusFilter>,
    /// Columns to sort by, the first one leading; a minus turns one round [default: -created]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Also tell when each was last seen in audit events; for the table
    #[arg(long)]
    last_use: bool,
    /// Index, data stream or pattern with audit events [default: the usual places]
    #[arg(long, value_name = "NAME", requires = "last_use")]
    audit_index: Option<String>,
    /// Form of the output
    #[arg(long, default_value = "table")]
    output: ListFormat,
    /// Explain what a query can say
    #[arg(long)]
    query_help: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// Aligned columns for people
    Table,
    /// JSON, times in milliseconds since 1970
    Json,
    /// The same, one key a line
    Jsonl,
    /// Comma-separated values, times in UTC
    Csv,
    /// A workbook; for a file or a pipe
    Xlsx,
    /// A calendar of the keys that will expire
    Ics,
}

impl ListFormat {
    fn file(self) -> Option<export::Format> {
        Some(match self {
            Self::Table => return None,
            Self::Json => export::Format::Json,
            Self::Jsonl => export::Format::JsonLines,
            Self::Csv => export::Format::Csv,
            Self::Xlsx => export::Format::Xlsx,
            Self::Ics => export::Format::Ics,
        })
    }
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
    if args.query_help {
        return output::put(&query_help()).map(|()| Exit::Done);
    }
    let sorts = sorts(&args.sort)?;
    // A slip in the query is told before anything is asked; the clock of the cluster comes with it.
    read_query(&args.search, clock::now())?;
    if args.output == ListFormat::Xlsx && std::io::stdout().is_terminal() {
        return Err(CliError::usage("A workbook is no text: send it to a file, with --output xlsx > keys.xlsx"));
    }
    if args.last_use && args.output != ListFormat::Table {
        return Err(CliError::usage(
            "--last-use goes with the table only: the files hold what the cluster itself knows of its keys",
        ));
    }
    let session = flags.session().await?;
    let list = read(&session).await?;
    let now = session.now();
    let places = chosen(&list, &read_query(&args.search, now)?, args.status, &sorts, now, asker(&session));
    let keys = places.iter().map(|place| list.keys.key(*place as usize));
    match args.output.file() {
        None if places.is_empty() => {}
        None if args.last_use => {
            let keys: Vec<ApiKey> = keys.collect();
            output::put(&with_last_use(&session, &keys, now, args.audit_index.as_deref()).await)?;
        }
        None => output::put(&key_row::table(keys, now, &clock::zone()))?,
        Some(format) => {
            let about = about(&session, now);
            let rows = keys.map(|key| Row { cluster: &about.cluster, key: std::borrow::Cow::Owned(key) });
            write(format, rows, &about)?;
        }
    }
    say_count(&list, places.len());
    Ok(if list.is_whole() { Exit::Done } else { Exit::Partly })
}

/// The table with a column more. Why nothing is known of the last use is said once.
async fn with_last_use(session: &Session, keys: &[ApiKey], now: Millis, index: Option<&str>) -> String {
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let uses = last_use::within(session, &ids, index).await;
    let zone = clock::zone();
    match &uses {
        Ok(uses) => output::say(&format!(
            "Last use: audit events in {} from {} to {}",
            uses.index,
            calendar::local(uses.from, &zone),
            calendar::local(uses.to, &zone)
        )),
        Err(not_known) => output::complain(&format!("Last use: {not_known}")),
    }
    let cell = |key: &ApiKey| match &uses {
        Ok(uses) => uses.of(&key.id).map_or_else(|| "not seen".into(), |at| calendar::local(at, &zone)),
        Err(_) => "not known".into(),
    };
    let rows: Vec<Vec<String>> =
        keys.iter().map(|key| key_row::row(key, now, &zone).into_iter().chain([cell(key)]).collect()).collect();
    let head: Vec<&str> = key_row::HEAD.into_iter().chain(["LAST USE"]).collect();
    output::table(&head, &rows)
}

/// Reads all keys, with progress where somebody looks.
pub(super) async fn read(session: &Session) -> Result<KeyList, CliError> {
    let told = output::someone_is_there();
    let list = list::all(session, move |news| {
        if let (true, ListProgress::Count { read, total }) = (told, news) {
            progress(read, total);
        }
    });
    Ok(list.await?)
}

pub(super) fn asker(session: &Session) -> Asker<'_> {
    Asker { username: &session.identity.username, realm: &session.identity.realm }
}

/// What the files say about where they come from.
pub(super) fn about(session: &Session, now: Millis) -> About {
    let cluster = session.cluster_name.clone();
    let cluster = cluster.unwrap_or_else(|| session.client.endpoint().url.host().to_owned());
    About { cluster, with_cluster: false, now, made_at: clock::now(), zone: clock::zone() }
}

/// Writes a file to stdout.
pub(super) fn write<'a>(
    format: export::Format,
    rows: impl Iterator<Item = Row<'a>>,
    about: &About,
) -> Result<(), CliError> {
    let mut out = BufWriter::new(std::io::stdout());
    let written = export::write(format, &mut out, rows, about, &mut |_| ControlFlow::Continue(()));
    let written = written.map_err(|error| match error {
        export::ExportError::Write(error) => CliError::Output(error),
        export::ExportError::Stopped => CliError::Output(std::io::ErrorKind::Interrupted.into()),
    })?;
    out.flush().map_err(CliError::Output)?;
    if written.beyond > 0 {
        output::complain(&format!(
            "{} end beyond the calendar and are left out",
            expiry::plural(written.beyond, "key")
        ));
    }
    Ok(())
}

/// Reads a query; what is wrong with it is told with its place.
pub(super) fn read_query(words: &[String], now: Millis) -> Result<filter::Query, CliError> {
    let text = words.join(" ");
    filter::parse(&text, now, &clock::zone()).map_err(|errors| {
        let line = |error: &filter::FilterError| {
            let part = text.get(error.span.clone()).unwrap_or_default();
            if part.is_empty() { error.message.clone() } else { format!("“{part}”: {}", error.message) }
        };
        let mut lines: Vec<String> = errors.iter().map(line).collect();
        lines.push("`keybearer list --query-help` tells what a query can say".into());
        CliError::usage(lines.join("\n"))
    })
}

fn query_help() -> String {
    let rows: Vec<Vec<String>> =
        filter::help().into_iter().map(|(example, meaning)| vec![example.to_owned(), meaning.to_owned()]).collect();
    output::table(&["EXAMPLE", "MEANING"], &rows)
}

const COLUMNS: [(&str, Column); 12] = [
    ("name", Column::Name),
    ("app", Column::ApplicationId),
    ("id", Column::Id),
    ("owner", Column::Owner),
    ("realm", Column::Realm),
    ("type", Column::Kind),
    ("role", Column::Roles),
    ("can", Column::Can),
    ("created", Column::Created),
    ("expires", Column::Expires),
    ("invalidated", Column::Invalidated),
    ("status", Column::Status),
];

fn sorts(texts: &[String]) -> Result<Vec<Sort>, CliError> {
    let sort = |text: &String| {
        let (name, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let known = COLUMNS.iter().find(|(own, _)| *own == name.trim());
        known.map(|(_, column)| Sort { column: *column, descending }).ok_or_else(|| {
            let all: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
            CliError::usage(format!("--sort: there is no column “{name}”; there are {}", all.join(", ")))
        })
    };
    if texts.is_empty() {
        return Ok(vec![Sort::default()]);
    }
    texts.iter().map(sort).collect()
}

fn progress(read: u64, total: u64) {
    if total > 0 {
        output::say(&format!("{} of {} read", expiry::thousands(read), expiry::thousands(total)));
    } else {
        output::say(&format!("{} read so far", expiry::thousands(read)));
    }
}

fn chosen(
    list: &KeyList,
    query: &filter::Query,
    status: Option<StatusFilter>,
    sorts: &[Sort],
    now: Millis,
    asker: Asker<'_>,
) -> Vec<u32> {
    let order = list.keys.order(sorts, now);
    let rows = Rows::new(&list.keys, &query.expr, None, &order, now, asker);
    let fits = |place: &u32| status.is_none_or(|wanted| wanted.fits(list.keys.status(*place as usize, now)));
    rows.places.into_iter().filter(fits).collect()
}

pub(super) fn say_count(list: &KeyList, shown: usize) {
    let whose = if list.own_only { "your own " } else { "" };
    let at = calendar::clock(list.as_of, &clock::zone());
    let total = expiry::plural(list.total, &format!("{whose}key"));
    output::say(&format!("{} of {total}, as of {at}", expiry::thousands(shown as u64)));
    if list.own_only {
        output::say("Other people's keys need the privilege read_security or manage_api_key");
    }
    say_doubts(list);
}

/// The most keys that are named one by one because something of them could not be read.
const MAX_NAMED: usize = 20;

/// Says what is missing in a list, and which keys of it could not be read as a whole.
fn say_doubts(list: &KeyList) {
    for place in list.keys.flawed_places().into_iter().take(MAX_NAMED) {
        let flaw = list.keys.flaw(place).unwrap_or_default();
        output::complain(&format!("{} is not fully readable: {flaw}", list.keys.id(place)));
    }
    for row in list.unreadable.kept().iter().take(MAX_NAMED) {
        output::complain(&format!("A key could not be read, not even its id: {}", row.reason));
    }
    if !list.is_whole() {
        output::complain(&format!("This list is not complete: {}", list.doubts().join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, inventory::RawKey};

    const NOW: Millis = 1_795_521_600_000;

    fn list() -> KeyList {
        let mut list = KeyList::default();
        let mut put = |id: &str, expires: Option<Millis>, invalidated: bool| {
            let name = format!("key {id}");
            list.keys.put(&RawKey { id, name: &name, expires, invalidated, ..Default::default() });
        };
        put("week", Some(NOW + DAY), false);
        put("month", Some(NOW + 20 * DAY), false);
        put("year", Some(NOW + 300 * DAY), false);
        put("never", None, false);
        put("dead", Some(NOW - DAY), false);
        put("gone", None, true);
        list
    }

    fn ids(status: Option<StatusFilter>, search: &[&str]) -> Vec<String> {
        let words: Vec<String> = search.iter().map(|word| (*word).to_owned()).collect();
        let (list, query) = (list(), read_query(&words, NOW).unwrap());
        let places = chosen(&list, &query, status, &[Sort::default()], NOW, Asker::default());
        let mut ids: Vec<String> = places.iter().map(|place| list.keys.id(*place as usize).to_owned()).collect();
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
    fn words_fields_and_status_go_together() {
        assert_eq!(ids(None, &["KEY", "ea"]), ["dead", "year"]);
        assert_eq!(ids(Some(StatusFilter::Expired), &["year"]), [""; 0]);
        assert_eq!(ids(None, &["expires:<30d", "-name:\"key week\""]), ["month"]);
    }

    #[test]
    fn a_slip_in_the_query_or_the_order_is_told_with_what_is_possible() {
        let words = ["expires:soon".to_owned()];
        assert!(
            matches!(read_query(&words, NOW), Err(CliError::Usage(words)) if words.contains("“soon”: ") && words.contains("30d"))
        );
        let slip = sorts(&["-created".into(), "size".into()]);
        assert!(matches!(slip, Err(CliError::Usage(words)) if words.contains("expires")));
        let good = sorts(&["status".into(), "-name".into()]).unwrap();
        assert_eq!(good[1], Sort { column: Column::Name, descending: true });
    }
}
