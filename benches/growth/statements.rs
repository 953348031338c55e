//! Listens to the statements that a page runs. sqlx tells each to `tracing` when it has ended.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

/// How often a statement ran, and how long together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ran {
    /// How often.
    pub(super) times: usize,
    /// From its start until its last row was taken.
    pub(super) took: Duration,
}

/// The statements heard, by their text.
pub(super) type Heard = BTreeMap<String, Ran>;

/// The listener. While it is not asked to listen, a statement costs what one without a listener costs.
#[derive(Default)]
pub(super) struct Statements {
    listening: AtomicBool,
    /// What was heard since listening began; held for one statement.
    heard: Mutex<Heard>,
}

impl Statements {
    /// Makes the process's listener.
    pub(super) fn listen() -> anyhow::Result<&'static Self> {
        let statements: &'static Self = Box::leak(Box::default());
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Listener(statements)))?;
        Ok(statements)
    }

    /// Begins to listen.
    pub(super) fn start(&self) {
        self.listening.store(true, Ordering::SeqCst);
    }

    /// Ends it, and says what was heard.
    pub(super) fn stop(&self) -> Heard {
        self.listening.store(false, Ordering::SeqCst);
        std::mem::take(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Listener(&'static Statements);

impl Listener {
    fn is_statement(metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked each time, because the answer changes.
        if Self::is_statement(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        Self::is_statement(metadata) && self.0.listening.load(Ordering::Relaxed)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        // A statement of a few words stands in the summary alone.
        let sql = if fields.statement.trim().is_empty() { fields.summary } else { fields.statement };
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = heard.entry(sql.trim().to_owned()).or_default();
        ran.times += 1;
        ran.took += Duration::from_secs_f64(fields.seconds);
    }
}

/// What sqlx says of a statement.
#[derive(Default)]
struct Fields {
    summary: String,
    statement: String,
    seconds: f64,
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
