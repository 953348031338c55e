//! How copies are recognised, said in one word: where it begins, and what is changed. For commands that compare two.

use std::path::Path;

use figment::{
    Figment,
    providers::Serialized,
    value::{Dict, Value},
};

use super::{
    environment::Environment,
    error::{ConfigError, Place, Problem},
    file, keys,
    settings::Dedup,
    validate::{Places, check_layer},
    variables::value_of,
};

/// Reads `word`: a mode's name (with every other key at its default), `configured` (the section as `configured`), or a
/// file whose name ends in `.toml` (its `[dedup]` section); then any number of changes, each `,key=value`, where the keys
/// are those of that section. `place` is what messages call the word's place.
///
/// # Errors
/// [`ConfigError`] if the file can't be read, or keys or values do not fit; no value is shown.
pub fn dedup_in_one_word(
    env: &Environment,
    word: &str,
    configured: &Dedup,
    place: &'static str,
) -> Result<Dedup, ConfigError> {
    let mut parts = word.split(',').map(str::trim);
    let (start, mode) = match parts.next().unwrap_or_default() {
        "configured" => (configured.clone(), None),
        path if path.ends_with(".toml") => (of_file(env, path)?, None),
        mode => (Dedup::default(), Some(("mode", mode))),
    };
    let mut section = Dict::new();
    let mut places = Places::new();
    let mut problems = Vec::new();
    for change in mode.into_iter().map(Ok).chain(parts.map(|part| part.split_once('=').ok_or(part))) {
        let Ok((key, value)) = change else {
            let what = "expected changes of the form key=value, such as near=false".to_owned();
            problems.push(Problem { place: Place::Flag(place), key: "dedup".to_owned(), what });
            continue;
        };
        let path = format!("dedup.{}", key.trim());
        let value = keys::find(&path).map_or_else(|| Value::from(value), |key| value_of(value, key.kind));
        places.insert(path, Place::Flag(place));
        section.insert(key.trim().to_owned(), value);
    }
    let layer = Dict::from([("dedup".to_owned(), Value::from(section))]);
    problems.extend(check_layer(&layer, &places));
    if problems.is_empty() { merged(start, layer) } else { Err(ConfigError::Settings(problems)) }
}

fn of_file(env: &Environment, path: &str) -> Result<Dedup, ConfigError> {
    let file = file::read(&env.resolve(path), Path::new(path))?;
    let problems = check_layer(&file.settings, &file.places);
    if problems.is_empty() { merged(Dedup::default(), file.settings) } else { Err(ConfigError::Settings(problems)) }
}

/// The section `[dedup]` of a layer that was checked, over `start`.
fn merged(start: Dedup, mut layer: Dict) -> Result<Dedup, ConfigError> {
    let section = layer.remove("dedup").unwrap_or_else(|| Value::from(Dict::new()));
    let figment = Figment::from(Serialized::defaults(start)).merge(Serialized::defaults(section));
    // The table of keys has admitted every value; the library's own text quotes values and is dropped.
    figment.extract().map_err(|_| {
        let what = "this key or its value does not fit".to_owned();
        ConfigError::Settings(vec![Problem { place: Place::Default, key: "dedup".to_owned(), what }])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mode, UnseenOriginal};

    fn read(word: &str) -> Result<Dedup, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = "[dedup]\ngrace_seconds = 7\n[log]\nformat = \"json\"\n";
        std::fs::write(folder.path().join("other.toml"), file).unwrap();
        let env = Environment::new(folder.path(), [("", ""); 0]);
        let configured = Dedup { exact: false, ..Dedup::default() };
        dedup_in_one_word(&env, word, &configured, "--compare").map_err(|error| error.to_string())
    }

    #[test]
    fn a_word_says_where_it_begins_and_what_is_changed() {
        assert_eq!(read("balanced"), Ok(Dedup::default()));
        assert_eq!(read("strict"), Ok(Dedup { mode: Mode::Strict, ..Dedup::default() }));
        assert_eq!(read("configured"), Ok(Dedup { exact: false, ..Dedup::default() }));
        let changed = "configured, mode=eager,near=false,forget_after_days=30,unseen_original=originals-only";
        let expected = Dedup {
            mode: Mode::Eager,
            near: false,
            exact: false,
            forget_after_days: 30,
            unseen_original: UnseenOriginal::OriginalsOnly,
            ..Dedup::default()
        };
        assert_eq!(read(changed), Ok(expected));
        assert_eq!(
            read("other.toml,truncated=false"),
            Ok(Dedup { grace_seconds: 7, truncated: false, ..Dedup::default() })
        );
    }

    #[test]
    fn what_does_not_fit_is_named_without_its_value() {
        for (word, named) in [
            ("lenient", "the flag --compare: dedup.mode: expected one of \"strict\", \"balanced\", \"eager\""),
            ("strict,naer=false", "did you mean dedup.near?"),
            ("strict,near=planted", "dedup.near: expected true or false"),
            ("strict,planted", "expected changes of the form key=value"),
            ("strict,forget_after_days=99999", "dedup.forget_after_days: expected a whole number of days"),
            ("missing.toml", "read the configuration file missing.toml"),
        ] {
            let error = read(word).unwrap_err();
            assert!(error.contains(named) && !error.contains("planted"), "{word}: {error}");
        }
    }
}
