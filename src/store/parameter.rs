//! Lists on their way into a statement and out of it. A page's rows go in as one JSON parameter, taken apart by
//! `json_each`; many rows come out as one, put together by `json_group_array`, since each row that crosses from the
//! connection's thread costs more than its text.

use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;

/// The rows as JSON text.
///
/// # Errors
/// [`StoreError::BadValue`] for what JSON can't express; none of our rows is such.
pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::bad_value("a statement's parameter", error))
}

/// Rows that came as JSON text.
///
/// # Errors
/// [`StoreError::BadValue`] if they are not what the statement puts together.
pub(super) fn rows<T: DeserializeOwned>(json: &str) -> Result<Vec<T>, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::bad_value("a statement's rows", error))
}
