//! The access check: the chain of accounts with what was given to the user at each of them, one keyed query whatever
//! the size of the tree. A closed account is not found.

use std::collections::HashMap;
use std::sync::Arc;

pub use super::chains::{chains, reached};
use chrono::NaiveDateTime;
use diesel::dsl::{count_star, exists, select};
use diesel::prelude::*;

use super::payer_end::{METHOD_COLUMNS, MethodRow};
pub use super::people::{givers, holders, holders_above};
use super::policy::{Action, Permissions};
use super::suspended::{SUSPENSION_COLUMNS, SuspensionRow};
use super::{Actor, Frame, Grant, Hold, PayerEnd, Place, Step, Suspended};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::{account_ancestry, accounts, assignments, payment_methods, roles, suspensions, users};

/// How far down an assignment holds, as it is stored ([`super::Scope`] in code that decides).
pub mod scope {
    pub const HERE_AND_BELOW: &str = "here_and_below";
    pub const HERE: &str = "here";
    pub const BELOW: &str = "below";
}

type ActorRow = (Key, String, String, String, String, String, Option<Key>);

pub(super) const ACTOR_COLUMNS: (
    users::key,
    users::id,
    users::first_name,
    users::last_name,
    users::email,
    users::theme,
    users::last_account_key,
) = (users::key, users::id, users::first_name, users::last_name, users::email, users::theme, users::last_account_key);

/// Somebody by key.
pub fn actor(db: &mut Db, user: Key) -> Result<Actor, Problem> {
    Ok(actor_of(users::table.find(user).select(ACTOR_COLUMNS).first_row::<ActorRow>(db)?))
}

pub(super) fn actor_of((key, id, first_name, last_name, email, theme, last_account): ActorRow) -> Actor {
    Actor { key, id, first_name, last_name, email, theme, last_account }
}

/// The account with this id as this user sees it. NotFound when there is none, it is closed, or the user is gone;
/// whether the user may see it is [`super::Grant`]'s to say.
pub fn frame(db: &mut Db, user: Key, account_id: &str) -> Result<Frame, Problem> {
    let actor = actor(db, user)?;
    frame_for(db, actor, account_id)
}

pub(super) fn frame_for(db: &mut Db, actor: Actor, account_id: &str) -> Result<Frame, Problem> {
    if !ids::looks_like_id("ac", account_id) {
        return Err(Problem::NotFound);
    }
    let Chain { places, given, payer, suspended } = chain(db, actor.key, account_id)?;
    let Some(account) = places.last() else { return Err(Problem::NotFound) };
    let switchable =
        if places.len() > 1 || account.children_count > 0 { true } else { elsewhere(db, actor.key, account.key)? };
    Ok(Frame { payer, suspended, ..assemble(actor, places, &given, switchable) })
}

struct Chain {
    places: Vec<Place>,
    given: Vec<Given>,
    payer: Option<PayerEnd>,
    suspended: Option<Suspended>,
}

/// From the root down to the account, with what this user was given along the way, the end of what pays for the
/// account, and where it is suspended; empty when the account does not exist or is closed. An account at which several
/// roles were given comes once for each.
fn chain(db: &mut Db, user: Key, account_id: &str) -> Result<Chain, Problem> {
    let target = diesel::alias!(accounts as target);
    let rows = account_ancestry::table
        .inner_join(target.on(target.field(accounts::key).eq(account_ancestry::descendant_key)))
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::ancestor_key)))
        .left_join(
            assignments::table.on(assignments::account_key
                .eq(account_ancestry::ancestor_key)
                .and(assignments::user_key.eq(user))
                .and(assignments::ends_at.gt(ids::now()))),
        )
        .left_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .left_join(payment_methods::table.on(payment_methods::account_key.eq(account_ancestry::ancestor_key)))
        .left_join(suspensions::table.on(suspensions::account_key.eq(account_ancestry::ancestor_key)))
        .filter(target.field(accounts::id).eq(account_id))
        .filter(target.field(accounts::closed_at).is_null())
        .order(account_ancestry::distance.desc())
        .select((PLACE_COLUMNS, GIVEN_COLUMNS.nullable(), METHOD_COLUMNS.nullable(), SUSPENSION_COLUMNS.nullable()))
        .rows::<(PlaceRow, Option<GivenRow>, Option<MethodRow>, Option<SuspensionRow>)>(db)?;
    let mut places: Vec<Place> = Vec::new();
    let mut given = Vec::new();
    let mut nearest: Option<(Key, MethodRow)> = None;
    let mut stopped: Option<(Key, SuspensionRow)> = None;
    for (row, role, method, suspension) in rows {
        let place = place_of(row);
        stopped = suspension.map(|row| (place.key, row)).or(stopped);
        nearest = method.map(|method| (place.key, method)).or(nearest);
        given.extend(role.map(|row| given_of(place.key, row)));
        if places.last().is_none_or(|last| last.key != place.key) {
            places.push(place);
        }
    }
    let account = places.last().map(|place| place.key);
    let payer = nearest.and_then(|(at, method)| PayerEnd::of(Some(at) == account, method));
    let suspended = stopped.map(|(at, (since, reason))| Suspended { at, own: Some(at) == account, since, reason });
    Ok(Chain { places, given, payer, suspended })
}

pub(super) type PlaceRow = (Key, String, String, i64, Key, i64, i64, i64, bool);

