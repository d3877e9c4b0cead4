//! Statements of much used pages, run on the connection that there is. The connection to either database writes a
//! statement out three times before diesel looks for it among those that are prepared; a connection to one of them does
//! not write it at all.

use chrono::NaiveDateTime;
use diesel::backend::Backend;
use diesel::dsl::Limit;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::{LimitDsl, LoadQuery};
use diesel::result::Error;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text, Timestamp, Untyped};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::Db;

/// Any statement that both databases understand.
pub trait Run: Sized {
    /// All rows.
    fn rows<'query, U>(self, db: &mut Db) -> QueryResult<Vec<U>>
    where
        Self: LoadQuery<'query, SqliteConnection, U> + LoadQuery<'query, PgConnection, U>,
    {
        match db {
            Db::Sqlite(c) => RunQueryDsl::<SqliteConnection>::load(self, c),
            Db::Postgres(c) => RunQueryDsl::<PgConnection>::load(self, c),
        }
    }

    /// The first row, where the statement itself asks for one; NotFound where there is none.
    fn row<'query, U>(self, db: &mut Db) -> QueryResult<U>
    where
        Self: LoadQuery<'query, SqliteConnection, U> + LoadQuery<'query, PgConnection, U>,
    {
        match db {
            Db::Sqlite(c) => RunQueryDsl::<SqliteConnection>::get_result(self, c),
            Db::Postgres(c) => RunQueryDsl::<PgConnection>::get_result(self, c),
        }
    }

    /// The first of its rows; NotFound where there is none.
    fn first_row<'query, U>(self, db: &mut Db) -> QueryResult<U>
    where
        Self: LimitDsl,
        Limit<Self>: AsQuery + LoadQuery<'query, SqliteConnection, U> + LoadQuery<'query, PgConnection, U>,
    {
        LimitDsl::limit(self, 1).row(db)
    }
}

impl<Q: AsQuery> Run for Q {}

/// A statement that is a text. SQLite keeps it prepared, which diesel does for no text of its own; PostgreSQL plans it for
/// the values at hand, as a plan for all values of such a statement is seldom a good one.
#[derive(Debug)]
#[must_use = "it is run by `rows` or `row`"]
pub struct Said {
    text: String,
    values: Vec<Value>,
    kept: bool,
}

/// A value of a statement that is a text.
#[derive(Debug, Clone)]
pub enum Value {
    Number(i64),
    Text(String),
    Moment(NaiveDateTime),
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<NaiveDateTime> for Value {
    fn from(moment: NaiveDateTime) -> Value {
        Value::Moment(moment)
    }
}

/// `text` names its values `$1`, `$2` and so on, in any order and as often as it likes. It is kept for as long as the
/// connection is: keys, and what people type, are values and never part of it.
pub fn said(text: impl Into<String>) -> Said {
    Said { text: text.into(), values: Vec::new(), kept: true }
}

/// The same for a text that is seldom the same twice, as it lists keys.
pub fn said_once(text: impl Into<String>) -> Said {
    Said { kept: false, ..said(text) }
}

impl Said {
    /// The next value.
    pub fn bind(mut self, value: impl Into<Value>) -> Said {
        self.values.push(value.into());
        self
    }

    /// The next values.
    pub fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Said {
        self.values.extend(values);
        self
    }

    /// Values are numbered as they first appear, which is how SQLite counts them; a value that is named again stays one
    /// value, from which SQLite knows more. `named`: what stands before a number, `numbers`: what diesel writes for a value
    /// has no number yet.
    fn say<'b, DB>(&'b self, mut pass: AstPass<'_, 'b, DB>, named: &str, numbers: bool) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<BigInt> + HasSqlType<Text> + HasSqlType<Timestamp>,
        i64: ToSql<BigInt, DB>,
        String: ToSql<Text, DB>,
        NaiveDateTime: ToSql<Timestamp, DB>,
    {
        let mut order: Vec<usize> = Vec::with_capacity(self.values.len());
        let mut parts = self.text.split('$');
        pass.push_sql(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: usize = part[..digits].parse().unwrap_or(0);
            if let Some(place) = order.iter().position(|known| *known == number) {
                pass.push_sql(&format!("{named}{}", place + 1));
            } else {
                match number.checked_sub(1).and_then(|n| self.values.get(n)) {
                    Some(Value::Number(value)) => pass.push_bind_param::<BigInt, _>(value)?,
                    Some(Value::Text(value)) => pass.push_bind_param::<Text, _>(value)?,
                    Some(Value::Moment(value)) => pass.push_bind_param::<Timestamp, _>(value)?,
                    None => return Err(Error::QueryBuilderError(format!("no value ${number}").into())),
                }
                order.push(number);
                if numbers {
                    pass.push_sql(&order.len().to_string());
                }
            }
            pass.push_sql(&part[digits..]);
        }
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Said {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if !self.kept {
            pass.unsafe_to_cache_prepared();
        }
        self.say(pass, "?", true)
    }
}

impl QueryFragment<Pg> for Said {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.unsafe_to_cache_prepared();
        self.say(pass, "$", false)
    }
}

impl QueryId for Said {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Said {
    type SqlType = Untyped;
}

impl<Conn> RunQueryDsl<Conn> for Said {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Text)]
        answer: String,
    }

    #[test]
    fn values_are_taken_by_their_numbers_in_any_order_and_as_often_as_they_are_named() {
        let mut db = Db::Sqlite(SqliteConnection::establish(":memory:").expect("a database"));
        let eleven = (1..=11).map(|n| Value::from(n.to_string()));
        let text = said("SELECT $11 || '-' || $1 || '-' || $11 || '-' || $2 AS answer").bind_all(eleven);
        assert_eq!(text.row::<Answer>(&mut db).expect("it runs").answer, "11-1-11-2");
        assert!(said("SELECT $2 AS answer").bind(7).row::<Answer>(&mut db).is_err(), "there is no second value");
    }

    #[test]
    fn a_value_that_is_named_twice_is_one() {
        let text = said("SELECT key FROM a WHERE n > $2 OR (n = $2 AND key > $1)").bind(1).bind("x");
        let written = |text: String| text.split(" -- binds").next().map(str::to_owned);
        let sqlite = written(diesel::debug_query::<Sqlite, _>(&text).to_string());
        assert_eq!(sqlite.as_deref(), Some("SELECT key FROM a WHERE n > ?1 OR (n = ?1 AND key > ?2)"));
        let postgres = written(diesel::debug_query::<Pg, _>(&text).to_string());
        assert_eq!(postgres.as_deref(), Some("SELECT key FROM a WHERE n > $1 OR (n = $1 AND key > $2)"));
    }
}
