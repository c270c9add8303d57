//! Names of indices, aliases and data streams, for completing patterns.

use reqwest::Method;
use serde::Deserialize;

use crate::client::{call::Call, connection::Client, error::ClientError};

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    indices: Vec<Named>,
    #[serde(default)]
    aliases: Vec<Named>,
    #[serde(default)]
    data_streams: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Client {
    /// Returns the names of visible indices, aliases and data streams, hidden ones left out (`GET /_resolve/index/*`,
    /// since 7.9), sorted and without duplicates.
    ///
    /// # Errors
    /// Any error of a request; 403 without a privilege on any index.
    pub async fn index_names(&self) -> Result<Vec<String>, ClientError> {
        let answer = self.send(Call::new(Method::GET, &["_resolve", "index", "*"])).await?;
        let wire: Wire = answer.success()?.parse()?;
        let all = wire.indices.into_iter().chain(wire.aliases).chain(wire.data_streams);
        let mut names: Vec<String> = all.map(|named| named.name).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
}
