//! Rows of payment methods, and who changed one last. Each query takes the account. Who pays for whom is in
//! [`payers`], who follows whom in [`followers`].

pub mod followers;
pub mod payers;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::method::{CollectionMethod, Entries, Method};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{audit_entries, audit_scope, payment_methods, users};

/// The account's own payment method.
pub fn own(db: &mut Db, account: Key) -> Result<Option<Method>, Problem> {
    type Row = (String, String, (String, String, String, String, String, String, String), bool, bool, i64);
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
        ))
        .first(db)
        .optional()?;
    let Some((id, code, address, allow_child_accounts, verified, version)) = row else { return Ok(None) };
    let collection_method =
        CollectionMethod::of_code(&code).ok_or_else(|| Problem::bug("a collection method nobody knows"))?;
    let (name, email, street, city, state, postal_code, country) = address;
    let entries =
        Entries { collection_method, name, email, street, city, state, postal_code, country, allow_child_accounts };
    Ok(Some(Method { account, id, entries, verified, version }))
}

pub fn insert(db: &mut Db, account: Key, entries: &Entries) -> Result<Method, Problem> {
    let method = Method {
        account,
        id: ids::new_id("billing"),
        entries: entries.clone(),
        verified: entries.collection_method.is_verified_at_once(),
        version: 1,
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
        .first::<(String, String, NaiveDateTime)>(db)
        .optional()?;
    Ok(row.map(|(first, last, at)| (format!("{first} {last}"), at)))
}
