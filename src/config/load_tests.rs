use std::{fs, path::Path};

use super::*;
use crate::{
    config::{LogFormat, UnseenOriginal, load_credentials},
    model::{Handle, Hashtag},
};

/// Stands where a value stands; must never be seen.
const PLANTED: &str = "planted-9d04";

const ACCOUNT: &str = "[[account]]\nwatch = [\"#RustLang\"]\n";

struct Case {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    flags: Flags,
}

impl Case {
    fn new(config: Option<&str>, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(config) = config {
            fs::write(folder.path().join(DEFAULT_FILE), config).unwrap();
        }
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { folder, variables, flags: Flags::default() }
    }

    fn env(&self) -> Environment {
        Environment::new(self.folder.path(), self.variables.clone())
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        load(&self.env(), &self.flags)
    }

    fn settings(&self) -> Settings {
        self.load().unwrap().settings
    }

    fn situation(&self) -> Result<Situation, ConfigError> {
        situation(&self.env(), &self.flags)
    }

    /// The error as it is shown, with the folder's name replaced; proves that no value stands in it.
    fn error(&self) -> String {
        let error = self.situation().unwrap_err();
        let whole = format!("{error:?}{:#}", anyhow::Error::new(self.situation().unwrap_err()));
        assert!(!whole.contains(PLANTED), "a value is shown: {whole}");
        let shown = format!("{:#}", anyhow::Error::new(self.situation().unwrap_err()));
        shown.replace(&self.folder.path().display().to_string(), "FOLDER")
    }
}

#[test]
fn each_layer_goes_before_the_one_below() {
    let file = "[database]\npath = \"file.db\"\n[log]\nformat = \"json\"\n[pace]\nper_hour = 7\n";
    let mut case = Case::new(None, &[]);
    assert_eq!(case.settings(), Settings::default());
    case = Case::new(Some(file), &[]);
    assert_eq!((case.settings().database.path.as_str(), case.settings().pace.per_hour), ("file.db", 7));
    case.variables.push(("FIRSTHAND_DATABASE".into(), "short.db".into()));
    assert_eq!(case.settings().database.path, "short.db");
    case.variables.push(("FIRSTHAND_DATABASE__PATH".into(), "long.db".into()));
    case.variables.push(("FIRSTHAND_PACE__PER_HOUR".into(), "8".into()));
    assert_eq!((case.settings().database.path.as_str(), case.settings().pace.per_hour), ("long.db", 8));
    case.flags.database = Some(":memory:".into());
    case.flags.log_format = Some(LogFormat::Human);
    let settings = case.settings();
    assert!(settings.database.is_memory());
    assert_eq!(settings.log.format, LogFormat::Human);
    assert_eq!(settings.pace.per_hour, 8);
}

#[test]
fn a_file_is_named_by_flag_before_variable() {
    let mut case = Case::new(Some("[pace]\nper_hour = 1\n"), &[("FIRSTHAND_CONFIG", "two.toml")]);
    fs::write(case.folder.path().join("two.toml"), "[pace]\nper_hour = 2\n").unwrap();
    fs::write(case.folder.path().join("three.toml"), "[pace]\nper_hour = 3\n").unwrap();
    assert_eq!(case.settings().pace.per_hour, 2);
    case.flags.config = Some("three.toml".into());
    assert_eq!(case.settings().pace.per_hour, 3);
    assert_eq!(case.load().unwrap().file.as_deref(), Some(Path::new("three.toml")));
}

#[test]
fn digits_in_the_environment_are_text_where_text_is_meant() {
    let case = Case::new(
        None,
        &[
            ("FIRSTHAND_ACCOUNT__NAME", "2026"),
            ("FIRSTHAND_ACCOUNT__WATCH", "2026, #Rust"),
            ("FIRSTHAND_DATABASE__PATH", "0123"),
            ("FIRSTHAND_FILTERS__BLOCKED_AUTHORS", "[\"12345\", 678, ' @Loud ']"),
            ("FIRSTHAND_FILTERS__REPLIES", "TRUE"),
            ("FIRSTHAND_ACCOUNT__DOLLARS_PER_DAY", "2"),
        ],
    );
    let settings = case.settings();
    assert_eq!(settings.account[0].name, "2026");
    assert_eq!(settings.account[0].watch, [Hashtag::new("2026"), Hashtag::new("rust")]);
    assert_eq!(settings.account[0].dollars_per_day.micro(), 2_000_000);
    assert_eq!(settings.database.path, "0123");
    assert_eq!(settings.filters.blocked_authors, ["12345", "678", "loud"].map(Handle::new));
    assert!(settings.filters.replies);
}

