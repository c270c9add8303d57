//! Colors by meaning. A color repeats what a word says, and never says anything alone.

use std::{
    env,
    io::{self, IsTerminal, Write},
    ops::Range,
    sync::OnceLock,
};

use crate::{
    cli::{environment, output},
    model::{defaults::ColorChoice, time::status::Status},
};

/// Meaning of a color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It works.
    Good,
    /// It will need attention soon.
    Soon,
    /// It doesn't work any more, and somebody should look.
    Bad,
    /// It is over.
    Faint,
}

impl Tone {
    /// Returns the tone of a key's status; `None` if it is not known.
    pub(crate) fn of(status: Option<Status>) -> Option<Self> {
        Some(match status? {
            Status::Expired => Self::Bad,
            Status::Expiring | Status::ExpiringSoon => Self::Soon,
            Status::Active | Status::Never => Self::Good,
            Status::Invalidated => Self::Faint,
        })
    }

    /// Returns the sequence that begins the tone on a terminal.
    fn sequence(self) -> &'static str {
        match self {
            Self::Good => "\u{1b}[32m",
            Self::Soon => "\u{1b}[33m",
            Self::Bad => "\u{1b}[31m",
            Self::Faint => "\u{1b}[2m",
        }
    }
}

/// Sequence that ends every tone.
const RESET: &str = "\u{1b}[0m";

/// Text with places that have a tone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Painted {
    pub(super) text: String,
    /// Byte ranges of the text, in their order and apart from each other.
    pub(super) marks: Vec<(Range<usize>, Tone)>,
}

impl Painted {
    /// Returns the text.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text and its marks without its first line.
    pub(crate) fn without_first_line(mut self) -> Self {
        let cut = self.text.find('\n').map_or(0, |end| end + 1);
        self.text.drain(..cut);
        self.marks.retain_mut(|(range, _)| {
            let stays = range.start >= cut;
            if stays {
                *range = range.start - cut..range.end - cut;
            }
            stays
        });
        self
    }
}

/// Prints text to stdout, with its tones where colors are wanted. The text itself is escaped as all data is: only the
/// sequences of the tones reach a terminal.
///
/// # Errors
/// Returns an error if stdout can't be written.
pub(crate) fn put_painted(painted: &Painted) -> io::Result<()> {
    if !is_wanted() {
        return output::put(&painted.text);
    }
    let mut at = 0;
    for (range, tone) in &painted.marks {
        output::put(&painted.text[at..range.start])?;
        put_sequence(tone.sequence())?;
        output::put(&painted.text[range.clone()])?;
        put_sequence(RESET)?;
        at = range.end;
    }
    output::put(&painted.text[at..])
}

fn put_sequence(sequence: &str) -> io::Result<()> {
    io::stdout().write_all(sequence.as_bytes())
}

/// Choice of the command line.
static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

/// Remembers the choice of the command line; the first one stays.
pub(crate) fn choose(choice: ColorChoice) {
    let _ = CHOICE.set(choice);
}

/// Returns `true` if stdout gets colors.
fn is_wanted() -> bool {
    let (choice, _) = chosen();
    choice == ColorChoice::Always || choice == ColorChoice::Auto && io::stdout().is_terminal() && !is_dumb()
}

/// Returns `true` for a terminal that shows sequences as text.
fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Returns the choice that counts, and where it comes from.
pub(crate) fn chosen() -> (ColorChoice, Source) {
    let variable = |name: &str| env::var_os(name).filter(|text| !text.is_empty()).map(|text| text != "0");
    decide(CHOICE.get().copied(), &variable, environment::defaults().color.as_ref().map(|set| (set.value, set.line)))
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An option.
    Option,
    /// This environment variable.
    Variable(&'static str),
    /// This line of the file with defaults.
    Line(usize),
    /// The program.
    BuiltIn,
}

/// Options go before the environment, and that before the file. `variable` tells whether a variable that is set says
/// yes.
fn decide(
    option: Option<ColorChoice>,
    variable: &dyn Fn(&str) -> Option<bool>,
    file: Option<(ColorChoice, usize)>,
) -> (ColorChoice, Source) {
    if let Some(choice) = option {
        return (choice, Source::Option);
    }
    // Any text but none means no colors (no-color.org).
    if variable("NO_COLOR").is_some() {
        return (ColorChoice::Never, Source::Variable("NO_COLOR"));
    }
    match (variable("CLICOLOR_FORCE"), variable("CLICOLOR")) {
        (Some(true), _) => (ColorChoice::Always, Source::Variable("CLICOLOR_FORCE")),
        (_, Some(false)) => (ColorChoice::Never, Source::Variable("CLICOLOR")),
        _ => file.map_or((ColorChoice::Auto, Source::BuiltIn), |(choice, line)| (choice, Source::Line(line))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_goes_before_the_environment_and_that_before_the_file() {
        use ColorChoice::{Always, Auto, Never};
        let file = Some((Always, 3));
        let no = |name: &str| (name == "NO_COLOR").then_some(false);
        let force = |name: &str| (name == "CLICOLOR_FORCE").then_some(true);
        let unforced = |name: &str| (name == "CLICOLOR_FORCE").then_some(false);
        let off = |name: &str| (name == "CLICOLOR").then_some(false);
        assert_eq!(decide(Some(Auto), &no, file), (Auto, Source::Option));
        assert_eq!(decide(None, &no, file), (Never, Source::Variable("NO_COLOR")));
        assert_eq!(decide(None, &force, None), (Always, Source::Variable("CLICOLOR_FORCE")));
        assert_eq!(decide(None, &off, file), (Never, Source::Variable("CLICOLOR")));
        assert_eq!(decide(None, &unforced, file), (Always, Source::Line(3)));
        assert_eq!(decide(None, &|_| None, None), (Auto, Source::BuiltIn));
    }

    #[test]
    fn marks_stay_at_their_places_without_the_header() {
        let painted = Painted { text: "HEAD\nrow\n".into(), marks: vec![(0..4, Tone::Soon), (5..8, Tone::Good)] };
        let rows = painted.without_first_line();
        assert_eq!(rows.text(), "row\n");
        assert_eq!(rows.marks, [(0..3, Tone::Good)]);
    }
}
