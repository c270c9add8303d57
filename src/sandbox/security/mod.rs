//! Security: sign-in, privileges, roles, users and the license.

pub(super) mod app_privileges;
pub(super) mod authn;
pub(super) mod authz;
pub(super) mod caches;
pub(super) mod descriptor;
pub(super) mod descriptor_parse;
pub(super) mod descriptor_parts;
pub(super) mod has_privileges;
pub(super) mod license;
pub(super) mod roles;
pub(super) mod users;
pub(super) mod users_query;
