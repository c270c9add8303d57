//! Conditions for writing or reading a document: sequence numbers, versions, and other requirements of a request. Rules
//! and messages of 9.5.3.

use crate::sandbox::{
    http::{
        error::{EsError, Outcome},
        request::Params,
    },
    json::{Kind, Member},
    query::time_unit,
    state::index::Index,
};

/// Maximum length of a document's id, in bytes.
const MAX_DOCUMENT_ID: usize = 512;

/// Source of the versions that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Versioning {
    #[default]
    Internal,
    External,
    ExternalOrEqual,
}

/// Conditions that a request sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    seq_no: Option<i64>,
    primary_term: i64,
    version: Option<i64>,
    versioning: Versioning,
    require_alias: bool,
    require_data_stream: bool,
    pipeline: Option<String>,
    /// Number of copies that must be active; the default of 1 if `None`.
    copies: Option<u32>,
    all_copies: bool,
    timeout: Option<String>,
}

fn long(params: &Params, name: &str) -> Outcome<Option<i64>> {
    let Some(text) = params.get(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        EsError::illegal(format!("Failed to parse long parameter [{name}] with value [{text}]")).because(EsError::new(
            400,
            "number_format_exception",
            format!("For input string: \"{text}\""),
        ))
    })
}

fn versioning(text: &str) -> Outcome<Versioning> {
    match text {
        "internal" => Ok(Versioning::Internal),
        "external" => Ok(Versioning::External),
        "external_gte" => Ok(Versioning::ExternalOrEqual),
        other => Err(EsError::illegal(format!("No version type match [{other}]"))),
    }
}

fn not_negative(number: Option<i64>) -> Outcome<Option<i64>> {
    match number {
        Some(below) if below < 0 => {
            Err(EsError::illegal(format!("sequence numbers must be non negative. got [{below}].")))
        }
        other => Ok(other),
    }
}

impl Conditions {
    /// Reads the conditions from the parameters of a request.
    ///
    /// # Errors
    /// If a number or a boolean is invalid, or if the practice cluster does not support a condition.
    pub fn read(params: &Params) -> Outcome<Conditions> {
        let mut conditions = Conditions {
            seq_no: not_negative(long(params, "if_seq_no")?)?,
            primary_term: long(params, "if_primary_term")?.unwrap_or(0),
            version: long(params, "version")?,
            versioning: versioning(params.get("version_type").unwrap_or("internal"))?,
            require_alias: params.flag("require_alias", false)?,
            require_data_stream: params.flag("require_data_stream", false)?,
            pipeline: params.text("pipeline").filter(|name| *name != "_none").map(str::to_owned),
            timeout: params.get("timeout").map(str::to_owned),
            ..Conditions::default()
        };
        params.flag("include_source_on_error", true)?;
        params.flag("realtime", true)?;
        if let Some(timeout) = &conditions.timeout {
            time_unit::parse(timeout, "timeout")?;
        }
        match params.get("wait_for_active_shards") {
            None => {}
            Some("all") => conditions.all_copies = true,
            Some(text) => {
                let count = text.parse().map_err(|_| {
                    EsError::illegal(format!("cannot parse ActiveShardCount[{text}]")).because(EsError::new(
                        400,
                        "number_format_exception",
                        format!("For input string: \"{text}\""),
                    ))
                })?;
                conditions.copies = Some(count);
            }
        }
        for name in ["routing", "stored_fields"] {
            if params.get(name).is_some() {
                return Err(EsError::not_done(&format!("the [{name}] of documents")));
            }
        }
        Ok(conditions)
    }

