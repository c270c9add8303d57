//! Connecting to a cluster: identity, version and privileges; as a whole, or step by step as a test.

use std::{path::Path, sync::Arc, time::Instant};

use crate::{
    client::{Client, ClientError, KeyQuery, SeenCertificate, TokenSource},
    model::{
        Timestamp,
        connections::{
            client_certificate::ClientCertificate,
            endpoint::{Endpoint, Trust},
            login::Login,
            open_id::OpenIdLogin,
            proxy::ProxyRule,
        },
        identity::{Identity, Privileges},
        machine_policy::MachinePolicy,
        time::expiry::{self, EXPIRING_SOON},
        version::{Edition, Feature},
    },
    ops::{
        Problem, Session, clock,
        connections::{addresses, cluster_identity},
        interrupt::Interrupt,
        problem::{self, CLOUD_KEY_REFUSED},
    },
    store::journal::Journal,
};

/// Signs in on a computer without rules. The program itself uses [`connect_by_rules`].
///
/// # Errors
/// As for [`connect_by_rules`].
pub async fn connect(endpoint: &Endpoint) -> Result<Session, Problem> {
    connect_with(endpoint, None).await
}

/// Signs in as [`connect`] does, with the tokens of this source where the sign-in is at a provider.
///
/// # Errors
/// As for [`connect_by_rules`].
pub async fn connect_with(endpoint: &Endpoint, tokens: Option<Arc<dyn TokenSource>>) -> Result<Session, Problem> {
    connect_by_rules(endpoint, &Arc::default(), tokens).await
}

/// Signs in, and reads the edition and the privileges, as far as the rules of this computer allow it. `tokens` is the
/// source of the tokens of a sign-in at a provider.
///
/// # Errors
/// With the reason and the way out, when the connection is not allowed, or the cluster can't be reached, trusted or signed
/// in to, or its addresses belong to different clusters.
pub async fn connect_by_rules(
    endpoint: &Endpoint,
    policy: &Arc<MachinePolicy>,
    tokens: Option<Arc<dyn TokenSource>>,
) -> Result<Session, Problem> {
    let client = Client::by_rules(endpoint, policy)?.with_tokens(tokens.clone());
    let (compared, identity) = tokio::join!(addresses::compare(endpoint, policy, tokens), client.authenticate());
    compared?;
    let identity = identity.map_err(|error| refused(endpoint, error))?;
    let About { edition, name: cluster_name, uuid: cluster_uuid } = edition(&client).await?;
    // From here on another address is used only if it belongs to this cluster.
    client.stay_on_cluster(cluster_uuid.as_deref());
    let privileges = privileges(&client, edition).await?;
    let certificate = client.certificate();
    let journal = Journal::default();
    let interrupt = Interrupt::default();
    let session = Session {
        client,
        identity,
        privileges,
        edition,
        cluster_name,
        cluster_uuid,
        certificate,
        journal,
        keyring: None,
        interrupt,
    };
    if session.client.doubtful_date().is_some() {
        // What can't be learned is told as not known.
        let _ = clock::learn(&session).await;
    }
    Ok(session)
}

/// Edition and identity that a cluster reports at sign-in.
struct About {
    edition: Edition,
    name: Option<String>,
    uuid: Option<String>,
}

/// Reads the edition, name and UUID of the cluster. A user without `monitor` may not read them: then only the existence
/// of the query API is found out. A cluster that the rules of this computer don't allow is asked nothing more: its UUID is
/// told only to who is signed in.
async fn edition(client: &Client) -> Result<About, ClientError> {
    let untold = |edition| About { edition, name: None, uuid: None };
    let check = |uuid: Option<&str>| {
        client.policy().check_uuid(uuid).map_err(|violation| ClientError::Policy(Box::new(violation)))
    };
    let info = client.info().await;
    if matches!(info, Err(ClientError::Forbidden { .. })) {
        check(None)?;
    }
    match info {
        Ok(info) => {
            let uuid = cluster_identity::known(info.uuid);
            check(uuid.as_deref())?;
            Ok(About { edition: info.edition, name: Some(info.name), uuid })
        }
        Err(ClientError::Forbidden { .. }) => match client.query_api_keys(&KeyQuery::new(1)).await {
            Err(ClientError::Lacks(Feature::Query)) => Ok(untold(Edition::Old)),
            // Whatever else it answers, the query is there.
            _ => Ok(untold(Edition::Unknown)),
        },
        Err(error) => Err(error),
    }
}

