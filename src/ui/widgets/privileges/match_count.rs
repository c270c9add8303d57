//! Number of names that the patterns of a field match.

use std::ops::ControlFlow;

use eframe::egui::{self, Ui};

use crate::{
    model::{
        privileges::pattern::{self, Budget},
        text::number::plural,
    },
    ops::Problem,
};

/// Describes how many indices, aliases and data streams the patterns match.
pub fn matched(ui: &Ui, names: Option<&Result<Vec<String>, Problem>>, patterns: &[String]) -> String {
    let names = match names {
        None => return "Reading the names of the cluster’s indices…".into(),
        Some(Err(problem)) => return format!("Number of matches not known: {}", problem.title),
        Some(Ok(names)) => names,
    };
    let Counted { count, not_known, .. } = counted(ui, names, patterns);
    let known = match (patterns.is_empty(), count) {
        (true, _) => return "Names or patterns such as logs-*".into(),
        (false, 0) if not_known == 0 => return "Matches nothing that you can see".into(),
        (false, count) => format!("Matches {} that you can see", plural(count as u64, "name")),
    };
    if not_known == 0 { known } else { format!("{known}; not known for {not_known} more") }
}

/// Forgets all counts.
pub fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| data.remove_by_type::<Counted>());
}

/// Maximum number of matching steps for one count: some hundredths of a second, because the window waits for it.
const MAX_COUNTING_STEPS: u64 = 10_000_000;

/// Returns the count, computed once for these patterns and names: there may be very many of them, and frames are short.
fn counted(ui: &Ui, names: &[String], patterns: &[String]) -> Counted {
    let of = (names.as_ptr() as usize, names.len());
    let id = egui::Id::unique(("names that match", patterns));
    if let Some(known) = ui.data(|data| data.get_temp::<Counted>(id)).filter(|known| known.of == of) {
        return known;
    }
    let budget = Budget::new(MAX_COUNTING_STEPS);
    let (mut count, mut not_known) = (0, 0);
    for name in names {
        let mut answers = patterns.iter().map(|pattern| pattern::matches_within(pattern, name, &budget));
        let answer = answers.try_fold(Some(false), |so_far, answer| match answer {
            Some(true) => ControlFlow::Break(()),
            Some(false) => ControlFlow::Continue(so_far),
            None => ControlFlow::Continue(None),
        });
        match answer {
            ControlFlow::Break(()) => count += 1,
            ControlFlow::Continue(None) => not_known += 1,
            ControlFlow::Continue(Some(_)) => {}
        }
    }
    let counted = Counted { of, count, not_known };
    ui.data_mut(|data| data.insert_temp(id, counted));
    counted
}

/// Number of names that match, number for which it is not known, and the identity of the list of names.
#[derive(Clone, Copy)]
struct Counted {
    of: (usize, usize),
    count: usize,
    not_known: usize,
}