    /// Reads a field of an item of a bulk request; returns `true` if the field is a condition.
    ///
    /// # Errors
    /// If the value is invalid, or if the practice cluster does not support the condition.
    pub fn take(&mut self, member: &Member) -> Outcome<bool> {
        let text = member.value.scalar().unwrap_or_default();
        let number = || text.parse::<i64>().map_err(|_| EsError::illegal(format!("For input string: \"{text}\"")));
        match member.name.as_str() {
            "if_seq_no" => self.seq_no = not_negative(Some(number()?))?,
            "if_primary_term" => self.primary_term = number()?,
            "version" => self.version = Some(number()?),
            "version_type" => self.versioning = versioning(&text)?,
            "require_alias" => self.require_alias = text == "true",
            "require_data_stream" => self.require_data_stream = text == "true",
            "pipeline" => self.pipeline = Some(text).filter(|name| name != "_none" && !name.is_empty()),
            "routing" => return Err(EsError::not_done("the [routing] of documents")),
            "dynamic_templates" if member.value.members().is_some_and(<[_]>::is_empty) => {}
            "dynamic_templates" => return Err(EsError::not_done("[dynamic_templates] of documents")),
            "_source" if matches!(member.value.kind, Kind::Bool(false)) => {}
            "_source" => return Err(EsError::not_done("the [_source] of updates")),
            "retry_on_conflict" => {
                number()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Returns the validation errors of the conditions.
    pub fn problems(&self, creates: bool, id: Option<&str>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut say = |problem: &str| problems.push(problem.to_owned());
        if creates && self.versioning != Versioning::Internal {
            say("create operations only support internal versioning. use index instead");
            return problems;
        }
        if creates && self.seq_no.is_some() {
            say("create operations do not support compare and set. use index instead");
            return problems;
        }
        if self.versioning != Versioning::Internal && self.version.is_none() {
            let name = if self.versioning == Versioning::External { "EXTERNAL" } else { "EXTERNAL_GTE" };
            say(&format!("illegal version value [-3] for version type [{name}]"));
        }
        if let Some(id) = id.filter(|id| id.len() > MAX_DOCUMENT_ID) {
            say(&format!(
                "id [{id}] is too long, must be no longer than {MAX_DOCUMENT_ID} bytes but was: {}",
                id.len()
            ));
        }
        if self.versioning == Versioning::Internal && self.version.is_some() {
            say(
                "internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead",
            );
        }
        if self.seq_no.is_some() && self.versioning != Versioning::Internal {
            say("compare and write operations can not use versioning");
        }
        match self.seq_no {
            Some(_) if self.primary_term == 0 => say("ifSeqNo is set, but primary term is [0]"),
            None if self.primary_term != 0 => {
                say(&format!("ifSeqNo is unassigned, but primary term is [{}]", self.primary_term));
            }
            _ => {}
        }
        problems
    }

    /// Returns `true` if versions come from outside the cluster.
    pub fn versions_from_outside(&self) -> bool {
        self.versioning != Versioning::Internal
    }

    /// Returns `true` if the index must be an alias.
    pub fn requires_alias(&self) -> bool {
        self.require_alias
    }

    /// Refuses conditions that no index of the practice cluster meets, as it has neither aliases nor pipelines.
    ///
    /// # Errors
    /// With the messages of 9.5.3, if a condition is not met.
    pub fn check_kind(&self, name: &str) -> Outcome<()> {
        if let Some(pipeline) = &self.pipeline {
            return Err(EsError::illegal(format!("pipeline with id [{pipeline}] does not exist")));
        }
        if self.require_alias {
            let reason = format!(
                "no such index [{name}] and [require_alias] request flag is [true] and [{name}] is not an alias"
            );
            return Err(EsError::new(404, "index_not_found_exception", reason)
                .with("index_uuid", "_na_")
                .with("index", name));
        }
        if self.require_data_stream {
            let reason = format!("[require_data_stream] request flag is [true] and [{name}] is not a data stream");
            return Err(EsError::new(404, "resource_not_found_exception", reason));
        }
        Ok(())
    }

    /// Refuses a write if the index or the number of its copies does not meet the conditions.
    ///
    /// # Errors
    /// With the messages of 9.5.3, if a condition is not met.
    pub fn check_index(&self, name: &str, index: Option<&Index>, what: &str) -> Outcome<()> {
        self.check_kind(name)?;
        let all = 1 + index.map_or(1, |index| index.replicas);
        let needed = if self.all_copies { all } else { self.copies.unwrap_or(1) };
        if needed > 1 {
            let timeout = self.timeout.as_deref().unwrap_or("1m");
            let reason = format!(
                "[{name}][0] Not enough active copies to meet shard count of [{}] (have 1, needed {needed}). Timeout: [{timeout}], request: [BulkShardRequest [[{name}][0]] containing [{what}]]",
                if self.all_copies { "ALL".to_owned() } else { needed.to_string() },
            );
            return Err(EsError::new(503, "unavailable_shards_exception", reason));
        }
        Ok(())
    }

    /// Refuses a write if the document has changed; returns the version to write if the request determines it.
    ///
    /// # Errors
    /// 409 with the messages of 9.5.3, on a version conflict.
    pub fn check_write(&self, name: &str, index: &Index, id: &str) -> Outcome<Option<i64>> {
        let document = index.documents.get(id);
        if let Some(seq_no) = self.seq_no {
            let term = self.primary_term;
            match document {
                Some(document) if document.seq_no == seq_no && term == 1 => {}
                Some(document) => {
                    let reason = format!(
                        "[{id}]: version conflict, required seqNo [{seq_no}], primary term [{term}]. current document has seqNo [{}] and primary term [1]",
                        document.seq_no
                    );
                    return Err(index.conflict(name, reason));
                }
                None => {
                    let reason = format!(
                        "[{id}]: version conflict, required seqNo [{seq_no}], primary term [{term}]. but no document was found"
                    );
                    return Err(index.conflict(name, reason));
                }
            }
        }
        let Some(version) = self.version.filter(|_| self.versioning != Versioning::Internal) else { return Ok(None) };
        let current = document.map(|document| document.version).or_else(|| index.deleted.get(id).copied());
        let (refused, word) = match (current, self.versioning) {
            (Some(current), Versioning::External) => (current >= version, "higher or equal to"),
            (Some(current), _) => (current > version, "higher than"),
            (None, _) => (false, ""),
        };
        if refused {
            let current = current.unwrap_or_default();
            let reason =
                format!("[{id}]: version conflict, current version [{current}] is {word} the one provided [{version}]");
            return Err(index.conflict(name, reason));
        }
        Ok(Some(version))
    }

    /// Refuses to read a version other than the requested one.
    ///
    /// # Errors
    /// 409 with the messages of 9.5.3, on a version conflict.
    pub fn check_read(&self, name: &str, index: &Index, id: &str) -> Outcome<()> {
        let current = index.documents.get(id).map(|document| document.version);
        match (current, self.version) {
            (Some(current), Some(version)) if current != version => {
                let reason = format!(
                    "[{id}]: version conflict, current version [{current}] is different than the one provided [{version}]"
                );
                Err(index.conflict(name, reason))
            }
            _ => Ok(()),
        }
    }
}
