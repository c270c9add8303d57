//! Who is calling and what they may do: privileges of users, of API keys (assigned ∩ the owner's snapshot),
//! and the words of a 403 as 9.5.3 puts them.

use super::descriptor::{Descriptor, IndexGrant};
use crate::sandbox::{
    cluster::Realm,
    http::error::{EsError, Outcome},
    pattern,
    privileges::{
        Action, Area, Versions, allows,
        globs::{Language, is_subset},
        implies, index_implies,
    },
};
use serde_json::{Map, Value};

/// The caller of one request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user whose rights count; for an API key its owner.
    pub username: String,
    /// The user's role names, as assigned.
    pub roles: Vec<String>,
    /// For people.
    pub full_name: Option<String>,
    /// For people.
    pub email: Option<String>,
    /// The user's own data.
    pub metadata: Map<String, Value>,
    /// The realm of the user; for an API key that of its owner.
    pub realm: Realm,
    /// The realm of whoever signed in.
    pub signed_in_realm: Realm,
    /// Id and name of the API key that signed in, if one did.
    pub key: Option<(String, String)>,
    /// Who signed in, when acting as another.
    pub run_by: Option<String>,
    /// The name that the caller wanted to act as but may not.
    pub denied_run_as: Option<String>,
    /// Whether the key is restricted to workflows, of which this server has none.
    pub restricted: bool,
    /// What is refused before any right is looked at, but behind what is wrong with the body: unknown parameters.
    pub first_refusal: Option<Box<EsError>>,
    /// Whether the license knows the security of documents and fields.
    pub sees_parts: bool,
    /// All layers must grant: a user has one, an API key two.
    pub layers: Vec<Vec<(String, Descriptor)>>,
}

impl Caller {
    /// The caller in the words of refusals.
    fn named(&self) -> String {
        if let Some((id, _)) = &self.key {
            return format!("API key id [{id}] of user [{}]", self.username);
        }
        match &self.run_by {
            Some(by) => format!("user [{by}] run as [{}]", self.username),
            None => format!("user [{}]", self.username),
        }
    }

    fn named_with_roles(&self) -> String {
        if self.key.is_some() {
            return self.named();
        }
        let found: Vec<&str> = self.layers.iter().flatten().map(|(name, _)| name.as_str()).collect();
        let mut text = format!("{} with effective roles [{}]", self.named(), found.join(","));
        let mut missing: Vec<&str> =
            self.roles.iter().map(String::as_str).filter(|name| !found.contains(name)).collect();
        missing.sort_unstable();
        if !missing.is_empty() {
            text.push_str(&format!(" (assigned roles [{}] were not found)", missing.join(",")));
        }
        text
    }

    fn refusal(&self, action: &Action, scope: &str, on: &[String], granted_by: &[&str]) -> Box<EsError> {
        let mut reason = format!("action [{}] is unauthorized for {}", action.name, self.named_with_roles());
        if let Some(wanted) = &self.denied_run_as {
            reason.push_str(&format!(", because {} is unauthorized to run as [{wanted}]", self.named()));
            return EsError::forbidden(reason);
        }
        if !on.is_empty() && !self.restricted {
            reason.push_str(&format!(" on indices [{}]", on.join(",")));
        }
        reason.push_str(&format!(", this action is granted by the {scope} privileges [{}]", granted_by.join(",")));
        let error = EsError::forbidden(reason);
        if self.restricted {
            return error.because(EsError::new(403, "role_restriction_exception", "access restricted by workflow"));
        }
        error
    }

    fn refuse_first(&self) -> Outcome<()> {
        self.first_refusal.clone().map_or(Ok(()), Err)
    }

    fn blocked(&self) -> bool {
        self.restricted || self.denied_run_as.is_some()
    }

    /// Refuses unless every layer holds a cluster privilege that allows the action.
    pub fn may(&self, action: &Action) -> Outcome<()> {
        self.may_by(action, |_| true)
    }

    /// The same, counting only the privileges that `usable` accepts (`manage_own_api_key` depends on the request).
    pub fn may_by(&self, action: &Action, usable: impl Fn(&str) -> bool) -> Outcome<()> {
        self.refuse_first()?;
        if !self.blocked() && self.holds(action, &usable) {
            return Ok(());
        }
        let granted_by: Vec<&str> = action.granted_by.iter().copied().filter(|name| usable(name)).collect();
        Err(self.refusal(action, "cluster", &[], &granted_by))
    }

    /// Whether every layer holds a usable cluster privilege for the action.
    pub fn holds(&self, action: &Action, usable: impl Fn(&str) -> bool) -> bool {
        self.layers.iter().all(|layer| {
            layer
                .iter()
                .any(|(_, role)| role.cluster.iter().any(|held| usable(&held.to_lowercase()) && allows(held, action)))
        })
    }

