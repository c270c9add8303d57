//! `keybearer manual`: the manual pages, for those who build packages.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::{
    cli::{
        CREATE_API_KEY, PROGRAM, create_api_key_bin,
        error::{CliError, Exit},
        help::{self, examples},
        output,
    },
    model::{Timestamp, text::sanitize, time::calendar},
    ops::clock,
};
use clap::{Arg, Args, Command};
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, italic, roman},
};

/// The options of `manual`.
#[derive(Args, Debug)]
pub(crate) struct ManualArgs {
    /// Folder to write the pages to; it is created if it is missing
    folder: PathBuf,
}

/// Heading of the options that every command has: they are described once, on the page of `keybearer`.
const SHARED_HEADING: &str = "Connection";

/// A page that is about to be written.
struct Page<'c> {
    command: &'c Command,
    /// Name of the page, such as `keybearer-journal-verify`.
    name: String,
    /// Names of the command by which its examples are found.
    path: String,
    /// `true` for a program, `false` for one of its commands.
    is_program: bool,
}

pub(crate) fn run(args: &ManualArgs) -> Result<Exit, CliError> {
    let count = write(&args.folder, &date()?)
        .map_err(|error| CliError::problem("The manual can't be written", &error.to_string(), ""))?;
    output::print_status(&format!("{count} pages in {}", sanitize::shown(&args.folder.display().to_string())));
    Ok(Exit::Done)
}

/// Writes all pages, and returns their number.
fn write(folder: &Path, date: &str) -> io::Result<usize> {
    fs::create_dir_all(folder)?;
    let (mut root, mut create) = (crate::cli::command().disable_help_subcommand(true), create_api_key_bin::command());
    root.build();
    create.build();
    let mut pages = Vec::new();
    Page { command: &root, name: PROGRAM.to_owned(), path: String::new(), is_program: true }.with_all_below(&mut pages);
    let path = CREATE_API_KEY.to_owned();
    pages.push(Page { command: &create, name: path.clone(), path, is_program: true });
    for page in &pages {
        fs::write(folder.join(format!("{}.1", page.name)), page.text(date)?)?;
    }
    Ok(pages.len())
}

/// Returns the date of the pages: that of `SOURCE_DATE_EPOCH`, so that a package can be built again to the byte, or
/// today.
fn date() -> Result<String, CliError> {
    let at = match env::var("SOURCE_DATE_EPOCH") {
        Err(_) => clock::now(),
        Ok(text) => {
            let seconds = text.trim().parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000));
            let wrong = || CliError::usage("SOURCE_DATE_EPOCH: enter seconds since 1970, or unset it");
            seconds.map(Timestamp::from_millis).ok_or_else(wrong)?
        }
    };
    Ok(calendar::rfc3339(at).chars().take("2026-12-01".len()).collect())
}

