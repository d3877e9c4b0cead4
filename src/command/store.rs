//! Rows of who reaches an account: the people page by page, strongest first, and everything that was given to some of
//! them along the chain. The number of statements depends neither on the people nor on the length of the chain.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::filter::{Filter, Given};
use super::{Way, power};
use crate::access::Scope;
use crate::access::policy::Permissions;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::roles::Role;
use crate::store::Db;
use crate::store::dialect::{MultiBackend, one_of};
use crate::store::schema::{account_ancestry, assignments, audit_entries, roles, users};
use crate::text::{email_key, like_anywhere, name_key};
use crate::web::paging::{Want, is_backward};

/// Somebody whose roles reach an account.
#[derive(Debug, Clone, QueryableByName)]
pub struct Person {
    #[diesel(sql_type = BigInt)]
    pub key: Key,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub first_name: String,
    #[diesel(sql_type = Text)]
    pub last_name: String,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub email_key: String,
    /// 0 for those with the strongest role, and so on.
    #[diesel(sql_type = BigInt)]
    pub place: i64,
}

impl Person {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// The roles that can have been given along the chain, in groups of equal strength, the strongest first.
#[derive(Debug, Clone)]
pub struct Ranks(Vec<Vec<Key>>);

impl Ranks {
    /// Those of the roles that allow what the filter asks for.
    pub fn of(roles: &[Role], filter: &Filter) -> Ranks {
        let fits = |role: &&Role| filter.power.is_none_or(|power| role.permissions.allow(power));
        let mut by_strength: Vec<(i64, Key)> =
            roles.iter().filter(fits).map(|role| (-power::strength(role.permissions), role.key)).collect();
        by_strength.sort_unstable();
        let groups = by_strength.chunk_by(|one, other| one.0 == other.0);
        Ranks(groups.map(|group| group.iter().map(|(_, key)| *key).collect()).collect())
    }

    /// SQL for the place of an assignment's role; keys are numbers of our own.
    pub(super) fn sql(&self) -> String {
        let cases =
            self.0.iter().enumerate().map(|(place, keys)| format!("WHEN a.role_key IN ({}) THEN {place}", list(keys)));
        format!("CASE {} ELSE {} END", cases.collect::<Vec<_>>().join(" "), self.0.len())
    }

