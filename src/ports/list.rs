//! Reading many ports: those that an account has to do with, or those of everything below it, a page at a time in any
//! order.

use chrono::{DateTime, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamp};

use super::choices::WITHIN_REACH;
use super::state::State;
use crate::access::below::is_large;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, Said, Value, said};
use crate::web::paging::{Cursor, Want, is_backward};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The account's own, and those from above that it may use or uses.
    #[default]
    Here,
    /// Those of every account below.
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whose {
    #[default]
    Any,
    Own,
    Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    Name,
    Created,
}

/// Which ports, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    pub scope: Scope,
    /// None for all that are not deleted.
    pub state: Option<State>,
    pub whose: Whose,
    pub sort: Sort,
    pub descending: bool,
}

/// One port of a list.
#[derive(Debug, Clone, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = BigInt)]
    pub key: Key,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
    #[diesel(sql_type = BigInt)]
    pub account: Key,
    #[diesel(sql_type = Text)]
    pub account_id: String,
    #[diesel(sql_type = Text)]
    pub account_name: String,
    #[diesel(sql_type = Text)]
    pub facility: String,
    #[diesel(sql_type = Text)]
    pub location: String,
    #[diesel(sql_type = Text)]
    pub availability_domain: String,
    #[diesel(sql_type = Text)]
    pub media_type: String,
    #[diesel(sql_type = Text)]
    pub term: String,
    #[diesel(sql_type = BigInt)]
    pub speed: i64,
    #[diesel(sql_type = BigInt)]
    pub used_speed: i64,
    /// What the account in the address has of it.
    #[diesel(sql_type = BigInt)]
    pub own_use: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    pub error_code: String,
    #[diesel(sql_type = Bool)]
    pub offered: bool,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub no_new_use_from: Option<NaiveDateTime>,
    #[diesel(sql_type = Timestamp)]
    pub created_at: NaiveDateTime,
}

impl Row {
    pub fn state(&self) -> State {
        State::of_code(&self.state).unwrap_or(State::Deleted)
    }

    /// Where the row stands in this order.
    pub fn cursor(&self, sort: Sort) -> Cursor {
        let value = match sort {
            Sort::Name => self.name_key.clone(),
            Sort::Created => self.created_at.and_utc().timestamp_micros().to_string(),
        };
        Cursor(value, self.key)
    }
}

/// The values of a statement, in the order of their numbers.
struct Values(Vec<Value>);

impl Values {
    fn bind(&mut self, value: Value) -> String {
        self.0.push(value);
        format!("${}", self.0.len())
    }

    fn said(self, text: String) -> Said {
        said(text).bind_all(self.0)
    }
}

/// The statement's start: `$1` is the account and, here, `$2` the moment.
fn start(db: &mut Db, account: Key, filter: &Filter) -> Result<(Values, String), Problem> {
    let mut values = Values(vec![Value::from(account)]);
    let place = match filter.scope {
        Scope::Here => {
            values.0.push(Value::from(ids::now()));
            WITHIN_REACH.to_owned()
        }
        // There are far fewer ports than accounts: each is asked whether it is below. Of EXISTS, PostgreSQL may make a
        // join that reads everything below.
        Scope::Below if is_large(db, account)? => "p.account_key <> $1 AND a.closed_at IS NULL
                         AND (SELECT 1 FROM account_ancestry x WHERE x.descendant_key = p.account_key
                              AND x.ancestor_key = $1 LIMIT 1) IS NOT NULL"
            .to_owned(),
        Scope::Below => "p.account_key IN (SELECT x.descendant_key FROM account_ancestry x
                          WHERE x.ancestor_key = $1 AND x.distance > 0)
                         AND a.closed_at IS NULL"
            .to_owned(),
    };
    let mut conditions = vec![place];
    conditions.push(match filter.state {
        None => "p.state <> 'DELETED'".to_owned(),
        Some(state) => format!("p.state = '{}'", state.code()),
    });
    match (filter.scope, filter.whose) {
        (Scope::Here, Whose::Own) => conditions.push("p.account_key = $1".to_owned()),
        (Scope::Here, Whose::Shared) => conditions.push("p.account_key <> $1".to_owned()),
        (Scope::Below, Whose::Shared) => conditions.push("p.available_to_child_accounts".to_owned()),
        _ => {}
    }
    Ok((values, conditions.join(" AND ")))
}

/// A page: at most `limit + 1` rows, turned round when the page before is wanted.
pub fn page(db: &mut Db, account: Key, filter: &Filter, want: &Want, limit: usize) -> Result<Vec<Row>, Problem> {
    let (mut values, mut conditions) = start(db, account, filter)?;
    let up = filter.descending == is_backward(want);
    let (order, than) = if up { ("ASC", ">") } else { ("DESC", "<") };
    let column = match filter.sort {
        Sort::Name => "p.name_key",
        Sort::Created => "p.created_at",
    };
    if let Want::After(cursor) | Want::Before(cursor) = want
        && let Some(value) = value(cursor, filter.sort)
    {
        let (value, key) = (values.bind(value), values.bind(Value::from(cursor.1)));
        conditions.push_str(&format!(" AND ({column} {than} {value} OR ({column} = {value} AND p.key {than} {key}))"));
    }
    let text = format!(
        "SELECT p.key, p.id, p.name, p.name_key, p.account_key AS account, a.id AS account_id,
                a.name AS account_name, f.name AS facility, l.name AS location, p.availability_domain, p.media_type,
                p.term, p.speed, p.used_speed,
                (SELECT CAST(COALESCE(SUM(u.speed), 0) AS BIGINT) FROM port_uses u
                  WHERE u.port_key = p.key AND u.account_key = $1) AS own_use,
                p.state, p.error_code, p.available_to_child_accounts AS offered, p.no_new_use_from, p.created_at
         FROM ports p
         JOIN accounts a ON a.key = p.account_key
         JOIN facilities f ON f.key = p.facility_key
         JOIN locations l ON l.key = f.location_key
         WHERE {conditions} ORDER BY {column} {order}, p.key {order} LIMIT {}",
        limit + 1
    );
    Ok(values.said(text).rows(db)?)
}

/// What the cursor says of the column sorted by; None where it says nothing that can be.
fn value(cursor: &Cursor, sort: Sort) -> Option<Value> {
    Some(match sort {
        Sort::Name => Value::from(cursor.0.clone()),
        Sort::Created => {
            let at = DateTime::from_timestamp_micros(cursor.0.parse().ok()?)?.naive_utc();
            Value::from(Some(at).filter(|at| *at < ids::never() && *at > DateTime::UNIX_EPOCH.naive_utc())?)
        }
    })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many there are.
pub fn count(db: &mut Db, account: Key, filter: &Filter) -> Result<i64, Problem> {
    let (values, conditions) = start(db, account, filter)?;
    let text = format!("SELECT COUNT(*) AS n FROM ports p JOIN accounts a ON a.key = p.account_key WHERE {conditions}");
    Ok(values.said(text).row::<Count>(db)?.n)
}
