//! Connections out of what people have of their clusters: a Cloud ID, the Secrets of an ECK cluster, `elasticsearch.yml`,
//! the `.env` file of start-local, an export of elasticvue or of Keybearer, and the certificate of a CA. Nothing is
//! saved here, and nothing that a text doesn't say is made up.

mod cloud_id;
mod eck;
mod elasticsearch_yml;
mod elasticvue;
mod env_file;
mod tree;

use super::{
    ca::CaCertificates,
    draft::{ProfileDraft, TrustChoice},
    share,
};
use crate::model::secret::Secret;
use eck::EckParts;
pub(super) use tree::Tree;

/// Size limit of one text, in bytes.
pub const MAX_IMPORT_BYTES: u64 = 1 << 20;

/// Maximum number of texts that are read together.
pub const MAX_IMPORT_SOURCES: usize = 16;

/// Maximum number of connections of one import.
pub const MAX_IMPORTED: usize = 200;

/// What is understood, for the error of a text that isn't.
pub const UNDERSTOOD: &str = "A Cloud ID, the Secrets of an ECK cluster (YAML or JSON), elasticsearch.yml, the .env file \
                              of start-local, an export of elasticvue or Keybearer (JSON), and a CA certificate (PEM) \
                              can be imported";

/// Note that settings of a node come without the certificate of their CA.
pub const NO_CA_BESIDE: &str = "There is no http_ca.crt beside it: choose what to trust";

/// Text to be read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name of the file, for messages; “Pasted text” for none.
    pub name: String,
    /// Text; it may hold credentials.
    pub text: Secret,
}

/// Kind of a text that was recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Cloud ID of Elastic Cloud.
    CloudId,
    /// Secrets of a cluster that ECK runs.
    Eck,
    /// Settings of a node.
    ElasticsearchYml,
    /// Environment file, of start-local or with the variables that Keybearer's commands read.
    EnvFile,
    /// Export of elasticvue, or its predefined clusters.
    Elasticvue,
    /// Export of Keybearer.
    Keybearer,
    /// Certificate of an authority alone.
    CaCertificate,
}

impl Origin {
    /// Returns the label of the kind.
    pub fn label(self) -> &'static str {
        match self {
            Self::CloudId => "Cloud ID",
            Self::Eck => "ECK Secrets",
            Self::ElasticsearchYml => "elasticsearch.yml",
            Self::EnvFile => "Environment file",
            Self::Elasticvue => "elasticvue",
            Self::Keybearer => "Keybearer",
            Self::CaCertificate => "CA certificate",
        }
    }
}

/// Proposed connection: a form as far as the texts fill it in.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Form, credentials included. It may be incomplete.
    pub draft: ProfileDraft,
    /// Kind of the text that it comes from.
    pub origin: Origin,
    /// Sentences on what deserves attention, without the full stop.
    pub notes: Vec<String>,
}

impl Proposal {
    fn new(draft: ProfileDraft, origin: Origin) -> Self {
        Self { draft, origin, notes: Vec::new() }
    }

    fn has_ca(&self) -> bool {
        self.draft.trust != TrustChoice::System
    }

    fn set_ca(&mut self, ca: CaCertificates) {
        self.draft.trust = TrustChoice::CaFile;
        self.draft.ca = Some(ca);
    }
}

/// Reason why a text can't be imported. It repeats nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct ImportError {
    /// Name of the text.
    pub source_name: String,
    /// Reason, as a sentence without the full stop.
    pub reason: String,
}

/// Part of an import, before the parts are put together.
enum Piece {
    Proposals(Vec<Proposal>),
    Eck(EckParts),
    Ca(CaCertificates),
}

