//! The `FIRSTHAND_…` variables: settings, credentials, and misspelt ones.

use std::{collections::BTreeMap, ffi::OsStr};

use figment::value::{Dict, Value};

use super::{
    environment::{Environment, PREFIX},
    error::{Place, Problem},
    keys::{self, KEYS, Key, Kind},
    nearest::nearest,
    secrets::{Credential, variables_of},
};

/// Names the configuration file.
pub(super) const CONFIG: &str = "FIRSTHAND_CONFIG";
/// The short form of `FIRSTHAND_DATABASE__PATH`.
const DATABASE: &str = "FIRSTHAND_DATABASE";

/// What the environment sets.
#[derive(Debug, Default)]
pub(super) struct VariableLayer {
    /// All sections but the accounts.
    pub(super) settings: Dict,
    /// Keys of the only account.
    pub(super) account: Dict,
    /// Which variable sets which key.
    pub(super) places: BTreeMap<String, Place>,
    /// Variables that set no key: credentials, or misspelt.
    pub(super) others: Vec<String>,
    /// What is wrong already.
    pub(super) problems: Vec<Problem>,
}

/// Sorts the variables. Values are read as their key's kind asks, so that a password of digits stays text.
pub(super) fn layer(env: &Environment) -> VariableLayer {
    let mut layer = VariableLayer::default();
    // The short form comes first in the alphabet, so the long one, which is more exact, goes before it.
    for (name, value) in env.ours().filter(|(name, _)| *name != CONFIG) {
        match key_of(name) {
            Some(key) => layer.set(name, key, value),
            None => layer.others.push(name.to_owned()),
        }
    }
    layer
}

fn key_of(name: &str) -> Option<&'static Key> {
    if name == DATABASE {
        return keys::find("database.path");
    }
    KEYS.iter().find(|key| key.variable() == name)
}

impl VariableLayer {
    fn set(&mut self, name: &str, key: &Key, value: &OsStr) {
        let place = Place::Variable(name.to_owned());
        let Some(text) = value.to_str() else {
            self.problems.push(Problem { place, key: name.to_owned(), what: "expected UTF-8 text".to_owned() });
            return;
        };
        let value = value_of(text, key.kind);
        if key.section == "account" {
            self.places.insert(format!("account.0.{}", key.name), place);
            self.account.insert(key.name.to_owned(), value);
            return;
        }
        self.places.insert(key.path(), place);
        let section = self.settings.entry(key.section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
        if let Value::Dict(_, section) = section {
            section.insert(key.name.to_owned(), value);
        }
    }

    /// The variables that are neither settings nor a credential of one of these accounts.
    pub(super) fn misspelt(&self, accounts: &[&str]) -> Vec<Problem> {
        let credentials = variables_of(accounts.iter().copied());
        let settings: Vec<_> = KEYS.iter().map(Key::variable).collect();
        // The prefix is the same for all, and would make every name look like every other.
        let bare = |name: &'_ str| name.strip_prefix(PREFIX).unwrap_or(name).to_owned();
        let known: Vec<_> =
            credentials.iter().chain(&settings).map(String::as_str).chain([CONFIG, DATABASE]).map(bare).collect();
        self.others
            .iter()
            .filter(|name| !(credentials.contains(name) || accounts.is_empty() && is_credential(name)))
            .map(|name| {
                let what = match nearest(&bare(name).to_uppercase(), known.iter().map(String::as_str)) {
                    Some(right) => format!("there is no such variable; did you mean {PREFIX}{right}?"),
                    None => "there is no such variable; settings are FIRSTHAND_SECTION__KEY, with two underscores, \
                             and credentials FIRSTHAND_X_CONSUMER_KEY and so on"
                        .to_owned(),
                };
                Problem { place: Place::Variable(name.clone()), key: name.clone(), what }
            })
            .collect()
    }
}

/// Whether a variable is a credential of any account.
fn is_credential(name: &str) -> bool {
    let name = name.strip_suffix("_FILE").unwrap_or(name);
    Credential::ALL.iter().any(|credential| {
        name.strip_suffix(&credential.variable_part())
            .and_then(|rest| rest.strip_prefix(PREFIX)?.strip_suffix('_'))
            .is_some_and(|account| !account.is_empty())
    })
}

/// What does not fit its kind stays text, and is refused with everything else that does not fit.
pub(super) fn value_of(text: &str, kind: Kind) -> Value {
    let as_text = || Value::from(text);
    let trimmed = text.trim();
    match kind {
        Kind::Text => as_text(),
        Kind::Choice(_) => Value::from(trimmed),
        Kind::Flag => trimmed.to_lowercase().parse::<bool>().map_or_else(|_| as_text(), Value::from),
        Kind::Count { .. } => trimmed.parse::<u64>().map_or_else(|_| as_text(), Value::from),
        Kind::Dollars => trimmed.parse::<f64>().map_or_else(|_| as_text(), Value::from),
        kind if kind.is_list() => Value::from(list_of(trimmed)),
        _ => as_text(),
    }
}

/// A list: separated by commas, or in TOML's brackets and quotes. Its items are text, also if they are digits.
fn list_of(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner
        .split(',')
        .map(|item| item.trim().trim_matches(['"', '\'']).trim())
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}
