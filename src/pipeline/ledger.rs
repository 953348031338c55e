//! The ledger of an account's usage, kept in the archive so that a restart forgets nothing.

use async_trait::async_trait;

use crate::{
    model::{AccountId, Booking, TimeMs},
    network::{
        NetworkError,
        ledger::{Caps, Ledger, Periods, Spent},
    },
    store::{Store, StoreError, counters, lock::WriteLock},
};

/// Books an account's usage in the archive.
#[derive(Clone, Debug)]
pub struct StoreLedger<L: WriteLock> {
    store: Store<L>,
    account: AccountId,
}

impl<L: WriteLock> StoreLedger<L> {
    /// The ledger of one account.
    pub fn new(store: Store<L>, account: AccountId) -> Self {
        Self { store, account }
    }

    /// What the account has used up in the periods around `now`.
    ///
    /// # Errors
    /// Any [`StoreError`] of the database.
    pub async fn spent(&self, now: TimeMs) -> Result<Spent, StoreError> {
        let account = self.account;
        self.store
            .read("read the ledger", move |conn| {
                Box::pin(async move {
                    let booked = counters::booked(conn, account, Periods::at(now).month).await?;
                    Ok(Spent::sum(booked, now))
                })
            })
            .await
    }
}

#[async_trait]
impl<L: WriteLock> Ledger for StoreLedger<L> {
    async fn reserve(&self, entry: Booking, caps: &Caps, now: TimeMs) -> Result<(), NetworkError> {
        let (account, caps) = (self.account, *caps);
        self.store
            .write("book what a call may cost", move |conn| {
                Box::pin(async move {
                    let booked = counters::booked(conn, account, Periods::at(now).month).await?;
                    let admitted = caps.admit(&Spent::sum(booked, now), &entry, now);
                    if admitted.is_ok() {
                        counters::book(conn, account, entry).await?;
                    }
                    Ok(admitted)
                })
            })
            .await
            .map_err(unbooked)?
    }

    async fn settle(&self, reserved: Booking, used: Booking) -> Result<(), NetworkError> {
        let account = self.account;
        self.store
            .write("book what a call cost", move |conn| {
                Box::pin(async move { counters::correct(conn, account, reserved, used).await })
            })
            .await
            .map_err(unbooked)
    }
}

/// Nothing may be spent unbooked, so the call waits until the archive can be written again.
fn unbooked(error: StoreError) -> NetworkError {
    NetworkError::Transient(format!("its cost can't be booked: {error}"))
}