pub(super) type PlaceColumns = (
    accounts::key,
    accounts::id,
    accounts::name,
    accounts::depth,
    accounts::root_key,
    accounts::children_count,
    accounts::below_count,
    accounts::version,
    accounts::requires_second_factor,
);

pub(super) const PLACE_COLUMNS: PlaceColumns = (
    accounts::key,
    accounts::id,
    accounts::name,
    accounts::depth,
    accounts::root_key,
    accounts::children_count,
    accounts::below_count,
    accounts::version,
    accounts::requires_second_factor,
);

pub(super) fn place_of(row: PlaceRow) -> Place {
    let (key, id, name, depth, root_key, children_count, below_count, version, requires_second_factor) = row;
    Place { key, id, name, depth, root_key, children_count, below_count, version, requires_second_factor }
}

/// What one assignment gives: where it was made, how far down it holds, its role's permissions and name, its end.
pub(super) struct Given {
    at: Key,
    scope: String,
    permissions: Permissions,
    role: String,
    ends_at: NaiveDateTime,
}

pub(super) type GivenRow = (String, i64, String, NaiveDateTime);

pub(super) const GIVEN_COLUMNS: (assignments::scope, roles::permissions, roles::name, assignments::ends_at) =
    (assignments::scope, roles::permissions, roles::name, assignments::ends_at);

pub(super) fn given_of(at: Key, (scope, bits, role, ends_at): GivenRow) -> Given {
    Given { at, scope, permissions: Permissions(bits), role, ends_at }
}

fn elsewhere(db: &mut Db, user: Key, account: Key) -> Result<bool, Problem> {
    let others = assignments::table
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .filter(assignments::user_key.eq(user))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(assignments::account_key.ne(account))
        .filter(accounts::closed_at.is_null());
    Ok(select(exists(others)).row(db)?)
}

fn assemble(actor: Actor, places: Vec<Place>, given: &[Given], switchable: bool) -> Frame {
    let here = places.last().map(|place| place.key);
    let hold = |one: &Given| Hold {
        permissions: one.permissions,
        here: if Some(one.at) == here { one.scope != scope::BELOW } else { one.scope != scope::HERE },
        below: one.scope != scope::HERE,
        ends_at: one.ends_at,
        role: one.role.clone(),
    };
    let holds = given.iter().map(hold).collect();
    let (chain, below) = steps(places.into_iter().map(Arc::new).collect(), &given.iter().collect::<Vec<_>>());
    Frame { actor, chain, below, holds, switchable, payer: None, suspended: None }
}

/// What is held at each account of a chain, and what goes on to the accounts below its end.
pub(super) fn steps(places: Vec<Arc<Place>>, given: &[&Given]) -> (Vec<Step>, Permissions) {
    let last = places.len().saturating_sub(1);
    let mut from_above = Permissions::NONE;
    let mut steps = Vec::with_capacity(places.len());
    for (level, place) in places.into_iter().enumerate() {
        let mut here = from_above;
        let mut gives = Vec::new();
        for one in given.iter().filter(|one| one.at == place.key) {
            if one.scope != scope::BELOW {
                here = here.and(one.permissions);
            }
            if one.scope != scope::HERE {
                from_above = from_above.and(one.permissions);
            }
            if (level == last && one.scope != scope::BELOW) || (level < last && one.scope != scope::HERE) {
                gives.push((one.permissions, one.role.clone()));
            }
        }
        steps.push(Step { place, held: here, gives });
    }
    (steps, from_above)
}

/// An open account below the one of the grant, at any level. NotFound where the actor's right does not reach below.
pub fn below<A: Action>(db: &mut Db, by: &Grant<A>, id: &str) -> Result<Place, Problem> {
    if !ids::looks_like_id("ac", id) || !by.frame().may_below::<A>() {
        return Err(Problem::NotFound);
    }
    let row = account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq(by.account().key))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::id.eq(id))
        .filter(accounts::closed_at.is_null())
        .select(PLACE_COLUMNS);
    Ok(place_of(row.first_row::<PlaceRow>(db)?))
}

/// An open root account, for commands of the operator.
pub fn root(db: &mut Db, id: &str) -> Result<Option<Place>, Problem> {
    let row = accounts::table.filter(accounts::id.eq(id)).filter(accounts::closed_at.is_null());
    let row = row.filter(accounts::parent_key.is_null()).select(PLACE_COLUMNS);
    Ok(row.first_row::<PlaceRow>(db).optional()?.map(place_of))
}

/// The names on the way from (and without) the account at `depth` down to each of these (without themselves).
pub fn paths(db: &mut Db, keys: &[Key], depth: i64) -> Result<HashMap<Key, Vec<String>>, Problem> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Key, String)> = account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::ancestor_key)))
        .filter(one_of(account_ancestry::descendant_key, keys))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::depth.gt(depth))
        .order((account_ancestry::descendant_key, accounts::depth))
        .select((account_ancestry::descendant_key, accounts::name))
        .rows(db)?;
    let mut paths: HashMap<Key, Vec<String>> = HashMap::new();
    for (key, name) in rows {
        paths.entry(key).or_default().push(name);
    }
    Ok(paths)
}

/// How many assignments this user has that hold now.
pub fn memberships(db: &mut Db, user: Key) -> Result<i64, Problem> {
    let live = assignments::table.filter(assignments::ends_at.gt(ids::now()));
    Ok(live.filter(assignments::user_key.eq(user)).select(count_star()).first_row(db)?)
}