    /// What everyone may ask about themselves; only restriction and a denied run-as stand in the way.
    pub fn may_about_self(&self, action: &Action) -> Outcome<()> {
        self.refuse_first()?;
        if self.blocked() { Err(self.refusal(action, "cluster", &[], action.granted_by)) } else { Ok(()) }
    }

    /// Refuses unless the action is allowed on every one of the indices; the refusal names the others.
    pub fn may_on(&self, action: &Action, indices: &[String]) -> Outcome<()> {
        self.refuse_first()?;
        let denied: Vec<String> =
            indices.iter().filter(|name| self.blocked() || !self.allows_on(action, name)).cloned().collect();
        if !denied.is_empty() {
            return Err(self.refusal(action, "index", &denied, action.granted_by));
        }
        let limited: Vec<&str> =
            indices.iter().filter(|name| self.sees_only_part_of(name)).map(String::as_str).collect();
        if limited.is_empty() || self.sees_parts {
            return Ok(());
        }
        let feature = "field and document level security";
        Err(EsError::forbidden(format!("current license is non-compliant for [{feature}]"))
            .with("license.expired.feature", feature)
            .with("indices_with_dls_or_fls", limited.join(",")))
    }

    /// Refuses unless the action is allowed on some index at all, whichever.
    pub fn may_on_some(&self, action: &Action) -> Outcome<()> {
        self.may_somewhere(action, &[])
    }

    /// The same, where the refusal names what was asked for.
    pub fn may_somewhere(&self, action: &Action, named: &[String]) -> Outcome<()> {
        self.refuse_first()?;
        let some = !self.blocked()
            && self.layers.iter().all(|layer| {
                layer.iter().any(|(_, role)| {
                    role.indices.iter().any(|grant| grant.privileges.iter().any(|held| allows(held, action)))
                })
            });
        if some { Ok(()) } else { Err(self.refusal(action, "index", named, action.granted_by)) }
    }

    /// Refuses whoever may do nothing at all, whatever an expression means: a key restricted to workflows, and whoever
    /// may not act as another.
    pub fn refuse_blocked(&self, action: &Action) -> Outcome<()> {
        self.refuse_first()?;
        if self.blocked() { Err(self.refusal(action, "index", &[], action.granted_by)) } else { Ok(()) }
    }

    /// Whether the action is allowed on this index.
    pub fn allows_on(&self, action: &Action, index: &str) -> bool {
        !self.blocked()
            && self.layers.iter().all(|layer| {
                grants_for(layer, index).any(|grant| grant.privileges.iter().any(|held| allows(held, action)))
            })
    }

    /// Whether some documents or fields of an index are hidden.
    pub fn sees_only_part_of(&self, index: &str) -> bool {
        self.entries_on(index).iter().any(|grants| {
            !grants.is_empty() && grants.iter().all(|grant| grant.query.is_some() || grant.field_security.is_some())
        })
    }

    /// The entries that mean an index, whatever they grant there, of each layer.
    pub fn entries_on(&self, index: &str) -> Vec<Vec<&IndexGrant>> {
        self.layers.iter().map(|layer| grants_for(layer, index).collect()).collect()
    }

    /// Whether a cluster privilege is held, as `_has_privileges` means it.
    pub fn has_cluster(&self, wanted: &str) -> bool {
        self.layers.iter().all(|layer| {
            let held: Vec<&str> = layer.iter().flat_map(|(_, role)| &role.cluster).map(String::as_str).collect();
            implies(Area::Cluster, &held, wanted, Versions::Newest) == Some(true)
        })
    }

    /// Whether an index privilege is held on all that the name or pattern can mean.
    pub fn has_on(&self, name: &str, wanted: &str, with_restricted: bool) -> bool {
        if name.is_empty() {
            return false;
        }
        let restricted = is_restricted(name) || with_restricted && pattern::covers(name, ".security-7");
        self.layers.iter().all(|layer| {
            // Grants on exactly the same names are one, as is the union of their names.
            let reaches = |grant: &&IndexGrant| {
                (grant.allow_restricted || !restricted)
                    && (grant.names.iter().any(|granted| pattern::covers(granted, name))
                        || covered_together(&grant.names, name))
            };
            let grants = layer.iter().flat_map(|(_, role)| &role.indices).filter(reaches);
            let lists: Vec<&[String]> = grants.map(|grant| grant.privileges.as_slice()).collect();
            index_implies(&lists, wanted, Versions::Newest) == Some(true)
        })
    }

    /// Whether an application privilege is held on a resource.
    pub fn has_application(&self, application: &str, wanted: &str, resource: &str) -> bool {
        self.layers.iter().all(|layer| {
            layer.iter().any(|(_, role)| {
                role.applications.iter().any(|grant| {
                    pattern::covers(&grant.application, application)
                        && grant.resources.iter().any(|granted| pattern::covers(granted, resource))
                        && grant.privileges.iter().any(|held| pattern::covers(held, wanted))
                })
            })
        })
    }

