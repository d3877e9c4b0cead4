//! A copy of the whole database while it is in use, as of one moment, for SQLite. PostgreSQL brings its own tools, and
//! better ones; which command to run is said instead.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::config::DatabaseUrl;
use crate::store;

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// How many bytes the copy has.
    Written(u64),
    /// The database is none that is copied here: what to do.
    Elsewhere(String),
}

/// Copies the database into a new file. What is there already is never overwritten, and under that name there is never
/// half a copy, also not after a power cut.
pub fn backup(url: &DatabaseUrl, file: &Path) -> anyhow::Result<Outcome> {
    if url.is_postgres() {
        return Ok(Outcome::Elsewhere(advice(file)));
    }
    anyhow::ensure!(!file.exists(), "{} exists already: it is not overwritten", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    anyhow::ensure!(folder.is_dir(), "the folder {} does not exist", folder.display());
    let half = PathBuf::from(format!("{}.{}.part", file.display(), std::process::id()));
    let whole = copy(url, &half, file);
    if whole.is_err() {
        let _ = std::fs::remove_file(&half);
    }
    let bytes = whole.with_context(|| format!("the backup to {}", file.display()))?;
    File::open(folder)?.sync_all()?;
    Ok(Outcome::Written(bytes))
}

fn copy(url: &DatabaseUrl, half: &Path, file: &Path) -> anyhow::Result<u64> {
    store::copy_into(url, half)?;
    let copy = File::open(half)?;
    copy.sync_all()?;
    // Unlike renaming, it does not replace what came there meanwhile.
    std::fs::hard_link(half, file)?;
    std::fs::remove_file(half)?;
    Ok(copy.metadata()?.len())
}

fn advice(file: &Path) -> String {
    format!(
        "The database is on PostgreSQL. Its own tools copy it while it is in use, as of one moment:\n\
         \n  pg_dump --format=custom --file={} \"$DATABASE_URL\"\n\
         \nand for a large one, with everything up to the last second, pg_basebackup and the archive of its log.\n\
         docs/operations.md has both, and the way back.",
        file.display()
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_can_read_a_new_database_nor_its_backup() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, copy) = (folder.path().join("new.db"), folder.path().join("copy.db"));
        let url = DatabaseUrl::Sqlite(file.display().to_string());
        let _pool = store::Pool::open(&url, 1).expect("the database opens");
        assert!(matches!(backup(&url, &copy), Ok(Outcome::Written(bytes)) if bytes > 0));
        for one in [file.clone(), copy, PathBuf::from(format!("{}-wal", file.display()))] {
            let mode = std::fs::metadata(&one).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", one.display());
        }
    }
}
