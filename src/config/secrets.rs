//! Credentials: loaded apart from the settings, because a settings library prints the values that it stumbles over.
//!
//! Each credential is looked for in `$CREDENTIALS_DIRECTORY` (systemd), then in a file that a variable names, then in a
//! variable, then in the configuration file. Never in the arguments: every user of the machine can read those.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{
    environment::{Environment, PREFIX},
    secret_file::{FileRefusal, read_credentials_directory, read_secret_file},
};

/// The credentials of OAuth 1.0a user context: two of the app, two of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Credential {
    /// Of the app; X calls it "API key".
    ConsumerKey,
    /// Of the app; X calls it "API key secret".
    ConsumerSecret,
    /// Of the user.
    AccessToken,
    /// Of the user.
    AccessTokenSecret,
}

impl Credential {
    /// All of them, in the order in which X shows them.
    pub const ALL: [Self; 4] = [Self::ConsumerKey, Self::ConsumerSecret, Self::AccessToken, Self::AccessTokenSecret];

    /// The name in files and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConsumerKey => "consumer_key",
            Self::ConsumerSecret => "consumer_secret",
            Self::AccessToken => "access_token",
            Self::AccessTokenSecret => "access_token_secret",
        }
    }

    /// The name in environment variables.
    pub fn variable_part(self) -> String {
        self.name().to_uppercase()
    }

    /// The variables that may hold it for an account: the account's own first, then the network's.
    fn variables(self, account: &str, suffix: &str) -> Vec<String> {
        let mut owners = vec![variable_part_of_account(account), "X".to_owned()];
        owners.dedup();
        owners.iter().map(|owner| format!("{PREFIX}{owner}_{}{suffix}", self.variable_part())).collect()
    }
}

/// How an account's name stands in the names of variables.
pub(super) fn variable_part_of_account(account: &str) -> String {
    account.to_uppercase().replace('-', "_")
}

/// Every variable that can hold a credential of one of these accounts.
pub(super) fn variables_of<'a>(accounts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<_> = accounts
        .into_iter()
        .chain(["x"])
        .flat_map(|account| Credential::ALL.map(|credential| (account, credential)))
        .flat_map(|(account, credential)| {
            ["_FILE", ""].into_iter().flat_map(move |suffix| credential.variables(account, suffix))
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The four credentials of one account. `Debug` shows none of them.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Of the app.
    pub consumer_key: SecretString,
    /// Of the app.
    pub consumer_secret: SecretString,
    /// Of the user.
    pub access_token: SecretString,
    /// Of the user.
    pub access_token_secret: SecretString,
}

/// Credentials that stand in the configuration file, by account.
#[derive(Clone, Debug, Default)]
pub struct InlineCredentials(pub(super) BTreeMap<String, BTreeMap<Credential, SecretString>>);

impl InlineCredentials {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why an account has no usable credentials. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Some are nowhere.
    #[error("find the credentials of the account {account:?}: {}", list(.missing))]
    Missing {
        /// The account's name.
        account: String,
        /// Which, with every place where each may stand.
        missing: Vec<MissingCredential>,
    },
    /// A place holds something that cannot be a credential.
    #[error("use the credential {} of the account {account:?}: {place} {reason}", credential.name())]
    Unusable {
        /// The account's name.
        account: String,
        /// Which.
        credential: Credential,
        /// Where it was found.
        place: String,
        /// What is wrong there, and what to do about it.
        reason: String,
    },
}

/// A credential that is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCredential {
    /// Which.
    pub credential: Credential,
    /// Where it may stand.
    pub places: Vec<String>,
}

fn list(missing: &[MissingCredential]) -> String {
    let names: Vec<_> = missing.iter().map(|missing| missing.credential.name()).collect();
    let mut text = format!("missing {}; each may stand in any one of its places:", names.join(", "));
    for missing in missing {
        text.push_str(&format!("\n  {}:", missing.credential.name()));
        for place in &missing.places {
            text.push_str(&format!("\n    - {place}"));
        }
    }
    text
}

