use std::{fs, path::Path};

use super::*;

const PLANTED: &str = "planted-7c1e";

fn environment(folder: &Path, variables: &[(&str, &str)]) -> Environment {
    Environment::new(folder, variables.iter().map(|(name, value)| (*name, *value)))
}

fn secret_file(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[test]
fn each_place_goes_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    secret_file(&file, "from-file\n");
    fs::create_dir(folder.path().join("credentials")).unwrap();
    let inline = BTreeMap::from([(Credential::ConsumerKey, SecretString::from("from-configuration"))]);
    let inline = InlineCredentials(BTreeMap::from([("news".to_owned(), inline)]));
    let mut variables = vec![];
    let mut expected = vec!["from-configuration"];
    variables.push(("FIRSTHAND_X_CONSUMER_KEY", "from-network"));
    variables.push(("FIRSTHAND_NEWS_CONSUMER_KEY", "from-account"));
    variables.push(("FIRSTHAND_X_CONSUMER_KEY_FILE", "key"));
    expected.extend(["from-network", "from-account", "from-file"]);
    for (count, expected) in expected.into_iter().enumerate() {
        let env = environment(folder.path(), &variables[..count]);
        let found = find(&env, "news", Credential::ConsumerKey, &inline).unwrap().unwrap();
        assert_eq!(found.expose_secret(), expected);
    }
    variables.push(("CREDENTIALS_DIRECTORY", "credentials"));
    let env = environment(folder.path(), &variables);
    let find = || find(&env, "news", Credential::ConsumerKey, &inline).unwrap().unwrap();
    assert_eq!(find().expose_secret(), "from-file");
    fs::write(folder.path().join("credentials/news.consumer_key"), "from-supervisor").unwrap();
    assert_eq!(find().expose_secret(), "from-supervisor");
}

#[test]
fn all_four_from_the_environment_are_loaded_also_if_they_are_digits() {
    let folder = tempfile::tempdir().unwrap();
    let env = environment(
        folder.path(),
        &[
            ("FIRSTHAND_MY_BOT_CONSUMER_KEY", "12345"),
            ("FIRSTHAND_X_CONSUMER_SECRET", "b"),
            ("FIRSTHAND_X_ACCESS_TOKEN", "c"),
            ("FIRSTHAND_X_ACCESS_TOKEN_SECRET", " d\n"),
        ],
    );
    let loaded = load_credentials(&env, "my-bot", &InlineCredentials::default()).unwrap();
    assert_eq!(loaded.consumer_key.expose_secret(), "12345");
    assert_eq!(loaded.access_token_secret.expose_secret(), "d");
    let shown = format!("{loaded:?}{env:?}");
    assert!(!shown.contains("12345"), "{shown}");
}

#[test]
fn missing_ones_are_listed_with_every_place() {
    let env = environment(Path::new("/nowhere"), &[("FIRSTHAND_X_CONSUMER_KEY", PLANTED)]);
    let error = load_credentials(&env, "main", &InlineCredentials::default()).unwrap_err();
    insta::assert_snapshot!(error);
}

#[test]
fn an_unusable_value_is_named_by_its_place_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let spaced = format!("{PLANTED} {PLANTED}");
    for value in ["", "  \n", &spaced, "plänted"] {
        let env = environment(folder.path(), &[("FIRSTHAND_X_ACCESS_TOKEN", value)]);
        let error = find(&env, "main", Credential::AccessToken, &InlineCredentials::default()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("FIRSTHAND_X_ACCESS_TOKEN"), "{shown}");
        assert!(!shown.contains(PLANTED) && !shown.contains("plänted"), "{shown}");
    }
}

#[test]
fn a_named_file_that_is_missing_or_open_is_refused_and_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let variables = [("FIRSTHAND_X_ACCESS_TOKEN_FILE", "key"), ("FIRSTHAND_X_ACCESS_TOKEN", PLANTED)];
    let env = environment(folder.path(), &variables);
    let find = || find(&env, "main", Credential::AccessToken, &InlineCredentials::default());
    assert!(find().unwrap_err().to_string().contains("does not exist"));
    secret_file(&path, PLANTED);
    assert_eq!(find().unwrap().unwrap().expose_secret(), PLANTED);
    #[cfg(unix)]
    {
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        let error = find().unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains(PLANTED), "{error}");
    }
}
