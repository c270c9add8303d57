//! JSON values that record their position in the text.

use super::exact;
use serde_json::{Map, Value};

/// Position in the text; line and column count from 1, columns in bytes.
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

/// Value with its position in the text.
#[derive(Debug, Clone)]
pub struct Node {
    /// Position of the first character of the value.
    pub at: Position,
    /// Position of the last character of the value (the closing bracket of objects and arrays).
    pub end: Position,
    /// Value itself.
    pub kind: Kind,
}

/// Member of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// Name of the member.
    pub name: String,
    /// Position of the first character of the name.
    pub at: Position,
    /// Value of the member.
    pub value: Node,
}

/// JSON value, by type.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Number, as written.
    Number(String),
    /// String.
    Text(String),
    /// Array.
    Array(Vec<Node>),
    /// Object, with members in the order of the text.
    Object(Vec<Member>),
}

impl Node {
    /// Returns Elasticsearch's name of the token that begins this value.
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

    /// Returns the text of a string, `None` for other values.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns strings, numbers and booleans as text, `None` for other values.
    pub fn scalar(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(raw) => Some(raw.clone()),
            Kind::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// Returns the elements of an array, `None` for other values.
    pub fn elements(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the members of an object, `None` for other values.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the value of the member with this name; `None` if there is none or the value is no object.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members()?.iter().find(|member| member.name == name).map(|member| &member.value)
    }

    /// Returns the value without positions and with its numbers exactly as written, as the source of a document.
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

    /// Returns the value without positions.
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

/// Returns the members as a map, in their order, without positions.
pub fn object(members: &[Member]) -> Map<String, Value> {
    members.iter().map(|member| (member.name.clone(), member.value.to_value())).collect()
}
