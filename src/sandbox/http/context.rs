//! Context of a handler: state, caller, request, time, and the placeholders of its path.

use super::request::Request;
use crate::sandbox::{security::authz::Caller, state::cluster::Cluster};

/// Data that a handler works with.
pub struct Context<'a> {
    /// State of the cluster.
    pub cluster: &'a mut Cluster,
    /// Authenticated caller.
    pub caller: &'a Caller,
    /// Request to answer.
    pub request: &'a Request,
    /// Current time, in epoch milliseconds.
    pub now: i64,
    /// Placeholders of the path, decoded.
    pub arguments: Vec<String>,
}

impl Context<'_> {
    /// Returns a placeholder of the path, decoded; empty if the route has fewer placeholders.
    pub fn argument(&self, number: usize) -> String {
        self.arguments.get(number).cloned().unwrap_or_default()
    }
}
