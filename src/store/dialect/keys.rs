//! "One of these keys" as one value of a statement, however many they are: the statement stays the same text and is
//! prepared once. What diesel writes for SQLite has a value for each key, and is prepared anew every time.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::sqlite::Sqlite;

use super::{Db, MultiBackend};
use crate::ids::Key;

/// `column` is one of `keys`.
pub fn one_of<C: Expression<SqlType = BigInt>>(column: C, keys: &[Key]) -> OneOf<C> {
    let text = format!("[{}]", keys.iter().map(Key::to_string).collect::<Vec<_>>().join(","));
    OneOf { column, list: List { keys: keys.to_vec(), text } }
}

/// The same for statements that are texts: what stands after the column, where the list is the first value, and that
/// value.
pub fn list_of(db: &Db, keys: &[Key]) -> (&'static str, String) {
    let list = keys.iter().map(Key::to_string).collect::<Vec<_>>().join(",");
    match db {
        Db::Sqlite(_) => ("IN (SELECT value FROM json_each($1))", format!("[{list}]")),
        Db::Postgres(_) => ("= ANY(CAST($1 AS BIGINT[]))", format!("{{{list}}}")),
    }
}

#[derive(Debug, Clone, QueryId, ValidGrouping)]
pub struct OneOf<C> {
    column: C,
    list: List,
}

/// What stands after the column.
#[derive(Debug, Clone, QueryId, ValidGrouping)]
struct List {
    keys: Vec<Key>,
    /// The same as JSON.
    text: String,
}

impl<C: Expression> Expression for OneOf<C> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<T>, T> AppearsOnTable<T> for OneOf<C> where OneOf<C>: Expression {}

impl<C: SelectableExpression<T>, T> SelectableExpression<T> for OneOf<C> where OneOf<C>: AppearsOnTable<T> {}

impl<C: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for OneOf<C>
where
    List: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        self.list.walk_ast(pass)
    }
}

impl QueryFragment<MultiBackend> for List {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(self, pass)
    }
}

impl QueryFragment<Sqlite> for List {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql(" IN (SELECT value FROM json_each(");
        pass.push_bind_param::<Text, _>(&self.text)?;
        pass.push_sql("))");
        Ok(())
    }
}

impl QueryFragment<Pg> for List {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql(" = ANY(");
        pass.push_bind_param::<Array<BigInt>, _>(&self.keys)?;
        pass.push_sql(")");
        Ok(())
    }
}
