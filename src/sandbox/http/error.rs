//! Refusals in Elasticsearch's format: `{"error":{"root_cause":[…],"type","reason",…},"status"}`. Knows nothing about
//! the request; types and nesting are as seen on 9.5.3.

use crate::sandbox::state::node::NODE_ID;
use serde_json::{Map, Value, json};

/// Type of the practice cluster's own refusals, for features that it does not support.
pub const NOT_DONE: &str = "not_in_the_practice_cluster";

/// Type of refusals for missing or duplicate parts of a request; reported after unknown parameters and before missing
/// privileges.
pub const VALIDATION: &str = "action_request_validation_exception";

/// Challenges of a 401 answer, in the order in which 9.5.3 lists them.
pub const CHALLENGES: [&str; 3] =
    ["Basic realm=\"security\", charset=\"UTF-8\"", "Bearer realm=\"security\"", "ApiKey"];

/// Refusal: type, reason and cause.
#[derive(Debug, Clone, PartialEq)]
pub struct EsError {
    /// HTTP status of the answer.
    pub status: u16,
    /// Elasticsearch's name of the exception, such as `parse_exception`.
    pub kind: &'static str,
    /// Reason as a sentence for people.
    pub reason: String,
    /// Fields between `reason` and `caused_by`, such as `index_uuid`.
    pub extra: Map<String, Value>,
    /// Cause of the refusal (`caused_by`), if any.
    pub cause: Option<Box<EsError>>,
    /// Failures of a search by index name, which become the root causes; empty for other refusals.
    pub roots: Vec<EsError>,
}

/// Result of an operation that can be refused.
pub type Outcome<T> = Result<T, Box<EsError>>;

impl EsError {
    /// Returns a refusal with the given status, type and reason.
    pub fn new(status: u16, kind: &'static str, reason: impl Into<String>) -> Box<Self> {
        Box::new(EsError { status, kind, reason: reason.into(), extra: Map::new(), cause: None, roots: Vec::new() })
    }

    /// Returns a 400 `illegal_argument_exception`.
    pub fn illegal(reason: impl Into<String>) -> Box<Self> {
        Self::new(400, "illegal_argument_exception", reason)
    }

    /// Returns a 400 for a feature that Elasticsearch has and the practice cluster lacks: never attributed to the
    /// license, and never called unknown. `what` ends the sentence.
    pub fn not_done(what: &str) -> Box<Self> {
        Self::new(400, NOT_DONE, format!("The practice cluster does not do {what}; a real cluster does"))
    }

    /// Returns a 400 `parse_exception`.
    pub fn parse(reason: impl Into<String>) -> Box<Self> {
        Self::new(400, "parse_exception", reason)
    }

    /// Returns a 400 `action_request_validation_exception` with its numbered list.
    pub fn validation(problems: &[String]) -> Box<Self> {
        Self::new(400, VALIDATION, numbered(problems))
    }

    /// Returns a 400 `validation_exception` with its numbered list.
    pub fn plain_validation(problem: &str) -> Box<Self> {
        Self::new(400, "validation_exception", numbered(&[problem.to_owned()]))
    }

    /// Returns a 404 `index_not_found_exception`.
    pub fn no_such_index(name: &str) -> Box<Self> {
        let mut error = Self::new(404, "index_not_found_exception", format!("no such index [{name}]"));
        error.extra.insert("resource.type".into(), json!("index_or_alias"));
        error.extra.insert("resource.id".into(), json!(name));
        error.extra.insert("index_uuid".into(), json!("_na_"));
        error.extra.insert("index".into(), json!(name));
        error
    }

    /// Returns a 401 with the header fields of a challenge.
    pub fn unauthenticated(reason: impl Into<String>, credentials: Option<String>) -> Box<Self> {
        let mut error = Self::new(401, "security_exception", reason);
        if let Some(credentials) = credentials {
            error.extra.insert("additional_unsuccessful_credentials".into(), json!(credentials));
        }
        error.extra.insert("header".into(), json!({ "WWW-Authenticate": CHALLENGES }));
        error
    }

    /// Returns a 403 `security_exception`.
    pub fn forbidden(reason: impl Into<String>) -> Box<Self> {
        Self::new(403, "security_exception", reason)
    }

