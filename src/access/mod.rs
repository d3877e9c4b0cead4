//! Who asks, which account, may they: [`In<A>`] answers all three from the request, [`Grant<A>`] is the proof that an
//! operation asks for. Nothing here is cached between requests: a changed right holds from the next one on.
//!
//! A grant can only come from the check, and only for its own action:
//! ```compile_fail,E0451
//! # use subtenant::access::{Grant, policy::DeleteAccounts};
//! fn forged() -> Grant<DeleteAccounts> { Grant { frame: todo!(), origin: todo!(), acting: todo!(), one_factor: todo!(), action: todo!() } }
//! ```
//! ```compile_fail,E0308
//! # use subtenant::access::{Grant, policy::{CreateAccounts, ReadAccounts}};
//! # use subtenant::{accounts, store::Db};
//! fn wrong(db: &mut Db, by: &Grant<ReadAccounts>, new: accounts::NewChild) { accounts::open_child(db, by, new); }
//! ```

pub mod below;
mod chains;
pub mod extract;
mod frame;
pub mod lookup;
mod payer_end;
pub mod people;
pub mod permissions;
pub mod policy;
pub mod session;
mod suspended;
pub mod words;

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
pub use extract::{FreshMe, In, Me};
pub use frame::{Acting, Frame, Hold, Place, Scope, Step};
pub use payer_end::PayerEnd;
use policy::{Action, Needs};
pub use session::SessionHandle;
pub use suspended::Suspended;

/// A person who is signed in.
#[derive(Debug, Clone)]
pub struct Actor {
    pub key: Key,
    pub id: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub theme: String,
    pub last_account: Option<Key>,
}

impl Actor {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// Where a request came from, for the audit log.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub address: String,
    pub user_agent: String,
    pub request_id: String,
}

/// The id and start of a request, put into its extensions by the outermost middleware.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The public id of the person who asks, put into the request's extensions as soon as it is known.
#[derive(Debug, Clone)]
pub struct Visitor(pub String);

/// The true address of the client, put into the request's extensions by the outermost middleware.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The proof that somebody may do `A` in an account. Only the access check makes one; operations take it by reference
/// and read the account from it, never from anywhere else.
#[derive(Debug)]
pub struct Grant<A> {
    frame: Arc<Frame>,
    origin: Origin,
    acting: Acting,
    /// The session was opened with one factor: accounts that ask for a second are closed to it.
    one_factor: bool,
    action: PhantomData<fn() -> A>,
}

impl<A> Clone for Grant<A> {
    fn clone(&self) -> Grant<A> {
        Grant {
            frame: self.frame.clone(),
            origin: self.origin.clone(),
            acting: self.acting.clone(),
            one_factor: self.one_factor,
            action: PhantomData,
        }
    }
}

impl<A: Action> Grant<A> {
    /// NotFound when the account may not be seen, Forbidden when it may be but this not done.
    fn check(frame: Arc<Frame>, origin: Origin) -> Result<Grant<A>, Problem> {
        let apart = A::NEEDS == Needs::Part && !frame.below.is_empty();
        if frame.held().is_empty() && !apart {
            return Err(Problem::NotFound);
        }
        if !apart && !A::NEEDS.met_by(frame.held()) {
            let Needs::One(permission) = A::NEEDS else { return Err(Problem::NotFound) };
            return Err(Problem::Forbidden { permission: permission.to_string(), helpers: Vec::new() });
        }
        // What is held is the sum of what is given along the chain, and one role is enough for one permission.
        let acting = frame.acting(A::NEEDS).ok_or_else(|| Problem::bug("a right that no role gives"))?;
        Ok(Grant { frame, origin, acting, one_factor: false, action: PhantomData })
    }

    /// The same check again, inside the transaction that writes and after its lock: what was true when the request
    /// came in may not be now.
    pub fn check_again(&self, db: &mut Db) -> Result<Grant<A>, Problem> {
        let frame = lookup::frame(db, self.frame.actor.key, &self.account().id)?;
        let again = Grant::check(Arc::new(frame), self.origin.clone())?;
        if self.one_factor && again.frame.asks_second_factor().is_some() {
            return Err(Problem::SecondFactor);
        }
        Ok(Grant { one_factor: self.one_factor, ..again })
    }

    pub fn account(&self) -> &Place {
        self.frame.account()
    }

    pub fn actor(&self) -> &Actor {
        &self.frame.actor
    }

    /// The account whose role gives the right: the account itself or one above it.
    pub fn acting_from(&self) -> Key {
        self.acting.from
    }

    pub fn acting(&self) -> &Acting {
        &self.acting
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// A grant for another act in the same account, where one page does two things.
    pub fn also<B: Action>(&self) -> Result<Grant<B>, Problem> {
        Ok(Grant { one_factor: self.one_factor, ..Grant::check(self.frame.clone(), self.origin.clone())? })
    }
}

/// The check for commands and tests, which have no request: the same lookup, the same rules.
pub fn grant<A: Action>(db: &mut Db, user: Key, account_id: &str, origin: Origin) -> Result<Grant<A>, Problem> {
    let frame = lookup::frame(db, user, account_id)?;
    Grant::check(Arc::new(frame), origin)
}
