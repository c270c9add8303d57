//! Keys that were invalidated, which a search for expirations leaves out unless it mentions them.

use super::{Expr, Term, TimeField, TimeMatch, Trait};
use crate::model::time::status::StatusGroup;

/// `true` if a search mentions invalidated keys.
pub(super) fn names_invalidated(expr: &Expr) -> bool {
    match expr {
        Expr::All => false,
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(names_invalidated),
        Expr::Not(inner) => names_invalidated(inner),
        Expr::Term(Term::Status(groups)) => groups.contains(&StatusGroup::Invalidated),
        Expr::Term(Term::Time(TimeField::Invalidated, _) | Term::Is(Trait::Ended)) => true,
        Expr::Term(_) => false,
    }
}

/// Restricts each `expires:` to keys that were not invalidated: invalidated keys don't expire anymore.
pub(super) fn without_invalidated(expr: Expr) -> Expr {
    let all = |parts: Vec<Expr>| parts.into_iter().map(without_invalidated).collect();
    match expr {
        Expr::And(parts) => Expr::And(all(parts)),
        Expr::Or(parts) => Expr::Or(all(parts)),
        Expr::Not(inner) => Expr::Not(Box::new(without_invalidated(*inner))),
        Expr::Term(Term::Time(TimeField::Expires, at)) => valid_until(at),
        other => other,
    }
}

fn valid_until(at: TimeMatch) -> Expr {
    let gone = Expr::Term(Term::Status(vec![StatusGroup::Invalidated]));
    Expr::And(vec![Expr::Term(Term::Time(TimeField::Expires, at)), Expr::Not(Box::new(gone))])
}
