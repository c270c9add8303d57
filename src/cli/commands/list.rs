//! `keybearer list`: the visible keys, searched, sorted and written in the wanted form.

use std::{
    io::{BufWriter, IsTerminal, Write},
    ops::ControlFlow,
};

use clap::{Args, ValueEnum, builder::PossibleValue};

use crate::{
    cli::{
        args::{
            connection::ConnectionFlags,
            row_options::{More, RowOptions, Shape},
        },
        error::{CliError, Exit},
        output,
    },
    export::{self, About, Row},
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        filter,
        inventory::{Asker, Column, Sort, list_view::Rows},
        text::number,
        time::{calendar, status::StatusGroup},
    },
    ops::{
        Session, clock,
        keys::{
            last_use,
            list::{self, KeyList, ListProgress},
        },
    },
};

/// The options of `list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// What to look for: words, and fields such as owner:ana 'expires:<30d' can:write 'on:logs-*'
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Only keys of this status
    #[arg(long)]
    status: Option<StatusGroup>,
    /// Columns to sort by, the first one leading; a minus turns one round [default: -created] [possible: name, app,
    /// id, owner, realm, type, role, can, created, expires, invalidated, status]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Also tell when each was last seen in audit events; for the table
    #[arg(long)]
    last_use: bool,
    /// Index, data stream or pattern with audit events [default: the usual places]
    #[arg(long, value_name = "NAME", requires = "last_use")]
    audit_index: Option<String>,
    /// Form of the output
    #[arg(short, long, default_value = "table")]
    output: ListFormat,
    /// Explain what a query can say
    #[arg(long)]
    query_help: bool,
    #[command(flatten)]
    rows: RowOptions,
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
    fn shape(self) -> Shape {
        match self {
            Self::Table => Shape::Table,
            Self::Csv => Shape::Csv,
            _ => Shape::Fixed,
        }
    }

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

/// Option values by the names of status groups, each with its meaning.
impl ValueEnum for StatusGroup {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let aliases = Self::ALIASES.into_iter().filter(|(_, group)| group == self).map(|(alias, _)| alias);
        Some(PossibleValue::new(self.word()).help(self.meaning()).aliases(aliases))
    }
}

pub(crate) async fn run(flags: &ConnectionFlags, args: ListArgs) -> Result<Exit, CliError> {
    if args.query_help {
        return output::put(&query_help()).map(|()| Exit::Done);
    }
    let sorts = sorts(&args.sort)?;
    args.rows.check(args.output.shape())?;
    // An error in the query is reported before anything is asked; the clock of the cluster comes with it.
    read_query(&args.search, clock::now())?;
    if args.output == ListFormat::Xlsx && std::io::stdout().is_terminal() {
        return Err(CliError::usage("A workbook is no text: send it to a file, with --output xlsx > keys.xlsx"));
    }
    if args.last_use && (args.output != ListFormat::Table || args.rows.ids()) {
        return Err(CliError::usage(
            "--last-use goes with the table only: the files hold what the cluster itself knows of its keys",
        ));
    }
    let session = flags.session().await?;
    let list = read(&session).await?;
    let now = session.now();
    let query = read_query(&args.search, now)?;
    let (found, not_known) = chosen(&list, &query, args.status, &sorts, now, asker(&session));
    let row_ids = args.rows.first(&found);
    let written = write_rows(&session, &args, &list, row_ids, now).await;
    let exit = match (list.is_whole(), not_known) {
        (false, _) => Exit::Partly,
        (true, 0) => Exit::Done,
        (true, _) => Exit::NotKnown,
    };
    Ok(conclude(&list, &query, (row_ids.len(), found.len(), not_known), exit, written))
}

async fn write_rows(
    session: &Session,
    args: &ListArgs,
    list: &KeyList,
    row_ids: &[u32],
    now: Millis,
) -> Result<(), CliError> {
    let keys = row_ids.iter().map(|row| list.keys.key(*row as usize));
    match args.output.file() {
        _ if args.rows.ids() => RowOptions::put_ids(row_ids.iter().map(|row| list.keys.id(*row as usize))),
        None if row_ids.is_empty() => Ok(()),
        None if args.last_use => {
            let keys: Vec<ApiKey> = keys.collect();
            output::put(&with_last_use(session, keys, now, args).await)
        }
        None => output::put(&args.rows.table(keys, now, None)),
        Some(export::Format::Csv) if args.rows.changes_csv() => args.rows.put_csv(keys, now),
        Some(format) => {
            let about = about(session, now);
            let rows = keys.map(|key| Row { cluster: &about.cluster, key: std::borrow::Cow::Owned(key) });
            write(format, rows, &about)
        }
    }
}

/// Reports how many keys of a list are shown, found and not known, and returns the exit code. A reader that closed its
/// pipe gets no count; an incomplete list is reported all the same.
pub(crate) fn conclude(
    list: &KeyList,
    query: &filter::Query,
    (shown, found, not_known): (usize, usize, usize),
    exit: Exit,
    written: Result<(), CliError>,
) -> Exit {
    match &written {
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => say_doubts(list),
        _ => say_count(list, shown, found),
    }
    if written.is_ok() {
        say_not_known(not_known, query);
    }
    exit.unless_unwritten(written)
}

