//! `firsthand check` as a whole: configuration and credentials, then the half that goes outside: the database, and who
//! each network says we are. Nothing is posted, created or migrated.

use std::{io::Write, sync::Arc};

use super::{
    Exit,
    args::{self, Global},
    check::{self, Report},
    setup,
};
use crate::{
    config::{Environment, Loaded, Situation, load_credentials},
    model::{AccountId, SystemClock},
    network::Network,
    pipeline::ledger::StoreLedger,
    store::{self, DefaultLock, OpenOptions, Store},
};

/// Checks everything and prints what was found.
///
/// # Errors
/// Only any error of `out`; what does not fit is a finding.
pub async fn run(args: &args::Check, global: &Global, env: &Environment, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut report = Report::default();
    match check::configuration(env, &global.flags(), &mut report) {
        Some(Situation::Configured(loaded)) => {
            database(&setup::open_options(&loaded.settings.database, env), &mut report).await;
            networks(env, &loaded, &mut report).await;
        }
        // A file that was named is looked at, also where only a rehearsal would use it.
        Some(Situation::Rehearsal(loaded)) if global.database.is_some() => {
            database(&setup::open_options(&loaded.settings.database, env), &mut report).await;
        }
        Some(Situation::Rehearsal(_)) | None => {}
    }
    report.print(out, args.json)?;
    Ok(report.exit())
}

/// Asks the network of each account that has its credentials.
async fn networks(env: &Environment, loaded: &Loaded, report: &mut Report) {
    for account in &loaded.settings.account {
        // Missing credentials were told already.
        let Ok(credentials) = load_credentials(env, &account.name, &loaded.credentials) else { continue };
        let network = async {
            // Asking who we are costs nothing, so nothing is booked; the ledger is only part of the wrappers.
            let store = Store::<DefaultLock>::open(OpenOptions::new(":memory:")).await?;
            let ledger = StoreLedger::new(store, AccountId(0));
            setup::x(account, &loaded.settings.pace, credentials, ledger, Arc::new(SystemClock))
        };
        match network.await {
            Ok(network) => identity(&account.name, &network, report).await,
            Err(error) => report.fail(format!("account {}", account.name), &error),
        }
    }
}

/// Looks at the database file, and leaves it as it is.
pub async fn database(options: &OpenOptions, report: &mut Report) {
    let location = &options.location;
    if location.file().is_none() {
        return report.warn("database", "in memory: everything is forgotten at the end");
    }
    let newest = store::newest_version();
    match store::schema_version(options).await {
        Ok(Some(version)) if version == newest => report.ok("database", format!("{location}, schema {version}")),
        Ok(Some(version)) => {
            report.ok("database", format!("{location}, schema {version}; opening it migrates it to {newest}"));
        }
        Ok(None) => report.ok("database", format!("{location} is not there yet; the first run creates it")),
        Err(error) => report.fail("database", &error.into()),
    }
}

/// Asks the network who the account is, which proves its credentials.
pub async fn identity(account: &str, network: &dyn Network, report: &mut Report) {
    let subject = format!("{account} on {}", network.kind());
    match network.identity().await {
        Ok(identity) => {
            let (handle, id) = (identity.handle, identity.remote_id);
            report.ok(subject, format!("the credentials are accepted: @{handle} (id {id})"));
        }
        Err(error) => report.fail(subject, &anyhow::Error::new(error).context("ask who we are")),
    }
}
