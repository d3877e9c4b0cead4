//! Which sessions may change how somebody signs in: those that are alive and used the second factor that the person
//! has. Else a stolen password, or a session that was open before, could replace what guards against it.

use super::store;
use crate::access::{Me, session};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::Site;

/// In the transaction of the change; answers whether the person has a second factor.
pub fn check(db: &mut Db, me: &Me) -> Result<bool, Problem> {
    let used = session::used_second_factor(db, &me.session.id)?.ok_or(Problem::SignIn)?;
    let on = !store::enabled_for(db, &[me.actor.key])?.is_empty();
    if on && !used { Err(Problem::SecondFactor) } else { Ok(on) }
}

/// Before a page that leads to such a change.
pub async fn look(me: &Me, site: &Site) -> Result<(), Problem> {
    if me.session.second_factor {
        return Ok(());
    }
    let user = me.actor.key;
    let on = site.pool.read(move |db| store::enabled_for(db, &[user])).await?;
    if on.is_empty() { Ok(()) } else { Err(Problem::SecondFactor) }
}