/// Formats the table with the column of the last use. If the last use is not known, the reason is reported once.
async fn with_last_use(session: &Session, keys: Vec<ApiKey>, now: Millis, args: &ListArgs) -> String {
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let uses = last_use::within(session, &ids, args.audit_index.as_deref()).await;
    let zone = clock::zone();
    match &uses {
        Ok(uses) => output::print_status(&format!(
            "Last use: audit events in {} from {} to {}",
            uses.index,
            calendar::local(uses.from, &zone),
            calendar::local(uses.to, &zone)
        )),
        Err(not_known) => output::print_error(&format!("Last use: {not_known}")),
    }
    let cell = |key: &ApiKey| match &uses {
        Ok(uses) => uses.of(&key.id).map_or_else(|| "not seen".into(), |at| calendar::local(at, &zone)),
        Err(_) => "not known".into(),
    };
    args.rows.table(keys.into_iter(), now, Some(More { head: "LAST USE", cell: &cell }))
}

/// Reads all keys, with progress on a terminal.
pub(crate) async fn read(session: &Session) -> Result<KeyList, CliError> {
    let told = output::someone_is_there();
    let list = list::all(session, move |news| {
        if let (true, ListProgress::Count { read, total }) = (told, news) {
            progress(read, total);
        }
    });
    Ok(list.await?)
}

pub(crate) fn asker(session: &Session) -> Asker<'_> {
    Asker { username: &session.identity.username, realm: &session.identity.realm }
}

/// Returns the properties of exported files: cluster, time and zone.
pub(crate) fn about(session: &Session, now: Millis) -> About {
    let cluster = session.cluster_name.clone();
    let cluster = cluster.unwrap_or_else(|| session.client.endpoint().url.host().to_owned());
    About { cluster, with_cluster: false, now, made_at: clock::now(), zone: clock::zone() }
}

/// Writes a file to stdout.
pub(crate) fn write<'a>(
    format: export::Format,
    rows: impl Iterator<Item = Row<'a>>,
    about: &About,
) -> Result<(), CliError> {
    let mut out = BufWriter::new(output::stdout());
    let written = export::write(format, &mut out, rows, about, &mut |_| ControlFlow::Continue(()));
    let written = written.map_err(|error| match error {
        export::ExportError::Write(error) => CliError::Output(error),
        export::ExportError::Stopped => CliError::Output(std::io::ErrorKind::Interrupted.into()),
    })?;
    out.flush().map_err(CliError::Output)?;
    if written.beyond > 0 {
        output::print_error(&format!(
            "{} end beyond the calendar and are left out",
            number::plural(written.beyond, "key")
        ));
    }
    Ok(())
}

