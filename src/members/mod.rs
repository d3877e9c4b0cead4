//! Members: people with roles at an account, and the invitations that make them members. Who is in the list came by
//! an invitation, by signing up, or holds a role at an account above; giving, removing and leaving are in `changing`.

mod accepting;
mod changing;
mod inviting;
mod letter;
mod pages;
mod store;
pub mod words;

use chrono::NaiveDateTime;

use crate::access::Scope;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
pub use accepting::{Accepted, Offer, accept, accepted_into, is_known, offer};
pub use changing::{Seen, Wanted, give, leave, member, remove, stamp};
pub use inviting::{Answer, MOST_ADDRESSES, NewInvitation, VALID_DAYS, copy_link, invite, send_again, withdraw};
pub use pages::routes;
pub use store::invitations::{Invitation, count as pending};
pub use store::list::{Membership, memberships};
pub use store::{Held, Person, count, held_at, people};

/// A role to be given.
#[derive(Debug, Clone)]
pub struct NewAssignment {
    pub account: Key,
    pub user: Key,
    pub role: Key,
    /// The account that owns the role: the account itself or one above it.
    pub role_account: Key,
    pub scope: Scope,
    /// [`crate::ids::never`] where it has no end.
    pub ends_at: NaiveDateTime,
    pub granted_by: Option<Key>,
}

/// Gives a role. Whoever calls this has checked that it may be given. One that ran out is replaced.
pub fn assign(db: &mut Db, new: &NewAssignment) -> Result<(), Problem> {
    store::delete_ended(db, new.account, new.user, new.role)?;
    store::insert(db, new)
}
