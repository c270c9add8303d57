//! Export of elasticvue (`elasticvue_<version>_backup.json`), its store of connections alone, and its predefined
//! clusters (`ELASTICVUE_CLUSTERS`, `default_clusters.json`). Since 1.9 a cluster has `auth` with a type; before, a user
//! name and a password, where a password without a user is an API key (`src/services/migrations.ts`).

use zeroize::Zeroizing;

use super::{Origin, Proposal, tree::Tree};
use crate::model::connections::{
    draft::{ProfileDraft, SignIn},
    endpoint::ClusterUrl,
    login::Login,
};

/// Reads the clusters; `None` if it is something else.
pub(super) fn read(tree: &Tree) -> Option<Vec<Proposal>> {
    let store = tree.get("store").and_then(|store| store.get("connection")).or(Some(tree));
    let clusters = store.and_then(|store| store.get("clusters")).unwrap_or(tree).elements()?;
    let proposals: Option<Vec<Proposal>> = clusters.iter().map(proposal).collect();
    proposals.filter(|proposals| !proposals.is_empty())
}

fn proposal(cluster: &Tree) -> Option<Proposal> {
    let text = |name: &str| cluster.text_of(name);
    let uri = text("uri")?;
    let mut draft = ProfileDraft { sign_in: SignIn::User, ..ProfileDraft::new() };
    let mut notes = Vec::new();
    put_url(&mut draft, uri);
    let host = host_of(&draft.url);
    draft.name = text("name").or(text("clusterName")).map_or(host, str::to_owned);
    let auth = cluster.get("auth");
    let data = auth.and_then(|auth| auth.get("authData"));
    let of_data = |name: &str| data.and_then(|data| data.text_of(name));
    match auth.and_then(|auth| auth.text_of("authType")) {
        Some("basicAuth") => put_user(&mut draft, of_data("username"), of_data("password")),
        Some("apiKey") => put_key(&mut draft, of_data("apiKey")),
        Some("awsIAM") => notes.push("It signs in by AWS IAM, which Keybearer doesn't support".to_owned()),
        Some(_) => {}
        None => match (text("username"), text("password"), text("apiKey")) {
            (username @ Some(_), password, _) => put_user(&mut draft, username, password),
            (None, key @ Some(_), _) | (None, None, key) => put_key(&mut draft, key),
        },
    }
    if text("distribution").is_some_and(|name| name == "opensearch") {
        notes.push("elasticvue found OpenSearch there, not Elasticsearch".into());
    }
    Some(Proposal { notes, ..Proposal::new(draft, Origin::Elasticvue) })
}

fn put_user(draft: &mut ProfileDraft, username: Option<&str>, password: Option<&str>) {
    draft.sign_in = SignIn::User;
    draft.username = username.unwrap_or_default().to_owned();
    draft.password = Zeroizing::new(password.unwrap_or_default().to_owned());
}

fn put_key(draft: &mut ProfileDraft, key: Option<&str>) {
    let Some(key) = key else { return };
    draft.sign_in = SignIn::ApiKey;
    match Login::from_api_key_text(key) {
        Ok(Login::ApiKey { id, secret }) => {
            draft.key_id = id;
            draft.key_secret = Zeroizing::new(secret.expose().to_owned());
        }
        Ok(Login::CloudKey(own)) => draft.key_secret = Zeroizing::new(own.expose().to_owned()),
        _ => draft.key_secret = Zeroizing::new(key.to_owned()),
    }
}

/// Puts an address into a form. A user and password in it become those of the sign-in: an address is shown, a password
/// is not.
pub(super) fn put_url(draft: &mut ProfileDraft, text: &str) {
    let text = text.trim();
    let Some((mut url, user)) = reqwest::Url::parse(text).ok().map(|url| {
        let user = url.username().to_owned();
        (url, user)
    }) else {
        // Not shown as it is: where the host begins, nobody knows.
        draft.url = text.rsplit('@').next().unwrap_or_default().to_owned();
        return;
    };
    if !user.is_empty() || url.password().is_some() {
        let plain = |text: &str| Zeroizing::new(decoded(text));
        put_user(draft, Some(&plain(&user)), url.password().map(|text| plain(text).to_string()).as_deref());
        let _ = (url.set_username(""), url.set_password(None));
    }
    let clean = Zeroizing::new(url.to_string());
    draft.url = ClusterUrl::parse(&clean).map_or_else(|_| clean.to_string(), |url| url.to_string());
}

/// Decodes `%41`; what is no such code stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match tail {
            [high, low, ..] if *first == b'%' => crate::model::text::hex::byte([*high, *low]),
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Returns host and port of an address, as a name where there is none.
pub(super) fn host_of(url: &str) -> String {
    ClusterUrl::parse(url).map(|url| url.host().to_owned()).unwrap_or_default()
}
