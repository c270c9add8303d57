//! JSON that knows the place of every value, because Elasticsearch's refusals name line and column.
//! Reading it is `json_reader`'s; what it means is others'.

pub(super) mod exact;
pub(super) mod reader;

pub use reader::parse;
use serde_json::{Map, Value};

/// A place in the text: both count from 1, columns count bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One value and where it stood.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where the value begins.
    pub at: Position,
    /// Where its last character stands (the closing bracket of objects and arrays).
    pub end: Position,
    /// What it is.
    pub kind: Kind,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name begins.
    pub at: Position,
    /// Its value.
    pub value: Node,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// Text.
    Text(String),
    /// An array.
    Array(Vec<Node>),
    /// An object, in the order of the text.
    Object(Vec<Member>),
}

impl Node {
    /// Elasticsearch's name of the token that begins this value.
    pub fn token(&self) -> &'static str {
        match self.kind {
            Kind::Null => "VALUE_NULL",
            Kind::Bool(_) => "VALUE_BOOLEAN",
            Kind::Number(_) => "VALUE_NUMBER",
            Kind::Text(_) => "VALUE_STRING",
            Kind::Array(_) => "START_ARRAY",
            Kind::Object(_) => "START_OBJECT",
        }
    }

    /// The text, if it is a string.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Strings, numbers and booleans as text; nothing for the rest.
    pub fn scalar(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(raw) => Some(raw.clone()),
            Kind::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn elements(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The value of a member by name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members()?.iter().find(|member| member.name == name).map(|member| &member.value)
    }

    /// The same value with its numbers to the letter: the source of a document.
    pub fn to_source(&self) -> Value {
        match &self.kind {
            Kind::Number(raw) => exact::number_as_written(raw),
            Kind::Array(elements) => elements.iter().map(Node::to_source).collect(),
            Kind::Object(members) => {
                members.iter().map(|member| (member.name.clone(), member.value.to_source())).collect()
            }
            _ => self.to_value(),
        }
    }

    /// The same value without places.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(raw) => exact::number(raw),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::Array(elements) => Value::Array(elements.iter().map(Node::to_value).collect()),
            Kind::Object(members) => Value::Object(object(members)),
        }
    }
}

/// The members as a map, in their order.
pub fn object(members: &[Member]) -> Map<String, Value> {
    members.iter().map(|member| (member.name.clone(), member.value.to_value())).collect()
}
