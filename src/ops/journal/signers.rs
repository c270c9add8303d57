//! Who signs a checkpoint of the journal besides its own key: an SSH key of the user, in the agent or in a file. These
//! calls block, by the agent for as long as its user takes.

use std::path::Path;

use ssh_key::PrivateKey;

use super::checkpoint::not_made;
use crate::{
    model::{
        journal::ssh_signature::{self, NotSigned, SshKey, SshSignature},
        secret::Secret,
        text::sanitize,
    },
    ops::Problem,
    store::ssh::{Agent, AgentError, KeyFile, KeyFileError},
};

/// Who signs a checkpoint.
pub enum Signer {
    /// The journal's own key in the keyring.
    Journal,
    /// A key in this agent; where there is a keyring, besides the journal's own.
    Agent(Agent, SshKey),
    /// A private key from a file; where there is a keyring, besides the journal's own.
    Key(Box<PrivateKey>),
}

/// Returns the agent of this user, and its keys that can sign checkpoints.
///
/// # Errors
/// Returns an error if there is no agent, it can't be reached, or it does not answer.
pub fn agent_keys(agent: Option<Agent>) -> Result<(Agent, Vec<SshKey>), Problem> {
    let agent = agent.map_or_else(Agent::from_environment, Ok).map_err(|error| no_agent(&error))?;
    let keys = agent.keys().map_err(|error| no_agent(&error))?;
    Ok((agent, keys))
}

/// Returns the signer for this key of the agent; the journal's own key without one.
///
/// # Errors
/// Returns an error if there is no agent.
pub fn of_agent(agent: Option<Agent>, key: Option<SshKey>) -> Result<Signer, Problem> {
    let Some(key) = key else { return Ok(Signer::Journal) };
    let agent = agent.map_or_else(Agent::from_environment, Ok).map_err(|error| no_agent(&error))?;
    Ok(Signer::Agent(agent, key))
}

/// Returns the signer in the agent with this fingerprint; without one, the only one there is.
///
/// # Errors
/// As [`agent_keys`], and if there is no such key, or more than one to choose from.
pub fn in_agent(fingerprint: Option<&str>) -> Result<Signer, Problem> {
    let (agent, keys) = agent_keys(None)?;
    let is_it = |key: &&SshKey| fingerprint.is_none_or(|wanted| key.fingerprint() == wanted);
    let mut found = keys.iter().filter(is_it);
    match (found.next(), found.next()) {
        (Some(key), None) => Ok(Signer::Agent(agent, key.clone())),
        (None, _) if keys.is_empty() => Err(not_made("The ssh-agent has no key that can sign a checkpoint")
            .hint("Add one (ssh-add), of the type ed25519, ecdsa or rsa, or unlock the agent")),
        (None, _) => Err(not_made("The ssh-agent has no key with this fingerprint").hint(&choice(&keys))),
        (Some(_), Some(_)) => Err(not_made("The ssh-agent has several keys").hint(&choice(&keys))),
    }
}

fn choice(keys: &[SshKey]) -> String {
    let names: Vec<String> = keys.iter().map(words).collect();
    format!("Pass the fingerprint of one of them: {}", names.join(", "))
}

/// Returns a key in words: its fingerprint, type and comment.
pub fn words(key: &SshKey) -> String {
    let comment = sanitize::shortened(&sanitize::shown(&key.comment), 60);
    format!("{} ({} {comment})", key.fingerprint(), key.kind()).replace(" )", ")")
}

/// Returns the signer of a file: its private key, or for a public key that one in the agent. `passphrase` is called for
/// an encrypted key; its error is a part of a sentence.
///
/// # Errors
/// Returns an error if the file has no key, or the agent does not have it.
pub fn in_file(path: &Path, passphrase: impl FnOnce() -> Result<Secret, String>) -> Result<Signer, Problem> {
    let failed = |error: &KeyFileError| {
        Problem::new(&format!("{} can’t sign", path.display()), &error.to_string()).hint(error.way_out())
    };
    match KeyFile::read(path, passphrase).map_err(|error| failed(&error))? {
        KeyFile::Private(key) => Ok(Signer::Key(key)),
        KeyFile::Public(key) => in_agent(Some(&key.fingerprint())),
    }
}

/// Has a text signed; `None` if the journal's own key is the only signer.
///
/// # Errors
/// Returns an error if the signer does not sign, or what it returns is no signature of the text.
pub(super) fn sign(signer: &Signer, text: &[u8]) -> Result<Option<(SshKey, SshSignature)>, Problem> {
    let not_signed = |error: NotSigned| {
        not_made(&error.to_string()).hint("Choose another key; ed25519, ecdsa and rsa can sign, others can’t")
    };
    match signer {
        Signer::Journal => Ok(None),
        Signer::Agent(agent, key) => {
            let data = ssh_signature::signed_data(text).ok_or_else(Problem::broken)?;
            let signature = agent.sign(key, &data).map_err(|error| no_agent(&error))?;
            let signature = SshSignature::from_agent(key, text, &signature).map_err(not_signed)?;
            Ok(Some((key.clone(), signature)))
        }
        Signer::Key(key) => {
            let signature = SshSignature::by_key(key, text).map_err(not_signed)?;
            Ok(Some((signature.key(), signature)))
        }
    }
}

fn no_agent(error: &AgentError) -> Problem {
    Problem::new("The ssh-agent can’t be used", &error.to_string()).hint(error.way_out())
}
