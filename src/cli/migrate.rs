//! `firsthand migrate`: brings the database to this version's schema.

use std::io::Write;

use super::{
    Exit,
    style::{self, escape_for_terminal, paint},
};
use crate::store::{self, OpenOptions, Store, WriteLock};

/// Migrates the database, creating it if there is none, and tells from which version to which.
///
/// # Errors
/// Whatever forbids using the database, or any error of `out`.
pub async fn run<L: WriteLock>(options: OpenOptions, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let location = escape_for_terminal(&options.location.to_string());
    let before = store::schema_version(&options).await?;
    Store::<L>::open(options).await?.close().await?;
    let now = store::newest_version();
    match before {
        Some(before) if before == now => {
            writeln!(out, "{location} is already up to date: schema {now}")?;
        }
        Some(before) => {
            let versions = paint(style::GOOD, format!("schema {before} → {now}"));
            writeln!(
                out,
                "{location}: {versions}; a copy from before stands beside it ({location}.schema-{before}….backup)"
            )?;
        }
        None => writeln!(out, "{location}: {}", paint(style::GOOD, format!("created with schema {now}")))?,
    }
    Ok(Exit::Ok)
}
