//! Privileges of a key as the command line shows them: sentences, then a table.

use crate::{
    cli::output,
    model::{privileges::descriptor, rights::RightsRow, text::sanitize},
    ops::keys::effective_privileges::KeyRights,
};

/// Formats the section with the privileges of a key.
pub(crate) fn text(whole: &KeyRights) -> String {
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let mut text = String::from("\nwhat it can do\n");
    let mut sentences: Vec<String> = whole.rights.headline().map(str::to_owned).into_iter().collect();
    sentences.extend(whole.rights.sentences().iter().map(|sentence| descriptor::plain(sentence)));
    sentences.extend(whole.rights.notes());
    sentences.extend(whole.owner.iter().flat_map(|owner| owner.sentences()));
    for sentence in sentences {
        text.push_str(&format!("  {}\n", shown(&sentence)));
    }
    let rows = whole.rights.rows();
    if !rows.is_empty() {
        text.push('\n');
        for line in table(&rows).lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

/// Formats one line for each name: none is too long to read, and each can be found by `grep`.
fn table(rows: &[RightsRow]) -> String {
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let mut lines = Vec::new();
    for row in rows {
        let (may, only) = (shown(&row.may.join(", ")), shown(&row.but.join("; ")));
        let on: Vec<String> =
            if row.on.is_empty() { vec!["".into()] } else { row.on.iter().map(|on| shown(on)).collect() };
        lines.extend(on.into_iter().map(|on| vec![row.kind.to_owned(), on, may.clone(), only.clone()]));
    }
    output::table(&["RIGHTS ON", "NAMES", "PRIVILEGES", "LIMITS"], &lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_name() {
        let row = |kind, on: &[&str], may: &[&str], only: &[&str]| {
            let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            RightsRow { kind, on: texts(on), may: texts(may), but: texts(only) }
        };
        let rows =
            [row("cluster", &[], &["monitor"], &[]), row("indices", &["a\u{202e}", "b"], &["read", "write"], &["x"])];
        let expected = "RIGHTS ON  NAMES       PRIVILEGES   LIMITS\ncluster                monitor\nindices    \
                        a‹U+202E›   read, write  x\nindices    b           read, write  x\n";
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&table(&rows)), squeeze(expected));
        assert_eq!(table(&rows).lines().count(), 4);
    }
}
