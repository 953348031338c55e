//! The configuration file: read once, its credentials cut out before the settings library sees it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use figment::{
    Provider,
    providers::{Format, Toml},
    value::Dict,
};
use secrecy::SecretString;
use toml_edit::{ImDocument, Item, Table, TableLike, Value};

use super::{
    error::{ConfigError, Place, Problem},
    nearest::nearest,
    secrets::Credential,
};

/// The table within an account that holds its credentials.
const CREDENTIALS: &str = "credentials";

/// A configuration file, taken apart.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// The settings, without credentials.
    pub(super) settings: Dict,
    /// Credentials by the number of their account in the file.
    pub(super) credentials: BTreeMap<usize, BTreeMap<Credential, SecretString>>,
    /// Where each key stands: `pace.per_hour`, `account.0.watch`.
    pub(super) places: BTreeMap<String, Place>,
    /// What is wrong with the credentials' tables.
    pub(super) problems: Vec<Problem>,
}

/// Reads and takes apart a file.
pub(super) fn read(path: &Path, shown: &Path) -> Result<ConfigFile, ConfigError> {
    let bytes = std::fs::read(path).map_err(|source| ConfigError::FileUnreadable { path: shown.to_owned(), source })?;
    // A byte-order mark comes from Windows' editors.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text, shown),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            Err(syntax(shown, &good, good.len(), "expected UTF-8 text".to_owned()))
        }
    }
}

/// Takes a file's text apart.
pub(super) fn parse(text: &str, shown: &Path) -> Result<ConfigFile, ConfigError> {
    // Of the parser's error only the message is kept: its other parts quote the line, which may hold a secret.
    let document = ImDocument::parse(text).map_err(|error| {
        let offset = error.span().map_or(text.len(), |span| span.start);
        syntax(shown, text, offset, error.message().trim().replace('\n', ", "))
    })?;
    let mut file = ConfigFile::default();
    let lines = Lines { text, path: shown };
    lines.places_of(document.as_table(), "", &mut file.places);

    let mut document = document.into_mut();
    match document.get_mut("account") {
        Some(Item::ArrayOfTables(accounts)) => {
            for (number, account) in accounts.iter_mut().enumerate() {
                file.cut_credentials(number, account);
            }
        }
        Some(Item::Value(Value::Array(accounts))) => {
            for (number, account) in accounts.iter_mut().enumerate() {
                if let Some(account) = account.as_inline_table_mut() {
                    file.cut_credentials(number, account);
                }
            }
        }
        // A single table is refused later, as of the wrong kind.
        Some(Item::Table(account)) => file.cut_credentials(0, account),
        _ => {}
    }
    let data = Toml::string(&document.to_string()).data();
    // The text has been parsed above, and cutting a table leaves it well formed.
    let data = data.map_err(|_| syntax(shown, text, 0, "expected a TOML document".to_owned()))?;
    file.settings = data.into_values().next().unwrap_or_default();
    Ok(file)
}

impl ConfigFile {
    fn cut_credentials(&mut self, number: usize, account: &mut dyn TableLike) {
        let Some(item) = account.remove(CREDENTIALS) else { return };
        let path = format!("account.{number}.{CREDENTIALS}");
        let place = |places: &BTreeMap<String, Place>, key: &str| {
            places.get(key).or_else(|| places.get(&path)).cloned().unwrap_or(Place::Default)
        };
        let Some(table) = item.as_table_like() else {
            let what = "expected a table [account.credentials]".to_owned();
            self.problems.push(Problem { place: place(&self.places, &path), key: CREDENTIALS.to_owned(), what });
            return;
        };
        let names = Credential::ALL.map(Credential::name);
        for (key, item) in table.iter() {
            let credential = Credential::ALL.into_iter().find(|credential| credential.name() == key);
            let what = match (credential, item.as_str()) {
                (Some(credential), Some(secret)) => {
                    self.credentials.entry(number).or_default().insert(credential, SecretString::from(secret));
                    continue;
                }
                (Some(_), None) => "expected text in quotes".to_owned(),
                (None, _) => match nearest(&key.to_lowercase().replace('-', "_"), names) {
                    Some(name) => format!("there is no such credential; did you mean {name}?"),
                    None => format!("there is no such credential; there are {}", names.join(", ")),
                },
            };
            let place = place(&self.places, &format!("{path}.{key}"));
            self.problems.push(Problem { place, key: format!("account.{CREDENTIALS}.{key}"), what });
        }
    }
}

/// Finds the line of each key.
struct Lines<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Lines<'_> {
    fn place(&self, span: Option<std::ops::Range<usize>>) -> Place {
        let line = span.map(|span| position(self.text, span.start).0);
        Place::File { path: self.path.to_owned(), line }
    }

    fn places_of(&self, table: &Table, prefix: &str, places: &mut BTreeMap<String, Place>) {
        for (key, item) in table.iter() {
            let path = join(prefix, key);
            let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
            places.insert(path.clone(), self.place(span));
            self.places_in(item, &path, places);
        }
    }

    fn places_in(&self, item: &Item, path: &str, places: &mut BTreeMap<String, Place>) {
        match item {
            Item::Table(table) => self.places_of(table, path, places),
            Item::ArrayOfTables(tables) => {
                for (number, table) in tables.iter().enumerate() {
                    let path = join(path, &number.to_string());
                    places.insert(path.clone(), self.place(table.span()));
                    self.places_of(table, &path, places);
                }
            }
            Item::Value(value) => self.places_in_value(value, path, places),
            Item::None => {}
        }
    }

    fn places_in_value(&self, value: &Value, path: &str, places: &mut BTreeMap<String, Place>) {
        match value {
            Value::InlineTable(table) => {
                for (key, value) in table.iter() {
                    let path = join(path, key);
                    let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| value.span());
                    places.insert(path.clone(), self.place(span));
                    self.places_in_value(value, &path, places);
                }
            }
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    let path = join(path, &number.to_string());
                    places.insert(path.clone(), self.place(item.span()));
                    self.places_in_value(item, &path, places);
                }
            }
            _ => {}
        }
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Line and column of a byte offset, both counted from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start_of_line = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start_of_line..].chars().count() + 1)
}

fn syntax(shown: &Path, text: &str, offset: usize, message: String) -> ConfigError {
    let (line, column) = position(text, offset);
    ConfigError::Syntax { path: PathBuf::from(shown), line, column, message }
}
