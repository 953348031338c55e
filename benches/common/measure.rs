//! What is measured, and how it is told.

use std::{fs, time::Duration};

use firsthand::store::{DefaultLock, WriteLock};

/// The CPU time that all threads of this process have used: sqlx works on threads of its own.
pub(crate) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The time that has passed since a moment, on the wall and on the CPU.
pub(crate) struct Stopwatch {
    wall: std::time::Instant,
    cpu: Duration,
}

/// What a [`Stopwatch`] shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elapsed {
    /// On the wall.
    pub(crate) wall: Duration,
    /// On the CPU, all threads together.
    pub(crate) cpu: Duration,
}

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self { wall: std::time::Instant::now(), cpu: cpu_time() }
    }

    /// What has passed until now.
    pub(crate) fn elapsed(&self) -> Elapsed {
        Elapsed { wall: self.wall.elapsed(), cpu: cpu_time().saturating_sub(self.cpu) }
    }
}

/// A line of `/proc/self/status`, in bytes; `None` where there is no such file.
fn status_bytes(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The memory that this process holds now, in bytes.
pub(crate) fn resident_bytes() -> Option<u64> {
    status_bytes("VmRSS")
}

/// The machine and what runs on it, the locking strategy included, in one line.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| {
        let line = info.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.as_deref().and_then(|load| load.split(' ').next()).unwrap_or("unknown");
    format!(
        "{cores} cores ({}), {} {}, SQLite {}, {}, load at the end {load}",
        cpu.as_deref().unwrap_or("unknown"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        rusqlite::version(),
        DefaultLock::NAME,
    )
}

/// A table in Markdown: the first column to the left, the others to the right.
pub(crate) fn markdown(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).filter_map(width).collect();
    let mut out = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            out += &if column == 0 { format!("| {cell:width$} |") } else { format!(" {cell:>width$} |") };
        }
        out.push('\n');
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let line = "-".repeat(width + 1);
                out += &if column == 0 { format!("|{line}-|") } else { format!("{line}:|") };
            }
            out.push('\n');
        }
    }
    out
}
