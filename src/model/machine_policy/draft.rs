//! The form of a connection under the rules of this computer.

use super::{MachinePolicy, Rule};
use crate::model::{
    connections::{
        draft::{ProfileDraft, ProfileField, TrustChoice},
        profile::{Environment, Profile, ProfileId},
        protection::Protection,
    },
    form_error::FormError,
};

impl MachinePolicy {
    /// Checks the whole form, and then what the rules allow. `fresh_id` becomes the id of a new profile.
    ///
    /// # Errors
    /// Returns every validation error with its field.
    pub fn check_draft(
        &self,
        draft: &ProfileDraft,
        fresh_id: ProfileId,
    ) -> Result<Profile, Vec<FormError<ProfileField>>> {
        let profile = draft.check(fresh_id)?;
        let Err(violation) = self.check_profile(&profile) else { return Ok(profile) };
        let field = match violation.rule {
            Some(Rule::VerifyRequired) if profile.endpoint.url.is_https() => ProfileField::Fingerprint,
            Some(Rule::ProductionProtected) => ProfileField::Protection,
            _ => ProfileField::Url,
        };
        Err(vec![FormError { field, message: violation.to_string() }])
    }

    /// Returns the choices of trust that the form can't have.
    pub fn trust_off(&self) -> &'static [TrustChoice] {
        let is_required = self.rules().is_some_and(|rules| rules.is_verification_required);
        if is_required { &[TrustChoice::InsecureDev] } else { &[] }
    }

    /// Returns the choices of protection that the form can't have for this environment.
    pub fn protection_off(&self, environment: Option<Environment>) -> &'static [Protection] {
        match environment.map(|environment| self.least_protection(environment)) {
            Some(Protection::Name) => &[Protection::None],
            Some(Protection::ReadOnly) => &[Protection::None, Protection::Name],
            Some(Protection::None) | None => &[],
        }
    }
}
