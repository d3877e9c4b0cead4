//! Rows of accounts, and their ancestry, which changes in the same transaction as the parent.

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, exists, max, select};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Details, Opened};
use crate::access::Place;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{account_ancestry, account_tags, accounts, assignments, payment_methods};
use crate::text::name_key;

/// Inserts an account below `parent`, or a root account.
pub fn insert(db: &mut Db, parent: Option<&Place>, details: &Details) -> Result<Opened, Problem> {
    let (key, id) = (ids::next_key(), ids::new_id("ac"));
    diesel::insert_into(accounts::table)
        .values((
            accounts::key.eq(key),
            accounts::id.eq(&id),
            accounts::parent_key.eq(parent.map(|p| p.key)),
            accounts::parent_depth.eq(parent.map(|p| p.depth)),
            accounts::root_key.eq(parent.map_or(key, |p| p.root_key)),
            accounts::depth.eq(parent.map_or(0, |p| p.depth + 1)),
            accounts::name.eq(&details.name),
            accounts::name_key.eq(name_key(&details.name)),
            accounts::description.eq(&details.description),
            accounts::contacts.eq(details.contacts.join("\n")),
            accounts::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    insert_ancestry(db, key, &name_key(&details.name), parent.map(|p| p.key))?;
    insert_tags(db, key, &details.tags)?;
    if let Some(parent) = parent {
        add_to_children(db, parent.key, 1)?;
        add_to_below(db, parent.key, 1)?;
    }
    Ok(Opened { key, id })
}

fn insert_ancestry(db: &mut Db, key: Key, name: &str, parent: Option<Key>) -> Result<(), Problem> {
    let itself = (
        account_ancestry::descendant_key.eq(key),
        account_ancestry::ancestor_key.eq(key),
        account_ancestry::distance.eq(0),
        account_ancestry::name_key.eq(name),
    );
    diesel::insert_into(account_ancestry::table).values(itself).execute(db)?;
    if let Some(parent) = parent {
        diesel::sql_query(
            "INSERT INTO account_ancestry (descendant_key, name_key, ancestor_key, distance)
             SELECT $1, $2, ancestor_key, distance + 1 FROM account_ancestry WHERE descendant_key = $3",
        )
        .bind::<BigInt, _>(key)
        .bind::<Text, _>(name)
        .bind::<BigInt, _>(parent)
        .execute(db)?;
    }
    Ok(())
}

fn add_to_children(db: &mut Db, parent: Key, n: i64) -> Result<(), Problem> {
    diesel::update(accounts::table.find(parent))
        .set(accounts::children_count.eq(accounts::children_count + n))
        .execute(db)?;
    Ok(())
}

/// Keeps how many open accounts are below this one and below everything above it.
fn add_to_below(db: &mut Db, account: Key, n: i64) -> Result<(), Problem> {
    diesel::sql_query(
        "UPDATE accounts SET below_count = below_count + $1
         WHERE key IN (SELECT ancestor_key FROM account_ancestry WHERE descendant_key = $2)",
    )
    .bind::<BigInt, _>(n)
    .bind::<BigInt, _>(account)
    .execute(db)?;
    Ok(())
}

fn insert_tags(db: &mut Db, account: Key, tags: &[(String, String)]) -> Result<(), Problem> {
    for (name, value) in tags {
        diesel::insert_into(account_tags::table)
            .values((
                account_tags::account_key.eq(account),
                account_tags::name.eq(name),
                account_tags::value.eq(value),
                account_tags::value_key.eq(name_key(&format!("{name} {value}"))),
            ))
            .execute(db)?;
    }
    Ok(())
}

pub fn details(db: &mut Db, account: Key) -> Result<Details, Problem> {
    let row = accounts::table.find(account).select((accounts::name, accounts::description, accounts::contacts));
    let (name, description, contacts) = row.first_row::<(String, String, String)>(db)?;
    let mut tags: Vec<(String, String)> = account_tags::table
        .filter(account_tags::account_key.eq(account))
        .select((account_tags::name, account_tags::value))
        .rows(db)?;
    // Here and not in SQL, where each database has an order of its own.
    tags.sort();
    Ok(Details { name, description, contacts: contacts.lines().map(str::to_owned).collect(), tags })
}

/// Replaces name, description, contacts and tags, and raises the version.
pub fn update(db: &mut Db, account: Key, details: &Details) -> Result<(), Problem> {
    diesel::update(accounts::table.find(account))
        .set((
            accounts::name.eq(&details.name),
            accounts::name_key.eq(name_key(&details.name)),
            accounts::description.eq(&details.description),
            accounts::contacts.eq(details.contacts.join("\n")),
            accounts::version.eq(accounts::version + 1),
        ))
        .execute(db)?;
    diesel::update(account_ancestry::table.filter(account_ancestry::descendant_key.eq(account)))
        .set(account_ancestry::name_key.eq(name_key(&details.name)))
        .execute(db)?;
    diesel::delete(account_tags::table.filter(account_tags::account_key.eq(account))).execute(db)?;
    insert_tags(db, account, &details.tags)
}

/// When the account was made, and what it is called elsewhere.
pub fn origin(db: &mut Db, account: Key) -> Result<(NaiveDateTime, Option<String>), Problem> {
    Ok(accounts::table.find(account).select((accounts::created_at, accounts::external_reference)).first_row(db)?)
}

/// What the account is called in a system of those above it.
pub fn set_reference(db: &mut Db, account: Key, reference: &str) -> Result<(), Problem> {
    diesel::update(accounts::table.find(account)).set(accounts::external_reference.eq(reference)).execute(db)?;
    Ok(())
}

/// The open child of this parent with the same folded name, if there is one: its id and name.
pub fn namesake(db: &mut Db, parent: Key, name: &str) -> Result<Option<(String, String)>, Problem> {
    Ok(accounts::table
        .filter(accounts::parent_key.eq(parent))
        .filter(accounts::name_key.eq(name_key(name)))
        .filter(accounts::closed_at.is_null())
        .order(accounts::key)
        .select((accounts::id, accounts::name))
        .first_row(db)
        .optional()?)
}

/// An open account of this name in the tree of a root.
pub fn by_name(db: &mut Db, root: Key, name: &str) -> Result<Key, Problem> {
    Ok(accounts::table
        .filter(accounts::root_key.eq(root))
        .filter(accounts::name_key.eq(name_key(name)))
        .filter(accounts::closed_at.is_null())
        .order((accounts::depth, accounts::key))
        .select(accounts::key)
        .first_row(db)?)
}

/// Closes or opens an account and keeps its parent's count.
pub fn set_closed(db: &mut Db, account: Key, at: Option<NaiveDateTime>) -> Result<(), Problem> {
    diesel::update(accounts::table.find(account))
        .set((accounts::closed_at.eq(at), accounts::version.eq(accounts::version + 1)))
        .execute(db)?;
    let parent: Option<Key> = accounts::table.find(account).select(accounts::parent_key).first_row(db)?;
    match parent {
        Some(parent) => {
            let n = if at.is_some() { -1 } else { 1 };
            add_to_children(db, parent, n)?;
            add_to_below(db, parent, n)
        }
        None => Ok(()),
    }
}

/// A closed child account.
#[derive(Debug, Clone, Queryable)]
pub struct ClosedRow {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub closed_at: NaiveDateTime,
}

pub fn closed_child(db: &mut Db, parent: Key, id: &str) -> Result<ClosedRow, Problem> {
    if !ids::looks_like_id("ac", id) {
        return Err(Problem::NotFound);
    }
    Ok(accounts::table
        .filter(accounts::parent_key.eq(parent))
        .filter(accounts::id.eq(id))
        .filter(accounts::closed_at.is_not_null())
        .select((accounts::key, accounts::id, accounts::name, accounts::closed_at.assume_not_null()))
        .first_row(db)?)
}

/// Closed children that can still be restored, the latest first; at most 100.
pub fn closed_children(db: &mut Db, parent: Key) -> Result<Vec<ClosedRow>, Problem> {
    let oldest = ids::now() - chrono::Duration::days(super::RESTORABLE_DAYS);
    Ok(accounts::table
        .filter(accounts::parent_key.eq(parent))
        .filter(accounts::closed_at.gt(oldest))
        .order((accounts::closed_at.desc(), accounts::key.desc()))
        .limit(100)
        .select((accounts::key, accounts::id, accounts::name, accounts::closed_at.assume_not_null()))
        .rows(db)?)
}

/// Whether anybody has an account here.
pub fn is_any(db: &mut Db) -> Result<bool, Problem> {
    Ok(select(exists(accounts::table.select(accounts::key))).row(db)?)
}

/// Whether there is a closed child that can still be restored.
pub fn has_closed_children(db: &mut Db, parent: Key) -> Result<bool, Problem> {
    let oldest = ids::now() - chrono::Duration::days(super::RESTORABLE_DAYS);
    let closed = accounts::table.filter(accounts::parent_key.eq(parent)).filter(accounts::closed_at.gt(oldest));
    Ok(select(exists(closed)).row(db)?)
}

/// What closing an account touches: its direct members, and whether it has a payment method of its own.
pub fn effects_of_closing(db: &mut Db, account: Key) -> Result<(i64, bool), Problem> {
    let live = assignments::table.filter(assignments::ends_at.gt(ids::now()));
    let members = live.filter(assignments::account_key.eq(account)).select(count_star()).first_row(db)?;
    let methods: i64 =
        payment_methods::table.filter(payment_methods::account_key.eq(account)).select(count_star()).first_row(db)?;
    Ok((members, methods > 0))
}

/// How many levels are below the account.
pub fn height(db: &mut Db, account: Key) -> Result<i64, Problem> {
    let deepest = account_ancestry::table.filter(account_ancestry::ancestor_key.eq(account));
    Ok(deepest.select(max(account_ancestry::distance)).first_row::<Option<i64>>(db)?.unwrap_or(0))
}

/// Puts a branch under another parent: depths, root, ancestry and both parents' counts, all in this transaction. The
/// caller holds the locks of both trees and has excluded a cycle; the foreign key on depth refuses one all the same.
pub fn move_branch(db: &mut Db, account: &Place, from: Key, to: &Place) -> Result<(), Problem> {
    let down = to.depth + 1 - account.depth;
    let below: i64 = accounts::table.find(account.key).select(accounts::below_count).first_row(db)?;
    add_to_below(db, from, -(below + 1))?;
    diesel::sql_query(
        "UPDATE accounts SET depth = depth + $1, parent_depth = parent_depth + $1, root_key = $2
         WHERE key IN (SELECT descendant_key FROM account_ancestry WHERE ancestor_key = $3)",
    )
    .bind::<BigInt, _>(down)
    .bind::<BigInt, _>(to.root_key)
    .bind::<BigInt, _>(account.key)
    .execute(db)?;
    diesel::update(accounts::table.find(account.key))
        .set((
            accounts::parent_key.eq(to.key),
            accounts::parent_depth.eq(to.depth),
            accounts::version.eq(accounts::version + 1),
        ))
        .execute(db)?;
    // Everything in the branch loses the ancestors above it and gets the new ones.
    diesel::sql_query(
        "DELETE FROM account_ancestry
         WHERE descendant_key IN (SELECT descendant_key FROM account_ancestry WHERE ancestor_key = $1)
           AND ancestor_key NOT IN (SELECT descendant_key FROM account_ancestry WHERE ancestor_key = $1)",
    )
    .bind::<BigInt, _>(account.key)
    .execute(db)?;
    diesel::sql_query(
        "INSERT INTO account_ancestry (descendant_key, name_key, ancestor_key, distance)
         SELECT down.descendant_key, down.name_key, up.ancestor_key, down.distance + up.distance + 1
         FROM account_ancestry down CROSS JOIN account_ancestry up
         WHERE down.ancestor_key = $1 AND up.descendant_key = $2",
    )
    .bind::<BigInt, _>(account.key)
    .bind::<BigInt, _>(to.key)
    .execute(db)?;
    add_to_children(db, from, -1)?;
    add_to_children(db, to.key, 1)?;
    add_to_below(db, to.key, below + 1)
}