    fn keys(&self) -> Vec<Key> {
        self.0.iter().flatten().copied().collect()
    }
}

fn list(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `$1` the account, `$2` now, `$3` the last end that is wanted; texts after them.
const REACHING: &str = "FROM account_ancestry y JOIN assignments a ON a.account_key = y.ancestor_key
     WHERE y.descendant_key = $1 AND a.ends_at > $2 AND a.ends_at <= $3
       AND ((y.distance = 0 AND a.scope <> 'below') OR (y.distance > 0 AND a.scope <> 'here'))";

/// The people who fit, one row each, and the texts to bind.
fn people_sql(ranks: &Ranks, filter: &Filter) -> (String, Vec<String>) {
    let given = match filter.given {
        Given::Anywhere => "",
        Given::Here => " AND y.distance = 0",
        Given::Above => " AND y.distance > 0",
    };
    let roles =
        if filter.power.is_some() { format!(" AND a.role_key IN ({})", list(&ranks.keys())) } else { String::new() };
    let mut sql = format!(
        "FROM (SELECT a.user_key, CAST(MIN({}) AS BIGINT) AS place {REACHING}{given}{roles} GROUP BY a.user_key) p
         JOIN users u ON u.key = p.user_key WHERE 1 = 1",
        ranks.sql()
    );
    let mut binds = Vec::new();
    if !filter.text.is_empty() {
        sql.push_str(" AND (u.email_key LIKE $4 ESCAPE '\\' OR u.name_key LIKE $5 ESCAPE '\\')");
        binds.push(like_anywhere(&email_key(&filter.text)));
        binds.push(like_anywhere(&name_key(&filter.text)));
    }
    (sql, binds)
}

/// What the filter means by soon.
fn latest_end(filter: &Filter) -> NaiveDateTime {
    if filter.ends_soon { ids::now() + super::reach::SOON } else { ids::never() }
}

/// A page of people, the strongest first, then by e-mail; at most `limit`, against the order for a page before another.
pub fn people(
    db: &mut Db,
    account: Key,
    ranks: &Ranks,
    filter: &Filter,
    want: &Want,
    limit: usize,
) -> Result<Vec<Person>, Problem> {
    if ranks.0.is_empty() {
        return Ok(Vec::new());
    }
    let (from, mut binds) = people_sql(ranks, filter);
    let place = |sign: &str, binds: &[String], place: Key| {
        format!(" AND (p.place, u.email_key) {sign} ({place}, ${})", binds.len() + 4)
    };
    let after = match want {
        Want::After(cursor) => place(">", &binds, cursor.1),
        Want::Before(cursor) => place("<", &binds, cursor.1),
        Want::First | Want::Last => String::new(),
    };
    if let Want::After(cursor) | Want::Before(cursor) = want {
        binds.push(cursor.0.clone());
    }
    let order = if is_backward(want) { "p.place DESC, u.email_key DESC" } else { "p.place, u.email_key" };
    let sql = format!(
        "SELECT u.key, u.id, u.first_name, u.last_name, u.email, u.email_key, p.place {from}{after}
         ORDER BY {order} LIMIT {limit}"
    );
    let mut query = diesel::sql_query(sql)
        .into_boxed::<MultiBackend>()
        .bind::<BigInt, _>(account)
        .bind::<Timestamp, _>(ids::now())
        .bind::<Timestamp, _>(latest_end(filter));
    for text in binds {
        query = query.bind::<Text, _>(text);
    }
    Ok(query.load(db)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

pub fn count(db: &mut Db, account: Key, ranks: &Ranks, filter: &Filter) -> Result<i64, Problem> {
    if ranks.0.is_empty() {
        return Ok(0);
    }
    let (from, binds) = people_sql(ranks, filter);
    let mut query = diesel::sql_query(format!("SELECT COUNT(*) AS count {from}"))
        .into_boxed::<MultiBackend>()
        .bind::<BigInt, _>(account)
        .bind::<Timestamp, _>(ids::now())
        .bind::<Timestamp, _>(latest_end(filter));
    for text in binds {
        query = query.bind::<Text, _>(text);
    }
    Ok(query.load::<Count>(db)?.first().map_or(0, |row| row.count))
}

type WayRow = ((Key, Key, i64), (String, i64), (String, NaiveDateTime, NaiveDateTime), Option<(String, String)>);

/// Everything that these people were given at the account and above it, also what ended or does not reach, the nearest
/// first.
pub fn ways(db: &mut Db, account: Key, people: &[Key]) -> Result<Vec<Way>, Problem> {
    let granter = diesel::alias!(users as granter);
    let rows: Vec<WayRow> = account_ancestry::table
        .inner_join(assignments::table.on(assignments::account_key.eq(account_ancestry::ancestor_key)))
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .left_join(granter.on(assignments::granted_by.eq(granter.field(users::key).nullable())))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(one_of(assignments::user_key, people))
        .order((account_ancestry::distance, roles::name_key, assignments::key))
        .select((
            (assignments::user_key, assignments::account_key, account_ancestry::distance),
            (roles::name, roles::permissions),
            (assignments::scope, assignments::created_at, assignments::ends_at),
            granter.fields((users::first_name, users::last_name)).nullable(),
        ))
        .load(db)?;
    let way = |((user, at, distance), (role, bits), (code, since, until), granter): WayRow| {
        let scope = Scope::of_code(&code).ok_or_else(|| Problem::bug("an assignment has an unknown scope"))?;
        let granted_by = granter.map(|(first, last)| format!("{first} {last}"));
        Ok(Way { user, at, distance, role, permissions: Permissions(bits), scope, granted_by, since, until })
    };
    rows.into_iter().map(way).collect()
}

/// One of the first people of an account of the chain.
#[derive(Debug, Clone, QueryableByName)]
pub struct Head {
    /// Levels above the account that is looked at.
    #[diesel(sql_type = BigInt)]
    pub distance: i64,
    /// How many people's roles reach down from there.
    #[diesel(sql_type = BigInt)]
    pub total: i64,
    #[diesel(sql_type = BigInt)]
    pub key: Key,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub first_name: String,
    #[diesel(sql_type = Text)]
    pub last_name: String,
}

/// The first `most` people of each account of the chain whose roles reach down to its end, the strongest first; one
/// only for the accounts at a distance in `folded`, for their numbers.
pub fn heads(
    db: &mut Db,
    account: Key,
    ranks: &Ranks,
    most: usize,
    folded: std::ops::Range<usize>,
) -> Result<Vec<Head>, Problem> {
    let (low, high) = (folded.start, folded.end);
    let sql = format!(
        "SELECT t.distance, t.total, u.key, u.id, u.first_name, u.last_name
         FROM (SELECT g.distance, g.user_key, COUNT(*) OVER (PARTITION BY g.distance) AS total,
                      ROW_NUMBER() OVER (PARTITION BY g.distance ORDER BY g.place, g.user_key) AS n
               FROM (SELECT y.distance, a.user_key, MIN({}) AS place {REACHING} GROUP BY y.distance, a.user_key) g) t
         JOIN users u ON u.key = t.user_key
         WHERE t.n = 1 OR (t.n <= {most} AND (t.distance < {low} OR t.distance >= {high}))
         ORDER BY t.distance, t.n",
        ranks.sql()
    );
    let query = diesel::sql_query(sql)
        .bind::<BigInt, _>(account)
        .bind::<Timestamp, _>(ids::now())
        .bind::<Timestamp, _>(ids::never());
    Ok(query.load(db)?)
}

/// Somebody by public id.
pub fn person(db: &mut Db, id: &str) -> Result<(Key, String, String), Problem> {
    let (key, first, last, email) = users::table
        .filter(users::id.eq(id))
        .select((users::key, users::first_name, users::last_name, users::email))
        .first::<(Key, String, String, String)>(db)?;
    Ok((key, format!("{first} {last}"), email))
}

/// When somebody was last removed from the members of one of these accounts: where, when and by whom.
pub fn removal(db: &mut Db, user_id: &str, accounts: &[Key]) -> Result<Option<Removal>, Problem> {
    Ok(audit_entries::table
        .left_join(users::table.on(audit_entries::actor_key.eq(users::key.nullable())))
        .filter(audit_entries::subject_id.eq(user_id))
        .filter(audit_entries::account_key.eq_any(accounts.iter().map(|key| Some(*key)).collect::<Vec<_>>()))
        .filter(audit_entries::event_type.eq(crate::audit::EventType::AccountMemberDelete.code()))
        .filter(audit_entries::result.eq("SUCCESS"))
        .order(audit_entries::key.desc())
        .select((
            audit_entries::account_key,
            audit_entries::at,
            audit_entries::before,
            (users::first_name, users::last_name).nullable(),
        ))
        .first::<Removal>(db)
        .optional()?)
}

#[derive(Debug, Clone, Queryable)]
pub struct Removal {
    pub account: Option<Key>,
    pub at: NaiveDateTime,
    /// What was taken, as the log keeps it.
    pub before: String,
    pub by: Option<(String, String)>,
}

impl Removal {
    /// Whether a role of one of these names was taken.
    pub fn took(&self, names: &[String]) -> bool {
        let fields: Vec<(String, String)> = serde_json::from_str(&self.before).unwrap_or_default();
        let roles = fields.into_iter().find(|(name, _)| name == "roles").map(|(_, roles)| roles).unwrap_or_default();
        roles.split(", ").any(|role| names.iter().any(|name| name == role))
    }
}
