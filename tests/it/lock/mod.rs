//! One suite for the locking strategies, run on both.

/// Declares each generic test once for each strategy.
macro_rules! on_both_strategies {
    ($($name:ident),* $(,)?) => {
        mod timeout_retry {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name::<firsthand::store::TimeoutRetry>().await;
            })*
        }
        mod single_writer {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name::<firsthand::store::SingleWriter>().await;
            })*
        }
    };
}

pub(crate) use on_both_strategies;

mod contention;
mod endings;
mod opening;
mod support;
mod writing;