/// Reads the session's privileges, asking only for names that this version knows: an unknown one makes the whole
/// request fail.
async fn privileges(client: &Client, edition: Edition) -> Result<Privileges, ClientError> {
    const ALWAYS: [&str; 4] = ["manage_security", "manage_api_key", "manage_own_api_key", "monitor"];
    // The oldest first: where the version was not told, the newest are left out until it knows all.
    let newer = [
        (Feature::Grant, "grant_api_key"),
        (Feature::ReadSecurity, "read_security"),
        (Feature::Clone, "clone_api_key"),
    ];
    let newer = newer.iter().filter(|(feature, _)| edition.has(*feature)).map(|(_, name)| *name);
    let is_guessed = matches!(edition, Edition::Unknown | Edition::Old);
    let mut names: Vec<&str> = ALWAYS.into_iter().chain(newer).collect();
    loop {
        match client.has_cluster_privileges(&names).await {
            Err(ClientError::Rejected { .. }) if is_guessed && names.len() > ALWAYS.len() => drop(names.pop()),
            answer => return answer,
        }
    }
}

/// Step of a connection test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionCheck {
    /// Rules of this computer, if there are any.
    Policy,
    /// Sign-in at the provider, if the connection has one.
    SignIn,
    /// Addresses, if there are several: which answer, and whether they belong to one cluster.
    Addresses,
    /// Proxy on the way, if there is one.
    Proxy,
    /// Reachability: does anything answer at the URL?
    Reach,
    /// Certificate: is it trusted?
    Certificate,
    /// Client certificate, if the connection has one or the server requires one.
    ClientCertificate,
    /// Product: is it Elasticsearch, and which version?
    Product,
    /// Identity of the sign-in.
    Identity,
    /// Privileges of the sign-in.
    Privileges,
    /// Missing privileges, with the operations that need them.
    Missing,
}

impl ConnectionCheck {
    /// All steps, in order.
    const ALL: [ConnectionCheck; 11] = [
        Self::Policy,
        Self::SignIn,
        Self::Addresses,
        Self::Proxy,
        Self::Reach,
        Self::Certificate,
        Self::ClientCertificate,
        Self::Product,
        Self::Identity,
        Self::Privileges,
        Self::Missing,
    ];

    /// Returns the steps that a test of the endpoint will have, in order. Whether the proxy of this computer is on the
    /// way is known only by the test.
    pub fn expected(endpoint: Option<&Endpoint>, policy: &MachinePolicy) -> impl Iterator<Item = Self> {
        let has_rules = policy.file().is_some();
        let has_provider = endpoint.is_some_and(|endpoint| matches!(endpoint.login, Login::OpenId(_)));
        let has_proxy = endpoint.is_some_and(|endpoint| matches!(endpoint.proxy, ProxyRule::Via(_)));
        let has_certificate = endpoint.is_some_and(|endpoint| endpoint.client_certificate.is_some());
        let has_several = endpoint.is_some_and(|endpoint| !endpoint.more_urls.is_empty());
        Self::ALL.into_iter().filter(move |step| match step {
            Self::Policy => has_rules,
            Self::SignIn => has_provider,
            Self::Addresses => has_several,
            Self::Proxy => has_proxy,
            Self::ClientCertificate => has_certificate,
            _ => true,
        })
    }