    /// Returns the refusal with this cause.
    pub fn because(mut self: Box<Self>, cause: Box<EsError>) -> Box<Self> {
        self.cause = Some(cause);
        self
    }

    /// Returns the refusal with one more field.
    pub fn with(mut self: Box<Self>, name: &str, value: impl Into<Value>) -> Box<Self> {
        self.extra.insert(name.into(), value.into());
        self
    }

    fn is_content_error(&self) -> bool {
        matches!(
            self.kind,
            "x_content_parse_exception"
                | "x_content_e_o_f_exception"
                | "named_object_not_found_exception"
                | "document_parsing_exception"
        )
    }

    fn is_elasticsearch_error(&self) -> bool {
        !self.is_content_error()
            && !self.kind.starts_with("json_")
            && !matches!(
                self.kind,
                "illegal_argument_exception"
                    | "action_request_validation_exception"
                    | "validation_exception"
                    | "number_format_exception"
                    | "illegal_state_exception"
                    | "unsupported_operation_exception"
                    | "arithmetic_exception"
                    | "status_exception"
                    | "date_time_parse_exception"
                    | "date_time_exception"
                    | "zone_rules_exception"
                    | "null_pointer_exception"
                    | "index_out_of_bounds_exception"
            )
    }

    /// Returns the errors that Elasticsearch calls root causes: one, or one for each index that failed.
    fn root_causes(&self) -> Vec<&EsError> {
        if self.roots.is_empty() {
            return vec![self.root_cause()];
        }
        self.roots.iter().map(|root| root.root_cause()).collect()
    }

    /// Returns the innermost error that Elasticsearch calls a root cause; plain Java exceptions are not followed.
    fn root_cause(&self) -> &EsError {
        match &self.cause {
            Some(cause) if cause.is_elasticsearch_error() => cause.root_cause(),
            Some(cause)
                if self.is_content_error() && cause.is_content_error() && cause.kind != "x_content_e_o_f_exception" =>
            {
                cause.root_cause()
            }
            _ => self,
        }
    }

    /// Returns `true` if the search failed in its fetch phase, after the shards had answered; such failures have no
    /// root cause.
    fn is_of_the_end(&self) -> bool {
        self.extra.get("phase").is_some_and(|phase| phase == "fetch")
    }

    fn head(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("type".into(), json!(self.kind));
        map.insert("reason".into(), json!(self.reason));
        for (name, value) in &self.extra {
            if name != "failed_shards" && name != "phase" && name != "grouped" {
                map.insert(name.clone(), value.clone());
            }
        }
        map
    }

    /// Returns type, reason, extra fields and causes, as inside a bulk item.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("type".into(), json!(self.kind));
        map.insert("reason".into(), json!(self.reason));
        for (name, value) in &self.extra {
            map.insert(name.clone(), value.clone());
        }
        if let Some(cause) = &self.cause {
            map.insert("caused_by".into(), cause.to_value());
        }
        Value::Object(map)
    }

    /// Returns the whole body of the answer.
    pub fn body(&self) -> Value {
        let mut error = Map::new();
        let roots = if self.is_of_the_end() { Vec::new() } else { self.root_causes() };
        error.insert("root_cause".into(), roots.into_iter().map(|root| Value::Object(root.head())).collect());
        if let Value::Object(fields) = self.to_value() {
            error.extend(fields);
        }
        json!({ "error": error, "status": self.status })
    }
}

fn numbered(problems: &[String]) -> String {
    let mut text = String::from("Validation Failed: ");
    for (number, problem) in problems.iter().enumerate() {
        text.push_str(&format!("{}: {problem};", number + 1));
    }
    text
}

/// Refuses the request if there are validation errors.
pub fn refuse(problems: &[String]) -> Outcome<()> {
    if problems.is_empty() { Ok(()) } else { Err(EsError::validation(problems)) }
}

/// Returns the refusal for a failure in the only shard of a search, wrapped as `all shards failed`.
pub fn shard_failure(index: &str, inner: Box<EsError>) -> Box<EsError> {
    shard_failures("all shards failed", vec![(index.to_owned(), inner)])
}

