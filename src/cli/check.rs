//! `firsthand check`: says whether everything fits, without posting. Here: configuration and credentials.

use std::io::Write;

use serde::Serialize;

use super::{Exit, style};
use crate::config::{
    Account, ConfigError, Environment, Flags, Loaded, Situation, check_server_url, load_credentials, situation,
};

/// How a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In order.
    Ok,
    /// It works, and should be changed.
    Warning,
    /// It does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub state: State,
    /// In words; for a failure, with the next step.
    pub detail: String,
    /// The exit code that a failure asks for.
    #[serde(skip)]
    exit: Exit,
}

/// Everything that was looked at.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// In the order of looking.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Adds something that is in order.
    pub fn ok(&mut self, subject: impl Into<String>, detail: impl Into<String>) {
        self.push(subject.into(), State::Ok, detail.into(), Exit::Ok);
    }

    /// Adds something that works, and should be changed.
    pub fn warn(&mut self, subject: impl Into<String>, detail: impl Into<String>) {
        self.push(subject.into(), State::Warning, detail.into(), Exit::Ok);
    }

    /// Adds something that does not work, with its whole chain of causes.
    pub fn fail(&mut self, subject: impl Into<String>, error: &anyhow::Error) {
        let exit = match Exit::of(error) {
            Exit::Ok => Exit::Failed,
            exit => exit,
        };
        self.push(subject.into(), State::Failed, format!("{error:#}"), exit);
    }

    fn push(&mut self, subject: String, state: State, detail: String, exit: Exit) {
        self.findings.push(Finding { subject, state, detail, exit });
    }

    /// The code of the first failure, or [`Exit::Ok`].
    pub fn exit(&self) -> Exit {
        self.findings.iter().map(|finding| finding.exit).find(|exit| *exit != Exit::Ok).unwrap_or(Exit::Ok)
    }

    /// Prints the report, as lines or as one JSON object.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn print(&self, out: &mut dyn Write, json: bool) -> std::io::Result<()> {
        if json {
            let report = serde_json::json!({ "ok": self.exit() == Exit::Ok, "findings": self.findings });
            return writeln!(out, "{report:#}");
        }
        for finding in &self.findings {
            let mark = match finding.state {
                State::Ok => style::paint(style::GOOD, "ok      "),
                State::Warning => style::paint(style::WAITING, "warning "),
                State::Failed => style::paint(style::BAD, "failed  "),
            };
            let detail = style::escape_lines_for_terminal(&finding.detail).replace('\n', "\n          ");
            writeln!(out, "{mark}  {}: {detail}", style::escape_for_terminal(&finding.subject))?;
        }
        Ok(())
    }
}

/// Looks at configuration and credentials. Returns what is configured, if it can be used, so that a caller can go on to
/// the database and the networks.
pub fn configuration(env: &Environment, flags: &Flags, report: &mut Report) -> Option<Situation> {
    let situation = match situation(env, flags) {
        Ok(situation) => situation,
        Err(error) => {
            report.fail(subject_of(&error), &error.into());
            return None;
        }
    };
    match &situation {
        Situation::Rehearsal(_) => {
            report.ok("configuration", "none, so `firsthand run` plays the rehearsal; `firsthand init` writes one");
        }
        Situation::Configured(loaded) => configured(env, loaded, report),
    }
    Some(situation)
}

fn subject_of(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::NoAccount { .. } => "accounts",
        _ => "configuration",
    }
}

fn configured(env: &Environment, loaded: &Loaded, report: &mut Report) {
    match &loaded.file {
        Some(path) => report.ok("configuration", path.display().to_string()),
        None => report.ok("configuration", "from the environment alone"),
    }
    for warning in &loaded.warnings {
        report.warn("configuration", warning.as_str());
    }
    for account in &loaded.settings.account {
        let name = &account.name;
        report.ok(format!("account {name}"), describe(account));
        match load_credentials(env, name, &loaded.credentials) {
            Ok(_) => report.ok(format!("credentials of {name}"), "all four are there"),
            Err(error) => report.fail(format!("credentials of {name}"), &error.into()),
        }
    }
}

fn describe(account: &Account) -> String {
    let tags: Vec<_> = account.watch.iter().map(|tag| format!("#{tag}")).collect();
    // Host only: the settings were checked, and a path adds nothing.
    let host = check_server_url(&account.base_url, account.allow_private)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default();
    format!(
        "watches {} on {} ({host}), every {} s, at most {} a day and {} a month",
        tags.join(", "),
        account.network,
        account.poll_seconds,
        style::dollars(account.dollars_per_day.micro()),
        style::dollars(account.dollars_per_month.micro()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANTED: &str = "planted-55aa";

    fn check(config: Option<&str>, variables: &[(&str, &str)]) -> (String, String, Exit) {
        let folder = tempfile::tempdir().unwrap();
        if let Some(config) = config {
            std::fs::write(folder.path().join("firsthand.toml"), config).unwrap();
        }
        let env = Environment::new(folder.path(), variables.iter().copied());
        let mut report = Report::default();
        configuration(&env, &Flags::default(), &mut report);
        let print = |json| {
            let mut out = Vec::new();
            report.print(&mut out, json).unwrap();
            let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
            text.replace(&folder.path().display().to_string(), "FOLDER")
        };
        (print(false), print(true), report.exit())
    }

    #[test]
    fn a_whole_configuration_is_in_order() {
        let variables = [
            ("FIRSTHAND_X_CONSUMER_KEY", PLANTED),
            ("FIRSTHAND_X_CONSUMER_SECRET", PLANTED),
            ("FIRSTHAND_X_ACCESS_TOKEN", PLANTED),
            ("FIRSTHAND_X_ACCESS_TOKEN_SECRET", PLANTED),
        ];
        let (text, json, exit) =
            check(Some("[[account]]\nname = \"news\"\nwatch = [\"#Rust\", \"sqlite\"]\n"), &variables);
        assert_eq!(exit, Exit::Ok, "{text}");
        insta::assert_snapshot!(text);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["ok"], true);
        assert_eq!(json["findings"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn missing_credentials_are_a_failure_of_their_own_code() {
        let (text, json, exit) =
            check(Some("[[account]]\nwatch = [\"rust\"]\n"), &[("FIRSTHAND_X_CONSUMER_KEY", PLANTED)]);
        assert_eq!(exit, Exit::Network);
        assert!(text.contains("missing consumer_secret, access_token, access_token_secret"), "{text}");
        assert!(!text.contains(PLANTED) && !json.contains(PLANTED), "{text}{json}");
    }

    #[test]
    fn no_configuration_means_the_rehearsal() {
        let (text, _, exit) = check(None, &[]);
        assert_eq!(exit, Exit::Ok);
        assert!(text.contains("rehearsal"), "{text}");
    }

    #[test]
    fn a_wrong_configuration_fails_with_its_own_code() {
        let (text, _, exit) = check(Some("[databse]\npath = \"x\"\n"), &[]);
        assert_eq!(exit, Exit::Configuration);
        assert!(text.contains("did you mean database?"), "{text}");
    }
}
