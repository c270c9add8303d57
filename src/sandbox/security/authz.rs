//! Authorization: privileges of users and of API keys (assigned ∩ the owner's snapshot), and the messages of a 403 as
//! on 9.5.3.

use super::descriptor::{Descriptor, IndexGrant};
use crate::sandbox::{
    http::error::{EsError, Outcome},
    pattern,
    privileges::{
        Action, Area, Versions, allows,
        globs::{Language, is_subset},
        implies, index_implies,
    },
    state::user::Realm,
};
use serde_json::{Map, Value};

/// Caller of one request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// User name whose privileges count; for an API key, its owner.
    pub username: String,
    /// Role names of the user, as assigned.
    pub roles: Vec<String>,
    /// Full name of the user, for display.
    pub full_name: Option<String>,
    /// Email address of the user, for display.
    pub email: Option<String>,
    /// Metadata of the user.
    pub metadata: Map<String, Value>,
    /// Realm of the user; for an API key, that of its owner.
    pub realm: Realm,
    /// Realm of the user who signed in.
    pub signed_in_realm: Realm,
    /// Id and name of the API key that signed in; `None` for users.
    pub key: Option<(String, String)>,
    /// Name of the user who signed in, if acting as another (run-as).
    pub run_by: Option<String>,
    /// Name of the user that the caller wanted to act as but may not.
    pub denied_run_as: Option<String>,
    /// `true` if the key is restricted to workflows; this server has none.
    pub restricted: bool,
    /// Refusal that comes before any privilege check, but after errors of the body: unknown parameters.
    pub first_refusal: Option<Box<EsError>>,
    /// `true` if the license includes document and field level security.
    pub sees_parts: bool,
    /// Layers of descriptors, all of which must grant an action: one for a user; for an API key the assigned
    /// descriptors, if any, and the owner's snapshot.
    pub layers: Vec<Vec<(String, Descriptor)>>,
}

impl Caller {
    /// Returns the caller's description in refusals.
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

    /// Refuses like [`Caller::may`], counting only the privileges that `usable` accepts (`manage_own_api_key` depends
    /// on the request).
    pub fn may_by(&self, action: &Action, usable: impl Fn(&str) -> bool) -> Outcome<()> {
        self.refuse_first()?;
        if !self.blocked() && self.holds(action, &usable) {
            return Ok(());
        }
        let granted_by: Vec<&str> = action.granted_by.iter().copied().filter(|name| usable(name)).collect();
        Err(self.refusal(action, "cluster", &[], &granted_by))
    }

    /// Returns `true` if every layer holds a usable cluster privilege for the action.
    pub fn holds(&self, action: &Action, usable: impl Fn(&str) -> bool) -> bool {
        self.layers.iter().all(|layer| {
            layer
                .iter()
                .any(|(_, role)| role.cluster.iter().any(|held| usable(&held.to_lowercase()) && allows(held, action)))
        })
    }

    /// Allows an action that every caller may perform on their own account, unless the caller is a restricted key or a
    /// run-as was denied.
    pub fn may_about_self(&self, action: &Action) -> Outcome<()> {
        self.refuse_first()?;
        if self.blocked() { Err(self.refusal(action, "cluster", &[], action.granted_by)) } else { Ok(()) }
    }

    /// Refuses unless the action is allowed on every one of the indices; the refusal names the denied ones.
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

    /// Refuses unless the action is allowed on at least one index.
    pub fn may_on_some(&self, action: &Action) -> Outcome<()> {
        self.may_somewhere(action, &[])
    }

    /// Refuses unless the action is allowed on at least one index; the refusal names the requested indices.
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

    /// Refuses callers without any permission, whatever an expression matches: a key restricted to workflows, and a
    /// caller whose run-as was denied.
    pub fn refuse_blocked(&self, action: &Action) -> Outcome<()> {
        self.refuse_first()?;
        if self.blocked() { Err(self.refusal(action, "index", &[], action.granted_by)) } else { Ok(()) }
    }

    /// Returns `true` if the action is allowed on this index.
    pub fn allows_on(&self, action: &Action, index: &str) -> bool {
        !self.blocked()
            && self.layers.iter().all(|layer| {
                grants_for(layer, index).any(|grant| grant.privileges.iter().any(|held| allows(held, action)))
            })
    }

    /// Returns `true` if some documents or fields of an index are hidden from the caller.
    pub fn sees_only_part_of(&self, index: &str) -> bool {
        self.entries_on(index).iter().any(|grants| {
            !grants.is_empty() && grants.iter().all(|grant| grant.query.is_some() || grant.field_security.is_some())
        })
    }

    /// Returns the index grants of each layer that apply to an index, whatever their privileges.
    pub fn entries_on(&self, index: &str) -> Vec<Vec<&IndexGrant>> {
        self.layers.iter().map(|layer| grants_for(layer, index).collect()).collect()
    }

    /// Returns `true` if the caller has a cluster privilege, as defined by `_has_privileges`.
    pub fn has_cluster(&self, wanted: &str) -> bool {
        self.layers.iter().all(|layer| {
            let held: Vec<&str> = layer.iter().flat_map(|(_, role)| &role.cluster).map(String::as_str).collect();
            implies(Area::Cluster, &held, wanted, Versions::Newest) == Some(true)
        })
    }

    /// Returns `true` if the caller has an index privilege on everything that the name or pattern can match.
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

    /// Returns `true` if the caller has an application privilege on a resource.
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

    /// Returns `true` if the caller may act as this user.
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

/// Returns `true` if the patterns together cover `wanted`, even if none of them does alone.
fn covered_together(names: &[String], wanted: &str) -> bool {
    let plain = |text: &str| !(text.len() > 1 && text.starts_with('/') && text.ends_with('/'));
    let held = Language::of(names.iter().map(String::as_str).filter(|name| plain(name)));
    plain(wanted) && is_subset(&Language::of([wanted]), &[&held]) == Some(true)
}

/// Returns `true` for system indices, which `*` alone does not match.
fn is_restricted(name: &str) -> bool {
    name.starts_with(".security")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::privileges as action;
    use crate::sandbox::security::descriptor_parse::from_json;

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
