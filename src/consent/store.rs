//! Rows and queries of documents and consents. Both tables are append-only (the database refuses the rest), so there
//! is an insert for each and no other change.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::document::{Document, Kind, Shelf};
use super::{Consent, Named, Person};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::{accounts, consents, legal_documents, users};

type DocumentRow = (Key, String, i64, String, String, NaiveDateTime, NaiveDateTime);

const DOCUMENT: (
    legal_documents::key,
    legal_documents::document,
    legal_documents::version,
    legal_documents::title,
    legal_documents::sha256,
    legal_documents::effective_at,
    legal_documents::published_at,
) = (
    legal_documents::key,
    legal_documents::document,
    legal_documents::version,
    legal_documents::title,
    legal_documents::sha256,
    legal_documents::effective_at,
    legal_documents::published_at,
);

fn document(row: DocumentRow) -> Result<Document, Problem> {
    let (key, code, version, title, sha256, effective_at, published_at) = row;
    let kind = Kind::of_code(&code).ok_or_else(|| Problem::bug("a legal document of an unknown kind"))?;
    Ok(Document { key, kind, version, title, sha256, effective_at, published_at })
}

/// Every version, without the texts.
pub fn shelf(db: &mut Db) -> Result<Shelf, Problem> {
    let rows = legal_documents::table.select(DOCUMENT).rows::<DocumentRow>(db)?;
    let mut all = rows.into_iter().map(document).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|document| (document.kind, document.version));
    Ok(Shelf(all))
}

/// The texts of these versions.
pub fn texts(db: &mut Db, documents: &[Key]) -> Result<HashMap<Key, String>, Problem> {
    let rows = legal_documents::table
        .filter(one_of(legal_documents::key, documents))
        .select((legal_documents::key, legal_documents::body))
        .rows::<(Key, String)>(db)?;
    Ok(rows.into_iter().collect())
}

/// False when this version of this document is there already; waits for another process that is just adding it.
pub fn add_document(db: &mut Db, new: &Document, body: &str) -> Result<bool, Problem> {
    let added = diesel::sql_query(
        "INSERT INTO legal_documents (key, document, version, title, body, sha256, effective_at, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (document, version) DO NOTHING",
    )
    .bind::<BigInt, _>(new.key)
    .bind::<Text, _>(new.kind.code())
    .bind::<BigInt, _>(new.version)
    .bind::<Text, _>(&new.title)
    .bind::<Text, _>(body)
    .bind::<Text, _>(&new.sha256)
    .bind::<Timestamp, _>(new.effective_at)
    .bind::<Timestamp, _>(new.published_at)
    .execute(db)?;
    Ok(added == 1)
}

/// Who has accepted which of these documents, and when.
pub fn accepted(db: &mut Db, of: &[Key], documents: &[Key]) -> Result<Vec<(Key, Key, NaiveDateTime)>, Problem> {
    Ok(consents::table
        .filter(one_of(consents::account_key, of))
        .filter(one_of(consents::document_key, documents))
        .select((consents::account_key, consents::document_key, consents::accepted_at))
        .rows::<(Key, Key, NaiveDateTime)>(db)?)
}

/// Which of these documents are accepted for which of these accounts.
pub fn pairs(db: &mut Db, of: &[Key], documents: &[Key]) -> Result<Vec<(Key, Key)>, Problem> {
    Ok(consents::table
        .filter(one_of(consents::account_key, of))
        .filter(one_of(consents::document_key, documents))
        .select((consents::account_key, consents::document_key))
        .rows(db)?)
}

/// Who accepted some of these documents for these accounts, and acting from where; the latest last.
pub fn accepted_by(db: &mut Db, of: &[Key], documents: &[Key]) -> Result<Vec<(Key, String, Key)>, Problem> {
    let rows = consents::table
        .inner_join(users::table)
        .filter(one_of(consents::account_key, of))
        .filter(one_of(consents::document_key, documents))
        .order(consents::key)
        .select((consents::account_key, users::first_name, users::last_name, consents::from_account_key))
        .rows::<(Key, String, String, Key)>(db)?;
    Ok(rows.into_iter().map(|(account, first, last, from)| (account, format!("{first} {last}"), from)).collect())
}

type ConsentRow =
    ((Key, String, String, NaiveDateTime), DocumentRow, (Key, String, String, String, String), (Key, String, String));

/// Everything that was ever accepted for the account, the newest first.
pub fn history(db: &mut Db, account: Key) -> Result<Vec<Consent>, Problem> {
    let rows = consents::table
        .inner_join(legal_documents::table)
        .inner_join(users::table)
        .inner_join(accounts::table.on(accounts::key.eq(consents::from_account_key)))
        .filter(consents::account_key.eq(account))
        .select((
            (consents::key, consents::id, consents::address, consents::accepted_at),
            DOCUMENT,
            (users::key, users::id, users::first_name, users::last_name, users::email),
            (accounts::key, accounts::id, accounts::name),
        ))
        .rows::<ConsentRow>(db)?;
    let mut all = rows.into_iter().map(consent).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|one| (std::cmp::Reverse(one.accepted_at), one.document.kind, one.document.version));
    Ok(all)
}

fn consent(row: ConsentRow) -> Result<Consent, Problem> {
    let ((key, id, address, accepted_at), of, (user, user_id, first, last, email), (from, from_id, from_name)) = row;
    Ok(Consent {
        key,
        id,
        document: document(of)?,
        by: Person { key: user, id: user_id, name: format!("{first} {last}"), email },
        from: Named { key: from, id: from_id, name: from_name },
        address,
        accepted_at,
    })
}

/// One acceptance to be; answers its public id.
pub struct NewConsent<'a> {
    pub account: Key,
    pub document: Key,
    pub user: Key,
    pub from: Key,
    pub address: &'a str,
    pub at: NaiveDateTime,
}

pub fn add_consent(db: &mut Db, new: &NewConsent<'_>) -> Result<String, Problem> {
    let id = ids::new_id("consent");
    diesel::insert_into(consents::table)
        .values((
            consents::key.eq(ids::next_key()),
            consents::id.eq(&id),
            consents::account_key.eq(new.account),
            consents::document_key.eq(new.document),
            consents::user_key.eq(new.user),
            consents::from_account_key.eq(new.from),
            consents::address.eq(new.address),
            consents::accepted_at.eq(new.at),
        ))
        .execute(db)?;
    Ok(id)
}
