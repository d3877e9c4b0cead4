//! Rows of payment methods, and who changed one last. Each query takes the account. Who pays for whom is in
//! [`payers`], who follows whom in [`followers`], what is still to be paid in [`owed`].

pub mod events;
pub mod followers;
pub mod owed;
pub mod payers;
pub mod people;
pub mod setups;
pub mod tries;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::method::{CollectionMethod, Entries, Method, Permission, Stored};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{audit_entries, audit_scope, payment_methods, users};

/// The account's own payment method.
pub fn own(db: &mut Db, account: Key) -> Result<Option<Method>, Problem> {
    type Address = (String, String, String, String, String, String, String);
    type Row = (String, String, Address, bool, bool, i64, StoredRow);
    let row: Option<Row> = payment_methods::table
        .find(account)
        .select((
            payment_methods::id,
            payment_methods::collection_method,
            (
                payment_methods::name,
                payment_methods::email,
                payment_methods::street,
                payment_methods::city,
                payment_methods::state,
                payment_methods::postal_code,
                payment_methods::country,
            ),
            payment_methods::allow_child_accounts,
            payment_methods::verified,
            payment_methods::version,
            STORED_COLUMNS,
        ))
        .first_row(db)
        .optional()?;
    let Some((id, code, address, allow_child_accounts, verified, version, stored)) = row else { return Ok(None) };
    let collection_method =
        CollectionMethod::of_code(&code).ok_or_else(|| Problem::bug("a collection method nobody knows"))?;
    let (name, email, street, city, state, postal_code, country) = address;
    let entries =
        Entries { collection_method, name, email, street, city, state, postal_code, country, allow_child_accounts };
    Ok(Some(Method { account, id, entries, verified, version, stored: stored_of(stored) }))
}

type StoredRow = (String, String, String, String, NaiveDateTime, Option<NaiveDateTime>, NaiveDateTime);

const STORED_COLUMNS: (
    payment_methods::provider_id,
    payment_methods::brand,
    payment_methods::last_four,
    payment_methods::holder_type,
    payment_methods::expires_at,
    payment_methods::failed_at,
    payment_methods::pays_until,
) = (
    payment_methods::provider_id,
    payment_methods::brand,
    payment_methods::last_four,
    payment_methods::holder_type,
    payment_methods::expires_at,
    payment_methods::failed_at,
    payment_methods::pays_until,
);

fn stored_of((provider_id, brand, last_four, holder_type, expires_at, failed_at, pays_until): StoredRow) -> Stored {
    Stored { provider_id, brand, last_four, holder_type, expires_at, failed_at, pays_until }
}

/// Writes what the provider tells of the account's own method, and whether it can be charged; the row's version goes
/// on, so that a form that was opened before is stale.
pub fn store(db: &mut Db, account: Key, verified: bool, stored: &Stored) -> Result<(), Problem> {
    diesel::update(payment_methods::table.find(account))
        .set((
            payment_methods::verified.eq(verified),
            payment_methods::provider_id.eq(&stored.provider_id),
            payment_methods::brand.eq(&stored.brand),
            payment_methods::last_four.eq(&stored.last_four),
            payment_methods::holder_type.eq(&stored.holder_type),
            payment_methods::expires_at.eq(stored.expires_at),
            payment_methods::failed_at.eq(stored.failed_at),
            payment_methods::pays_until.eq(stored.pays_until),
            payment_methods::version.eq(payment_methods::version + 1),
        ))
        .execute(db)?;
    Ok(())
}

/// Who permitted drafts, and when; none where there is nothing to draft.
pub fn permit(db: &mut Db, account: Key, permission: Option<Permission>) -> Result<(), Problem> {
    diesel::update(payment_methods::table.find(account))
        .set((
            payment_methods::permitted_at.eq(permission.map(|given| given.at)),
            payment_methods::permitted_by.eq(permission.map(|given| given.by)),
        ))
        .execute(db)?;
    Ok(())
}

/// The accounts whose own method has this id at the provider, with their roots.
pub fn holders(db: &mut Db, provider_id: &str) -> Result<Vec<(Key, Key)>, Problem> {
    use crate::store::schema::accounts;
    Ok(payment_methods::table
        .inner_join(accounts::table)
        .filter(payment_methods::provider_id.eq(provider_id))
        .filter(payment_methods::provider_id.ne(""))
        .order(payment_methods::account_key)
        .select((payment_methods::account_key, accounts::root_key))
        .rows(db)?)
}

pub fn insert(db: &mut Db, account: Key, entries: &Entries) -> Result<Method, Problem> {
    let method = Method {
        account,
        id: ids::new_id("billing"),
        entries: entries.clone(),
        verified: true,
        version: 1,
        stored: Stored::default(),
    };
    diesel::insert_into(payment_methods::table)
        .values((
            payment_methods::account_key.eq(account),
            payment_methods::id.eq(&method.id),
            payment_methods::collection_method.eq(entries.collection_method.code()),
            payment_methods::name.eq(&entries.name),
            payment_methods::email.eq(&entries.email),
            payment_methods::street.eq(&entries.street),
            payment_methods::city.eq(&entries.city),
            payment_methods::state.eq(&entries.state),
            payment_methods::postal_code.eq(&entries.postal_code),
            payment_methods::country.eq(&entries.country),
            payment_methods::allow_child_accounts.eq(entries.allow_child_accounts),
            payment_methods::verified.eq(method.verified),
            payment_methods::created_at.eq(ids::now()),
            payment_methods::version.eq(method.version),
        ))
        .execute(db)?;
    Ok(method)
}

/// Writes the entries over the version that was read; false when it is not that version any more.
pub fn update(db: &mut Db, account: Key, version: i64, entries: &Entries) -> Result<bool, Problem> {
    let changed = diesel::update(payment_methods::table.find(account).filter(payment_methods::version.eq(version)))
        .set((
            payment_methods::collection_method.eq(entries.collection_method.code()),
            payment_methods::name.eq(&entries.name),
            payment_methods::email.eq(&entries.email),
            payment_methods::street.eq(&entries.street),
            payment_methods::city.eq(&entries.city),
            payment_methods::state.eq(&entries.state),
            payment_methods::postal_code.eq(&entries.postal_code),
            payment_methods::country.eq(&entries.country),
            payment_methods::allow_child_accounts.eq(entries.allow_child_accounts),
            payment_methods::version.eq(version + 1),
        ))
        .execute(db)?;
    Ok(changed == 1)
}

/// Deletes the version that was read; false when it is not that version any more.
pub fn delete(db: &mut Db, account: Key, version: i64) -> Result<bool, Problem> {
    let row = payment_methods::table.find(account).filter(payment_methods::version.eq(version));
    Ok(diesel::delete(row).execute(db)? == 1)
}

/// Who changed the account's payment method last, and when.
pub fn last_change(db: &mut Db, account: Key) -> Result<Option<(String, NaiveDateTime)>, Problem> {
    let row = audit_scope::table
        .inner_join(audit_entries::table)
        .inner_join(users::table.on(audit_entries::actor_key.eq(users::key.nullable())))
        .filter(audit_scope::account_key.eq(account))
        .filter(audit_scope::own.eq(true))
        .filter(audit_entries::account_key.eq(account))
        .filter(audit_entries::subject_type.eq(super::SUBJECT))
        .order(audit_scope::entry_key.desc())
        .select((users::first_name, users::last_name, audit_entries::at))
        .first_row::<(String, String, NaiveDateTime)>(db)
        .optional()?;
    Ok(row.map(|(first, last, at)| (format!("{first} {last}"), at)))
}