/// Reads connections out of texts that belong together. Which kind each text is, is found out by its content; a name
/// decides only for an `elasticsearch.yml` without any setting. The certificate of a CA belongs to the connections beside
/// it that name none.
///
/// # Errors
/// The first text that can't be read, with the reason.
pub fn read(sources: &[Source]) -> Result<Vec<Proposal>, ImportError> {
    let failed = |name: &str, reason: String| ImportError { source_name: name.to_owned(), reason };
    if sources.len() > MAX_IMPORT_SOURCES {
        let reason = format!("at most {MAX_IMPORT_SOURCES} files can be imported together");
        return Err(failed("Import", reason));
    }
    let (mut proposals, mut parts, mut authorities) = (Vec::new(), EckParts::default(), Vec::new());
    for source in sources {
        match piece(source).map_err(|reason| failed(&source.name, reason))? {
            Piece::Proposals(found) => proposals.extend(found),
            Piece::Eck(found) => parts.add(found),
            Piece::Ca(ca) => authorities.push((ca, source.name.as_str())),
        }
    }
    proposals.extend(parts.proposals());
    if let Some((ca, _)) = authorities.first() {
        let wanting = |proposal: &&mut Proposal| !proposal.has_ca();
        let is_https = |proposal: &&mut Proposal| !proposal.draft.url.starts_with("http://");
        if let [(_, _), (_, second), ..] = &authorities[..] {
            let reason = "which CA certificate belongs to which cluster is not known: import one at a time";
            return Err(failed(second, reason.into()));
        }
        if proposals.is_empty() {
            let mut proposal = Proposal::new(ProfileDraft::new(), Origin::CaCertificate);
            proposal.set_ca(ca.clone());
            proposal.notes.push("A certificate names no cluster: enter its address".into());
            proposals.push(proposal);
        } else {
            proposals.iter_mut().filter(wanting).filter(is_https).for_each(|proposal| proposal.set_ca(ca.clone()));
        }
    }
    if proposals.len() > MAX_IMPORTED {
        return Err(failed("Import", format!("there are more than {MAX_IMPORTED} connections")));
    }
    if proposals.is_empty() {
        return Err(failed("Import", format!("there is no connection in it. {UNDERSTOOD}")));
    }
    Ok(proposals)
}

/// Adds a proposal to what was read before: the other Secret of the same ECK cluster, or the CA of connections that have
/// none. Returns the proposal if it stands for itself.
pub fn absorb<'a>(before: impl Iterator<Item = &'a mut Proposal>, new: Proposal) -> Option<Proposal> {
    let mut is_taken = false;
    for own in before {
        let is_other_half = own.origin == Origin::Eck && new.origin == Origin::Eck && own.draft.url == new.draft.url;
        let lends_ca = new.origin == Origin::CaCertificate && own.draft.url.starts_with("https://");
        if (is_other_half || lends_ca)
            && !own.has_ca()
            && let Some(ca) = &new.draft.ca
        {
            own.set_ca(ca.clone());
            own.notes.retain(|note| note != eck::NO_CA && note != NO_CA_BESIDE);
            is_taken = true;
        }
        if is_other_half && own.draft.password.is_empty() && !new.draft.password.is_empty() {
            own.draft.password = new.draft.password.clone();
            own.notes.retain(|note| note != eck::NO_PASSWORD);
            is_taken = true;
        }
    }
    (!is_taken).then_some(new)
}

fn piece(source: &Source) -> Result<Piece, String> {
    let text = source.text.expose().trim_start_matches('\u{feff}').trim();
    if text.len() as u64 > MAX_IMPORT_BYTES {
        return Err(format!("it is longer than {} KiB", MAX_IMPORT_BYTES / 1024));
    }
    let is_settings_file = source.name.rsplit(['/', '\\']).next() == Some("elasticsearch.yml");
    if text.is_empty() && !is_settings_file {
        return Err("it is empty".into());
    }
    if text.starts_with("-----BEGIN ") {
        return CaCertificates::read(text.as_bytes()).map(Piece::Ca).map_err(|error| lower_first(&error.to_string()));
    }
    if text.starts_with('{') || text.starts_with('[') {
        return of_tree(&Tree::of_json(text)?);
    }
    if let Some(found) = cloud_id::read(text) {
        return found.map(|proposal| Piece::Proposals(vec![proposal]));
    }
    if let Some(found) = env_file::read(text) {
        return found.map(|proposal| Piece::Proposals(vec![proposal]));
    }
    let mut parts = EckParts::default();
    let documents = Tree::of_yaml(text)?;
    for document in &documents {
        if !parts.take(document)? && !matches!(document, Tree::Null) {
            let settings = elasticsearch_yml::read(document).filter(|_| documents.len() == 1);
            return settings.map(|proposal| Piece::Proposals(vec![proposal])).ok_or_else(not_recognized);
        }
    }
    match parts.is_empty() {
        false => Ok(Piece::Eck(parts)),
        true if is_settings_file => Ok(Piece::Proposals(vec![elasticsearch_yml::defaults()])),
        true => Err(not_recognized()),
    }
}

fn of_tree(tree: &Tree) -> Result<Piece, String> {
    let mut parts = EckParts::default();
    if parts.take(tree)? {
        return if parts.is_empty() { Err(eck::NOTHING.into()) } else { Ok(Piece::Eck(parts)) };
    }
    if share::is_one(tree) {
        let proposals = share::read(tree)?.into_iter().map(|draft| Proposal::new(draft, Origin::Keybearer));
        return Ok(Piece::Proposals(proposals.collect()));
    }
    elasticvue::read(tree).map(Piece::Proposals).ok_or_else(not_recognized)
}

fn not_recognized() -> String {
    format!("it is not recognized. {UNDERSTOOD}")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
