//! The binary, in a folder and with an environment of its own.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::fake_x::{ACCESS_TOKEN, ACCESS_TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET, FakePost, FakeX, Route};

use super::invented::{author, dispatch};

/// The credentials that the fake accepts, by name.
const CREDENTIALS: [(&str, &str); 4] = [
    ("CONSUMER_KEY", CONSUMER_KEY),
    ("CONSUMER_SECRET", CONSUMER_SECRET),
    ("ACCESS_TOKEN", ACCESS_TOKEN),
    ("ACCESS_TOKEN_SECRET", ACCESS_TOKEN_SECRET),
];

/// How long anything may take on a machine that does much else.
const LONGEST: Duration = Duration::from_secs(60);

/// Where a bot lives: a folder with its configuration, and its environment.
pub(crate) struct Home {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    /// An empty folder and an empty environment.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: BTreeMap::new() }
    }

    /// A bot that is configured for the fake, with its credentials in the environment.
    pub(crate) fn on(fake: &FakeX) -> Self {
        // The network's limits are not what these tests are about.
        for route in [Route::Me, Route::Search, Route::Repost] {
            fake.limit(route, 100_000);
        }
        let mut home = Self::empty();
        let config = format!(
            "[dedup]\ngrace_seconds = 1\n\n[pace]\nmin_gap_seconds = 0\nper_hour = 200\nper_day = 4800\n\n\
             [[account]]\nname = \"main\"\nbase_url = \"{}\"\nallow_private = true\nwatch = [\"#FirstHand\"]\n\
             backfill_hours = 12\npoll_seconds = 5\ndollars_per_day = 1000\ndollars_per_month = 1000\n",
            fake.base_url()
        );
        fs::write(home.path("firsthand.toml"), config).unwrap();
        for (name, value) in CREDENTIALS {
            home.set(&format!("FIRSTHAND_X_{name}"), value);
        }
        home
    }

    /// Moves the credentials from the environment into files.
    pub(crate) fn keep_credentials_in_files(&mut self) {
        for (name, value) in CREDENTIALS {
            self.variables.remove(&format!("FIRSTHAND_X_{name}"));
            let file = self.path(&format!("{name}.secret"));
            fs::write(&file, format!("{value}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            self.set(&format!("FIRSTHAND_MAIN_{name}_FILE"), &file.display().to_string());
        }
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.variables.insert(variable.to_owned(), value.to_owned());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("firsthand.db")
    }

    /// Starts the binary.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsthand"));
        command.args(args);
        self.start_command(command)
    }

    /// Starts the binary where no file may grow beyond so many blocks of 512 bytes.
    pub(crate) fn start_where_files_stay_small(&self, blocks: u32, args: &[&str]) -> Running {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -f {blocks} && exec \"$0\" \"$@\""));
        command.arg(env!("CARGO_BIN_EXE_firsthand")).args(args);
        self.start_command(command)
    }

    fn start_command(&self, mut command: Command) -> Running {
        let streams = tempfile::tempdir().unwrap();
        let stream = |name: &str| Stdio::from(File::create(streams.path().join(name)).unwrap());
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(stream("out"))
            .stderr(stream("err"));
        Running { child: command.spawn().unwrap(), streams }
    }

    /// Runs the binary to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        self.start(args).end().await
    }

    /// Runs the binary to its end, which has to be a good one.
    pub(crate) async fn run_well(&self, args: &[&str]) -> Ran {
        let ran = self.run(args).await;
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran
    }
}

/// A process that runs; it is killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// Where its output goes: files, so that it never waits for a reader.
    streams: TempDir,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub(crate) fn out(&self) -> String {
        fs::read_to_string(self.streams.path().join("out")).unwrap()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Tells it to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Kills it, without a chance to do anything.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Ran {
        let child = &mut self.child;
        let mut status = None;
        eventually("the process ends", || {
            status = child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        let read = |name: &str| String::from_utf8(fs::read(self.streams.path().join(name)).unwrap()).unwrap();
        Ran { code: status.unwrap().code(), out: read("out"), err: read("err") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LONGEST, "not within {LONGEST:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Publishes invented posts of just now, the first the oldest, and returns their ids.
pub(crate) fn publish(fake: &FakeX, numbers: std::ops::Range<usize>) -> Vec<String> {
    let newest = fake.now();
    numbers
        .clone()
        .map(|number| {
            let seconds = u64::try_from(numbers.end - number).unwrap();
            let at = Some(newest.minus(Duration::from_secs(seconds)));
            fake.post(FakePost { at, ..FakePost::new(&author(number), &dispatch(number)) })
        })
        .collect()
}

/// Asserts that exactly these posts were reposted, each once.
#[track_caller]
pub(crate) fn assert_reposted(fake: &FakeX, posts: &[String], told: &str) {
    let (mut effects, mut wanted) = (fake.effects(), posts.to_vec());
    effects.sort();
    wanted.sort();
    assert_eq!(effects, wanted, "{told}");
}

/// The content of a file.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}
