//! Settings: defaults → file → environment → flags, and the secrets, which are loaded apart from them.
//!
//! No error of this layer ever holds a value, only keys, places and what is expected there: a value may be a secret
//! that stands in the wrong line.

mod environment;
mod error;
mod file;
mod keys;
mod load;
mod nearest;
mod secret_file;
mod secrets;
mod server_url;
mod settings;
mod template;
mod validate;
mod variables;
mod variation;

pub use environment::Environment;
pub use error::{ConfigError, Place, Problem};
pub use keys::{KEYS, Key, Kind};
pub use load::{Flags, Loaded, Situation, load, situation};
pub use secrets::{Credential, Credentials, InlineCredentials, SecretsError, load_credentials};
pub use server_url::{UrlError, check_server_url, is_private_address};
pub use settings::{
    Account, Database, Dedup, Dollars, FieldNaming, Filters, Log, LogFormat, Mode, Pace, Settings, Synchronous,
    UnseenOriginal,
};
pub use template::template;
pub use variation::dedup_in_one_word;
