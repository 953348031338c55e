//! What surrounds the process, handed in as a value so that tests need no global state.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

/// The prefix of every environment variable that is ours.
pub(super) const PREFIX: &str = "FIRSTHAND_";

/// The environment variables that concern firsthand, and the working directory.
#[derive(Clone, Default)]
pub struct Environment {
    /// `FIRSTHAND_…` and `CREDENTIALS_DIRECTORY`, by name.
    variables: BTreeMap<String, OsString>,
    /// What relative paths are relative to; empty for the process's own working directory.
    working_dir: PathBuf,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self::new("", variables)
    }

    /// An environment with these variables, seen from this directory. Variables of other programs are left out.
    pub fn new<N: Into<String>, V: Into<OsString>>(
        working_dir: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .filter(|(name, _)| name.starts_with(PREFIX) || name == "CREDENTIALS_DIRECTORY")
            .collect();
        Self { variables, working_dir: working_dir.into() }
    }

    /// A variable's value, if it is set, also if it is empty.
    pub(super) fn var(&self, name: &str) -> Option<&OsString> {
        self.variables.get(name)
    }

    /// A variable that names a path; an empty one counts as not set.
    pub(super) fn path_var(&self, name: &str) -> Option<PathBuf> {
        self.var(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Our variables, by name.
    pub(super) fn ours(&self) -> impl Iterator<Item = (&str, &OsString)> {
        self.variables.iter().filter(|(name, _)| name.starts_with(PREFIX)).map(|(name, value)| (name.as_str(), value))
    }

    /// Whether the environment names a database, as `--database` does.
    pub fn names_database(&self) -> bool {
        self.var("FIRSTHAND_DATABASE").is_some()
    }

    /// A path as seen from the working directory.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.working_dir.join(path)
    }
}

impl fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("working_dir", &self.working_dir)
            .finish()
    }
}
