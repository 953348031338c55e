//! What can be wrong with a configuration, in words that lead to the right line and never repeat a value.

use std::{fmt, path::PathBuf};

use crate::escape::escape_for_terminal;

/// Where a setting stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the configuration file, with its line where that is known.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
    },
    /// In an environment variable of this name.
    Variable(String),
    /// In a command-line flag.
    Flag(&'static str),
    /// Nowhere: the default applies.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}, line {line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "the environment variable {}", shown_key(name)),
            Self::Flag(flag) => write!(f, "the flag {flag}"),
            Self::Default => write!(f, "the defaults"),
        }
    }
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The key's path, such as `pace.per_hour`, or a variable's name.
    pub key: String,
    /// What is wrong, and what is expected instead. Holds no value.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            // The variable is itself the key.
            Place::Variable(name) if *name == self.key => write!(f, "{}: {}", shown_key(name), self.what),
            place => write!(f, "{place}: {}: {}", shown_key(&self.key), self.what),
        }
    }
}

/// A key as it may be shown: escaped, and cut where it is longer than any key of ours could be.
pub(super) fn shown_key(key: &str) -> String {
    const LONGEST: usize = 64;
    if key.chars().count() <= LONGEST {
        return escape_for_terminal(key);
    }
    let head: String = key.chars().take(LONGEST).collect();
    format!("{}…", escape_for_terminal(&head))
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file was named and is not there.
    #[error("find the configuration file {}, named by {named_by}: no such file; write one with `firsthand init {}`", path.display(), path.display())]
    FileMissing {
        /// Where it was looked for.
        path: PathBuf,
        /// The flag or variable that names it.
        named_by: &'static str,
    },
    /// The file is there and cannot be read.
    #[error("read the configuration file {}", path.display())]
    FileUnreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("read the configuration file {}, line {line}, column {column}: {message}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What the parser expected.
        message: String,
    },
    /// Keys or values that do not fit.
    #[error("use the configuration: {}", list(.0))]
    Settings(Vec<Problem>),
    /// Something is configured, but no account with a watch.
    #[error(
        "find an account that watches something; looked at:{}\nWrite a configuration with `firsthand init`, or set \
         FIRSTHAND_ACCOUNT__WATCH. The rehearsal plays only where none of these is set",
        looked.iter().map(|place| format!("\n  - {place}")).collect::<String>()
    )]
    NoAccount {
        /// Where it was looked for, and what was found there.
        looked: Vec<String>,
    },
}

fn list(problems: &[Problem]) -> String {
    match problems {
        [problem] => problem.to_string(),
        problems => {
            let lines: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
            format!("{} problems{lines}", problems.len())
        }
    }
}