#[test]
fn handles_tags_and_languages_are_folded() {
    let file = "[filters]\nlanguages = [\" EN\", \"pt-BR\"]\nblocked_authors = [\" @Loud\", \"quiet\"]\n\
                [[account]]\nwatch = [\"#Rust\", \"rust\", \"＃ＲＵＳＴ\", \"sqlite\"]\nbase_url = \"https://api.x.com/\"\n";
    let settings = Case::new(Some(file), &[]).settings();
    assert_eq!(settings.filters.languages, ["en", "pt-br"]);
    assert_eq!(settings.filters.blocked_authors, ["loud", "quiet"].map(Handle::new));
    assert_eq!(settings.account[0].watch, ["rust", "sqlite"].map(Hashtag::new));
    assert_eq!(settings.account[0].base_url, "https://api.x.com");
}

#[test]
fn a_variable_completes_the_only_account_and_refuses_to_choose_among_several() {
    let variables = [("FIRSTHAND_ACCOUNT__POLL_SECONDS", "90")];
    let settings = Case::new(Some(ACCOUNT), &variables).settings();
    assert_eq!(settings.account.len(), 1);
    assert_eq!((settings.account[0].poll_seconds, settings.account[0].watch.len()), (90, 1));
    let two = format!("{ACCOUNT}{}", ACCOUNT.replace("watch", "name = \"b\"\nwatch"));
    insta::assert_snapshot!(Case::new(Some(&two), &variables).error());
}

#[test]
fn unknown_keys_are_all_named_with_place_and_nearest_key() {
    let file = format!(
        "colour = \"{PLANTED}\"\n[databse]\npath = \"{PLANTED}\"\n[database]\ngrace_seconds = 1\nBusy-Deadline = 2\n\
         [pace]\nwindow_of_opportunity = \"{PLANTED}\"\n[[account]]\nwatch = [\"rust\"]\nconsumer_key = \"{PLANTED}\"\n\
         hashtags = [\"{PLANTED}\"]\n"
    );
    let variables = [
        ("FIRSTHAND_X_CONSUMER_KEI", PLANTED),
        ("FIRSTHAND_PACE__PER_HOURS", PLANTED),
        ("FIRSTHAND_MIAN_ACCESS_TOKEN", PLANTED),
        ("FIRSTHAND_SOMETHING_ELSE_ENTIRELY", PLANTED),
    ];
    insta::assert_snapshot!(Case::new(Some(&file), &variables).error());
}

#[test]
fn values_of_the_wrong_kind_are_all_named_and_never_shown() {
    let file = format!(
        "log = \"{PLANTED}\"\n[database]\nsynchronous = \"{PLANTED}\"\nbusy_deadline_ms = \"{PLANTED}\"\nread_wait_ms = -5\n\
         [dedup]\nmode = 3\n[filters]\nreplies = \"{PLANTED}\"\nblocked_authors = \"{PLANTED}\"\nmax_age_hours = 1.5\n\
         [[account]]\nname = {{ a = \"{PLANTED}\" }}\nwatch = [\"{PLANTED} {PLANTED}\"]\ndollars_per_day = -1\n\
         poll_seconds = 99999999999\n"
    );
    let variables = [("FIRSTHAND_PACE__PER_HOUR", PLANTED), ("FIRSTHAND_DEDUP__UNSEEN_ORIGINAL", PLANTED)];
    insta::assert_snapshot!(Case::new(Some(&file), &variables).error());
}

