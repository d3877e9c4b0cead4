//! The one row about the installation itself: whether it is for demonstration, and the key that signs cookies, the
//! same for every instance on this database.

use actix_web::cookie::Key as CookieKey;
use base64::{Engine, engine::general_purpose::STANDARD};
use diesel::prelude::*;

use super::schema::installation;
use super::{Db, write};
use crate::ids;
use crate::problem::Problem;

const ONLY_ROW: i64 = 1;

/// The secret that the database keeps where the operator sets none; made at the first start that wants it.
pub fn secret_key(db: &mut Db) -> Result<String, Problem> {
    write(db, |db| {
        let fresh = STANDARD.encode(rand::random::<[u8; 32]>());
        let unset = installation::table.find(ONLY_ROW).filter(installation::secret_key.eq(""));
        diesel::update(unset).set(installation::secret_key.eq(fresh)).execute(db)?;
        Ok(installation::table.find(ONLY_ROW).select(installation::secret_key).first(db)?)
    })
}

/// What a database is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Live,
    /// Made by `subtenant demo`, which may throw it away.
    Demo,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Purpose::Live => "live",
            Purpose::Demo => "demo",
        }
    }
}

/// What this database is for; none before its first start.
pub fn purpose(db: &mut Db) -> Result<Option<Purpose>, Problem> {
    let word: Option<String> = installation::table.find(ONLY_ROW).select(installation::purpose).first(db).optional()?;
    Ok(word.map(|word| if word == Purpose::Demo.word() { Purpose::Demo } else { Purpose::Live }))
}

/// The key that signs session cookies, made at the first start.
pub fn cookie_key(db: &mut Db, purpose: Purpose) -> Result<CookieKey, Problem> {
    write(db, |db| {
        let fresh = STANDARD.encode(CookieKey::generate().master());
        diesel::sql_query(
            "INSERT INTO installation (only_row, cookie_key, purpose, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (only_row) DO NOTHING",
        )
        .bind::<diesel::sql_types::BigInt, _>(ONLY_ROW)
        .bind::<diesel::sql_types::Text, _>(fresh)
        .bind::<diesel::sql_types::Text, _>(purpose.word())
        .bind::<diesel::sql_types::Timestamp, _>(ids::now())
        .execute(db)?;
        let stored: String = installation::table.find(ONLY_ROW).select(installation::cookie_key).first(db)?;
        let bytes = STANDARD.decode(stored).map_err(|e| Problem::Bug(e.into()))?;
        Ok(CookieKey::from(&bytes))
    })
}
