//! Logs: for people on a terminal, JSON for programs, on standard error.
//!
//! What a record carries may come from strangers, so every field is escaped, however it was recorded. A log that cannot
//! be written (a closed pipe, a full disk) is dropped: the bot lives on.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    field::MakeExt,
    filter::{FilterExt, filter_fn},
    fmt::{MakeWriter, format::debug_fn},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    config::{Log, LogFormat},
    escape::is_hostile,
};

/// Below these, HTTP libraries log requests with their headers, and so credentials.
const HTTP_TARGETS: [&str; 6] = ["h2", "hyper", "hyper_util", "reqwest", "reqwest_oauth1", "rustls"];

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// One JSON object a line, instead of lines for people.
    pub json: bool,
    /// With colours; never in JSON.
    pub colour: bool,
}

impl Style {
    /// The style for standard error.
    pub fn for_stderr(format: LogFormat, colour: bool) -> Self {
        let json = match format {
            LogFormat::Human => false,
            LogFormat::Json => true,
            LogFormat::Auto => !io::stderr().is_terminal(),
        };
        Self { json, colour: colour && !json }
    }
}

/// A log that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is no list of levels.
    #[error("read log.filter: expected levels by module, such as \"warn,firsthand=debug\"")]
    Filter,
    /// There is one already in this process.
    #[error("start the log: this process has one already")]
    Twice,
}

/// Starts the process's log on standard error. `verbosity` counts `-v` up and `-q` down; 0 takes the configured filter.
///
/// # Errors
/// [`TelemetryError`] if the filter cannot be read, or a log was started before.
pub fn init(log: &Log, style: Style, verbosity: i8) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(filter_for(log, verbosity)).map_err(|_| TelemetryError::Filter)?;
    let writer = move || LineWriter { out: io::stderr(), json: style.json };
    tracing_subscriber::registry().with(layer(style, filter, writer)).try_init().map_err(|_| TelemetryError::Twice)
}

/// The filter that a number of `-v` and `-q` stands for.
fn filter_for(log: &Log, verbosity: i8) -> &str {
    match verbosity {
        0 => &log.filter,
        1 => "info,firsthand=debug",
        2.. => "debug,firsthand=trace",
        -1 => "error,firsthand=warn",
        _ => "error",
    }
}

/// One layer that writes the records of a filter in a style.
fn layer<S, W>(style: Style, filter: EnvFilter, writer: W) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Whatever formatted a value (`%field` passes terminal sequences through), its text is escaped here.
    let fields = debug_fn(|out, field, value| {
        let mut text = String::new();
        write!(text, "{value:?}")?;
        match field.name() {
            "message" => write!(out, "{}", escaped(&text)),
            name => write!(out, "{name}={}", escaped(&text)),
        }
    })
    .delimited(" ");
    // The library reports its own failures with eprintln, which panics when standard error is closed.
    let base = tracing_subscriber::fmt::layer().log_internal_errors(false).with_ansi(style.colour);
    let layer: Box<dyn Layer<S> + Send + Sync> = if style.json {
        Box::new(base.json().flatten_event(true).with_writer(writer))
    } else {
        Box::new(base.fmt_fields(fields).with_target(false).with_writer(writer))
    };
    layer.with_filter(filter.and(filter_fn(may_be_logged)))
}

/// Keeps HTTP libraries' talk about headers out of the log at any verbosity.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !HTTP_TARGETS.contains(&root)
}

/// A text in which every hostile character stands as `\u{…}`, and a line break as `\n`.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            c if is_hostile(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// Writes whole records and never fails.
struct LineWriter<W> {
    out: W,
    /// Escapes what JSON itself leaves as it is: C1 and bidirectional controls. They can only stand inside its strings.
    json: bool,
}

impl<W: Write> Write for LineWriter<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if self.json {
            let mut line = String::with_capacity(record.len());
            let mut units = [0; 2];
            for c in String::from_utf8_lossy(record).chars() {
                match c {
                    '\n' => line.push(c),
                    c if is_hostile(c) => {
                        c.encode_utf16(&mut units).iter().for_each(|unit| line.push_str(&format!("\\u{unit:04x}")));
                    }
                    c => line.push(c),
                }
            }
            let _ = self.out.write_all(line.as_bytes());
        } else {
            let _ = self.out.write_all(record);
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.out.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Collects what is written.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(json: bool, log: impl FnOnce()) -> String {
        let sink = Shared::default();
        let out = sink.clone();
        let style = Style { json, colour: false };
        let everything = EnvFilter::new("trace");
        let writer = move || LineWriter { out: out.clone(), json };
        let subscriber = tracing_subscriber::registry().with(layer(style, everything, writer));
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    /// Clears the screen, reverses the line, forges a second record.
    const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e}evil\n2026 INFO forged";

    #[test]
    fn strangers_text_is_escaped_for_people_however_it_is_recorded() {
        let line = logged(false, || {
            tracing::info!(display = %HOSTILE, debug = ?HOSTILE, plain = HOSTILE, "seen {HOSTILE}");
            let _span = tracing::info_span!("watch", tag = %HOSTILE).entered();
            tracing::info!("inside");
        });
        assert!(line.chars().filter(|c| *c != '\n').all(|c| !is_hostile(c)), "{line:?}");
        assert_eq!(line.lines().count(), 2, "{line:?}");
        assert!(line.contains(r"display=\u{1b}[2J\u{9b}31m\u{202e}evil\n2026"), "{line:?}");
        assert!(line.contains(r"tag=\u{1b}[2J"), "{line:?}");
    }

    #[test]
    fn strangers_text_is_escaped_in_json_and_reads_back_the_same() {
        let line = logged(true, || tracing::info!(display = %HOSTILE, "seen"));
        assert!(line.trim_end().chars().all(|c| !is_hostile(c)), "{line:?}");
        let record: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(record["display"], HOSTILE);
        assert_eq!(record["message"], "seen");
    }

    #[test]
    fn a_closed_pipe_neither_fails_nor_panics() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        for json in [false, true] {
            let mut writer = LineWriter { out: Closed, json };
            writer.write_all(b"a record\n").unwrap();
            writer.flush().unwrap();
        }
    }

    #[test]
    fn http_libraries_do_not_log_headers_at_any_verbosity() {
        let line = logged(false, || {
            tracing::trace!(target: "hyper::proto", "authorization: planted");
            tracing::debug!(target: "h2", "authorization: planted");
            tracing::debug!(target: "firsthand::relay", "kept");
            tracing::warn!(target: "hyper", "kept too");
        });
        assert!(!line.contains("planted") && line.contains("kept") && line.contains("kept too"), "{line}");
    }

    #[test]
    fn every_verbosity_has_a_filter_that_reads() {
        for verbosity in -3..=3 {
            assert!(EnvFilter::try_new(filter_for(&Log::default(), verbosity)).is_ok(), "{verbosity}");
        }
    }
}