#[test]
fn settings_that_fit_alone_and_not_together_are_refused() {
    let file = format!(
        "[log]\nfilter = \"{PLANTED}=loud=louder\"\n\
         [[account]]\nname = \"a-b\"\nwatch = []\nbase_url = \"http://api.x.com\"\n\
         [[account]]\nname = \"a_b\"\nwatch = [\"rust\"]\nbase_url = \"https://u:{PLANTED}@api.x.com\"\n\
         [[account]]\nname = \"A Name\"\nwatch = [\"rust\"]\nbase_url = \"https://192.168.0.1\"\ndollars_per_month = 0.01\n"
    );
    insta::assert_snapshot!(Case::new(Some(&file), &[]).error());
}

#[test]
fn broken_toml_is_named_by_line_and_column_without_quoting_the_line() {
    for (file, place) in [
        (format!("[database]\npath = {PLANTED}\n"), "line 2, column 8"),
        (format!("[database]\npath = \"{PLANTED}\n"), "line 2"),
        (format!("[[account]]\nname = \"a\"\n{PLANTED}\n"), "line 3"),
        (format!("[database\npath = \"{PLANTED}\"\n"), "line 1"),
    ] {
        let error = Case::new(Some(&file), &[]).error();
        assert!(error.contains(place), "{error}");
    }
    let case = Case::new(None, &[]);
    fs::write(case.folder.path().join(DEFAULT_FILE), b"[database]\npath = \"\xff\"\n").unwrap();
    assert!(case.error().contains("line 2, column 9: expected UTF-8 text"), "{}", case.error());
}

#[test]
fn a_value_in_any_wrong_form_at_any_key_is_never_shown() {
    let mut refused = 0;
    for key in keys::KEYS {
        let header = if key.section == "account" { ACCOUNT.to_owned() } else { format!("[{}]\n", key.section) };
        let wrong_forms = [
            PLANTED.to_owned(),
            format!("\"{PLANTED}"),
            format!("\"{PLANTED}\" \"{PLANTED}\""),
            format!("\"\\q{PLANTED}\""),
            format!("\"https://u:{PLANTED}@h/?{PLANTED}={PLANTED}\""),
            format!("[\"{PLANTED} {PLANTED}\", 1]"),
            format!("{{ a = \"{PLANTED}\" }}"),
            format!("\"{PLANTED}\"\n{}_ = \"{PLANTED}\"", key.name),
        ];
        for form in wrong_forms {
            let case = Case::new(Some(&format!("{header}{} = {form}\n", key.name)), &[]);
            // Free text takes some of them; `Case::error` proves the rest.
            if case.load().is_err() {
                case.error();
                refused += 1;
            }
        }
        let variable = key.variable();
        let case = Case::new(Some(ACCOUNT), &[(&variable, &format!("{PLANTED} {{{PLANTED}"))]);
        if case.load().is_err() {
            case.error();
            refused += 1;
        }
    }
    assert!(refused > 7 * keys::KEYS.len(), "{refused}");
}

#[test]
fn a_section_of_the_wrong_form_is_refused_with_the_right_one() {
    let error = Case::new(Some("[account]\nwatch = [\"rust\"]\n"), &[]).error();
    assert!(error.contains("[[account]]"), "{error}");
    let error = Case::new(Some("account = [\"a\"]\n"), &[]).error();
    assert!(error.contains("[[account]]"), "{error}");
}

#[test]
fn inline_credentials_work_with_a_warning_and_never_reach_the_settings() {
    let file = format!(
        "{ACCOUNT}name = \"news\"\n[account.credentials]\nconsumer_key = \"{PLANTED}\"\nconsumer_secret = \"b\"\n\
         access_token = \"c\"\naccess_token_secret = \"d\"\n"
    );
    let case = Case::new(Some(&file), &[]);
    let loaded = case.load().unwrap();
    assert!(load_credentials(&case.env(), "news", &loaded.credentials).is_ok());
    assert!(load_credentials(&case.env(), "other", &loaded.credentials).is_err());
    assert!(loaded.warnings[0].contains("firsthand.toml holds credentials of news"), "{:?}", loaded.warnings);
    assert!(!format!("{loaded:?}").contains(PLANTED));
    let one_line = format!("account = [{{ watch = [\"rust\"], credentials = {{ consumer_key = \"{PLANTED}\" }} }}]\n");
    let loaded = Case::new(Some(&one_line), &[]).load().unwrap();
    assert!(!loaded.credentials.is_empty() && !format!("{:?}", loaded.settings).contains(PLANTED));
}

