//! Keys that match a query: each term becomes a set of rows, and the sets are combined. Shared values are examined
//! once, whatever the number of keys that have them.

use super::{
    Bitmap, Inventory, NO_TIME, RowId,
    found::Found,
    json_template,
    row_id::Cells,
    string_arena::{Dictionary, StringArena},
    text_search::{add_containing, matching_texts},
};
use crate::model::{
    Timestamp,
    api_key::KeyKind,
    filter::{Expr, Free, Term, TextField, TextMatch, TimeField, TimeMatch, Trait},
    guard,
    text::json,
    time::status::Status,
};

/// User who searches, for the keywords that mean oneself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// Name of the signed-in user.
    pub username: &'a str,
    /// Realm of that user.
    pub realm: &'a str,
}

/// Returns the fields of the server's answer that a term depends on.
fn unread_by(term: &Term) -> &'static [&'static str] {
    match term {
        Term::Free(_) => &["name", "username", "metadata"],
        Term::Field(field, _) => match field {
            TextField::Name => &["name"],
            TextField::Id => &[],
            TextField::Owner => &["username"],
            TextField::Realm => &["realm"],
            TextField::App | TextField::Managed => &["metadata"],
            TextField::Role => &["metadata", "role_descriptors"],
        },
        Term::Meta(..) => &["metadata"],
        Term::Time(TimeField::Expires, _) => &["expiration"],
        Term::Time(TimeField::Created, _) => &["creation"],
        Term::Time(TimeField::Invalidated, _) => &["invalidation", "invalidated"],
        Term::Kind(_) => &["type"],
        Term::Is(Trait::Ended) | Term::Status(_) => &["expiration", "invalidated"],
        Term::Is(Trait::CrossCluster) => &["type"],
        Term::Is(Trait::Mine) => &["username", "realm"],
        Term::Is(Trait::Managed | Trait::SaysManaged) => &["metadata", "username", "realm"],
        // By the descriptors, of which unreadable ones are not known anyway.
        Term::Is(_) | Term::Grant(_) | Term::NotKnown(_) => &[],
    }
}

impl Inventory {
    /// Returns the keys that surely match an expression, at a moment of the cluster's clock.
    pub fn matching(&self, expr: &Expr, now: Timestamp, asker: Asker<'_>) -> Bitmap {
        self.search(expr, now, asker).matching
    }

    /// Returns the keys that match an expression, and those of which it is not known, at a moment of the cluster's
    /// clock.
    pub fn search(&self, expr: &Expr, now: Timestamp, asker: Asker<'_>) -> Found {
        match expr {
            Expr::All => Found::sure(Bitmap::all(self.len())),
            Expr::And(parts) => {
                let mut found = Found::sure(Bitmap::all(self.len()));
                for part in parts {
                    if found.is_empty() {
                        break;
                    }
                    found = found.and(self.search(part, now, asker));
                }
                found
            }
            Expr::Or(parts) => {
                // Words are looked for together: reading the texts costs more than comparing them.
                let word = |part: &Expr| match part {
                    Expr::Term(Term::Free(Free(wanted))) => Some(wanted.clone()),
                    _ => None,
                };
                let words: Vec<TextMatch> = parts.iter().filter_map(word).collect();
                let found = match words.first() {
                    Some(first) => self.with_unread(self.mentioning(&words), &Term::Free(Free(first.clone()))),
                    None => Found::sure(Bitmap::none(self.len())),
                };
                let others = parts.iter().filter(|part| word(part).is_none());
                others.fold(found, |found, part| found.or(self.search(part, now, asker)))
            }
            Expr::Not(part) => self.search(part, now, asker).not(),
            Expr::Term(term) => self.any_term(term, now, asker),
        }
    }

    fn any_term(&self, term: &Term, now: Timestamp, asker: Asker<'_>) -> Found {
        match term {
            Term::Grant(grant) => self.granting(grant),
            Term::Is(what) => self.which_is(*what, now, asker),
            Term::NotKnown(what) => Found::sure(self.which_is(*what, now, asker).not_known()),
            term => {
                let found = self.term(term, now);
                self.with_unread(found, term)
            }
        }
    }

    /// Marks the keys with unreadable fields that a term depends on as not known. Text found in what could be read of a
    /// field still matches.
    fn with_unread(&self, found: Bitmap, term: &Term) -> Found {
        if self.flaws.is_empty() {
            return Found::sure(found);
        }
        let is_unread = |row: RowId| match term {
            Term::Status(_) => !self.has_known_status(row),
            _ => unread_by(term).iter().any(|field| self.is_unread(row, field)),
        };
        // What is there of a text is read: words found in it are there, and others may have been.
        let is_text = matches!(term, Term::Free(_) | Term::Field(..));
        let (mut matching, mut may) = (found.clone(), found);
        for row in self.flaws.keys().copied().filter(|row| is_unread(*row)) {
            may.set(row, true);
            if !is_text {
                matching.set(row, false);
            }
        }
        Found::with(matching, may)
    }

