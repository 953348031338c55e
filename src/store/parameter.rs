//! Lists as statement parameters: a page's rows go into one statement as JSON, taken apart by `json_each`.

use serde::Serialize;

use super::StoreError;

/// The rows as JSON text.
///
/// # Errors
/// [`StoreError::BadValue`] for what JSON can't express; none of our rows is such.
pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::bad_value("a statement's parameter", error))
}
