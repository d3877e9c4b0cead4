//! The index for text anywhere in names and tags of accounts: FTS5 with trigrams on SQLite, `pg_trgm` on PostgreSQL.
//! It answers candidates; whoever asks compares them again.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Db;
use crate::ids::Key;
use crate::text::like_anywhere;

/// Fewer letters are in too many names to look them up.
const SHORTEST_TEXT: usize = 3;

/// The name of an account with its tags is one text of the index.
const SQLITE: &str = "
    CREATE VIRTUAL TABLE IF NOT EXISTS account_text
        USING fts5(text, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1, detail = none);
    CREATE TRIGGER IF NOT EXISTS account_text_new AFTER INSERT ON accounts BEGIN
        INSERT INTO account_text (rowid, text) VALUES (NEW.key, NEW.name_key); END;
    CREATE TRIGGER IF NOT EXISTS account_text_renamed AFTER UPDATE OF name_key ON accounts
        WHEN NEW.name_key <> OLD.name_key BEGIN
        DELETE FROM account_text WHERE rowid = NEW.key;
        INSERT INTO account_text (rowid, text) SELECT NEW.key, NEW.name_key || char(10) || COALESCE(
            (SELECT group_concat(value_key, char(10)) FROM account_tags WHERE account_key = NEW.key), ''); END;
    CREATE TRIGGER IF NOT EXISTS account_text_tagged AFTER INSERT ON account_tags BEGIN
        DELETE FROM account_text WHERE rowid = NEW.account_key;
        INSERT INTO account_text (rowid, text) SELECT NEW.account_key, a.name_key || char(10) || COALESCE(
            (SELECT group_concat(value_key, char(10)) FROM account_tags WHERE account_key = NEW.account_key), '')
            FROM accounts a WHERE a.key = NEW.account_key; END;
    CREATE TRIGGER IF NOT EXISTS account_text_untagged AFTER DELETE ON account_tags BEGIN
        DELETE FROM account_text WHERE rowid = OLD.account_key;
        INSERT INTO account_text (rowid, text) SELECT OLD.account_key, a.name_key || char(10) || COALESCE(
            (SELECT group_concat(value_key, char(10)) FROM account_tags WHERE account_key = OLD.account_key), '')
            FROM accounts a WHERE a.key = OLD.account_key; END;
    INSERT INTO account_text (rowid, text)
        SELECT a.key, a.name_key || char(10) || COALESCE(
            (SELECT group_concat(value_key, char(10)) FROM account_tags WHERE account_key = a.key), '')
        FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM account_text);";

/// Where the extension may not be made, names are looked through one by one.
const POSTGRES: &str = "
    DO $$ BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_trgm cannot be installed (%): searches by parts of names will be slow', SQLERRM;
    END $$;
    DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN
            CREATE INDEX IF NOT EXISTS accounts_text ON accounts USING gin (name_key gin_trgm_ops);
            CREATE INDEX IF NOT EXISTS account_tags_text ON account_tags USING gin (value_key gin_trgm_ops);
        END IF;
    END $$;
    CREATE INDEX IF NOT EXISTS accounts_ids ON accounts (id text_pattern_ops);";

/// Makes the index where it is missing, and fills it.
pub(super) fn finish(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(c) => c.batch_execute(SQLITE),
        Db::Postgres(c) => c.batch_execute(POSTGRES),
    }
}

/// Accounts whose id begins with the text, with or without its prefix; at most so many.
pub fn with_id(db: &mut Db, text: &str, most: usize) -> QueryResult<Vec<Key>> {
    let whole = if text.starts_with("ac-") { text.to_owned() } else { format!("ac-{text}") };
    let rows: Vec<Found> = match db {
        Db::Sqlite(c) => {
            let sql = format!("SELECT key FROM accounts WHERE id >= $1 AND id < $2 LIMIT {most}");
            let end = format!("{whole}\u{10ffff}");
            diesel::sql_query(sql).bind::<Text, _>(whole).bind::<Text, _>(end).load(c)?
        }
        Db::Postgres(c) => {
            let sql = format!("SELECT key FROM accounts WHERE id LIKE $1 LIMIT {most}");
            diesel::sql_query(sql).bind::<Text, _>(&like_anywhere(&whole)[1..]).load(c)?
        }
    };
    Ok(rows.into_iter().map(|row| row.key).collect())
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    key: Key,
}

/// The accounts that may have this folded text in their name or tags; None where there are more than `most`, or the
/// text is shorter than [`SHORTEST_TEXT`].
pub fn with_text(db: &mut Db, text: &str, most: usize) -> QueryResult<Option<Vec<Key>>> {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() < SHORTEST_TEXT {
        return Ok(None);
    }
    let limit = most + 1;
    let rows: Vec<Found> = match db {
        Db::Sqlite(c) => {
            let parts = letters
                .windows(3)
                .map(|three| format!("\"{}\"", three.iter().collect::<String>().replace('"', "\"\"")));
            let wanted = parts.collect::<Vec<_>>().join(" AND ");
            let sql = format!("SELECT rowid AS key FROM account_text WHERE account_text MATCH $1 LIMIT {limit}");
            diesel::sql_query(sql).bind::<Text, _>(wanted).load(c)?
        }
        Db::Postgres(_) if !has_trigram(text) => return Ok(None),
        Db::Postgres(c) => {
            let sql = format!(
                "SELECT key FROM (
                     (SELECT key FROM accounts WHERE name_key LIKE $1 LIMIT {limit})
                     UNION (SELECT account_key FROM account_tags WHERE value_key LIKE $1 LIMIT {limit})
                 ) found LIMIT {limit}"
            );
            diesel::sql_query(sql).bind::<Text, _>(like_anywhere(text)).load(c)?
        }
    };
    if rows.len() > most {
        return Ok(None);
    }
    let mut keys: Vec<Key> = rows.into_iter().map(|row| row.key).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(Some(keys))
}

/// Whether PostgreSQL can look the text up: its index holds three letters or digits in a row, and nothing else.
fn has_trigram(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|run| run.chars().count() >= SHORTEST_TEXT)
}

/// The accounts that have this folded text in a tag, where tags have an index of their own (on PostgreSQL); None where
/// they have none, where there are more than `most`, or the index cannot tell.
pub fn with_tag(db: &mut Db, text: &str, most: usize) -> QueryResult<Option<Vec<Key>>> {
    let Db::Postgres(c) = db else { return Ok(None) };
    if !has_trigram(text) {
        return Ok(None);
    }
    let sql = format!("SELECT account_key AS key FROM account_tags WHERE value_key LIKE $1 LIMIT {}", most + 1);
    let rows: Vec<Found> = diesel::sql_query(sql).bind::<Text, _>(like_anywhere(text)).load(c)?;
    Ok((rows.len() <= most).then(|| rows.into_iter().map(|row| row.key).collect()))
}