    /// Returns the label of the step before it is done.
    pub fn question(self) -> &'static str {
        match self {
            Self::Policy => "Rules of this computer",
            Self::SignIn => "Single sign-on",
            Self::Addresses => "Addresses",
            Self::Proxy => "Proxy",
            Self::Reach => "Reachability",
            Self::Certificate => "Certificate trust",
            Self::ClientCertificate => "Client certificate",
            Self::Product => "Elasticsearch version",
            Self::Identity => "Signed-in user",
            Self::Privileges => "Privileges",
            Self::Missing => "Missing privileges",
        }
    }
}

/// Result of a step.
#[derive(Clone, Debug)]
pub enum StepResult {
    /// Success, with a title and one line of detail.
    Good(String, String),
    /// Success with a warning: a title and one line of detail.
    Mind(String, String),
    /// Failure. The test ends here, unless only the privileges are insufficient.
    Failed(Box<Problem>),
}

/// Step of a connection test, with its result.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// Step that was done.
    pub step: ConnectionCheck,
    /// Result of the step.
    pub result: StepResult,
    /// Duration of the request behind the step, in milliseconds; `None` if it had none of its own.
    pub took: Option<u64>,
    /// Certificate that the server showed; `None` for steps that don't report it.
    pub certificate: Option<SeenCertificate>,
}

/// Tests a connection on a computer without rules. The program itself uses [`test_by_rules`].
pub async fn test(endpoint: &Endpoint, report: impl FnMut(StepReport)) {
    test_with(endpoint, None, report).await;
}

/// Tests a connection as [`test()`] does, with the tokens of this source where the sign-in is at a provider.
pub async fn test_with(endpoint: &Endpoint, tokens: Option<Arc<dyn TokenSource>>, report: impl FnMut(StepReport)) {
    test_by_rules(endpoint, &Arc::default(), tokens, &Journal::default(), report).await;
}

