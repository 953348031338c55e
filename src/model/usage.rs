//! What an account uses up at its network.

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Usage {
    /// A post read.
    Read,
    /// A repost made.
    Repost,
}

impl Usage {
    /// The name as it stands in the archive.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Repost => "repost",
        }
    }
}

/// Something used, or about to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booking {
    /// What.
    pub usage: Usage,
    /// How many.
    pub count: u64,
    /// What they cost together, in millionths of a dollar.
    pub micro_dollars: u64,
    /// The hour that it is booked in, in hours since the Unix epoch.
    pub hour: i64,
}
