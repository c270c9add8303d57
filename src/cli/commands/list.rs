//! `keybearer list`: the visible keys, searched, sorted and written in the wanted form.

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
};

use clap::{Args, ValueEnum, builder::PossibleValue};

use crate::{
    cli::{
        args::{
            connection::ConnectionFlags,
            row_options::{More, RowOptions, Shape},
        },
        error::{CliError, Exit},
        keys::{
            listing::{RowCounts, about, asker, conclude, conclude_several, read, read_query, write},
            several,
        },
        output::{
            self,
            paint::{Painted, put_painted},
        },
    },
    export::{self, About, Row},
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        filter,
        inventory::{Asker, Column, RowId, Sort, list_view::Rows},
        time::{calendar, status::StatusGroup},
    },
    ops::{
        Session, clock,
        keys::{last_use, list::KeyList},
    },
};

/// The options of `list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// What to look for: words, and fields such as owner:ana 'expires:<30d' can:write 'on:logs-*'
    #[arg(value_name = "QUERY")]
    search: Vec<String>,
    /// Only keys with this status
    #[arg(long)]
    status: Option<StatusGroup>,
    /// Columns to sort by, most significant first; a minus reverses one [default: -created] [possible: name, app, id,
    /// owner, realm, type, role, can, created, expires, invalidated, status]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Also show when each key was last seen in audit events; only in the table
    #[arg(long)]
    last_use: bool,
    /// Index, data stream or pattern with audit events [default: the usual places]
    #[arg(long, value_name = "NAME", requires = "last_use")]
    audit_index: Option<String>,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: ListFormat,
    /// List the keys of all saved connections, with a column for the connection
    #[arg(long)]
    all_profiles: bool,
    /// Explain the query syntax
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
    /// Same as json, one key per line
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
        output::put(&query_help())?;
        return Ok(Exit::Done);
    }
    let sorts = sorts(&args.sort)?;
    args.rows.check(args.output.shape())?;
    // An error in the query is reported before anything is asked; the clock of the cluster comes with it.
    read_query(&args.search, clock::now())?;
    if args.output == ListFormat::Xlsx && std::io::stdout().is_terminal() {
        return Err(CliError::usage("A workbook is not text: send it to a file with --output xlsx > keys.xlsx"));
    }
    if args.last_use && (args.output != ListFormat::Table || args.rows.ids()) {
        return Err(CliError::usage(
            "--last-use works only with the table: other formats contain only what the cluster itself knows about its \
             keys",
        ));
    }
    if args.all_profiles || !flags.several().is_empty() {
        return run_several(flags, &args, &sorts).await;
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
    Ok(conclude(&list, &query, RowCounts { shown: row_ids.len(), found: found.len(), not_known }, exit, written))
}

/// Lists the keys of several clusters. One that can't be read is reported, and the list is not called whole.
async fn run_several(flags: &ConnectionFlags, args: &ListArgs, sorts: &[Sort]) -> Result<Exit, CliError> {
    let is_other = !flags.url.is_empty() || args.all_profiles && !flags.profiles.is_empty();
    if is_other {
        return Err(CliError::usage("--all-profiles, several --profile, and --url can't be used together"));
    }
    let csv_of_columns = args.output == ListFormat::Csv && args.rows.changes_csv();
    if args.last_use || args.rows.ids() || csv_of_columns {
        return Err(CliError::usage(
            "--last-use, --ids, and --columns or --no-headers with CSV work only with one connection",
        ));
    }
    let (names, is_all) = match args.all_profiles {
        true => several::all_names()?,
        false => (flags.several().to_vec(), true),
    };
    let lists = several::read(flags, &names).await?;
    let (list, now) = (&lists.keys, clock::now());
    let query = read_query(&args.search, now)?;
    let (found, not_known) = chosen(list, &query, args.status, sorts, now, Asker::default());
    let row_ids = args.rows.first(&found);
    let keys = row_ids.iter().map(|row| list.keys.key(*row));
    let written = match args.output.file() {
        None if row_ids.is_empty() => Ok(()),
        None => {
            let cell = |number: usize, _: &ApiKey| output::cell(row_ids.get(number).map_or("", |row| lists.name(*row)));
            put_painted(&args.rows.table(keys, now, Some(More { head: "CLUSTER", cell: &cell })))
        }
        Some(format) => {
            let about =
                About { cluster: String::new(), with_cluster: true, now, made_at: clock::now(), zone: clock::zone() };
            let row = |row: &RowId| Row { cluster: lists.name(*row), key: Cow::Owned(list.keys.key(*row)) };
            write(format, row_ids.iter().map(row), &about)
        }
    };
    let exit = match (lists.is_whole && is_all, not_known) {
        (false, _) => Exit::Partly,
        (true, 0) => Exit::Done,
        (true, _) => Exit::NotKnown,
    };
    Ok(conclude_several(
        &lists,
        &query,
        RowCounts { shown: row_ids.len(), found: found.len(), not_known },
        exit,
        written,
    ))
}

