//! Rows of methods that are being set up, at most one for each account, and who an account is to the provider.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::billing::method::{CollectionMethod, Entries, Permission};
use crate::ids::{self, Key};
use crate::payments::Means;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{accounts, payment_setups, provider_customers, users};

/// How far a set-up has come on this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing that works was entered yet.
    Open,
    /// Awaits the amounts of two deposits.
    Verifying,
    /// Wrong amounts were entered too often.
    Spent,
}

impl State {
    fn code(self) -> &'static str {
        match self {
            State::Open => "OPEN",
            State::Verifying => "VERIFYING",
            State::Spent => "SPENT",
        }
    }

    fn of_code(code: &str) -> State {
        match code {
            "VERIFYING" => State::Verifying,
            "SPENT" => State::Spent,
            _ => State::Open,
        }
    }
}

/// A method that is being set up beside the one in force.
#[derive(Debug, Clone)]
pub struct Setup {
    pub account: Key,
    /// `setup-…`
    pub id: String,
    pub state: State,
    pub entries: Entries,
    /// The stamp of the effects that somebody saw before.
    pub confirmed: String,
    /// Its id at the provider; empty until the provider knows of it.
    pub intent: String,
    /// How many intents were opened for it before.
    pub round: i64,
    pub brand: String,
    pub last_four: String,
    /// Amounts that were entered.
    pub tries: i64,
    /// The fingerprint of the own method's entries when it was begun; empty where there was none.
    pub begun_over: String,
    /// To draft the bank account.
    pub permission: Option<Permission>,
}

type Row = (
    (Key, String, String, String),
    (String, String, String, String, String, String, String, bool),
    (String, String, i64, String, String, i64),
    (String, Option<NaiveDateTime>, Option<Key>),
);

type Columns = (
    (payment_setups::account_key, payment_setups::id, payment_setups::state, payment_setups::collection_method),
    (
        payment_setups::name,
        payment_setups::email,
        payment_setups::street,
        payment_setups::city,
        payment_setups::state_name,
        payment_setups::postal_code,
        payment_setups::country,
        payment_setups::allow_child_accounts,
    ),
    (
        payment_setups::confirmed,
        payment_setups::intent,
        payment_setups::round,
        payment_setups::brand,
        payment_setups::last_four,
        payment_setups::tries,
    ),
    (payment_setups::begun_over, payment_setups::permitted_at, payment_setups::permitted_by),
);

fn columns() -> Columns {
    Columns::default()
}

fn setup_of(row: Row) -> Result<Setup, Problem> {
    let ((account, id, state, code), entries, at_provider, (begun_over, permitted_at, permitted_by)) = row;
    let (confirmed, intent, round, brand, last_four, tries) = at_provider;
    let (name, email, street, city, state_name, postal_code, country, allow_child_accounts) = entries;
    let collection_method =
        CollectionMethod::of_code(&code).ok_or_else(|| Problem::bug("a collection method nobody knows"))?;
    let state_of = State::of_code(&state);
    let entries = Entries {
        collection_method,
        name,
        email,
        street,
        city,
        state: state_name,
        postal_code,
        country,
        allow_child_accounts,
    };
    let permission = permitted_at.zip(permitted_by).map(|(at, by)| Permission { at, by });
    Ok(Setup {
        account,
        id,
        state: state_of,
        entries,
        confirmed,
        intent,
        round,
        brand,
        last_four,
        tries,
        begun_over,
        permission,
    })
}

/// What is being set up for the account.
pub fn of(db: &mut Db, account: Key) -> Result<Option<Setup>, Problem> {
    payment_setups::table.find(account).select(columns()).first::<Row>(db).optional()?.map(setup_of).transpose()
}

/// The set-up with this intent, with the root of its account's tree.
pub fn of_intent(db: &mut Db, intent: &str) -> Result<Option<(Setup, Key)>, Problem> {
    let row = payment_setups::table
        .inner_join(accounts::table.on(accounts::key.eq(payment_setups::account_key)))
        .filter(payment_setups::intent.eq(intent))
        .filter(payment_setups::intent.ne(""))
        .select((columns(), accounts::root_key))
        .first::<(Row, Key)>(db)
        .optional()?;
    row.map(|(row, root)| Ok((setup_of(row)?, root))).transpose()
}

/// Every intent that is waited for, a page at a time.
pub fn intents(db: &mut Db, after: &str, most: i64) -> Result<Vec<String>, Problem> {
    let rows = payment_setups::table.filter(payment_setups::intent.gt(after)).filter(payment_setups::intent.ne(""));
    Ok(rows.order(payment_setups::intent).limit(most).select(payment_setups::intent).load(db)?)
}