    fn term(&self, term: &Term, now: Timestamp) -> Bitmap {
        match term {
            Term::Free(Free(wanted)) => self.mentioning(std::slice::from_ref(wanted)),
            Term::Field(field, wanted) => self.field(*field, wanted),
            Term::Meta(path, wanted) => self.metadata_value(path, wanted),
            Term::Time(field, wanted) => {
                let column = match field {
                    TimeField::Expires => &self.expires,
                    TimeField::Created => &self.created,
                    TimeField::Invalidated => &self.invalidated_at,
                };
                if (*field, *wanted) == (TimeField::Invalidated, TimeMatch::Never) {
                    return Bitmap::of(self.len(), |row| !self.is_invalidated(row));
                }
                Bitmap::of(self.len(), |row| wanted.holds(Some(column[row]).filter(|at| *at != NO_TIME)))
            }
            Term::Status(words) => {
                let fits = Status::ALL.map(|status| words.iter().any(|group| group.has(status)));
                let status = self.status_ranks(now);
                Bitmap::of(self.len(), |row| fits[status(row)])
            }
            Term::Kind(words) => {
                let fits: Vec<bool> =
                    self.known.kinds.iter().map(|kind| words.iter().any(|word| word == kind.wire())).collect();
                Bitmap::of(self.len(), |row| fits[usize::from(self.kinds[row])])
            }
            // What may not be known is asked of `any_term`.
            Term::Grant(_) | Term::Is(_) | Term::NotKnown(_) => Bitmap::none(self.len()),
        }
    }

    fn which_is(&self, what: Trait, now: Timestamp, asker: Asker<'_>) -> Found {
        let found = match what {
            Trait::Unrestricted => return self.by_rights(|rights| rights.is_unrestricted()),
            Trait::Empty => return self.by_rights(|rights| rights.is_empty()),
            Trait::Administrator => return self.by_rights(|rights| rights.administers()),
            Trait::EveryIndex => return self.by_rights(|rights| rights.reaches_every_index()),
            Trait::RunsAs => return self.by_rights(|rights| rights.runs_as()),
            Trait::Managed => Bitmap::of(self.len(), |row| self.managers[row] != 0),
            Trait::SaysManaged => Bitmap::of(self.len(), |row| {
                guard::product(self.name(row), self.managed_by(row)).is_some()
                    && !guard::is_owned_by_product(self.username(row), self.realm(row))
            }),
            Trait::CrossCluster => Bitmap::of(self.len(), |row| *self.kind(row) == KeyKind::CrossCluster),
            Trait::Ended => Bitmap::of(self.len(), |row| !self.status(row, now).is_usable()),
            Trait::Mine => {
                Bitmap::of(self.len(), |row| self.username(row) == asker.username && self.realm(row) == asker.realm)
            }
        };
        self.with_unread(found, &Term::Is(what))
    }

    /// Finds the keys with any of these words in name, id, application id, owner, roles or metadata. Shared values come
    /// first, so that a key's own texts are read only for the others.
    fn mentioning(&self, wanted: &[TextMatch]) -> Bitmap {
        if let Some(found) = self.with_letters(wanted) {
            return found;
        }
        let mut found = self.numbered(&self.known.applications, &self.applications, wanted);
        found = found.or(&self.numbered(&self.known.owners, &self.owners, wanted));
        found = found.or(&self.numbered(&self.known.roles, &self.roles, wanted));
        self.add_metadata(&mut found, wanted);
        self.add_texts(&mut found, &self.names, &self.odd_names, wanted);
        self.add_texts(&mut found, &self.ids, &[], wanted);
        found
    }

    fn field(&self, field: TextField, wanted: &[TextMatch]) -> Bitmap {
        match field {
            TextField::Name => {
                let mut found = Bitmap::none(self.len());
                self.add_texts(&mut found, &self.names, &self.odd_names, wanted);
                found
            }
            TextField::Id => self.ids_like(wanted),
            TextField::App => self.numbered(&self.known.applications, &self.applications, wanted),
            TextField::Managed => self.numbered(&self.known.managers, &self.managers, wanted),
            TextField::Owner | TextField::Realm => {
                let part = |number: u32| {
                    let (user, realm) = self.known.owners.get(number).split_once('\0').unwrap_or_default();
                    (if field == TextField::Owner { user } else { realm }).to_lowercase()
                };
                let fits: Vec<bool> =
                    (0..self.known.owners.len() as u32).map(|number| any(wanted, &part(number))).collect();
                Bitmap::of(self.len(), |row| fits[self.owners[row] as usize])
            }
            TextField::Role => {
                let fits = |number: u32| {
                    let set = self.known.roles.get(number);
                    let mut roles = super::split_roles(set);
                    if set.is_empty() {
                        return wanted.contains(&TextMatch::Missing);
                    }
                    roles.any(|role| any(wanted, &role.to_lowercase()))
                };
                let fits: Vec<bool> = (0..self.known.roles.len() as u32).map(fits).collect();
                Bitmap::of(self.len(), |row| fits[self.roles[row] as usize])
            }
        }
    }

