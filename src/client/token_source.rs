//! Interface to whoever keeps the token that a client sends, and renews it.

use std::{future::Future, pin::Pin};

use crate::model::{connections::open_id_error::OpenIdError, secret::Secret};

/// The token, once it is there.
pub type FetchingToken<'a> = Pin<Box<dyn Future<Output = Result<Secret, OpenIdError>> + Send + 'a>>;

/// Source of the token that is sent with each request.
pub trait TokenSource: Send + Sync {
    /// Returns a token that is still valid, renewed if it must be. `refused` is one that the cluster just refused, so
    /// that another one is wanted.
    fn token<'a>(&'a self, refused: Option<&'a Secret>) -> FetchingToken<'a>;
}
