//! Files that hold a secret: read only if nobody else can.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// No credential is longer; a larger file is a mistake.
const MAX_BYTES: u64 = 16 * 1024;

/// Why a file is not read, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileRefusal {
    #[error("is a symbolic link; name the file itself, so that nobody can turn it to another")]
    SymbolicLink,
    #[error("is not a regular file")]
    NotAFile,
    #[error("can be read or changed by other users (mode {mode:04o}); run: chmod 600 '{path}'")]
    Mode { mode: u32, path: String },
    #[error("belongs to user id {owner}, and firsthand runs as {us}; run: chown {us} '{path}'")]
    Owner { owner: u32, us: u32, path: String },
    #[error("is larger than {MAX_BYTES} bytes, so it is no credential")]
    TooLarge,
    #[error("is not UTF-8, so it is no credential")]
    NotUtf8,
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads a file that a variable names: a regular file of our own, closed to others, and no symbolic link. `None` if
/// there is none.
pub(super) fn read_secret_file(path: &Path) -> Result<Option<String>, FileRefusal> {
    let Some(file) = open(path, false)? else { return Ok(None) };
    #[cfg(unix)]
    check_owner_and_mode(path, &file, rustix::process::geteuid().as_raw())?;
    read(file).map(Some)
}

/// Reads a file of `$CREDENTIALS_DIRECTORY`. Its owner and mode are the supervisor's affair: systemd grants access
/// through an ACL on a file of root's, container runtimes through symbolic links.
pub(super) fn read_credentials_directory(path: &Path) -> Result<Option<String>, FileRefusal> {
    open(path, true)?.map(read).transpose()
}

#[cfg(unix)]
fn open(path: &Path, follow: bool) -> Result<Option<File>, FileRefusal> {
    use rustix::{
        fs::{Mode, OFlags},
        io::Errno,
    };
    // Checks are made on the opened file, so that it cannot be exchanged in between. NONBLOCK: a pipe must not hang us.
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => Ok(Some(File::from(descriptor))),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP) => Err(FileRefusal::SymbolicLink),
        Err(errno) => Err(FileRefusal::Io(errno.into())),
    }
}

#[cfg(not(unix))]
fn open(path: &Path, follow: bool) -> Result<Option<File>, FileRefusal> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() && !follow => return Err(FileRefusal::SymbolicLink),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    Ok(Some(File::open(path)?))
}

#[cfg(unix)]
fn check_owner_and_mode(path: &Path, file: &File, us: u32) -> Result<(), FileRefusal> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    let shown = || path.display().to_string();
    if !metadata.is_file() {
        return Err(FileRefusal::NotAFile);
    }
    if metadata.uid() != us {
        return Err(FileRefusal::Owner { owner: metadata.uid(), us, path: shown() });
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(FileRefusal::Mode { mode: metadata.mode() & 0o7777, path: shown() });
    }
    Ok(())
}

fn read(file: File) -> Result<String, FileRefusal> {
    if !file.metadata()?.is_file() {
        return Err(FileRefusal::NotAFile);
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(FileRefusal::TooLarge);
    }
    String::from_utf8(bytes).map_err(|_| FileRefusal::NotUtf8)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn file_of_mode(mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "planted\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_of_our_own_that_others_cannot_read_is_read() {
        for mode in [0o600, 0o400] {
            let (_folder, path) = file_of_mode(mode);
            assert_eq!(read_secret_file(&path).unwrap().unwrap(), "planted\n");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_that_closes_it() {
        for mode in [0o640, 0o604, 0o644, 0o620] {
            let (_folder, path) = file_of_mode(mode);
            let refusal = read_secret_file(&path).unwrap_err().to_string();
            assert!(refusal.contains(&format!("chmod 600 '{}'", path.display())), "{refusal}");
            assert!(refusal.contains(&format!("mode {mode:04o}")), "{refusal}");
        }
    }

    #[test]
    fn a_symbolic_link_is_refused_except_from_the_credentials_directory() {
        let (folder, path) = file_of_mode(0o600);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(read_secret_file(&link), Err(FileRefusal::SymbolicLink)));
        assert_eq!(read_credentials_directory(&link).unwrap().unwrap(), "planted\n");
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        let (_folder, path) = file_of_mode(0o600);
        let owner = rustix::process::geteuid().as_raw();
        let refusal = check_owner_and_mode(&path, &File::open(&path).unwrap(), owner + 1).unwrap_err();
        assert!(matches!(refusal, FileRefusal::Owner { .. }), "{refusal}");
    }

    #[test]
    fn folders_pipes_and_huge_files_are_refused_without_hanging() {
        let (folder, path) = file_of_mode(0o600);
        assert!(matches!(read_secret_file(folder.path()), Err(FileRefusal::NotAFile)));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert!(matches!(read_secret_file(&pipe), Err(FileRefusal::NotAFile)));
        fs::write(&path, vec![b'a'; 20_000]).unwrap();
        assert!(matches!(read_secret_file(&path), Err(FileRefusal::TooLarge)));
        assert!(read_secret_file(&folder.path().join("absent")).unwrap().is_none());
    }
}
