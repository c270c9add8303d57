//! What the options and the environment add to an imported connection: address, trust, way and credential.

use zeroize::Zeroizing;

use super::{connection::ConnectionFlags, credentials, span};
use crate::{
    cli::{
        environment::{Host, ThisMachine},
        error::CliError,
        output,
    },
    model::connections::{
        draft::{ProfileDraft, SignIn},
        endpoint::{ClusterUrl, Endpoint, Trust},
        import::Proposal,
        login::Login,
        profile::{Environment, Profile, ProfileId},
        protection::Protection,
    },
};

impl ConnectionFlags {
    /// Puts the options that are given into the form of an imported connection.
    ///
    /// # Errors
    /// A usage error if an option makes no sense here, or its value can't be read.
    pub(crate) fn apply_to_imported(&self, draft: &mut ProfileDraft) -> Result<(), CliError> {
        for (option, is_given) in
            [("--profile", self.profile.is_some()), ("--confirm-name", self.confirm_name.is_some())]
        {
            if is_given {
                return Err(CliError::usage(format!("{option} has no meaning for an import")));
            }
        }
        let machine = &ThisMachine;
        if !self.url.is_empty() {
            draft.url = self.url.join("\n");
        }
        if let Some(timeout) = self.timeout.as_deref().map(span::timeout).transpose()? {
            draft.timeout = timeout.as_secs().to_string();
        }
        if let Some(user) = &self.run_as {
            draft.run_as = user.clone();
        }
        if self.read_only {
            draft.protection = Some(Protection::ReadOnly);
        }
        if let Some(certificate) = credentials::client_certificate(self, machine)? {
            draft.client_certificate = Some(certificate);
        }
        // The rest is taken over from a form that has it.
        let mut endpoint = blank()?;
        if self.ca_file.is_some() || self.fingerprint.is_some() || self.insecure {
            endpoint.trust = self.trust(machine)?;
            let of = form_of(lasting(endpoint.clone())?);
            (draft.trust, draft.ca_file, draft.fingerprint, draft.ca) = (of.trust, of.ca_file, of.fingerprint, None);
        }
        if let Some(proxy) = credentials::proxy(self, machine)? {
            endpoint.proxy = proxy;
            let of = form_of(endpoint);
            (draft.proxy, draft.proxy_url) = (of.proxy, of.proxy_url);
            (draft.proxy_username, draft.proxy_password) = (of.proxy_username, of.proxy_password);
        }
        Ok(())
    }

    /// Adds the credentials that are missing: a single connection gets that of the environment; otherwise a person at
    /// the terminal is asked for each, and may leave it out.
    ///
    /// # Errors
    /// If a credential of the environment can't be read.
    pub(crate) fn complete_imported(&self, proposals: &mut [Proposal]) -> Result<(), CliError> {
        let machine = &ThisMachine;
        let is_single = proposals.len() == 1;
        for draft in proposals.iter_mut().map(|proposal| &mut proposal.draft).filter(|draft| !draft.has_credential()) {
            let has_variable = ["ES_API_KEY", "ES_TOKEN", "ES_USERNAME"]
                .into_iter()
                .map(|name| machine.variable(name))
                .any(|value| value.is_ok_and(|value| value.is_some()));
            // A password alone goes with the user that the file names.
            let password = machine.variable("ES_PASSWORD")?.filter(|_| is_single && !has_variable);
            if is_single && has_variable {
                let mut warnings = Vec::new();
                let login = credentials::login(machine, (draft.client_certificate.is_some(), false), &mut warnings)?;
                warnings.iter().for_each(|warning| output::print_error(warning));
                put_login(draft, login)?;
            } else if let (SignIn::User, Some(password)) = (draft.sign_in, password) {
                draft.password = Zeroizing::new(password.expose().to_owned());
            } else if output::someone_is_there() {
                ask(draft)?;
            }
        }
        Ok(())
    }
}

fn ask(draft: &mut ProfileDraft) -> Result<(), CliError> {
    let name = output::cell(&draft.name);
    let (whose, field) = match draft.sign_in {
        SignIn::User if draft.username.is_empty() => return Ok(()),
        SignIn::User => (format!("Password of {} at {name}", output::cell(&draft.username)), &mut draft.password),
        SignIn::ApiKey => (format!("API key for {name}"), &mut draft.key_secret),
        SignIn::Token => (format!("Token for {name}"), &mut draft.token),
        SignIn::Certificate | SignIn::OpenId => return Ok(()),
    };
    let typed = rpassword::prompt_password(format!("{whose} (leave blank to skip): "));
    *field = Zeroizing::new(typed.map_err(|error| CliError::usage(format!("Can't prompt: {error}")))?);
    draft.tidy();
    Ok(())
}

fn put_login(draft: &mut ProfileDraft, login: Login) -> Result<(), CliError> {
    let of = form_of(Endpoint { login, ..blank()? });
    draft.sign_in = of.sign_in;
    (draft.key_id, draft.key_secret) = (of.key_id, of.key_secret);
    (draft.username, draft.password, draft.token) = (of.username, of.password, of.token);
    Ok(())
}

fn blank() -> Result<Endpoint, CliError> {
    let url = ClusterUrl::parse("localhost").map_err(|error| CliError::usage(error.to_string()))?;
    Ok(Endpoint::new(url, Login::Certificate))
}

fn form_of(endpoint: Endpoint) -> ProfileDraft {
    let (id, name) = (ProfileId(String::new()), String::new());
    ProfileDraft::of(&Profile { id, name, environment: Environment::Development, endpoint })
}

/// Returns the endpoint with the absolute path of its CA file, so that it works from any folder.
///
/// # Errors
/// If the current folder is not known.
pub(crate) fn lasting(endpoint: Endpoint) -> Result<Endpoint, CliError> {
    let Trust::CaFile(path) = &endpoint.trust else { return Ok(endpoint) };
    let absolute = std::path::absolute(path);
    let path = absolute.map_err(|error| CliError::Fields(vec![format!("--ca-file: {error}")]))?;
    Ok(Endpoint { trust: Trust::CaFile(path), ..endpoint })
}
