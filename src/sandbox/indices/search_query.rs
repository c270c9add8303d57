//! Queries of searches, counts and document security: parsed, and refused if the practice cluster does not support them.

use crate::sandbox::{
    http::{
        error::{EsError, Outcome},
        request::Params,
    },
    json::Node,
    query::{parse, tree::Query},
};

/// Refuses queries that the practice cluster does not support.
pub fn check_spoken(query: &Query) -> Outcome<()> {
    match query {
        Query::Foreign(name, _) => Err(EsError::not_done(&format!("[{name}] queries"))),
        Query::Lookup => Err(EsError::not_done("[terms] queries whose values are in another document")),
        Query::Lenient(query) => check_spoken(query),
        Query::Bool { must, filter, should, must_not, .. } => {
            must.iter().chain(filter).chain(should).chain(must_not).try_for_each(check_spoken)
        }
        _ => Ok(()),
    }
}

/// Refuses queries whose errors only appear when the query is built.
fn check_built(query: &Query) -> Outcome<()> {
    match query {
        Query::Lenient(query) => check_built(query),
        Query::Failing(_, error) => Err(error.clone()),
        Query::Bool { must, filter, should, must_not, .. } => {
            must.iter().chain(filter).chain(should).chain(must_not).try_for_each(check_built)
        }
        _ => Ok(()),
    }
}

/// Parses a document security query.
///
/// # Errors
/// With the messages of 9.5.3, or with own messages for what the practice cluster does not support.
pub fn read_rule(node: &Node) -> Outcome<Query> {
    let query = read_query(node)?;
    check_built(&query)?;
    Ok(query)
}

/// Parses the query of a search.
///
/// # Errors
/// With the messages of 9.5.3, or with own messages for what the practice cluster does not support.
pub fn read_query(node: &Node) -> Outcome<Query> {
    let query = parse::parse(node).map_err(|fault| fault.error)?;
    check_spoken(&query)?;
    Ok(query)
}

/// Parses the query of the parameter `q`: words and `field:word`, any of which may match. The rest of the query string
/// syntax is not supported.
pub fn parameter_query(text: &str, params: &Params) -> Outcome<Query> {
    for name in ["df", "analyzer", "analyze_wildcard", "lenient"] {
        if params.get(name).is_some() {
            return Err(EsError::not_done(&format!("the parameter [{name}] of searches")));
        }
    }
    if text.trim() == "*" || text.trim() == "*:*" {
        return Ok(Query::All);
    }
    let beyond = |c: char| "+-=&|><!(){}[]^\"~*?\\/".contains(c);
    let words: Vec<&str> = text.split_whitespace().collect();
    if text.contains(beyond) || words.is_empty() || words.iter().any(|word| matches!(*word, "AND" | "OR" | "NOT")) {
        return Err(EsError::not_done("more than words and [field:word] in the parameter [q] of searches"));
    }
    let every = match params.get("default_operator").map(str::to_lowercase).as_deref() {
        Some("and") => true,
        None | Some("or") => false,
        Some(other) => {
            let reason = format!("No enum constant org.elasticsearch.index.query.Operator.{}", other.to_uppercase());
            return Err(EsError::illegal(reason));
        }
    };
    let clauses: Vec<Query> = words
        .into_iter()
        .map(|word| match word.split_once(':') {
            Some((field, value)) => Query::Match(field.to_owned(), value.to_owned(), true),
            None => Query::Simple(word.to_owned(), Vec::new(), true),
        })
        .collect();
    let (must, should) = if every { (clauses, Vec::new()) } else { (Vec::new(), clauses) };
    Ok(Query::Bool { must, filter: Vec::new(), should, must_not: Vec::new(), minimum: None })
}