    fn ids_like(&self, wanted: &[TextMatch]) -> Bitmap {
        if let [TextMatch::Equals(id)] = wanted {
            let mut found = Bitmap::none(self.len());
            if let Some(row) = self.row_id_of(id) {
                found.set(row, true);
            }
            return found;
        }
        Bitmap::of(self.len(), |row| {
            let id = self.id(row);
            wanted.iter().any(|wanted| match wanted {
                TextMatch::Equals(wanted) => wanted == id,
                other => other.matches(&id.to_lowercase()),
            })
        })
    }

    /// Finds the keys whose shared text matches. Code 0 stands for no text.
    fn numbered(&self, distinct: &Dictionary, column: &Cells<u32>, wanted: &[TextMatch]) -> Bitmap {
        let fits = matching_texts(distinct.texts(), wanted, |number| {
            let text = distinct.get(number).replace('\0', "\n").to_lowercase();
            if number == 0 { wanted.contains(&TextMatch::Missing) } else { any(wanted, &text) }
        });
        if fits.is_empty() {
            return Bitmap::none(self.len());
        }
        Bitmap::of(self.len(), |row| fits.has_bit(column[row] as usize))
    }

    /// Adds the keys whose own text matches.
    fn add_texts(&self, found: &mut Bitmap, texts: &StringArena, odd: &[RowId], wanted: &[TextMatch]) {
        let plain = |wanted: &TextMatch| match wanted {
            TextMatch::Contains(needle) => Some(needle.clone()),
            _ => None,
        };
        // What is not plain ASCII is looked for below, in those texts that are not either.
        let needles: Vec<String> = wanted.iter().filter_map(plain).filter(|needle| needle.is_ascii()).collect();
        add_containing(found, texts, &needles);
        for other in wanted.iter().filter(|wanted| plain(wanted).is_none()) {
            let hits = Bitmap::of(self.len(), |row| other.matches(&texts.get(row.0).to_lowercase()));
            *found = std::mem::take(found).or(&hits);
        }
        for row in odd {
            if any(wanted, &texts.get(row.0).to_lowercase()) {
                found.set(*row, true);
            }
        }
    }

    /// Adds the keys whose metadata has a matching value or object key anywhere.
    fn add_metadata(&self, found: &mut Bitmap, wanted: &[TextMatch]) {
        let values = &self.known.values;
        let hits = matching_texts(values.texts(), wanted, |number| {
            any(wanted, &json_template::decoded(values.get(number)).to_lowercase())
        });
        let keys: Vec<bool> =
            self.known.shapes.iter().map(|form| form.keys.lines().any(|key| any(wanted, key))).collect();
        if !hits.is_empty() {
            *found = std::mem::take(found).or(&self.holding(&hits));
        }
        if keys.contains(&true) {
            found.add(|row| keys[self.forms[row] as usize]);
        }
    }

    /// Finds the keys whose metadata has a matching value at this path; a list matches by any of its values.
    fn metadata_value(&self, path: &[String], wanted: &[TextMatch]) -> Bitmap {
        let missing = wanted.contains(&TextMatch::Missing);
        let here = self.value_rows(path);
        let values = &self.known.values;
        // `null` is a value that is missing, and never any text but its own word.
        let null = |wanted: &TextMatch| *wanted == TextMatch::Equals("null".into());
        let fits = matching_texts(values.texts(), wanted, |number| match values.get(number) {
            "null" => wanted.iter().any(null),
            text => any(wanted, &json_template::decoded(text).to_lowercase()),
        });
        // What is missing, and what was not taken apart, is told by no value.
        let by_value = !missing && !self.known.shapes.iter().any(|form| form.is_whole);
        let candidates = if by_value { self.holding(&fits) } else { Bitmap::all(self.len()) };
        Bitmap::of(self.len(), |row| {
            if !candidates.has(row) {
                return false;
            }
            let form = self.forms[row] as usize;
            if self.known.shapes[form].is_whole {
                return self.in_whole(row, path, wanted);
            }
            let numbers = self.values_of(row);
            let is_null = |at: &usize| values.get(numbers[*at]) == "null";
            missing && here[form].iter().all(is_null) || here[form].iter().any(|at| fits.has_bit(numbers[*at] as usize))
        })
    }

    /// `true` if the metadata of a key, too long to be split, has a matching value at this path.
    fn in_whole(&self, row: RowId, path: &[String], wanted: &[TextMatch]) -> bool {
        let json = self.metadata(row).unwrap_or_default();
        let mut value = &serde_json::Value::Object(json::readable(&json));
        for key in path {
            match value.as_object().and_then(|map| map.iter().find(|(own, _)| own.eq_ignore_ascii_case(key))) {
                Some((_, inner)) => value = inner,
                None => return wanted.contains(&TextMatch::Missing),
            }
        }
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match value {
            serde_json::Value::Null => wanted.contains(&TextMatch::Missing) || any(wanted, "null"),
            serde_json::Value::Array(list) => list.iter().any(|value| any(wanted, &text(value).to_lowercase())),
            value => any(wanted, &text(value).to_lowercase()),
        }
    }
}

fn any(wanted: &[TextMatch], lower: &str) -> bool {
    wanted.iter().any(|wanted| wanted.matches(lower))
}
