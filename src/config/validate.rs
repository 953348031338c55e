//! Checks of the settings: first of each layer against the table of keys, then of the whole.

use std::collections::{BTreeMap, HashMap};

use figment::value::{Dict, Value};

use super::{
    error::{Place, Problem},
    keys::{self, KEYS, Key, Kind, SECTIONS},
    nearest::nearest_path,
    secrets::{Credential, variable_part_of_account},
    server_url::check_server_url,
    settings::{Account, Settings},
};

/// Where the keys of the settings stand.
pub(super) type Places = BTreeMap<String, Place>;

/// The place of a key, or of what it stands in.
pub(super) fn place_of(places: &Places, path: &str) -> Place {
    let mut path = path;
    loop {
        if let Some(place) = places.get(path) {
            return place.clone();
        }
        match path.rsplit_once('.') {
            Some((parent, _)) => path = parent,
            None => return Place::Default,
        }
    }
}

/// Checks one layer: unknown keys, and values of the wrong kind or beyond the limits.
pub(super) fn check_layer(layer: &Dict, places: &Places) -> Vec<Problem> {
    let mut checker = Checker { places, problems: Vec::new() };
    for (section, value) in layer {
        checker.section(section, value);
    }
    checker.problems
}

struct Checker<'a> {
    places: &'a Places,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn problem(&mut self, path: &str, what: String) {
        self.problems.push(Problem { place: place_of(self.places, path), key: without_numbers(path), what });
    }

    fn section(&mut self, section: &str, value: &Value) {
        let known = SECTIONS.iter().any(|(name, _)| *name == section);
        match value {
            _ if !known => self.unknown(section),
            Value::Array(_, accounts) if section == "account" => {
                for (number, account) in accounts.iter().enumerate() {
                    match account {
                        Value::Dict(_, keys) => self.keys(section, &format!("{section}.{number}"), keys),
                        _ => self.problem(section, "expected sections, each headed [[account]]".to_owned()),
                    }
                }
            }
            Value::Dict(_, keys) if section != "account" => self.keys(section, section, keys),
            _ if section == "account" => {
                self.problem(section, "expected two brackets on each side: [[account]]".to_owned());
            }
            _ => self.problem(section, format!("expected a section, headed [{section}]")),
        }
    }

    fn keys(&mut self, section: &str, path: &str, keys: &Dict) {
        for (name, value) in keys {
            let path = format!("{path}.{name}");
            match keys::find(&format!("{section}.{name}")) {
                None => self.unknown(&path),
                Some(key) if !key.kind.admits(value) => {
                    let found = self.found(&path, key.kind, value);
                    self.problem(&path, format!("expected {}{found}", key.kind.expected()));
                }
                Some(_) => {}
            }
        }
    }

    /// The type of a value that has another than expected; never the value. In a variable everything is text.
    fn found(&self, path: &str, kind: Kind, value: &Value) -> &'static str {
        match value {
            _ if matches!(place_of(self.places, path), Place::Variable(_)) => "",
            Value::String(..) | Value::Char(..) if matches!(kind, Kind::Text | Kind::Choice(_)) => "",
            Value::Num(..) if matches!(kind, Kind::Count { .. } | Kind::Dollars) => "",
            Value::Array(..) if kind.is_list() => "",
            Value::String(..) | Value::Char(..) => ", found text",
            Value::Bool(..) => ", found true or false",
            Value::Num(..) => ", found a number",
            Value::Dict(..) => ", found a table",
            Value::Array(..) => ", found a list",
            Value::Empty(..) => ", found nothing",
        }
    }

    fn unknown(&mut self, path: &str) {
        let name = path.rsplit('.').next().unwrap_or(path);
        if name == "credentials" || Credential::ALL.iter().any(|credential| credential.name() == name) {
            let what = "credentials do not stand here; `firsthand check --help` lists their places".to_owned();
            return self.problem(path, what);
        }
        let known: Vec<_> = KEYS.iter().map(Key::path).collect();
        let plain = without_numbers(path);
        let sections = || SECTIONS.iter().map(|(name, _)| *name);
        let near_section = if plain.contains('.') { None } else { super::nearest::nearest(&plain, sections()) };
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let what = match near_section.or_else(|| nearest_path(&plain, &known)) {
            Some(right) => format!("there is no such key; did you mean {right}?"),
            None => match plain.split_once('.') {
                Some((section, _)) => format!("there is no such key; {section} has {}", names_of(section)),
                None => format!("there is no such section; there are {}", sections().collect::<Vec<_>>().join(", ")),
            },
        };
        self.problem(path, what);
    }
}

fn names_of(section: &str) -> String {
    KEYS.iter().filter(|key| key.section == section).map(|key| key.name).collect::<Vec<_>>().join(", ")
}

/// `account.0.watch` as its user knows it: `account.watch`.
pub(super) fn without_numbers(path: &str) -> String {
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    path.split('.').filter(|part| !is_number(part)).collect::<Vec<_>>().join(".")
}

/// Checks what no single key can tell.
pub(super) fn check_whole(settings: &Settings, places: &Places) -> Vec<Problem> {
    let mut checker = Checker { places, problems: Vec::new() };
    if tracing_subscriber::EnvFilter::try_new(&settings.log.filter).is_err() {
        checker.problem("log.filter", "expected levels by module, such as \"warn,firsthand=debug\"".to_owned());
    }
    let mut numbers = HashMap::new();
    for (number, account) in settings.account.iter().enumerate() {
        let path = |key: &str| format!("account.{number}.{key}");
        if !is_account_name(&account.name) {
            let what = "expected 1 to 32 lower-case letters, digits, - and _, the first a letter or digit".to_owned();
            checker.problem(&path("name"), what);
        } else if let Some(first) = numbers.insert(variable_part_of_account(&account.name), number) {
            let what = format!(
                "accounts {} and {} of the file have the same name, or names that differ only in - and _; rename one",
                first + 1,
                number + 1
            );
            checker.problem(&path("name"), what);
        }
        if account.watch.is_empty() {
            let what =
                "the account watches nothing; expected a list with at least one hashtag, such as [\"#rustlang\"]";
            checker.problem(&path("watch"), what.to_owned());
        }
        check_money(account, &mut checker, &path);
        if let Err(error) = check_server_url(&account.base_url, account.allow_private) {
            checker.problem(&path("base_url"), error.to_string());
        }
    }
    checker.problems
}

/// A budget that does not pay for a single page would stop the bot without a word from its owner.
fn check_money(account: &Account, checker: &mut Checker<'_>, path: &dyn Fn(&str) -> String) {
    /// X's least page of a search (`max_results`, X API documentation, 2026-08-22).
    const LEAST_PAGE: i64 = 10;
    let page_micro = account.read_price_dollars.micro().saturating_mul(LEAST_PAGE);
    for (key, budget) in
        [("dollars_per_day", account.dollars_per_day), ("dollars_per_month", account.dollars_per_month)]
    {
        if budget.micro() < page_micro {
            let what = "expected enough for one page of 10 posts at account.read_price_dollars, or nothing is read";
            checker.problem(&path(key), what.to_owned());
        }
    }
}

fn is_account_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}
