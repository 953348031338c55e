//! On what the figures were measured.

use std::{fmt, fs, path::Path, thread};

use serde::Serialize;

/// The machine, as far as it matters here.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// The processor's name.
    pub(crate) processor: String,
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// The operating system and its version.
    pub(crate) system: String,
    /// The SQLite library, which all strategies share.
    pub(crate) sqlite: String,
}

impl Machine {
    /// This one.
    pub(crate) fn this() -> Self {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        // A kernel's name may end in what its builder likes; the version is what matters.
        let version: String = release.trim().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        Self {
            processor: model.map_or(std::env::consts::ARCH, |(_, model)| model).to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {version}", std::env::consts::OS).trim_end().to_owned(),
            sqlite: format!("SQLite {}", rusqlite::version()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, system, sqlite } = self;
        write!(f, "{processor}, {cores} cores, {system}, {sqlite}")
    }
}

/// Whether this folder lies in memory, where waiting for the disk costs nothing.
#[cfg(target_os = "linux")]
pub(crate) fn is_in_memory(folder: &Path) -> bool {
    /// `TMPFS_MAGIC` of statfs(2).
    const TMPFS: i64 = 0x0102_1994;
    rustix::fs::statfs(folder).is_ok_and(|found| found.f_type == TMPFS)
}

/// Whether this folder lies in memory: not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_in_memory(_folder: &Path) -> bool {
    false
}
