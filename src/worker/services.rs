//! Services of this machine that the worker uses: the vault, the clipboard, the practice cluster, files.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use super::rotation;
use crate::{
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            profile::Profile,
        },
        machine_policy::MachinePolicy,
        secret::Secret,
    },
    ops::{
        Problem,
        connections::{machine_policy, sign_in::SignIns},
    },
    store::{
        browser::{self, OpenBrowser},
        file_dialog::{FileDialogs, NoFileDialogs},
        journal::{Journal, Warning as JournalWarning},
        rotation::Rotations,
        settings_file::SettingsFile,
        ssh::Agent,
        vault::Vault,
    },
};

/// The clipboard for secrets; calls may block.
pub trait SecretSink: Send + Sync {
    /// Puts a text on the clipboard, marked to be kept out of clipboard histories.
    ///
    /// # Errors
    /// The reason, as a sentence for the user.
    fn copy(&self, text: &Secret) -> Result<(), String>;

    /// Clears the clipboard if our secret is still on it, and returns whether it was.
    ///
    /// # Errors
    /// The reason, as a sentence for the user.
    fn clear_if_ours(&self) -> Result<bool, String>;
}

/// A practice cluster that is being started.
pub type OpeningSandbox = Pin<Box<dyn Future<Output = Result<Profile, Problem>> + Send>>;

/// Starts a practice cluster, which lives as long as the worker.
pub type SandboxOpener = Box<dyn FnOnce() -> OpeningSandbox + Send>;

/// Services of this machine that the worker uses.
pub struct Services {
    pub(super) vault: RwLock<Arc<dyn Vault>>,
    pub(super) clipboard: Arc<dyn SecretSink>,
    pub(super) sandbox: Mutex<Option<SandboxOpener>>,
    pub(super) settings: SettingsFile,
    pub(super) files: Arc<dyn FileDialogs>,
    pub(super) sign_ins: SignIns,
    pub(super) browser: OpenBrowser,
    pub(super) journal: Journal,
    /// Agent whose keys can sign; `None` for the one that this process was started with.
    pub(super) ssh_agent: Option<Agent>,
    pub(super) rotations: rotation::Places,
    policy: Arc<MachinePolicy>,
    /// Address of the practice cluster, for which no journal is written.
    pub(super) practice: Mutex<Option<ClusterUrl>>,
}

impl Services {
    /// Creates services with a vault and a clipboard, and without a practice cluster.
    pub fn new(vault: Arc<dyn Vault>, clipboard: Arc<dyn SecretSink>) -> Self {
        Self {
            vault: RwLock::new(vault),
            clipboard,
            sandbox: Mutex::new(None),
            settings: SettingsFile::default(),
            files: Arc::new(NoFileDialogs),
            sign_ins: SignIns::default(),
            browser: browser::of_this_machine(),
            journal: Journal::default(),
            ssh_agent: None,
            rotations: rotation::Places::default(),
            policy: Arc::default(),
            practice: Mutex::default(),
        }
    }

    /// Adds a practice cluster to open.
    pub fn with_sandbox(self, open: SandboxOpener) -> Self {
        *self.sandbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
        self
    }

    /// Adds a settings file; without one, settings last for this run only.
    pub fn with_settings(self, settings: SettingsFile) -> Self {
        Self { settings, ..self }
    }

    /// Adds the desktop's dialogs for files; without them, paths are typed.
    pub fn with_file_dialogs(self, files: Arc<dyn FileDialogs>) -> Self {
        Self { files, ..self }
    }

    /// Opens addresses in this browser instead of that of this machine.
    pub fn with_browser(self, browser: OpenBrowser) -> Self {
        Self { browser, ..self }
    }

    /// Adds a journal of operations on keys; without one, no journal is written.
    pub fn with_journal(self, journal: Journal) -> Self {
        Self { journal, ..self }
    }

    /// Signs by this ssh-agent instead of the one that this process was started with.
    pub fn with_ssh_agent(self, agent: Agent) -> Self {
        Self { ssh_agent: Some(agent), ..self }
    }

    /// Adds the rules of this computer; without them, there are none.
    pub fn with_policy(self, policy: Arc<MachinePolicy>) -> Self {
        Self { policy, ..self }
    }

    /// Returns the rules of this computer.
    pub fn policy(&self) -> &Arc<MachinePolicy> {
        &self.policy
    }

    /// Returns the reason why the rules of this computer allow no change on any cluster but the practice cluster; `None`
    /// if they allow them.
    pub fn refusal_of_changes(&self) -> Option<Problem> {
        machine_policy::refusal_of_changes(&self.policy, &self.journal)
    }

    /// Passes warnings about the journal to `warn` at once.
    pub(super) fn watch_journal(mut self, warn: impl Fn(JournalWarning) + Send + Sync + 'static) -> Self {
        self.journal = self.journal.watched(warn);
        self
    }

    /// Adds the folder of rotations; without one, only keys of the practice cluster can be rotated.
    pub fn with_rotations(mut self, rotations: Option<Rotations>) -> Self {
        self.rotations.own = rotations;
        self
    }

    pub(super) fn is_practice(&self, endpoint: &Endpoint) -> bool {
        let practice = self.practice.lock().unwrap_or_else(PoisonError::into_inner);
        practice.as_ref() == Some(&endpoint.url)
    }

    pub(super) fn journal_for(&self, endpoint: &Endpoint) -> Journal {
        if self.is_practice(endpoint) { Journal::default() } else { self.journal.clone() }
    }

    /// Returns the rules for a cluster. The practice cluster is in the memory of this process, and has none.
    pub(super) fn policy_for(&self, endpoint: &Endpoint) -> Arc<MachinePolicy> {
        if self.is_practice(endpoint) { Arc::default() } else { Arc::clone(&self.policy) }
    }

    pub(super) fn vault(&self) -> Arc<dyn Vault> {
        Arc::clone(&self.vault.read().unwrap_or_else(PoisonError::into_inner))
    }
}
