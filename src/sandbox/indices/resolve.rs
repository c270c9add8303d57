//! Names of indices, and the indices that an expression such as `logs-*,my_index` matches.

use crate::sandbox::{
    http::{
        error::{EsError, Outcome},
        request::Params,
    },
    pattern::glob,
    privileges::{Action, RESOLVE},
    security::authz::Caller,
    state::cluster::Cluster,
};

fn invalid(name: &str, why: &str) -> Box<EsError> {
    EsError::new(400, "invalid_index_name_exception", format!("Invalid index name [{name}], {why}"))
        .with("index_uuid", "_na_")
        .with("index", name)
}

/// Refuses names that are invalid for an index.
pub fn check_name(name: &str) -> Outcome<()> {
    if name.contains([' ', '"', '*', ',', '/', '<', '>', '?', '\\', '|']) {
        return Err(invalid(
            name,
            "must not contain the following characters [' ','\"','*',',','/','<','>','?','\\','|']",
        ));
    }
    for bad in ['#', ':'] {
        if name.contains(bad) {
            return Err(invalid(name, &format!("must not contain '{bad}'")));
        }
    }
    if name.starts_with(['_', '-', '+']) {
        return Err(invalid(name, "must not start with '_', '-', or '+'"));
    }
    if name.len() > 255 {
        return Err(invalid(name, &format!("index name is too long, ({} > 255)", name.len())));
    }
    if name == "." || name == ".." {
        return Err(invalid(name, "must not be '.' or '..'"));
    }
    if name != name.to_lowercase() {
        return Err(invalid(name, "must be lowercase"));
    }
    Ok(())
}

/// Returns `true` if a name can match any number of indices.
pub fn is_wildcard(name: &str) -> bool {
    name.contains('*') || name == "_all"
}

/// Refuses wildcards where exactly one index is required.
pub fn check_concrete(action: &str, name: &str) -> Outcome<()> {
    if name == "_all" {
        return Err(EsError::illegal(format!(
            "the action {action} does not support accessing all indices; the provided index expression [_all] is not allowed"
        )));
    }
    if is_wildcard(name) {
        return Err(EsError::illegal(format!(
            "the action {action} does not support wildcards; the provided index expression(s) [{name}] are not allowed"
        )));
    }
    Ok(())
}

/// Returns the 404 for an expression that must match an index and matches none.
fn none_such(expression: &str) -> Box<EsError> {
    EsError::new(404, "index_not_found_exception", format!("no such index [{expression}]"))
        .with("index_uuid", "_na_")
        .with("index", expression)
}

/// Options for expressions that match missing indices or none.
pub struct Lenience {
    ignore_unavailable: bool,
    allow_none: bool,
}

impl Lenience {
    /// Reads the options from the parameters of a request.
    ///
    /// # Errors
    /// If a value is not a boolean, with the message of 9.5.3.
    pub fn read(params: &Params) -> Outcome<Lenience> {
        let option = |name: &str, default: bool| {
            params
                .flag(name, default)
                .map_err(|cause| EsError::illegal(format!("Could not convert [{name}] to boolean")).because(cause))
        };
        Ok(Lenience {
            ignore_unavailable: option("ignore_unavailable", false)?,
            allow_none: option("allow_no_indices", true)?,
        })
    }
}

/// Returns the indices matched by an expression, limited to those on which the caller may perform the action; an empty
/// expression matches all.
///
/// # Errors
/// 403 for names that the caller may not use, 404 for names that do not exist.
pub fn resolve(
    cluster: &Cluster,
    caller: &Caller,
    action: &Action,
    expression: &str,
    params: &Params,
) -> Outcome<Vec<String>> {
    let Lenience { ignore_unavailable, allow_none } = Lenience::read(params)?;
    caller.refuse_blocked(action)?;
    let hidden_too =
        params.get("expand_wildcards").is_some_and(|kinds| kinds.contains("all") || kinds.contains("hidden"));
    let given = expression;
    let expression = if given.is_empty() { "_all" } else { given };
    let (mut found, mut concrete, mut wildcards) = (Vec::new(), Vec::new(), false);
    for part in expression.split(',').filter(|part| !part.is_empty()) {
        if part == "_all" || part.contains('*') {
            wildcards = true;
            let pattern = if part == "_all" { "*" } else { part };
            if let Some(excluded) = pattern.strip_prefix('-') {
                found.retain(|name: &String| !glob(excluded, name));
                continue;
            }
            let before = found.len();
            for (name, index) in &cluster.indices {
                let shown = hidden_too || !index.is_hidden() || pattern.starts_with('.') && name.starts_with('.');
                if shown && glob(pattern, name) && caller.allows_on(action, name) && !found.contains(name) {
                    found.push(name.clone());
                }
            }
            if !allow_none && found.len() == before && part != "_all" {
                return Err(none_such(part));
            }
        } else if let Some(excluded) = part.strip_prefix('-').filter(|_| wildcards) {
            found.retain(|name: &String| name != excluded);
        } else {
            concrete.push(part.to_owned());
        }
    }
    let parts = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    if ignore_unavailable {
        // Only what reads passes over indices that the caller may not use.
        let reads = action.name.starts_with("indices:data/read/");
        concrete.retain(|name| !reads || caller.allows_on(action, name));
    }
    if !allow_none && found.is_empty() && concrete.is_empty() {
        return Err(none_such(&format!("[{}]", parts(given).join(", "))));
    }
    let named = concrete.first().cloned();
    if ignore_unavailable {
        concrete.retain(|name| cluster.indices.contains_key(name) || !caller.allows_on(action, name));
    }
    // Whoever may do it on no index at all is refused, whatever the expression means.
    let reads = action.name.starts_with("indices:data/read/") || action.name == RESOLVE.name;
    let told = if reads && (ignore_unavailable || wildcards) { Vec::new() } else { parts(expression) };
    caller.may_somewhere(action, &told)?;
    caller.may_on(action, &concrete)?;
    if let Some(bad) = concrete.iter().find(|name| name.starts_with('_')) {
        return Err(invalid(bad, "must not start with '_'."));
    }
    if let Some(missing) = concrete.iter().find(|name| !cluster.indices.contains_key(*name)) {
        return Err(EsError::no_such_index(missing));
    }
    for name in concrete {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    if found.is_empty()
        && !allow_none
        && let Some(missing) = named
    {
        return Err(EsError::no_such_index(&missing));
    }
    caller.may_on(action, &found)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_server() {
        let reason = |name: &str| check_name(name).unwrap_err().reason;
        assert!(check_name("my_index").is_ok());
        assert!(check_name(".hidden").is_ok());
        assert_eq!(reason("SBX"), "Invalid index name [SBX], must be lowercase");
        assert!(reason("_x").ends_with("must not start with '_', '-', or '+'"));
        assert!(reason("a,b").contains("must not contain the following characters"));
        assert!(reason(&"a".repeat(256)).ends_with("index name is too long, (256 > 255)"));
        assert!(reason("..").ends_with("must not be '.' or '..'"));
    }
}