#[test]
fn mistakes_in_inline_credentials_are_named_without_their_values() {
    let file = format!(
        "{ACCOUNT}[account.credentials]\nconsumer_kei = \"{PLANTED}\"\naccess_token = 12\npassword = \"{PLANTED}\"\n"
    );
    insta::assert_snapshot!(Case::new(Some(&file), &[]).error());
    let error = Case::new(Some(&format!("{ACCOUNT}credentials = \"{PLANTED}\"\n")), &[]).error();
    assert!(error.contains("expected a table [account.credentials]"), "{error}");
}

#[test]
fn the_rehearsal_plays_only_if_nothing_at_all_is_configured() {
    assert!(matches!(Case::new(None, &[]).situation(), Ok(Situation::Rehearsal(_))));
    let mut case = Case::new(None, &[("PATH", "/bin"), ("HOME", "/root")]);
    case.flags.database = Some("elsewhere.db".into());
    let Ok(Situation::Rehearsal(loaded)) = case.situation() else { panic!("{:?}", case.situation()) };
    assert_eq!(loaded.settings.database.path, "elsewhere.db");
    assert!(matches!(Case::new(Some(ACCOUNT), &[]).situation(), Ok(Situation::Configured(_))));
    let variables = [("FIRSTHAND_ACCOUNT__WATCH", "#rust")];
    assert!(matches!(Case::new(None, &variables).situation(), Ok(Situation::Configured(_))));
    for (file, variables) in [
        (Some(""), vec![]),
        (None, vec![("FIRSTHAND_DATABASE", "x.db")]),
        (None, vec![("CREDENTIALS_DIRECTORY", "/run/credentials")]),
        (None, vec![("FIRSTHAND_X_CONSUMER_KEY", PLANTED)]),
        (None, vec![("FIRSTHAND_NEWS_ACCESS_TOKEN_SECRET_FILE", PLANTED)]),
    ] {
        let case = Case::new(file, &variables);
        assert!(matches!(case.situation(), Err(ConfigError::NoAccount { .. })), "{file:?} {variables:?}");
        assert!(case.load().is_ok(), "other commands need no account");
    }
}

#[test]
fn credentials_without_a_watch_say_where_it_was_looked_for() {
    let variables = [("FIRSTHAND_X_CONSUMER_KEY", PLANTED), ("CREDENTIALS_DIRECTORY", "/run/credentials/firsthand")];
    insta::assert_snapshot!(Case::new(None, &variables).error());
    let error = Case::new(Some("[pace]\nper_hour = 1\n"), &[]).error();
    assert!(error.contains("the file firsthand.toml has no [[account]]"), "{error}");
}

#[test]
fn a_named_file_that_is_missing_says_where_it_was_looked_for() {
    let mut case = Case::new(Some(ACCOUNT), &[("FIRSTHAND_CONFIG", "absent.toml")]);
    insta::assert_snapshot!(case.error());
    case.flags.config = Some("/nowhere/at/all.toml".into());
    let error = case.error();
    assert!(error.contains("/nowhere/at/all.toml, named by --config: no such file"), "{error}");
    let folder = Case { flags: Flags { config: Some(".".into()), ..Flags::default() }, ..Case::new(None, &[]) };
    assert!(matches!(folder.load(), Err(ConfigError::FileUnreadable { .. })));
}

#[test]
fn every_choice_of_the_table_is_one_of_the_settings_and_the_other_way_round() {
    let originals = Case::new(Some("[dedup]\nunseen_original = \"originals-only\"\n"), &[]).settings();
    assert_eq!(originals.dedup.unseen_original, UnseenOriginal::OriginalsOnly);
    for key in keys::KEYS {
        let keys::Kind::Choice(choices) = key.kind else { continue };
        for choice in choices {
            let section = if key.section == "account" { ACCOUNT.to_owned() } else { format!("[{}]\n", key.section) };
            let case = Case::new(Some(&format!("{section}{} = \"{choice}\"\n", key.name)), &[]);
            case.load().unwrap_or_else(|error| panic!("{} = {choice}: {error}", key.path()));
        }
    }
}