async fn write_rows(
    session: &Session,
    args: &ListArgs,
    list: &KeyList,
    row_ids: &[RowId],
    now: Timestamp,
) -> io::Result<()> {
    let keys = row_ids.iter().map(|row| list.keys.key(*row));
    match args.output.file() {
        _ if args.rows.ids() => RowOptions::put_ids(row_ids.iter().map(|row| list.keys.id(*row))),
        None if row_ids.is_empty() => Ok(()),
        None if args.last_use => {
            let keys: Vec<ApiKey> = keys.collect();
            put_painted(&with_last_use(session, keys, now, args).await)
        }
        None => put_painted(&args.rows.table(keys, now, None)),
        Some(export::Format::Csv) if args.rows.changes_csv() => args.rows.put_csv(keys, now),
        Some(format) => {
            let about = about(session, now);
            let rows = keys.map(|key| Row { cluster: &about.cluster, key: Cow::Owned(key) });
            write(format, rows, &about)
        }
    }
}

/// Formats the table with the column of the last use. If the last use is not known, the reason is reported once.
async fn with_last_use(session: &Session, keys: Vec<ApiKey>, now: Timestamp, args: &ListArgs) -> Painted {
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
    let cell = |_: usize, key: &ApiKey| match &uses {
        Ok(uses) => uses.of(&key.id).map_or_else(|| "not seen".into(), |at| calendar::local(at, &zone)),
        Err(_) => "not known".into(),
    };
    args.rows.table(keys.into_iter(), now, Some(More { head: "LAST USE", cell: &cell }))
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
            CliError::usage(format!("--sort: there is no column “{name}”; available columns: {}", all.join(", ")))
        })
    };
    if texts.is_empty() {
        return Ok(vec![Sort::default()]);
    }
    texts.iter().map(sort).collect()
}

fn chosen(
    list: &KeyList,
    query: &filter::Query,
    status: Option<StatusGroup>,
    sorts: &[Sort],
    now: Timestamp,
    asker: Asker<'_>,
) -> (Vec<RowId>, usize) {
    let order = list.keys.order(sorts, now);
    let rows = Rows::new(&list.keys, &query.expr, None, &order, now, asker);
    let fits = |row: &RowId| status.is_none_or(|wanted| wanted.has(list.keys.status(*row, now)));
    let not_known = rows.not_known.rows().filter(fits).count();
    (rows.rows.into_iter().filter(fits).collect(), not_known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::keys::listing::read_query,
        model::{TimeDelta, inventory::RawKey},
    };

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

    fn list() -> KeyList {
        let mut list = KeyList::default();
        let mut put = |id: &str, expires: Option<Timestamp>, invalidated: bool| {
            let name = format!("key {id}");
            list.keys.put(&RawKey { id, name: &name, expires, invalidated, ..Default::default() });
        };
        put("week", Some(NOW + TimeDelta::DAY), false);
        put("month", Some(NOW + 20 * TimeDelta::DAY), false);
        put("year", Some(NOW + 300 * TimeDelta::DAY), false);
        put("never", None, false);
        put("dead", Some(NOW - TimeDelta::DAY), false);
        put("gone", None, true);
        list
    }

    fn ids(status: Option<StatusGroup>, search: &[&str]) -> Vec<String> {
        let words: Vec<String> = search.iter().map(|word| (*word).to_owned()).collect();
        let (list, query) = (list(), read_query(&words, NOW).unwrap());
        let (rows, _) = chosen(&list, &query, status, &[Sort::default()], NOW, Asker::default());
        let mut ids: Vec<String> = rows.iter().map(|row| list.keys.id(*row).to_owned()).collect();
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