impl<'c> Page<'c> {
    /// Returns the pages of the visible subcommands.
    fn below(&self) -> Vec<Page<'c>> {
        let visible = self.command.get_subcommands().filter(|sub| !sub.is_hide_set());
        let page = |command: &'c Command| {
            let name = command.get_name();
            let path = if self.path.is_empty() { name.to_owned() } else { format!("{} {name}", self.path) };
            Page { command, name: format!("{}-{name}", self.name), path, is_program: false }
        };
        visible.map(page).collect()
    }

    /// Adds this page and all those below it.
    fn with_all_below(self, pages: &mut Vec<Page<'c>>) {
        let below = self.below();
        pages.push(self);
        below.into_iter().for_each(|page| page.with_all_below(pages));
    }

    fn about(&self) -> String {
        let about = self.command.get_about().map(ToString::to_string).unwrap_or_default();
        about.trim_end_matches('.').to_owned()
    }

    fn text(&self, date: &str) -> io::Result<Vec<u8>> {
        let man = Man::new(self.command.clone())
            .title(self.name.to_uppercase())
            .date(date)
            .source(format!("Keybearer {}", env!("CARGO_PKG_VERSION")))
            .manual("Keybearer Manual");
        let mut text = Vec::new();
        man.render_title(&mut text)?;
        let mut head = Roff::new();
        // Names of commands and options are copied from the page: no hyphen is put into them.
        head.control("nh", []);
        head.control("SH", ["NAME"]);
        head.text([roman(format!("{} - {}", self.name, self.about()))]);
        head.control("SH", ["SYNOPSIS"]);
        synopsis(&mut head, &self.command.clone().render_usage().to_string());
        head.to_writer(&mut text)?;
        man.render_description_section(&mut text)?;
        let mut tail = Roff::new();
        self.options(&mut tail);
        self.tail(&mut tail);
        tail.to_writer(&mut text)?;
        Ok(text)
    }

    /// The arguments and options, by their headings. Those that every command has are on the page of the program.
    fn options(&self, roff: &mut Roff) {
        let is_shown = |arg: &&Arg| {
            let is_shared = !self.is_program && arg.get_help_heading() == Some(SHARED_HEADING);
            !arg.is_hide_set() && !is_shared
        };
        let (mut args, mut headings): (Vec<&Arg>, Vec<&str>) = (Vec::new(), Vec::new());
        args.extend(self.command.get_positionals().filter(is_shown));
        args.extend(self.command.get_arguments().filter(is_shown).filter(|arg| !arg.is_positional()));
        for arg in &args {
            let heading = arg.get_help_heading().unwrap_or("Options");
            if !headings.contains(&heading) {
                headings.push(heading);
            }
        }
        for heading in headings {
            roff.control("SH", [heading.to_uppercase().as_str()]);
            let own = args.iter().filter(|arg| arg.get_help_heading().unwrap_or("Options") == heading);
            own.for_each(|arg| option(roff, arg));
        }
    }

    /// What comes after the options: commands, examples, environment, exit codes, files and other pages.
    fn tail(&self, roff: &mut Roff) {
        if !self.is_program {
            roff.control("SH", ["CONNECTION"]);
            roff.text([
                roman("The options that choose the cluster and the sign-in are the same for every command: see "),
                bold(PROGRAM),
                roman("(1)."),
            ]);
        }
        let below = self.below();
        if !below.is_empty() {
            roff.control("SH", ["COMMANDS"]);
        }
        for page in &below {
            item(roff, [bold(&page.name), roman("(1)")], &page.about());
        }
        items(roff, "EXAMPLES", examples::of(&self.path));
        if self.is_program {
            roff.control("SH", ["ENVIRONMENT"]);
            roff.text([roman(format!("Precedence: {}.", help::PRECEDENCE))]);
            help::ENVIRONMENT.iter().for_each(|(name, meaning)| item(roff, [bold(*name)], meaning));
        }
        items(roff, "EXIT STATUS", &help::EXIT_CODES);
        if self.is_program {
            items(roff, "FILES", &help::FILES);
        }
        roff.control("SH", ["SEE ALSO"]);
        let mut others: Vec<String> = below.into_iter().map(|page| page.name).collect();
        if self.name != PROGRAM {
            others.insert(0, PROGRAM.to_owned());
        }
        if matches!(self.path.as_str(), "" | "create") {
            others.push(CREATE_API_KEY.to_owned());
        }
        let separated =
            |(number, name): (usize, String)| [roman(if number > 0 { ", " } else { "" }), bold(name), roman("(1)")];
        roff.text(others.into_iter().enumerate().flat_map(separated).collect::<Vec<_>>());
    }
}

/// Writes what clap prints as usage, one form in each line.
fn synopsis(roff: &mut Roff, usage: &str) {
    let forms = usage.trim_start_matches("Usage:").lines().map(str::trim).filter(|form| !form.is_empty());
    for (number, form) in forms.enumerate() {
        if number > 0 {
            roff.control("br", []);
        }
        roff.text([bold(form)]);
    }
}

/// Writes an argument or option: its names, its help, and its possible values.
fn option(roff: &mut Roff, arg: &Arg) {
    roff.control("TP", []);
    let mut names = Vec::new();
    names.extend(arg.get_short().map(|short| bold(format!("-{short}"))));
    if arg.get_short().is_some() && arg.get_long().is_some() {
        names.push(roman(", "));
    }
    names.extend(arg.get_long().map(|long| bold(format!("--{long}"))));
    let takes_values = arg.get_action().takes_values();
    for name in arg.get_value_names().unwrap_or_default().iter().filter(|_| takes_values) {
        names.extend((!names.is_empty()).then(|| roman(" ")));
        names.push(italic(name.as_str()));
    }
    let default = arg.get_default_values().first().filter(|_| takes_values && !arg.is_hide_default_value_set());
    names.extend(default.map(|value| roman(format!(" [default: {}]", value.to_string_lossy()))));
    roff.text(names);
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    for (number, paragraph) in help.split("\n\n").enumerate() {
        if number > 0 {
            roff.control("IP", []);
        }
        roff.text([roman(paragraph.replace('\n', " "))]);
    }
    let values = arg.get_possible_values();
    let values: Vec<_> = values.iter().filter(|value| takes_values && !value.is_hide_set()).collect();
    if !values.is_empty() {
        roff.control("RS", []);
        for value in values {
            let meaning = value.get_help().map(ToString::to_string).unwrap_or_default();
            item(roff, [bold(value.get_name())], &meaning);
        }
        roff.control("RE", []);
    }
}

fn items(roff: &mut Roff, heading: &str, items: &[(&str, &str)]) {
    if !items.is_empty() {
        roff.control("SH", [heading]);
        items.iter().for_each(|(name, meaning)| item(roff, [bold(*name)], meaning));
    }
}

fn item(roff: &mut Roff, head: impl IntoIterator<Item = Inline>, meaning: &str) {
    roff.control("TP", []);
    roff.text(head.into_iter().collect::<Vec<_>>());
    if !meaning.is_empty() {
        roff.text([roman(meaning)]);
    }
}
