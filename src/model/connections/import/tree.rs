//! JSON and YAML as one tree of texts, within limits.

use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// Maximum number of levels that are nested in one another.
const MAX_IMPORT_DEPTH: usize = 32;

/// Maximum number of YAML documents in one text.
const MAX_DOCUMENTS: usize = 100;

/// Maximum number of members of one map in YAML.
const MAX_MEMBERS: usize = 2000;

/// Value of JSON or YAML. Texts may be secret, and are wiped.
pub(in crate::model::connections) enum Tree {
    /// Text, number or truth value, as text.
    Text(Zeroizing<String>),
    /// List.
    List(Vec<Tree>),
    /// Members by name, in their order.
    Map(Vec<(String, Tree)>),
    /// Nothing.
    Null,
}

impl Tree {
    /// Reads JSON.
    ///
    /// # Errors
    /// With the line, if it is malformed or nested too deep.
    pub(super) fn of_json(text: &str) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_str(text);
        let tree = Node(0).deserialize(&mut json).and_then(|tree| json.end().map(|()| tree));
        tree.map_err(|error| format!("it is not valid JSON, or nested too deep (line {})", error.line()))
    }

    /// Reads the documents of YAML. Aliases are refused: neither `kubectl` nor Elasticsearch write any, and a few of them
    /// can stand for gigabytes. Nothing is guessed of plain texts but that a blank one is nothing.
    ///
    /// # Errors
    /// With the line, if it is malformed or beyond a limit.
    pub(super) fn of_yaml(text: &str) -> Result<Vec<Self>, String> {
        let mut documents = Documents::default();
        for event in Parser::new_from_str(text) {
            // The parser's own words may repeat a part of the text.
            let (event, span) =
                event.map_err(|error| format!("it is not valid YAML (line {})", error.marker().line()))?;
            documents.take(event).map_err(|reason| format!("{reason} (line {})", span.start.line()))?;
        }
        Ok(documents.done)
    }

    /// Returns the text.
    pub(in crate::model::connections) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the members; none for anything but a map.
    pub(in crate::model::connections) fn members(&self) -> &[(String, Tree)] {
        if let Self::Map(members) = self { members } else { &[] }
    }

    /// Returns the elements; `None` for anything but a list.
    pub(in crate::model::connections) fn elements(&self) -> Option<&[Tree]> {
        if let Self::List(elements) = self { Some(elements) } else { None }
    }

    /// Returns the member of this name.
    pub(in crate::model::connections) fn get(&self, name: &str) -> Option<&Tree> {
        self.members().iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Returns the text of the member of this name; `None` for a missing or blank one.
    pub(in crate::model::connections) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::text).filter(|text| !text.is_empty())
    }
}

/// Documents of YAML that were read, and the values that are still open. It does not recurse, however deep they are.
#[derive(Default)]
struct Documents {
    done: Vec<Tree>,
    open: Vec<Open>,
}

/// List or map that is still open, the latter with the name of its next member.
enum Open {
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>, Option<String>),
}

impl Documents {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Alias(_) => return Err("it has YAML aliases, which are not read"),
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~" | "null") => {
                // As the name of a member it is a text.
                return self.put(if self.awaits_name() { plain_text(&text) } else { Tree::Null });
            }
            Event::Scalar(text, ..) => return self.put(plain_text(&text)),
            Event::SequenceStart(..) => self.open.push(Open::List(Vec::new())),
            Event::MappingStart(..) => self.open.push(Open::Map(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => {
                let closed = match self.open.pop() {
                    Some(Open::List(elements)) => Tree::List(elements),
                    Some(Open::Map(members, _)) => Tree::Map(members),
                    None => return Ok(()),
                };
                return self.put(closed);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        if self.open.len() > MAX_IMPORT_DEPTH { Err("it is nested too deep") } else { Ok(()) }
    }

    fn awaits_name(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map(_, None)))
    }

    fn put(&mut self, value: Tree) -> Result<(), &'static str> {
        match self.open.last_mut() {
            None if self.done.len() == MAX_DOCUMENTS => return Err("it has too many documents"),
            None => self.done.push(value),
            Some(Open::List(elements)) => elements.push(value),
            Some(Open::Map(members, next)) => match next.take() {
                Some(name) => members.push((name, value)),
                None => {
                    if members.len() == MAX_MEMBERS {
                        return Err("it has too many members");
                    }
                    let name = value.text().ok_or("the name of a member is no text")?;
                    if members.iter().any(|(own, _)| own == name) {
                        return Err("a member stands there twice");
                    }
                    *next = Some(name.to_owned());
                }
            },
        }
        Ok(())
    }
}

fn plain_text(text: &str) -> Tree {
    Tree::Text(Zeroizing::new(text.to_owned()))
}

/// A value at this depth.
struct Node(usize);

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Node {
    fn below<E: de::Error>(&self) -> Result<Self, E> {
        if self.0 < MAX_IMPORT_DEPTH { Ok(Self(self.0 + 1)) } else { Err(E::custom("nested too deep")) }
    }
}

fn plain<E>(value: impl ToString) -> Result<Tree, E> {
    Ok(Tree::Text(Zeroizing::new(value.to_string())))
}

impl<'de> Visitor<'de> for Node {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        plain(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        plain(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        plain(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        plain(value)
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        plain(value)
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(Zeroizing::new(value)))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(self.below()?)? {
            elements.push(element);
        }
        Ok(Tree::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            members.push((name, access.next_value_seed(self.below()?)?));
        }
        Ok(Tree::Map(members))
    }
}
