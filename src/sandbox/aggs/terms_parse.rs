//! Parser of the aggregation `terms`, with the refusals of 9.5.3.

use super::{
    agg::{Kind, Order, Picked, Terms},
    object::{Need, flag, illegal, integer, parsing, parsing_at_end},
    source::source,
};
use crate::sandbox::{
    http::error::EsError,
    json::{
        Kind as Json, Node,
        fault::{Fault, Parsed},
    },
};

/// Parses the aggregation.
pub fn terms(name: &str, node: &Node) -> Parsed<Kind> {
    let fields = [
        ("size", Need::Number),
        ("shard_size", Need::Number),
        ("min_doc_count", Need::Number),
        ("shard_min_doc_count", Need::Number),
        ("show_term_doc_count_error", Need::Flag),
        ("execution_hint", Need::Text),
        ("collect_mode", Need::Text),
        ("order", Need::Objects),
        ("include", Need::Any),
        ("exclude", Need::Any),
    ];
    let (mut size, mut shard_size, mut min_doc_count, mut with_error) = (10, None, 1, false);
    let (mut order, mut include, mut exclude) = (Vec::new(), None, None);
    let least = |value: &Node, number: i64, what: &str, least: i64| {
        if number >= least {
            return Ok(usize::try_from(number).unwrap_or(0));
        }
        let bound = if least == 0 { "greater than or equal to 0" } else { "greater than 0" };
        illegal(value, format!("[{what}] must be {bound}. Found [{number}] in [{name}]"))
    };
    let source = source("terms", node, &fields, |field, value| {
        match field {
            "size" => size = least(value, integer(value)?, "size", 1)?,
            "shard_size" => shard_size = Some(least(value, integer(value)?, "shardSize", 1)?),
            "min_doc_count" => min_doc_count = least(value, integer(value)?, "minDocCount", 0)?,
            "shard_min_doc_count" => {
                least(value, integer(value)?, "shardMinDocCount", 0)?;
            }
            "show_term_doc_count_error" => with_error = flag(value)?,
            "order" => {
                if value.elements().is_some_and(<[Node]>::is_empty) {
                    let reason = "Index 0 out of bounds for length 0";
                    let error = EsError::new(400, "index_out_of_bounds_exception", reason);
                    return Err(Fault { at: value.end, error });
                }
                for entry in value.elements().unwrap_or(std::slice::from_ref(value)) {
                    order.push(one_order(entry)?);
                }
            }
            "include" => include = picked(value),
            "exclude" => exclude = picked(value),
            _ => {}
        }
        Ok(())
    })?;
    if order.is_empty() {
        order.push(Order { path: "_count".to_owned(), descending: true });
    }
    let min_doc_count = u64::try_from(min_doc_count).unwrap_or(0);
    Ok(Kind::Terms(Terms { source, size, shard_size, min_doc_count, order, with_error, include, exclude }))
}

/// Parses one order; if it has several fields, the last one counts.
fn one_order(node: &Node) -> Parsed<Order> {
    let mut order = None;
    for member in node.members().unwrap_or_default() {
        let value = &member.value;
        let Some(text) = value.text() else {
            return parsing(value, format!("Unexpected token [{}] for [order]", value.token()));
        };
        let descending = match text.to_lowercase().as_str() {
            "asc" => false,
            "desc" => true,
            _ => return parsing(value, format!("Unknown order direction [{text}]")),
        };
        order = Some(Order { path: member.name.clone(), descending });
    }
    match order {
        Some(order) => Ok(order),
        None => parsing_at_end(node, "Must specify at least one field for [order]".to_owned()),
    }
}

fn picked(node: &Node) -> Option<Picked> {
    match &node.kind {
        Json::Text(pattern) => Some(Picked::Pattern(pattern.clone())),
        Json::Array(values) => Some(Picked::Exactly(values.iter().filter_map(Node::scalar).collect())),
        _ => None,
    }
}