/// Tests a connection step by step, and reports each step as soon as it is done. Stops at the first that fails. Nothing
/// is changed on the cluster. The rules of this computer come first, with whether they allow changes that are recorded in
/// this journal. `tokens` is the source of the tokens of a sign-in at a provider.
pub async fn test_by_rules(
    endpoint: &Endpoint,
    policy: &Arc<MachinePolicy>,
    tokens: Option<Arc<dyn TokenSource>>,
    journal: &Journal,
    mut report: impl FnMut(StepReport),
) {
    let mut say = |step, result, took, certificate| report(StepReport { step, result, took, certificate });
    let client = match Client::by_rules(endpoint, policy) {
        Ok(client) => client.with_tokens(tokens.clone()),
        Err(error) => {
            let step = match problem::failing_step(&error) {
                step @ (ConnectionCheck::Policy
                | ConnectionCheck::SignIn
                | ConnectionCheck::Proxy
                | ConnectionCheck::ClientCertificate) => step,
                _ => ConnectionCheck::Certificate,
            };
            return say(step, failed(error), None, None);
        }
    };
    if let Some(file) = policy.file() {
        say(ConnectionCheck::Policy, allowed(policy, file, journal), None, None);
    }
    if let Login::OpenId(login) = &endpoint.login {
        let began = Instant::now();
        let token = client.fetch_token().await;
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match token {
            Ok(()) => say(ConnectionCheck::SignIn, at_provider(login), Some(took), None),
            Err(error) => return say(ConnectionCheck::SignIn, failed(error), Some(took), None),
        }
    }
    if !endpoint.more_urls.is_empty() {
        let started = Instant::now();
        let result = addresses::test(endpoint, policy, tokens).await;
        let is_failed = matches!(result, StepResult::Failed(_));
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        say(ConnectionCheck::Addresses, result, Some(took), None);
        if is_failed {
            return;
        }
    }
    let started = Instant::now();
    let answer = client.authenticate().await;
    let took = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    let certificate = client.certificate();

    let is_proxy_fault =
        answer.as_ref().err().is_some_and(|error| problem::failing_step(error) == ConnectionCheck::Proxy);
    if let Some(proxy) = client.proxy().filter(|_| !is_proxy_fault) {
        say(ConnectionCheck::Proxy, through(endpoint, proxy), None, None);
    }
    if let Err(error) = &answer {
        match problem::failing_step(error) {
            ConnectionCheck::Proxy => return say(ConnectionCheck::Proxy, failed(error.clone()), took, None),
            ConnectionCheck::Reach => return say(ConnectionCheck::Reach, failed(error.clone()), took, certificate),
            step => {
                say(ConnectionCheck::Reach, reached(&client), took, None);
                if step == ConnectionCheck::Certificate {
                    return say(step, failed(error.clone()), None, certificate);
                }
                say(ConnectionCheck::Certificate, trusted(endpoint, certificate.as_ref()), None, certificate.clone());
                if step == ConnectionCheck::ClientCertificate {
                    return say(step, failed(error.clone()), None, None);
                }
                if let Some(own) = &endpoint.client_certificate {
                    say(ConnectionCheck::ClientCertificate, own_certificate(own, clock::now()), None, None);
                }
                if step == ConnectionCheck::Product {
                    return say(step, failed(error.clone()), None, None);
                }
            }
        }
    } else {
        say(ConnectionCheck::Reach, reached(&client), took, None);
        say(ConnectionCheck::Certificate, trusted(endpoint, certificate.as_ref()), None, certificate);
        if let Some(own) = &endpoint.client_certificate {
            say(ConnectionCheck::ClientCertificate, own_certificate(own, clock::now()), None, None);
        }
    }
    let edition = match edition(&client).await {
        Ok(About { edition, name, .. }) => {
            let name = name
                .map(|name| format!("cluster {name}"))
                .unwrap_or_else(|| "its name is not available without the privilege monitor".into());
            let title = format!("Elasticsearch {edition}");
            let result = match client.doubtful_date() {
                Some(date) => {
                    let clock = format!("{name}; responses are dated {} this machine's clock", clock::ahead(date));
                    StepResult::Mind(title, clock)
                }
                None => StepResult::Good(title, name),
            };
            say(ConnectionCheck::Product, result, None, None);
            edition
        }
        // Without a valid sign-in nothing is told, so the step that failed is the sign-in.
        Err(error) if answer.is_err() => {
            let step = problem::failing_step(&error);
            return say(step, StepResult::Failed(Box::new(refused(endpoint, error))), None, None);
        }
        Err(error) => return say(ConnectionCheck::Product, failed(error), None, None),
    };
    let identity = match answer {
        Ok(identity) => identity,
        Err(error) => {
            let result = StepResult::Failed(Box::new(refused(endpoint, error)));
            return say(ConnectionCheck::Identity, result, None, None);
        }
    };
    say(ConnectionCheck::Identity, who(&identity), None, None);
    match privileges(&client, edition).await {
        Ok(privileges) => {
            let (granted, missing) = summary(&privileges, &identity);
            say(ConnectionCheck::Privileges, granted, None, None);
            say(ConnectionCheck::Missing, missing, None, None);
        }
        Err(error) => say(ConnectionCheck::Privileges, failed(error), None, None),
    }
}

/// Gives the refusal of a token that its provider has just issued the hint that it deserves: signing in again would not
/// help.
fn refused(endpoint: &Endpoint, error: ClientError) -> Problem {
    let is_refused = matches!(error, ClientError::Unauthenticated { .. });
    let problem = Problem::from(error);
    match endpoint.login {
        Login::CloudKey(_) if is_refused => return problem.hint(CLOUD_KEY_REFUSED),
        Login::OpenId(_) if is_refused => {}
        _ => return problem,
    }
    problem.hint(
        "The provider issued the token, and the cluster refused it: compare the settings of its JWT realm (issuer, \
         audience, token type, signature algorithms, shared secret) with this connection",
    )
}

fn failed(error: ClientError) -> StepResult {
    StepResult::Failed(Box::new(error.into()))
}

/// Reports that the rules of this computer allow the connection, and changes through it.
fn allowed(policy: &MachinePolicy, file: &Path, journal: &Journal) -> StepResult {
    match policy.check_changes(journal.place()) {
        Ok(()) => StepResult::Good("Allowed by the rules of this computer".into(), file.display().to_string()),
        Err(violation) => StepResult::Mind("The rules of this computer allow no changes".into(), violation.to_string()),
    }
}

