//! What a mailed invitation leads to: a page outside any account that says who invites, to what and with which powers.
//! Whoever is new signs up on it, whoever is known signs in and comes back; anybody else is told nothing. A link that
//! does not work any more and one that nobody made look the same.

mod pages;

use crate::access::{Actor, Origin, lookup};
use crate::members::{self, Accepted};
use crate::problem::Problem;
use crate::sign_in::{self, NewUser};
use crate::store::{self as database, Db};
use crate::web::route::{Route, get, post};

pub fn routes() -> Vec<Route> {
    vec![get("/invites/{token}", pages::show), post("/invites/{token}", pages::accept)]
}

/// Makes the user and accepts the invitation, all or nothing. A link that came by mail shows that the address is
/// theirs; one that was handed over does not, so a mail asks.
fn sign_up(db: &mut Db, new: &NewUser, origin: &Origin, token: &str) -> Result<(Actor, Accepted), Problem> {
    database::write(db, |db| {
        let user = sign_in::add_user(db, new, origin)?;
        let actor = lookup::actor(db, user)?;
        let accepted = members::accept(db, &actor, origin, token)?;
        if accepted.mailed {
            sign_in::mark_verified(db, user)?;
        } else {
            sign_in::post_verification(db, user, &actor.email, &actor.first_name)?;
        }
        Ok((actor, accepted))
    })
}
