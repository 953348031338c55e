//! From the settings to what the pipeline works with.

use std::{sync::Arc, time::Duration};

use rand::{SeedableRng, rngs::StdRng};

use crate::{
    config::{self, Environment},
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{Clock, NetworkKind},
    network::{
        Network,
        capped::{CapSettings, Capped, Prices},
        ledger::Caps,
        rate_limit::{RateBoard, RateLimited},
        retry::{RetryPolicy, Retrying, TokioSleeper},
        x::{FieldNames, X, XConfig, XCredentials},
    },
    pipeline::{ledger::StoreLedger, relay::Pace, replay::Policy},
    store::{Location, OpenOptions, Synchronous, WriteLock},
    telemetry::{self, TelemetryError},
    text::limits::{BALANCED, EAGER, STRICT},
};

/// Starts the log of this process; a log that was started before goes on.
///
/// # Errors
/// If the configured filter can't be read.
pub fn start_log(log: &config::Log, verbosity: i8) -> anyhow::Result<()> {
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    match telemetry::init(log, telemetry::Style::for_stderr(log.format, colour), verbosity) {
        Ok(()) | Err(TelemetryError::Twice) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The store's options as configured.
pub fn open_options(database: &config::Database, env: &Environment) -> OpenOptions {
    let location = match database.path.as_str() {
        ":memory:" => Location::Memory,
        path => Location::File(env.resolve(path)),
    };
    OpenOptions {
        synchronous: match database.synchronous {
            config::Synchronous::Full => Synchronous::Full,
            config::Synchronous::Normal => Synchronous::Normal,
        },
        deadline_ms: database.busy_deadline_ms,
        read_wait_ms: database.read_wait_ms,
        ..OpenOptions::new(location)
    }
}

/// X with its wrappers.
///
/// # Errors
/// If the account's settings can't be used.
pub fn x<L: WriteLock>(
    settings: &config::Account,
    pace: &config::Pace,
    credentials: config::Credentials,
    ledger: StoreLedger<L>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn Network>> {
    anyhow::ensure!(settings.network == NetworkKind::X, "set up account {:?}: it is on no real network", settings.name);
    let config::Credentials { consumer_key, consumer_secret, access_token, access_token_secret } = credentials;
    let credentials = XCredentials { consumer_key, consumer_secret, access_token, access_token_secret };
    let config = XConfig {
        base_url: settings.base_url.clone(),
        allow_private: settings.allow_private,
        fields: match settings.fields {
            config::FieldNaming::Tweet => FieldNames::Tweet,
            config::FieldNaming::Post => FieldNames::Post,
        },
        page_size: page_size(settings),
        ..XConfig::default()
    };
    let micro = |dollars: config::Dollars| u64::try_from(dollars.micro()).unwrap_or(0);
    let caps = CapSettings {
        caps: Caps {
            reposts_per_hour: Some(pace.per_hour.into()),
            reposts_per_day: Some(pace.per_day.into()),
            micro_dollars_per_day: Some(micro(settings.dollars_per_day)),
            micro_dollars_per_month: Some(micro(settings.dollars_per_month)),
        },
        prices: Prices {
            read_micro_dollars: micro(settings.read_price_dollars),
            repost_micro_dollars: micro(settings.repost_price_dollars),
        },
        reads_per_page: config.most_reads_per_page(),
        reads_per_lookup: config.most_reads_per_lookup(),
    };
    let rates = Arc::new(RateBoard::default());
    let adapter = X::new(&config, credentials, rates.clone(), clock.clone(), random())?;
    let limited = RateLimited::new(adapter, rates, clock.clone());
    let capped = Capped::new(limited, ledger, caps, clock.clone());
    Ok(Arc::new(Retrying::new(capped, RetryPolicy::default(), clock, Arc::new(TokioSleeper), random())))
}

/// How many posts a page has: as many as X gives, but no more than a quarter of the daily budget pays for. What a page
/// may cost is booked before it is asked for, and each post may bring along two others.
fn page_size(settings: &config::Account) -> u32 {
    let price = settings.read_price_dollars.micro().max(1);
    let affordable = settings.dollars_per_day.micro() / 4 / (3 * price);
    u32::try_from(affordable.clamp(10, 100)).unwrap_or(100)
}

/// The filters as configured.
pub fn filters(settings: &config::Filters) -> Filters {
    Filters {
        blocked_authors: settings.blocked_authors.iter().cloned().collect(),
        languages: settings.languages.clone(),
        replies: settings.replies,
        sensitive: settings.sensitive,
        max_age: Some(Duration::from_secs(settings.max_age_hours * 3600)),
        ..Filters::default()
    }
}

/// How copies are recognised, as configured.
pub fn dedup(settings: &config::Dedup) -> DedupPolicy {
    let days = settings.forget_after_days;
    DedupPolicy {
        thresholds: match settings.mode {
            config::Mode::Strict => STRICT,
            config::Mode::Balanced => BALANCED,
            config::Mode::Eager => EAGER,
        },
        attribution: settings.attribution,
        exact: settings.exact,
        truncated: settings.truncated,
        near: settings.near,
        forget_after: (days > 0).then(|| Duration::from_secs(days * 86_400)),
    }
}

/// What a replay decides by, as configured.
pub fn replay_policy(settings: &config::Dedup) -> Policy {
    Policy {
        dedup: dedup(settings),
        grace: Duration::from_secs(settings.grace_seconds),
        unseen_original: unseen_original(settings.unseen_original),
    }
}

/// The sharing policy as configured.
pub fn sharing(settings: &config::Dedup) -> SharingPolicy {
    SharingPolicy {
        grace: Duration::from_secs(settings.grace_seconds),
        unseen_original: unseen_original(settings.unseen_original),
        replayed_is_shared: true,
    }
}

/// What happens to copies without an original, as configured.
pub fn unseen_original(setting: config::UnseenOriginal) -> UnseenOriginal {
    match setting {
        config::UnseenOriginal::RepostCopy => UnseenOriginal::RepostCopy,
        config::UnseenOriginal::OriginalsOnly => UnseenOriginal::OriginalsOnly,
    }
}

/// The pace as configured.
pub fn pace(settings: &config::Pace) -> Pace {
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    Pace {
        min_gap: Duration::from_secs(settings.min_gap_seconds),
        per_hour: count(settings.per_hour),
        per_day: count(settings.per_day),
        author_per_hour: count(settings.author_per_hour),
        author_per_day: count(settings.author_per_day),
    }
}

/// Randomness from the operating system; everything below takes it as an argument.
#[expect(clippy::disallowed_methods, reason = "the one place where it comes from")]
pub fn random() -> StdRng {
    StdRng::from_rng(&mut rand::rng())
}
