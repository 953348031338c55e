//! The configuration file that `firsthand init` writes, made from the table of keys and the defaults.

use toml_edit::{DocumentMut, Item};

use super::{
    Account, Settings,
    keys::{KEYS, Key, Kind, SECTIONS},
    secrets::Credential,
};

const HEAD: &str = "\
# The configuration of firsthand.
#
# A line of the form  #key = value  shows a default: remove the # and change the value to set it.
# The same keys can be set in the environment, which goes before this file: FIRSTHAND_SECTION__KEY, with two
# underscores, for example FIRSTHAND_PACE__PER_HOUR=10. Command-line flags go before both.
# `firsthand check` says whether everything fits.
";

/// The hashtag that the written file watches until its user chooses.
const EXAMPLE_WATCH: &str = "watch = [\"#rustlang\"]";

/// The text of a fully commented configuration file, in which every default stands as a comment.
pub fn template() -> String {
    let defaults = Settings { account: vec![Account::default()], ..Settings::default() };
    // Serializing plain data into a document cannot fail; an empty one would fail the test that reads it back.
    let defaults: DocumentMut =
        serde_json::to_value(defaults).ok().and_then(|value| toml_of(&value)).unwrap_or_default();
    let mut text = HEAD.to_owned();
    for (section, about) in SECTIONS {
        let header = if *section == "account" { "[[account]]" } else { &format!("[{section}]") };
        text.push_str(&format!("\n# {about}\n{header}\n"));
        for key in KEYS.iter().filter(|key| key.section == *section) {
            text.push('\n');
            for line in key.meaning.lines() {
                text.push_str(&format!("# {line}\n"));
            }
            if let Some(note) = note(key) {
                text.push_str(&format!("# {note}\n"));
            }
            text.push_str(&setting(key, &defaults));
        }
    }
    text.push_str(&credentials());
    text
}

/// The line that sets the key; a comment where it only repeats the default.
fn setting(key: &Key, defaults: &DocumentMut) -> String {
    let table = match &defaults[key.section] {
        Item::ArrayOfTables(accounts) => accounts.get(0),
        item => item.as_table(),
    };
    let value = table.and_then(|table| table.get(key.name)).map(ToString::to_string).unwrap_or_default();
    match (key.section, key.name) {
        ("account", "watch") => format!("{EXAMPLE_WATCH}\n"),
        ("account", "name") => format!("name = {}\n", value.trim()),
        _ => format!("#{} = {}\n", key.name, value.trim()),
    }
}

/// What the key takes, where its meaning and default do not show it.
fn note(key: &Key) -> Option<String> {
    match key.kind {
        Kind::Count { unit, min, max } => Some(format!("From {min} to {max} {unit}.")),
        Kind::Choice([_]) => Some(format!("{}.", capitalised(&key.kind.expected()))),
        Kind::Dollars => Some("In US dollars.".to_owned()),
        Kind::Hashtags | Kind::Handles | Kind::Languages => Some(format!("{}.", capitalised(&key.kind.expected()))),
        Kind::Choice(_) | Kind::Text | Kind::Flag => None,
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Where credentials go: not into this file.
fn credentials() -> String {
    let mut text =
        "\n# Credentials do not belong into this file. For the account \"main\" they are looked for in this order:\n\
        #   $CREDENTIALS_DIRECTORY/main.consumer_key        (systemd: LoadCredential=)\n\
        #   the file named by FIRSTHAND_MAIN_CONSUMER_KEY_FILE or FIRSTHAND_X_CONSUMER_KEY_FILE (mode 0600, your own)\n\
        #   the variable FIRSTHAND_MAIN_CONSUMER_KEY or FIRSTHAND_X_CONSUMER_KEY\n\
        # and likewise for the others; all four are needed:\n"
            .to_owned();
    let names: Vec<_> = Credential::ALL.iter().map(|name| name.variable_part()).collect();
    text.push_str(&format!("#   {}\n", names.join(", ")));
    text
}

/// A TOML document with one table a section.
fn toml_of(value: &serde_json::Value) -> Option<DocumentMut> {
    let mut document = DocumentMut::new();
    for (section, keys) in value.as_object()? {
        document[section.as_str()] = match keys {
            serde_json::Value::Array(accounts) => {
                Item::ArrayOfTables(accounts.iter().map(table_of).collect::<Option<_>>()?)
            }
            keys => Item::Table(table_of(keys)?),
        };
    }
    Some(document)
}

fn table_of(keys: &serde_json::Value) -> Option<toml_edit::Table> {
    let mut table = toml_edit::Table::new();
    for (key, value) in keys.as_object()? {
        table.insert(key, Item::Value(value_of(value)?));
    }
    Some(table)
}

fn value_of(value: &serde_json::Value) -> Option<toml_edit::Value> {
    Some(match value {
        serde_json::Value::Bool(flag) => (*flag).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(items) => {
            toml_edit::Value::Array(items.iter().map(value_of).collect::<Option<toml_edit::Array>>()?)
        }
        serde_json::Value::Null | serde_json::Value::Object(_) => return None,
    })
}
