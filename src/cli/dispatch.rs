//! From the arguments to a command, and from its result to an exit code.

use std::{ffi::OsString, io::Write};

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Exit,
    args::{Args, Command},
    author, check_network, explain, init, migrate, open, replay,
    screen::Screen,
    search, setup, status, style,
};
use crate::{
    config::{Environment, load},
    model::{Clock, SystemClock},
    store::{DefaultLock, Store},
};

/// Parses the arguments, runs the command on this process's streams and reports a failure in words.
pub fn run(args: impl IntoIterator<Item = OsString>, env: &Environment) -> Exit {
    let parsed = Args::try_parse_from(args);
    if let Ok(args) = &parsed {
        // Before the streams are made: a stream decides about colours once.
        style::choose_colours(args.global.color);
    }
    run_on(parsed, env, &mut anstream::stdout(), &mut anstream::stderr())
}

/// Coloured text goes to `out` and `err`, which take the colours out where they do not belong.
fn run_on(parsed: Result<Args, clap::Error>, env: &Environment, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let args = match parsed {
        Ok(args) => args,
        Err(error) => return show_usage(&error, out, err),
    };
    match command(&args, env, out, err) {
        Ok(exit) => exit,
        Err(error) => report(&error, err),
    }
}

fn command(args: &Args, env: &Environment, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Init(init) => init::run(init, env, out),
        Command::Run(run) => block_on(super::run::run(run, &args.global, env, out)),
        Command::Replay(replay) => block_on(replay::run(replay, &args.global, env, out, err)),
        Command::Check(check) => block_on(check_network::run(check, &args.global, env, out)),
        Command::Migrate(_) => block_on(async {
            let loaded = load(env, &args.global.flags())?;
            setup::start_log(&loaded.settings.log, args.global.verbosity())?;
            migrate::run::<DefaultLock>(setup::open_options(&loaded.settings.database, env), out).await
        }),
        Command::Search(_) | Command::Explain(_) | Command::Author(_) | Command::Status(_) => {
            block_on(read(args, env, out))
        }
    }
}

/// Runs a command that reads the archive.
async fn read(args: &Args, env: &Environment, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let loaded = load(env, &args.global.flags())?;
    setup::start_log(&loaded.settings.log, args.global.verbosity())?;
    let store: Store = open::existing(env, &loaded.settings.database).await?;
    let (now, screen) = (SystemClock.now(), Screen::of_stdout());
    let result = match &args.command {
        Command::Search(search) => search::run(search, &store, now, &screen, out).await,
        Command::Explain(explain) => {
            explain::run(explain, &store, &setup::dedup(&loaded.settings.dedup), now, &screen, out).await
        }
        Command::Author(author) => author::run(author, &store, now, &screen, out).await,
        Command::Status(status) => status::run(status, &store, now, &screen, out).await,
        _ => Ok(Exit::Ok),
    };
    let closed = store.close().await;
    let exit = result?;
    closed?;
    Ok(exit)
}

fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(async {
        // Without a listener, a write beyond a file size limit (`ulimit -f`, systemd's LimitFSIZE=) would end the process
        // without a word; with it, the write fails as on a full disk.
        let too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        let _listener = signal(too_large).context("listen to signals")?;
        command.await
    })
}

/// Help and version are answers and go to `out`; everything else is a mistake.
fn show_usage<'a>(error: &clap::Error, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Exit {
    let text = error.render();
    let (stream, exit): (&mut dyn Write, _) = if error.use_stderr() { (err, Exit::Usage) } else { (out, Exit::Ok) };
    // A closed pipe is no reason for another message.
    let _ = write!(stream, "{}", text.ansi());
    exit
}

/// Tells what failed, with the whole chain of causes, and returns the exit code.
pub fn report(error: &anyhow::Error, err: &mut dyn Write) -> Exit {
    let exit = Exit::of(error);
    if exit != Exit::Ok {
        let text = style::escape_lines_for_terminal(&in_words(error));
        let _ = writeln!(err, "{}: failed to {text}", style::paint(style::BAD, "firsthand"));
    }
    exit
}

/// The error and its causes, without those whose words the one before has told already.
fn in_words(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |told, cause| {
        let cause = cause.to_string();
        match () {
            () if told.is_empty() => cause,
            () if told.ends_with(&cause) => told,
            () => format!("{told}: {cause}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_in(folder: &std::path::Path, line: &str) -> (Exit, String, String) {
        let env = Environment::new(folder, [("", ""); 0]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_on(Args::try_parse_from(line.split_whitespace()), &env, &mut out, &mut err);
        let text = |bytes: Vec<u8>| anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string();
        (exit, text(out), text(err))
    }

    #[test]
    fn help_and_version_are_answers_and_nonsense_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let (exit, out, err) = run_in(folder.path(), "firsthand --help");
        assert_eq!((exit, err.as_str()), (Exit::Ok, ""));
        assert!(out.contains("Exit codes:"), "{out}");
        assert_eq!(run_in(folder.path(), "firsthand --version").0, Exit::Ok);
        let (exit, out, err) = run_in(folder.path(), "firsthand serch rust");
        assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
        assert!(err.contains("'search'"), "{err}");
    }

    #[test]
    fn reading_commands_ask_for_an_archive_and_say_what_is_not_in_it() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["firsthand status", "firsthand search tide", "firsthand author ann", "firsthand explain 1"] {
            let (exit, out, err) = run_in(folder.path(), line);
            assert_eq!((exit, out.as_str()), (Exit::Database, ""), "{line}");
            assert!(err.contains("there is no such database"), "{line}: {err}");
        }
        std::fs::write(folder.path().join("rehearsal.db"), "").unwrap();
        let (_, _, err) = run_in(folder.path(), "firsthand status");
        assert!(err.contains("--database rehearsal.db"), "{err}");

        for database in ["", "--database :memory: "] {
            assert_eq!(run_in(folder.path(), &format!("firsthand {database}migrate")).0, Exit::Ok);
            let run = |line: &str| run_in(folder.path(), &format!("firsthand {database}{line}"));
            assert_eq!(run("search tide").0, Exit::Ok);
            let (exit, _, err) = run("author @ann");
            assert_eq!(exit, Exit::NotFound);
            assert_eq!(err, "firsthand: failed to show the author: author @ann isn't in the archive\n");
            assert_eq!(run("explain 1").0, Exit::NotFound);
            let (exit, out, _) = run("status");
            assert_eq!(exit, Exit::Ok);
            assert!(out.contains("No account has run on this archive yet."), "{out}");
        }
    }

    #[test]
    fn a_written_configuration_passes_its_check_up_to_the_credentials() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(run_in(folder.path(), "firsthand init").0, Exit::Ok);
        let (exit, out, _) = run_in(folder.path(), "firsthand check");
        assert_eq!(exit, Exit::Network, "{out}");
        let (exit, _, err) = run_in(folder.path(), "firsthand init");
        assert_eq!(exit, Exit::Failed);
        assert!(err.starts_with("firsthand: failed to write firsthand.toml: there is a file already"), "{err}");
    }
}
