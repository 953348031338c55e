//! Exit codes, documented in one table, and how an error becomes one.

use std::io;

use crate::{
    config::{ConfigError, SecretsError},
    network::NetworkError,
    pipeline::{daemon::RunError, replay::ReplayError},
    store::StoreError,
};

/// Something that was asked for by name is not in the archive. The message says what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotInArchive(pub String);

/// Arguments that fit their form and make no sense. The message says how they would.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);

/// Declares [`Exit`] with the code and the meaning of each variant in one place.
macro_rules! exits {
    ($($variant:ident $code:literal $meaning:literal,)*) => {
        /// How the program ends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Exit {
            $(#[doc = $meaning] $variant = $code,)*
        }

        impl Exit {
            /// Every exit code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// What the code means, for the help text.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

// 0 to 2 as everywhere (2 is what argument parsers use). The others are told apart because a script or a service
// manager does something else about each: 4 and 6 need their operator and no restart, 5 may heal, 8 is no failure where
// two timers overlap. None reaches 64, where sysexits begin, or 126, where shells do.
exits! {
    Ok 0 "it is done",
    Failed 1 "it failed, for a reason that the message gives",
    Usage 2 "the command line is wrong",
    NotFound 3 "what was asked for is not in the archive",
    Configuration 4 "the configuration is missing or wrong",
    Database 5 "the database is locked, full, read-only, damaged or of another version",
    Network 6 "credentials are missing or refused, or the network does not answer",
    Partly 7 "done, except for bad input that was named and left out",
    Running 8 "another firsthand runs on this database",
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit code of an error: of the first cause that tells. An [`Exit`] attached as context
    /// (`.context(Exit::Database)`) tells too.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(exit) = error.downcast_ref::<Self>() {
            return *exit;
        }
        error.chain().find_map(Self::of_cause).unwrap_or(Self::Failed)
    }

    fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if cause.is::<ConfigError>() {
            return Some(Self::Configuration);
        }
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            return Some(if matches!(error, StoreError::InUse { .. }) { Self::Running } else { Self::Database });
        }
        if let Some(ReplayError::Store(_)) = cause.downcast_ref::<ReplayError>() {
            return Some(Self::Database);
        }
        if let Some(error) = cause.downcast_ref::<RunError>() {
            return match error {
                RunError::Store(_) => Some(Self::Database),
                RunError::Identity { .. } | RunError::Halted { .. } | RunError::Unreachable { .. } => {
                    Some(Self::Network)
                }
                RunError::Panicked(_) => None,
            };
        }
        if cause.is::<SecretsError>() || cause.is::<NetworkError>() {
            return Some(Self::Network);
        }
        if cause.is::<NotInArchive>() {
            return Some(Self::NotFound);
        }
        if cause.is::<WrongUsage>() {
            return Some(Self::Usage);
        }
        // Whoever closed the pipe (`firsthand search … | head`) has what it wanted.
        let closed = cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        closed.then_some(Self::Ok)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.meaning())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table of exit codes, for the help text.
pub fn table() -> String {
    let lines: Vec<_> = Exit::ALL.iter().map(|exit| format!("  {}  {}", exit.code(), exit.meaning())).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn every_code_is_one_of_its_own() {
        let codes: std::collections::BTreeSet<_> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
    }

    #[test]
    fn an_error_finds_its_code_through_its_context() {
        let error = anyhow::Error::new(ConfigError::Settings(Vec::new())).context("start");
        assert_eq!(Exit::of(&error), Exit::Configuration);
        let error = anyhow::Error::new(NetworkError::Transient("x".into())).context("start");
        assert_eq!(Exit::of(&error), Exit::Network);
        let error = anyhow::anyhow!("no such row").context(Exit::NotFound);
        assert_eq!(Exit::of(&error), Exit::NotFound);
        let error = anyhow::Error::new(NotInArchive("no such post".into())).context("explain it");
        assert_eq!((Exit::of(&error), format!("{error:#}").as_str()), (Exit::NotFound, "explain it: no such post"));
        let error = anyhow::Error::new(StoreError::NotFound { path: "a.db".into() }).context("search");
        assert_eq!(Exit::of(&error), Exit::Database);
        let closed: anyhow::Result<()> = Err(io::Error::from(io::ErrorKind::BrokenPipe)).context("print");
        assert_eq!(Exit::of(&closed.unwrap_err()), Exit::Ok);
        assert_eq!(Exit::of(&anyhow::anyhow!("something else")), Exit::Failed);
    }
}
