//! The list of all visible keys, read, searched and written for several commands.

use std::{
    io::{self, BufWriter, Write},
    ops::ControlFlow,
};

use super::several::SeveralLists;
use crate::{
    cli::{
        error::{CliError, Exit},
        output::{self, progress::Progress},
    },
    export::{self, About, Row},
    model::{Timestamp, filter, inventory::Asker, text::number, time::calendar},
    ops::{
        Session, clock,
        keys::list::{self, KeyList, ListProgress},
    },
};

/// Numbers of keys in the report about a list.
#[derive(Clone, Copy)]
pub(crate) struct RowCounts {
    /// Keys that are shown.
    pub(crate) shown: usize,
    /// Keys that were found; more than are shown if the list is cut.
    pub(crate) found: usize,
    /// Keys of which it is not known if they match.
    pub(crate) not_known: usize,
}

/// Reports how many keys of a list are shown, found and not known, and returns the exit code. A reader that closed its
/// pipe gets no count; an incomplete list is reported all the same.
pub(crate) fn conclude(
    list: &KeyList,
    query: &filter::Query,
    counts: RowCounts,
    exit: Exit,
    written: io::Result<()>,
) -> Exit {
    match &written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => print_doubts(list),
        _ => print_count(list, counts.shown, counts.found),
    }
    if written.is_ok() {
        print_not_known(counts.not_known, query);
    }
    exit.unless_unwritten(written)
}

/// Reports on the list of several clusters as [`conclude`] does on one.
pub(crate) fn conclude_several(
    lists: &SeveralLists,
    query: &filter::Query,
    counts: RowCounts,
    exit: Exit,
    written: io::Result<()>,
) -> Exit {
    if !matches!(&written, Err(error) if error.kind() == io::ErrorKind::BrokenPipe) {
        let list = &lists.keys;
        let at = calendar::clock(list.as_of, &clock::zone());
        output::print_status(&count_text(list.total, list.own_only, counts.shown, counts.found, &at));
    }
    lists.print_doubts();
    if written.is_ok() {
        print_not_known(counts.not_known, query);
    }
    exit.unless_unwritten(written)
}

/// Reads all keys, with progress on a terminal.
pub(crate) async fn read(session: &Session) -> Result<KeyList, CliError> {
    let progress = output::someone_is_there().then(|| Progress::new(" read"));
    let list = list::all(session, move |news| {
        if let (Some(progress), ListProgress::Count { read, total }) = (&progress, news) {
            progress.report(read, total);
        }
    });
    Ok(list.await?)
}

/// Returns the user that searches such as `is:mine` refer to.
pub(crate) fn asker(session: &Session) -> Asker<'_> {
    Asker { username: &session.identity.username, realm: &session.identity.realm }
}

/// Returns the properties of exported files: cluster, time and zone.
pub(crate) fn about(session: &Session, now: Timestamp) -> About {
    let cluster = session.cluster_name.clone();
    let cluster = cluster.unwrap_or_else(|| session.client.endpoint().url.host().to_owned());
    About { cluster, with_cluster: false, now, made_at: clock::now(), zone: clock::zone() }
}

/// Writes a file to stdout.
pub(crate) fn write<'a>(format: export::Format, rows: impl Iterator<Item = Row<'a>>, about: &About) -> io::Result<()> {
    let mut out = BufWriter::new(output::stdout());
    let written = export::write(format, &mut out, rows, about, &mut |_| ControlFlow::Continue(()));
    let written = written.map_err(|error| match error {
        export::ExportError::Write(error) => error,
        export::ExportError::Stopped => io::ErrorKind::Interrupted.into(),
    })?;
    out.flush()?;
    if written.beyond > 0 {
        output::print_error(&format!(
            "Left out because they expire after the calendar ends: {}",
            number::plural(written.beyond, "key")
        ));
    }
    Ok(())
}

/// Reads a query; an error in it is reported with its position. An unclosed quote, which the window accepts while
/// somebody types, is an error here.
pub(crate) fn read_query(words: &[String], now: Timestamp) -> Result<filter::Query, CliError> {
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
        lines.push("See `keybearer list --query-help` for the query syntax".into());
        CliError::usage(lines.join("\n"))
    })
}

/// Reports the number of keys of which it is not known whether they match the search.
pub(crate) fn print_not_known(count: usize, query: &filter::Query) {
    if count > 0 {
        output::print_error(&format!(
            "{} not known: {}. They match neither this search nor its opposite",
            number::thousands(count as u64),
            filter::why_not_known(&query.expr)
        ));
    }
}

/// Reports how many keys are shown of how many, and what could not be read. `found` exceeds `shown` where a limit was
/// given.
pub(crate) fn print_count(list: &KeyList, shown: usize, found: usize) {
    let at = calendar::clock(list.as_of, &clock::zone());
    output::print_status(&count_text(list.total, list.own_only, shown, found, &at));
    if list.own_only {
        output::print_status("Seeing other users' keys requires the privilege read_security or manage_api_key");
    }
    print_doubts(list);
}

/// Maximum number of keys that are named because a part of them could not be read.
const MAX_NAMED: usize = 20;

/// Reports what is missing in a list, and which of its keys could not be read completely.
pub(crate) fn print_doubts(list: &KeyList) {
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

/// Formats "12 of 3,041 keys, as of 12:00"; "2 of your 5 keys, as of 12:00".
pub(crate) fn count_text(total: u64, own_only: bool, shown: usize, found: usize, at: &str) -> String {
    let all = match (own_only, total) {
        (true, 1) => "your 1 key".to_owned(),
        (true, _) => format!("your {}", number::plural(total, "key")),
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

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

    #[test]
    fn the_count_is_in_good_english() {
        assert_eq!(count_text(1, true, 1, 1, "12:00"), "1 of your 1 key, as of 12:00");
        assert_eq!(count_text(5, true, 0, 0, "12:00"), "0 of your 5 keys, as of 12:00");
        assert_eq!(count_text(1, false, 1, 1, "12:00"), "1 of 1 key, as of 12:00");
        assert_eq!(
            count_text(3041, false, 10, 12, "12:00"),
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
}