/// Loads the credentials of an account.
///
/// # Errors
/// [`SecretsError::Missing`] with every place that was looked at; [`SecretsError::Unusable`] if a place holds an empty
/// value, or a file that others can read.
pub fn load_credentials(
    env: &Environment,
    account: &str,
    inline: &InlineCredentials,
) -> Result<Credentials, SecretsError> {
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    for credential in Credential::ALL {
        match find(env, account, credential, inline)? {
            Some(secret) => {
                found.insert(credential, secret);
            }
            None => missing.push(MissingCredential { credential, places: places(env, account, credential) }),
        }
    }
    let mut take = |credential| found.remove(&credential);
    match (
        take(Credential::ConsumerKey),
        take(Credential::ConsumerSecret),
        take(Credential::AccessToken),
        take(Credential::AccessTokenSecret),
    ) {
        (Some(consumer_key), Some(consumer_secret), Some(access_token), Some(access_token_secret)) => {
            Ok(Credentials { consumer_key, consumer_secret, access_token, access_token_secret })
        }
        _ => Err(SecretsError::Missing { account: account.to_owned(), missing }),
    }
}

fn find(
    env: &Environment,
    account: &str,
    credential: Credential,
    inline: &InlineCredentials,
) -> Result<Option<SecretString>, SecretsError> {
    let unusable = |place: String, reason: &dyn fmt::Display| SecretsError::Unusable {
        account: account.to_owned(),
        credential,
        place,
        reason: reason.to_string(),
    };
    let from_file = |path: PathBuf, read: fn(&std::path::Path) -> Result<Option<String>, FileRefusal>, must: bool| {
        let place = format!("the file {}", path.display());
        match read(&path) {
            Ok(Some(text)) => checked(&text).map(Some).map_err(|reason| unusable(place, &reason)),
            Ok(None) if must => Err(unusable(place, &"does not exist; create it, or unset the variable that names it")),
            Ok(None) => Ok(None),
            Err(refusal) => Err(unusable(place, &refusal)),
        }
    };
    if let Some(directory) = env.path_var("CREDENTIALS_DIRECTORY") {
        let path = env.resolve(directory).join(format!("{account}.{}", credential.name()));
        if let Some(secret) = from_file(path, read_credentials_directory, false)? {
            return Ok(Some(secret));
        }
    }
    for variable in credential.variables(account, "_FILE") {
        if let Some(path) = env.path_var(&variable) {
            return from_file(env.resolve(path), read_secret_file, true);
        }
    }
    for variable in credential.variables(account, "") {
        if let Some(value) = env.var(&variable) {
            let text = value.to_str().ok_or("is not UTF-8; set it again from its source");
            return text
                .and_then(checked)
                .map(Some)
                .map_err(|reason| unusable(format!("the environment variable {variable}"), &reason));
        }
    }
    match inline.0.get(account).and_then(|credentials| credentials.get(&credential)) {
        Some(secret) => checked(secret.expose_secret())
            .map(Some)
            .map_err(|reason| unusable("the configuration file's [account.credentials]".to_owned(), &reason)),
        None => Ok(None),
    }
}

/// A credential is one visible ASCII word; editors add a line break at its end.
fn checked(text: &str) -> Result<SecretString, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty; fill it, or remove it");
    }
    if text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err("holds a space, a line break or another character that no credential has; copy it again");
    }
    Ok(SecretString::from(text))
}

/// Every place where a credential may stand, in the order of looking.
fn places(env: &Environment, account: &str, credential: Credential) -> Vec<String> {
    let name = credential.name();
    let directory = match env.path_var("CREDENTIALS_DIRECTORY") {
        Some(directory) => env.resolve(directory).join(format!("{account}.{name}")).display().to_string(),
        None => format!("$CREDENTIALS_DIRECTORY/{account}.{name} (the variable is not set)"),
    };
    vec![
        directory,
        format!("a file (mode 0600, your own) named by {}", credential.variables(account, "_FILE").join(" or ")),
        format!("the environment variable {}", credential.variables(account, "").join(" or ")),
        format!("{name} in the section [account.credentials] of the configuration file (works, with a warning)"),
    ]
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
