//! Many rows at once, column by column: what `subtenant generate` fills a new database with. Nothing here checks
//! anything; the constraints do when they are put back ([`super::dialect::end_load`]).

use chrono::NaiveDateTime;
use diesel::QueryResult;

use super::{Db, dialect};

/// The values of one column, row by row.
#[derive(Debug)]
pub enum Values {
    Int(Vec<Option<i64>>),
    Text(Vec<String>),
    Bool(Vec<bool>),
    Time(Vec<Option<NaiveDateTime>>),
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Values::Int(all) => all.len(),
            Values::Text(all) => all.len(),
            Values::Bool(all) => all.len(),
            Values::Time(all) => all.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn clear(&mut self) {
        match self {
            Values::Int(all) => all.clear(),
            Values::Text(all) => all.clear(),
            Values::Bool(all) => all.clear(),
            Values::Time(all) => all.clear(),
        }
    }
}

#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub values: Values,
}

/// One value of a row to be.
#[derive(Debug)]
pub enum Cell {
    Int(i64),
    NoInt,
    Text(String),
    Bool(bool),
    Time(NaiveDateTime),
    NoTime,
}

impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Int(value)
    }
}

impl From<Option<i64>> for Cell {
    fn from(value: Option<i64>) -> Cell {
        value.map_or(Cell::NoInt, Cell::Int)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Cell {
        Cell::Bool(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Cell {
        Cell::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Cell {
        Cell::Text(value)
    }
}

impl From<NaiveDateTime> for Cell {
    fn from(value: NaiveDateTime) -> Cell {
        Cell::Time(value)
    }
}

impl From<Option<NaiveDateTime>> for Cell {
    fn from(value: Option<NaiveDateTime>) -> Cell {
        value.map_or(Cell::NoTime, Cell::Time)
    }
}

/// Rows that go out in one statement: enough that the statement itself costs nothing.
const AT_ONCE: usize = 2_000;

/// Rows on their way into one table. The first row decides the kinds of the columns; [`Rows::end`] sends the rest.
pub struct Rows<'a> {
    db: &'a mut Db,
    table: &'static str,
    names: &'static [&'static str],
    columns: Vec<Column>,
    waiting: usize,
}

impl<'a> Rows<'a> {
    pub fn into(db: &'a mut Db, table: &'static str, names: &'static [&'static str]) -> Rows<'a> {
        Rows { db, table, names, columns: Vec::new(), waiting: 0 }
    }

    /// As many cells as there are columns, in their order.
    pub fn push<const N: usize>(&mut self, row: [Cell; N]) -> QueryResult<()> {
        debug_assert_eq!(N, self.names.len(), "{}", self.table);
        if self.columns.is_empty() {
            self.columns =
                self.names.iter().zip(&row).map(|(name, cell)| Column { name, values: kind(cell) }).collect();
        }
        for (column, cell) in self.columns.iter_mut().zip(row) {
            match (&mut column.values, cell) {
                (Values::Int(all), Cell::Int(value)) => all.push(Some(value)),
                (Values::Int(all), Cell::NoInt) => all.push(None),
                (Values::Text(all), Cell::Text(value)) => all.push(value),
                (Values::Bool(all), Cell::Bool(value)) => all.push(value),
                (Values::Time(all), Cell::Time(value)) => all.push(Some(value)),
                (Values::Time(all), Cell::NoTime) => all.push(None),
                (_, cell) => unreachable!("{}.{} gets {cell:?}", self.table, column.name),
            }
        }
        self.waiting += 1;
        if self.waiting == AT_ONCE { self.send() } else { Ok(()) }
    }

    pub fn end(mut self) -> QueryResult<()> {
        self.send()
    }

    fn send(&mut self) -> QueryResult<()> {
        if self.waiting > 0 {
            dialect::insert_columns(self.db, self.table, &self.columns)?;
        }
        self.columns.iter_mut().for_each(|column| column.values.clear());
        self.waiting = 0;
        Ok(())
    }
}

fn kind(cell: &Cell) -> Values {
    match cell {
        Cell::Int(_) | Cell::NoInt => Values::Int(Vec::with_capacity(AT_ONCE)),
        Cell::Text(_) => Values::Text(Vec::with_capacity(AT_ONCE)),
        Cell::Bool(_) => Values::Bool(Vec::with_capacity(AT_ONCE)),
        Cell::Time(_) | Cell::NoTime => Values::Time(Vec::with_capacity(AT_ONCE)),
    }
}
