//! `firsthand init`: writes a commented configuration file.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Exit, args, style};
use crate::config::{Environment, template};

/// The file's name where none is given.
const FILE_NAME: &str = "firsthand.toml";

/// A configuration file that was not written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is a file already.
    #[error("write {}: there is a file already; add --force to write over it, or name another", .0.display())]
    Exists(PathBuf),
    /// It could not be written.
    #[error("write {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes the file and tells what to do next.
///
/// # Errors
/// [`InitError`] if there is a file already, or none can be written.
pub fn run(args: &args::Init, env: &Environment, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut shown = args.path.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
    if env.resolve(&shown).is_dir() {
        shown.push(FILE_NAME);
    }
    write_file(&env.resolve(&shown), &template(), args.force).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => InitError::Exists(shown.clone()),
        _ => InitError::Io { path: shown.clone(), source },
    })?;
    let flag = if shown == Path::new(FILE_NAME) { String::new() } else { format!(" --config {}", shown.display()) };
    writeln!(out, "{} {}", style::paint(style::GOOD, "wrote"), shown.display())?;
    writeln!(out, "\nNext:")?;
    writeln!(out, "  1. open it and choose the hashtags under [[account]]")?;
    writeln!(out, "  2. put the four credentials where `firsthand check --help` says, for example")?;
    writeln!(out, "     FIRSTHAND_X_CONSUMER_KEY, …_CONSUMER_SECRET, …_ACCESS_TOKEN and …_ACCESS_TOKEN_SECRET")?;
    writeln!(out, "  3. firsthand check{flag}")?;
    writeln!(out, "  4. firsthand run{flag} --dry-run, and then without --dry-run")?;
    Ok(Exit::Ok)
}

/// Writes the whole file or nothing. Only its owner may read it: somebody will write credentials into it.
fn write_file(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !force && path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    let persisted = if force { file.persist(path) } else { file.persist_noclobber(path) };
    persisted.map(|_| ()).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Account, Flags, KEYS, Loaded, Settings, load};

    fn init(folder: &Path, path: Option<&str>, force: bool) -> anyhow::Result<String> {
        let env = Environment::new(folder, [("", ""); 0]);
        let mut out = Vec::new();
        run(&args::Init { force, path: path.map(PathBuf::from) }, &env, &mut out)?;
        Ok(anstream::adapter::strip_str(&String::from_utf8(out)?).to_string())
    }

    fn load_in(folder: &Path) -> Loaded {
        load(&Environment::new(folder, [("", ""); 0]), &Flags::default()).unwrap()
    }

    fn expected() -> Settings {
        let account = Account { watch: vec!["rustlang".to_owned().into()], ..Account::default() };
        Settings { account: vec![account], ..Settings::default() }
    }

    #[test]
    fn the_written_file_equals_the_defaults_as_it_is_and_with_every_line_uncommented() {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), None, false).unwrap();
        assert_eq!(load_in(folder.path()).settings, expected());

        let path = folder.path().join(FILE_NAME);
        let text = fs::read_to_string(&path).unwrap();
        let is_setting =
            |line: &&str| line.starts_with(|c: char| c == '#' || c.is_ascii_lowercase()) && !line.starts_with("# ");
        let settings: Vec<_> = text.lines().filter(is_setting).filter(|line| line.contains(" = ")).collect();
        assert_eq!(settings.len(), KEYS.len(), "{settings:#?}");
        let uncommented: String = text
            .lines()
            .map(|line| if is_setting(&line) { line.trim_start_matches('#') } else { line })
            .map(|line| format!("{line}\n"))
            .collect();
        for key in KEYS {
            assert!(uncommented.contains(&format!("\n{} = ", key.name)), "{}", key.path());
        }
        fs::write(&path, uncommented).unwrap();
        assert_eq!(load_in(folder.path()).settings, expected());
    }

    #[test]
    fn the_written_file_stays_as_reviewed() {
        insta::assert_snapshot!("init_file", template());
    }

    #[test]
    fn an_existing_file_is_kept_unless_forced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, "mine").unwrap();
        let error = init(folder.path(), None, false).unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        init(folder.path(), None, true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), template());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn the_next_steps_name_the_file_that_was_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        let told = init(folder.path(), Some("etc"), false).unwrap();
        insta::assert_snapshot!(told);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_the_written_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), None, false).unwrap();
        let mode = fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
