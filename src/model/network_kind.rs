//! The networks, by name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a post comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// X, formerly Twitter.
    X,
    /// The built-in rehearsal: a timeline embedded in the binary.
    Rehearsal,
    /// Posts from files, without any network.
    Replay,
}

impl NetworkKind {
    /// Every network that this version knows.
    pub const ALL: &[Self] = &[Self::X, Self::Rehearsal, Self::Replay];

    /// The name as it stands in the archive and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Rehearsal => "rehearsal",
            Self::Replay => "replay",
        }
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A network's name that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown network {0:?}; known are x, rehearsal and replay")]
pub struct UnknownNetwork(pub String);

impl FromStr for NetworkKind {
    type Err = UnknownNetwork;

    fn from_str(name: &str) -> Result<Self, UnknownNetwork> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or_else(|| UnknownNetwork(name.to_owned()))
    }
}
