//! The archive, opened for a command that reads it.

use anyhow::Context;

use super::{rehearse::REHEARSAL_DATABASE, setup};
use crate::{
    config::{Database, Environment},
    store::{OpenOptions, Store, StoreError, WriteLock},
};

/// Opens the configured archive: it must be there (`:memory:` is, and is empty).
///
/// # Errors
/// Whatever forbids using the database, with the next step; if only a rehearsal has left an archive, how to name it.
pub async fn existing<L: WriteLock>(env: &Environment, database: &Database) -> anyhow::Result<Store<L>> {
    let options = OpenOptions { create: false, ..setup::open_options(database, env) };
    match Store::open(options).await {
        Err(error @ StoreError::NotFound { .. })
            if database.path == Database::default().path && env.resolve(REHEARSAL_DATABASE).is_file() =>
        {
            Err(error)
                .context(format!("find an archive (the rehearsal's is read with --database {REHEARSAL_DATABASE})"))
        }
        opened => opened.map_err(Into::into),
    }
}
