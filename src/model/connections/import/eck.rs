//! Secrets of a cluster that ECK (Elastic Cloud on Kubernetes) runs, as `kubectl get secret -o yaml` or `-o json` prints
//! them: `<name>-es-elastic-user` with the password of `elastic`, and `<name>-es-http-certs-public` with `ca.crt`. The
//! names are those of ECK's source (`pkg/apis/elasticsearch/v1/name.go`).

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Origin, Proposal, tree::Tree};
use crate::model::connections::{
    ca::CaCertificates,
    draft::{ProfileDraft, SignIn},
};

/// Error of Secrets that are not those of ECK.
pub(super) const NOTHING: &str = "there is no Secret of an ECK cluster in it: <name>-es-elastic-user with the password, \
                                  <name>-es-http-certs-public with the certificate";

/// Note that the password is missing.
pub(super) const NO_PASSWORD: &str = "The password is missing: import the Secret <name>-es-elastic-user with it";

/// Note that the certificate of the CA is missing.
pub(super) const NO_CA: &str = "The CA is missing: import the Secret <name>-es-http-certs-public with it";

const USER: &str = "-es-elastic-user";
const CERTIFICATES: &str = "-es-http-certs-public";

/// Parts of clusters, by namespace and name.
#[derive(Default)]
pub(super) struct EckParts(BTreeMap<(String, String), Part>);

#[derive(Default)]
struct Part {
    password: Option<Zeroizing<String>>,
    has_certificates: bool,
    ca: Option<CaCertificates>,
}

impl EckParts {
    /// Takes what one document has: a Secret, or a list. Returns `false` if it is neither.
    ///
    /// # Errors
    /// If a Secret of ECK can't be read.
    pub(super) fn take(&mut self, document: &Tree) -> Result<bool, String> {
        match document.text_of("kind") {
            Some("Secret") => self.take_secret(document)?,
            Some("List" | "SecretList") => {
                for item in document.get("items").and_then(Tree::elements).unwrap_or_default() {
                    // The elements of a SecretList need no kind.
                    if matches!(item.text_of("kind"), Some("Secret") | None) {
                        self.take_secret(item)?;
                    }
                }
                if self.is_empty() {
                    return Err(NOTHING.into());
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn take_secret(&mut self, secret: &Tree) -> Result<(), String> {
        let metadata = secret.get("metadata");
        let of = |name| metadata.and_then(|metadata| metadata.text_of(name)).unwrap_or_default();
        let (namespace, name) = (of("namespace").to_owned(), of("name"));
        if let Some(cluster) = name.strip_suffix(USER) {
            let password =
                value(secret, "elastic")?.ok_or_else(|| format!("the Secret {name} has no member elastic"))?;
            let part = self.0.entry((namespace, cluster.to_owned())).or_default();
            part.password = Some(password);
        } else if let Some(cluster) = name.strip_suffix(CERTIFICATES) {
            let ca = match value(secret, "ca.crt")? {
                None => None,
                Some(text) => Some(CaCertificates::read(text.as_bytes()).map_err(|error| {
                    format!("ca.crt of the Secret {name} can't be used: {}", super::lower_first(&error.to_string()))
                })?),
            };
            let part = self.0.entry((namespace, cluster.to_owned())).or_default();
            (part.ca, part.has_certificates) = (ca, true);
        }
        Ok(())
    }

    /// Adds the parts of another text; what it has goes before.
    pub(super) fn add(&mut self, other: Self) {
        for (cluster, part) in other.0 {
            let own = self.0.entry(cluster).or_default();
            own.password = part.password.or(own.password.take());
            own.ca = part.ca.or(own.ca.take());
            own.has_certificates |= part.has_certificates;
        }
    }

    /// Returns `true` if nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a proposal for each cluster.
    pub(super) fn proposals(self) -> impl Iterator<Item = Proposal> {
        self.0.into_iter().map(|((namespace, name), part)| proposal(&namespace, name, part))
    }
}

fn proposal(namespace: &str, name: String, part: Part) -> Proposal {
    // Of the namespace nothing else tells.
    let place = if namespace.is_empty() { "default" } else { namespace };
    let draft = ProfileDraft {
        url: format!("https://{name}-es-http.{place}.svc:9200"),
        name,
        sign_in: SignIn::User,
        username: "elastic".into(),
        ..ProfileDraft::new()
    };
    let mut proposal = Proposal::new(draft, Origin::Eck);
    let mut note = |words: &str| proposal.notes.push(words.into());
    note("The address is the one inside Kubernetes: change it if you reach the cluster by another one");
    if namespace.is_empty() {
        note("The Secrets name no namespace: “default” is assumed in the address");
    }
    if part.password.is_none() {
        note(NO_PASSWORD);
    }
    match (part.has_certificates, part.ca.is_some()) {
        (false, _) => note(NO_CA),
        (true, false) => note("The Secret has no CA: the certificate must be one that this computer trusts"),
        (true, true) => {}
    }
    if let Some(password) = part.password {
        proposal.draft.password = password;
    }
    if let Some(ca) = part.ca {
        proposal.set_ca(ca);
    }
    proposal
}

/// Returns a member of a Secret: from `data` in Base64, or from `stringData` as it is.
fn value(secret: &Tree, name: &str) -> Result<Option<Zeroizing<String>>, String> {
    if let Some(plain) = secret.get("stringData").and_then(|data| data.text_of(name)) {
        return Ok(Some(Zeroizing::new(plain.to_owned())));
    }
    let Some(encoded) = secret.get("data").and_then(|data| data.text_of(name)) else { return Ok(None) };
    let unreadable = || format!("the member {name} of a Secret is not Base64 of text");
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(encoded.len())]);
    let letters: Zeroizing<String> = Zeroizing::new(encoded.split_whitespace().collect());
    let length = STANDARD.decode_slice(letters.as_bytes(), &mut bytes).map_err(|_| unreadable())?;
    let text = std::str::from_utf8(&bytes[..length]).map_err(|_| unreadable())?;
    Ok(Some(Zeroizing::new(text.to_owned())).filter(|text| !text.is_empty()))
}
