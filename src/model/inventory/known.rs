//! What many keys share, held once: kinds, owners, descriptors with what was read from them, sets of roles.

use serde_json::value::RawValue;

use super::{Known, leaves::Form};
use crate::model::{
    api_key::{KeyKind, Said},
    descriptor::Grants,
    json_text,
};

/// Descriptors that let a key change the cluster or its security, …
pub(super) const ADMINISTERS: u8 = 1;
/// … that reach what is in every index, …
pub(super) const EVERY_INDEX: u8 = 2;
/// … and that let it act for other users.
pub(super) const RUNS_AS: u8 = 4;

/// What the metadata says about a key. Most says none of it, and looking is much cheaper than reading.
pub(super) fn said(json: &str) -> Said {
    let may = ["application_id", "managed", "roles", "\\"].iter().any(|word| json.contains(word));
    if may { Said::of(json) } else { Said::default() }
}

impl Known {
    pub(super) fn kind(&mut self, wire: &str) -> u8 {
        let kind = if wire.is_empty() { KeyKind::Rest } else { KeyKind::from_wire(wire) };
        let place = self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            // There are two kinds; a cluster that has made up 255 gets the last one for the rest.
            if self.kinds.len() < 255 {
                self.kinds.push(kind);
            }
            self.kinds.len() - 1
        });
        place as u8
    }

    pub(super) fn owner(&mut self, username: &str, realm: &str) -> u32 {
        self.owners.number(&format!("{username}\0{realm}"))
    }

    pub(super) fn descriptors(&mut self, json: &str) -> u32 {
        let number = self.descriptors.number(json);
        while self.grants.len() < self.descriptors.len() {
            let text = self.descriptors.get(self.grants.len() as u32).to_owned();
            self.are_empty.push(json_text::is_empty_object(&text));
            let grants = RawValue::from_string(text).map(|raw| Grants::of(&raw)).unwrap_or_default();
            self.findings.push(
                u8::from(grants.administers()) * ADMINISTERS
                    + u8::from(grants.reaches_every_index()) * EVERY_INDEX
                    + u8::from(!grants.run_as.is_empty()) * RUNS_AS,
            );
            self.grants.push(grants);
        }
        number
    }

    pub(super) fn shape(&mut self, form: u32) {
        while self.shapes.len() <= form as usize {
            self.shapes.push(Form::read(self.forms.get(self.shapes.len() as u32)));
        }
    }

    pub(super) fn role_set(&mut self, said: Option<&[String]>, descriptors: u32) -> u32 {
        let join = |names: &[String]| names.iter().map(|name| format!("{name}\0")).collect::<String>();
        match said {
            Some(names) => self.roles.number(&join(names)),
            None => {
                let members = json_text::members(self.descriptors.get(descriptors)).unwrap_or_default();
                let names: Vec<String> = members.into_iter().map(|(name, _)| name).collect();
                self.roles.number(&join(&names))
            }
        }
    }

    pub(super) fn shrink(&mut self) {
        for distinct in [
            &mut self.owners,
            &mut self.applications,
            &mut self.roles,
            &mut self.managers,
            &mut self.descriptors,
            &mut self.forms,
            &mut self.values,
            &mut self.access,
        ] {
            distinct.shrink();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let distinct = [
            &self.owners,
            &self.applications,
            &self.roles,
            &self.managers,
            &self.descriptors,
            &self.forms,
            &self.values,
            &self.access,
        ];
        let grants: usize = self.grants.iter().map(|grants| size_of::<Grants>() + 64 * grants.indices.len()).sum();
        let shapes: usize = self.shapes.iter().map(|form| size_of::<Form>() + 48 * form.paths.len()).sum();
        distinct.iter().map(|distinct| distinct.bytes()).sum::<usize>() + grants + shapes + self.findings.capacity()
    }
}