/// Reports that the provider gave a token: whether the cluster accepts it is known only by the step of the user.
fn at_provider(login: &OpenIdLogin) -> StepResult {
    let detail = format!("the {} of the client {}", login.sent.word(), login.client_id);
    StepResult::Good(format!("Token from {}", login.issuer.host()), detail)
}

/// Reports the client certificate of the connection: that it was presented where the server asked for it is not known.
fn own_certificate(certificate: &ClientCertificate, now: Timestamp) -> StepResult {
    let title = format!("Client certificate {}", certificate.subject);
    let (words, is_soon) = certificate.validity(now);
    if is_soon { StepResult::Mind(title, words) } else { StepResult::Good(title, words) }
}

fn through(endpoint: &Endpoint, proxy: &str) -> StepResult {
    let whose = match endpoint.proxy {
        ProxyRule::System => "the proxy of this computer",
        ProxyRule::Direct | ProxyRule::Via(_) => "the proxy of the connection",
    };
    StepResult::Good(format!("Through {proxy}"), whose.to_owned())
}

fn reached(client: &Client) -> StepResult {
    StepResult::Good("Reached".into(), client.address().host().to_owned())
}

fn trusted(endpoint: &Endpoint, certificate: Option<&SeenCertificate>) -> StepResult {
    if !endpoint.is_https() {
        return StepResult::Mind(
            "Not encrypted".into(),
            "http: anyone on the network path can read the credential".into(),
        );
    }
    // The system's roots may not need the authority that was sent, and without verification nothing depends on it.
    if matches!(endpoint.trust, Trust::CaFile(_) | Trust::Ca(_) | Trust::Fingerprint(_))
        && let Some((title, detail)) = certificate.and_then(|seen| authority_ends(seen, clock::now()))
    {
        return StepResult::Mind(title, detail);
    }
    let subject = certificate.map(|seen| seen.subject.clone()).unwrap_or_default();
    match endpoint.trust {
        Trust::System => StepResult::Good("Certificate trusted by this computer".into(), subject),
        Trust::CaFile(_) => StepResult::Good("Certificate signed by the CA file".into(), subject),
        Trust::Ca(_) => StepResult::Good("Certificate signed by the CA of the connection".into(), subject),
        Trust::Fingerprint(_) => StepResult::Good("Certificate matches the pinned fingerprint".into(), subject),
        Trust::InsecureDev => StepResult::Mind("Certificate not verified".into(), "Traffic can be intercepted".into()),
    }
}

/// Returns title and detail of a warning about a certificate authority that has expired, or will within
/// [`EXPIRING_SOON`] of `now`, this machine's clock; `None` if it ends later, was not sent or can't be read.
fn authority_ends(seen: &SeenCertificate, now: Timestamp) -> Option<(String, String)> {
    let ca = seen.ca.as_ref()?;
    let end = ca.not_after.filter(|end| *end - now < EXPIRING_SOON)?;
    let title =
        if end <= now { "The certificate authority has expired" } else { "The certificate authority expires soon" };
    let detail = format!("{}: {}. Other clients may refuse it", ca.subject, expiry::remaining(Some(end), now));
    Some((title.to_owned(), detail))
}

fn who(identity: &Identity) -> StepResult {
    let mut detail = format!("realm {}, by {}", identity.realm, identity.way());
    if let Some((id, name)) = &identity.api_key {
        detail = format!("{detail} {name} ({id})");
    } else if !identity.roles.is_empty() {
        detail = format!("{detail}, roles {}", identity.roles.join(", "));
    }
    StepResult::Good(format!("Signed in as {}", identity.username), detail)
}

