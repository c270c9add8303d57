//! Reasons why it may not be known if a key matches a search.

use super::{Expr, Term};

/// Returns the reason why it may not be known if a key matches this search, by the fields and privileges that it asks
/// for: a clause without a capital letter and a full stop. It names the search that finds those keys if there is one.
pub fn why_not_known(expr: &Expr) -> String {
    let mut asked = Asked::default();
    asked.add(expr);
    let rights = "what they can do is not reported, or can’t be determined";
    let fields = "a field used in the search could not be read";
    match asked {
        Asked { grants: true, fields: false, .. } => format!("{rights} (can:PRIVILEGE? finds them)"),
        Asked { traits: Some(word), fields: false, .. } => format!("{rights} (is:{word}? finds them)"),
        Asked { grants: false, traits: None, .. } => fields.into(),
        Asked { .. } => format!("{rights}, or {fields}"),
    }
}

/// Kinds of facts that a search asks for.
#[derive(Default)]
struct Asked {
    grants: bool,
    /// Keyword of a fact about privileges.
    traits: Option<&'static str>,
    fields: bool,
}

impl Asked {
    fn add(&mut self, expr: &Expr) {
        match expr {
            Expr::All => {}
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| self.add(part)),
            Expr::Not(inner) => self.add(inner),
            Expr::Term(Term::Grant(_)) => self.grants = true,
            Expr::Term(Term::Is(fact) | Term::NotKnown(fact)) if fact.is_of_rights() => {
                self.traits = Some(fact.word());
            }
            Expr::Term(_) => self.fields = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::{Timestamp, filter};

    #[test]
    fn the_reason_is_about_what_the_search_asks() {
        for (search, wanted, unwanted) in [
            ("name:zzz", "a field used in the search", "can do"),
            ("owner:ana status:valid", "a field", "can do"),
            ("can:write", "can:PRIVILEGE? finds them", "a field"),
            ("-(can:write or on:logs)", "can:PRIVILEGE? finds them", "a field"),
            ("is:administrator", "is:administrator? finds them", "a field"),
            ("is:mine", "a field", "can do"),
            ("owner:ana can:write", "can do is not reported, or can’t be determined, or a field", "finds them"),
        ] {
            let query = filter::parse(search, Timestamp::EPOCH, &TimeZone::UTC).unwrap();
            let why = why_not_known(&query.expr);
            assert!(why.contains(wanted) && !why.contains(unwanted), "{search}: {why}");
        }
    }
}