    /// Whether the caller may act as this user.
    pub fn may_run_as(&self, username: &str) -> bool {
        self.layers.iter().all(|layer| {
            layer.iter().any(|(_, role)| role.run_as.iter().any(|granted| pattern::matches(granted, username)))
        })
    }
}

fn grants_for<'a, 'i>(
    layer: &'a [(String, Descriptor)],
    index: &'i str,
) -> impl Iterator<Item = &'a IndexGrant> + use<'a, 'i> {
    layer.iter().flat_map(|(_, role)| &role.indices).filter(move |grant| {
        (grant.allow_restricted || !is_restricted(index))
            && grant.names.iter().any(|name| pattern::matches(name, index))
    })
}

/// Whether several patterns cover together what none of them covers alone.
fn covered_together(names: &[String], wanted: &str) -> bool {
    let plain = |text: &str| !(text.len() > 1 && text.starts_with('/') && text.ends_with('/'));
    let held = Language::of(names.iter().map(String::as_str).filter(|name| plain(name)));
    plain(wanted) && is_subset(&Language::of([wanted]), &[&held]) == Some(true)
}

/// Indices of the system itself, which `*` alone doesn't mean.
fn is_restricted(name: &str) -> bool {
    name.starts_with(".security")
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::from_json;
    use super::*;
    use crate::sandbox::privileges as action;

    fn caller(layers: &[&str]) -> Caller {
        Caller {
            username: "ana".into(),
            roles: vec!["r".into(), "gone".into()],
            full_name: None,
            email: None,
            metadata: Map::new(),
            realm: Realm::new("default_native", "native"),
            signed_in_realm: Realm::new("default_native", "native"),
            key: (layers.len() > 1).then(|| ("id1".into(), "k".into())),
            run_by: None,
            denied_run_as: None,
            restricted: false,
            first_refusal: None,
            sees_parts: false,
            layers: layers.iter().map(|text| vec![("r".into(), from_json("r", text).unwrap())]).collect(),
        }
    }

    const READER: &str = r#"{"cluster":["monitor"],"indices":[{"names":["my_*"],"privileges":["read"]}]}"#;
    const ALL: &str = r#"{"cluster":["all"],"indices":[{"names":["*"],"privileges":["all"]}],"run_as":["b*"]}"#;

    #[test]
    fn a_user_may_what_a_role_grants_and_is_told_what_would() {
        let ana = caller(&[READER]);
        assert!(ana.may(&action::MAIN).is_ok());
        assert!(ana.may_on(&action::SEARCH, &["my_index".into()]).is_ok());
        let error = ana.may_on(&action::INDEX, &["my_index".into()]).unwrap_err();
        assert_eq!(
            error.reason,
            "action [indices:data/write/index] is unauthorized for user [ana] with effective roles [r] (assigned roles [gone] were not found) on indices [my_index], this action is granted by the index privileges [create_doc,create,index,write,all]"
        );
        assert_eq!(error.status, 403);
    }

    #[test]
    fn a_key_may_only_what_both_its_own_rights_and_the_owners_snapshot_grant() {
        let key = caller(&[ALL, READER]);
        assert!(key.allows_on(&action::SEARCH, "my_index"));
        assert!(!key.allows_on(&action::SEARCH, "other"));
        assert!(!key.allows_on(&action::INDEX, "my_index"));
        assert!(!key.has_cluster("manage"));
        assert!(!key.may_run_as("boris"));
        let error = key.may(&action::KEY_CREATE).unwrap_err();
        assert!(error.reason.starts_with(
            "action [cluster:admin/xpack/security/api_key/create] is unauthorized for API key id [id1] of user [ana], this action"
        ));
    }

    #[test]
    fn a_star_does_not_mean_restricted_indices() {
        let ana = caller(&[ALL]);
        assert!(!ana.allows_on(&action::SEARCH, ".security-7"));
        assert!(!ana.has_on("*", "all", true));
        assert!(ana.has_on("*", "all", false));
        assert!(ana.may_run_as("boris"));
    }

    #[test]
    fn patterns_are_held_only_when_wholly_covered() {
        let ana = caller(&[READER]);
        assert!(ana.has_on("my_app-*", "read", false));
        assert!(!ana.has_on("m*", "read", false));
        assert!(!ana.has_on("my_index", "write", false));
    }

    #[test]
    fn the_refused_run_as_is_said_first() {
        let mut ana = caller(&[ALL]);
        ana.denied_run_as = Some("zoe".into());
        let error = ana.may_about_self(&action::AUTHENTICATE).unwrap_err();
        assert!(error.reason.ends_with("because user [ana] is unauthorized to run as [zoe]"));
    }

    #[test]
    fn document_level_security_needs_a_license() {
        let limited = r#"{"indices":[{"names":["*"],"privileges":["read"],"query":"{}"}]}"#;
        let error = caller(&[limited]).may_on(&action::SEARCH, &["my_index".into()]).unwrap_err();
        assert_eq!(error.extra["license.expired.feature"], "field and document level security");
    }
}
