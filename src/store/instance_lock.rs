//! One firsthand a database: a file lock beside it, which the operating system drops when its holder ends, however.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use super::StoreError;

/// Held as long as it lives.
#[derive(Debug)]
pub struct InstanceLock {
    // Closing the file is what gives the lock back.
    _file: File,
    path: PathBuf,
}

impl InstanceLock {
    /// Takes the lock of `database`, or answers at once that another process holds it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with the holder's process id; [`StoreError::LockFile`].
    pub fn acquire(database: &Path) -> Result<Self, StoreError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let refuse = |source| StoreError::LockFile { path: path.clone(), source };

        // Never truncated on opening: it may hold another process's id.
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(refuse)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder writes its id right after locking; until then nobody can name it.
                let named = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if named { holder.trim().to_owned() } else { "unknown".to_owned() };
                return Err(StoreError::InUse { path, holder });
            }
            Err(TryLockError::Error(source)) => return Err(refuse(source)),
        }
        let record = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        record(&mut file).map_err(refuse)?;
        Ok(Self { _file: file, path })
    }

    /// The lock file. It stays behind when the lock is given back: removing it would race with the next holder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_with_the_pid_of_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("archive.db");
        let first = InstanceLock::acquire(&database).unwrap();
        let error = InstanceLock::acquire(&database).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        InstanceLock::acquire(&database).unwrap();
    }

    #[test]
    fn a_longer_pid_left_by_a_dead_process_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("archive.db");
        std::fs::write(directory.path().join("archive.db.lock"), "99999999999999\n").unwrap();
        let lock = InstanceLock::acquire(&database).unwrap();
        assert_eq!(std::fs::read_to_string(lock.path()).unwrap().trim(), std::process::id().to_string());
    }
}
