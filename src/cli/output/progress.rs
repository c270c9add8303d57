//! Progress of long work, on stderr: a bar on a terminal, lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::print_status;
use crate::model::text::number;

/// Time without news after which a bar is drawn again, so that it is seen to be alive.
const TICK: Duration = Duration::from_millis(200);

/// Progress of one piece of work. The bar leaves the terminal when this is dropped.
pub(crate) struct Progress {
    /// `None` where stderr is no terminal.
    bar: Option<ProgressBar>,
    /// What a line says after the numbers, such as ` read`; may be empty.
    what: &'static str,
}

impl Progress {
    /// Creates the progress of work that is long enough for it. `what` follows the numbers, such as ` read`.
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = console_is_there().then(|| {
            let bar = ProgressBar::no_length();
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, what }
    }

    /// Tells how much is done of how much; `total` is 0 if it is not known.
    pub(crate) fn report(&self, done: u64, total: u64) {
        let what = self.what;
        let Some(bar) = &self.bar else { return print_status(&line(done, total, what)) };
        let template = match total {
            0 => format!("{{spinner}} {{human_pos}}{what} so far"),
            _ => format!("{{bar:30}} {{human_pos}} of {{human_len}}{what}"),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        if total > 0 {
            bar.set_length(total);
        }
        bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Returns `true` if a bar can be drawn: stderr is a terminal that understands more than text.
fn console_is_there() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn line(done: u64, total: u64, what: &str) -> String {
    match total {
        0 => format!("{}{what} so far", number::thousands(done)),
        _ => format!("{} of {}{what}", number::thousands(done), number::thousands(total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_as_much_as_is_known() {
        assert_eq!(line(1_000, 3_041, " read"), "1,000 of 3,041 read");
        assert_eq!(line(1_000, 0, " read"), "1,000 read so far");
        assert_eq!(line(5, 10, ""), "5 of 10");
    }

    #[test]
    fn the_templates_of_the_bar_are_understood() {
        for template in ["{spinner} {human_pos} read so far", "{bar:30} {human_pos} of {human_len} read"] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
