//! What a mailed invitation leads to: a page outside any account that says who invites, to what and with which powers.
//! Whoever is new signs up on it, whoever is known signs in and comes back; anybody else is told nothing. A link that
//! does not work any more and one that nobody made look the same.

mod pages;
mod signing_up;

use diesel::prelude::*;

use crate::access::{Origin, lookup};
use crate::ids::{self, Key};
use crate::members;
use crate::problem::Problem;
use crate::sign_in::{self, NewUser};
use crate::store::schema::invitations;
use crate::store::{self as database, Db};
use crate::web::form::Receipt;
use crate::web::once::{self, Reply, once};
use crate::web::route::{Route, get, post};

pub fn routes() -> Vec<Route> {
    vec![get("/invites/{token}", pages::show), post("/invites/{token}", pages::accept)]
}

/// Makes the user and accepts the invitation, all or nothing. A link that came by mail shows that the address is
/// theirs; one that was handed over does not, so a mail asks.
fn sign_up(
    db: &mut Db,
    new: &NewUser,
    origin: &Origin,
    token: &str,
    receipt: &Receipt,
) -> Result<(Key, Reply), Problem> {
    database::write(db, |db| {
        let user = sign_in::add_user(db, new, origin)?;
        let actor = lookup::actor(db, user)?;
        let reply = once(db, user, receipt, |db| {
            let accepted = members::accept(db, &actor, origin, token)?;
            if accepted.mailed {
                sign_in::mark_verified(db, user)?;
            } else {
                sign_in::post_verification(db, user, &actor.email, &actor.first_name)?;
            }
            Ok(pages::landing(&accepted))
        })?;
        Ok((user, reply))
    })
}

/// The answer to this form, if whoever accepted the invitation sent it before: the button was pressed twice.
fn again(db: &mut Db, token: &str, receipt: &Receipt) -> Result<Option<Reply>, Problem> {
    let row = invitations::table.filter(invitations::token_hash.eq(ids::sha256_hex(token.as_bytes())));
    let by = row.select(invitations::accepted_by).first::<Option<Key>>(db).optional()?.flatten();
    match by {
        Some(user) => once::again(db, user, receipt),
        None => Ok(None),
    }
}