fn summary(privileges: &Privileges, identity: &Identity) -> (StepResult, StepResult) {
    let granted: Vec<&str> = privileges.iter().filter(|(_, granted)| *granted).map(|(name, _)| name).collect();
    let granted = if !privileges.sees_own_keys() && !privileges.creates_keys() {
        let words = "This sign-in can neither see nor create any";
        let problem = Problem::new("No privilege for API keys", words)
            .hint("manage_own_api_key is the minimum: it allows creating keys and seeing your own");
        StepResult::Failed(Box::new(problem))
    } else {
        StepResult::Good("Granted".into(), granted.join(", "))
    };
    let mut missing = missing(privileges);
    if identity.api_key.is_some() {
        missing.insert(
            0,
            match identity.is_cloud_key {
                false => "signed in with an API key: new keys have no privileges, and updates are refused".into(),
                true => {
                    "signed in with a key of Elastic Cloud: updates and cross-cluster keys are refused, and whether it \
                         can create keys depends on the version"
                        .into()
                }
            },
        );
    }
    let missing = if missing.is_empty() {
        StepResult::Good("Nothing is missing".into(), "for creating, seeing and invalidating keys".into())
    } else {
        StepResult::Mind("Missing".into(), missing.join("; "))
    };
    (granted, missing)
}

/// Returns the operations that are not possible, each with the privileges that would allow it.
pub fn missing(privileges: &Privileges) -> Vec<String> {
    let mut missing = Vec::new();
    if !privileges.creates_keys() {
        missing.push("creating keys requires manage_own_api_key".to_owned());
    }
    if !privileges.sees_all_keys() {
        missing.push("seeing other users' keys requires read_security or manage_api_key".into());
    }
    if !privileges.invalidates_all_keys() {
        missing.push("invalidating other users' keys requires manage_api_key".into());
    }
    if !privileges.any(&["manage_security", "read_security"]) {
        missing.push("reading roles requires read_security or manage_security".into());
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::SeenAuthority,
        model::{
            TimeDelta,
            connections::{endpoint::ClusterUrl, fingerprint::Fingerprint, login::Login},
            secret::Secret,
        },
    };

    #[test]
    fn an_authority_that_ends_is_told_before_and_after() {
        let fingerprint = Fingerprint::of(b"x");
        let day = |number| Timestamp::EPOCH + TimeDelta::from_days(number);
        let seen = |not_after| SeenCertificate {
            subject: "CN=node".into(),
            issuer: "CN=old CA".into(),
            not_before: day(0),
            not_after: day(400),
            fingerprint,
            names: Vec::new(),
            ca: Some(SeenAuthority { subject: "CN=old CA".into(), fingerprint, not_after }),
            chain: Vec::new(),
        };
        let told = |not_after| authority_ends(&seen(not_after), day(100));
        assert_eq!(told(None), None, "what can't be read is not said to end");
        assert_eq!(told(Some(day(130))), None);
        let (title, detail) = told(Some(day(112))).unwrap();
        assert!(title.ends_with("expires soon") && detail.contains("CN=old CA: in 12 days"), "{title}: {detail}");
        let (title, detail) = told(Some(day(90))).unwrap();
        assert!(title.ends_with("has expired") && detail.contains("expired 10 days ago"), "{title}: {detail}");
        assert_eq!(authority_ends(&SeenCertificate { ca: None, ..seen(Some(day(0))) }, day(100)), None);

        // It never stands in the place of a warning that nothing is verified.
        let title = |trust| {
            let endpoint = Endpoint {
                trust,
                timeout: std::time::Duration::from_secs(1),
                ..Endpoint::new(
                    ClusterUrl::parse("https://es.example.net:9200").unwrap(),
                    Login::Bearer(Secret::new("token")),
                )
            };
            match trusted(&endpoint, Some(&seen(Some(day(0))))) {
                StepResult::Good(title, _) | StepResult::Mind(title, _) => title,
                StepResult::Failed(problem) => panic!("{problem:?}"),
            }
        };
        assert_eq!(title(Trust::Fingerprint(fingerprint)), "The certificate authority has expired");
        assert_eq!(title(Trust::InsecureDev), "Certificate not verified");
        assert_eq!(title(Trust::System), "Certificate trusted by this computer");
    }
}
