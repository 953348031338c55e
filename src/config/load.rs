//! From the layers to the settings: defaults → file → environment → flags.

use std::{
    io,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::Serialized,
    value::{Dict, Value},
};

use super::{
    environment::Environment,
    error::{ConfigError, Place, Problem},
    file::{self, ConfigFile},
    keys,
    secrets::InlineCredentials,
    settings::{Account, LogFormat, Settings},
    validate::{Places, check_layer, check_whole, place_of, without_numbers},
    variables,
};

/// The file that is read where none is named.
const DEFAULT_FILE: &str = "firsthand.toml";

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--database`
    pub database: Option<String>,
    /// `--log-format`
    pub log_format: Option<LogFormat>,
}

/// Settings, and where they come from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Credentials that stand in that file, for [`load_credentials`](super::load_credentials).
    pub credentials: InlineCredentials,
    /// What works and should still be changed; to be shown once.
    pub warnings: Vec<String>,
}

/// What `run` is to do.
#[derive(Clone, Debug)]
pub enum Situation {
    /// Nothing at all is configured, so the built-in rehearsal plays. The settings are the defaults and the flags'.
    Rehearsal(Box<Loaded>),
    /// The bot runs on these settings, which hold at least one account with a watch.
    Configured(Box<Loaded>),
}

/// Loads the settings. Without any configuration they are the defaults, without an account.
///
/// # Errors
/// [`ConfigError`] if a named file is missing, a file cannot be read, or keys or values do not fit; every problem is
/// named at once, with its place and never with its value.
pub fn load(env: &Environment, flags: &Flags) -> Result<Loaded, ConfigError> {
    let (path, file) = match read_file(env, flags)? {
        Some((path, file)) => (Some(path), file),
        None => (None, ConfigFile::default()),
    };
    let ConfigFile { mut settings, credentials, mut places, mut problems } = file;
    problems.extend(check_layer(&settings, &places));

    let variables = variables::layer(env);
    let mut accounts = accounts_of(&mut settings);
    if let [] | [_] = accounts.as_slice() {
        problems.extend(check_variables(&variables));
        merge_account(&mut accounts, &variables.account);
    } else {
        problems.extend(variables.account.keys().map(|key| several_accounts(&variables.places, key, accounts.len())));
        problems.extend(check_layer(&variables.settings, &variables.places));
    }
    problems.extend(variables.problems.iter().cloned());
    problems.extend(variables.misspelt(&names_of(&accounts)));
    places.extend(variables.places);

    let flags_layer = layer_of_flags(flags, &mut places);
    problems.extend(check_layer(&flags_layer, &places));
    if !problems.is_empty() {
        return Err(refused(problems));
    }

    let figment = Figment::from(Serialized::defaults(Settings::default()))
        .merge(Serialized::defaults(settings))
        .merge(Serialized::default("account", accounts))
        .merge(Serialized::defaults(variables.settings))
        .merge(Serialized::defaults(flags_layer));
    let mut settings: Settings =
        figment.extract().map_err(|error| ConfigError::Settings(of_figment(error, &places)))?;
    normalise(&mut settings);
    let problems = check_whole(&settings, &places);
    if !problems.is_empty() {
        return Err(refused(problems));
    }

    let by_name = |(number, credentials): (usize, _)| Some((settings.account.get(number)?.name.clone(), credentials));
    let credentials = InlineCredentials(credentials.into_iter().filter_map(by_name).collect());
    let mut warnings = Vec::new();
    if let (Some(path), false) = (&path, credentials.is_empty()) {
        warnings.push(inline_warning(env, path, &credentials));
    }
    Ok(Loaded { settings, file: path, credentials, warnings })
}

/// Decides between the rehearsal and the configured bot. The rehearsal plays only if there is no configuration file, no
/// `--config`, no `FIRSTHAND_…` variable and no `$CREDENTIALS_DIRECTORY`: whoever configured anything wants the bot, and
/// must hear what is missing.
///
/// # Errors
/// As [`load`]; [`ConfigError::NoAccount`] if something is configured, but nothing that could be watched.
pub fn situation(env: &Environment, flags: &Flags) -> Result<Situation, ConfigError> {
    let loaded = Box::new(load(env, flags)?);
    let variables: Vec<_> = env.ours().map(|(name, _)| name).collect();
    let has_directory = env.var("CREDENTIALS_DIRECTORY").is_some();
    if loaded.file.is_none() && variables.is_empty() && !has_directory {
        return Ok(Situation::Rehearsal(loaded));
    }
    if !loaded.settings.account.is_empty() {
        return Ok(Situation::Configured(loaded));
    }
    let mut looked = vec![match &loaded.file {
        Some(path) => format!("the file {} has no [[account]]", path.display()),
        None => format!("there is no file {}", env.resolve(DEFAULT_FILE).display()),
    }];
    if variables.is_empty() {
        looked.push("no FIRSTHAND_ variable is set".to_owned());
    } else {
        let shown: Vec<_> = variables.into_iter().map(super::error::shown_key).collect();
        looked.push(format!("the environment has {}, and no FIRSTHAND_ACCOUNT__WATCH", shown.join(", ")));
    }
    if has_directory {
        looked.push("$CREDENTIALS_DIRECTORY is set, and holds no settings".to_owned());
    }
    Err(ConfigError::NoAccount { looked })
}

/// The file that is named, else the one in the working directory if it exists.
fn read_file(env: &Environment, flags: &Flags) -> Result<Option<(PathBuf, ConfigFile)>, ConfigError> {
    let named = flags.config.clone().map(|path| (path, "--config"));
    let named = named.or_else(|| Some((env.path_var(variables::CONFIG)?, variables::CONFIG)));
    let (shown, named_by) = match named {
        Some((path, by)) => (path, Some(by)),
        None => (PathBuf::from(DEFAULT_FILE), None),
    };
    let path = env.resolve(&shown);
    match (file::read(&path, &shown), named_by) {
        (Ok(file), _) => Ok(Some((shown, file))),
        (Err(ConfigError::FileUnreadable { source, .. }), named_by) if source.kind() == io::ErrorKind::NotFound => {
            match named_by {
                Some(named_by) => Err(ConfigError::FileMissing { path, named_by }),
                None => Ok(None),
            }
        }
        (Err(error), _) => Err(error),
    }
}

/// The problems in the order in which their user meets them: down the file, then the rest.
fn refused(mut problems: Vec<Problem>) -> ConfigError {
    problems.sort_by_key(|problem| match &problem.place {
        Place::File { line, .. } => (0, line.unwrap_or(0)),
        Place::Variable(_) | Place::Flag(_) | Place::Default => (1, 0),
    });
    ConfigError::Settings(problems)
}

/// Takes the accounts out of a layer; a value of another kind stays, and has been refused.
fn accounts_of(settings: &mut Dict) -> Vec<Value> {
    match settings.remove("account") {
        Some(Value::Array(_, accounts)) => accounts,
        _ => Vec::new(),
    }
}

/// The environment's keys belong to the only account; where the file has none, they make one.
fn merge_account(accounts: &mut Vec<Value>, keys: &Dict) {
    if keys.is_empty() {
        return;
    }
    match accounts.first_mut() {
        Some(Value::Dict(_, account)) => account.extend(keys.clone()),
        Some(_) => {}
        None => accounts.push(Value::from(keys.clone())),
    }
}

fn check_variables(variables: &variables::VariableLayer) -> Vec<Problem> {
    let mut layer = variables.settings.clone();
    if !variables.account.is_empty() {
        layer.insert("account".to_owned(), Value::from(vec![Value::from(variables.account.clone())]));
    }
    check_layer(&layer, &variables.places)
}

fn several_accounts(places: &Places, key: &str, count: usize) -> Problem {
    let what = format!("the configuration file has {count} accounts, and a variable does not say which; set it there");
    Problem { place: place_of(places, &format!("account.0.{key}")), key: format!("account.{key}"), what }
}

fn names_of(accounts: &[Value]) -> Vec<&str> {
    accounts.iter().map(|account| account.find_ref("name").and_then(Value::as_str).unwrap_or("main")).collect()
}

fn layer_of_flags(flags: &Flags, places: &mut Places) -> Dict {
    let mut layer = Dict::new();
    if let Some(path) = &flags.database {
        places.insert("database.path".to_owned(), Place::Flag("--database"));
        layer.insert("database".to_owned(), Value::from(Dict::from([("path".to_owned(), Value::from(path.as_str()))])));
    }
    if let Some(format) = flags.log_format {
        let word = match format {
            LogFormat::Auto => "auto",
            LogFormat::Human => "human",
            LogFormat::Json => "json",
        };
        places.insert("log.format".to_owned(), Place::Flag("--log-format"));
        layer.insert("log".to_owned(), Value::from(Dict::from([("format".to_owned(), Value::from(word))])));
    }
    layer
}

/// The table of keys has admitted every value, so this speaks only if the two disagree. The library's own text quotes
/// values and is dropped.
fn of_figment(error: figment::Error, places: &Places) -> Vec<Problem> {
    error
        .into_iter()
        .map(|error| {
            let path = error.path.join(".");
            let key = without_numbers(&path);
            let what = match keys::find(&key) {
                Some(known) => format!("expected {}", known.kind.expected()),
                None => "this key or its value does not fit".to_owned(),
            };
            Problem { place: place_of(places, &path), key, what }
        })
        .collect()
}

fn normalise(settings: &mut Settings) {
    for language in &mut settings.filters.languages {
        *language = language.trim().to_lowercase();
    }
    for Account { watch, base_url, .. } in &mut settings.account {
        let mut seen = std::collections::HashSet::new();
        watch.retain(|tag| seen.insert(tag.clone()));
        *base_url = base_url.trim().trim_end_matches('/').to_owned();
    }
}

fn inline_warning(env: &Environment, path: &Path, credentials: &InlineCredentials) -> String {
    let names: Vec<_> = credentials.0.keys().map(String::as_str).collect();
    let mut warning = format!(
        "{} holds credentials of {}; move them to files of their own (see `firsthand check --help`), so that the \
         configuration can be shown and copied",
        path.display(),
        names.join(", ")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let open = env.resolve(path).metadata().is_ok_and(|metadata| metadata.mode() & 0o077 != 0);
        if open {
            warning.push_str(&format!("; other users can read it now: chmod 600 '{}'", path.display()));
        }
    }
    #[cfg(not(unix))]
    let _ = env;
    warning
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