/// Returns the refusal of a search that failed in these indices, each of which has one shard, in the order of their
/// names. A failure for an unsupported feature is returned alone.
pub fn shard_failures(words: &str, mut failures: Vec<(String, Box<EsError>)>) -> Box<EsError> {
    if let Some(at) = failures.iter().position(|(_, inner)| inner.kind == NOT_DONE) {
        return failures.swap_remove(at).1;
    }
    failures.sort_by(|(a, _), (b, _)| a.cmp(b));
    let status = failures.iter().map(|(_, inner)| inner.status).max().unwrap_or(500);
    let mut error = EsError::new(status, "search_phase_execution_exception", words);
    error.extra.insert("phase".into(), json!("query"));
    error.extra.insert("grouped".into(), json!(true));
    error.extra.insert("failed_shards".into(), told_failures(&failures));
    // Of plain Java exceptions the answer tells twice more, and what lies below an error of Elasticsearch once.
    const JAVA: [&str; 4] = [
        "illegal_argument_exception",
        "null_pointer_exception",
        "negative_array_size_exception",
        "number_format_exception",
    ];
    if let Some((_, inner)) = failures.first().filter(|(_, inner)| JAVA.contains(&inner.kind)) {
        let again = || EsError::new(inner.status, inner.kind, inner.reason.clone());
        let deepest = EsError { cause: inner.cause.clone(), ..*again() };
        error.cause = Some(again().because(Box::new(deepest)));
    } else if let Some((_, inner)) = failures.first() {
        let root = inner.root_cause();
        error.cause = (!std::ptr::eq(root, &raw const **inner)).then(|| Box::new(root.clone()));
    }
    error.roots = failures.into_iter().map(|(_, inner)| *inner).collect();
    error
}

/// Returns the failed shards as refusals and partial answers list them.
pub fn told_failures(failures: &[(String, Box<EsError>)]) -> Value {
    let told = |(index, inner): &(String, Box<EsError>)| json!({ "shard": 0, "index": index, "node": NODE_ID, "reason": inner.to_value() });
    failures.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_refusal_is_its_own_root_cause() {
        let body = EsError::illegal("no").body();
        assert_eq!(body["error"]["root_cause"][0]["reason"], "no");
        assert_eq!(body["error"]["type"], "illegal_argument_exception");
        assert_eq!(body["status"], 400);
    }

    #[test]
    fn the_root_cause_is_the_deepest_error_of_elasticsearch_itself() {
        let inner = EsError::parse("deep").because(EsError::parse("deeper"));
        let outer = EsError::new(400, "x_content_parse_exception", "outer").because(inner);
        assert_eq!(outer.body()["error"]["root_cause"][0]["reason"], "deeper");
        let java = EsError::new(400, "x_content_parse_exception", "outer").because(EsError::illegal("java"));
        assert_eq!(java.body()["error"]["root_cause"][0]["reason"], "outer");
    }

    #[test]
    fn an_unauthenticated_answer_lists_all_challenges_in_the_body() {
        let body = EsError::unauthenticated("who?", Some("API key: api key is expired".into())).body();
        assert_eq!(body["error"]["header"]["WWW-Authenticate"][2], "ApiKey");
        assert_eq!(
            body["error"]["root_cause"][0]["additional_unsuccessful_credentials"],
            "API key: api key is expired"
        );
    }

    #[test]
    fn a_search_that_failed_in_two_indices_names_both_by_name() {
        let failed = |index: &str| (index.to_owned(), EsError::new(400, "query_shard_exception", index));
        let body = shard_failures("all shards failed", vec![failed("b"), failed("a")]).body();
        assert_eq!(body["error"]["root_cause"][1]["reason"], "b");
        assert_eq!(body["error"]["failed_shards"][0]["index"], "a");
        let own = vec![failed("b"), ("a".to_owned(), EsError::not_done("this"))];
        assert_eq!(shard_failures("all shards failed", own).kind, NOT_DONE);
    }

    #[test]
    fn validation_problems_are_numbered() {
        let error = EsError::validation(&["a".into(), "b".into()]);
        assert_eq!(error.reason, "Validation Failed: 1: a;2: b;");
    }
}
