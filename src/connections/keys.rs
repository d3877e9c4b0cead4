//! Pre-shared keys of tunnels. They come in by a form, are sealed before they are stored, are opened for the fabric
//! alone, and no page shows one that is stored.

use diesel::prelude::*;
use rand::Rng;

use super::{Connection, work};
use crate::factor::vault::Vault;
use crate::ids::Key;
use crate::ports::Side;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::connection_keys;

/// A key on its way. What would print it prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PreSharedKey(pub String);

impl std::fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PreSharedKey(••••••)")
    }
}

/// Without those that are mistaken for each other.
const SIGNS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
const LENGTH: usize = 32;

impl PreSharedKey {
    /// A new one: 32 signs out of 57, that is 186 bits.
    pub fn made() -> PreSharedKey {
        let mut rng = rand::rng();
        let sign = |_| char::from(SIGNS[rng.random_range(0..SIGNS.len())]);
        PreSharedKey((0..LENGTH).map(sign).collect())
    }
}

fn purpose(connection_id: &str, side: Side) -> String {
    work::key_purpose(connection_id, side.code())
}

/// Keeps the key of one side, in place of the one before.
pub(super) fn store(
    db: &mut Db,
    vault: &Vault,
    connection: &Connection,
    side: Side,
    key: &PreSharedKey,
) -> Result<(), Problem> {
    let sealed = vault.seal(&purpose(&connection.id, side), key.0.as_bytes())?;
    let old = connection_keys::table.filter(connection_keys::connection_key.eq(connection.key));
    diesel::delete(old.filter(connection_keys::side.eq(side.code()))).execute(db)?;
    diesel::insert_into(connection_keys::table)
        .values((
            connection_keys::connection_key.eq(connection.key),
            connection_keys::account_key.eq(connection.account),
            connection_keys::side.eq(side.code()),
            connection_keys::sealed.eq(sealed),
        ))
        .execute(db)?;
    Ok(())
}

/// The keys of a connection, for the fabric only: of the primary side, and of the secondary.
pub fn open(
    db: &mut Db,
    vault: &Vault,
    connection: &Connection,
) -> Result<(Option<PreSharedKey>, Option<PreSharedKey>), Problem> {
    let rows: Vec<(String, String)> = connection_keys::table
        .filter(connection_keys::connection_key.eq(connection.key))
        .select((connection_keys::side, connection_keys::sealed))
        .load(db)?;
    let of = |side: Side| -> Result<Option<PreSharedKey>, Problem> {
        let Some((_, sealed)) = rows.iter().find(|(code, _)| code == side.code()) else { return Ok(None) };
        let plain = vault.open(&purpose(&connection.id, side), sealed).and_then(|bytes| String::from_utf8(bytes).ok());
        plain.map(|key| Some(PreSharedKey(key))).ok_or_else(|| Problem::bug("a pre-shared key cannot be opened"))
    };
    Ok((of(Side::Primary)?, of(Side::Secondary)?))
}

/// How many sides have one.
pub fn count(db: &mut Db, connection: Key) -> Result<i64, Problem> {
    let rows = connection_keys::table.filter(connection_keys::connection_key.eq(connection));
    Ok(rows.count().get_result(db)?)
}
