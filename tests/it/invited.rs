//! Invitations for tests: made and copied through the product's own operations, found again by their address.

use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::access::policy::CreateMembers;
use subtenant::members::{self, Answer, NewInvitation};
use subtenant::problem::Problem;
use subtenant::store::schema::invitations;
use subtenant::{ids, roles as role_room};

use crate::world::World;

/// The public id of a role that can be given in an account.
pub fn role_id(world: &World, person: &str, account: &str, role: &str) -> String {
    let by = world.grant::<CreateMembers>(person, account).expect("they may invite");
    let available = world.read(|db| role_room::available(db, by.frame())).expect("the roles are read");
    available.into_iter().find(|one| one.name == role).expect("a role of this name").id
}

/// What invites this address with one role.
pub fn new_invitation(world: &World, by: &str, account: &str, email: &str, role: &str) -> NewInvitation {
    NewInvitation {
        addresses: vec![email.to_owned()],
        role_ids: vec![role_id(world, by, account, role)],
        scope: Scope::HereAndBelow,
        ends_at: ids::never(),
        message: String::new(),
        site: "http://127.0.0.1:8080".to_owned(),
    }
}

/// Sends it.
pub fn send(world: &World, by: &str, account: &str, new: &NewInvitation) -> Result<Vec<(String, Answer)>, Problem> {
    let grant = world.grant::<CreateMembers>(by, account)?;
    world.write(|db| members::invite(db, &grant, new))
}

/// Invites somebody; answers the invitation's id.
pub fn invite(world: &World, by: &str, account: &str, email: &str, role: &str) -> String {
    let answers = send(world, by, account, &new_invitation(world, by, account, email, role)).expect("an invitation");
    assert_eq!(answers, [(email.to_owned(), Answer::Invited)]);
    pending(world, account, email)
}

/// The id of the open invitation of this address.
pub fn pending(world: &World, account: &str, email: &str) -> String {
    let row = invitations::table
        .filter(invitations::account_key.eq(world.key(account)))
        .filter(invitations::email.eq(email))
        .filter(invitations::state.eq("OPEN"))
        .select(invitations::id);
    world.read(|db| Ok(row.first(db)?)).expect("an open invitation")
}

/// A new link for it, as the path that leads there.
pub fn link(world: &World, by: &str, account: &str, id: &str) -> String {
    let grant = world.grant::<CreateMembers>(by, account).expect("they may invite");
    let link = world.write(|db| members::copy_link(db, &grant, id, "http://127.0.0.1:8080")).expect("a link");
    link.strip_prefix("http://127.0.0.1:8080").expect("a link to here").to_owned()
}

/// Invites somebody and answers the path of their link.
pub fn invited(world: &World, by: &str, account: &str, email: &str, role: &str) -> String {
    let id = invite(world, by, account, email, role);
    link(world, by, account, &id)
}