/// Begins one, in place of whatever was being set up before; answers its id.
/// `over`: the fingerprint of the entries that it is to replace.
pub fn begin(db: &mut Db, account: Key, entries: &Entries, over: &str, confirmed: &str) -> Result<String, Problem> {
    discard(db, account)?;
    let id = ids::new_id("setup");
    diesel::insert_into(payment_setups::table)
        .values((
            payment_setups::account_key.eq(account),
            payment_setups::id.eq(&id),
            payment_setups::state.eq(State::Open.code()),
            payment_setups::collection_method.eq(entries.collection_method.code()),
            payment_setups::name.eq(&entries.name),
            payment_setups::email.eq(&entries.email),
            payment_setups::street.eq(&entries.street),
            payment_setups::city.eq(&entries.city),
            payment_setups::state_name.eq(&entries.state),
            payment_setups::postal_code.eq(&entries.postal_code),
            payment_setups::country.eq(&entries.country),
            payment_setups::allow_child_accounts.eq(entries.allow_child_accounts),
            payment_setups::confirmed.eq(confirmed),
            payment_setups::begun_over.eq(over),
            payment_setups::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(id)
}

pub fn discard(db: &mut Db, account: Key) -> Result<(), Problem> {
    diesel::delete(payment_setups::table.find(account)).execute(db)?;
    Ok(())
}

/// Notes what the provider calls it. The one in its place is the one that `round` was about; false when another
/// request was faster.
pub fn set_intent(db: &mut Db, setup: &Setup, intent: &str) -> Result<bool, Problem> {
    let row = payment_setups::table.find(setup.account).filter(payment_setups::id.eq(&setup.id));
    let row = row.filter(payment_setups::round.eq(setup.round));
    let now = (payment_setups::intent.eq(intent), payment_setups::round.eq(setup.round + 1));
    Ok(diesel::update(row).set(now).execute(db)? == 1)
}

/// What was entered for `old` already is taken over by the set-up in its place.
pub fn carry(db: &mut Db, id: &str, old: &Setup) -> Result<(), Problem> {
    diesel::update(payment_setups::table.find(old.account).filter(payment_setups::id.eq(id)))
        .set((
            payment_setups::intent.eq(&old.intent),
            payment_setups::round.eq(old.round),
            payment_setups::brand.eq(&old.brand),
            payment_setups::last_four.eq(&old.last_four),
            payment_setups::permitted_at.eq(old.permission.map(|given| given.at)),
            payment_setups::permitted_by.eq(old.permission.map(|given| given.by)),
        ))
        .execute(db)?;
    Ok(())
}

/// Notes the permission to draft the bank account; the first one stays.
pub fn permit(db: &mut Db, setup: &Setup, permission: Permission) -> Result<(), Problem> {
    let row = payment_setups::table.find(setup.account).filter(payment_setups::id.eq(&setup.id));
    diesel::update(row.filter(payment_setups::permitted_at.is_null()))
        .set((payment_setups::permitted_at.eq(permission.at), payment_setups::permitted_by.eq(permission.by)))
        .execute(db)?;
    Ok(())
}

/// The public id of whoever gave a permission.
pub fn giver(db: &mut Db, permission: Permission) -> Result<String, Problem> {
    Ok(users::table.find(permission.by).select(users::id).first(db)?)
}

/// The entries of the account's own method that waits for the same amounts were changed: so are these.
pub fn follow(db: &mut Db, account: Key, entries: &Entries) -> Result<(), Problem> {
    diesel::update(payment_setups::table.find(account))
        .set((
            payment_setups::name.eq(&entries.name),
            payment_setups::email.eq(&entries.email),
            payment_setups::street.eq(&entries.street),
            payment_setups::city.eq(&entries.city),
            payment_setups::state_name.eq(&entries.state),
            payment_setups::postal_code.eq(&entries.postal_code),
            payment_setups::country.eq(&entries.country),
            payment_setups::allow_child_accounts.eq(entries.allow_child_accounts),
            payment_setups::begun_over.eq(entries.fingerprint()),
        ))
        .execute(db)?;
    Ok(())
}

/// Notes that it waits for the amounts, or does not any more.
pub fn set_state(db: &mut Db, setup: &Setup, state: State, means: Option<&Means>) -> Result<(), Problem> {
    let row = payment_setups::table.find(setup.account).filter(payment_setups::id.eq(&setup.id));
    let brand = means.map_or(&setup.brand, |means| &means.brand);
    let last_four = means.map_or(&setup.last_four, |means| &means.last_four);
    let now = (
        payment_setups::state.eq(state.code()),
        payment_setups::brand.eq(brand),
        payment_setups::last_four.eq(last_four),
    );
    diesel::update(row).set(now).execute(db)?;
    Ok(())
}

/// Counts amounts that are about to be tried; false when there were `most` of them already.
pub fn count_try(db: &mut Db, setup: &Setup, most: i64) -> Result<bool, Problem> {
    let row = payment_setups::table.find(setup.account).filter(payment_setups::id.eq(&setup.id));
    let row = row.filter(payment_setups::state.eq(State::Verifying.code())).filter(payment_setups::tries.lt(most));
    Ok(diesel::update(row).set(payment_setups::tries.eq(payment_setups::tries + 1)).execute(db)? == 1)
}

/// Takes one back that nobody looked at.
pub fn uncount_try(db: &mut Db, setup: &Setup) -> Result<(), Problem> {
    let row = payment_setups::table.find(setup.account).filter(payment_setups::id.eq(&setup.id));
    let row = row.filter(payment_setups::tries.gt(0));
    diesel::update(row).set(payment_setups::tries.eq(payment_setups::tries - 1)).execute(db)?;
    Ok(())
}

/// Who the account is to the provider.
pub fn customer(db: &mut Db, account: Key) -> Result<Option<String>, Problem> {
    Ok(provider_customers::table.find(account).select(provider_customers::id).first(db).optional()?)
}

/// Notes it, unless another request did; answers which one holds.
pub fn keep_customer(db: &mut Db, account: Key, id: &str) -> Result<String, Problem> {
    diesel::sql_query("INSERT INTO provider_customers (account_key, id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind::<BigInt, _>(account)
        .bind::<Text, _>(id)
        .execute(db)?;
    customer(db, account)?.ok_or_else(|| Problem::bug("two accounts are one customer"))
}
