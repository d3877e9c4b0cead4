//! The database as a whole: its schema, a copy of it, whose it is, and its end.

use std::path::Path;

use diesel_migrations::MigrationHarness;

use super::dialect::{self, MIGRATIONS, Manager, Shaped};
use super::{Db, installation, write};
use crate::config::DatabaseUrl;
use crate::problem::Problem;

/// Brings the schema up to date, one process at a time.
pub fn migrate(url: &DatabaseUrl) -> anyhow::Result<()> {
    if let DatabaseUrl::Sqlite(path) = url
        && let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        anyhow::ensure!(folder.is_dir(), "the folder {} does not exist", folder.display());
    }
    let mut db = open(url)?;
    dialect::refuse_unsafe(&mut db)?;
    dialect::with_migration_lock(&mut db, |db| {
        write(db, |db| {
            db.run_pending_migrations(Shaped::of(db))
                .map_err(|e| Problem::Bug(anyhow::anyhow!("migration failed: {e}")))?;
            Ok(())
        })?;
        dialect::reshape(db)?;
        write(db, |db| Ok(dialect::finish_schema(db)?))?;
        Ok(())
    })
}

fn open(url: &DatabaseUrl) -> anyhow::Result<Db> {
    Ok(r2d2::ManageConnection::connect(&Manager { url: url.clone(), read_only: false })?)
}

/// Copies the whole database as of one moment into a new file; false where the database has tools of its own for that.
pub fn copy_into(url: &DatabaseUrl, file: &Path) -> anyhow::Result<bool> {
    Ok(dialect::copy_into(&mut open(url)?, &file.display().to_string())?)
}

/// Whether `subtenant demo` made this database. A database that is not ours at all is none, and is not touched.
pub fn is_demo(url: &DatabaseUrl) -> anyhow::Result<bool> {
    Ok(installation::purpose(&mut dialect::peek(url)?)
        .is_ok_and(|purpose| purpose == Some(installation::Purpose::Demo)))
}

/// Whether the database has no tables.
pub fn is_empty(url: &DatabaseUrl) -> anyhow::Result<bool> {
    Ok(dialect::tables(&mut dialect::peek(url)?)?.is_empty())
}

/// Takes every table of ours away.
pub fn drop_everything(url: &DatabaseUrl) -> anyhow::Result<()> {
    let mut db = open(url)?;
    db.revert_all_migrations(MIGRATIONS).map_err(|e| anyhow::anyhow!("the tables could not be dropped: {e}"))?;
    Ok(())
}
