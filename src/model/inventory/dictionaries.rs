//! Values that many keys share, each stored once: kinds, owners, descriptors with what was read from them, sets of
//! roles.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{Dictionaries, json_template::JsonTemplate};
use crate::model::{
    api_key::{KeyKind, Said},
    privileges::descriptor::Grants,
    rights::{self, Layer},
    text::json,
};

/// Reads the metadata's values of lists. Most metadata has none of them, and searching for their names is much cheaper
/// than parsing.
pub(super) fn said(json: &str) -> Said {
    let may = ["application_id", "managed", "roles", "\\"].iter().any(|word| json.contains(word));
    if may { Said::of(json) } else { Said::default() }
}

impl Dictionaries {
    pub(super) fn kind(&mut self, wire: &str) -> u8 {
        let kind = if wire.is_empty() { KeyKind::Rest } else { KeyKind::from_wire(wire) };
        let row = self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            // There are two kinds; a cluster that has made up 255 gets the last one for the rest.
            if self.kinds.len() < 255 {
                self.kinds.push(kind);
            }
            self.kinds.len() - 1
        });
        row as u8
    }

    pub(super) fn owner(&mut self, username: &str, realm: &str) -> u32 {
        self.owners.number(&format!("{username}\0{realm}"))
    }

    pub(super) fn descriptors(&mut self, json: &str) -> u32 {
        let number = self.descriptors.number(json);
        while self.grants.len() < self.descriptors.len() {
            let text = self.descriptors.get(self.grants.len() as u32).to_owned();
            self.are_empty.push(json::is_empty_object(&text));
            self.layers.push(Arc::new(Layer::read(&text)));
            self.grants.push(RawValue::from_string(text).map(|raw| Grants::of(&raw)).unwrap_or_default());
        }
        number
    }

    pub(super) fn limits(&mut self, json: &str) -> u32 {
        let number = self.limits.number(json);
        while self.limit_layers.len() < self.limits.len() {
            let text = self.limits.get(self.limit_layers.len() as u32);
            self.limit_layers.push(rights::layers(text).map(Arc::from));
        }
        number
    }

    /// Returns the code of a pair of descriptors and snapshots, given by their codes.
    pub(super) fn pair(&mut self, descriptors: u32, limits: u32) -> u32 {
        *self.pair_codes.entry((descriptors, limits)).or_insert_with(|| {
            self.pairs.push((descriptors, limits));
            self.pairs.len() as u32 - 1
        })
    }

    pub(super) fn shape(&mut self, form: u32) {
        while self.shapes.len() <= form as usize {
            self.shapes.push(JsonTemplate::read(self.forms.get(self.shapes.len() as u32)));
        }
    }

    pub(super) fn role_set(&mut self, said: Option<&[String]>, descriptors: u32) -> u32 {
        let join = |names: &[String]| names.iter().map(|name| format!("{name}\0")).collect::<String>();
        match said {
            Some(names) => self.roles.number(&join(names)),
            None => {
                let members = json::members(self.descriptors.get(descriptors)).unwrap_or_default();
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
            &mut self.limits,
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
            &self.limits,
            &self.forms,
            &self.values,
            &self.access,
        ];
        let grants: usize = self.grants.iter().map(|grants| size_of::<Grants>() + 64 * grants.indices.len()).sum();
        let shapes: usize = self.shapes.iter().map(|form| size_of::<JsonTemplate>() + 48 * form.paths.len()).sum();
        // Compiled, descriptors take about as much again as their grants.
        let layers = (self.layers.len() + self.limit_layers.len()) * size_of::<Layer>();
        let pairs = self.pairs.capacity() * 8 + self.pair_codes.capacity() * 13;
        distinct.iter().map(|distinct| distinct.bytes()).sum::<usize>() + 2 * grants + layers + shapes + pairs
    }
}