/// Reads a query; an error in it is reported with its position. An unclosed quote, which the window accepts while
/// somebody types, is an error here.
pub(crate) fn read_query(words: &[String], now: Millis) -> Result<filter::Query, CliError> {
    let text = words.join(" ");
    let read = match filter::unclosed_quote(&text) {
        Some(open) => Err(vec![open]),
        None => filter::parse(&text, now, &clock::zone()),
    };
    read.map_err(|errors| {
        let line = |error: &filter::FilterError| {
            let part = text.get(error.span.clone()).unwrap_or_default();
            let part = crate::model::text::sanitize::shortened(part, 60);
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
        output::print_status(&format!("{} of {} read", number::thousands(read), number::thousands(total)));
    } else {
        output::print_status(&format!("{} read so far", number::thousands(read)));
    }
}

fn chosen(
    list: &KeyList,
    query: &filter::Query,
    status: Option<StatusGroup>,
    sorts: &[Sort],
    now: Millis,
    asker: Asker<'_>,
) -> (Vec<u32>, usize) {
    let order = list.keys.order(sorts, now);
    let rows = Rows::new(&list.keys, &query.expr, None, &order, now, asker);
    let fits = |row: &u32| status.is_none_or(|wanted| wanted.has(list.keys.status(*row as usize, now)));
    let not_known = rows.not_known.rows().filter(|row| fits(&(*row as u32))).count();
    (rows.rows.into_iter().filter(fits).collect(), not_known)
}

/// Reports the number of keys of which it is not known whether they match the search.
pub(crate) fn say_not_known(count: usize, query: &filter::Query) {
    if count > 0 {
        output::print_error(&format!(
            "{} not known: {}. They are in neither this search nor its opposite",
            number::thousands(count as u64),
            filter::why_not_known(&query.expr)
        ));
    }
}

/// Reports how many keys are shown of how many, and what could not be read. `found` exceeds `shown` where a limit was
/// given.
pub(crate) fn say_count(list: &KeyList, shown: usize, found: usize) {
    let at = calendar::clock(list.as_of, &clock::zone());
    output::print_status(&count_words(list.total, list.own_only, shown, found, &at));
    if list.own_only {
        output::print_status("Other people's keys need the privilege read_security or manage_api_key");
    }
    say_doubts(list);
}

/// Maximum number of keys that are named because a part of them could not be read.
const MAX_NAMED: usize = 20;

/// Reports what is missing in a list, and which of its keys could not be read completely.
pub(crate) fn say_doubts(list: &KeyList) {
    for row_id in list.keys.flawed_rows().into_iter().take(MAX_NAMED) {
        let flaw = list.keys.flaw(row_id).unwrap_or_default();
        output::print_error(&format!("{} is not fully readable: {flaw}", list.keys.id(row_id)));
    }
    for row in list.unreadable.kept().iter().take(MAX_NAMED) {
        output::print_error(&format!("A key could not be read, not even its id: {}", row.reason));
    }
    if !list.is_whole() {
        output::print_error(&format!("This list is not complete: {}", list.doubts().join(", ")));
    }
}

/// Formats "12 of 3,041 keys, as of 12:00"; "2 of 5 keys of yours, as of 12:00".
fn count_words(total: u64, own_only: bool, shown: usize, found: usize, at: &str) -> String {
    let all = match (own_only, total) {
        (true, 1) => "1 key of yours".to_owned(),
        (true, _) => format!("{} of yours", number::plural(total, "key")),
        (false, _) => number::plural(total, "key"),
    };
    let limited = match found > shown {
        true => {
            format!(" ({} found, the first {} shown)", number::thousands(found as u64), number::thousands(shown as u64))
        }
        false => String::new(),
    };
    format!("{} of {all}{limited}, as of {at}", number::thousands(shown as u64))
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

    fn ids(status: Option<StatusGroup>, search: &[&str]) -> Vec<String> {
        let words: Vec<String> = search.iter().map(|word| (*word).to_owned()).collect();
        let (list, query) = (list(), read_query(&words, NOW).unwrap());
        let (rows, _) = chosen(&list, &query, status, &[Sort::default()], NOW, Asker::default());
        let mut ids: Vec<String> = rows.iter().map(|row| list.keys.id(*row as usize).to_owned()).collect();
        ids.sort();
        ids
    }

    #[test]
    fn a_status_is_what_its_help_says() {
        assert_eq!(ids(None, &[]).len(), 6);
        assert_eq!(ids(Some(StatusGroup::Within7Days), &[]), ["week"]);
        assert_eq!(ids(Some(StatusGroup::Within30Days), &[]), ["month", "week"]);
        assert_eq!(ids(Some(StatusGroup::Valid), &[]), ["month", "never", "week", "year"]);
        assert_eq!(ids(Some(StatusGroup::Never), &[]), ["never"]);
        assert_eq!(ids(Some(StatusGroup::Expired), &[]), ["dead"]);
        assert_eq!(ids(Some(StatusGroup::Invalidated), &[]), ["gone"]);
    }

    #[test]
    fn the_count_is_in_good_english() {
        assert_eq!(count_words(1, true, 1, 1, "12:00"), "1 of 1 key of yours, as of 12:00");
        assert_eq!(count_words(5, true, 0, 0, "12:00"), "0 of 5 keys of yours, as of 12:00");
        assert_eq!(count_words(1, false, 1, 1, "12:00"), "1 of 1 key, as of 12:00");
        assert_eq!(
            count_words(3041, false, 10, 12, "12:00"),
            "10 of 3,041 keys (12 found, the first 10 shown), as of 12:00"
        );
    }

    #[test]
    fn an_open_quote_is_refused_with_its_place() {
        let words = ["a \"b c".to_owned()];
        assert!(matches!(read_query(&words, NOW), Err(CliError::Usage(words)) if words.contains("never closed")));
        assert!(read_query(&["a \"b c\"".to_owned()], NOW).is_ok());
    }

    #[test]
    fn each_error_of_a_query_has_a_line() {
        let Err(CliError::Usage(words)) = read_query(&["is:foo type:bar".to_owned()], NOW) else { panic!() };
        assert_eq!(words.lines().count(), 3, "{words}");
    }

    #[test]
    fn words_fields_and_status_go_together() {
        assert_eq!(ids(None, &["KEY", "ea"]), ["dead", "year"]);
        assert_eq!(ids(Some(StatusGroup::Expired), &["year"]), [""; 0]);
        assert_eq!(ids(None, &["expires:<30d", "-name:\"key week\""]), ["month"]);
    }

    #[test]
    fn a_slip_in_the_query_or_the_order_is_told_with_what_is_possible() {
        let words = ["expires:soon".to_owned()];
        assert!(
            matches!(read_query(&words, NOW), Err(CliError::Usage(words)) if words.contains("“soon”: ") && words.contains("30d"))
        );
        let error = sorts(&["-created".into(), "size".into()]);
        assert!(matches!(error, Err(CliError::Usage(words)) if words.contains("expires")));
        let good = sorts(&["status".into(), "-name".into()]).unwrap();
        assert_eq!(good[1], Sort { column: Column::Name, descending: true });
    }
}
